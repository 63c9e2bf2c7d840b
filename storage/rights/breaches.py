"""Who was affected when somebody saw what she should not have: from the audit rows of that time.

What was seen in a list counts as seen whole: the list's rows are not known, so everybody of that
school who could have stood in it is affected.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select

from storage.schema import (
    addresses,
    alerts,
    audit,
    child_caregiver,
    children,
    exports,
    households,
    person_address,
    persons,
    requests,
    schools,
    sessions,
    tasks,
    user_sessions,
    users,
)

ABOUT = (
    "addresses",
    "alerts",
    "children",
    "consents",
    "exports",
    "households",
    "persons",
    "requests",
    "sessions",
    "tasks",
)
"""Kinds of object that are about somebody, as audit rows name them."""


NAMELESS = ("exports", "requests")
"""Lists of these show kinds and days, nothing of anybody."""
PART = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One audit row of the time in question."""

    at: datetime
    actor_kind: str
    actor_id: str | None
    verb: str
    object_kind: str
    object_id: str | None
    school_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child that was affected; no name."""

    id: str
    code: str
    school: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who must be told: affected herself, or caring for a child that was.

    Attributes:
        name: Sealed (persons.name, row = id).
        numbers: (channel, sealed value, address id) of where she can be reached.
        children: Codes of the affected children she cares for.
    """

    id: str
    kind: str
    school: str | None
    language: str
    name: bytes | None
    kinds: frozenset[str]
    numbers: tuple[tuple[str, bytes, str], ...] = ()
    children: tuple[str, ...] = ()


@dataclass(slots=True)
class _Marks:
    """Ids that were seen, each with the kinds of thing that were seen of it."""

    children: dict[str, set[str]] = field(default_factory=dict)
    persons: dict[str, set[str]] = field(default_factory=dict)

    def child(self, child_id: str | None, kind: str) -> None:
        if child_id is not None:
            self.children.setdefault(child_id, set()).add(kind)

    def person(self, person_id: str | None, kind: str) -> None:
        if person_id is not None:
            self.persons.setdefault(person_id, set()).add(kind)


def user_named(conn: Connection, login: str) -> tuple[str, frozenset[str]] | None:
    """(id, schools) of a login; None for one there is not."""
    row = conn.execute(select(users.c.id, users.c.schools).where(users.c.login == login)).first()
    return None if row is None else (row.id, frozenset(row.schools))


def session_of(conn: Connection, begins: str) -> tuple[str, datetime, datetime | None] | None:
    """(user, from, until) of the one session whose digest begins so; None for none or several."""
    found = conn.execute(
        select(user_sessions.c.user_id, user_sessions.c.created_at, user_sessions.c.ended_at)
        .where(user_sessions.c.digest.startswith(begins, autoescape=True))
        .limit(2)
    ).all()
    return None if len(found) != 1 else (found[0][0], found[0][1], found[0][2])


def school_named(conn: Connection, name: str) -> str | None:
    """The id of a school; None for a name there is not."""
    found = conn.execute(select(schools.c.id).where(schools.c.name == name).limit(1))
    return found.scalar_one_or_none()


def seen_between(
    conn: Connection,
    start: datetime,
    end: datetime,
    *,
    user_id: str | None = None,
    school_id: str | None = None,
) -> list[Seen]:
    """Audit rows about somebody in a time, of one user or all, oldest first."""
    asked = select(
        audit.c.at,
        audit.c.actor_kind,
        audit.c.actor_id,
        audit.c.verb,
        audit.c.object_kind,
        audit.c.object_id,
        audit.c.school_id,
    ).where(
        audit.c.at >= start,
        audit.c.at <= end,
        audit.c.object_kind.in_(ABOUT),
        audit.c.actor_kind != "system",
    )
    if user_id is not None:
        own = select(users.c.person_id).where(users.c.id == user_id).scalar_subquery()
        asked = asked.where(or_(audit.c.actor_id == user_id, audit.c.actor_id == own))
    if school_id is not None:
        asked = asked.where(or_(audit.c.school_id == school_id, audit.c.school_id.is_(None)))
    found = conn.execute(asked.order_by(audit.c.at, audit.c.id)).mappings()
    return [Seen(**row) for row in found]


def affected(
    conn: Connection, seen: Sequence[Seen], *, school_id: str | None = None, whole: bool = False
) -> tuple[list[Child], list[Person]]:
    """Children and people whose things were seen.

    Args:
        conn: Open transaction.
        seen: What `seen_between` found.
        school_id: Only of this school.
        whole: Everybody: the database itself was taken.
    """
    marks = _Marks()
    if whole:
        _everybody(conn, marks, None, "everything")
    else:
        _named(conn, marks, seen)
        for row in seen:
            if row.object_id is None and row.object_kind not in NAMELESS:
                _everybody(conn, marks, _schools_of(conn, row), row.object_kind)
    _carers(conn, marks)
    found = _children(conn, marks, school_id)
    return found, _people(conn, marks, found, school_id)


def _schools_of(conn: Connection, row: Seen) -> Collection[str] | None:
    """The schools a list could have shown: the row's, else its reader's, else all."""
    if row.school_id is not None:
        return [row.school_id]
    found = conn.execute(select(users.c.schools).where(users.c.id == row.actor_id)).scalar()
    return found or None


def _everybody(conn: Connection, marks: _Marks, places: Collection[str] | None, kind: str) -> None:
    """Everybody of these schools (None: of all) who could have stood in a list of this kind."""
    of_children = select(children.c.id)
    if kind == "alerts":
        of_children = of_children.where(
            select(alerts.c.id).where(alerts.c.child_id == children.c.id).exists()
        )
    of_persons = select(persons.c.id)
    if kind not in ("everything", "persons", "addresses"):
        of_persons = of_persons.where(persons.c.kind == "caregiver")
    if places is not None:
        of_children = of_children.where(children.c.school_id.in_(sorted(places)))
        of_persons = of_persons.where(persons.c.school_id.in_(sorted(places)))
    for child_id in conn.execute(of_children).scalars():
        marks.child(child_id, kind)
    if kind != "alerts":
        for person_id in conn.execute(of_persons).scalars():
            marks.person(person_id, kind)


