"""The key store: a data key for each household, wrapped by the master key, in a place of its own.

It is never part of a data backup. To erase a household is to destroy its key here: whatever was
sealed with it, in the database or in a backup of last year, opens no more. A rotation of the master
key wraps the same data keys anew, so that no sealed value changes.

Every method is synchronous and durable before it returns, and may be called from any thread and by
several processes. What others must notice (a destroyed key, a new master) raises `revision`.

Source: trust-and-dashboard.md §B4.
"""

import hmac
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, insert, inspect, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from storage.engines import Dialect, parse_url, sqlite_file
from storage.errors import BadUrl, Busy, MasterRefused
from storage.faults import translate
from storage.keyring.keyrows import (
    BLIND_KEY,
    FIRST_INDEX_KEY,
    KEPT,
    PROGRAMME_KEY,
    Erasure,
    Master,
    State,
    master_of,
    master_row,
    noticed,
    of_newest,
    parts_of,
    refusal,
    refuse,
    rows_of,
    seed,
    state_of,
    unwrapped,
)
from storage.keyring.keytables import (
    data_keys,
    erasure_ledger,
    key_engine,
    key_metadata,
    key_state,
    master_keys,
)
from storage.keyring.wrapping import KEY_BYTES, Wrapper, fingerprint, tidy, to_groups

__all__ = [
    "BLIND_KEY",
    "FIRST_INDEX_KEY",
    "PROGRAMME_KEY",
    "Erasure",
    "KeyStore",
    "Master",
    "State",
]

CONFIRMED_BY = 2
"""Groups of the sheet that must be typed back."""
_LOCK = 0x43574B53
"""The key of our advisory lock on PostgreSQL: any number, as long as it never changes."""
_TRIES = 3


