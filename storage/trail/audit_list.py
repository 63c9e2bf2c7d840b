"""Reading the audit: who did or saw what, by codes. Rows of no school are logins and the like."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from storage.schema import audit, users
from storage.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An audit row as it is shown: ids and codes, no name, no login.

    Attributes:
        seq: Its place in the chain; None until the next tick.
        role: The role of the user it names, if it names one that is there.
    """

    seq: int | None
    at: datetime
    actor_kind: str
    actor_id: str | None
    role: str | None
    verb: str
    object_kind: str
    object_id: str | None
    school_id: str | None
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows. Empty and None mean any.

    Attributes:
        since: From this moment on.
        until: Before this moment.
        actor: An actor's id, or the end of one.
        verb: The verb.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    verb: str = ""


def entries(
    conn: Connection, scope: Scope, wanted: Wanted, *, limit: int, skip: int = 0
) -> list[Entry]:
    """One page of the rows in scope, newest first."""
    found = conn.execute(_rows(scope, wanted).limit(limit).offset(skip))
    return [_entry(row) for row in found]


def all_entries(conn: Connection, scope: Scope, wanted: Wanted) -> Iterator[Entry]:
    """Every row in scope, newest first, a thousand at a time."""
    streamed = conn.execution_options(yield_per=1000)
    return (_entry(row) for row in streamed.execute(_rows(scope, wanted)))


def count_entries(conn: Connection, scope: Scope, wanted: Wanted) -> int:
    """How many rows in scope are wanted."""
    counted = select(func.count()).select_from(audit).where(_condition(scope, wanted))
    return int(conn.execute(counted).scalar_one())


def verbs(conn: Connection, scope: Scope, wanted: Wanted) -> list[str]:
    """The verbs of the rows of a time, in order: what a filter can offer."""
    time = Wanted(since=wanted.since, until=wanted.until)
    found = conn.execute(select(audit.c.verb).distinct().where(_condition(scope, time)))
    return sorted(found.scalars())


def _rows(scope: Scope, wanted: Wanted) -> Select[Any]:
    shown = [audit.c[field.name] for field in fields(Entry) if field.name != "role"]
    is_user = and_(audit.c.actor_kind == "user", users.c.id == audit.c.actor_id)
    return (
        select(*shown, users.c.role)
        .select_from(audit.outerjoin(users, is_user))
        .where(_condition(scope, wanted))
        .order_by(audit.c.at.desc(), audit.c.id.desc())
    )


def _condition(scope: Scope, wanted: Wanted) -> ColumnElement[bool]:
    limits = [or_(audit.c.school_id.is_(None), scope.within(audit.c.school_id))]
    if wanted.since is not None:
        limits.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        limits.append(audit.c.at < wanted.until)
    if wanted.actor:
        limits.append(audit.c.actor_id.endswith(wanted.actor, autoescape=True))
    if wanted.verb:
        limits.append(audit.c.verb == wanted.verb)
    return and_(*limits)


def _entry(row: Any) -> Entry:
    return Entry(**{field.name: getattr(row, field.name) for field in fields(Entry)})
