"""The rows of a key store: what they are called, how a new store begins, how they are read."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, Row, Update, insert, select, update

from storage.errors import KeyGone, KeyMissing
from storage.keyring.keytables import data_keys, key_metadata, key_state, master_keys
from storage.keyring.wrapping import KEY_BYTES, Wrapper, derive, fingerprint

PROGRAMME_KEY = "k1"
"""Seals whatever has no household key of its own."""
BLIND_KEY = "b1"
"""Blinds codes, provider ids and logins: what cannot be computed anew, so it never rotates."""
FIRST_INDEX_KEY = "a1"
"""Blinds addresses; `keys rotate-blind` replaces it by a2, a3 and so on."""
_AT_ONCE = 500
"""Ids in one statement."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a key store stands.

    Attributes:
        store_id: Which store this is; the database remembers it.
        revision: Grows with everything a running process must notice.
        generation: Of the master key, from 1.
        index_id: The key addresses are found by.
        index_next: While that rotates, the key that also finds them.
        owed_at: When a household was erased while the master key could not be replaced.
    """

    store_id: str
    revision: int
    generation: int
    index_id: str
    index_next: str | None
    owed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Master:
    """What is known about a master key, apart from itself."""

    generation: int
    fingerprint: str
    made_at: datetime
    retired_at: datetime | None
    sheet_at: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A household that was erased, when and on what ground."""

    household_id: str
    at: datetime
    ground: str


Rows = Mapping[str, Row[tuple[str, int, bytes | None, datetime | None]]]
KEPT = select(data_keys.c.id, data_keys.c.wrapped).where(data_keys.c.wrapped.is_not(None))


def seed(conn: Connection, master: bytes, at: datetime, *, derived: bool) -> None:
    """A new store with its first keys.

    Args:
        conn: Open transaction of an empty key store.
        master: Wraps them.
        at: When the store is made.
        derived: Whether they are derived from the master as before there were key stores, so that
            values sealed then still open; else they are chance, and no master key gives them.
    """
    key_metadata.create_all(conn)
    wrapper = Wrapper(master, 1)
    first = {
        key_id: os.urandom(KEY_BYTES) for key_id in (PROGRAMME_KEY, BLIND_KEY, FIRST_INDEX_KEY)
    }
    if derived:
        first[PROGRAMME_KEY] = derive(master, f"cwb data {PROGRAMME_KEY}")
        first[BLIND_KEY] = first[FIRST_INDEX_KEY] = derive(master, "cwb blind index")
    rows = [
        {"id": key_id, "generation": 1, "wrapped": wrapper.wrap(key_id, key)}
        for key_id, key in first.items()
    ]
    conn.execute(insert(data_keys), rows)
    conn.execute(insert(master_keys).values(master_row(master, 1, at)))
    conn.execute(
        insert(key_state).values(
            only=1,
            store_id=os.urandom(16).hex(),
            revision=1,
            generation=1,
            index_id=FIRST_INDEX_KEY,
        )
    )


def master_row(master: bytes, generation: int, at: datetime) -> dict[str, object]:
    """What is kept of a master key that begins now."""
    return {"generation": generation, "fingerprint": fingerprint(master), "made_at": at}


def rows_of(conn: Connection, key_ids: Collection[str]) -> Rows:
    """The keys that are there, destroyed ones too, by id."""
    return {
        row.id: row
        for part in parts_of(sorted(set(key_ids)))
        for row in conn.execute(select(data_keys).where(data_keys.c.id.in_(part)))
    }


def parts_of(ids: Sequence[str]) -> Iterator[list[str]]:
    """Ids in parts that fit into one statement."""
    rest = iter(ids)
    while part := list(islice(rest, _AT_ONCE)):
        yield part


def refuse(key_ids: Collection[str], rows: Rows) -> None:
    """Raises KeyMissing or KeyGone unless every key can be used."""
    for key_id in key_ids:
        row = rows.get(key_id)
        if row is None:
            raise KeyMissing(f"There is no key {key_id!r} in the key store.")
        if row.wrapped is None:
            raise KeyGone(f"Key {key_id!r} was destroyed: its household was erased.")


def unwrapped(wrapper: Wrapper, rows: Rows) -> dict[str, bytes]:
    """The keys of rows that were not destroyed."""
    return {
        key_id: wrapper.unwrap(key_id, row.wrapped)
        for key_id, row in rows.items()
        if row.wrapped is not None
    }


def state_of(conn: Connection) -> State:
    """The one row that says where the store stands."""
    row = conn.execute(select(key_state)).one()
    return State(*row[1:])


def noticed(conn: Connection) -> None:
    """Let running processes see that something changed."""
    conn.execute(update(key_state).values(revision=key_state.c.revision + 1))


def master_of(conn: Connection) -> Master:
    """What is known of the master key in force."""
    return Master(
        *conn.execute(select(master_keys).where(master_keys.c.retired_at.is_(None))).one()
    )


def of_newest(generation: int) -> Update:
    """A change to what is known of the master key of a generation."""
    return update(master_keys).where(master_keys.c.generation == generation)


def refusal(conn: Connection, newest: Master, given: Sequence[bytes]) -> str:
    """Which setting is wrong, and which sheet has what is needed."""
    prints = [fingerprint(master) for master in given]
    retired = master_keys.c.retired_at
    old = conn.execute(
        select(retired).where(master_keys.c.fingerprint.in_(prints), retired.is_not(None))
    ).scalar()
    sheet = (
        f"the recovery sheet of {newest.made_at:%Y-%m-%d} (fingerprint {newest.fingerprint}) has it"
    )
    if old is not None:
        return (
            f"MASTER_KEY: this master key was replaced on {old:%Y-%m-%d}. Fix: set the new one in "
            f"MASTER_KEY or MASTER_KEY_FILE; {sheet}."
        )
    return (
        "MASTER_KEY: this master key does not open the key store (KEYS_URL). Fix: set the right "
        f"one in MASTER_KEY or MASTER_KEY_FILE; {sheet}."
    )
