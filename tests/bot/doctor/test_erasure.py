"""Doctor names what of an erased household is still there, and what is kept for too long."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, update

from bot.app import site_of
from bot.doctor.erasure import checks
from bot.launch_papers import Launch, Paper
from bot.settings import Settings
from storage import schema
from storage.database import Database
from storage.keyring.keys import KeyStore
from storage.keyring.vault import Vault
from storage.rights.erasing import erase_household
from tests.storage.homes import Town

YEARS = timedelta(days=3000)
SIGNED = Launch(retention_table=Paper(name="Dr N", on=date(2026, 1, 5), document="file 3"))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    opened = Vault.over(KeyStore.open(f"sqlite:///{tmp_path / 'keys.db'}", bytes(range(32))))
    yield opened
    opened.close()


async def look(
    sqlite_url: str, vault: Vault, now: datetime, prepare: Any, *, signed: bool = False
) -> dict[str, str]:
    site = site_of(Settings(_env_file=None, demo=True))  # type: ignore[call-arg]
    if signed:
        site = site.model_copy(update={"launch": SIGNED})
    database = Database.open(sqlite_url)

    def work(conn: Connection) -> None:
        town = Town(conn=conn, vault=vault, now=now)
        town.family(1)
        prepare(conn, town)

    await database.write(work)
    ctx = SimpleNamespace(keys=vault.store, site=site, read=database.read_sync, now=now)
    found = checks(ctx)  # type: ignore[arg-type]
    await database.close()
    assert all(verdict.fix for verdict in found if verdict.state != "ok")
    return {verdict.name: verdict.state for verdict in found}


def erased(conn: Connection, town: Town) -> None:
    store = town.vault.store
    assert store is not None
    home = town.families[0]
    store.note_erasure(home.id, at=town.now, ground="request")
    done = erase_household(conn, home.id, at=town.now, vault=town.vault)
    store.destroy(done.keys, at=town.now)


def noted_only(_conn: Connection, town: Town) -> None:
    store = town.vault.store
    assert store is not None
    store.note_erasure(town.families[0].id, at=town.now, ground="request")


def key_left(conn: Connection, town: Town) -> None:
    erase_household(conn, town.families[0].id, at=town.now, vault=town.vault)


def old(conn: Connection, town: Town) -> None:
    conn.execute(update(schema.inbox).values(done_at=town.now - YEARS))
    conn.execute(update(schema.children).values(left_at=town.now - YEARS))


GOOD = {"erased households": "ok", "keys of erased households": "ok", "retention": "ok"}
KEPT = "retention, by hand"


@pytest.mark.parametrize(
    ("prepare", "signed", "expected"),
    [
        (lambda *_: None, False, GOOD),
        (erased, False, GOOD),
        (noted_only, False, GOOD | {"erased households": "red"}),
        (key_left, False, GOOD | {"keys of erased households": "red"}),
        (old, True, {**GOOD, "retention": "warn", KEPT: "warn"}),
        (old, False, {**GOOD, "retention": "warn", "retention, unsigned": "warn"}),
    ],
)
async def test_what_is_wrong_is_named_and_what_is_right_is_not(
    sqlite_url: str,
    vault: Vault,
    now: datetime,
    *,
    prepare: Any,
    signed: bool,
    expected: dict[str, str],
) -> None:
    assert await look(sqlite_url, vault, now, prepare, signed=signed) == expected
