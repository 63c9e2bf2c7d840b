"""Two guards at the door: against machines that answer us, and against floods from one address.

Pure: what was counted so far and a message's mark go in, the new counts and a verdict come out.
The counts rest with the address; a mark is a keyed digest of what was said, never the words.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

SAME = 4
"""The same words so often, with nothing new said, are an automatic reply."""
SPAN = timedelta(minutes=10)
"""Within so long. The window in which messages that said nothing new are counted is as long."""
QUIET = timedelta(hours=1)
"""How long those words are not answered then."""
MOST = 30
MOST_A_DAY = 200
DAY = timedelta(days=1)
APART = timedelta(hours=1)
"""Between two kind words about messages that no question waits for."""
KEPT = 8
"""So many of the last marks are kept: two machines may take turns with their words."""

Verdict = Literal["answer", "loop", "looping", "flood", "flooding"]
"""loop, flood: from this message on nothing is answered; looping, flooding: still so."""


class Guard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is counted of one address; all times are whole seconds since 1970, UTC.

    Attributes:
        said: Marks with their times since something new was said, the oldest first.
        looped: Marks that are not answered, until `loop_ends`.
        since: When the short window began; `count`: messages in it that said nothing new.
        day: When the window of a day began; `day_count`: messages in it.
        flood_ends: Until when nothing is answered; 0 while nothing is wrong.
        kind: When she last heard that a person reads what she sent; 0 after a step of hers.
    """

    said: tuple[tuple[str, int], ...] = ()
    looped: tuple[str, ...] = ()
    loop_ends: int = 0
    since: int = 0
    count: int = 0
    day: int = 0
    day_count: int = 0
    flood_ends: int = 0
    kind: int = 0


def read(stored: object) -> Guard:
    """The guard as its address keeps it; a new one where it keeps none."""
    return Guard() if stored is None else msgspec.convert(stored, Guard)


def stored(guard: Guard) -> dict[str, object]:
    """What the address keeps: JSON, nothing that is empty."""
    kept: dict[str, object] = msgspec.to_builtins(guard)
    return kept


def arrived(guard: Guard, mark: str, now: datetime, *, rated: bool) -> tuple[Guard, Verdict]:
    """Count a message; whether it is answered.

    Args:
        guard: The counts before it.
        mark: Digest of its words; empty where the same again means nothing (a tap, a picture).
        now: Aware.
        rated: Whether floods are looked for (not among those who answer alerts).
    """
    at = int(now.timestamp())
    guard = _counted(guard, at)
    if mark in guard.looped and at < guard.loop_ends:
        return guard, "looping"
    recent = tuple(one for one in guard.said if at - one[1] < SPAN.total_seconds())
    said = (*recent, (mark, at))[-KEPT:] if mark else recent
    same = sum(one[0] == mark for one in said)
    if mark and same >= SAME:
        ends = at + int(QUIET.total_seconds())
        looped = tuple(sorted({*guard.looped, mark} if at < guard.loop_ends else {mark}))
        return replace(guard, said=said, looped=looped, loop_ends=ends), "loop"
    guard = replace(guard, said=said)
    return _rate(guard, at) if rated else (guard, "answer")


def moved(guard: Guard) -> Guard:
    """Something new was said: an answer, a step, a choice. It counts for the day alone."""
    return replace(guard, said=(), count=max(0, guard.count - 1), kind=0)


def answers_from(guard: Guard) -> datetime:
    """When a flood is over (UTC)."""
    return datetime.fromtimestamp(guard.flood_ends, UTC)


def kindly(guard: Guard, now: datetime) -> Guard | None:
    """The guard after a kind word, or None where she heard one within the hour."""
    at = int(now.timestamp())
    told = guard.kind and at - guard.kind < APART.total_seconds()
    return None if told else replace(guard, kind=at)


def _counted(guard: Guard, at: int) -> Guard:
    """One message more in both windows; a window that is over begins anew."""
    if at - guard.since >= SPAN.total_seconds():
        guard = replace(guard, since=at, count=0)
    if at - guard.day >= DAY.total_seconds():
        guard = replace(guard, day=at, day_count=0)
    return replace(guard, count=guard.count + 1, day_count=guard.day_count + 1)


def _rate(guard: Guard, at: int) -> tuple[Guard, Verdict]:
    if at < guard.flood_ends:
        return guard, "flooding"
    ends = 0
    if guard.count > MOST:
        ends = guard.since + int(SPAN.total_seconds())
    if guard.day_count > MOST_A_DAY:
        ends = guard.day + int(DAY.total_seconds())
    return replace(guard, flood_ends=ends), "flood" if ends else "answer"
