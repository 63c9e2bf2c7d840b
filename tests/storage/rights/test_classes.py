"""Every column has a data class, and those about a family were given theirs on purpose."""

import pytest

from storage.rights.classes import CLASSES, COLUMNS, TABLES, class_of
from storage.schema import KEEPING, metadata

EVERY = sorted((t.name, c.name) for t in metadata.sorted_tables for c in t.columns)


@pytest.mark.parametrize(("table", "column"), EVERY)
def test_every_column_has_a_class(table: str, column: str) -> None:
    assert class_of(table, column) in CLASSES
    if KEEPING[table] == "household":
        assert f"{table}.{column}" in COLUMNS, "say what it is in storage/rights/classes.py"
        assert table not in TABLES


def test_nothing_is_declared_that_is_not_there() -> None:
    known = {f"{table}.{column}" for table, column in EVERY}
    assert sorted(set(COLUMNS) - known) == []
    assert sorted(set(TABLES) - {table for table, _ in EVERY}) == []


def test_what_is_sealed_is_about_somebody() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.info.get("sealed"):
                assert class_of(table.name, column.name) in ("personal", "child-sensitive")


def test_what_a_family_said_or_was_judged_to_need_is_child_sensitive() -> None:
    for name in ("answers.value", "child_state.band", "profiles.body", "outbox.body", "inbox.body"):
        assert class_of(*name.split(".")) == "child-sensitive"
