"""The driver's own cursor, for statements that are compiled once and run in every turn.

SQLAlchemy's execution and result cost several times what such a statement does.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Result = TypeVar("Result")


def on_cursor(conn: Connection, sql: str, act: Callable[[Any], Result]) -> Result:
    """What `act` makes of a cursor of this connection; `sql` is what it runs, for errors.

    Errors come as SQLAlchemy says them, so that a lost race is run again and a broken connection
    dropped, whoever sent the statement.
    """
    if not conn.in_transaction():
        conn.begin()
    dialect, cursor = conn.dialect, conn.connection.cursor()
    try:
        return act(cursor)
    except dialect.loaded_dbapi.Error as error:
        gone = dialect.is_disconnect(error, conn.connection.dbapi_connection, cursor)
        if gone:
            conn.invalidate(error)
        raise DBAPIError.instance(
            sql,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=dialect,
        ) from error
    finally:
        cursor.close()
