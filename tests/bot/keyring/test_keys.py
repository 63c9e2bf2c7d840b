"""The `keys` commands: what they print, what they ask, and that what they print works."""

import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.commands import guarded
from bot.keyring import keys, masters
from bot.keyring.vaults import open_store, open_vault
from bot.settings import Settings
from storage.database import Database
from storage.errors import KeyGone, MasterRefused
from storage.keyring.keycopies import copy_to_file
from storage.keyring.wrapping import fingerprint, from_groups, to_groups
from storage.migrate import upgrade
from storage.schema import addresses
from tests.rigs.serving import ROOT, wait_for
from tests.storage.rows import ACCOUNT, School

OLD = bytes(range(32))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def told(tmp_path: Path, *, file: bool = True, master: bytes = OLD) -> Settings:
    path = tmp_path / "master.key"
    if file and not path.exists():
        path.write_text(masters.write_out(master))
        path.chmod(0o600)
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path / "data",
        secret_key="s" * 32,
        public_base_url="https://bot.school.org.za",
        **({"master_key_file": path} if file else {"master_key": masters.write_out(master)}),  # type: ignore[arg-type]
    )


def groups_of(text: str) -> list[str]:
    """The groups of a printed sheet, in order."""
    words = [line.split() for line in text.splitlines() if line[:2].strip().isdigit()]
    pairs = [pair for line in words for pair in zip(line[::2], line[1::2], strict=True)]
    assert [int(number) for number, _ in pairs] == list(range(1, 15))
    return [group for _, group in pairs]


def from_sheet(groups: list[str]) -> Callable[[str], str]:
    """Types the group that is asked for."""

    def answer(question: str) -> str:
        (number,) = [int(word) for word in question.replace(":", " ").split() if word.isdigit()]
        return groups[number - 1]

    return answer


@contextmanager
def running(tmp_path: Path, stdout: int) -> Iterator[Path]:
    """`main.py run` of a live deployment, new or not, once it answers; gives back its stderr."""
    settings = told(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    names = ("PATH", "HOME", "LANG", "TMPDIR")
    env = {
        **{name: os.environ[name] for name in names if name in os.environ},
        "DEMO": "0",
        "DATA_DIR": str(settings.data_dir),
        "MASTER_KEY_FILE": str(settings.master_key_file),
        "SECRET_KEY": "s" * 32,
        "PUBLIC_BASE_URL": "https://bot.school.org.za",
        "PORT": str(port),
    }
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own front door
            [sys.executable, str(ROOT / "main.py"), "run"],
            cwd=tmp_path,
            env=env,
            stdout=stdout,
            stderr=stderr,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/", process, log)
        yield log
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_the_first_start_on_a_terminal_prints_the_sheet_once(tmp_path: Path) -> None:
    texts = []
    for _ in range(2):
        ours, theirs = pty.openpty()
        with running(tmp_path, theirs):
            pass
        os.set_blocking(ours, False)
        try:
            texts.append(os.read(ours, 10_000).decode())
        except BlockingIOError:
            texts.append("")
        os.close(theirs)
        os.close(ours)
    assert from_groups(groups_of(texts[0])) == OLD
    assert texts[1] == ""
    store = open_store(told(tmp_path))
    master = store.master()
    store.close()
    assert master.sheet_at is not None
    assert master.confirmed_at is None  # `doctor` stays red until somebody types two groups


def test_a_start_without_a_terminal_keeps_the_key_out_of_the_log(tmp_path: Path) -> None:
    out = tmp_path / "stdout"
    with out.open("wb") as stdout, running(tmp_path, stdout.fileno()) as log:
        pass
    said = out.read_text() + log.read_text()
    assert "RECOVERY SHEET" not in said
    assert not [group for group in to_groups(OLD) if group in said]
    (line,) = [line for line in said.splitlines() if "keys sheet" in line]
    assert line.startswith("MASTER_KEY_FILE: ")
    store = open_store(told(tmp_path))
    assert store.master().sheet_at is None
    assert keys.first_sheet(told(tmp_path), store, now=datetime.now(UTC), terminal=True)
    store.close()


def test_a_sheet_is_printed_and_two_of_its_groups_confirm_it(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path)
    assert keys.sheet(settings, now=now) == 0
    said = capsys.readouterr().out
    assert f"fingerprint {fingerprint(OLD)}" in said
    groups = groups_of(said)
    assert from_groups(groups) == OLD
    assert keys.confirm(settings, now=now, ask=lambda _q: "AAAA") == 1
    assert fingerprint(OLD) in capsys.readouterr().err
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return from_sheet(groups)(question)

    assert keys.confirm(settings, now=now, ask=answer) == 0
    assert len(set(asked)) == 2
    store = open_store(settings)
    assert store.master().confirmed_at == now
    store.close()


def test_a_rotation_replaces_the_file_and_prints_the_new_sheet(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path)
    vault = open_vault(settings, at=now)
    place = {"table": "persons", "column": "name", "row": "1"}
    blob = vault.seal("Nomvula", **place, key=vault.key_for("1" * 32))
    vault.close()
    assert keys.rotate(settings, now=now) == 0
    new = from_groups(groups_of(capsys.readouterr().out))
    assert settings.master == new != OLD
    vault = open_vault(settings)
    assert vault.open(blob, **place) == "Nomvula"
    assert vault.store is not None
    assert vault.store.master().confirmed_at is None
    vault.close()


def test_with_the_key_in_the_environment_the_new_one_is_printed_and_the_old_refused(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path, file=False)
    assert keys.rotate(settings, now=now) == 0
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if line.startswith("MASTER_KEY="))
    new = masters.parse(line.removeprefix("MASTER_KEY="))
    assert new == from_groups(groups_of(said))
    assert guarded(lambda: keys.show(settings, json_wanted=False)) == 1
    refused = capsys.readouterr().err
    assert refused.startswith("MASTER_KEY: this master key was replaced on 2026-02-02")
    assert new is not None
    assert fingerprint(new) in refused
    assert keys.show(told(tmp_path, file=False, master=new), json_wanted=False) == 0


