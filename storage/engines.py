"""Where a database is and how to open it: URLs and engines, with each database's settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, TypedDict

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, QueuePool

from storage.errors import BadUrl

Dialect = Literal["sqlite", "postgresql"]

BUSY_MS = 5000
"""How long SQLite waits for a lock before it says busy."""
CACHE_KIB = 65536
"""SQLite's page cache (perf.md §3: 64 MB keeps a million conversations flat)."""
READERS = 4
"""Connections that serve pages."""


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...
    def close(self) -> None: ...


class _Driver(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


class _Json(TypedDict):
    json_serializer: Callable[[Any], str]
    json_deserializer: Callable[[str | bytes], Any]


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_JSON: _Json = {"json_serializer": _to_json, "json_deserializer": msgspec.json.decode}


def parse_url(url: str) -> tuple[Dialect, URL]:
    """The kind of database a URL names, with the driver we use filled in.

    Raises:
        BadUrl: It is no URL, of another kind of database, or SQLite without a file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadUrl from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise BadUrl("SQLite needs a file: sqlite:///path/to/file.db")
            return "sqlite", parsed.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return "postgresql", parsed.set(drivername="postgresql+psycopg")
        case _:
            raise BadUrl


def sqlite_file(url: URL) -> Path:
    """The file of an SQLite URL. Raises BadUrl where its folder does not exist."""
    path = Path(url.database or "").absolute()
    if not path.parent.is_dir():
        raise BadUrl(f"The folder {path.parent} of the SQLite file does not exist: create it.")
    return path


def writing_engine(
    dialect: Dialect, url: URL, *, size: int = 1, foreign_keys: bool = True
) -> Engine:
    """A synchronous engine whose transactions hold the write lock from their first moment.

    Args:
        dialect: What `parse_url` found.
        url: The same.
        size: Connections kept (PostgreSQL; SQLite writes through one).
        foreign_keys: Off only while a migration rebuilds SQLite tables.
    """
    if dialect == "postgresql":
        return create_engine(url, poolclass=QueuePool, pool_size=size, max_overflow=0, **_JSON)
    engine = create_engine(url, poolclass=NullPool, **_JSON)
    keys = "on" if foreign_keys else "off"
    _on_connect(
        engine,
        "journal_mode=wal",
        "synchronous=full",
        f"foreign_keys={keys}",
        f"cache_size=-{CACHE_KIB}",
        "temp_store=memory",
    )
    # DEFERRED, the driver's own choice, fails at once with BUSY_SNAPSHOT on the way to a write.
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reading_engine(dialect: Dialect, url: URL) -> AsyncEngine:
    """An asynchronous engine that cannot write; each transaction sees one state throughout."""
    if dialect == "postgresql":
        return create_async_engine(
            url, pool_size=READERS, pool_pre_ping=True, **_JSON
        ).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    engine = create_async_engine(url.set(drivername="sqlite+aiosqlite"), pool_size=READERS, **_JSON)
    _on_connect(engine.sync_engine, "foreign_keys=on", "query_only=on", "temp_store=memory")
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def plain_reading_engine(dialect: Dialect, url: URL) -> Engine:
    """`reading_engine` for commands, which have no event loop; nothing is kept open between."""
    if dialect == "postgresql":
        return create_engine(url, poolclass=NullPool).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    engine = create_engine(url, poolclass=NullPool)
    _on_connect(engine, "foreign_keys=on", "query_only=on", "temp_store=memory")
    event.listen(engine, "begin", _begin)
    return engine


def _on_connect(engine: Engine, *pragmas: str) -> None:
    event.listen(engine, "connect", _settings(f"busy_timeout={BUSY_MS}", *pragmas))


def _settings(*pragmas: str) -> Callable[[_Driver, object], None]:
    def connected(driver: _Driver, _record: object) -> None:
        driver.isolation_level = None  # we say BEGIN ourselves
        cursor = driver.cursor()
        for pragma in pragmas:
            cursor.execute(f"pragma {pragma}")
        cursor.close()

    return connected


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
