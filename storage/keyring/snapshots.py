"""A database as one SQLite file and back again: consistent, whatever it is copied from.

The copy of a running database is one committed state: SQLite's own backup on SQLite, one
REPEATABLE READ transaction on PostgreSQL. So a backup of either can be restored into either.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, insert, select
from sqlalchemy.pool import NullPool

from scoring.ruleset import Rules
from storage import invariants
from storage.engines import parse_url, plain_reading_engine, sqlite_file, writing_engine
from storage.errors import SchemaMismatch
from storage.migrate import current, pending, upgrade
from storage.schema import addresses, answers, metadata, persons, profiles, sessions

AT_ONCE = 2000
"""Rows carried over at a time."""
SAMPLE = 500
"""Sealed values of each kind that a restore opens."""


def snapshot(url: str, target: Path) -> str:
    """Copy a database into a new SQLite file while others write; gives back its revision.

    Raises:
        SchemaMismatch: It is not at the revision this program knows.
        StorageError: It cannot be read.
    """
    if pending(url):
        raise SchemaMismatch
    dialect, parsed = parse_url(url)
    if dialect == "sqlite":
        path = sqlite_file(parsed)
        target.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("pragma journal_mode=delete")
    else:
        upgrade(f"sqlite:///{target}")
        there = plain_reading_engine(dialect, parsed)
        here = _file_engine(target)
        try:
            with there.connect() as source_conn, here.begin() as target_conn:
                _carry(source_conn, target_conn)
        finally:
            there.dispose()
            here.dispose()
        _settle(target)
    return current(f"sqlite:///{target}") or ""


def load(source: Path, url: str) -> None:
    """Put a copied database into an empty PostgreSQL database, in one transaction.

    Raises:
        SchemaMismatch: There are rows in it already.
        StorageError: It cannot be written.
    """
    upgrade(url)
    dialect, parsed = parse_url(url)
    there, here = writing_engine(dialect, parsed), _file_engine(source)
    try:
        with here.connect() as source_conn, there.begin() as target_conn:
            for table in metadata.sorted_tables:
                if target_conn.execute(select(1).select_from(table).limit(1)).first():
                    raise SchemaMismatch(
                        f"The database to restore to is not empty: {table.name} has rows. "
                        "Name a new one."
                    )
            _carry(source_conn, target_conn)
    finally:
        there.dispose()
        here.dispose()


def problems(path: Path, *, rules: Rules, now: datetime) -> list[str]:
    """What is wrong with a copied database: the file, its references, the basic invariants."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        try:
            found = [row[0] for row in conn.execute("pragma integrity_check") if row[0] != "ok"]
            loose = conn.execute("pragma foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            return [f"The file is damaged: {error}."]
    if found or loose:
        return [*found, *(f"A row of {row[0]} refers to nothing." for row in loose)]
    engine = plain_reading_engine(*parse_url(f"sqlite:///{path}"))
    try:
        with engine.connect() as read:
            return [
                *invariants.letters(read),
                *invariants.answered(read),
                *invariants.messages(read),
                *invariants.missing_alerts(read, rules=rules),
                *invariants.alert_clocks(read, now=now, ticking=False),
            ]
    finally:
        engine.dispose()


def sample(conn: Connection) -> Sequence[tuple[str, str, str, bytes]]:
    """The newest sealed values of each kind: (table, column, row as it was sealed with, value)."""
    found: list[tuple[str, str, str, bytes]] = []
    for column, parts in (
        (addresses.c.value, (addresses.c.id,)),
        (persons.c.name, (persons.c.id,)),
        (sessions.c.state, (sessions.c.id,)),
        (profiles.c.body, (profiles.c.child_id, profiles.c.wave_id)),
        (answers.c.text, (answers.c.session_id, answers.c.item, answers.c.revision)),
    ):
        newest_first = [part.desc() for part in parts]
        rows = conn.execute(
            select(column, *parts).where(column.is_not(None)).order_by(*newest_first).limit(SAMPLE)
        )
        name = column.table.name
        found += [(name, column.name, ":".join(map(str, row)), blob) for blob, *row in rows]
    return found


def compact(path: Path) -> None:
    """Rewrite a copied database without what was deleted from it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("vacuum")
    _settle(path)


def _carry(source: Connection, target: Connection) -> None:
    for table in metadata.sorted_tables:
        found = source.execution_options(yield_per=AT_ONCE).execute(select(table))
        for rows in found.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in rows])


def _file_engine(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", poolclass=NullPool)


def _settle(path: Path) -> None:
    """One file without a log beside it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("pragma wal_checkpoint(truncate)")
        conn.execute("pragma journal_mode=delete")
