from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from scoring.critical import critical
from scoring.triage import (
    AlertCall,
    Clocks,
    alert_for,
    alerts_for,
    anew,
    crisis_call,
    escalate_at,
    revision,
    unread_call,
)
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


def test_words_of_danger_are_urgent_and_each_moment_of_hers_is_its_own_alert() -> None:
    now = at("2025-03-10 15:00")
    call = crisis_call("p1", now)
    assert (call.level, call.rule) == ("urgent", "crisis")
    assert call.key == crisis_call("p1", now.astimezone(SOUTH_AFRICA.zone)).key
    others = (crisis_call("p2", now), crisis_call("p1", now + timedelta(days=1)))
    assert call.key not in {other.key for other in others}


def test_an_unread_message_calls_once() -> None:
    call = unread_call("letter1")
    assert (call.key, call.level, call.rule) == ("unread:letter1", "urgent", "unread")


@pytest.mark.parametrize(
    ("rule", "called", "noted", "note"),
    [
        ("high", {"high"}, "", ""),
        ("high", {"no_food_today"}, "", "answers_changed"),
        ("high", set(), "answers_changed", ""),
        ("high", {"high"}, "answers_changed", "answers_back"),
        ("high", {"high"}, "answers_back", ""),
        ("high", set(), "answers_back", "answers_changed"),
        ("crisis", set(), "", ""),
        ("unread", set(), "", ""),
    ],
)
def test_an_alert_says_when_its_reason_leaves_the_answers_and_comes_back(
    rule: str, called: set[str], noted: str, note: str
) -> None:
    assert revision(rule, called, noted) == note


def test_a_reason_that_is_back_after_its_alert_was_closed_is_another_alert() -> None:
    call = AlertCall(key="c:w:high", level="high", rule="high", words="High risk: health.")
    again = anew(call, datetime(2026, 2, 2, 9, 0, tzinfo=UTC))
    assert again.key == "c:w:high:20260202T090000000000"
    assert (again.level, again.rule, again.words) == (call.level, call.rule, call.words)
