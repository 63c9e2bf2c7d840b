"""Everything one batch wants written, kept until it is written at once.

Folding a message only collects; `flush` writes each table with one statement a kind, in an order
that satisfies the foreign keys.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import UpdateBase

from storage.bulk import prepared
from storage.schema import metadata

Row = dict[str, Any]
ORDER: tuple[Table, ...] = tuple(metadata.sorted_tables)
KEYS = {table: tuple(c.name for c in table.primary_key.columns) for table in ORDER}


def _insert_new(table: Table, dialect: str) -> UpdateBase:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return make(table).on_conflict_do_nothing()


def _upsert(table: Table, dialect: str) -> UpdateBase:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table)
    keys = [c.name for c in table.primary_key.columns]
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def _update(table: Table, columns: Iterable[str]) -> UpdateBase:
    values = {name: bindparam(f"v_{name}", type_=table.c[name].type) for name in sorted(columns)}
    return update(table).where(table.c.id == bindparam("b_id")).values(values)


@dataclass(slots=True)
class Writes:
    """Rows to insert, to insert unless they exist, to put over what exists, and to change.

    A row of one table must always name the same columns in one `Writes`: that is what makes it one
    statement.
    """

    inserts: dict[Table, list[Row]] = field(default_factory=dict)
    offers: dict[Table, list[Row]] = field(default_factory=dict)
    puts: dict[Table, dict[tuple[Any, ...], Row]] = field(default_factory=dict)
    changes: dict[Table, dict[str, Row]] = field(default_factory=dict)

    def insert(self, table: Table, **row: object) -> None:
        """A new row."""
        self.inserts.setdefault(table, []).append(row)

    def offer(self, table: Table, **row: object) -> None:
        """A new row unless its key is taken: repetition is impossible by key."""
        self.offers.setdefault(table, []).append(row)

    def put(self, table: Table, **row: object) -> None:
        """A row that replaces what stood under its primary key."""
        key = tuple([row[name] for name in KEYS[table]])
        self.puts.setdefault(table, {})[key] = row

    def change(self, table: Table, row_id: str, **values: object) -> None:
        """New values for some columns of the row `row_id`."""
        self.changes.setdefault(table, {}).setdefault(row_id, {}).update(values)

    def flush(self, conn: Connection) -> None:
        """Write everything collected and start anew."""
        dialect = conn.dialect.name
        for table in ORDER:
            if rows := self.inserts.get(table):
                _many(conn, (table, "insert"), partial(insert, table), rows)
            if rows := self.offers.get(table):
                _many(conn, (table, "offer"), partial(_insert_new, table, dialect), rows)
            if puts := self.puts.get(table):
                _many(conn, (table, "put"), partial(_upsert, table, dialect), [*puts.values()])
        for table in ORDER:
            if changes := self.changes.get(table):
                _change(conn, table, changes)
        self.inserts, self.offers, self.puts, self.changes = {}, {}, {}, {}


def _change(conn: Connection, table: Table, changes: Mapping[str, Row]) -> None:
    """One statement for all rows of which the same columns change."""
    alike: dict[frozenset[str], list[Row]] = {}
    for row_id in sorted(changes):
        values = changes[row_id]
        row = {f"v_{name}": value for name, value in values.items()}
        row["b_id"] = row_id
        alike.setdefault(frozenset(values), []).append(row)
    for columns, rows in alike.items():
        _many(conn, (table, "change", columns), partial(_update, table, columns), rows)


def _many(
    conn: Connection, key: Hashable, make: Callable[[], UpdateBase], rows: Sequence[Row]
) -> None:
    prepared(conn, key, make, rows[0]).run(conn, rows)
