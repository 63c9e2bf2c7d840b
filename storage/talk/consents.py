"""The consent ledger: the only place that writes its rows and reads them. Rows are never changed.

A yes has `granted`; a no has not; a yes taken back is a new row without `granted` that names the
moment in `withdrawn_at`. What stands follows from all of them (`flows.consent`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from flows.consent import Entry, Purpose, Texts, Word, Yes, may_ask, standing
from storage.fetch import Among, fetch
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    child_caregiver,
    children,
    consents,
    persons,
)
from storage.scope import Scope
from storage.talk.conversations import (
    ChildRow,
    columns,
)

NOWHERE = "none"
"""The channel of a consent that was not given by chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How a word on consent was given: what is the same for all purposes of one moment.

    Attributes:
        person_id: Who gave it.
        capacity: As what.
        version: Version of the joining questionnaire.
        texts: Digest of the words by purpose.
        language: In which they were read.
        channel: sms, whatsapp, telegram, or `NOWHERE`.
        mode: self, phone, in_person or paper.
        partners: Version of the list of named partners.
        at: When (aware).
        now: When we learnt it (aware).
        witness_id: Who saw it, where she is somebody we know.
        witness_name: Who saw it, where she is not: seals her name for the row of an id.
        helper_id: Who helped her to read or answer.
        recorded_by: The person or user who entered it; None where she said it herself.
        witness_role: What the witness is (a neighbour, the school's clerk): seals it for a row.
        proof: Where the paper or the recording is kept: seals it for the row of an id.
    """

    person_id: str
    capacity: str
    version: str
    texts: Mapping[Purpose, str]
    language: str
    channel: str
    mode: str
    partners: str
    at: datetime
    now: datetime
    witness_id: str | None = None
    witness_name: Callable[[str], bytes] | None = None
    helper_id: str | None = None
    recorded_by: str | None = None
    witness_role: Callable[[str], bytes] | None = None
    proof: Callable[[str], bytes] | None = None


def row(given: Given, *, id: str, child_id: str, purpose: Purpose, word: Word) -> dict[str, Any]:  # noqa: A002
    """One row of the ledger, for `write` or for a batch's `Writes`."""
    return {
        "id": id,
        "person_id": given.person_id,
        "child_id": child_id,
        "purpose": purpose,
        "granted": word == "yes",
        "capacity": given.capacity,
        "text_version": given.version,
        "text_digest": given.texts.get(purpose),
        "partners_version": given.partners if purpose == "partners" else None,
        "language": given.language,
        "channel": given.channel,
        "mode": given.mode,
        "witness_id": given.witness_id,
        "witness_name": given.witness_name(id) if given.witness_name else None,
        "witness_role": given.witness_role(id) if given.witness_role else None,
        "proof": given.proof(id) if given.proof else None,
        "helper_id": given.helper_id,
        "recorded_by": given.recorded_by,
        "recorded_at": given.now,
        "at": given.at,
        "withdrawn_at": given.at if word == "withdrawn" else None,
    }


def entry_of(values: Mapping[str, Any]) -> Entry:
    """A row as the ledger's reader takes it."""
    withdrawn = values["withdrawn_at"]
    at = withdrawn or values["at"]
    said: Word = "yes" if values["granted"] else "no"
    return Entry(
        id=values["id"],
        person=values["person_id"],
        child=values["child_id"] or "",
        purpose=values["purpose"],
        word="withdrawn" if withdrawn is not None else said,
        capacity=values["capacity"],
        text=values["text_digest"] or "",
        language=values["language"],
        partners=values["partners_version"] or "",
        at=at,
        known_at=max(at, values["recorded_at"] or at),
    )


def write(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows with one statement."""
    if rows:
        conn.execute(insert(consents), [dict(one) for one in rows])


_FIELDS = (
    "id",
    "person_id",
    "child_id",
    "purpose",
    "granted",
    "capacity",
    "text_digest",
    "language",
    "partners_version",
    "at",
    "recorded_at",
    "withdrawn_at",
)
_READ = [consents.c[name] for name in _FIELDS]
_ABOUT = select(*_READ).where(Among(consents.c.child_id, "children")).order_by(consents.c.id)
_ABOUT_ONE = (
    select(*_READ)
    .where(Among(consents.c.child_id, "children"), consents.c.purpose == bindparam("purpose"))
    .order_by(consents.c.id)
)
_BY = select(*_READ).where(Among(consents.c.person_id, "people")).order_by(consents.c.id)
_IN_CLASS = (
    select(*_READ)
    .join(children, children.c.id == consents.c.child_id)
    .where(
        children.c.class_id == bindparam("class_id"),
        children.c.left_at.is_(None),
        consents.c.purpose == "help",
    )
    .order_by(consents.c.id)
)
_LISTED = (
    select(*columns(children, ChildRow))
    .where(
        children.c.class_id == bindparam("class_id"),
        children.c.left_at.is_(None),
        children.c.list_number.is_not(None),
    )
    .order_by(children.c.list_number)
)


def about(
    conn: Connection, child_ids: Collection[str], *, purpose: Purpose | None = None
) -> list[Entry]:
    """The ledger about these children, everybody's words; for one purpose or for all."""
    if not child_ids:
        return []
    wanted = sorted(set(child_ids))
    if purpose is None:
        return _entries(fetch(conn, _ABOUT, children=wanted))
    return _entries(fetch(conn, _ABOUT_ONE, children=wanted, purpose=purpose))


def said_by(conn: Connection, person_ids: Collection[str]) -> list[Entry]:
    """Everything these people said on consent."""
    if not person_ids:
        return []
    return _entries(fetch(conn, _BY, people=sorted(set(person_ids))))


_WRITTEN = select(*_READ, consents.c.channel).where(
    consents.c.child_id == bindparam("child"), consents.c.person_id == bindparam("person")
)


def told_staff(conn: Connection, *, person_id: str, child_id: str) -> dict[Purpose, Entry]:
    """What stands between her and a child by purpose, where staff wrote it down (not by chat)."""
    asked = {"child": child_id, "person": person_id}
    rows = [dict(row) for row in conn.execute(_WRITTEN, asked).mappings()]
    by_chat = {row["id"] for row in rows if row["channel"] != NOWHERE}
    newest = standing(entry_of(row) for row in rows)
    return {what: entry for (_, _, what), entry in newest.items() if entry.id not in by_chat}


def joined_by_chat(conn: Connection, *, child_id: str) -> set[str]:
    """Who has said anything on consent for a child by chat."""
    found = select(consents.c.person_id).where(
        consents.c.child_id == child_id, consents.c.channel != NOWHERE
    )
    return set(conn.execute(found).scalars())


def listed_children(
    conn: Connection, class_id: str, texts: Texts | None = None
) -> dict[int, ChildRow]:
    """Children of a class who may be asked about, by list number.

    Args:
        conn: Open transaction.
        class_id: The class.
        texts: The words of consent as they are now; None where any words will do.
    """
    ledger: dict[str, list[Entry]] = {}
    for entry in _entries(fetch(conn, _IN_CLASS, class_id=class_id)):
        ledger.setdefault(entry.child, []).append(entry)
    if not ledger:
        return {}
    listed = (ChildRow(*found) for found in fetch(conn, _LISTED, class_id=class_id))
    return {
        child.list_number: child
        for child in listed
        if child.list_number
        and isinstance(may_ask(ledger.get(child.id, ()), "help", texts, child=child.id), Yes)
    }


def _entries(found: Sequence[tuple[Any, ...]]) -> list[Entry]:
    return [entry_of(dict(zip(_FIELDS, one, strict=True))) for one in found]


@dataclass(frozen=True, slots=True)
class Subject:
    """A child staff named by its code."""

    id: str
    code: str
    programme_id: str
    school_id: str
    household_id: str


def child_by_code(conn: Connection, scope: Scope, code: str) -> Subject | None:
    """The child with a public code, in scope."""
    found = conn.execute(
        select(
            children.c.id,
            children.c.code,
            children.c.programme_id,
            children.c.school_id,
            children.c.household_id,
        ).where(children.c.code == code.strip().upper(), scope.within(children.c.school_id))
    ).first()
    return Subject(*found) if found else None


_CARERS = (
    select(child_caregiver.c.person_id, child_caregiver.c.capacity)
    .where(child_caregiver.c.child_id == bindparam("child"), child_caregiver.c.until_at.is_(None))
    .order_by(child_caregiver.c.from_at)
)


def carers(conn: Connection, child_id: str) -> dict[str, str]:
    """Who is written down as caring for a child: capacity by person."""
    return dict(fetch(conn, _CARERS, child=child_id))


def link_carer(
    conn: Connection, *, child_id: str, person_id: str, capacity: str, now: datetime
) -> None:
    """Write somebody down as caring for a child, unless she is."""
    if person_id not in carers(conn, child_id):
        conn.execute(
            insert(child_caregiver).values(
                child_id=child_id, person_id=person_id, capacity=capacity, from_at=now
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the ledger for a reader."""

    entry: Entry
    version: str
    channel: str
    mode: str
    witness: str
    helper: str
    recorded_by: str
    witness_role: str
    proof: str


def lines(conn: Connection, scope: Scope, child_id: str, *, vault: Vault) -> list[Line]:
    """The whole ledger about a child in scope, oldest first."""
    found = conn.execute(
        select(consents)
        .join(children, children.c.id == consents.c.child_id)
        .where(consents.c.child_id == child_id, scope.within(children.c.school_id))
        .order_by(consents.c.at, consents.c.id)
    ).mappings()
    return [
        Line(
            entry=entry_of(one),
            version=one["text_version"],
            channel=one["channel"],
            mode=one["mode"],
            witness=_opened(vault, one, "witness_name") or one["witness_id"] or "",
            helper=one["helper_id"] or "",
            recorded_by=one["recorded_by"] or "",
            witness_role=_opened(vault, one, "witness_role"),
            proof=_opened(vault, one, "proof"),
        )
        for one in map(dict, found)
    ]


def _opened(vault: Vault, one: Mapping[str, Any], column: str) -> str:
    sealed = one[column]
    if sealed is None:
        return ""
    return vault.open(sealed, table="consents", column=column, row=one["id"])


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a person hears from us, newest word first."""

    address_id: str
    channel: str
    account: str
    language: str


def reached_at(conn: Connection, person_ids: Collection[str]) -> dict[str, Reached]:
    """The usable address each of these people used last."""
    found = conn.execute(
        select(
            addresses.c.person_id,
            addresses.c.id,
            addresses.c.channel,
            addresses.c.account,
            persons.c.language,
        )
        .join(persons, persons.c.id == addresses.c.person_id)
        .where(
            addresses.c.person_id.in_(sorted(person_ids)),
            addresses.c.opted_out_at.is_(None),
            addresses.c.bad_at.is_(None),
        )
        .order_by(addresses.c.last_inbound_at.is_(None).desc(), addresses.c.last_inbound_at)
    )
    return {r[0]: Reached(*r[1:]) for r in found}