def test_the_list_says_where_the_keys_stand_and_shows_none(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path)
    store = open_store(settings, at=now)
    made = store.ensure(["1" * 32, "2" * 32])
    store.destroy(["2" * 32], at=now)
    store.close()
    assert keys.show(settings, json_wanted=True) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert (found["keys"], found["destroyed"], found["generation"]) == (4, 1, 1)
    assert found["fingerprint"] == fingerprint(OLD)
    assert found["sheet_confirmed"] is None
    assert not any(key.hex() in text for key in made.values())
    assert keys.show(settings, json_wanted=False) == 0
    assert "sheet confirmed: -" in capsys.readouterr().out


def test_a_lost_file_comes_back_from_the_sheet(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path)
    keys.sheet(settings, now=now)
    groups = groups_of(capsys.readouterr().out)
    path = tmp_path / "master.key"
    path.unlink()
    assert guarded(lambda: keys.show(settings, json_wanted=False)) == 1
    wrong = [*groups[:5], "AAAA", *groups[6:]]
    assert keys.recover(settings, ask=from_sheet(wrong)) == 1
    assert not path.exists()
    assert keys.recover(settings, ask=from_sheet([g.lower() for g in groups])) == 0
    assert masters.read(path) == OLD
    assert keys.show(settings, json_wanted=False) == 0
    assert keys.recover(told(tmp_path, file=False), ask=from_sheet(groups)) == 0
    assert f"MASTER_KEY={masters.write_out(OLD)}" in capsys.readouterr().out


def test_an_old_sheet_is_refused_and_nothing_is_written(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path)
    keys.sheet(settings, now=now)
    old = groups_of(capsys.readouterr().out)
    keys.rotate(settings, now=now)
    before = masters.read(tmp_path / "master.key")
    with pytest.raises(MasterRefused, match="was replaced"):
        keys.recover(settings, ask=from_sheet(old))
    assert masters.read(tmp_path / "master.key") == before


def test_a_sheet_is_taken_where_there_is_no_store_to_compare_it_with(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path)
    keys.sheet(settings, now=now)
    groups = groups_of(capsys.readouterr().out)
    elsewhere = Settings(
        **{
            **settings.model_dump(),
            "data_dir": tmp_path / "data",
            "keys_url": f"sqlite:///{tmp_path / 'none.db'}",
            "master_key_file": tmp_path / "other.key",
        }
    )
    assert keys.recover(elsewhere, ask=from_sheet(groups)) == 0
    assert "no key store here yet" in capsys.readouterr().err
    assert masters.read(tmp_path / "other.key") == OLD


def test_the_index_of_addresses_gets_a_new_key(
    tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = told(tmp_path)
    settings.data_dir.mkdir()
    upgrade(settings.url)
    vault = open_vault(settings, at=now)
    database = Database.open(settings.url, exclusive=False)
    known = database.write_sync(
        lambda c: School(conn=c, vault=vault, now=now).stranger("+27821234567")
    )
    copy = tmp_path / "before.db"
    assert vault.store is not None
    copy_to_file(vault.store, copy)
    before = vault.blind_address("sms", ACCOUNT, "+27821234567")
    waited: list[float] = []
    assert keys.rotate_blind(settings, now=now, wait=waited.append) == 0
    assert len(waited) == 3
    vault.refresh()
    after = vault.blind_address("sms", ACCOUNT, "+27821234567")
    assert after != before
    (row,) = database.write_sync(lambda c: c.execute(select(addresses)).all())
    assert (row.id, row.blind, row.blind2) == (known, after, None)
    with pytest.raises(KeyGone):
        vault.store.key("a1")
    assert "a1 is destroyed" in capsys.readouterr().err
    vault.close()
