"""Bringing a database to the revision this program needs, all in one transaction.

Alembic is imported only here and only when asked: a running bot never loads it.

A revision that rebuilds an SQLite table drops the old one; with foreign keys on that would be
refused or, worse, cascade. So they are off before BEGIN, and every reference is checked before
COMMIT. On PostgreSQL an advisory lock lets one of several starting workers migrate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from storage.engines import parse_url, sqlite_file, writing_engine
from storage.errors import Busy, SchemaMismatch
from storage.faults import translate

if TYPE_CHECKING:
    from alembic.config import Config

TRIES = 5
PAUSE_S = 0.2
_LOCK = 0x43574254
"""The key of our advisory lock: any number, as long as it never changes."""


def upgrade(url: str) -> list[str]:
    """Apply what is pending and return it, oldest first; all of it or nothing.

    Raises:
        BadUrl: The URL names no database we know.
        SchemaMismatch: The database is newer than this program, or a revision would leave a row
            that refers to nothing.
        Unavailable: The database cannot be reached.
    """
    for _ in range(TRIES - 1):
        try:
            return _upgrade(url)
        except Busy:
            # Switching a new SQLite file to WAL does not wait for a worker that does the same.
            time.sleep(PAUSE_S)
    return _upgrade(url)


def _upgrade(url: str) -> list[str]:
    with _connected(url) as conn:
        if _current(conn) == _newest():
            return []
    from alembic import command  # noqa: PLC0415 - a start with nothing to apply does not load it

    with _connected(url) as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        waiting = _pending(conn)
        if waiting:
            command.upgrade(_config(conn), "head")
            _check_references(conn)
        return waiting


def current(url: str) -> str | None:
    """The revision a database is at, None for an empty one. Changes nothing."""
    with _connected(url) as conn:
        return _current(conn)


def pending(url: str) -> list[str]:
    """The revisions a database lacks, oldest first. Changes nothing.

    Raises:
        SchemaMismatch: The database is at a revision this program does not know.
    """
    with _connected(url) as conn:
        return _pending(conn)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    dialect, parsed = parse_url(url)
    if dialect == "sqlite":
        sqlite_file(parsed).touch(mode=0o600)
    engine = writing_engine(dialect, parsed, foreign_keys=False)
    try:
        with engine.begin() as conn:
            yield conn
    except DBAPIError as error:
        if meaning := translate(error):
            raise meaning from error
        raise
    finally:
        engine.dispose()


def _config(conn: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - loaded only where it is needed

    folder = resources.files("storage") / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config


def _current(conn: Connection) -> str | None:
    if not inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.execute(text("select version_num from alembic_version")).scalar()
    return found


def _newest() -> str:
    """The newest revision: each is named as its file, without the `v` that makes it a module."""
    folder = resources.files("storage") / "migrations" / "versions"
    files = [entry.name for entry in folder.iterdir() if entry.name.startswith("v")]
    return max(files).removeprefix("v").removesuffix(".py")


def _pending(conn: Connection) -> list[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    newest_first = list(ScriptDirectory.from_config(_config(conn)).walk_revisions())
    known = [script.revision for script in reversed(newest_first)]
    at = _current(conn)
    if at is None:
        return known
    if at not in known:
        raise SchemaMismatch(
            f"The database is at revision {at}, which this program does not know: it was migrated "
            "by a newer version. Start that version, or restore an older backup."
        )
    return known[known.index(at) + 1 :]


def _check_references(conn: Connection) -> None:
    if conn.dialect.name != "sqlite":
        return
    broken = conn.execute(text("pragma foreign_key_check")).all()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise SchemaMismatch(
            f"The migration would leave {len(broken)} rows that refer to nothing, in: {tables}. "
            "Nothing was changed."
        )
