"""Taking one child out of what others said, and other people's rows off a key that is destroyed.

A teacher answers for her whole class with list numbers. When one child is erased, her number goes
out of those answers and out of the session's stored state; the session's journal and the letters it
came in cannot be cut so finely, and go whole. `sessions.cut_at` says so, and is why such a session
is not held against the fold of its events any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Column, ColumnElement, Connection, and_, delete, func, or_, select, update

from flows.sessions import Answer, Session, from_json, to_json
from storage.errors import SealBroken
from storage.keyring.vault import PROGRAMME_KEY, Vault, head_of
from storage.rights.belongings import Belongings, Ids
from storage.schema import (
    addresses,
    answers,
    children,
    events,
    inbox,
    metadata,
    outbox,
    persons,
    sessions,
)

EVENT = (events.c.session_id, events.c.rev)
ANSWER = (answers.c.session_id, answers.c.item, answers.c.revision)
"""What names a row of these tables, in the order that sealed values are bound to."""
NOBODY = "0"
"""How a teacher says that no learner fits."""


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where a child sits: her class, her number on its list, and since when."""

    class_id: str
    number: str
    since: datetime


def take_out_of_classes(
    conn: Connection, child_ids: Iterable[str], *, at: datetime, vault: Vault
) -> int:
    """Take these children's numbers out of every class screen they stand in.

    Before a child was on the list her number was another's, so older screens stay as they are.

    Returns:
        How many sessions were changed.
    """
    found = conn.execute(
        select(children.c.class_id, children.c.list_number, children.c.created_at).where(
            children.c.id.in_(sorted(child_ids)),
            children.c.class_id.is_not(None),
            children.c.list_number.is_not(None),
        )
    )
    return sum(_take_out(conn, _Seat(r[0], str(r[1]), r[2]), at, vault) for r in found.all())


def _take_out(conn: Connection, seat: _Seat, at: datetime, vault: Vault) -> int:
    asked = conn.execute(
        select(sessions)
        .where(sessions.c.class_id == seat.class_id, sessions.c.started_at >= seat.since)
        .order_by(sessions.c.id)
        .with_for_update()
    ).all()
    count = 0
    for row in asked:
        key = key_of(row.state)
        try:
            text = vault.open(row.state, table="sessions", column="state", row=row.id)
            session = from_json(text)
        except (SealBroken, ValueError, KeyError):
            session = None  # nobody reads it again, so only what is plain is left to change
        told = _without_answers(conn, row.id, seat.number)
        if session is not None and not told and not _names(session, seat.number):
            continue
        values: dict[str, Any] = {"cut_at": at}
        if session is not None:
            cut = to_json(without(session, seat.number))
            values["state"] = vault.seal(cut, table="sessions", column="state", row=row.id, key=key)
        conn.execute(update(sessions).where(sessions.c.id == row.id).values(values))
        conn.execute(delete(events).where(events.c.session_id == row.id))
        forget_letters(conn, [(row.address_id, row.started_at, row.changed_at)])
        count += 1
    return count


def without(session: Session, number: str) -> Session:
    """A class screen without one learner: not on its roster, not in any answer."""
    context = dict(session.context)
    context["roster"] = _strike(context.get("roster", ""), number, empty="")
    told = {
        item: Answer(_strike(answer.value, number, empty=NOBODY), answer.state)
        for item, answer in session.answers.items()
    }
    return replace(session, context=context, answers=told)


def _names(session: Session, number: str) -> bool:
    told = (session.context.get("roster", ""), *(a.value for a in session.answers.values()))
    return any(number in text.split() for text in told)


def _strike(text: str, number: str, *, empty: str) -> str:
    """A list of numbers without one; a text that does not have it stays as it is."""
    words = text.split()
    if number not in words:
        return text
    return " ".join(word for word in words if word != number) or empty


def _without_answers(conn: Connection, session_id: str, number: str) -> int:
    """The same in the rows of the answers, in every revision; returns how many were changed.

    Changed in place: a further revision would leave the number readable in the older one.
    """
    rows = conn.execute(
        select(answers.c.item, answers.c.revision, answers.c.value).where(
            answers.c.session_id == session_id, answers.c.value.is_not(None)
        )
    ).all()
    hit = [row for row in rows if number in row.value.split()]
    for row in hit:
        conn.execute(
            update(answers)
            .where(
                answers.c.session_id == session_id,
                answers.c.item == row.item,
                answers.c.revision == row.revision,
            )
            .values(value=_strike(row.value, number, empty=NOBODY))
        )
    return len(hit)


def forget_letters(conn: Connection, spans: Sequence[tuple[str, datetime, datetime]]) -> None:
    """Empty the handled letters of these addresses between two moments."""
    for address_id, start, end in spans:
        conn.execute(
            update(inbox)
            .where(
                inbox.c.address_id == address_id,
                inbox.c.status == "done",
                or_(
                    inbox.c.received_at.between(start, end),
                    inbox.c.done_at.between(start, end),
                ),
            )
            .values(body=None)
        )


