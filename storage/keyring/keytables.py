"""The tables of the key store: a database of their own, which no data backup ever holds."""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import (
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from storage.engines import BUSY_MS, Dialect
from storage.types import Instant

key_metadata = MetaData()
key_state = Table(
    "key_state",
    key_metadata,
    Column("only", Integer, primary_key=True),
    Column("store_id", String(32), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("index_id", String(40), nullable=False),
    Column("index_next", String(40)),
    Column("owed_at", Instant),
)
"""One row. `revision` grows with everything that a running process must notice."""
data_keys = Table(
    "data_keys",
    key_metadata,
    Column("id", String(40), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("wrapped", LargeBinary),
    Column("destroyed_at", Instant),
)
master_keys = Table(
    "master_keys",
    key_metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(16), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("retired_at", Instant),
    Column("sheet_at", Instant),
    Column("confirmed_at", Instant),
)
"""Which master keys there were. Never a master key itself."""
erasure_ledger = Table(
    "erasure_ledger",
    key_metadata,
    Column("household_id", String(32), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("ground", String(200), nullable=False),
)
"""What `restore` erases again before it serves. It outlives every data backup."""


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...
    def close(self) -> None: ...


class _Driver(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def key_engine(dialect: Dialect, url: URL) -> Engine:
    """An engine for small, durable, rare work, usable from any thread."""
    if dialect == "postgresql":
        return create_engine(
            url,
            poolclass=QueuePool,
            pool_size=2,
            max_overflow=8,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5},
        )
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=2,
        max_overflow=8,
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", _settings())
    return engine


def _settings() -> Callable[[_Driver, object], None]:
    def connected(driver: _Driver, _record: object) -> None:
        driver.isolation_level = None  # whoever writes says BEGIN IMMEDIATE
        cursor = driver.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=wal",
            "synchronous=full",
            "secure_delete=on",
            "temp_store=memory",
        ):
            cursor.execute(f"pragma {pragma}")
        cursor.close()

    return connected