class KeyStore:
    """An open key store and the wrapping key of its master."""

    def __init__(self, engine: Engine, dialect: Dialect, masters: Callable[[], Sequence[bytes]]):
        self._engine = engine
        self._dialect = dialect
        self._masters = masters
        self._held = _NOTHING

    @classmethod
    def open(
        cls,
        url: str,
        master: bytes,
        *,
        at: datetime | None = None,
        masters: Callable[[], Sequence[bytes]] | None = None,
        create: bool = True,
        derived: bool = True,
    ) -> Self:
        """Open the key store a URL names.

        Args:
            url: `sqlite:///path` or `postgresql://...`.
            master: The master key.
            at: When a new store is made; None for now.
            masters: Reads the master key again (all that may be it), where another process may
                have replaced it. None: it stays the one given.
            create: Whether a store that is not there is made.
            derived: Whether a new store begins with the keys that sealed before there was one.

        Raises:
            BadUrl: The URL names no database we know, or there is no store and none is made.
            MasterRefused: The master key does not open it.
            Unavailable: It cannot be reached.
        """
        if len(master) != KEY_BYTES:
            raise ValueError(f"the master key must have {KEY_BYTES} bytes, not {len(master)}")
        dialect, parsed = parse_url(url)
        if dialect == "sqlite":
            path = sqlite_file(parsed)
            if not create and not path.exists():
                raise BadUrl(f"There is no key store at {path}.")
            path.touch(mode=0o600)
        store = cls(key_engine(dialect, parsed), dialect, masters or (lambda: (master,)))
        try:
            store._begin(master, at or datetime.now(UTC), create=create, derived=derived)
        except BaseException:
            store.close()
            raise
        return store

    def _begin(self, master: bytes, at: datetime, *, create: bool, derived: bool) -> None:
        with self._read() as conn:
            known = inspect(conn).has_table(key_state.name)
        if not known and not create:
            raise BadUrl("There is no key store in this database.")
        if not known:
            with self._write(locked=False) as conn:
                if self._dialect == "postgresql":
                    conn.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                if not inspect(conn).has_table(key_state.name):
                    seed(conn, master, at, derived=derived)
        with self._read() as conn:
            self._unlock(conn, (master,))

    def close(self) -> None:
        """Leave no connection. May be called twice."""
        self._engine.dispose()

    # -- keys ---------------------------------------------------------------------------------

    def key(self, key_id: str) -> bytes:
        """One key.

        Raises:
            KeyGone: It was destroyed.
            KeyMissing: There never was one.
        """
        return self.keys((key_id,), strict=True)[key_id]

    def keys(self, key_ids: Collection[str], *, strict: bool = False) -> dict[str, bytes]:
        """Keys by id, one statement for all of them.

        Args:
            key_ids: Which.
            strict: Whether one that is not there is refused; else it is left out.

        Raises:
            KeyGone: One was destroyed.
            KeyMissing: One is not there.
        """
        for _ in range(_TRIES):
            with self._read() as conn:
                rows, held = rows_of(conn, key_ids), self._held
                if any(row.generation != held.generation for row in rows.values()):
                    self._unlock(conn)  # a rotation meanwhile: read again
                    continue
                if strict:
                    refuse(key_ids, rows)
                return unwrapped(held.wrapper, rows)
        raise Busy("The master key is being replaced: try again.")

    def ensure(self, key_ids: Collection[str]) -> dict[str, bytes]:
        """Keys by id; those not there are made, durably, in one transaction.

        Raises:
            KeyGone: One was destroyed: nothing is ever sealed for an erased household.
        """
        found = self.keys(key_ids)
        wanted = sorted(set(key_ids) - set(found))
        if wanted:
            with self._write() as conn:
                held = self._current(conn)
                made = [
                    {
                        "id": key_id,
                        "generation": held.generation,
                        "wrapped": held.wrapper.wrap(key_id, os.urandom(KEY_BYTES)),
                    }
                    for key_id in wanted
                ]
                conn.execute(self._insert(data_keys).on_conflict_do_nothing(), made)
                rows = rows_of(conn, wanted)
                refuse(wanted, rows)
                found |= unwrapped(held.wrapper, rows)
        return found

    def ids(self) -> dict[str, datetime | None]:
        """Every key id, with the moment it was destroyed."""
        with self._read() as conn:
            found = select(data_keys.c.id, data_keys.c.destroyed_at).order_by(data_keys.c.id)
            return {row.id: row.destroyed_at for row in conn.execute(found)}

    def destroy(self, key_ids: Collection[str], *, at: datetime) -> None:
        """Overwrite keys and leave tombstones: they are never made again. May be repeated."""
        gone = sorted(set(key_ids))
        with self._write() as conn:
            for part in parts_of(gone):
                conn.execute(
                    update(data_keys)
                    .where(data_keys.c.id.in_(part), data_keys.c.destroyed_at.is_(None))
                    .values(wrapped=None, destroyed_at=at)
                )
            there, generation = rows_of(conn, gone), state_of(conn).generation
            never = [
                {"id": key_id, "generation": generation, "destroyed_at": at}
                for key_id in gone
                if key_id not in there
            ]
            if never:
                conn.execute(insert(data_keys), never)
            noticed(conn)
        self._scrub()

    # -- the master key -----------------------------------------------------------------------

    def rewrap(self, new_master: bytes, *, at: datetime) -> Master:
        """Wrap all remaining keys under a new master key, in one transaction.

        From its commit on only the new master opens this store; before it, only the old one.

        Raises:
            MasterRefused: Another process replaced the master key meanwhile.
        """
        with self._write() as conn:
            held = self._current(conn)
            number = held.generation + 1
            new = Wrapper(new_master, number)
            for row in conn.execute(KEPT).all():
                wrapped = new.wrap(row.id, held.wrapper.unwrap(row.id, row.wrapped))
                conn.execute(
                    update(data_keys).where(data_keys.c.id == row.id).values(wrapped=wrapped)
                )
            conn.execute(update(data_keys).values(generation=number))
            conn.execute(
                update(master_keys).where(master_keys.c.retired_at.is_(None)).values(retired_at=at)
            )
            conn.execute(insert(master_keys).values(master_row(new_master, number, at)))
            conn.execute(update(key_state).values(generation=number, owed_at=None))
            noticed(conn)
        self._held = _Held(number, new_master, new)
        self._scrub()
        return self.master()

    def opens_with(self, master: bytes) -> bool:
        """Whether this is the master key of the store as it stands."""
        return hmac.compare_digest(fingerprint(master), self.master().fingerprint)

    def master(self) -> Master:
        """What is known about the master key in force."""
        with self._read() as conn:
            return master_of(conn)

    def printed(self, *, at: datetime) -> tuple[str, ...]:
        """The groups of the recovery sheet, noted as printed."""
        with self._write() as conn:
            held = self._current(conn)
            conn.execute(of_newest(held.generation).values(sheet_at=at))
        return to_groups(held.master)

    def confirm(self, groups: Mapping[int, str], *, at: datetime) -> bool:
        """Whether these groups of the sheet, by number from 1, fit; two that do are noted."""
        with self._write() as conn:
            held = self._current(conn)
            sheet = dict(enumerate(to_groups(held.master), 1))
            fits = len(groups) >= CONFIRMED_BY and all(
                number in sheet
                and hmac.compare_digest(sheet[number].encode(), tidy(group).encode())
                for number, group in groups.items()
            )
            if fits:
                conn.execute(of_newest(held.generation).values(confirmed_at=at))
        return fits

    # -- erasures -----------------------------------------------------------------------------

    def note_erasure(self, household_id: str, *, at: datetime, ground: str) -> None:
        """Enter a household into the ledger of erasures. May be repeated: the first entry stays."""
        row = {"household_id": household_id, "at": at, "ground": ground}
        with self._write() as conn:
            conn.execute(self._insert(erasure_ledger).values(row).on_conflict_do_nothing())

    def erasures(self) -> list[Erasure]:
        """The ledger, oldest first."""
        order = (erasure_ledger.c.at, erasure_ledger.c.household_id)
        with self._read() as conn:
            rows = conn.execute(select(erasure_ledger).order_by(*order))
            return [Erasure(*row) for row in rows]

    def owe_rotation(self, *, at: datetime) -> None:
        """Remember that a household was erased and the master key has not been replaced since."""
        with self._write() as conn:
            conn.execute(update(key_state).values(owed_at=at))

    # -- the key addresses are found by -------------------------------------------------------

    def state(self) -> State:
        """Where the store stands: one statement."""
        with self._read() as conn:
            return state_of(conn)

    def index_step(self, *, index_id: str, index_next: str | None) -> None:
        """Say which key finds addresses now, and which other one also must."""
        with self._write() as conn:
            conn.execute(update(key_state).values(index_id=index_id, index_next=index_next))
            noticed(conn)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that stands in the store, by table, as of one moment; keys stay wrapped."""
        with self._write() as conn:
            return {
                table.name: [dict(row) for row in conn.execute(select(table)).mappings()]
                for table in key_metadata.sorted_tables
            }

    # -- inside -------------------------------------------------------------------------------

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as conn:
                yield conn
        except DBAPIError as error:
            if meaning := translate(error):
                raise meaning from error
            raise

    @contextmanager
    def _write(self, *, locked: bool = True) -> Iterator[Connection]:
        """A transaction; every one holds the state row, so they come one after another."""
        with self._read() as conn, conn.begin():
            if self._dialect == "sqlite":
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            elif locked:
                conn.execute(select(key_state.c.only).with_for_update())
            yield conn

    def _scrub(self) -> None:
        """Move the log into the file and cut it off: it still holds what was overwritten."""
        if self._dialect == "sqlite":
            with self._read() as conn:
                busy = conn.exec_driver_sql("pragma wal_checkpoint(truncate)").one()[0]
            if busy:
                raise Busy("It is done, but a reader keeps old pages in keys.db-wal: run it again.")

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        return (sqlite.insert if self._dialect == "sqlite" else postgresql.insert)(table)

    def _current(self, conn: Connection) -> "_Held":
        """The master in force. Raises MasterRefused where we do not have it any more."""
        if state_of(conn).generation != self._held.generation:
            self._unlock(conn)
        return self._held

    def _unlock(self, conn: Connection, masters: Sequence[bytes] = ()) -> None:
        newest = master_of(conn)
        given = [*masters, *self._masters()]
        for master in given:
            if hmac.compare_digest(fingerprint(master), newest.fingerprint):
                self._held = _Held(newest.generation, master, Wrapper(master, newest.generation))
                return
        raise MasterRefused(refusal(conn, newest, given))


@dataclass(frozen=True, slots=True)
class _Held:
    """The master key in hand, replaced as one: threads read it without a lock."""

    generation: int
    master: bytes
    wrapper: Wrapper


_NOTHING = _Held(0, b"", Wrapper(bytes(KEY_BYTES), 0))
"""Before a store is unlocked; generation 0 never fits."""
