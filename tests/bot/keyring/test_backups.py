"""Backups: sealed, checked, without keys; and a month-old one after an erasure."""

import asyncio
import json
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select

from bot.commands import guarded
from bot.keyring import backups, masters
from bot.keyring.keys import rotate, rotate_after_erasure
from bot.keyring.vaults import open_vault
from bot.settings import Settings
from storage import schema
from storage.database import Database
from storage.engines import parse_url, plain_reading_engine, writing_engine
from storage.errors import KeyGone, MasterRefused
from storage.keyring.binding import bind
from storage.keyring.sealedfile import open_file
from storage.keyring.vault import Vault
from storage.migrate import upgrade
from storage.rights.erasing import erase_household, leftovers
from storage.rights.redacting import key_of
from tests.storage.homes import Family, Town

MASTER = bytes(range(32))
MONTH = timedelta(days=31)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass(slots=True, kw_only=True)
class Place:
    """A deployment with two families, and where its backups go."""

    settings: Settings
    folder: Path
    gone: Family
    stays: Family
    now: datetime

    def backup(self, at: datetime) -> tuple[Path, Path]:
        """(backup, the key store's copy), made then."""
        names = (
            self.folder / "backups" / f"{at:%d%m}.backup",
            self.folder / "keys" / f"{at:%d%m}.db",
        )
        for name in names:
            name.parent.mkdir(exist_ok=True)
        code = guarded(lambda: backups.backup(self.settings, to=names[0], keys_to=names[1], now=at))
        assert code == 0
        return names

    def restore(
        self, source: Path, *, to: str = "", keys: Path | None = None, drill: bool = False
    ) -> int:
        return guarded(
            lambda: backups.restore(
                self.settings, source=source, keys=keys, to=to, drill=drill, now=self.now + MONTH
            )
        )

    def erase(self, at: datetime) -> None:
        """As `erase` does: ledger, rows, key, a new master."""
        vault = open_vault(self.settings)
        store = vault.store
        assert store is not None
        engine = writing_engine(*parse_url(self.settings.url))
        store.note_erasure(self.gone.id, at=at, ground="request")
        with engine.begin() as conn:
            done = erase_household(conn, self.gone.id, at=at, vault=vault)
        engine.dispose()
        store.destroy(done.keys, at=at)
        rotate_after_erasure(self.settings, store, now=at)
        vault.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path, now: datetime) -> Place:
    url = f"sqlite:///{tmp_path / 'live.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("empty_postgres_url"))
    return _deployment(tmp_path, url, now)


def _deployment(tmp_path: Path, url: str, now: datetime) -> Place:
    key = tmp_path / "master.key"
    key.write_text(masters.write_out(MASTER))
    key.chmod(0o600)
    told = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path / "data",
        database_url=url,
        master_key_file=key,
        secret_key="s" * 32,
        public_base_url="https://bot.school.org.za",
    )
    upgrade(url)
    vault = open_vault(told, at=now)
    engine = writing_engine(*parse_url(url))
    with engine.begin() as conn:
        bind(conn, vault, now=now)
        town = Town(conn=conn, vault=vault, now=now)
        gone, stays = town.family(1, children=2), town.family(2)
        _make_sound(conn, now)
    engine.dispose()
    vault.close()
    return Place(settings=told, folder=tmp_path, gone=gone, stays=stays, now=now)


def _make_sound(conn: Connection, now: datetime) -> None:
    """What the families' rows lack to hold together as a real conversation's do."""
    letters = conn.execute(select(func.count()).select_from(schema.inbox)).scalar_one()
    seen = [{"channel": "sms", "account": "a", "digest": f"{n:032x}"} for n in range(letters)]
    conn.execute(insert(schema.inbox_seen), seen)
    conn.execute(schema.inbox.update().values(status="done"))
    conn.execute(schema.alerts.update().values(accepted_at=now, outcome="resolved"))


