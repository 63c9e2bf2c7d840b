"""Deleted rows leave nothing readable in SQLite's files, also while others have them open."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert

from storage.database import Database
from storage.engines import parse_url, plain_reading_engine
from storage.errors import StorageError
from storage.rights.scrubbing import overwrite_deleted, scrub
from storage.schema import kept

CANARY = b"BudgerigarsEverywhere"


def files(url: str) -> bytes:
    path = Path(parse_url(url)[1].database or "")
    return b"".join(p.read_bytes() for p in sorted(path.parent.glob(f"{path.name}*")))


async def fill_and_delete(database: Database, *, overwrite: bool) -> None:
    def put(conn: Connection) -> None:
        rows = [
            {"name": f"n{i}", "value": CANARY.decode() + "x" * 200, "at": None} for i in range(50)
        ]
        conn.exec_driver_sql("create table if not exists plain (name text, value text)")
        conn.exec_driver_sql(
            "insert into plain values (?, ?)", [(row["name"], row["value"]) for row in rows]
        )

    def drop(conn: Connection) -> None:
        if overwrite:
            overwrite_deleted(conn)
        conn.exec_driver_sql("delete from plain")

    await database.write(put)
    await database.write(drop)


async def test_without_scrubbing_the_file_still_has_it_and_afterwards_not(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    await fill_and_delete(database, overwrite=True)
    assert CANARY in files(sqlite_url)  # the log, at least: else this test would prove nothing
    assert scrub(sqlite_url, ()) == "clean"
    assert CANARY not in files(sqlite_url)
    # The bot that has the file open goes on with it.
    await database.write(lambda c: c.exec_driver_sql("insert into plain values ('still', 'here')"))
    await database.close()


async def test_somebody_who_reads_is_waited_for_and_then_named(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    await fill_and_delete(database, overwrite=True)
    engine = plain_reading_engine(*parse_url(sqlite_url))
    with engine.connect() as reader:
        reader.exec_driver_sql("select count(*) from kept")
        assert scrub(sqlite_url, (), readers_ms=10) == "reader"
    engine.dispose()
    assert scrub(sqlite_url, ()) == "clean"
    assert CANARY not in files(sqlite_url)
    await database.close()


@pytest.mark.postgres
async def test_postgresql_lets_the_space_be_used_again(postgres_url: str) -> None:
    database = Database.open(postgres_url, workers=1)
    await database.write(overwrite_deleted)  # nothing to do, and no fault
    await database.write(lambda c: c.execute(delete(kept)))
    assert scrub(postgres_url, ["kept", "sessions"]) == "server"
    await database.close()


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        scrub(f"sqlite:///{tmp_path / 'no' / 'such.db'}", ())
    assert insert(kept) is not None
