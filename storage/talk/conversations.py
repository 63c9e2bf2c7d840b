"""What a batch of messages needs to know before it is folded: one statement a kind of row.

Rows that the batch will change are locked first, each kind sorted by id, so that two workers on
PostgreSQL always lock in the same order. (`FOR NO KEY UPDATE`: an insert that refers to a locked
row, as every answer does to its child, must not wait for it.)
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Select,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.sql.dml import UpdateBase

from storage.fetch import Among, fetch
from storage.schema import (
    addresses,
    assignments,
    children,
    inbox,
    inbox_seen,
    person_address,
    persons,
    sessions,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row")


@dataclass(slots=True)
class AddressRow:
    """An address as the turn sees it; changed in place while folding, written back after."""

    id: str
    channel: str
    account: str
    blind: str
    value: bytes
    person_id: str | None
    language: str
    open_prompt: dict[str, Any] | None
    stuck: int
    opted_out_at: datetime | None
    bad_at: datetime | None
    last_inbound_at: datetime | None
    key_id: str | None
    guard: dict[str, Any] | None


@dataclass(slots=True)
class PersonRow:
    """A person: caregiver, teacher or staff."""

    id: str
    programme_id: str
    school_id: str | None
    household_id: str | None
    kind: str
    language: str
    safe_hour: str | None
    shared_phone: bool | None


@dataclass(slots=True)
class SessionRow:
    """An unfinished session with its sealed state."""

    id: str
    address_id: str
    person_id: str | None
    assignment_id: str | None
    child_id: str | None
    class_id: str | None
    household_id: str | None
    wave_id: str | None
    form_id: str
    version: str
    status: str
    state: bytes


@dataclass(slots=True)
class ChildRow:
    """A child and where it stands; codes only, no name."""

    id: str
    programme_id: str
    school_id: str
    household_id: str
    class_id: str | None
    list_number: int | None


@dataclass(slots=True)
class AssignmentRow:
    """What somebody is to answer; state due, open, done or withdrawn."""

    id: str
    key: str
    person_id: str
    child_id: str | None
    class_id: str | None
    wave_id: str
    form_id: str
    state: str
    reason: str | None
    priority: int
    created_at: datetime
    offered_at: datetime | None


def columns(table: Table, row: "type[DataclassInstance]") -> list[Column[Any]]:
    """The columns of a table that a row class wants, in its order."""
    return [table.c[field.name] for field in fields(row)]


def _seen(insert: Callable[[Table], SqliteInsert | PostgresInsert], each: str) -> UpdateBase:
    """Insert what is new of a list of digests; `each` is the dialect's function of its items."""
    digests = bindparam("digests", type_=ARRAY(String) if each == "unnest" else None)
    listed = getattr(func, each)(digests).table_valued("value")
    listed = listed.render_derived() if each == "unnest" else listed
    account = (bindparam("channel", type_=String), bindparam("account", type_=String))
    found = select(*account, listed.c.value).where(true())  # SQLite: else ON would be a join's
    return (
        insert(inbox_seen)
        .from_select(["channel", "account", "digest"], found)
        .on_conflict_do_nothing()
        .returning(inbox_seen.c.digest)
    )


_SEEN = {
    "sqlite": _seen(sqlite.insert, "json_each"),
    "postgresql": _seen(postgresql.insert, "unnest"),
}
_ADDRESSES = (
    select(*columns(addresses, AddressRow))
    .where(
        # The blind index alone tells addresses apart; the index begins with channel and account.
        Among(addresses.c.channel, "channels"),
        Among(addresses.c.account, "accounts"),
        Among(addresses.c.blind, "blinds"),
    )
    .order_by(addresses.c.id)
    .with_for_update(key_share=True)
)
_ADDRESSES_BY_ID = (
    select(*columns(addresses, AddressRow))
    .where(Among(addresses.c.id, "ids"))
    .order_by(addresses.c.id)
    .with_for_update(key_share=True)
)
_PERSONS = (
    select(*columns(persons, PersonRow))
    .where(Among(persons.c.id, "ids"))
    .order_by(persons.c.id)
    .with_for_update(key_share=True)
)
_SESSIONS = (
    select(*columns(sessions, SessionRow))
    .where(
        # In the text: an index is partial, and SQLite would plan anew for each bound value.
        or_(
            sessions.c.status == literal_column("'open'"),
            sessions.c.status == literal_column("'lapsed'"),
        ),
        or_(
            Among(sessions.c.person_id, "persons"),
            Among(sessions.c.address_id, "addresses"),
        ),
    )
    .order_by(sessions.c.id)
)
_CHILDREN = (
    select(*columns(children, ChildRow)).where(Among(children.c.id, "ids")).order_by(children.c.id)
)
_CHILDREN_LOCKED = _CHILDREN.with_for_update(key_share=True)
_ASSIGNMENTS = (
    select(*columns(assignments, AssignmentRow))
    .where(Among(assignments.c.person_id, "ids"))
    .order_by(assignments.c.priority, assignments.c.id)
)
_WAITING = (
    select(inbox.c.id, inbox.c.address_id, inbox.c.attempts, inbox.c.body)
    .where(inbox.c.status == "waiting", inbox.c.address_id.in_(bindparam("ids", expanding=True)))
    .order_by(inbox.c.id)
)


