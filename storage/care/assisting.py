"""What a helper opens from a task: whom it is about, and the questionnaires she is in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from storage.rights.alive import alive
from storage.schema import addresses, children, classes, persons, sessions, tasks
from storage.scope import Scope
from storage.talk.conversations import SessionRow, columns

KINDS = ("call_me", "not_understood")
"""Tasks on which somebody calls a person who may want to be helped with her questions."""
_PLACE = func.coalesce(tasks.c.school_id, children.c.school_id, persons.c.school_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Helped:
    """Somebody on the list of people to call; `person_id` is None where nobody knows her."""

    task_id: str
    kind: str
    person_id: str | None
    school_id: str | None
    address_id: str | None
    channel: str | None
    language: str | None
    grade: str | None
    class_name: str | None
    list_number: int | None
    due_at: datetime


_HELPED = (
    select(
        tasks.c.id.label("task_id"),
        tasks.c.kind,
        tasks.c.person_id,
        _PLACE.label("school_id"),
        tasks.c.address_id,
        addresses.c.channel,
        persons.c.language,
        classes.c.grade,
        classes.c.name.label("class_name"),
        children.c.list_number,
        tasks.c.due_at,
    )
    .outerjoin(persons, persons.c.id == tasks.c.person_id)
    .outerjoin(children, children.c.id == tasks.c.child_id)
    .outerjoin(classes, classes.c.id == children.c.class_id)
    .outerjoin(addresses, addresses.c.id == tasks.c.address_id)
    .where(tasks.c.state == "open", tasks.c.kind.in_(KINDS))
    .order_by(tasks.c.due_at, tasks.c.id)
)


def to_call(conn: Connection, scope: Scope, *, limit: int) -> list[Helped]:
    """The list of people to call in the scope's schools, the most urgent first."""
    found = conn.execute(_within(_HELPED, scope).limit(limit))
    return [Helped(**row._asdict()) for row in found]


def helped(conn: Connection, scope: Scope, task_id: str) -> Helped | None:
    """Whom an open task is about; None where there is no such task in the scope's schools."""
    asked = _within(_HELPED, scope).where(tasks.c.id == task_id)
    found = conn.execute(asked).one_or_none()
    return None if found is None else Helped(**found._asdict())


def begun_by(conn: Connection, scope: Scope, person_id: str) -> list[SessionRow]:
    """Her unfinished questionnaires about the scope's schools, the newest first."""
    place = func.coalesce(children.c.school_id, classes.c.school_id, persons.c.school_id)
    found = conn.execute(
        select(*columns(sessions, SessionRow))
        .join(persons, persons.c.id == sessions.c.person_id)
        .outerjoin(children, children.c.id == sessions.c.child_id)
        .outerjoin(classes, classes.c.id == sessions.c.class_id)
        .where(
            sessions.c.person_id == person_id,
            or_(sessions.c.status == "open", sessions.c.status == "lapsed"),
            scope.within(place),
            alive(scope, child=sessions.c.child_id, person=sessions.c.person_id),
        )
        .order_by(sessions.c.id.desc())
    )
    return [SessionRow(*row) for row in found]


def _within(asked: Select[Any], scope: Scope) -> Select[Any]:
    return asked.where(
        scope.within(_PLACE), alive(scope, child=tasks.c.child_id, person=tasks.c.person_id)
    )
