from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.engines import parse_url, sqlite_file, writing_engine
from storage.errors import BadUrl


@pytest.mark.parametrize(
    ("url", "dialect", "driver"),
    [
        ("sqlite:///data/bot.db", "sqlite", "sqlite"),
        ("sqlite+aiosqlite:////srv/bot.db", "sqlite", "sqlite"),
        ("postgresql://u@h/db", "postgresql", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h:5433/db?host=/run/pg", "postgresql", "postgresql+psycopg"),
    ],
)
def test_urls_are_understood(url: str, dialect: str, driver: str) -> None:
    found, parsed = parse_url(url)
    assert (found, parsed.drivername) == (dialect, driver)


@pytest.mark.parametrize(
    "url", ["", "bot.db", "mysql://h/db", "sqlite://", "sqlite:///:memory:", "oracle://h"]
)
def test_other_urls_are_refused_with_the_right_form(url: str) -> None:
    with pytest.raises(BadUrl, match=r"sqlite:///path/to/file\.db"):
        parse_url(url)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    _, url = parse_url(f"sqlite:///{tmp_path}/nowhere/bot.db")
    with pytest.raises(BadUrl, match=f"{tmp_path}/nowhere"):
        sqlite_file(url)


async def test_sqlite_is_durable_and_checks_references(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    pragmas = ["journal_mode", "synchronous", "busy_timeout", "foreign_keys", "cache_size"]
    found = await database.write(
        lambda conn: [conn.execute(text(f"pragma {name}")).scalar() for name in pragmas]
    )
    assert found == ["wal", 2, 5000, 1, -65536]
    assert await database.read(lambda conn: conn.execute(text("pragma query_only")).scalar()) == 1
    await database.close()


def test_a_writing_transaction_holds_the_lock_from_its_first_moment(sqlite_url: str) -> None:
    engine = writing_engine(*parse_url(sqlite_url))
    with engine.begin() as first, engine.connect() as second:
        raw = second.connection.driver_connection
        assert raw is not None
        raw.execute("pragma busy_timeout = 0")
        with pytest.raises(Exception, match="locked"):
            raw.execute("BEGIN IMMEDIATE")
        assert first.in_transaction()
    engine.dispose()
