"""The key of the address index is replaced while people write, by one who is late as well."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from storage.database import Database
from storage.errors import KeyGone
from storage.families.people import add_address, person_at
from storage.ids import new_id
from storage.keyring.keys import KeyStore
from storage.keyring.reindex import SETTLE_S, lock_by_either, next_index_id, pass_over, rotate_index
from storage.keyring.vault import FRESH_S, Vault
from storage.schema import addresses
from storage.scope import system
from storage.talk.conversations import lock_addresses
from tests.storage.keyring.test_vault_ring import Clock
from tests.storage.rows import ACCOUNT, School

MASTER = bytes(range(32))
Columns = dict[str, tuple[str, str | None]]
KNOWN = [f"+2782000{n:04}" for n in range(7)]


@pytest.fixture
def store(tmp_path: Path, now: datetime) -> Iterator[KeyStore]:
    opened = KeyStore.open(f"sqlite:///{tmp_path / 'keys.db'}", MASTER, at=now)
    yield opened
    opened.close()


class Worker:
    """A process of its own: its vault is as late as it may be."""

    def __init__(self, store: KeyStore, school: School) -> None:
        self.clock = Clock()
        self.vault = Vault.over(store, clock=self.clock)
        self.school = school

    def finds(self, conn: Connection, value: str) -> str | None:
        vault = self.vault
        blind = vault.blind_address("sms", ACCOUNT, value)
        find = lock_by_either if vault.rotating else lock_addresses
        found = find(conn, [("sms", ACCOUNT, blind)])
        assert set(found) <= {blind}
        row = found.get(blind)
        return row.id if row else None

    def meets(self, conn: Connection, value: str, now: datetime) -> str:
        """Somebody new writes to this process."""
        self.school.conn = conn
        person = self.school.person()
        return add_address(
            conn,
            person_id=person,
            channel="sms",
            account=ACCOUNT,
            value=value,
            vault=self.vault,
            now=now,
        )


async def test_everybody_is_found_at_every_moment_and_once(
    database: Database, store: KeyStore, now: datetime
) -> None:
    command = Vault.over(store)
    school, known = await database.write(lambda conn: _fill(conn, command, now))
    workers = [Worker(store, school) for _ in range(2)]
    steps: list[str] = []

    def look(conn: Connection) -> None:
        for worker in workers:
            for value, row_id in known.items():
                assert worker.finds(conn, value) == row_id, (steps, worker)
                found = person_at(
                    conn,
                    system("test"),
                    channel="sms",
                    account=ACCOUNT,
                    value=value,
                    vault=worker.vault,
                )
                assert (found is None) == (value in KNOWN)

    def wait(seconds: float) -> None:
        """One worker has just looked, one looks at the last moment; both meet somebody new."""
        steps.append(f"waited {seconds}")
        assert seconds > 2 * FRESH_S
        workers[0].clock.at += FRESH_S + 1
        database.write_sync(look)
        for number, worker in enumerate(workers):
            value = f"+2783{len(steps):03}{number}"
            known[value] = database.write_sync(
                lambda conn, w=worker, v=value: w.meets(conn, v, now)  # type: ignore[misc]
            )
        database.write_sync(look)
        for worker in workers:
            worker.clock.at += seconds
        database.write_sync(look)

    before = await database.read(_columns)
    done = rotate_index(store, command, database.write_sync, at=now, wait=wait, told=steps.append)
    await database.write(look)
    for worker in workers:
        worker.clock.at += SETTLE_S
    await database.write(look)
    after = await database.read(_columns)
    assert len(after) == len(known) + 1
    _all_anew(before, after, known)
    assert done.closed == 0
    assert done.changed >= len(KNOWN)
    assert (store.state().index_id, store.state().index_next) == ("a2", None)
    with pytest.raises(KeyGone):
        store.key("a1")


def _fill(conn: Connection, vault: Vault, now: datetime) -> tuple[School, dict[str, str]]:
    school = School(conn=conn, vault=vault, now=now)
    school.stranger("")  # emptied by an erasure: found by nobody, not even by chance
    return school, {value: school.stranger(value) for value in KNOWN}


def _all_anew(before: Columns, after: Columns, known: dict[str, str]) -> None:
    assert {blind2 for _, blind2 in after.values()} == {None}
    kept = [row_id for row_id in known.values() if row_id in before]
    assert len(kept) == len(KNOWN)
    assert all(after[row_id][0] != before[row_id][0] for row_id in kept)


def _columns(conn: Connection) -> Columns:
    return {row.id: (row.blind, row.blind2) for row in conn.execute(select(addresses))}


@pytest.mark.parametrize("stop", range(9))
async def test_a_rotation_that_was_cut_off_goes_on_where_it_was(
    database: Database, store: KeyStore, now: datetime, stop: int
) -> None:
    command = Vault.over(store)

    def fill(conn: Connection) -> None:
        school = School(conn=conn, vault=command, now=now)
        for value in KNOWN:
            school.stranger(value)

    await database.write(fill)
    steps = 0

    def cut(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps > stop:
            raise KeyboardInterrupt

    def write(fn: Callable[[Connection], object]) -> object:
        cut()
        return database.write_sync(fn)

    with pytest.raises(KeyboardInterrupt):
        rotate_index(store, command, write, at=now, wait=cut, told=cut)  # type: ignore[arg-type]
    again = Vault.over(store)
    rotate_index(store, again, database.write_sync, at=now, wait=lambda _s: None)
    assert (store.state().index_id, store.state().index_next) == ("a2", None)
    with pytest.raises(KeyGone):
        store.key("a1")
    fresh = Vault.over(store)
    found = await database.write(
        lambda conn: lock_addresses(
            conn, [("sms", ACCOUNT, fresh.blind_address("sms", ACCOUNT, v)) for v in KNOWN]
        )
    )
    assert len(found) == len(KNOWN)


async def test_what_does_not_open_is_counted_and_left(
    database: Database, store: KeyStore, now: datetime
) -> None:
    vault = Vault.over(store)
    home = new_id(now)

    def fill(conn: Connection) -> None:
        row = School(conn=conn, vault=vault, now=now).stranger("+27821")
        sealed = vault.seal("+27821", table="addresses", column="value", row=row, key=home)
        conn.execute(addresses.update().values(value=sealed))

    await database.write(fill)
    vault.destroy([home], at=now)
    passed = await database.write(lambda conn: pass_over(conn, vault, after=""))
    assert (passed.after, passed.changed, passed.closed) == (None, 0, 1)


async def test_a_pass_comes_in_parts(database: Database, store: KeyStore, now: datetime) -> None:
    vault = Vault.over(store)

    def fill(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        for value in KNOWN:
            school.stranger(value)

    await database.write(fill)
    store.ensure(["a2"])
    store.index_step(index_id="a1", index_next="a2")
    vault.refresh()
    after: str | None = ""
    sizes = []
    while after is not None:
        start = after
        part = await database.write(
            lambda conn, s=start: pass_over(conn, vault, after=s, limit=3)  # type: ignore[misc]
        )
        after = part.after
        sizes.append(part.changed)
    assert sizes == [3, 3, 1]


def test_keys_of_the_index_are_numbered() -> None:
    assert [next_index_id("a1"), next_index_id("a9"), next_index_id("a10")] == ["a2", "a10", "a11"]
