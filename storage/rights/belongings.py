"""What belongs to a household or an address: the ids that erasing works through."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from storage.rights.erasing_rules import Mark
from storage.schema import (
    addresses,
    alerts,
    assignments,
    children,
    classes,
    consents,
    inbox,
    outbox,
    person_address,
    person_roles,
    persons,
    sessions,
    tasks,
    users,
)

Ids = frozenset[str]
NONE: Ids = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Ids by what they are.

    Attributes:
        marks: What goes, or stays without content.
        staff: People of the household who are teachers or staff: they stay, outside of it.
        shared: Addresses that also belong to somebody who stays.
        hollow: Addresses that were somebody else's before, who has sessions there; by address.
        moved: Sessions that name the household, about a child who has left it since.
        about: Sessions of others that are about one of its children: (address, from, until).
        rejudge: (child, wave) of children who stay and of whom somebody erased told something.
        copies: Providers' ids of what was sent: (channel, provider's id).
        keys: Keys of what was said at these addresses before they were somebody's.
    """

    marks: dict[Mark, Ids]
    staff: Ids = NONE
    shared: Ids = NONE
    hollow: Mapping[str, str] = field(default_factory=dict)
    moved: Ids = NONE
    about: tuple[tuple[str, Any, Any], ...] = ()
    rejudge: frozenset[tuple[str, str]] = frozenset()
    copies: tuple[tuple[str, str], ...] = ()
    keys: Ids = NONE


def household_belongings(conn: Connection, household_id: str) -> Belongings:
    """Everything of a household, its rows locked in the order of every turn."""
    people = _ids(conn, select(persons.c.id).where(persons.c.household_id == household_id))
    staff = _staff(conn, people)
    person = people - staff
    linked = _ids(
        conn,
        select(person_address.c.address_id).where(person_address.c.person_id.in_(person)),
        select(addresses.c.id).where(addresses.c.person_id.in_(person)),
    )
    _lock(conn, addresses.c.id, linked)
    _lock(conn, persons.c.id, people)
    child = _ids(
        conn,
        select(children.c.id)
        .where(children.c.household_id == household_id)
        .order_by(children.c.id)
        .with_for_update(),
    )
    shared = _shared(conn, linked, person)
    hollow = _hollow(conn, linked - shared, person)
    address = linked - shared - hollow.keys()
    assignment = _ids(
        conn,
        select(assignments.c.id).where(
            or_(assignments.c.person_id.in_(person), assignments.c.child_id.in_(child))
        ),
    )
    theirs = or_(
        sessions.c.child_id.in_(child),
        sessions.c.person_id.in_(person),
        sessions.c.address_id.in_(address),
        sessions.c.assignment_id.in_(assignment),
        and_(sessions.c.household_id == household_id, sessions.c.child_id.is_(None)),
    )
    told = conn.execute(select(sessions).where(theirs)).all()
    session = frozenset(row.id for row in told)
    alert = _ids(conn, select(alerts.c.id).where(alerts.c.child_id.in_(child)))
    proof = _ids(conn, select(consents.c.person_id).where(consents.c.person_id.in_(person)))
    marks: dict[Mark, Ids] = {
        "household": frozenset({household_id}),
        "child": child,
        "person": person,
        "proof": proof,
        "gone": person - proof,
        "address": address,
        "session": session,
        "assignment": assignment,
        "alert": alert,
    }
    return Belongings(
        marks=marks | _letters(conn, marks, shared, frozenset(hollow)),
        staff=staff,
        shared=shared,
        hollow=hollow,
        moved=_ids(
            conn,
            select(sessions.c.id).where(
                sessions.c.household_id == household_id, sessions.c.id.not_in(session)
            ),
        ),
        about=tuple(
            (row.address_id, row.started_at, row.changed_at)
            for row in told
            if row.address_id not in address
        ),
        rejudge=frozenset(
            (row.child_id, row.wave_id)
            for row in told
            if row.child_id and row.wave_id and row.child_id not in child
        ),
        copies=_copies(conn, address | frozenset(hollow), person),
        keys=_keys(conn, address, person),
    )


def address_belongings(conn: Connection, address_id: str) -> Belongings:
    """Everything of an address that answers for nobody."""
    address = frozenset({address_id})
    _lock(conn, addresses.c.id, address)
    session = _ids(conn, select(sessions.c.id).where(sessions.c.address_id.in_(address)))
    marks: dict[Mark, Ids] = {"address": address, "session": session}
    return Belongings(
        marks=marks | _letters(conn, marks, NONE, NONE),
        copies=_copies(conn, address, NONE),
        keys=_keys(conn, address, NONE),
    )


def _keys(conn: Connection, address: Ids, person: Ids) -> Ids:
    """Keys that seal only what goes: at addresses that go, and before others became these people's.

    Of an address that goes whoever had it before loses her letters there too.
    """
    return _ids(
        conn,
        select(addresses.c.key_id).where(addresses.c.id.in_(address)),
        select(person_address.c.key_id).where(
            or_(person_address.c.person_id.in_(person), person_address.c.address_id.in_(address))
        ),
    )