def mark_seen(conn: Connection, keys: Collection[tuple[str, str, str]]) -> set[str]:
    """Note provider ids for ever; returns the digests that are new.

    Args:
        conn: Open transaction.
        keys: (channel, account, keyed digest of the provider's id).
    """
    if not keys:
        return set()
    by_account: dict[tuple[str, str], list[str]] = {}
    for channel, account, digest in sorted(set(keys)):
        by_account.setdefault((channel, account), []).append(digest)
    statement = _SEEN[conn.dialect.name]
    return {
        digest
        for (channel, account), digests in by_account.items()
        for (digest,) in fetch(conn, statement, channel=channel, account=account, digests=digests)
    }


def lock_addresses(conn: Connection, keys: Iterable[tuple[str, str, str]]) -> dict[str, AddressRow]:
    """Addresses by (channel, account, blind index), locked in order of id, by blind index."""
    channels, accounts, blinds = (sorted(set(part)) for part in zip(*keys, strict=True))
    found = fetch(conn, _ADDRESSES, channels=channels, accounts=accounts, blinds=blinds)
    return {row.blind: row for row in (AddressRow(*r) for r in found)}


def lock_addresses_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, AddressRow]:
    """The addresses with these ids, locked in order of id, by blind index."""
    found = fetch(conn, _ADDRESSES_BY_ID, ids=sorted(set(ids)))
    return {row.blind: row for row in (AddressRow(*r) for r in found)}


def lock_persons(conn: Connection, ids: Collection[str]) -> dict[str, PersonRow]:
    """These persons, locked in order of id, by id."""
    return _by_id(conn, _PERSONS, ids, PersonRow)


def unfinished_sessions(
    conn: Connection, person_ids: Iterable[str], address_ids: Iterable[str]
) -> list[SessionRow]:
    """Open and lapsed sessions of these people and addresses, oldest first."""
    found = fetch(conn, _SESSIONS, persons=sorted(person_ids), addresses=sorted(address_ids))
    return [SessionRow(*row) for row in found]


def children_by_id(
    conn: Connection, ids: Collection[str], *, lock: bool = False
) -> dict[str, ChildRow]:
    """These children by id; locked in order of id where the batch will judge them."""
    return _by_id(conn, _CHILDREN_LOCKED if lock else _CHILDREN, ids, ChildRow)


def unlink(conn: Connection, *, person_id: str, address_id: str, now: datetime) -> None:
    """Write down that a person is not reached at an address any more."""
    conn.execute(
        update(person_address)
        .where(
            person_address.c.person_id == person_id,
            person_address.c.address_id == address_id,
            person_address.c.until_at.is_(None),
        )
        .values(until_at=now)
    )


def opt_out_person(conn: Connection, person_id: str, *, now: datetime) -> None:
    """STOP holds for all addresses of a person, whichever of them she said it on."""
    conn.execute(
        update(addresses)
        .where(addresses.c.person_id == person_id, addresses.c.opted_out_at.is_(None))
        .values(opted_out_at=now)
    )


def assignments_of(conn: Connection, person_ids: Collection[str]) -> list[AssignmentRow]:
    """Everything these people were given to answer, most urgent first."""
    if not person_ids:
        return []
    found = fetch(conn, _ASSIGNMENTS, ids=sorted(set(person_ids)))
    return [AssignmentRow(*row) for row in found]


def waiting_letters(
    conn: Connection, address_ids: Collection[str]
) -> list[tuple[str, str, int, bytes]]:
    """Stored messages not yet handled: (id, address, attempts, sealed body), in order."""
    if not address_ids:
        return []
    return [tuple(r) for r in conn.execute(_WAITING, {"ids": sorted(set(address_ids))})]


def still_waiting(conn: Connection, ids: Collection[str]) -> set[str]:
    """Which of these stored messages nobody has handled meanwhile; locked, in order of id."""
    if not ids:
        return set()
    found = (
        select(inbox.c.id)
        .where(inbox.c.id.in_(sorted(set(ids))), inbox.c.status == "waiting")
        .order_by(inbox.c.id)
        .with_for_update(key_share=True)
    )
    return set(conn.execute(found).scalars())


def stuck_addresses(conn: Connection, now: datetime, *, limit: int) -> list[str]:
    """Addresses whose oldest waiting message is due for another try."""
    older = inbox.alias("older")
    found = (
        select(inbox.c.address_id)
        .where(
            inbox.c.status == "waiting",
            inbox.c.retry_at <= now,
            ~select(older.c.id)
            .where(
                older.c.address_id == inbox.c.address_id,
                older.c.status == "waiting",
                older.c.id < inbox.c.id,
            )
            .exists(),
        )
        .order_by(inbox.c.retry_at, inbox.c.id)
        .limit(limit)
    )
    return list(conn.execute(found).scalars())


def _by_id(
    conn: Connection, statement: Select[Any], ids: Collection[str], row: type[Row]
) -> dict[str, Row]:
    if not ids:
        return {}
    found = fetch(conn, statement, ids=sorted(set(ids)))
    return {values[0]: row(*values) for values in found}
