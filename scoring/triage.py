"""Which alerts a profile or a critical answer calls for, and when an unanswered one moves on.

Keys are deterministic, so that raising the same alert twice is impossible by key.
"""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from scoring.model import DOMAINS, CriticalHit, Profile
from scoring.ruleset import CRISIS_RULE, HIGH_RULE, UNREAD_RULE

Level = Literal["urgent", "high"]
SATURDAY = 5
Note = Literal["", "answers_changed", "answers_back"]
CHANGED: Note = "answers_changed"
BACK: Note = "answers_back"
"""Steps of an alert: its reason is not in the answers any more, or is again."""
UNANSWERED = frozenset({CRISIS_RULE, UNREAD_RULE})
"""Rules that rest on no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCall:
    """An alert that must stand for a child in a wave.

    Attributes:
        key: Unique for ever: child, wave and rule.
        level: How soon a person must look.
        rule: The critical rule, or "high".
        words: English sentence for the alert's page; never sent in a message.
    """

    key: str
    level: Level
    rule: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """How long an alert may wait before it goes to the next person. Defaults are ours.

    Attributes:
        urgent: Round the clock.
        high_working_days: Working days, from the time of day it was opened.
        zone: The programme's time zone.
        day_starts: When a working day begins there.
        days_off: Public holidays (local dates); Saturdays and Sundays are off anyway.
    """

    urgent: timedelta = timedelta(hours=2)
    high_working_days: int = 1
    zone: tzinfo
    day_starts: time = time(8)
    days_off: Set[date] = frozenset()


def alert_for(hit: CriticalHit, *, child: str, wave: str) -> AlertCall:
    """The urgent alert of one critical answer, at the moment it is given."""
    key = f"{child}:{wave}:{hit.rule}"
    return AlertCall(key=key, level="urgent", rule=hit.rule, words=hit.words)


def crisis_call(who: str, at: datetime) -> AlertCall:
    """The urgent alert of words of danger; nothing about the words is in it.

    Args:
        who: Id of the person (or the address) who typed them.
        at: When (aware); a later one of hers is another alert.
    """
    key = f"{CRISIS_RULE}:{who}:{at.astimezone(UTC):%Y%m%dT%H%M%S%f}"
    words = "Somebody who cares for the child wrote words that may mean danger."
    return AlertCall(key=key, level="urgent", rule=CRISIS_RULE, words=words)


def unread_call(letter: str) -> AlertCall:
    """The urgent alert of a message that could not be handled and would have called for one.

    Args:
        letter: The message's id.
    """
    words = "A message could not be handled. It may hold an answer that needs a person at once."
    return AlertCall(key=f"{UNREAD_RULE}:{letter}", level="urgent", rule=UNREAD_RULE, words=words)


def alerts_for(profile: Profile, *, child: str, wave: str) -> tuple[AlertCall, ...]:
    """Every alert a profile calls for: one per critical rule met, one for high risk.

    Args:
        profile: The child's profile.
        child: The child's id.
        wave: The wave's id.
    """
    calls: dict[str, AlertCall] = {}
    for hit in profile.critical:
        call = alert_for(hit, child=child, wave=wave)
        calls.setdefault(call.key, call)
    high = [name for name in DOMAINS if profile.domains[name].band == "high"]
    if high:
        key = f"{child}:{wave}:{HIGH_RULE}"
        words = f"High risk: {', '.join(high)}."
        calls[key] = AlertCall(key=key, level="high", rule=HIGH_RULE, words=words)
    return tuple(calls.values())


def revision(rule: str, called: Set[str], noted: str) -> Note:
    """What is to be written to an alert once answers were changed; empty for nothing.

    Args:
        rule: The alert's.
        called: The rules that the answers call for now.
        noted: What was written last, if anything.
    """
    if rule in UNANSWERED:
        return ""
    if rule not in called:
        return "" if noted == CHANGED else CHANGED
    return BACK if noted == CHANGED else ""


def anew(call: AlertCall, at: datetime) -> AlertCall:
    """The same call once more, where the alert it led to was closed before its reason came back."""
    return replace(call, key=f"{call.key}:{at.astimezone(UTC):%Y%m%dT%H%M%S%f}")


def escalate_at(level: Level, opened_at: datetime, clocks: Clocks) -> datetime:
    """When an alert nobody has taken goes to the next person.

    Args:
        level: Urgent runs round the clock, high on working days.
        opened_at: When this person got it (aware).
        clocks: The programme's clocks.

    Returns:
        The moment, aware, UTC. A high alert opened on a day off counts from the start of the
        next working day.
    """
    if level == "urgent":
        return (opened_at + clocks.urgent).astimezone(UTC)
    local = opened_at.astimezone(clocks.zone)
    day, at = local.date(), local.time()
    if _off(day, clocks):
        day, at = _next_working(day, clocks), clocks.day_starts
    for _ in range(clocks.high_working_days):
        day = _next_working(day, clocks)
    return datetime.combine(day, at, tzinfo=clocks.zone).astimezone(UTC)


def _off(day: date, clocks: Clocks) -> bool:
    """Whether nobody works on a local date."""
    return day.weekday() >= SATURDAY or day in clocks.days_off


def _next_working(day: date, clocks: Clocks) -> date:
    """The first working day after a date."""
    day += timedelta(days=1)
    while _off(day, clocks):
        day += timedelta(days=1)
    return day
