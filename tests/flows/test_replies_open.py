from dataclasses import replace

import pytest

from flows.replies import TEXT_LIMIT, Rejected, Understood, understand
from tests.flows.samples import ENGLISH, NOW, ZULU, item, read, understanding

ROSTER = item("absent", "select_multiple_from_roster")
ADULTS = item("adults", "integer")
WEIGHT = item("weight", "decimal")
BORN = item("born", "date")
WORDS = item("words", "text")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3 7 19", "3 7 19"),
        ("19, 7 and 3", "3 7 19"),
        ("#3 (7)", "3 7"),
        ("07", "7"),
        ("2", "2"),
        ("3 3", "3"),
        ("seven", "7"),
        ("0", "0"),
        ("00", "0"),
        ("none", "0"),
        ("Nobody.", "0"),
        ("3 0", "[reject.none]"),
        ("3-7", "[reject.roster_form]"),
        ("Sipho", "[reject.roster_form]"),
        ("3 Sipho", "[reject.roster_form]"),
        ("3 !", "3"),
        ("and", "[reject.roster_form]"),
        ("3.7", "[reject.roster_form]"),
        ("1000", "[reject.roster_form]"),
    ],
)
def test_class_list(text: str, value: str) -> None:
    assert read(ROSTER, text) == value


def test_numbers_that_are_not_on_the_list_are_named() -> None:
    assert understanding(ROSTER, "3 41 40") == Rejected("reject.roster", {"numbers": "40 41"})
    many = understanding(ROSTER, " ".join(str(n) for n in range(100, 200)))
    assert isinstance(many, Rejected)
    assert len(many.values["numbers"].split()) == 10


def test_without_a_class_list_only_none_is_taken() -> None:
    said = understand(ROSTER, "3", form_id="f", lexicon=ENGLISH, now=NOW)
    assert said == Rejected("reject.roster", {"numbers": "3"})
    assert understand(ROSTER, "0", form_id="f", lexicon=ENGLISH, now=NOW) == Understood("0")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"),
        ("05", "5"),
        ("5.", "5"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("+3", "3"),
        ("-0", "0"),
        ("1 000", "1000"),
        ("12 345 678", "12345678"),
        ("five", "5"),
        ("٥", "5"),
        ("5.5", "[reject.number]"),
        ("1,000", "[reject.number]"),
        ("1 2", "[reject.number]"),
        ("5 kids", "[reject.number]"),
        ("1_000", "[reject.number]"),
        ("1e3", "[reject.number]"),
        ("nan", "[reject.number]"),
        ("O", "[reject.number]"),
        ("5²", "[reject.number]"),
        ("9" * 5000, "[reject.number]"),
        ("1-15", "[reject.number]"),
        ("", "[reject.empty]"),
    ],
)
def test_integer(text: str, value: str) -> None:
    assert read(ADULTS, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("23.5", "23.5"),
        ("23,5", "23.5"),
        ("23.50", "23.5"),
        ("20", "20"),
        ("100", "100"),
        ("1 000,25", "1000.25"),
        ("-0.0", "0"),
        ("0.000001", "0.000001"),
        ("two", "2"),
        ("23,500", "[reject.ambiguous]"),
        ("1.5.2", "[reject.number]"),
        ("23.5kg", "[reject.number]"),
        ("1e3", "[reject.number]"),
        ("inf", "[reject.number]"),
    ],
)
def test_decimal(text: str, value: str) -> None:
    assert read(WEIGHT, text) == value


def test_a_number_word_that_languages_dispute_is_no_number() -> None:
    other = replace(ZULU, numbers={"five": "6"})
    assert read(ADULTS, "five", other) == "[reject.number]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2018-01-05", "2018-01-05"),
        ("2018/1/5", "2018-01-05"),
        ("5/1/2018", "2018-01-05"),
        ("05-01-2018", "2018-01-05"),
        ("5.1.2018.", "2018-01-05"),
        ("5 1 2018", "2018-01-05"),
        ("5/1/18", "2018-01-05"),
        ("5/1/26", "1926-01-05"),
        ("5/1/25", "2025-01-05"),
        ("31/2/2018", "[reject.date]"),
        ("1/31/2018", "[reject.date]"),
        ("0000-01-01", "[reject.date]"),
        ("5/1-2018", "[reject.date]"),
        ("2018", "[reject.date]"),
        ("yesterday", "[reject.date]"),
    ],
)
def test_date(text: str, value: str) -> None:
    assert read(BORN, text) == value


def test_text_is_kept_as_written_without_what_cannot_be_stored() -> None:
    assert read(WORDS, "  She IS\0 well\x07…\nThank you 😀 ") == "She IS well…\nThank you 😀"
    assert read(WORDS, "?") == "?"
    assert read(WORDS, "x" * TEXT_LIMIT) == "x" * TEXT_LIMIT
    assert read(WORDS, "x" * (TEXT_LIMIT + 1)) == "[reject.long]"
    assert read(WORDS, " \0 ") == "[reject.empty]"
