"""The master key's file: what is refused, and that no power cut leaves a store without its key."""

import os
import threading
from datetime import datetime
from pathlib import Path

import pytest

from bot.keyring import masters
from bot.keyring.keys import replace_file, rotate_after_erasure, steps
from bot.keyring.masters import MasterFileError
from bot.keyring.vaults import open_store, open_vault
from bot.settings import Settings, SettingsError, problems_of
from storage.engines import parse_url, writing_engine
from storage.errors import KeyGone, MasterRefused, SealBroken
from storage.keyring.keycopies import copy_to_file
from storage.keyring.keys import KeyStore
from storage.keyring.vault import Vault
from storage.migrate import upgrade
from tests.storage.rows import School

OLD = bytes(range(32))
NEW = bytes(range(60, 92))
HOME = "1" * 32


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "master.key"
    made.write_text(masters.write_out(OLD) + "\n")
    made.chmod(0o600)
    return made


def settings(tmp_path: Path, **told: object) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path / "data",
        secret_key="s" * 32,
        public_base_url="https://bot.school.org.za",
        **told,  # type: ignore[arg-type]
    )


def test_a_file_is_as_good_as_the_setting(tmp_path: Path, path: Path) -> None:
    found = settings(tmp_path, master_key_file=path)
    assert not found.is_demo
    assert problems_of(found) == ()
    assert found.master == OLD


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
def test_a_file_that_others_may_read_is_refused_with_the_fix(
    tmp_path: Path, path: Path, mode: int
) -> None:
    path.chmod(mode)
    (problem,) = problems_of(settings(tmp_path, master_key_file=path))
    assert problem.startswith("MASTER_KEY_FILE: others may read")
    assert f"chmod 600 {path}" in problem


@pytest.mark.parametrize("text", ["", "short", "not base64!", "A" * 40])
def test_a_file_with_something_else_is_refused(tmp_path: Path, path: Path, text: str) -> None:
    path.write_text(text)
    (problem,) = problems_of(settings(tmp_path, master_key_file=path))
    assert problem.startswith("MASTER_KEY_FILE:")
    assert "32 random bytes" in problem


def test_a_missing_file_is_refused_with_how_to_make_one(tmp_path: Path) -> None:
    (problem,) = problems_of(settings(tmp_path, master_key_file=tmp_path / "none.key"))
    assert "openssl rand -base64 32" in problem
    assert "umask 077" in problem


def test_two_master_keys_are_one_too_many(tmp_path: Path, path: Path) -> None:
    both = settings(tmp_path, master_key_file=path, master_key=masters.write_out(NEW))
    (problem,) = problems_of(both)
    assert problem.startswith("MASTER_KEY: MASTER_KEY_FILE is set too")


def test_the_keys_must_not_stand_in_the_database(tmp_path: Path, path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'all.db'}"
    (problem,) = problems_of(
        settings(tmp_path, master_key_file=path, database_url=url, keys_url=url)
    )
    assert problem.startswith("KEYS_URL:")


def test_the_demo_has_its_own_keys(tmp_path: Path) -> None:
    demo = Settings(_env_file=None, data_dir=tmp_path, demo=True)  # type: ignore[call-arg]
    assert demo.key_store == f"sqlite:///{tmp_path / 'demo-keys.db'}"
    live = settings(tmp_path, master_key=masters.write_out(OLD))
    assert live.key_store == f"sqlite:///{tmp_path / 'data' / 'keys.db'}"
    assert settings(tmp_path, keys_url="postgresql://h/keys").key_store == "postgresql://h/keys"


def test_keys_of_a_new_deployment_are_chance_and_those_of_an_old_one_stay(
    tmp_path: Path, path: Path, now: datetime
) -> None:
    """No master key, not even the first one, gives the keys of a new store."""
    told = settings(tmp_path, master_key_file=path)
    place = {"table": "addresses", "column": "value", "row": "1"}
    before = Vault.from_master(OLD)
    vault = open_vault(told, at=now)
    with pytest.raises(SealBroken):
        before.open(vault.seal("x", **place), **place)
    vault.close()
    upgrade(told.url)
    engine = writing_engine(*parse_url(told.url))
    with engine.begin() as conn:
        School(conn=conn, vault=before, now=now).stranger("+27821")
    engine.dispose()
    old = settings(tmp_path, master_key_file=path, keys_url=f"sqlite:///{tmp_path / 'later.db'}")
    vault = open_vault(old, at=now)
    assert vault.open(before.seal("x", **place), **place) == "x"
    vault.close()


# -- replacing it --------------------------------------------------------------------------------


