"""Requests of people about their data: who asked for what, by when, how it was decided.

One request a person and kind is open at a time; asking again changes nothing. Reading takes a
`Scope`. A request of somebody who belongs to no school (a stranger who wrote in) is seen by every
data officer, for else nobody would answer it: nothing is known of her but that she asked.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from storage.schema import (
    addresses,
    child_caregiver,
    children,
    persons,
    requests,
    schools,
    tasks,
)
from storage.scope import Scope

State = Literal["open", "held", "second", "granted", "part", "refused"]
WAITING: tuple[State, ...] = ("open", "held", "second")
"""States of a request that somebody still has to answer; `second` waits for another person."""
TASK = "rights_request"
INFORM = "rights_inform"
OFFICER_TASKS = (TASK, INFORM)
"""Kinds of task that are the data officer's alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request as its page shows it; `decision` and `note` are sealed with its row.

    Attributes:
        way: How it came: chat, staff (entered by somebody).
        child_code: Code of the child it is about, if one.
        language: What she reads.
        person_kind: caregiver, teacher, staff; None for a stranger.
        channel: Where she asked from, if by chat.
        value: Her sealed address (addresses.value, row = address_id).
        name: Her sealed name (persons.name, row = person_id).
    """

    id: str
    kind: str
    household_id: str | None
    person_id: str | None
    child_id: str | None
    child_code: str | None
    school_id: str | None
    school: str | None
    address_id: str | None
    channel: str | None
    value: bytes | None
    language: str
    person_kind: str | None
    name: bytes | None
    way: str
    received_at: datetime
    due_at: datetime
    state: str
    identity_how: str | None
    identity_by: str | None
    identity_at: datetime | None
    decided_by: str | None
    second_by: str | None
    decided_at: datetime | None
    ground: str | None
    decision: bytes | None
    note: bytes | None

    @property
    def waiting(self) -> bool:
        """Whether somebody still has to answer it."""
        return self.state in WAITING

    def late(self, now: datetime) -> bool:
        """Whether its day has passed without an answer."""
        return self.waiting and self.due_at < now


_NAMED = {
    "child_code": children.c.code,
    "school": schools.c.name,
    "channel": addresses.c.channel,
    "value": addresses.c.value,
    "language": func.coalesce(persons.c.language, addresses.c.language, "en"),
    "person_kind": persons.c.kind,
    "name": persons.c.name,
}
_REQUESTS = (
    select(
        *(
            (_NAMED[f.name] if f.name in _NAMED else requests.c[f.name]).label(f.name)
            for f in fields(RequestRow)
        )
    )
    .select_from(requests)
    .outerjoin(children, children.c.id == requests.c.child_id)
    .outerjoin(schools, schools.c.id == requests.c.school_id)
    .outerjoin(persons, persons.c.id == requests.c.person_id)
    .outerjoin(addresses, addresses.c.id == requests.c.address_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Whom a request is from and about, as far as we know her."""

    person_id: str | None
    address_id: str | None
    household_id: str | None
    school_id: str | None
    child_id: str | None = None


def asker_of(conn: Connection, scope: Scope, person_id: str) -> Asker | None:
    """A person as somebody who asks; None outside the scope."""
    row = conn.execute(
        select(persons.c.household_id, persons.c.school_id).where(
            persons.c.id == person_id, scope.within(persons.c.school_id)
        )
    ).one_or_none()
    if row is None:
        return None
    return Asker(
        person_id=person_id,
        address_id=None,
        household_id=row.household_id,
        school_id=row.school_id,
    )


def carers_of(conn: Connection, scope: Scope, code: str) -> list[str]:
    """Ids of the people who care for the child with this code now; none outside the scope."""
    found = conn.execute(
        select(child_caregiver.c.person_id)
        .join(children, children.c.id == child_caregiver.c.child_id)
        .where(
            children.c.code == code,
            child_caregiver.c.until_at.is_(None),
            scope.within(children.c.school_id),
        )
        .order_by(child_caregiver.c.from_at)
    )
    return list(found.scalars())


def requests_in(
    conn: Connection, scope: Scope, *, waiting: bool, limit: int, skip: int = 0
) -> list[RequestRow]:
    """Requests in scope: what waits for an answer by its day, or what was decided, newest first."""
    order = (requests.c.due_at, requests.c.id) if waiting else (requests.c.decided_at.desc(),)
    asked = _in(_REQUESTS, scope, waiting).order_by(*order).limit(limit).offset(skip)
    return [_row(row) for row in conn.execute(asked)]


def count(conn: Connection, scope: Scope, *, waiting: bool) -> int:
    """How many `requests_in` has without a limit."""
    asked = _in(select(func.count()).select_from(requests), scope, waiting)
    return int(conn.execute(asked).scalar_one())


def count_late(conn: Connection, scope: Scope, *, now: datetime) -> int:
    """How many wait although their day has passed."""
    asked = _in(select(func.count()).select_from(requests), scope, waiting=True)
    return int(conn.execute(asked.where(requests.c.due_at < now)).scalar_one())


def request(conn: Connection, scope: Scope, request_id: str) -> RequestRow | None:
    """One request; None where there is none in scope."""
    row = conn.execute(_REQUESTS.where(requests.c.id == request_id, _within(scope))).one_or_none()
    return None if row is None else _row(row)


def inform_tasks(
    conn: Connection, scope: Scope, request_ids: Collection[str]
) -> dict[str, datetime]:
    """Requests whose people must still be told, with the day."""
    found = conn.execute(
        select(tasks.c.ref, func.min(tasks.c.due_at))
        .where(
            tasks.c.kind == INFORM,
            tasks.c.state == "open",
            tasks.c.ref.in_(sorted(set(request_ids))),
            or_(scope.within(tasks.c.school_id), tasks.c.school_id.is_(None)),
        )
        .group_by(tasks.c.ref)
    )
    return {str(ref): due_at for ref, due_at in found}


def _in(statement: Select[Any], scope: Scope, waiting: bool) -> Select[Any]:
    state = requests.c.state.in_(WAITING)
    return statement.where(_within(scope), state if waiting else ~state)


def _within(scope: Scope) -> ColumnElement[bool]:
    nobodys = requests.c.school_id.is_(None) & requests.c.person_id.is_(None)
    return or_(scope.within(requests.c.school_id), nobodys)


def _row(row: Any) -> RequestRow:
    return RequestRow(**{f.name: getattr(row, f.name) for f in fields(RequestRow)})