def key_of(blob: bytes) -> str:
    """The id of the key a sealed value was sealed with."""
    return blob[2 : 2 + blob[1]].decode("ascii", "replace") if len(blob) > 1 else ""


@dataclass(frozen=True, slots=True)
class _Move:
    """From the key of a household that is erased to another one."""

    old: str
    new: str
    vault: Vault


def hand_over(conn: Connection, found: Belongings, household_id: str, *, vault: Vault) -> None:
    """Put what stays on another key than the household's, before that one is destroyed.

    Who works here keeps her name and her addresses; a shared phone stays with whom it is shared;
    what was asked about a child who lives elsewhere now follows the child.
    """
    conn.execute(
        update(persons)
        .where(persons.c.id.in_(sorted(found.staff)))
        .values(household_id=None, safe_hour=None, shared_phone=None)
    )
    own = addresses.c.person_id.in_(sorted(found.staff))
    stay = addresses.c.id.in_(sorted(found.shared))
    theirs = conn.execute(
        select(addresses.c.id, persons.c.household_id)
        .outerjoin(persons, persons.c.id == addresses.c.person_id)
        .where(or_(own, stay))
    ).all()
    by_name = persons.c.id.in_(sorted(found.staff))
    move = _Move(household_id, PROGRAMME_KEY, vault)
    _reseal(conn, (persons.c.id,), persons.c.name, by_name, move)
    for address_id, home in theirs:
        # To whoever answers there now, and goes with her: with nobody's key it would outlive her.
        move = _Move(household_id, vault.key_for(home), vault)
        waiting = and_(inbox.c.address_id == address_id, inbox.c.status == "waiting")
        _reseal(conn, (addresses.c.id,), addresses.c.value, addresses.c.id == address_id, move)
        _reseal(conn, (outbox.c.id,), outbox.c.body, outbox.c.address_id == address_id, move)
        _reseal(conn, (inbox.c.id,), inbox.c.body, waiting, move)
    at = inbox.c.address_id.in_(sorted(row.id for row in theirs))
    handled = and_(at, inbox.c.body.is_not(None))
    hers = [
        row.id
        for row in conn.execute(select(inbox.c.id, inbox.c.body).where(handled))
        if key_of(row.body) == household_id
    ]
    conn.execute(update(inbox).where(inbox.c.id.in_(hers)).values(body=None))
    _follow(conn, found.moved, household_id, vault)
    _follow_children(conn, household_id, vault)


def _follow(conn: Connection, moved: Ids, household_id: str, vault: Vault) -> None:
    """Sessions about a child who has moved, with all in them, onto the key of her home of today."""
    rows = conn.execute(
        select(sessions.c.id, children.c.household_id)
        .join(children, children.c.id == sessions.c.child_id)
        .where(sessions.c.id.in_(sorted(moved)))
    ).all()
    for session_id, home in rows:
        move = _Move(household_id, vault.key_for(home), vault)
        _reseal(conn, (sessions.c.id,), sessions.c.state, sessions.c.id == session_id, move)
        _reseal(conn, EVENT, events.c.body, events.c.session_id == session_id, move)
        _reseal(conn, ANSWER, answers.c.text, answers.c.session_id == session_id, move)
        for table, column in ((sessions, sessions.c.id), (answers, answers.c.session_id)):
            conn.execute(update(table).where(column == session_id).values(household_id=home))


def _follow_children(conn: Connection, household_id: str, vault: Vault) -> None:
    """Names, profiles and what else is sealed about children who have moved, onto their home's key.

    Nothing says who has moved, so it is looked for by the key that values begin with.
    """
    head = head_of(household_id)
    for table in metadata.sorted_tables:
        child = table.c.id if table is children else table.c.get("child_id")
        for column in (c for c in table.columns if child is not None and c.info.get("sealed")):
            parts = list(table.primary_key.columns)
            hers = select(*parts, children.c.household_id).where(
                children.c.id == child,
                children.c.household_id != household_id,
                func.substr(column, 1, len(head)) == head,
            )
            for *key, home in conn.execute(hers).all():
                which = and_(*(part == value for part, value in zip(parts, key, strict=True)))
                _reseal(conn, parts, column, which, _Move(household_id, vault.key_for(home), vault))


def _reseal(
    conn: Connection,
    parts: Sequence[Column[Any]],
    column: Column[Any],
    which: ColumnElement[bool],
    move: _Move,
) -> None:
    """Seal the values of a column anew; `parts` are the key of its table, which names the row.

    A value whose key is destroyed already stays as it is: nothing opens it, wherever it stands.
    """
    table = column.table
    for row in conn.execute(select(*parts, column).where(which, column.is_not(None))).all():
        *key, blob = row
        if key_of(blob) != move.old:
            continue
        place = {"table": table.name, "column": column.name, "row": ":".join(map(str, key))}
        try:
            text = move.vault.open(blob, **place)
        except SealBroken:
            continue
        anew = move.vault.seal(text, **place, key=move.new)
        where = (part == value for part, value in zip(parts, key, strict=True))
        conn.execute(update(table).where(*where).values({column: anew}))
