"""Statements that write many rows at once, compiled once and handed to the driver as they are.

SQLAlchemy says what a statement means and how each value travels; of its work on every single row
nothing is left. (docs/performance.md: half of what a turn's SQL cost.)
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.dml import UpdateBase

from storage.cursors import on_cursor

Row = Mapping[str, Any]
Process = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place for a value: its name, how it is made fit for the driver, what stands there else."""

    name: str
    process: Process | None
    constant: Any


@dataclass(frozen=True, slots=True)
class Bulk:
    """A statement in the words of one dialect. Made by `prepare`."""

    sql: str
    slots: tuple[_Slot, ...]
    by_name: bool
    keys: frozenset[str]

    def run(self, conn: Connection, rows: Sequence[Row]) -> None:
        """Write the rows, all of which name the same columns; nothing for no rows."""
        if not rows:
            return
        columns = [self._column(slot, rows) for slot in self.slots]
        values: list[Any] = list(zip(*columns, strict=True))
        if self.by_name:
            names = [slot.name for slot in self.slots]
            values = [dict(zip(names, v, strict=True)) for v in values]
        on_cursor(conn, self.sql, lambda cursor: cursor.executemany(self.sql, values))

    def _column(self, slot: _Slot, rows: Sequence[Row]) -> Iterable[Any]:
        name, process = slot.name, slot.process
        if name not in self.keys:
            return [slot.constant] * len(rows)
        values = map(itemgetter(name), rows)
        if process is None:
            return values
        # Most of what needs a process is one moment for the whole batch: it is made once.
        out: list[Any] = []
        before: object = self
        made: Any = None
        for value in values:
            if value is not before:
                before, made = value, process(value)
            out.append(made)
        return out


def prepare(statement: UpdateBase, dialect: Dialect, keys: Sequence[str]) -> Bulk:
    """A statement ready to write rows with these keys (columns, or names of bound values)."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    order = compiled.positiontup
    binds = compiled.binds
    given = frozenset(keys)
    slots = []
    for name in order or binds:
        bind = binds[name]
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        constant = process(bind.value) if process and name not in given else bind.value
        slots.append(_Slot(name, process, constant))
    return Bulk(str(compiled), tuple(slots), not order, given)


def prepared(
    conn: Connection, key: Hashable, make: Callable[[], UpdateBase], keys: Iterable[str]
) -> Bulk:
    """The statement kept under `key` and `keys` with this connection, made the first time.

    Args:
        conn: Open transaction.
        key: What tells the statement from all others.
        make: Makes it.
        keys: What every row names: columns, or names of bound values.
    """
    made: dict[tuple[Hashable, ...], Bulk] = conn.info.setdefault("bulk", {})
    names = tuple(keys)
    whole = (key, *names)
    found = made.get(whole)
    if found is None:
        found = made[whole] = prepare(make(), conn.dialect, names)
    return found
