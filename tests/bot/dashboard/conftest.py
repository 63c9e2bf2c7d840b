"""A dashboard to visit."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from storage.database import Database
from storage.keyring.vault import Vault
from tests.bot.dashboard.house import House


@pytest.fixture
async def house(
    sqlite_url: str, vault: Vault, now: datetime, tmp_path: Path
) -> AsyncIterator[House]:
    """Two schools, an alert in each, a user of each role at the first, the app."""
    database = Database.open(sqlite_url)
    made = House(database=database, vault=vault, now=now, exports=tmp_path / "exports")
    await database.write(made.build)
    made.open()
    yield made
    await database.close()
