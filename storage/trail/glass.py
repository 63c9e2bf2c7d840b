"""Breaking the glass: a school of others opened for a while with a reason, and its review.

What was done under it stands in the audit with the purpose `break_glass`. Ids are made by callers,
times are arguments.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Select, insert, select, update

from storage.schema import alerts, audit, break_glass, schools, users
from storage.scope import BREAK_GLASS, Scope

Finding = Literal["in_order", "follow_up"]
FINDINGS: tuple[Finding, ...] = get_args(Finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One time that somebody opened another school.

    Attributes:
        code: Public and random; what the supervisor is told.
        login: Who opened it.
        asker_schools: Ids of the schools of her account.
        reason: Hers, sealed (break_glass.reason, row = id).
        ends_at: When it ends, or ended.
    """

    id: str
    code: str
    user_id: str
    login: str
    asker_schools: frozenset[str]
    school_id: str
    school: str
    reason: bytes
    opened_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was done under an opening; `code` is the alert's, empty for other things."""

    at: datetime
    verb: str
    kind: str
    code: str


_OPENINGS = (
    select(
        break_glass,
        users.c.login,
        users.c.schools.label("asker_schools"),
        schools.c.name.label("school"),
    )
    .join(users, users.c.id == break_glass.c.user_id)
    .join(schools, schools.c.id == break_glass.c.school_id)
    .order_by(break_glass.c.opened_at, break_glass.c.id)
)


def running(conn: Connection, user_id: str, now: datetime) -> tuple[Opening, ...]:
    """What she has open now."""
    asked = _OPENINGS.where(break_glass.c.user_id == user_id, break_glass.c.ends_at > now)
    return tuple(_found(conn, asked))


def open_school(
    conn: Connection,
    *,
    id: str,  # noqa: A002 - the column's name
    code: str,
    user_id: str,
    school_id: str,
    reason: bytes,
    now: datetime,
    ends_at: datetime,
) -> Opening | None:
    """Open one school for one user; None where she has one open already.

    Args:
        conn: Open write transaction.
        id: The row's id.
        code: What the supervisor is told.
        user_id: Who opens it.
        school_id: The school; it must exist.
        reason: Hers, sealed for (break_glass, reason, id).
        now: When (aware, UTC).
        ends_at: Until when.
    """
    # Her row is the lock: two browsers at once must not open two schools.
    conn.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
    if running(conn, user_id, now):
        return None
    conn.execute(
        insert(break_glass).values(
            id=id,
            code=code,
            user_id=user_id,
            school_id=school_id,
            reason=reason,
            opened_at=now,
            ends_at=ends_at,
        )
    )
    (made,) = _found(conn, _OPENINGS.where(break_glass.c.id == id))
    return made


def end_now(conn: Connection, opening: Opening, now: datetime) -> bool:
    """End it before its time; False if it had ended."""
    done = conn.execute(
        update(break_glass)
        .where(break_glass.c.id == opening.id, break_glass.c.ends_at > now)
        .values(ends_at=now)
    )
    return done.rowcount == 1


def unreviewed(conn: Connection, scope: Scope) -> list[Opening]:
    """Openings that the reader has to review, the oldest first.

    They are those of her schools, and those that a colleague of her schools made; never her own.
    """
    asked = _OPENINGS.where(
        break_glass.c.reviewed_at.is_(None), break_glass.c.user_id != scope.actor_id
    )
    return [opening for opening in _found(conn, asked) if _concerns(scope, opening)]


def review(
    conn: Connection, opening: Opening, *, user_id: str, finding: Finding, now: datetime
) -> bool:
    """Note that somebody else looked at what was done; False if it is hers, runs, or was reviewed.

    Raises:
        ValueError: The finding is none of `FINDINGS`.
    """
    if finding not in FINDINGS:
        raise ValueError(f"a review finds one of {FINDINGS}")
    done = conn.execute(
        update(break_glass)
        .where(
            break_glass.c.id == opening.id,
            break_glass.c.user_id != user_id,
            break_glass.c.ends_at <= now,
            break_glass.c.reviewed_at.is_(None),
        )
        .values(reviewed_at=now, reviewed_by=user_id, finding=finding)
    )
    return done.rowcount == 1


def done_under(conn: Connection, openings: Collection[Opening]) -> dict[str, list[Seen]]:
    """What was done under each of these openings, oldest first, by opening id.

    Steps on an alert stand in the audit under her person, reads under her user.
    """
    out: dict[str, list[Seen]] = {}
    for opening in openings:
        person = select(users.c.person_id).where(users.c.id == opening.user_id).scalar_subquery()
        found = conn.execute(
            select(audit.c.at, audit.c.verb, audit.c.object_kind, alerts.c.code)
            .outerjoin(alerts, alerts.c.id == audit.c.object_id)
            .where(
                audit.c.purpose == BREAK_GLASS,
                audit.c.school_id == opening.school_id,
                (audit.c.actor_id == opening.user_id) | (audit.c.actor_id == person),
                audit.c.at >= opening.opened_at,
                audit.c.at <= opening.ends_at,
                audit.c.object_kind != "break_glass",
            )
            .order_by(audit.c.at, audit.c.id)
        )
        out[opening.id] = [
            Seen(at=row.at, verb=row.verb, kind=row.object_kind, code=row.code or "")
            for row in found
        ]
    return out


def other_schools(conn: Connection, mine: Collection[str]) -> list[tuple[str, str]]:
    """(id, name) of every school of a programme of hers that is not hers, by name."""
    programmes = select(schools.c.programme_id).where(schools.c.id.in_(sorted(mine)))
    found = conn.execute(
        select(schools.c.id, schools.c.name)
        .where(schools.c.programme_id.in_(programmes), schools.c.id.not_in(sorted(mine)))
        .order_by(schools.c.name, schools.c.id)
    )
    return [(row.id, row.name) for row in found]


def _concerns(scope: Scope, opening: Opening) -> bool:
    return scope.sees(opening.school_id) or any(map(scope.sees, opening.asker_schools))


def _found(conn: Connection, asked: Select[Any]) -> list[Opening]:
    return [
        Opening(
            id=row.id,
            code=row.code,
            user_id=row.user_id,
            login=row.login,
            asker_schools=frozenset(row.asker_schools),
            school_id=row.school_id,
            school=row.school,
            reason=row.reason,
            opened_at=row.opened_at,
            ends_at=row.ends_at,
        )
        for row in conn.execute(asked)
    ]
