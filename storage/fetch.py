"""Statements that read, compiled once and handed to the driver as they are.

The counterpart of `storage.bulk`: SQLAlchemy says what a statement means and how each value
travels, once; a list of any length is one bound value, so the text of the statement never changes.
"""

import json
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Boolean, ColumnElement, Connection, Dialect, Select, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from storage.bulk import Process
from storage.cursors import on_cursor
from storage.types import Instant, from_ms

Statement = Select[Any] | UpdateBase


class Among(ColumnElement[bool]):
    """A column's value is in the list bound under a name."""

    inherit_cache = False  # compiled by `fetch` itself, once a connection
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.bind: BindParameter[Any] = bindparam(name)

    @override
    def self_group(self, against: OperatorType | None = None) -> Self:
        """As it is: SQLAlchemy would write `(...) = 1`, for which SQLite has no index."""
        return self


@compiles(Among, "sqlite")
def _sqlite(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    listed = compiler.process(element.bind, **kw)
    column = compiler.process(element.column, **kw)
    return f"{column} IN (SELECT value FROM json_each({listed}))"  # nosec B608  # noqa: S608 - both are bound or ours


@compiles(Among, "postgresql")
def _postgresql(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    listed = compiler.process(element.bind, **kw)
    return f"{compiler.process(element.column, **kw)} = ANY({listed})"


def fetch(conn: Connection, statement: Statement, **values: object) -> list[tuple[Any, ...]]:
    """The rows of a statement that stands at the top of a module, as plain tuples.

    Args:
        conn: Open transaction.
        statement: A select, or a change with RETURNING; compiled at its first use. Lists of a
            length that is not fixed are `Among`, never `in_`.
        values: What its names are bound to; a list for `Among`.
    """
    made: dict[Hashable, _Fetch] = conn.info.setdefault("fetch", {})
    found = made.get(statement)
    if found is None:
        found = made[statement] = _prepare(statement, conn.dialect)
    return found.run(conn, values)


@dataclass(frozen=True, slots=True)
class _Fetch:
    sql: str
    names: Sequence[str]
    constants: dict[str, Any]
    incoming: dict[str, Process]
    outgoing: Sequence[tuple[int, Process]]
    by_name: bool
    lists_as_json: bool

    def run(self, conn: Connection, values: dict[str, object]) -> list[tuple[Any, ...]]:
        given = dict(self.constants)
        for name, value in values.items():
            process = self.incoming.get(name)
            given[name] = process(value) if process else self._listed(value)
        bound = given if self.by_name else [given[name] for name in self.names]
        rows = _rows(conn, self.sql, bound)
        return [self._read(list(row)) for row in rows] if self.outgoing else rows

    def _listed(self, value: object) -> object:
        if isinstance(value, Collection) and not isinstance(value, str | bytes):
            return json.dumps(list(value)) if self.lists_as_json else list(value)
        return value

    def _read(self, row: list[Any]) -> tuple[Any, ...]:
        for place, process in self.outgoing:
            if row[place] is not None:
                row[place] = process(row[place])
        return tuple(row)


def _rows(conn: Connection, sql: str, bound: Any) -> list[tuple[Any, ...]]:
    def read(cursor: Any) -> list[tuple[Any, ...]]:
        cursor.execute(sql, bound)
        return list(cursor.fetchall())

    return on_cursor(conn, sql, read)


def _prepare(statement: Statement, dialect: Dialect) -> _Fetch:
    compiled = statement.compile(dialect=dialect)
    binds = compiled.binds
    incoming = {name: p for name, bind in binds.items() if (p := _in(bind, dialect))}
    outgoing = [
        (place, process)
        for place, column in enumerate(statement.exported_columns)
        if (process := _out(column.type, dialect))
    ]
    constants = {
        name: incoming[name](value) if name in incoming else value
        for name, value in compiled.params.items()
        if not binds[name].required
    }
    return _Fetch(
        sql=str(compiled),
        names=compiled.positiontup or (),
        constants=constants,
        incoming=incoming,
        outgoing=outgoing,
        by_name=not compiled.positiontup and bool(binds),
        lists_as_json=dialect.name == "sqlite",
    )


def _out(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    if isinstance(kind, Instant):
        return from_ms  # what the decorator would come to, by way of two calls more
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _in(bind: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)