def rows(url: str, table: str) -> list[tuple[object, ...]]:
    engine = plain_reading_engine(*parse_url(url))
    try:
        with engine.connect() as conn:
            found = conn.execute(select(schema.metadata.tables[table])).all()
            return sorted((tuple(row) for row in found), key=repr)
    finally:
        engine.dispose()


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    """All that a restore must bring back; `kept` has its own notes of backups."""
    return {name: rows(url, name) for name in schema.metadata.tables if name != "kept"}


def kept(url: str, name: str) -> dict[str, object] | None:
    found = {row[0]: str(row[1]) for row in rows(url, "kept")}
    return json.loads(found[name]) if name in found else None


def test_what_was_backed_up_comes_back_whole(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(place.settings.url)
    backup, keys = place.backup(place.now)
    new = f"sqlite:///{place.folder / 'new.db'}"
    assert place.restore(backup, to=new) == 0, capsys.readouterr().err
    assert everything(new) == before
    assert kept(new, "restored_backup") is not None
    assert kept(place.settings.url, "last_backup") == {
        "made_at": place.now.isoformat(),
        "name": backup.name,
    }
    assert {path.stat().st_mode & 0o777 for path in (backup, keys)} == {0o600}
    assert [p.name for p in backup.parent.iterdir()] == [backup.name]
    assert not list((place.folder / "data").glob(".backup-*"))


@pytest.mark.postgres
def test_a_backup_of_one_database_can_become_the_other(
    place: Place, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(place.settings.url)
    backup, _ = place.backup(place.now)
    new = str(request.getfixturevalue("empty_postgres_url"))
    if new == place.settings.url:
        new = f"sqlite:///{place.folder / 'other.db'}"
    assert place.restore(backup, to=new) == 0, capsys.readouterr().err
    assert everything(new) == before
    assert place.restore(backup, to=new) == 1
    assert "Fix:" in capsys.readouterr().err


def test_a_backup_shows_nothing_and_holds_no_key(place: Place) -> None:
    backup, keys = place.backup(place.now)
    sealed = backup.read_bytes()
    for word in (b"SQLite format", b"North", place.stays.canary.encode(), b"mother"):
        assert word not in sealed
    vault = open_vault(place.settings)
    store = vault.store
    assert store is not None
    plain = place.folder / "plain.db"
    open_file(backup, plain, key=store.key(backups.BACKUP_KEY))
    with sqlite3.connect(keys) as conn:
        wrapped = [row[0] for row in conn.execute("select wrapped from data_keys")]
    conn.close()
    assert len(wrapped) >= 5
    text = plain.read_bytes()
    assert place.stays.canary.encode() not in text
    for key in (*wrapped, *store.keys(list(store.ids())).values(), MASTER):
        assert key not in text
        assert key not in sealed
    vault.close()


def test_a_drill_proves_it_and_puts_nothing_in_place(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, _ = place.backup(place.now)
    before = sorted(p.name for p in place.folder.iterdir())
    assert place.restore(backup, drill=True) == 0, capsys.readouterr().err
    assert "It was a drill" in capsys.readouterr().out
    assert sorted(p.name for p in place.folder.iterdir()) == before
    noted = kept(place.settings.url, "restored_backup")
    assert noted is not None
    assert (noted["drill"], noted["name"]) == (True, backup.name)


def test_a_month_old_backup_after_an_erasure_shows_nothing_of_the_household(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, old_keys = place.backup(place.now)
    place.erase(place.now + timedelta(days=30))
    new = f"sqlite:///{place.folder / 'new.db'}"
    assert place.restore(backup, to=new) == 0, capsys.readouterr().err
    assert "1 households erased again" in capsys.readouterr().out
    engine = plain_reading_engine(*parse_url(new))
    with engine.connect() as conn:
        assert leftovers(conn, place.gone.id) == {}
        ids = set(conn.execute(select(schema.children.c.household_id)).scalars())
    engine.dispose()
    assert ids == {place.stays.id}
    raw = (place.folder / "new.db").read_bytes()
    for child in place.gone.children:
        assert child.id.encode() not in raw
        assert child.code.encode() not in raw
    for session in place.gone.addresses:
        assert session.encode() not in raw
    vault = open_vault(place.settings)
    assert _names(new, vault) == [place.stays.canary]
    vault.close()
    # The forgotten stick: the key file of that month opens nothing any more.
    assert place.settings.master != MASTER
    stick = Settings(**{**place.settings.model_dump(), "keys_url": f"sqlite:///{old_keys}"})
    with pytest.raises(MasterRefused, match="does not open the key store"):
        open_vault(stick)


def test_the_backup_itself_cannot_be_read_for_the_household_even_before_the_replay(
    place: Place,
) -> None:
    backup, _ = place.backup(place.now)
    place.erase(place.now + timedelta(days=30))
    vault = open_vault(place.settings)
    store = vault.store
    assert store is not None
    plain = place.folder / "plain.db"
    open_file(backup, plain, key=store.key(backups.BACKUP_KEY))
    engine = plain_reading_engine(*parse_url(f"sqlite:///{plain}"))
    with engine.connect() as conn:
        found = [each for each in _sealed(conn) if each[:2] in place.gone.rows]
    engine.dispose()
    assert {key_of(blob) for *_, blob in found} == place.gone.keys  # also what came before joining
    for name, key, column, blob in found:
        with pytest.raises(KeyGone):
            vault.open(blob, table=name, column=column, row=":".join(map(str, key)))
    vault.close()


def _sealed(conn: Connection) -> list[tuple[str, tuple[object, ...], str, bytes]]:
    """Every sealed value of a database: its table, the row's key, its column."""
    return [
        (table.name, tuple(row[:-1]), column.name, row[-1])
        for table in schema.metadata.sorted_tables
        for column in table.columns
        if column.info.get("sealed")
        for row in conn.execute(
            select(*table.primary_key.columns, column).where(column.is_not(None))
        )
    ]


def test_an_old_key_file_beside_a_newer_store_changes_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, old_keys = place.backup(place.now)
    place.erase(place.now + timedelta(days=30))
    new = f"sqlite:///{place.folder / 'new.db'}"
    assert place.restore(backup, keys=old_keys, to=new) == 0
    said = capsys.readouterr()
    assert "Left aside" in said.err
    assert "1 households erased again" in said.out


def test_on_a_new_machine_the_key_file_comes_from_its_copy(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.backup(place.now)
    place.erase(place.now + timedelta(days=1))
    backup, keys = place.backup(place.now + timedelta(days=2))
    fresh = Place(
        settings=Settings(
            **{
                **place.settings.model_dump(),
                "data_dir": place.folder / "machine",
                "database_url": f"sqlite:///{place.folder / 'machine.db'}",
            }
        ),
        folder=place.folder,
        gone=place.gone,
        stays=place.stays,
        now=place.now,
    )
    assert fresh.restore(backup, to=fresh.settings.url) == 1
    assert "no key store" in capsys.readouterr().err
    assert fresh.restore(backup, keys=keys, to=fresh.settings.url) == 0, capsys.readouterr().err
    vault = open_vault(fresh.settings)
    assert vault.store is not None
    assert [e.household_id for e in vault.store.erasures()] == [place.gone.id]
    assert _names(fresh.settings.url, vault) == [place.stays.canary]
    vault.close()


def test_a_spoiled_backup_is_refused_and_nothing_is_left(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, _ = place.backup(place.now)
    whole = backup.read_bytes()
    for spoiled in (whole[:-1], whole[:200], whole[:-5] + b"x" + whole[-4:], b"photo"):
        backup.write_bytes(spoiled)
        new = place.folder / "new.db"
        assert place.restore(backup, to=f"sqlite:///{new}") == 1
        assert backup.name in capsys.readouterr().err
        assert not new.exists()
    assert not list((place.folder / "data").glob(".backup-*"))


def test_a_backup_of_another_deployment_is_named(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, _ = place.backup(place.now)
    other = Settings(**{**place.settings.model_dump(), "data_dir": tmp_path / "elsewhere"})
    open_vault(other, at=place.now).close()
    code = guarded(
        lambda: backups.restore(other, source=backup, keys=None, to="", drill=True, now=place.now)
    )
    assert code == 1
    assert "made with another key store" in capsys.readouterr().err


def test_a_backup_of_a_damaged_database_is_not_written(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = writing_engine(*parse_url(place.settings.url))
    with engine.begin() as conn:
        conn.execute(delete(schema.events))  # answers without what caused them
    engine.dispose()
    target = place.folder / "b.backup"
    code = guarded(lambda: backups.backup(place.settings, to=target, keys_to=None, now=place.now))
    assert code == 1
    assert "No backup was written" in capsys.readouterr().err
    assert not [p for p in place.folder.iterdir() if "backup" in p.name]


def test_keys_beside_their_backup_are_refused(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = place.folder / "stick"
    folder.mkdir()
    code = guarded(lambda: backups.backup(place.settings, to=folder, keys_to=folder, now=place.now))
    assert code == 1
    assert "--keys-to" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


async def test_a_backup_is_one_moment_while_others_write(place: Place) -> None:
    """Rows written in one transaction come together or not at all."""
    database = Database.open(place.settings.url, exclusive=False)
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            pair = [
                {"name": f"{name}{written}", "value": "", "at": place.now} for name in ("a", "b")
            ]
            database.write_sync(lambda conn, pair=pair: _one_by_one(conn, pair))  # type: ignore[misc]
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    backup, _ = await asyncio.to_thread(place.backup, place.now)
    stop.set()
    await asyncio.to_thread(writer.join)
    await database.close()
    vault = open_vault(place.settings)
    assert vault.store is not None
    plain = place.folder / "plain.db"
    open_file(backup, plain, key=vault.store.key(backups.BACKUP_KEY))
    vault.close()
    names = {str(row[0]) for row in rows(f"sqlite:///{plain}", "kept")}
    first, second = ({n[1:] for n in names if n[0] == x and n[1:].isdigit()} for x in "ab")
    assert first == second
    assert 0 < len(first) <= written


def _one_by_one(conn: Connection, pair: list[dict[str, object]]) -> None:
    for row in pair:
        conn.execute(insert(schema.kept).values(**row))


@settings(max_examples=4, deadline=None)
@given(st.lists(st.sampled_from(["backup", "erase", "rotate"]), min_size=2, max_size=5), st.data())
def test_whatever_happened_between_a_restore_shows_the_living_and_nobody_erased(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], data: st.DataObject
) -> None:
    now = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
    folder = tmp_path_factory.mktemp("life")
    place = _deployment(folder, f"sqlite:///{folder / 'live.db'}", now)
    made = [place.backup(now)[0]]
    erased = False
    for number, step in enumerate(steps, 1):
        at = now + timedelta(days=number)
        if step == "backup":
            made.append(place.backup(at)[0])
        elif step == "erase":
            place.erase(at)
            erased = True
        else:
            assert guarded(partial(rotate, place.settings, now=at)) == 0
    source = data.draw(st.sampled_from(made))
    new = f"sqlite:///{folder / 'new.db'}"
    assert place.restore(source, to=new) == 0
    vault = open_vault(place.settings)
    living = [place.stays.canary, *([] if erased else [place.gone.canary])]
    assert sorted(_names(new, vault)) == sorted(living)
    vault.close()
    households = {row[0] for row in rows(new, "children")} & {c.id for c in place.gone.children}
    assert bool(households) != erased


def _names(url: str, vault: Vault) -> list[str]:
    engine = plain_reading_engine(*parse_url(url))
    with engine.connect() as conn:
        found = conn.execute(
            select(schema.persons.c.id, schema.persons.c.name).where(
                schema.persons.c.name.is_not(None)
            )
        ).all()
    engine.dispose()
    return vault.open_many([(row.id, row.name) for row in found], table="persons", column="name")
