from collections.abc import Iterator
from typing import get_args

import pytest
from sqlalchemy import Column, LargeBinary, String, Table

from storage import schema
from storage.schema import KEEPING, metadata
from storage.tables.base import Keeping
from storage.types import Instant

TABLES = list(metadata.sorted_tables)


def _columns() -> Iterator[Column[object]]:
    for table in TABLES:
        yield from table.columns


def _leads_to_household(table: Table, seen: frozenset[str] = frozenset()) -> bool:
    if table.name == "households":
        return True
    targets = {key.column.table for key in table.foreign_keys} - {table}
    return any(
        _leads_to_household(target, seen | {table.name})
        for target in targets
        if target.name not in seen
    )


def test_every_table_is_declared_by_what_it_hangs_on() -> None:
    assert set(KEEPING) == {table.name for table in TABLES}
    assert set(KEEPING.values()) <= set(get_args(Keeping))


def test_every_table_is_gathered() -> None:
    gathered = {value.name for value in vars(schema).values() if isinstance(value, Table)}
    assert gathered == {table.name for table in TABLES}


@pytest.mark.parametrize("name", sorted(n for n, kept in KEEPING.items() if kept == "household"))
def test_what_is_erased_with_a_household_leads_to_one(name: str) -> None:
    assert _leads_to_household(metadata.tables[name])


@pytest.mark.parametrize("name", sorted(n for n, kept in KEEPING.items() if kept == "reference"))
def test_what_is_about_the_programme_points_to_no_household(name: str) -> None:
    targets = {key.column.table.name for key in metadata.tables[name].foreign_keys}
    assert "households" not in targets
    assert "children" not in targets


def test_sealed_columns_hold_bytes_and_bytes_are_sealed() -> None:
    sealed = {str(column) for column in _columns() if column.info.get("sealed")}
    assert sealed == {str(c) for c in _columns() if isinstance(c.type, LargeBinary)}
    assert {"children.name", "persons.name", "addresses.value", "answers.text"} <= sealed


def test_names_and_raw_text_are_sealed() -> None:
    for column in _columns():
        if column.name in {"body", "text"} or (
            column.name == "name" and column.table.name in {"persons", "children"}
        ):
            assert column.info.get("sealed"), f"{column} is stored in plain"


def test_ids_are_32_characters() -> None:
    for column in _columns():
        if column.name == "id" or column.foreign_keys:
            assert isinstance(column.type, String), str(column)
            if column.name.endswith("id"):
                assert column.type.length == 32, str(column)


def test_moments_are_instants() -> None:
    for column in _columns():
        if column.name == "at" or column.name.endswith(("_at", "_until")):
            assert isinstance(column.type, Instant), str(column)
    for column in _columns():
        if isinstance(column.type, Instant):
            assert column.name.endswith(("at", "_before", "_until", "as_of")), str(column)


def test_nothing_cascades() -> None:
    for table in TABLES:
        for key in table.foreign_key_constraints:
            assert key.ondelete is None
            assert key.onupdate is None


def test_index_names_are_different() -> None:
    names = [index.name for table in TABLES for index in table.indexes]
    assert len(names) == len(set(names))
    assert None not in names