def _named(conn: Connection, marks: _Marks, seen: Sequence[Seen]) -> None:
    """Whom the objects that were read belong to."""
    ids: dict[str, set[str]] = {kind: set() for kind in ABOUT}
    for row in seen:
        if row.object_id is not None:
            ids[row.object_kind].add(row.object_id)
    for child_id in ids["children"] | ids["consents"]:
        marks.child(child_id, "children")
    for person_id in ids["persons"]:
        marks.person(person_id, "persons")
    linked = {
        "alerts": (alerts.c.id, alerts.c.child_id, None),
        "tasks": (tasks.c.id, tasks.c.child_id, tasks.c.person_id),
        "requests": (requests.c.id, requests.c.child_id, requests.c.person_id),
        "sessions": (sessions.c.id, sessions.c.child_id, sessions.c.person_id),
        "exports": (exports.c.id, None, exports.c.person_id),
        "addresses": (person_address.c.address_id, None, person_address.c.person_id),
        "households": (children.c.household_id, children.c.id, None),
    }
    for kind, (key, child, person) in linked.items():
        _linked(conn, marks, kind, ids[kind], key=key, child=child, person=person)


def _linked(
    conn: Connection,
    marks: _Marks,
    kind: str,
    ids: Collection[str],
    *,
    key: ColumnElement[str],
    child: ColumnElement[str] | None,
    person: ColumnElement[str] | None,
) -> None:
    if not ids:
        return
    for column, mark in ((child, marks.child), (person, marks.person)):
        if column is not None:
            for part in _parts(ids):
                for found in conn.execute(select(column).where(key.in_(part))).scalars():
                    mark(found, kind)


def _carers(conn: Connection, marks: _Marks) -> None:
    """Whoever cares for an affected child is told, though nothing of her own was seen."""
    for child_id, person_id in _cared(conn, marks.children):
        for kind in marks.children[child_id]:
            marks.person(person_id, kind)


def _cared(conn: Connection, child_ids: Collection[str]) -> Iterator[tuple[str, str]]:
    """(child, person who cares for it now) of these children."""
    for part in _parts(child_ids):
        found = conn.execute(
            select(child_caregiver.c.child_id, child_caregiver.c.person_id).where(
                child_caregiver.c.child_id.in_(part), child_caregiver.c.until_at.is_(None)
            )
        )
        yield from (tuple(row) for row in found)


def _parts(ids: Collection[str]) -> Iterator[list[str]]:
    """Ids in order, so many at a time that every database takes them in one statement."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), PART):
        yield ordered[start : start + PART]


def _children(conn: Connection, marks: _Marks, school_id: str | None) -> list[Child]:
    asked = (
        select(children.c.id, children.c.code, schools.c.name.label("school"))
        .join(schools, schools.c.id == children.c.school_id)
        .join(households, households.c.id == children.c.household_id)
        .where(households.c.erased_at.is_(None))
    )
    if school_id is not None:
        asked = asked.where(children.c.school_id == school_id)
    found = [
        Child(id=r.id, code=r.code, school=r.school, kinds=frozenset(marks.children[r.id]))
        for part in _parts(marks.children)
        for r in conn.execute(asked.where(children.c.id.in_(part)))
    ]
    return sorted(found, key=lambda child: (child.school, child.code))


def _people(
    conn: Connection, marks: _Marks, found: Sequence[Child], school_id: str | None
) -> list[Person]:
    asked = (
        select(
            persons.c.id,
            persons.c.kind,
            schools.c.name.label("school"),
            persons.c.language,
            persons.c.name,
        )
        .outerjoin(schools, schools.c.id == persons.c.school_id)
        .outerjoin(households, households.c.id == persons.c.household_id)
        .where(households.c.erased_at.is_(None))
        .order_by(persons.c.id)
    )
    if school_id is not None:
        asked = asked.where(persons.c.school_id == school_id)
    codes = {child.id: child.code for child in found}
    cared: dict[str, list[str]] = {}
    for child_id, person_id in _cared(conn, codes):
        cared.setdefault(person_id, []).append(codes[child_id])
    numbers = _numbers(conn, marks.persons)
    return [
        Person(
            id=r.id,
            kind=r.kind,
            school=r.school,
            language=r.language,
            name=r.name,
            kinds=frozenset(marks.persons[r.id]),
            numbers=tuple(numbers.get(r.id, ())),
            children=tuple(sorted(cared.get(r.id, ()))),
        )
        for part in _parts(marks.persons)
        for r in conn.execute(asked.where(persons.c.id.in_(part)))
    ]


def _numbers(
    conn: Connection, person_ids: Collection[str]
) -> dict[str, list[tuple[str, bytes, str]]]:
    """Where each of these people can be reached: channel, sealed value, address id."""
    asked = (
        select(person_address.c.person_id, addresses.c.channel, addresses.c.value, addresses.c.id)
        .join(addresses, addresses.c.id == person_address.c.address_id)
        .where(person_address.c.until_at.is_(None))
        .order_by(addresses.c.id)
    )
    out: dict[str, list[tuple[str, bytes, str]]] = {}
    for part in _parts(person_ids):
        for person_id, *number in conn.execute(asked.where(person_address.c.person_id.in_(part))):
            out.setdefault(person_id, []).append((number[0], number[1], number[2]))
    return out
