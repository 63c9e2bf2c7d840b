"""The key store, on both databases."""

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from storage.errors import BadUrl, Busy, KeyGone, KeyMissing, MasterRefused
from storage.keyring.keycopies import copy_into, copy_to_file, newest
from storage.keyring.keyrows import FIRST_INDEX_KEY
from storage.keyring.keys import BLIND_KEY, PROGRAMME_KEY, KeyStore
from storage.keyring.keytables import data_keys
from storage.keyring.vault import Vault
from storage.keyring.wrapping import fingerprint, to_groups

MASTER = bytes(range(32))
NEW = bytes(range(50, 82))
H1, H2, H3 = ("1" * 32, "2" * 32, "3" * 32)


@pytest.fixture
def store(empty_url: str, now: datetime) -> Iterator[KeyStore]:
    opened = KeyStore.open(empty_url, MASTER, at=now)
    yield opened
    opened.close()


Other = Callable[..., KeyStore]


@pytest.fixture
def other() -> Iterator[Other]:
    """Opens the same store as another process does."""
    opened: list[KeyStore] = []

    def again(url: str, master: bytes = MASTER) -> KeyStore:
        opened.append(KeyStore.open(url, master, create=False))
        return opened[-1]

    yield again
    for each in opened:
        each.close()


def test_a_new_store_begins_with_the_keys_that_sealed_before_there_was_one(
    store: KeyStore,
) -> None:
    before = Vault.from_master(MASTER)
    place = {"table": "addresses", "column": "value", "row": "1"}
    sealed = before.seal("Nomvula", **place)
    after = Vault.over(store)
    assert after.open(sealed, **place) == "Nomvula"
    assert before.open(after.seal("x", **place), **place) == "x"
    assert after.blind("join", "A") == before.blind("join", "A")
    assert after.blind_address("sms", "a", "b") == before.blind_address("sms", "a", "b")
    assert set(store.ids()) == {PROGRAMME_KEY, BLIND_KEY, FIRST_INDEX_KEY}


def test_a_key_is_made_once_whoever_asks(store: KeyStore, empty_url: str, other: Other) -> None:
    second = other(empty_url)
    first = store.ensure([H1, H2])
    assert len(set(first.values())) == 2
    assert second.ensure([H2, H1]) == first
    assert second.keys([H1, H3]) == {H1: first[H1]}
    assert second.key(H1) == first[H1]