@pytest.mark.parametrize("reached", range(5))
def test_after_a_power_cut_at_any_step_the_store_opens_and_the_next_rotation_works(
    tmp_path: Path, path: Path, now: datetime, reached: int
) -> None:
    told = settings(tmp_path, master_key_file=path)
    store = open_store(told, at=now)
    made = store.ensure([HOME])
    for step in steps(path, store, NEW, now=now)[:reached]:
        step()
    store.close()

    again = open_store(told)
    assert again.keys([HOME]) == made
    switched = reached >= 2
    assert again.opens_with(NEW if switched else OLD)
    if switched:
        assert masters.read(path) == NEW
        assert not masters.beside(path).exists()
    third = bytes(range(90, 122))
    replace_file(path, told, again, third, now=now)
    assert again.keys([HOME]) == made
    assert masters.read(path) == third
    assert not masters.beside(path).exists()
    again.close()
    last = open_store(told)
    assert last.keys([HOME]) == made
    last.close()


def test_the_old_key_is_overwritten_where_it_stood(tmp_path: Path, path: Path) -> None:
    with path.open("rb") as held:
        masters.prepare(path, NEW)
        masters.overwrite(path)
        masters.take_over(path)
        assert masters.write_out(OLD).encode() not in held.read()
    assert masters.read(path) == NEW
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_followed(tmp_path: Path, path: Path) -> None:
    link = tmp_path / "link.key"
    link.symlink_to(path)
    masters.prepare(link, NEW)
    masters.take_over(link)
    assert link.is_symlink()
    assert masters.read(path) == NEW


def test_a_rotation_that_the_store_refuses_leaves_the_file(
    tmp_path: Path, path: Path, now: datetime
) -> None:
    told = settings(tmp_path, master_key_file=path)
    store = open_store(told, at=now)
    other = KeyStore.open(told.key_store, OLD)
    other.rewrap(NEW, at=now)  # by somebody who keeps the key elsewhere
    with pytest.raises(MasterRefused):
        replace_file(path, told, store, bytes(32), now=now)
    assert masters.read(path) == OLD
    assert not masters.beside(path).exists()
    for each in (store, other):
        each.close()


def test_two_rotations_come_one_after_the_other(tmp_path: Path, path: Path, now: datetime) -> None:
    told = settings(tmp_path, master_key_file=path)
    first = open_store(told, at=now)
    made = first.ensure([HOME])
    stores = [open_store(told) for _ in range(3)]

    def turn(store: KeyStore) -> None:
        replace_file(path, told, store, os.urandom(32), now=now)

    threads = [threading.Thread(target=turn, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.master().generation == 4
    last = open_store(told)
    assert last.keys([HOME]) == made
    for each in (*stores, first, last):
        each.close()


def test_a_rotation_under_way_is_left_to_who_does_it(
    tmp_path: Path, path: Path, now: datetime
) -> None:
    told = settings(tmp_path, master_key_file=path)
    store = open_store(told, at=now)
    with masters.alone(path):
        for step in steps(path, store, NEW, now=now)[:2]:
            step()
        beside = open_store(told)
        assert masters.beside(path).exists()
        beside.close()
    open_store(told).close()
    assert not masters.beside(path).exists()
    store.close()


def test_an_erasure_replaces_the_file_and_old_copies_open_nothing(
    tmp_path: Path, path: Path, now: datetime
) -> None:
    told = settings(tmp_path, master_key_file=path)
    vault = open_vault(told, at=now)
    place = {"table": "persons", "column": "name", "row": "1"}
    mine = vault.seal("Nomvula", **place, key=vault.key_for(HOME))
    other = vault.seal("Sipho", **place, key=vault.key_for("2" * 32))
    stick = tmp_path / "stick.db"
    store = vault.store
    assert store is not None
    copy_to_file(store, stick)
    vault.destroy([HOME], at=now)
    assert rotate_after_erasure(told, store, now=now)
    assert store.state().owed_at is None
    with pytest.raises(MasterRefused):
        KeyStore.open(f"sqlite:///{stick}", masters.read(path), create=False)
    vault.refresh()
    with pytest.raises(KeyGone):
        vault.open(mine, **place)
    assert vault.open(other, **place) == "Sipho"
    vault.close()


def test_with_the_key_in_the_environment_an_erasure_owes_a_rotation(
    tmp_path: Path, now: datetime
) -> None:
    told = settings(tmp_path, master_key=masters.write_out(OLD))
    store = open_store(told, at=now)
    assert not rotate_after_erasure(told, store, now=now)
    assert store.state().owed_at == now
    assert store.opens_with(OLD)
    store.close()


def test_no_master_key_at_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MASTER_KEY"):
        open_store(settings(tmp_path))
    with pytest.raises(MasterFileError, match="MASTER_KEY_FILE"):
        masters.candidates(tmp_path / "none")
