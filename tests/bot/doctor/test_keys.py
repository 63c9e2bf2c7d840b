"""Doctor on keys and backups: red until the sheet is confirmed, an erasure done, a backup made."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine

from bot.doctor.backups import checks as backup_checks
from bot.doctor.keys import checks
from storage.kept import keep
from storage.keyring.keys import KeyStore
from storage.keyring.vault import Vault
from storage.schema import metadata
from tests.storage.rows import School

MASTER = bytes(range(32))
HOME = "1" * 32


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://")
    metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def store(tmp_path: Path, now: datetime) -> Iterator[KeyStore]:
    opened = KeyStore.open(f"sqlite:///{tmp_path / 'keys.db'}", MASTER, at=now)
    yield opened
    opened.close()


def ctx(engine: Engine, store: KeyStore | None, now: datetime, **more: Any) -> Any:
    def read(fn: Any) -> Any:
        with engine.connect() as conn:
            return fn(conn)

    settings = {
        "is_demo": False,
        "key_store": str(store._engine.url) if store else "",  # noqa: SLF001
        "master_key_file": None,
    }
    return SimpleNamespace(
        settings=SimpleNamespace(**(settings | more)),
        keys=store,
        vault=Vault.over(store) if store else None,
        read=read,
        now=now,
    )


def states(context: Any) -> dict[str, str]:
    return {verdict.name: verdict.state for verdict in checks(context)}


def test_a_new_store_is_red_until_two_groups_were_typed_back(
    engine: Engine, store: KeyStore, now: datetime
) -> None:
    found = states(ctx(engine, store, now))
    assert found.pop("recovery sheet") == "red"
    assert set(found.values()) == {"ok"}
    sheet = store.printed(at=now)
    assert states(ctx(engine, store, now))["recovery sheet"] == "red"
    store.confirm({1: sheet[0], 2: sheet[1]}, at=now)
    assert set(states(ctx(engine, store, now)).values()) == {"ok"}
    store.rewrap(bytes(32), at=now)
    assert states(ctx(engine, store, now))["recovery sheet"] == "red"


def test_the_demo_needs_no_sheet(engine: Engine, store: KeyStore, now: datetime) -> None:
    assert "recovery sheet" not in states(ctx(engine, store, now, is_demo=True))


def test_without_a_store_it_says_so(engine: Engine, now: datetime) -> None:
    assert states(ctx(engine, None, now)) == {"keys": "red"}


def test_a_store_that_others_may_read_is_red(
    engine: Engine, store: KeyStore, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "keys.db").chmod(0o644)
    verdict = checks(ctx(engine, store, now))[0]
    assert (verdict.state, "chmod 600" in verdict.fix) == ("red", True)


def test_values_of_another_store_are_red(engine: Engine, store: KeyStore, now: datetime) -> None:
    with engine.begin() as conn:
        school = School(conn=conn, vault=Vault.over(store), now=now)
        school.stranger("+27821")
    assert states(ctx(engine, store, now))["keys and values"] == "ok"
    with engine.begin() as conn:
        school.conn = conn
        school.vault = Vault.from_master(bytes(32))
        school.stranger("+27822")
    (verdict,) = (v for v in checks(ctx(engine, store, now)) if v.name == "keys and values")
    assert (verdict.state, "1 of the newest 2" in verdict.found) == ("red", True)


def test_an_erasure_is_red_until_its_key_and_the_old_master_are_gone(
    engine: Engine, store: KeyStore, now: datetime
) -> None:
    store.ensure([HOME])
    store.note_erasure(HOME, at=now, ground="request")
    assert states(ctx(engine, store, now))["erased keys"] == "red"
    store.destroy([HOME], at=now)
    store.owe_rotation(at=now)
    (verdict,) = (v for v in checks(ctx(engine, store, now)) if v.name == "erased keys")
    assert (verdict.state, "keys rotate" in verdict.fix) == ("red", True)
    store.rewrap(bytes(32), at=now)
    assert states(ctx(engine, store, now))["erased keys"] == "ok"


def test_a_rotation_of_the_index_under_way_and_an_old_master_are_to_be_looked_at(
    engine: Engine, store: KeyStore, now: datetime
) -> None:
    store.ensure(["a2"])
    store.index_step(index_id="a1", index_next="a2")
    found = states(ctx(engine, store, now + timedelta(days=400)))
    assert (found["address index"], found["master key"]) == ("warn", "warn")


@pytest.mark.parametrize(("days", "state"), [(1, "ok"), (3, "warn"), (8, "red")])
def test_a_backup_grows_old(
    engine: Engine, store: KeyStore, now: datetime, days: int, state: str
) -> None:
    context = ctx(engine, store, now)
    assert [v.state for v in backup_checks(context)] == ["red"]

    def note(conn: Connection) -> None:
        keep(conn, "last_backup", "{}", now=now - timedelta(days=days))

    with engine.begin() as conn:
        note(conn)
    assert [v.state for v in backup_checks(context)] == [state]
    assert backup_checks(ctx(engine, store, now, is_demo=True)) == []
