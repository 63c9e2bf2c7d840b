"""What leaves as a table runs nowhere."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.lists.csvs import FORMULA, as_cell, as_csv


@pytest.mark.parametrize("first", list(FORMULA))
def test_text_that_begins_like_a_formula_gets_an_apostrophe(first: str) -> None:
    assert as_cell(f"{first}cmd|'/c calc'!A1") == f"'{first}cmd|'/c calc'!A1"
    assert as_cell(first) == f"'{first}"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠"])
def test_the_list_of_asvs_is_whole(first: str) -> None:
    assert first in FORMULA


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert [as_cell(v) for v in ("North", "a=b", "'x", "", None, 7, -3, -0.5)] == [
        "North", "a=b", "'x", "", "", "7", "-3", "-0.5",
    ]  # fmt: skip


def test_a_table_is_rfc_4180() -> None:
    text = as_csv(("who", "=what"), [("a,b", 'say "hi"'), (None, "two\nlines")])
    assert text == 'who,\'=what\r\n"a,b","say ""hi"""\r\n,"two\nlines"\r\n'
    assert as_csv(("a",), [("b",)], end="\n") == "a\nb\n"


@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=2), max_size=4))
def test_no_cell_of_any_table_begins_like_a_formula(rows: list[list[str]]) -> None:
    text = as_csv(("a", "b"), rows)
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            assert not cell.startswith(tuple(FORMULA))
