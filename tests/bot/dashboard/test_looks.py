"""Times, ages and clocks as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.dashboard.looks import clock, day, iso, share, span
from bot.dashboard.words import known, say


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=59), "under 1 min"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1, minutes=50), "1 h 50 min"),
        (timedelta(hours=24), "1 day"),
        (timedelta(days=9, hours=23), "9 days"),
    ],
)
def test_a_length_of_time(length: timedelta, words: str) -> None:
    assert span(length) == words


def test_a_clock_says_what_is_left_or_how_late_it_is(now: datetime) -> None:
    assert clock(now + timedelta(minutes=110), now) == "1 h 50 min left"
    assert clock(now - timedelta(hours=3), now) == "late by 3 h"


def test_times_for_people_and_for_machines() -> None:
    moment = datetime(2026, 2, 5, 9, 4, 7, tzinfo=timezone(timedelta(hours=2)))

    assert day(moment) == "Thu 5 Feb 2026, 09:04"
    assert iso(moment) == "2026-02-05T07:04:07+00:00"
    assert iso(moment) == iso(moment.astimezone(UTC))


def test_shares_and_words() -> None:
    assert share(2 / 3) == "67 %"
    assert say("wave", number=2) == "Wave 2"
    assert known("step.accepted", "accepted") == "Accepted"
    assert known("step.sent_again", "sent_again") == "Sent again"
