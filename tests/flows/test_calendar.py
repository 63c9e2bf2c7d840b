"""When something we start may be sent."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.calendar import SATURDAY, SUNDAY, Hours, add_working_days, next_allowed, window

JOHANNESBURG = ZoneInfo("Africa/Johannesburg")
LONDON = ZoneInfo("Europe/London")
NEW_YEAR = date(2026, 1, 1)
CHRISTMAS = frozenset({date(2025, 12, 25), date(2025, 12, 26), NEW_YEAR})
HOURS = Hours(holidays=CHRISTMAS)
ZONES = st.sampled_from([JOHANNESBURG, LONDON, ZoneInfo("America/New_York"), ZoneInfo("UTC")])
MOMENTS = st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2027, 12, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
WISHES = st.sampled_from([None, "morning", "midday", "evening", "whenever"])


def local(*when: int) -> datetime:
    return datetime(*when, tzinfo=JOHANNESBURG)  # type: ignore[arg-type]


def allowed(at: datetime, safe_hour: str | None = None) -> datetime:
    found = next_allowed(at, zone=JOHANNESBURG, hours=HOURS, safe_hour=safe_hour)
    return found.astimezone(JOHANNESBURG)


def test_within_hours_it_is_now() -> None:
    at = local(2026, 2, 2, 9, 30)
    assert allowed(at) == at


@pytest.mark.parametrize(
    ("at", "then"),
    [
        (local(2026, 2, 2, 5), local(2026, 2, 2, 8)),
        (local(2026, 2, 2, 20), local(2026, 2, 3, 8)),
        (local(2026, 2, 6, 21), local(2026, 2, 7, 9)),
        (local(2026, 2, 7, 13), local(2026, 2, 9, 8)),
        (local(2026, 2, 8, 10), local(2026, 2, 9, 8)),
        (local(2025, 12, 24, 22), local(2025, 12, 27, 9)),
    ],
    ids=["early", "late", "friday night", "saturday afternoon", "sunday", "holidays"],
)
def test_otherwise_it_is_when_the_next_span_opens(at: datetime, then: datetime) -> None:
    assert allowed(at) == then


@pytest.mark.parametrize(
    ("wish", "then"),
    [
        ("morning", local(2026, 2, 3, 8)),
        ("midday", local(2026, 2, 2, 12)),
        ("evening", local(2026, 2, 2, 17)),
        (None, local(2026, 2, 2, 12)),
        ("unheard of", local(2026, 2, 2, 12)),
    ],
)
def test_her_safe_hour_narrows_the_day(wish: str | None, then: datetime) -> None:
    assert allowed(local(2026, 2, 2, 12), wish) == then


def test_an_evening_person_is_not_written_to_on_a_saturday() -> None:
    assert window(date(2026, 2, 7), HOURS, "evening") is None
    assert window(date(2026, 2, 7), HOURS, "midday") == (time(11), time(13))
    assert allowed(local(2026, 2, 7, 10), "evening") == local(2026, 2, 9, 17)


def test_a_site_may_forbid_saturdays() -> None:
    hours = Hours(saturday=None)
    found = next_allowed(local(2026, 2, 7, 10), zone=JOHANNESBURG, hours=hours)
    assert found == local(2026, 2, 9, 8)


def test_hours_that_allow_nothing_are_said_to() -> None:
    closed = Hours(holidays=frozenset(NEW_YEAR + timedelta(days=n) for n in range(60)))
    with pytest.raises(ValueError, match="three weeks"):
        next_allowed(local(2026, 1, 2, 9), zone=JOHANNESBURG, hours=closed)


def test_in_a_zone_with_summer_time_the_clock_on_the_wall_counts() -> None:
    winter = next_allowed(datetime(2026, 1, 5, 3, tzinfo=UTC), zone=LONDON, hours=HOURS)
    summer = next_allowed(datetime(2026, 7, 6, 3, tzinfo=UTC), zone=LONDON, hours=HOURS)
    assert winter == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert summer == datetime(2026, 7, 6, 7, tzinfo=UTC)


def test_over_the_night_in_which_the_clocks_change() -> None:
    # 29 March 2026 is the Sunday on which London goes to summer time.
    saturday_night = datetime(2026, 3, 28, 22, tzinfo=UTC)
    found = next_allowed(saturday_night, zone=LONDON, hours=HOURS)
    assert found == datetime(2026, 3, 30, 7, tzinfo=UTC)


@given(at=MOMENTS, zone=ZONES, wish=WISHES)
def test_never_in_quiet_hours_on_sundays_or_holidays_and_never_before(
    at: datetime, zone: ZoneInfo, wish: str | None
) -> None:
    found = next_allowed(at, zone=zone, hours=HOURS, safe_hour=wish)
    here = found.astimezone(zone)
    assert found >= at
    assert here.weekday() != SUNDAY
    assert here.date() not in CHRISTMAS
    start, end = HOURS.saturday if here.weekday() == SATURDAY else HOURS.weekday  # type: ignore[misc]
    assert start <= here.time().replace(tzinfo=None) < end
    if wish in HOURS.safe:
        start, end = HOURS.safe[wish]
        assert start <= here.time().replace(tzinfo=None) < end


@given(at=MOMENTS, zone=ZONES, wish=WISHES)
def test_what_is_allowed_is_allowed_at_once(at: datetime, zone: ZoneInfo, wish: str | None) -> None:
    found = next_allowed(at, zone=zone, hours=HOURS, safe_hour=wish)
    assert next_allowed(found, zone=zone, hours=HOURS, safe_hour=wish) == found
    assert found.tzinfo is at.tzinfo


def test_working_days_pass_over_weekends_and_holidays() -> None:
    def later(at: datetime, days: int) -> datetime:
        return add_working_days(at, days, zone=JOHANNESBURG, hours=HOURS)

    assert later(local(2026, 2, 2, 9), 5) == local(2026, 2, 9, 9)
    assert later(local(2026, 2, 6, 9), 1) == local(2026, 2, 9, 9)
    assert later(local(2025, 12, 24, 9), 1) == local(2025, 12, 29, 9)
    assert later(local(2026, 2, 7, 9), 0) == local(2026, 2, 7, 9)


@given(at=MOMENTS, days=st.integers(1, 20), zone=ZONES)
def test_so_many_working_days_lie_between(at: datetime, days: int, zone: ZoneInfo) -> None:
    end = add_working_days(at, days, zone=zone, hours=HOURS).astimezone(zone)
    start = at.astimezone(zone)
    between = [
        start.date() + timedelta(days=n + 1) for n in range((end.date() - start.date()).days)
    ]
    working = [d for d in between if d.weekday() < SATURDAY and d not in CHRISTMAS]
    assert len(working) == days
    assert end.date() == working[-1]
