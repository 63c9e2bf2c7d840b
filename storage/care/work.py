"""Work items for staff as their page shows them: what, which learner, by when, whom to call."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from storage.rights.alive import alive
from storage.rights.requests import OFFICER_TASKS
from storage.schema import addresses, children, classes, persons, tasks
from storage.scope import Scope

_PLACE = func.coalesce(tasks.c.school_id, children.c.school_id, persons.c.school_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """An open task; `value` is the sealed address to call, sealed with its row `address_id`."""

    id: str
    kind: str
    grade: str | None
    class_name: str | None
    list_number: int | None
    opened_at: datetime
    due_at: datetime
    school_id: str | None
    address_id: str | None
    channel: str | None
    value: bytes | None


_TASKS = (
    select(
        tasks.c.id,
        tasks.c.kind,
        classes.c.grade,
        classes.c.name.label("class_name"),
        children.c.list_number,
        tasks.c.opened_at,
        tasks.c.due_at,
        _PLACE.label("school_id"),
        tasks.c.address_id,
        addresses.c.channel,
        addresses.c.value,
    )
    .outerjoin(children, children.c.id == tasks.c.child_id)
    .outerjoin(classes, classes.c.id == children.c.class_id)
    .outerjoin(persons, persons.c.id == tasks.c.person_id)
    .outerjoin(addresses, addresses.c.id == tasks.c.address_id)
    .where(tasks.c.state == "open", tasks.c.kind.not_in(OFFICER_TASKS))
    .order_by(tasks.c.due_at, tasks.c.id)
)


def tasks_in(
    conn: Connection, scope: Scope, *, limit: int, without: Collection[str] = ()
) -> list[TaskRow]:
    """Open tasks of the scope's schools, the most urgent first; `without` some kinds."""
    found = conn.execute(_TASKS.where(_within(scope, without)).limit(limit))
    return [TaskRow(**{f.name: getattr(row, f.name) for f in fields(TaskRow)}) for row in found]


def task(
    conn: Connection, scope: Scope, task_id: str, *, without: Collection[str] = ()
) -> TaskRow | None:
    """One open task, or None where there is none in the scope's schools, or of such a kind."""
    asked = _TASKS.where(_within(scope, without), tasks.c.id == task_id)
    found = conn.execute(asked).one_or_none()
    if found is None:
        return None
    return TaskRow(**{f.name: getattr(found, f.name) for f in fields(TaskRow)})


def count_tasks(conn: Connection, scope: Scope, *, without: Collection[str] = ()) -> int:
    """How many open tasks the scope's schools have, some kinds left out."""
    asked = _TASKS.where(_within(scope, without)).order_by(None).subquery()
    return int(conn.execute(select(func.count()).select_from(asked)).scalar_one())


def finish(conn: Connection, *, task_id: str, person_id: str | None, now: datetime) -> bool:
    """Close a task; False if it was closed before."""
    done = conn.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state == "open")
        .values(state="done", closed_at=now, owner_id=person_id)
    )
    return done.rowcount == 1


def _within(scope: Scope, without: Collection[str]) -> ColumnElement[bool]:
    kinds = tasks.c.kind.not_in(sorted(without))
    return (
        kinds
        & scope.within(_PLACE)
        & alive(scope, child=tasks.c.child_id, person=tasks.c.person_id)
    )
