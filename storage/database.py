"""One door to the database: `write` runs a whole transaction, `read` serves pages.

A transaction is a synchronous function of a Connection. It runs on SQLite's one writer thread, or
on one of n PostgreSQL threads, so nothing can be awaited inside it and no network call can hold a
lock. Whoever awaits `write` goes on only after COMMIT.
"""

import asyncio
import contextlib
import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage.engines import (
    Dialect,
    parse_url,
    plain_reading_engine,
    reading_engine,
    sqlite_file,
    writing_engine,
)
from storage.errors import Closed, InUse, OutcomeUnknown
from storage.faults import lost_a_race, translate

T = TypeVar("T")

WRITTEN = "written"
"""Where a transaction leaves, in its connection's `info`, the ids `Database.written` is to have."""
MOST_WRITTEN = 100_000
RETRIES = 3
"""How often a transaction that lost a race for locks is run again (DESIGN §2)."""


class Database:
    """A database that is open: its writer threads and its readers."""

    def __init__(self, dialect: Dialect, url: URL, *, workers: int, lock: int | None) -> None:
        self.dialect: Dialect = dialect
        self._url = url
        self._engine = writing_engine(dialect, url, size=workers)
        self._readers = reading_engine(dialect, url)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = lock
        self._closed: Future[None] | None = None
        self.written: deque[str] = deque(maxlen=MOST_WRITTEN)
        """Ids of audit rows this process committed, until somebody takes them out to look."""
        self._writers = [
            _Writer(self._engine, self._jobs, number, self.written) for number in range(workers)
        ]

    @classmethod
    def open(cls, url: str, *, workers: int = 4, exclusive: bool = True) -> Self:
        """Open the database a URL names. Nothing is read or written yet.

        Args:
            url: `sqlite:///path`, `postgresql://...` or `postgresql+psycopg://...`.
            workers: Writing connections on PostgreSQL; SQLite always has exactly one.
            exclusive: On SQLite, be the one worker of this file. A command that writes a few rows
                beside a running bot opens with False.

        Raises:
            BadUrl: The URL names no database we know, or a folder that does not exist.
            InUse: Another worker has this SQLite file.
        """
        dialect, parsed = parse_url(url)
        if dialect == "postgresql":
            return cls(dialect, parsed, workers=workers, lock=None)
        path = sqlite_file(parsed)
        lock = _lock(path) if exclusive else None
        path.touch(mode=0o600)  # before SQLite does it, for all the world to read
        return cls(dialect, parsed, workers=1, lock=lock)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in one transaction and return what it returned, after COMMIT.

        An exception in `fn` rolls everything back and is raised here. A transaction that lost a
        race for locks is run again, so `fn` may be called up to four times and must not change
        anything outside the connection. Cancelling the caller does not undo the transaction.

        Raises:
            Closed: The database was closed.
            Unavailable: It cannot be written to now (busy, full, unreachable).
            Broken: The disk or the file failed.
            OutcomeUnknown: The connection broke during COMMIT.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()

        def job(writer: _Writer) -> None:
            # The loop may be gone: then nobody waits any more, and the thread goes on.
            with contextlib.suppress(RuntimeError):
                try:
                    value = writer.run(fn)
                except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                    loop.call_soon_threadsafe(_fail, waiter, error)
                else:
                    loop.call_soon_threadsafe(_settle, waiter, value)

        self._put(job)
        return await waiter

    def write_sync(self, fn: Callable[[Connection], T]) -> T:
        """`write` for the command line: blocks until COMMIT."""
        result: Future[T] = Future()

        def job(writer: _Writer) -> None:
            try:
                result.set_result(writer.run(fn))
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                result.set_exception(error)

        self._put(job)
        return result.result()

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a connection that cannot write; it sees one committed state throughout.

        Raises:
            Closed: The database was closed.
            Unavailable: It cannot be reached now.
        """
        if self._closed is not None:
            raise Closed
        try:
            async with self._readers.connect() as connection:
                return await connection.run_sync(fn)
        except DBAPIError as error:
            if meaning := translate(error):
                raise meaning from error
            raise

    def read_sync(self, fn: Callable[[Connection], T]) -> T:
        """`read` for commands: opens a connection of its own, which cannot write, and closes it.

        Raises:
            Closed: The database was closed.
            Unavailable: It cannot be reached now.
        """
        if self._closed is not None:
            raise Closed
        engine = plain_reading_engine(self.dialect, self._url)
        try:
            with engine.connect() as connection:
                return fn(connection)
        except DBAPIError as error:
            if meaning := translate(error):
                raise meaning from error
            raise
        finally:
            engine.dispose()

    async def close(self) -> None:
        """Finish what is queued, then leave no thread and no connection. May be called twice."""
        if self._closed is not None:
            await asyncio.wrap_future(self._closed)
            return
        self._closed = Future()
        for _ in self._writers:
            self._jobs.put(None)
        await asyncio.gather(*(asyncio.wrap_future(writer.ended) for writer in self._writers))
        for writer in self._writers:
            writer.thread.join()
        self._engine.dispose()
        await self._readers.dispose()
        if self._lock is not None:
            os.close(self._lock)
        self._closed.set_result(None)

    def _put(self, job: "_Job") -> None:
        if self._closed is not None:
            raise Closed
        self._jobs.put(job)


class _Writer:
    """A thread that owns one connection and runs one transaction after another."""

    def __init__(
        self,
        engine: Engine,
        jobs: "SimpleQueue[_Job | None]",
        number: int,
        written: deque[str],
    ) -> None:
        self._engine = engine
        self._written = written
        self._jobs = jobs
        self._connection: Connection | None = None
        self.ended: Future[None] = Future()
        self.thread = threading.Thread(target=self._work, name=f"writer-{number}", daemon=True)
        self.thread.start()

    def run(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction, again where that may help. Call only on this thread."""
        attempt = 0
        while True:
            try:
                return self._transaction(fn)
            except DBAPIError as error:
                # A connection that broke before COMMIT wrote nothing: a new one may do.
                may_help = lost_a_race(error) or error.connection_invalidated
                if may_help and attempt < RETRIES:
                    attempt += 1
                elif meaning := translate(error):
                    raise meaning from error
                else:
                    raise

    def _transaction(self, fn: Callable[[Connection], T]) -> T:
        connection = self._connection = self._connection or self._engine.connect()
        committing = False
        try:
            connection.info.pop(WRITTEN, None)  # of an attempt that was rolled back
            with connection.begin():
                value = fn(connection)
                committing = True
            self._written.extend(connection.info.pop(WRITTEN, ()))
        except DBAPIError as error:
            if committing and error.connection_invalidated:
                raise OutcomeUnknown from error
            raise
        finally:
            if connection.invalidated or connection.in_transaction():
                self._drop()
        return value

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job(self)
        self._drop()
        self.ended.set_result(None)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


_Job = Callable[[_Writer], None]


def _settle(waiter: "asyncio.Future[T]", value: T) -> None:
    if not waiter.done():
        waiter.set_result(value)


def _fail(waiter: "asyncio.Future[T]", error: BaseException) -> None:
    if waiter.done():
        return
    if isinstance(error, StopIteration):  # a future cannot carry it
        wrapped = RuntimeError("a transaction raised StopIteration")
        wrapped.__cause__ = error
        error = wrapped
    waiter.set_exception(error)


def _lock(path: Path) -> int:
    """Hold `<file>.lock` for as long as the descriptor given back is open."""
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(handle, 20).decode().strip() or "unknown"
        os.close(handle)
        raise InUse(
            f"Process {holder} already works on {path}, and SQLite means exactly one worker. "
            "Stop that one, or set DATABASE_URL to PostgreSQL to run several."
        ) from error
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle
