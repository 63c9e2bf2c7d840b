"""What a driver's error means to us: try again, wait, stop, or a fault of the program."""

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError

from storage.errors import Broken, Busy, Full, StorageError, Unavailable

_PRIMARY = 0xFF
"""SQLite's extended error codes carry the primary one in their low byte."""
_SQLITE: dict[int, type[StorageError]] = {
    sqlite3.SQLITE_BUSY: Busy,
    sqlite3.SQLITE_LOCKED: Busy,
    sqlite3.SQLITE_FULL: Full,
    sqlite3.SQLITE_READONLY: Unavailable,
    sqlite3.SQLITE_CANTOPEN: Unavailable,
    sqlite3.SQLITE_IOERR: Broken,
    sqlite3.SQLITE_CORRUPT: Broken,
    sqlite3.SQLITE_NOTADB: Broken,
}
_POSTGRES: dict[str, type[StorageError]] = {
    "40001": Busy,  # serialization_failure
    "40P01": Busy,  # deadlock_detected
    "53100": Full,  # disk_full
    "53200": Full,  # out_of_memory
    "25006": Unavailable,  # read_only_sql_transaction: a standby after a failover
}
_POSTGRES_CLASSES: dict[str, type[StorageError]] = {
    "08": Unavailable,  # connection exception
    "53": Unavailable,  # insufficient resources
    "57": Unavailable,  # operator intervention: shutdown, cannot connect now
    "58": Broken,  # system error: I/O
    "XX": Broken,  # internal error: corrupted data or index
}


def translate(error: DBAPIError) -> StorageError | None:
    """Our word for an error of the machine room; None for a fault of the statement or the data."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        found = _SQLITE.get(code & _PRIMARY)
        return found() if found else None
    state = getattr(error.orig, "sqlstate", None)
    if not isinstance(state, str):
        # The driver itself speaks, not the server: it cannot reach it.
        return Unavailable() if isinstance(error, OperationalError) else None
    found = _POSTGRES.get(state) or _POSTGRES_CLASSES.get(state[:2])
    return found() if found else None


def lost_a_race(error: DBAPIError) -> bool:
    """Whether the transaction lost a race for locks, so that running it again may succeed."""
    return isinstance(translate(error), Busy)
