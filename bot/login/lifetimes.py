"""How long an account lasts: every one has an end, and idle days close it before.

Source: trust-and-dashboard.md §B1 (a leaver's login stayed open for a year).
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LIFETIME = timedelta(days=365)
"""Where nobody says when an account ends."""
LONGEST = timedelta(days=2 * 366)
IDLE = timedelta(days=30)
"""Days without use after which a login is closed."""

NOTICE = timedelta(days=14)
"""So long before its end an account's holder, and whoever keeps the accounts, are told."""


class EndError(ValueError):
    """An account cannot end then; the message says what to write."""


def ends_soon(ends_at: datetime | None, *, now: datetime) -> bool:
    """Whether an account that is open ends within `NOTICE` (both aware)."""
    return ends_at is not None and now < ends_at <= now + NOTICE


def last_day(ends_at: datetime, zone: ZoneInfo) -> date:
    """The last day on which an account can be used, all of it or some."""
    return (ends_at - timedelta(seconds=1)).astimezone(zone).date()


def end_of(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which an account ends whose last day is given; a year from now for "".

    Args:
        text: The last day, as 2027-06-30, or empty.
        now: Aware, UTC.
        zone: Where the day ends.

    Raises:
        EndError: That is no day, or it is past, or more than two years ahead.
    """
    if not text:
        return now + LIFETIME
    try:
        last = date.fromisoformat(text)
    except ValueError:
        raise EndError(f"{text!r} is no day. Write it like 2027-06-30.") from None
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
    if end <= now:
        raise EndError(f"{text} is past. An account ends on a day to come.")
    if end - now > LONGEST:
        raise EndError(f"{text} is more than two years ahead. Choose an earlier day.")
    return end