def test_two_processes_that_make_the_same_key_at_once_get_the_same(
    store: KeyStore, empty_url: str, other: Other
) -> None:
    second = other(empty_url)
    found: list[dict[str, bytes]] = []
    barrier = threading.Barrier(2)

    def make(opened: KeyStore) -> None:
        barrier.wait()
        found.append(opened.ensure([H1, H2, H3]))

    threads = [threading.Thread(target=make, args=(opened,)) for opened in (store, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert len(found[0]) == 3


def test_many_keys_come_in_parts(store: KeyStore) -> None:
    ids = [f"{n:032x}" for n in range(1201)]
    made = store.ensure(ids)
    assert len(set(made.values())) == 1201
    assert store.keys(ids) == made


def test_an_unknown_key_is_named(store: KeyStore) -> None:
    with pytest.raises(KeyMissing, match=H1):
        store.key(H1)


def test_a_destroyed_key_is_gone_for_everybody_and_never_made_again(
    store: KeyStore, empty_url: str, now: datetime, other: Other
) -> None:
    store.ensure([H1, H2])
    second = other(empty_url)
    second.destroy([H1, H3], at=now)  # H3 never had one: nor will it
    second.destroy([H1], at=now + timedelta(days=1))
    for opened in (store, second):
        for key_id in (H1, H3):
            with pytest.raises(KeyGone, match=key_id):
                opened.key(key_id)
            with pytest.raises(KeyGone, match=key_id):
                opened.ensure([H2, key_id])
        assert opened.ids()[H1] == now
        assert opened.keys([H1, H2]).keys() == {H2}


def test_a_destroyed_key_is_in_no_byte_of_the_file(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "keys.db"
    store = KeyStore.open(f"sqlite:///{path}", MASTER, at=now)
    store.ensure([H1, H2])
    with sqlite3.connect(path) as conn:
        wrapped = dict(conn.execute("select id, wrapped from data_keys").fetchall())
    store.destroy([H1], at=now)
    left = b"".join(each.read_bytes() for each in sorted(tmp_path.iterdir()))
    assert wrapped[H1] not in left
    assert wrapped[H2] in left
    store.rewrap(NEW, at=now)
    left = b"".join(each.read_bytes() for each in sorted(tmp_path.iterdir()))
    assert wrapped[H2] not in left
    store.close()
    conn.close()


def test_a_reader_that_keeps_old_pages_is_said_and_destroying_again_helps(
    tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "keys.db"
    store = KeyStore.open(f"sqlite:///{path}", MASTER, at=now)
    store.ensure([H1])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select * from data_keys").fetchall()
    with store._engine.connect() as quick:  # noqa: SLF001 - not to wait for five seconds
        quick.exec_driver_sql("pragma busy_timeout=1")
    with pytest.raises(Busy, match="run it again"):
        store.destroy([H1], at=now)
    reader.execute("rollback")
    reader.close()
    store.destroy([H1], at=now)
    with pytest.raises(KeyGone):
        store.key(H1)
    store.close()


def test_files_are_for_their_owner_alone(tmp_path: Path, now: datetime) -> None:
    store = KeyStore.open(f"sqlite:///{tmp_path / 'keys.db'}", MASTER, at=now)
    store.ensure([H1])
    copy_to_file(store, tmp_path / "copy.db")
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    store.close()


def test_a_new_master_wraps_the_same_keys(
    store: KeyStore, empty_url: str, now: datetime, other: Other
) -> None:
    made = store.ensure([H1, H2])
    before = {row: store.key(row) for row in (PROGRAMME_KEY, BLIND_KEY)}
    later = now + timedelta(days=3)
    master = store.rewrap(NEW, at=later)
    assert (master.generation, master.fingerprint) == (2, fingerprint(NEW))
    second = other(empty_url, NEW)
    for opened in (store, second):
        assert opened.keys([H1, H2]) == made
        assert opened.keys(list(before)) == before
        assert opened.opens_with(NEW)
        assert not opened.opens_with(MASTER)
    with pytest.raises(
        MasterRefused, match=r"MASTER_KEY: this master key was replaced on 2026-02-05"
    ):
        other(empty_url, MASTER)


def test_a_foreign_master_is_refused_with_the_sheet_that_helps(
    store: KeyStore, empty_url: str, other: Other
) -> None:
    with pytest.raises(MasterRefused, match=r"MASTER_KEY.*KEYS_URL.*sheet of 2026-02-02") as told:
        other(empty_url, NEW)
    assert fingerprint(MASTER) in str(told.value)


def test_a_running_process_goes_on_where_it_can_read_the_new_master(
    store: KeyStore, empty_url: str, now: datetime, other: Other
) -> None:
    made = store.ensure([H1])
    readable: list[bytes] = [MASTER]
    running = KeyStore.open(empty_url, MASTER, masters=lambda: tuple(readable), create=False)
    fixed = other(empty_url)
    readable.append(NEW)
    store.rewrap(NEW, at=now)
    assert running.key(H1) == made[H1]
    assert running.ensure([H2]).keys() == {H2}
    with pytest.raises(MasterRefused, match="was replaced"):
        fixed.key(H1)
    with pytest.raises(MasterRefused, match="was replaced"):
        fixed.ensure([H3])
    with pytest.raises(MasterRefused, match="was replaced"):
        fixed.rewrap(bytes(32), at=now)
    assert store.key(H2) == running.key(H2)
    running.close()


def test_a_rotation_that_breaks_leaves_everything_as_it_was(
    store: KeyStore, empty_url: str, now: datetime, other: Other
) -> None:
    made = store.ensure([H1, H2])
    with store._write() as conn:  # noqa: SLF001 - a copy that rotted on the disk
        wrapped = conn.execute(select(data_keys.c.wrapped).where(data_keys.c.id == H2)).scalar_one()
        conn.execute(data_keys.update().where(data_keys.c.id == H2).values(wrapped=bytes(60)))
    with pytest.raises(Exception, match=H2):
        store.rewrap(NEW, at=now)
    with store._write() as conn:  # noqa: SLF001
        conn.execute(data_keys.update().where(data_keys.c.id == H2).values(wrapped=wrapped))
    assert store.opens_with(MASTER)
    assert other(empty_url).keys([H1, H2]) == made


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(["ensure", "destroy", "rotate", "reopen"]), max_size=8), st.data())
def test_whatever_happens_living_keys_stay_and_destroyed_ones_stay_gone(
    tmp_path_factory: pytest.TempPathFactory, now: datetime, steps: list[str], data: st.DataObject
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('keys') / 'keys.db'}"
    ids = [H1, H2, H3]
    master, alive, gone = MASTER, dict[str, bytes](), set[str]()
    store = KeyStore.open(url, master, at=now)
    for number, step in enumerate(steps):
        key_id = data.draw(st.sampled_from(ids))
        if step == "ensure" and key_id not in gone:
            made = store.ensure([key_id])[key_id]
            assert alive.setdefault(key_id, made) == made
        elif step == "destroy":
            store.destroy([key_id], at=now)
            alive.pop(key_id, None)
            gone.add(key_id)
        elif step == "rotate":
            master = bytes([number + 1]) * 32
            store.rewrap(master, at=now)
        elif step == "reopen":
            store.close()
            store = KeyStore.open(url, master, create=False)
        assert store.keys(ids) == alive
        for key_id in gone:
            with pytest.raises(KeyGone):
                store.key(key_id)
    store.close()


def test_the_sheet_is_confirmed_by_two_of_its_groups(
    store: KeyStore, empty_url: str, now: datetime, other: Other
) -> None:
    assert store.master().sheet_at is None
    sheet = store.printed(at=now)
    assert sheet == to_groups(MASTER)
    assert store.master().sheet_at == now
    for wrong in (
        {},
        {1: sheet[0]},
        {1: sheet[0], 2: "AAAA"},
        {1: sheet[0], 99: ""},
        {1: sheet[0], 2: "\u00c4\u00d6"},
    ):
        assert not store.confirm(wrong, at=now)
    assert store.master().confirmed_at is None
    assert store.confirm({3: sheet[2].lower(), 14: f" {sheet[13]} "}, at=now)
    assert other(empty_url).master().confirmed_at == now
    store.rewrap(NEW, at=now)
    assert store.master().confirmed_at is None


def test_the_ledger_of_erasures_keeps_its_first_word(store: KeyStore, now: datetime) -> None:
    store.note_erasure(H2, at=now, ground="request")
    store.note_erasure(H1, at=now + timedelta(days=1), ground="retention")
    store.note_erasure(H2, at=now + timedelta(days=2), ground="again")
    assert [(e.household_id, e.at, e.ground) for e in store.erasures()] == [
        (H2, now, "request"),
        (H1, now + timedelta(days=1), "retention"),
    ]


def test_a_rotation_is_owed_until_it_is_done(store: KeyStore, now: datetime) -> None:
    store.owe_rotation(at=now)
    assert store.state().owed_at == now
    store.rewrap(NEW, at=now)
    assert store.state().owed_at is None


def test_a_copy_has_everything_and_the_newer_one_is_known(
    store: KeyStore, tmp_path: Path, now: datetime, other: Other
) -> None:
    made = store.ensure([H1, H2])
    path = tmp_path / "copy.db"
    copy_to_file(store, path)
    copy = other(f"sqlite:///{path}")
    assert copy.keys([H1, H2]) == made
    assert copy.state() == store.state()
    store.ensure([H3])
    assert newest([copy, store]) is store
    store.destroy([H1], at=now)
    store.note_erasure(H1, at=now, ground="request")
    assert newest([copy, store]) is store
    copy_into(store, f"sqlite:///{path}")
    copy.close()
    copy = other(f"sqlite:///{path}")
    assert copy.erasures() == store.erasures()
    with pytest.raises(KeyGone):
        copy.key(H1)


def test_an_old_copy_opens_nothing_after_a_rotation(
    store: KeyStore, tmp_path: Path, now: datetime, other: Other
) -> None:
    path = tmp_path / "stick.db"
    copy_to_file(store, path)
    store.rewrap(NEW, at=now)
    with pytest.raises(MasterRefused):
        other(f"sqlite:///{path}", NEW)


def test_where_there_is_no_store_none_is_made_unasked(empty_url: str) -> None:
    with pytest.raises(BadUrl, match="no key store"):
        KeyStore.open(empty_url, MASTER, create=False)
    with pytest.raises(ValueError, match="32 bytes"):
        KeyStore.open(empty_url, b"short")
