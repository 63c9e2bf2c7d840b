"""When an account ends: the day that is given, whole, in the programme's zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.login.lifetimes import LIFETIME, NOTICE, EndError, end_of, ends_soon, last_day

ZONE = ZoneInfo("Africa/Johannesburg")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_the_last_day_is_whole() -> None:
    end = end_of("2027-06-30", now=NOW, zone=ZONE)

    assert end == datetime(2027, 6, 30, 22, 0, tzinfo=UTC)


def test_nobody_says_when_so_it_is_a_year() -> None:
    assert end_of("", now=NOW, zone=ZONE) == NOW + LIFETIME


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("June", "is no day"),
        ("2027-02-30", "is no day"),
        ("2026-11-21", "is past"),
        ("2029-01-01", "two years"),
    ],
)
def test_a_day_that_does_not_do_is_said(text: str, said: str) -> None:
    with pytest.raises(EndError, match=said):
        end_of(text, now=NOW, zone=ZONE)


def test_an_end_is_near_for_two_weeks_before_it() -> None:
    second = timedelta(seconds=1)
    near = [
        ends_soon(end, now=NOW)
        for end in (None, NOW, NOW + second, NOW + NOTICE, NOW + NOTICE + second)
    ]
    assert near == [False, False, True, True, False]


def test_the_last_day_is_the_one_that_was_given() -> None:
    assert last_day(end_of("2027-06-30", now=NOW, zone=ZONE), ZONE) == date(2027, 6, 30)
