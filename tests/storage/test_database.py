import asyncio
import multiprocessing
import os
import sqlite3
import threading
from datetime import datetime
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from storage.database import RETRIES, Database
from storage.engines import parse_url
from storage.errors import BadUrl, Busy, Closed, Full, InUse, OutcomeUnknown, Unavailable
from storage.schema import kept
from tests.storage.proxy import cut_after_commit


def _keep(name: str, now: datetime, value: str = "") -> None:
    def work(conn: Connection) -> None:
        conn.execute(insert(kept).values(name=name, value=value, at=now))

    return work  # type: ignore[return-value]


def _names(conn: Connection) -> list[str]:
    return list(conn.execute(select(kept.c.name).order_by(kept.c.name)).scalars())


async def test_a_transaction_returns_what_its_function_returned(database: Database) -> None:
    assert await database.write(lambda conn: conn.execute(text("select 6 * 7")).scalar()) == 42
    assert await database.read(lambda conn: conn.execute(text("select 6 * 7")).scalar()) == 42


async def test_what_was_written_is_there_when_write_returns(
    database: Database, now: datetime
) -> None:
    await database.write(_keep("a", now))
    assert await database.read(_names) == ["a"]


async def test_a_failing_transaction_leaves_nothing(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        _keep("a", now)(conn)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await database.write(work)
    assert await database.read(_names) == []
    await database.write(_keep("b", now))
    assert await database.read(_names) == ["b"]


async def test_a_fault_of_the_statement_is_raised_as_it_is(
    database: Database, now: datetime
) -> None:
    await database.write(_keep("a", now))
    with pytest.raises(IntegrityError):
        await database.write(_keep("a", now))
    with pytest.raises(DBAPIError):
        await database.read(lambda conn: conn.execute(text("select * from nowhere")))
    assert await database.write(_names) == ["a"]


async def test_a_savepoint_undoes_only_its_part(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        _keep("a", now)(conn)
        try:
            with conn.begin_nested():
                _keep("b", now)(conn)
                _keep("a", now)(conn)
        except IntegrityError:
            _keep("c", now)(conn)

    await database.write(work)
    assert await database.read(_names) == ["a", "c"]


async def test_even_stop_iteration_comes_through(database: Database) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await database.write(lambda conn: next(iter([])))


async def test_readers_cannot_write(database: Database, now: datetime) -> None:
    with pytest.raises((DBAPIError, Unavailable)):
        await database.read(_keep("a", now))
    assert await database.read(_names) == []


async def test_readers_see_only_what_is_committed(database: Database, now: datetime) -> None:
    written, go_on = threading.Event(), threading.Event()

    def work(conn: Connection) -> None:
        _keep("a", now)(conn)
        written.set()
        go_on.wait(10)

    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(written.wait, 10)
    assert await database.read(_names) == []
    go_on.set()
    await writing
    assert await database.read(_names) == ["a"]


async def test_a_reader_sees_one_state_throughout(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> tuple[list[str], list[str]]:
        before = _names(conn)
        database.write_sync(_keep("a", now))
        return before, _names(conn)

    before, after = await database.read(work)
    assert before == after == []
    assert await database.read(_names) == ["a"]


async def test_writers_at_once_lose_nothing(database: Database, now: datetime) -> None:
    await database.write(_keep("n", now, "0"))

    def work(conn: Connection) -> None:
        row = select(kept.c.value).where(kept.c.name == "n").with_for_update()
        value = int(conn.execute(row).scalar_one())
        conn.execute(update(kept).where(kept.c.name == "n").values(value=str(value + 1)))

    await asyncio.gather(*(database.write(work) for _ in range(40)))
    value = select(kept.c.value)
    assert await database.read(lambda conn: conn.execute(value).scalar_one()) == "40"


async def test_a_transaction_goes_on_when_its_caller_is_gone(
    database: Database, now: datetime
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def work(conn: Connection) -> None:
        started.set()
        go_on.wait(10)
        _keep("a", now)(conn)

    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(started.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await database.write(_keep("b", now))
    await database.close()


async def test_the_command_line_writes_without_a_loop(database: Database, now: datetime) -> None:
    database.write_sync(_keep("a", now))
    assert database.write_sync(_names) == ["a"]
    with pytest.raises(IntegrityError):
        database.write_sync(_keep("a", now))


async def test_closing_finishes_what_is_queued_and_leaves_no_thread(
    database_url: str, now: datetime
) -> None:
    before = set(threading.enumerate())
    database = Database.open(database_url, workers=2)
    queued = [asyncio.create_task(database.write(_keep(str(n), now))) for n in range(5)]
    await database.read(_names)
    await asyncio.gather(database.close(), database.close())
    await asyncio.gather(*queued)
    await database.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before


async def test_a_closed_database_says_so(database: Database, now: datetime) -> None:
    await database.close()
    with pytest.raises(Closed):
        await database.write(_names)
    with pytest.raises(Closed):
        database.write_sync(_names)
    with pytest.raises(Closed):
        await database.read(_names)


async def test_a_lost_race_is_run_again(database: Database) -> None:
    tries = 0

    def work(conn: Connection) -> int:
        nonlocal tries
        tries += 1
        if tries <= RETRIES:
            raise _lost_race()
        return tries

    assert await database.write(work) == RETRIES + 1


async def test_a_race_lost_every_time_is_busy(database: Database) -> None:
    tries = 0

    def work(conn: Connection) -> None:
        nonlocal tries
        tries += 1
        raise _lost_race()

    with pytest.raises(Busy):
        await database.write(work)
    assert tries == RETRIES + 1


def _lost_race() -> OperationalError:
    fault = sqlite3.OperationalError("database is locked")
    fault.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("select", {}, fault)


@pytest.mark.postgres
async def test_a_real_deadlock_is_resolved(postgres_url: str, now: datetime) -> None:
    database = Database.open(postgres_url, workers=2)
    await database.write(_keep("a", now))
    await database.write(_keep("b", now))
    barrier = threading.Barrier(2)
    calls = []

    def crossing(first: str, second: str) -> None:
        tries = []

        def work(conn: Connection) -> None:
            calls.append(first)
            tries.append(first)
            _touch(conn, first)
            if len(tries) == 1:
                barrier.wait(10)
            _touch(conn, second)

        return work  # type: ignore[return-value]

    await asyncio.gather(database.write(crossing("a", "b")), database.write(crossing("b", "a")))
    assert len(calls) == 3
    touched = select(func.count()).where(kept.c.value == "xx")
    assert await database.read(lambda conn: conn.execute(touched).scalar_one()) == 2
    await database.close()


def _touch(conn: Connection, name: str) -> None:
    conn.execute(update(kept).where(kept.c.name == name).values(value=kept.c.value + "x"))


@pytest.mark.postgres
async def test_a_connection_that_broke_while_idle_is_replaced(postgres_url: str) -> None:
    database = Database.open(postgres_url, workers=1)
    backend = await database.write(
        lambda conn: conn.execute(text("select pg_backend_pid()")).scalar_one()
    )
    engine = create_engine(parse_url(postgres_url)[1], poolclass=NullPool)
    with engine.begin() as conn:
        conn.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": backend})
    engine.dispose()
    assert await database.write(lambda conn: conn.execute(text("select 1")).scalar()) == 1
    await database.close()


@pytest.mark.postgres
async def test_a_server_that_is_not_there_is_unavailable(postgres_server: object) -> None:
    database = Database.open("postgresql://nobody@127.0.0.1:1/nothing", workers=1)
    with pytest.raises(Unavailable):
        await database.write(_names)
    with pytest.raises(Unavailable):
        await database.read(_names)
    await database.close()


@pytest.mark.postgres
async def test_a_connection_cut_during_commit_leaves_the_outcome_to_the_keys(
    postgres_url: str, now: datetime
) -> None:
    with cut_after_commit(postgres_url) as (url, cut):
        database = Database.open(url, workers=1)
        assert await database.write(_names) == []
        cut.set()
        with pytest.raises(OutcomeUnknown):
            await database.write(_keep("a", now))
        cut.clear()
        with pytest.raises(IntegrityError):
            await database.write(_keep("a", now))
        assert await database.write(_names) == ["a"]
        await database.close()


async def test_a_full_disk_says_so_and_the_bot_goes_on_when_there_is_room(
    sqlite_url: str, now: datetime
) -> None:
    database = Database.open(sqlite_url)
    pages = await database.write(lambda conn: conn.execute(text("pragma page_count")).scalar_one())
    await database.write(
        lambda conn: conn.execute(text(f"pragma max_page_count = {pages}")) and None
    )
    with pytest.raises(Full):
        await database.write(_keep("a", now, "x" * 100_000))
    await database.write(
        lambda conn: conn.execute(text(f"pragma max_page_count = {pages + 100}")) and None
    )
    await database.write(_keep("b", now, "x" * 100_000))
    assert await database.read(_names) == ["b"]
    await database.close()


async def test_one_process_cannot_open_a_file_twice_either(sqlite_url: str) -> None:
    first = Database.open(sqlite_url)
    with pytest.raises(InUse, match=str(os.getpid())):
        Database.open(sqlite_url)
    await first.close()


async def test_a_failure_after_its_caller_is_gone_harms_nobody(database: Database) -> None:
    started, go_on = threading.Event(), threading.Event()

    def work(conn: Connection) -> None:
        started.set()
        go_on.wait(10)
        raise LookupError

    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(started.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await database.close()


def test_a_second_worker_on_one_sqlite_file_is_refused(sqlite_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    answers: Queue[str] = context.Queue()
    first = Database.open(sqlite_url)
    other = context.Process(target=_open_elsewhere, args=(sqlite_url, answers))
    other.start()
    said = answers.get(timeout=30)
    other.join(30)
    assert str(os.getpid()) in said
    assert "PostgreSQL" in said
    asyncio.run(first.close())
    again = Database.open(sqlite_url)
    asyncio.run(again.close())


def _open_elsewhere(url: str, answers: "Queue[str]") -> None:
    try:
        Database.open(url)
    except InUse as error:
        answers.put(str(error))
    else:
        answers.put("opened")


async def test_a_command_may_write_beside_a_running_worker(sqlite_url: str, now: datetime) -> None:
    worker = Database.open(sqlite_url)
    command = Database.open(sqlite_url, exclusive=False)
    command.write_sync(_keep("a", now))
    assert await worker.read(_names) == ["a"]
    await command.close()
    await worker.close()


async def test_a_new_sqlite_file_is_for_nobody_else(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'new.db'}")
    assert (tmp_path / "new.db").stat().st_mode & 0o077 == 0
    assert await database.write(lambda conn: conn.execute(text("select 1")).scalar()) == 1
    await database.close()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadUrl, match="does not exist"):
        Database.open(f"sqlite:///{tmp_path / 'none' / 'bot.db'}")
