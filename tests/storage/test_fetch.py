import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, bindparam, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from storage.engines import parse_url, writing_engine
from storage.errors import Unavailable
from storage.fetch import Among, fetch
from storage.schema import addresses, kept
from storage.talk.conversations import (
    lock_addresses,
    lock_persons,
    unfinished_sessions,
)
from storage.talk.outbox import claim
from storage.talk.receipts import adopt_orphans
from storage.types import Instant

LISTED = select(kept.c.name, kept.c.at).where(Among(kept.c.name, "names")).order_by(kept.c.name)
SINCE = select(kept.c.name).where(
    or_(kept.c.at >= bindparam("since", type_=Instant()), Among(kept.c.value, "values"))
)
NONE = select(kept.c.name).order_by(kept.c.name)
CONSTANT = select(kept.c.name).where(kept.c.at > datetime(2026, 1, 1, tzinfo=UTC))
CHANGED = update(kept).where(Among(kept.c.name, "names")).values(value="x")
CHANGE = CHANGED.returning(kept.c.name, kept.c.at)


def keep(conn: Connection, now: datetime, *names: str) -> None:
    rows = [{"name": n, "value": n, "at": now + timedelta(hours=i)} for i, n in enumerate(names)]
    conn.execute(insert(kept), rows)


async def test_a_list_of_any_length_finds_its_rows(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        keep(conn, now, "a", "b'); --", "ü")
        found = fetch(conn, LISTED, names=["ü", "b'); --", "nobody"])
        assert found == [("b'); --", now + timedelta(hours=1)), ("ü", now + timedelta(hours=2))]
        assert fetch(conn, LISTED, names=["a"]) == [("a", now)]
        assert fetch(conn, LISTED, names=[]) == []

    await database.write(work)


async def test_values_and_constants_travel_as_their_types_say(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        keep(conn, now, "a", "b", "c")
        assert {n for (n,) in fetch(conn, SINCE, since=now + timedelta(hours=2), values=["a"])} == {
            "a",
            "c",
        }
        assert len(fetch(conn, CONSTANT)) == 3
        assert fetch(conn, NONE) == [("a",), ("b",), ("c",)]

    await database.write(work)


async def test_a_change_gives_back_what_it_changed(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        keep(conn, now, "a", "b")
        assert fetch(conn, CHANGE, names=["a"]) == [("a", now)]
        assert dict(conn.execute(select(kept.c.name, kept.c.value)).all()) == {"a": "x", "b": "b"}

    await database.write(work)


async def test_errors_are_those_of_sqlalchemy(database: Database) -> None:
    def work(conn: Connection) -> None:
        conn.exec_driver_sql("drop table kept")
        fetch(conn, NONE)

    with pytest.raises(DBAPIError):
        await database.write(work)


def test_a_read_outside_of_a_transaction_begins_one(sqlite_url: str) -> None:
    engine = writing_engine(*parse_url(sqlite_url))
    with engine.connect() as conn:
        assert not conn.in_transaction()
        assert fetch(conn, NONE) == []
        assert conn.in_transaction()
    engine.dispose()


@pytest.mark.postgres
async def test_a_connection_that_breaks_is_replaced_and_the_work_done(
    postgres_url: str, now: datetime
) -> None:
    database = Database.open(postgres_url, workers=1)
    tries = []

    def work(conn: Connection) -> list[tuple[object, ...]]:
        tries.append(1)
        if len(tries) == 1:
            keep(conn, now, "lost")
            driver = conn.connection.driver_connection
            assert driver is not None
            driver.close()
        return fetch(conn, NONE)

    try:
        assert await database.write(work) == []
        assert len(tries) == 2
    except Unavailable:
        pytest.fail("the broken connection was not replaced")
    finally:
        await database.close()


def plan_of(url: str, statements: list[tuple[str, object]]) -> list[str]:
    conn = sqlite3.connect(url.removeprefix("sqlite:///"))
    found: list[str] = []
    for sql, bound in statements:
        found += [row[3] for row in conn.execute(f"explain query plan {sql}", bound)]
    conn.close()
    return found


def test_no_turn_reads_a_whole_table(sqlite_url: str, now: datetime) -> None:
    """Each statement that every turn runs finds its rows by an index, whatever it is bound to."""
    engine = writing_engine(*parse_url(sqlite_url))
    said: list[tuple[str, object]] = []
    with engine.begin() as conn:
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(lambda sql: said.append((sql, ())))
        lock_addresses(conn, [("sms", "+27", "b")])
        lock_persons(conn, {"p"})
        unfinished_sessions(conn, ["p"], ["a"])
        claim(conn, me="w", now=now, most=32)
        adopt_orphans(conn, ["SM1"], now=now)
        raw.set_trace_callback(None)
        assert conn.execute(select(addresses)).all() == []
    engine.dispose()
    plan = plan_of(sqlite_url, [(sql, bound) for sql, bound in said if "json_each" in sql])
    whole = [line for line in plan if line.startswith("SCAN ") and "json_each" not in line]
    assert len(plan) > 10
    assert [line for line in whole if "ix_outbox_due" not in line] == []
