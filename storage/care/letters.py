"""The inbox that staff read: messages no question waited for, of one address, still sealed."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from storage.rights.alive import alive
from storage.schema import addresses, children, classes, inbox, persons, tasks
from storage.scope import Scope
from storage.talk.for_staff import TASK

MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message for staff: sealed for (inbox, body, `id`)."""

    id: str
    received_at: datetime
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """What one open task stands for: the messages of an address since then, the oldest first."""

    task_id: str
    school_id: str | None
    grade: str | None
    class_name: str | None
    list_number: int | None
    channel: str
    address_id: str
    opened_at: datetime
    due_at: datetime
    letters: tuple[Kept, ...]


_PLACE = func.coalesce(tasks.c.school_id, children.c.school_id, persons.c.school_id)
_PILES = (
    select(
        tasks.c.id,
        _PLACE.label("school_id"),
        classes.c.grade,
        classes.c.name.label("class_name"),
        children.c.list_number,
        addresses.c.channel,
        tasks.c.address_id,
        tasks.c.opened_at,
        tasks.c.due_at,
    )
    .join(addresses, addresses.c.id == tasks.c.address_id)
    .outerjoin(children, children.c.id == tasks.c.child_id)
    .outerjoin(classes, classes.c.id == children.c.class_id)
    .outerjoin(persons, persons.c.id == tasks.c.person_id)
    .where(tasks.c.kind == TASK, tasks.c.state == "open")
    .order_by(tasks.c.due_at, tasks.c.id)
)


def piles_in(conn: Connection, scope: Scope, *, limit: int) -> list[Pile]:
    """What waits in the inbox of the scope's schools, the most urgent first."""
    rows = conn.execute(_PILES.where(_seen(scope)).limit(limit)).all()
    return [_pile(conn, row) for row in rows]


def pile(conn: Connection, scope: Scope, task_id: str) -> Pile | None:
    """The messages of an open task, or None where there is none in the scope's schools."""
    row = conn.execute(_PILES.where(_seen(scope), tasks.c.id == task_id)).one_or_none()
    return None if row is None else _pile(conn, row)


def _seen(scope: Scope) -> ColumnElement[bool]:
    return scope.within(_PLACE) & alive(scope, child=tasks.c.child_id, person=tasks.c.person_id)


def _pile(conn: Connection, task: Any) -> Pile:
    found = conn.execute(
        select(inbox.c.id, inbox.c.received_at, inbox.c.body)
        .where(
            inbox.c.address_id == task.address_id,
            inbox.c.for_staff,
            inbox.c.done_at >= task.opened_at,
        )
        .order_by(inbox.c.received_at.desc(), inbox.c.id.desc())
        .limit(MOST)
    ).all()
    letters = tuple(
        Kept(id=row.id, received_at=row.received_at, body=row.body) for row in reversed(found)
    )
    known = {f.name: getattr(task, f.name) for f in fields(Pile) if f.name in task._fields}
    return Pile(task_id=task.id, letters=letters, **known)
