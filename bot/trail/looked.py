"""Who looked without an assignment: the month's reads, each with whether the case was hers then.

Logins and codes only; nothing here says who a child is. A look is no offence by itself: the list
is for somebody who knows the team to read.

Source: trust-and-dashboard.md §B1 (Victoria 2017: 260 looks at 27 children by a leaver, unseen).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from storage.scope import BREAK_GLASS, Scope
from storage.trail import looked
from storage.trail.looked import Look, Office, Turn, Work

Why = Literal["hers", "open", "office", "others", "break_glass", "no_role"]
WHYS: tuple[Why, ...] = get_args(Why)
"""hers: she had accepted it, or finished the task. open: it waited for anybody of her team. office:
her role answers for every school. others: a colleague had it, or nothing was to be done.
break_glass: she gave a reason. no_role: she was not on that school's team."""
WITHOUT: tuple[Why, ...] = ("others", "break_glass", "no_role")
"""Looks without an assignment."""
DECEMBER = 12


class MonthError(ValueError):
    """That is no month; the message says how to write one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """How often somebody looked in the month, and why."""

    login: str
    role: str
    counts: Mapping[Why, int]

    @property
    def total(self) -> int:
        """All her looks."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """One thing somebody looked at without an assignment, with how often and when last."""

    login: str
    kind: str
    code: str
    school: str
    why: Why
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A month of looks."""

    month: str
    people: tuple[Person, ...]
    without: tuple[Without, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is known of who had what, for the looks of a month."""

    turns: Mapping[str, Sequence[Turn]]
    work: Mapping[str, Sequence[Work]]
    offices: Mapping[tuple[str, str], Sequence[Office]]
    everywhere: Collection[str]


def month_before(now: datetime, zone: ZoneInfo) -> str:
    """The last whole month in that zone, as 2026-11."""
    local = now.astimezone(zone)
    year, month = (local.year, local.month - 1) if local.month > 1 else (local.year - 1, DECEMBER)
    return f"{year:04}-{month:02}"


def span_of(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A month's first moment and the next one's.

    Raises:
        MonthError: It is not written as 2026-11.
    """
    try:
        start = datetime.strptime(f"{month}-01", "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise MonthError(f"{month!r} is no month. Write it like 2026-11.") from None
    year, number = (start.year, start.month + 1) if start.month < DECEMBER else (start.year + 1, 1)
    return start, start.replace(year=year, month=number)


def report(
    conn: Connection, scope: Scope, month: str, *, zone: ZoneInfo, everywhere: Collection[str]
) -> Report:
    """The looks of a month in the scope's schools.

    Args:
        conn: Open transaction.
        scope: Whose schools.
        month: As 2026-11.
        zone: Where a month begins.
        everywhere: The roles that answer for every school.

    Raises:
        MonthError: That is no month.
    """
    found = looked.looks(conn, scope, *span_of(month, zone))
    story = Story(
        turns=looked.turns_of(conn, _ids(found, "alerts")),
        work=looked.work_on(conn, _ids(found, "addresses")),
        offices=looked.offices(conn),
        everywhere=everywhere,
    )
    return summed(month, [(look, why(look, story)) for look in found])


def why(look: Look, story: Story) -> Why:
    """What a look rested on, at its moment."""
    if look.purpose == BREAK_GLASS:
        return "break_glass"
    if look.role in story.everywhere:
        return "office"
    if not _on_team(look, story):
        return "no_role"
    if look.kind == "alerts":
        owner = _owner(story.turns.get(look.object_id or "", ()), look.at)
        return "open" if owner is None else "hers" if owner == look.person_id else "others"
    due = [w for w in story.work.get(look.object_id or "", ()) if _was_open(w, look.at)]
    if any(w.owner is not None and w.owner == look.person_id for w in due):
        return "hers"
    return "open" if due else "others"


def summed(month: str, looks: Sequence[tuple[Look, Why]]) -> Report:
    """The month by person, and by thing for looks without an assignment."""
    counts: dict[tuple[str, str], dict[Why, int]] = {}
    things: dict[tuple[str, str, str, str, Why], list[datetime]] = {}
    for look, reason in looks:
        hers = counts.setdefault((look.login, look.role), dict.fromkeys(WHYS, 0))
        hers[reason] += 1
        if reason in WITHOUT:
            named = look.code or (look.object_id or "")[-6:].upper()
            key = (look.login, look.kind, named, look.school, reason)
            things.setdefault(key, []).append(look.at)
    return Report(
        month=month,
        people=tuple(
            Person(login=login, role=role, counts=of)
            for (login, role), of in sorted(counts.items())
        ),
        without=tuple(
            Without(
                login=login,
                kind=kind,
                code=code,
                school=school,
                why=reason,
                times=len(at),
                last_at=max(at),
            )
            for (login, kind, code, school, reason), at in sorted(things.items())
        ),
    )


def as_document(made: Report, zone: ZoneInfo) -> dict[str, object]:
    """The report as plain values for JSON; times in the programme's zone."""
    return {
        "month": made.month,
        "people": [{"login": p.login, "role": p.role, **p.counts} for p in made.people],
        "without_assignment": [
            {**asdict(w), "last_at": w.last_at.astimezone(zone).isoformat(timespec="minutes")}
            for w in made.without
        ],
    }


def as_lines(made: Report, zone: ZoneInfo) -> list[str]:
    """The report for a reader at a terminal."""
    lines = [
        f"{made.month}: {sum(p.total for p in made.people)} looks by {len(made.people)} people."
    ]
    lines += [
        f"{p.login} ({p.role}): "
        + ", ".join(f"{WORDS[reason]} {count}" for reason, count in p.counts.items() if count)
        for p in made.people
    ]
    lines.append(f"Without an assignment: {len(made.without)} things.")
    lines += [
        f"{w.login}  {w.kind} {w.code}  {w.school}  {WORDS[w.why]}  {w.times} times, last "
        f"{w.last_at.astimezone(zone):%Y-%m-%d %H:%M}"
        for w in made.without
    ]
    return lines


WORDS: Mapping[Why, str] = {
    "hers": "her own",
    "open": "waiting for anybody of her team",
    "office": "by office",
    "others": "somebody else's",
    "break_glass": "glass broken",
    "no_role": "not on that team",
}


def _ids(looks: Sequence[Look], kind: str) -> set[str]:
    return {look.object_id for look in looks if look.kind == kind and look.object_id}


def _on_team(look: Look, story: Story) -> bool:
    if look.school_id in look.schools:
        return True
    held = story.offices.get((look.person_id or "", look.school_id or ""), ())
    return any(
        office.from_at <= look.at and (office.until_at is None or look.at < office.until_at)
        for office in held
    )


def _owner(turns: Sequence[Turn], at: datetime) -> str | None:
    before = [turn for turn in turns if turn.at <= at]
    return before[-1].owner if before else None


def _was_open(work: Work, at: datetime) -> bool:
    return work.opened_at <= at and (work.closed_at is None or at <= work.closed_at)