def _staff(conn: Connection, people: Ids) -> Ids:
    """Who of these works here: a teacher or coordinator may be a parent as well."""
    return _ids(
        conn,
        select(persons.c.id).where(persons.c.id.in_(people), persons.c.kind != "caregiver"),
        select(person_roles.c.person_id).where(person_roles.c.person_id.in_(people)),
        select(classes.c.teacher_id).where(classes.c.teacher_id.in_(people)),
        select(users.c.person_id).where(users.c.person_id.in_(people)),
        select(alerts.c.owner_id).where(alerts.c.owner_id.in_(people)),
        select(tasks.c.owner_id).where(tasks.c.owner_id.in_(people)),
    )


def _shared(conn: Connection, linked: Ids, person: Ids) -> Ids:
    """Which of these addresses belong to somebody else as well."""
    return _ids(
        conn,
        select(person_address.c.address_id).where(
            person_address.c.address_id.in_(linked),
            person_address.c.person_id.not_in(person),
            person_address.c.until_at.is_(None),
        ),
        select(addresses.c.id).where(
            addresses.c.id.in_(linked),
            addresses.c.person_id.is_not(None),
            addresses.c.person_id.not_in(person),
        ),
    )


def _hollow(conn: Connection, linked: Ids, person: Ids) -> dict[str, str]:
    """Of these addresses those at which somebody else has sessions, with the last of them."""
    found = conn.execute(
        select(sessions.c.address_id, sessions.c.person_id)
        .where(
            sessions.c.address_id.in_(linked),
            sessions.c.person_id.is_not(None),
            sessions.c.person_id.not_in(person),
        )
        .order_by(sessions.c.id)
    )
    return {row.address_id: row.person_id for row in found}


def _letters(conn: Connection, marks: dict[Mark, Ids], shared: Ids, hollow: Ids) -> dict[Mark, Ids]:
    """Letters in and out, and providers' words on them.

    At a shared address nobody can tell whose letter it was: what waits there goes with whoever
    answered for it.
    """
    address, person = marks.get("address", NONE) | hollow, marks.get("person", NONE)
    keys = [
        *(f"alert:{alert}:" for alert in marks.get("alert", NONE)),
        *(f"nudge:{session}:" for session in marks.get("session", NONE)),
        *(f"invite:{assignment}" for assignment in marks.get("assignment", NONE)),
    ]
    waiting_here = select(addresses.c.id).where(
        addresses.c.id.in_(shared), addresses.c.person_id.in_(person)
    )
    letter = _ids(
        conn,
        select(inbox.c.id).where(
            or_(
                inbox.c.address_id.in_(address),
                and_(inbox.c.address_id.in_(waiting_here), inbox.c.status != "done"),
            )
        ),
    )
    mine = or_(outbox.c.address_id.in_(address), outbox.c.person_id.in_(person))
    message = _ids(conn, select(outbox.c.id).where(mine)) | _prompting(conn, marks)
    for some in _slices(keys):
        found = or_(*(outbox.c.key.startswith(key, autoescape=True) for key in some))
        message |= _ids(conn, select(outbox.c.id).where(found))
    provider = _ids(conn, select(outbox.c.provider_id).where(outbox.c.id.in_(message)))
    return {"letter": letter, "message": message, "provider": provider}


def _prompting(conn: Connection, marks: dict[Mark, Ids]) -> Ids:
    """Messages not yet sent to somebody who is just being asked about what goes."""
    asked = pointing(conn, marks)
    return _ids(
        conn,
        select(outbox.c.id).where(outbox.c.address_id.in_(asked), outbox.c.final_at.is_(None)),
    )


def pointing(conn: Connection, marks: dict[Mark, Ids]) -> Ids:
    """Addresses that stay and whose open prompt is about a session, offer or alert that goes."""
    gone = NONE.union(*(marks.get(m, NONE) for m in ("session", "assignment", "alert")))
    who = or_(
        addresses.c.id.in_(select(sessions.c.address_id).where(sessions.c.id.in_(gone))),
        addresses.c.person_id.in_(
            select(assignments.c.person_id).where(assignments.c.id.in_(gone))
        ),
    )
    found = conn.execute(select(addresses.c.id, addresses.c.open_prompt).where(who))
    return frozenset(
        row.id
        for row in found
        if row.open_prompt
        and row.open_prompt.get("ref") in gone
        and row.id not in marks.get("address", NONE)
    )


def _copies(conn: Connection, address: Ids, person: Ids) -> tuple[tuple[str, str], ...]:
    found = conn.execute(
        select(addresses.c.channel, outbox.c.provider_id)
        .join(addresses, addresses.c.id == outbox.c.address_id)
        .where(
            or_(outbox.c.address_id.in_(address), outbox.c.person_id.in_(person)),
            outbox.c.provider_id.is_not(None),
        )
        .order_by(outbox.c.id)
    )
    return tuple((row.channel, row.provider_id) for row in found)


def _ids(conn: Connection, *queries: Select[Any]) -> Ids:
    return frozenset(
        found for query in queries for found in conn.execute(query).scalars() if found is not None
    )


def _lock(conn: Connection, column: ColumnElement[str], ids: Collection[str]) -> None:
    query = select(column).where(column.in_(sorted(ids))).order_by(column)
    conn.execute(query.with_for_update())


def _slices(keys: list[str], size: int = 100) -> Iterable[list[str]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))
