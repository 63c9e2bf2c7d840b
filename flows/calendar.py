"""When something we start may be sent: quiet hours, Sundays, public holidays, her safe hour.

Replies, safety messages and alerts to staff go at any hour; invitations, nudges and reminders wait
for `next_allowed`. Holidays are data handed in; the zone is an argument.

Source: Consumer Protection Act prohibited-time notice R293 (no Sundays and public holidays,
Saturday 09:00-13:00, other days 08:00-20:00), applied to reminders as well; reference: channels §5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

SATURDAY = 5
SUNDAY = 6
LONGEST_WAIT_DAYS = 21
"""No run of forbidden days is as long as this."""

Span = tuple[time, time]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What hours a site allows for messages it starts (local time).

    Attributes:
        weekday: From and until, Monday to Friday.
        saturday: From and until; None forbids Saturdays.
        safe: The span of each safe hour a person may have chosen.
        holidays: Local dates on which nothing is started.
    """

    weekday: Span = (time(8), time(20))
    saturday: Span | None = (time(9), time(13))
    safe: Mapping[str, Span] = field(
        default_factory=lambda: {
            "morning": (time(8), time(11)),
            "midday": (time(11), time(14)),
            "evening": (time(17), time(20)),
        }
    )
    holidays: frozenset[date] = frozenset()


def window(day: date, hours: Hours, safe_hour: str | None) -> Span | None:
    """The span of `day` in which something may be started; None if there is none.

    A safe hour narrows the day; where it lies outside it (an evening on a Saturday), the day has
    no span at all, since her safety comes before our haste.
    """
    if day.weekday() == SUNDAY or day in hours.holidays:
        return None
    span = hours.saturday if day.weekday() == SATURDAY else hours.weekday
    wish = hours.safe.get(safe_hour) if safe_hour else None
    if span is None or wish is None:
        return span
    start, end = max(span[0], wish[0]), min(span[1], wish[1])
    return (start, end) if start < end else None


def next_allowed(
    at: datetime, *, zone: tzinfo, hours: Hours, safe_hour: str | None = None
) -> datetime:
    """The first moment not before `at` at which something may be started.

    Args:
        at: Aware.
        zone: The programme's time zone.
        hours: The site's hours and holidays.
        safe_hour: morning, midday, evening or None.

    Returns:
        Aware, in the zone of `at`.

    Raises:
        ValueError: The hours allow nothing for three weeks.
    """
    local = at.astimezone(zone)
    for days in range(LONGEST_WAIT_DAYS):
        day = local.date() + timedelta(days=days)
        span = window(day, hours, safe_hour)
        if span is None:
            continue
        start, end = (datetime.combine(day, t, tzinfo=zone) for t in span)
        moment = max(local, start)
        if moment < end:
            return moment.astimezone(at.tzinfo)
    raise ValueError("the hours of this site allow no message for three weeks")


def add_working_days(at: datetime, days: int, *, zone: tzinfo, hours: Hours) -> datetime:
    """The same time of day `days` working days later (Monday to Friday, no holidays)."""
    local = at.astimezone(zone)
    left = days
    day = local.date()
    while left > 0:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY and day not in hours.holidays:
            left -= 1
    return datetime.combine(day, local.timetz().replace(tzinfo=None), tzinfo=zone).astimezone(
        at.tzinfo
    )
