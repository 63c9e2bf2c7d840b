"""Requests are tested on both databases."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from storage.database import Database
from storage.keyring.vault import Vault
from tests.bot.rights.family import Family, settle

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with all tables, once on SQLite and once on PostgreSQL."""
    name = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    opened = Database.open(database_url, workers=2)
    yield opened
    await opened.close()


@pytest.fixture
async def family(database: Database, vault: Vault, now: datetime) -> Family:
    """A family with a file."""
    return await database.write(lambda conn: settle(conn, vault, now))
