"""How values look on a page: times, ages, clocks. Plain English, no guessing of locale."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def templates() -> Environment:
    """The templates of this folder; everything in them is escaped, and a missing value fails."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"span": span, "clock": clock, "day": day, "iso": iso, "share": share}
    return made


def iso(moment: datetime) -> str:
    """A time for machines: ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def day(moment: datetime) -> str:
    """A local time for people, e.g. "Thu 5 Feb 2026, 09:04"."""
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M}"


def span(length: timedelta) -> str:
    """A length of time in at most two units, e.g. "1 h 50 min", "3 days"."""
    if length < MINUTE:
        return "under 1 min"
    if length < HOUR:
        return f"{length // MINUTE} min"
    if length < DAY:
        minutes = length % HOUR // MINUTE
        return f"{length // HOUR} h {minutes} min" if minutes else f"{length // HOUR} h"
    days = length // DAY
    return "1 day" if days == 1 else f"{days} days"


def clock(due: datetime, now: datetime) -> str:
    """What is left until `due`, or how late it is."""
    return f"{span(due - now)} left" if due > now else f"late by {span(now - due)}"


def share(part: float) -> str:
    """A share from 0 to 1 as a whole percentage."""
    return f"{round(part * 100)} %"
