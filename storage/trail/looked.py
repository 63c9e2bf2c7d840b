"""Who looked at whom, and who had it then: the audit's reads beside the cases' own story."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage.schema import alert_events, alerts, audit, person_roles, schools, tasks, users
from storage.scope import Scope

_OWNING = ("accepted", "passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One read of something about a child or a person, by somebody who was signed in.

    Attributes:
        kind: What was read, e.g. "alerts", "addresses".
        object_id: Its row.
        code: The alert's code; empty for other things.
        schools: Ids of the schools of the reader's account, as it stands today.
        purpose: The scope's code then.
    """

    at: datetime
    login: str
    role: str
    person_id: str | None
    schools: frozenset[str]
    kind: str
    object_id: str | None
    code: str
    school_id: str | None
    school: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From `at` on the alert was this person's; nobody's for None."""

    at: datetime
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A task about an address: while it was open it was the team's, `owner` finished it."""

    opened_at: datetime
    closed_at: datetime | None
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A time that somebody stood on a school's team."""

    from_at: datetime
    until_at: datetime | None


def looks(conn: Connection, scope: Scope, start: datetime, end: datetime) -> list[Look]:
    """Every audited read from `start` to before `end` in the scope's schools, oldest first."""
    found = conn.execute(
        select(
            audit.c.at,
            audit.c.object_kind,
            audit.c.object_id,
            audit.c.school_id,
            audit.c.purpose,
            users.c.login,
            users.c.role,
            users.c.person_id,
            users.c.schools,
            alerts.c.code,
            schools.c.name,
        )
        .join(users, users.c.id == audit.c.actor_id)
        .outerjoin(alerts, alerts.c.id == audit.c.object_id)
        .outerjoin(schools, schools.c.id == audit.c.school_id)
        .where(
            audit.c.actor_kind == "user",
            audit.c.verb == "read",
            audit.c.at >= start,
            audit.c.at < end,
            scope.within(audit.c.school_id),
        )
        .order_by(audit.c.at, audit.c.id)
    )
    return [
        Look(
            at=row.at,
            login=row.login,
            role=row.role,
            person_id=row.person_id,
            schools=frozenset(row.schools),
            kind=row.object_kind,
            object_id=row.object_id,
            code=row.code or "",
            school_id=row.school_id,
            school=row.name or "",
            purpose=row.purpose,
        )
        for row in found
    ]


def schools_looked_at(conn: Connection, start: datetime, end: datetime) -> list[str]:
    """Ids of the schools of which anybody read anything in that time."""
    found = conn.execute(
        select(audit.c.school_id)
        .distinct()
        .where(
            audit.c.actor_kind == "user",
            audit.c.verb == "read",
            audit.c.at >= start,
            audit.c.at < end,
            audit.c.school_id.is_not(None),
        )
        .order_by(audit.c.school_id)
    )
    return [school_id for school_id in found.scalars() if school_id]


def turns_of(conn: Connection, alert_ids: Collection[str]) -> dict[str, list[Turn]]:
    """Who had each alert from when on, oldest first."""
    out: dict[str, list[Turn]] = {}
    for some in _in_parts(alert_ids):
        found = conn.execute(
            select(alert_events)
            .where(alert_events.c.alert_id.in_(some), alert_events.c.kind.in_(_OWNING))
            .order_by(alert_events.c.at, alert_events.c.id)
        )
        for row in found:
            turns = out.setdefault(row.alert_id, [])
            owner = turns[-1].owner if turns else None
            if row.kind == "accepted":
                turns.append(Turn(at=row.at, owner=row.actor_id))
            elif row.actor_id == owner:  # to pass on what one does not have changes nothing
                turns.append(Turn(at=row.at, owner=None))
    return out


def work_on(conn: Connection, address_ids: Collection[str]) -> dict[str, list[Work]]:
    """The tasks about each address."""
    out: dict[str, list[Work]] = {}
    for some in _in_parts(address_ids):
        found = conn.execute(
            select(tasks).where(tasks.c.address_id.in_(some)).order_by(tasks.c.opened_at)
        )
        for row in found:
            work = Work(opened_at=row.opened_at, closed_at=row.closed_at, owner=row.owner_id)
            out.setdefault(row.address_id, []).append(work)
    return out


def offices(conn: Connection) -> dict[tuple[str, str], list[Office]]:
    """When each (person, school) was on the team."""
    out: dict[tuple[str, str], list[Office]] = {}
    for row in conn.execute(select(person_roles)):
        office = Office(from_at=row.from_at, until_at=row.until_at)
        out.setdefault((row.person_id, row.school_id), []).append(office)
    return out


def _in_parts(ids: Collection[str], size: int = 500) -> list[list[str]]:
    """A month may name more rows than one statement takes parameters."""
    named = sorted(set(ids))
    return [named[n : n + size] for n in range(0, len(named), size)]
