"""The storage layer is tested on both databases."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with all tables, once on SQLite and once on PostgreSQL."""
    name = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    return str(request.getfixturevalue(name))


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database with nothing in it, once on SQLite and once on PostgreSQL."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("empty_postgres_url"))
    return f"sqlite:///{request.getfixturevalue('tmp_path') / 'empty.db'}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    opened = Database.open(database_url, workers=2)
    yield opened
    await opened.close()
