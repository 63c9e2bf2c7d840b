"""What `doctor` says of requests, of the number of days, and of files that should be gone."""

from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert

from bot.app import site_of
from bot.doctor.rights import checks
from bot.rights.export import store
from bot.settings import Settings
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import requests


async def look(
    database: Database, folder: Path, now: datetime, *, confirmed: bool = False
) -> dict[str, str]:
    """The state of each verdict."""
    site = site_of(Settings(_env_file=None, demo=True))  # type: ignore[call-arg]
    if confirmed:
        site = site.model_copy(update={"request_days_confirmed_on": date(2026, 1, 5)})
    ctx = SimpleNamespace(
        site=site, now=now, settings=SimpleNamespace(data_dir=folder), read=database.read_sync
    )
    found = checks(ctx)  # type: ignore[arg-type]
    assert all(verdict.fix for verdict in found if verdict.state != "ok")
    return {verdict.name: verdict.state for verdict in found}


@pytest.fixture
async def database(sqlite_url: str, now: datetime) -> Database:
    """One request that is due in thirty days."""
    opened = Database.open(sqlite_url)
    await opened.write(
        lambda conn: conn.execute(
            insert(requests).values(
                id="1" * 32,
                key="access:1",
                kind="access",
                way="chat",
                received_at=now,
                due_at=now + timedelta(days=30),
                state="open",
            )
        )
    )
    return opened


async def test_a_request_past_its_day_is_red(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    in_time = await look(database, tmp_path, now)
    late = await look(database, tmp_path, now + timedelta(days=31), confirmed=True)
    await database.close()

    assert in_time == {"rights: requests": "ok", "rights: days": "warn", "rights: files": "ok"}
    assert late == {"rights: requests": "red", "rights: days": "ok", "rights: files": "ok"}


async def test_a_file_past_its_day_is_red(
    database: Database, vault: Vault, tmp_path: Path, now: datetime
) -> None:
    store(tmp_path / "exports", vault, "{}", household_id=None, now=now)

    fresh = await look(database, tmp_path, now + timedelta(hours=1))
    old = await look(database, tmp_path, now + timedelta(hours=25))
    await database.close()

    assert fresh["rights: files"] == "ok"
    assert old["rights: files"] == "red"
