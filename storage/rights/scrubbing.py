"""What is deleted must not lie about in the database's own files.

SQLite marks a deleted row's space as free and leaves the bytes there, and its log keeps old pages.
So an erasure overwrites what it deletes, writes the file anew without free space, and cuts the log
off. PostgreSQL's `VACUUM` lets the space be used again; its files and log archive are the server
operator's to care for, and hold nothing readable once the household's key is gone.
"""

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage.engines import parse_url
from storage.faults import translate

Scrubbed = Literal["clean", "reader", "server"]
"""clean: nothing is left in the files. reader: somebody reads, old pages are still in the log.
server: a server's files, which only its operator reaches."""

BUSY_MS = 10_000
"""How long the new file waits for a transaction under way."""
READERS_MS = 5_000
"""How long the log waits for pages that are being read."""


def overwrite_deleted(conn: Connection) -> None:
    """From now on this connection overwrites what it deletes. Nothing to do on PostgreSQL."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("pragma secure_delete=on")


def scrub(url: str, tables: Iterable[str], *, readers_ms: int = READERS_MS) -> Scrubbed:
    """Leave nothing of what was deleted in the database's files. Runs beside a bot that works.

    Args:
        url: The database.
        tables: Where rows were deleted (PostgreSQL cleans these).
        readers_ms: How long to wait for whoever is reading a page.

    Raises:
        StorageError: The database cannot be reached or written to now.
    """
    dialect, parsed = parse_url(url)
    engine = create_engine(parsed, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            if dialect == "postgresql":
                for name in sorted(tables):
                    conn.exec_driver_sql(f"vacuum {name}")
                return "server"
            return _rewrite(conn, readers_ms)
    except DBAPIError as error:
        if meaning := translate(error):
            raise meaning from error
        raise
    finally:
        engine.dispose()


def _rewrite(conn: Connection, readers_ms: int) -> Scrubbed:
    conn.exec_driver_sql(f"pragma busy_timeout={BUSY_MS}")
    conn.exec_driver_sql("pragma temp_store=memory")  # else a copy of everything lands on the disk
    conn.exec_driver_sql("vacuum")
    conn.exec_driver_sql(f"pragma busy_timeout={readers_ms}")
    busy = conn.exec_driver_sql("pragma wal_checkpoint(truncate)").one()[0]
    return "reader" if busy else "clean"
