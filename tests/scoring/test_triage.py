from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from scoring.critical import critical
from scoring.triage import AlertCall, Clocks, alert_for, alerts_for, escalate_at
from tests.scoring.samples import default_rules, scored, submission

HUNGRY = "learner/hungry=often learner/break_food=no"
SOUTH_AFRICA = Clocks(zone=ZoneInfo("Africa/Johannesburg"), days_off=frozenset({date(2025, 3, 21)}))


def test_a_quiet_profile_calls_for_nothing() -> None:
    assert (
        alerts_for(scored("learner/hungry=never learner/break_food=yes"), child="c", wave="w") == ()
    )


def test_high_domains_call_for_one_alert_together() -> None:
    profile = scored(HUNGRY + " learner/sad=often learner/anger=often")
    assert alerts_for(profile, child="c", wave="w") == (
        AlertCall(
            key="c:w:high", level="high", rule="high", words="High risk: nutrition, psychosocial."
        ),
    )


def test_each_critical_rule_has_its_own_alert_beside_the_high_one() -> None:
    profile = scored(HUNGRY + " caregiver/ate_today=no_food caregiver/hurt=yes")
    calls = alerts_for(profile, child="c", wave="w")
    assert [(call.key, call.level) for call in calls] == [
        ("c:w:no_food_today", "urgent"),
        ("c:w:child_hurt", "urgent"),
        ("c:w:high", "high"),
    ]


def test_two_informants_meeting_one_rule_make_one_alert() -> None:
    both = [
        submission("caregiver", informant=informant, ate_today="no_food")
        for informant in ("caregiver", "nurse")
    ]
    profile = scored(both)
    assert len(profile.critical) == 2
    assert [call.key for call in alerts_for(profile, child="c", wave="w")] == ["c:w:no_food_today"]


def test_the_alert_at_the_answer_and_the_one_of_the_profile_are_the_same() -> None:
    hit = critical(
        default_rules(),
        form_id="caregiver",
        item="ate_today",
        value="no_food",
        informant="caregiver",
    )
    assert hit
    profile = scored("caregiver/ate_today=no_food")
    assert alerts_for(profile, child="c", wave="w") == (alert_for(hit, child="c", wave="w"),)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Africa/Johannesburg"))


def test_an_urgent_alert_moves_on_after_two_hours_at_any_time() -> None:
    opened = at("2025-03-22 23:30")
    assert escalate_at("urgent", opened, SOUTH_AFRICA) == opened + timedelta(hours=2)
    assert escalate_at("urgent", opened, SOUTH_AFRICA).tzinfo is UTC


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ("2025-03-10 15:00", "2025-03-11 15:00"),
        ("2025-03-14 15:00", "2025-03-17 15:00"),
        ("2025-03-15 10:00", "2025-03-18 08:00"),
        ("2025-03-20 11:00", "2025-03-24 11:00"),
        ("2025-03-21 11:00", "2025-03-25 08:00"),
    ],
)
def test_a_high_alert_moves_on_after_one_working_day(opened: str, due: str) -> None:
    assert escalate_at("high", at(opened), SOUTH_AFRICA) == at(due)


def test_working_days_are_those_of_the_programme_and_not_of_the_server() -> None:
    late_on_friday_in_utc = datetime(2025, 3, 14, 23, 30, tzinfo=UTC)
    clocks = Clocks(zone=timezone(timedelta(hours=2)), high_working_days=2)
    assert escalate_at("high", late_on_friday_in_utc, clocks) == at("2025-03-19 08:00")
