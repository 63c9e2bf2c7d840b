import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from storage.errors import Broken, Busy, Full, StorageError, Unavailable
from storage.faults import lost_a_race, translate


class PostgresError(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def _sqlite(code: int) -> DBAPIError:
    fault = sqlite3.OperationalError("fault")
    fault.sqlite_errorcode = code
    return OperationalError("select", {}, fault)


def _postgres(state: str | None, kind: type[DBAPIError] = OperationalError) -> DBAPIError:
    return kind("select", {}, PostgresError(state))


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (sqlite3.SQLITE_BUSY, Busy),
        (517, Busy),  # BUSY_SNAPSHOT
        (sqlite3.SQLITE_LOCKED, Busy),
        (sqlite3.SQLITE_FULL, Full),
        (sqlite3.SQLITE_READONLY, Unavailable),
        (sqlite3.SQLITE_CANTOPEN, Unavailable),
        (1034, Broken),  # IOERR_FSYNC
        (sqlite3.SQLITE_CORRUPT, Broken),
        (sqlite3.SQLITE_CONSTRAINT, None),
        (sqlite3.SQLITE_ERROR, None),
    ],
)
def test_what_sqlite_says(code: int, meaning: type[StorageError] | None) -> None:
    found = translate(_sqlite(code))
    assert (type(found) if found else None) is meaning


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("40P01", Busy),
        ("40001", Busy),
        ("53100", Full),
        ("53300", Unavailable),  # too_many_connections
        ("57P01", Unavailable),  # admin_shutdown
        ("08006", Unavailable),
        ("25006", Unavailable),
        ("58030", Broken),  # io_error
        ("XX001", Broken),  # data_corrupted
        ("23505", None),
        ("42601", None),
    ],
)
def test_what_postgresql_says(state: str, meaning: type[StorageError] | None) -> None:
    found = translate(_postgres(state))
    assert (type(found) if found else None) is meaning


def test_a_driver_without_a_server_means_unavailable() -> None:
    assert isinstance(translate(_postgres(None)), Unavailable)
    assert translate(_postgres(None, ProgrammingError)) is None


def test_only_lost_races_are_worth_another_try() -> None:
    assert lost_a_race(_sqlite(sqlite3.SQLITE_BUSY))
    assert lost_a_race(_postgres("40P01"))
    assert not lost_a_race(_sqlite(sqlite3.SQLITE_FULL))
    assert not lost_a_race(_postgres("23505", IntegrityError))
