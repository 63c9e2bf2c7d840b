from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.questionnaire import Item
from flows.replies import (
    MOST_TOKENS,
    Understood,
    clean,
    normalise,
    trim,
)
from tests.flows.samples import ENGLISH, ZULU, item, read, understanding

OFTEN = item("meals", list_name="often")
YES_NO = item("agree", list_name="yes_no")
HELPERS = item("helpers", "select_multiple", "helpers")
PEOPLE = item("people", "select_multiple", "people")
ROSTER = item("absent", "select_multiple_from_roster")
ADULTS = item("adults", "integer")
WEIGHT = item("weight", "decimal")
BORN = item("born", "date")
WORDS = item("words", "text")
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        (" Never\t again\n", "never again"),
        ("1️⃣", "1"),
        ("①", "1"),
        ("⒈", "1."),
        ("⑴", "(1)"),
        ("１", "1"),
        ("𝟏", "1"),
        ("١", "1"),
        ("۱", "1"),
        ("१", "1"),
        ("\u200f1", "1"),
        ("a\0b", "ab"),
        ("\ud83d1", "1"),
        ("5²", "5²"),
        ("²", "²"),
        ("①②", "①②"),
        ("1①", "1①"),
        ("½", "½"),
        ("🔟", "🔟"),
        ("it’s “fine” – ok", 'it\'s "fine" - ok'),
        ("\ufeffSTRASSE ß", "strasse ss"),
        ("Te\u0301", "té"),
    ],
)
def test_normalise(text: str, copy: str) -> None:
    assert normalise(text) == copy


@given(ANY_TEXT)
def test_normalised_and_clean_text_can_be_stored(text: str) -> None:
    for kept in (normalise(text), clean(text)):
        assert "\0" not in kept
        assert kept.encode().decode() == kept


def test_clean_joins_surrogate_pairs_and_keeps_the_rest() -> None:
    assert clean("\ud83d\ude00 a\0b\n") == "😀 ab\n"
    assert clean("a\ud83db") == "ab"
    assert clean("plain\0") == "plain"


def test_trim_keeps_what_is_inside() -> None:
    assert trim('"e-e".') == "e-e"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "never"),
        (" 1 ", "never"),
        ("1.", "never"),
        ("1)", "never"),
        ("(1)", "never"),
        ("#1", "never"),
        ("[1]", "never"),
        ("01", "never"),
        ("1️⃣", "never"),
        ("①", "never"),
        ("١", "never"),
        ("۱", "never"),
        ("१", "never"),
        ("\u200f1", "never"),
        ("１", "never"),
        ("one", "never"),
        ("One.", "never"),
        ("kunye", "never"),
        ("A)", "never"),
        ("a", "never"),
        ("(c)", "often"),
        ("option 2", "sometimes"),
        ("Option 2.", "sometimes"),
        ("number 3", "often"),
        ("answer 3", "often"),
        ("NEVER", "never"),
        ("never!", "never"),
        ("now  and then", "sometimes"),
        ("sometimes", "sometimes"),
        ("a lot", "often"),
        ("1 Never", "never"),
        ("2. Now and then", "sometimes"),
        ("3 - often", "often"),
        ("1 one", "never"),
        ("Akwenzeki", "never"),
        ("3 njalo", "often"),
        ("", "[reject.empty]"),
        (" \u200f\n", "[reject.empty]"),
        ("...", "[reject.empty]"),
        ("0", "[reject.choice]"),
        ("4", "[reject.choice]"),
        ("999999999", "[reject.choice]"),
        ("d", "[reject.choice]"),
        ("-1", "[reject.choice]"),
        ("1.5", "[reject.choice]"),
        ("1 often", "[reject.choice]"),
        ("9 often", "[reject.choice]"),
        ("not 1", "[reject.choice]"),
        ("line 1", "[reject.choice]"),
        ("1-15", "[reject.choice]"),
        ("1 1", "[reject.choice]"),
        ("1 or 2", "[reject.several]"),
        ("1-2", "[reject.several]"),
        ("1/2", "[reject.several]"),
        ("1 2", "[reject.several]"),
        ("nev", "[reject.choice]"),
        ("l", "[reject.choice]"),
        ("O", "[reject.choice]"),
        ("²", "[reject.choice]"),
        ("①②", "[reject.choice]"),
        ("½", "[reject.choice]"),
        ("🔟", "[reject.choice]"),
        ("😀", "[reject.choice]"),
        ("\ud83d", "[reject.empty]"),
        ("\0", "[reject.empty]"),
        ("=1+1", "[reject.choice]"),
        ("<b>", "[reject.choice]"),
        ("*_[", "[reject.choice]"),
        ("{{1}}", "[reject.choice]"),
        ("1_000", "[reject.choice]"),
        ("1e0", "[reject.choice]"),
        ("ja nee", "[reject.choice]"),
        ("x" * 5000, "[reject.choice]"),
        ("1 " * 2500, "[reject.choice]"),
    ],
)
def test_one_of_three(text: str, value: str) -> None:
    assert read(OFTEN, text, ZULU) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("Y", "yes"),
        ("yebo", "yes"),
        ("no", "no"),
        ("cha", "no"),
        ("hhayi.", "no"),
        ("nope", "no"),
        ("hi", "[reject.choice]"),
        ("yes no", "[reject.choice]"),
    ],
)
def test_yes_and_no_in_her_languages(text: str, value: str) -> None:
    assert read(YES_NO, text, ENGLISH, lexicon=ZULU) == value


def test_a_word_that_two_languages_read_differently_is_asked_again() -> None:
    sepedi = replace(ENGLISH, language="nso", phrases={"word.yes": "ee", "word.no": "aowa"})
    tsonga = replace(ENGLISH, language="ts", phrases={"word.yes": "ina", "word.no": "e-e|ee"})
    assert read(YES_NO, "ee", lexicon=sepedi) == "yes"
    assert read(YES_NO, "e-e", tsonga, lexicon=sepedi) == "no"
    assert read(YES_NO, "ee", tsonga, lexicon=sepedi) == "[reject.ambiguous]"
    assert read(YES_NO, "e-e", lexicon=sepedi) == "[reject.choice]"


def test_a_label_that_is_the_number_of_another_option_is_doubtful() -> None:
    counts = replace(ENGLISH, texts={**ENGLISH.texts, "f/often/sometimes:label": "1"})
    assert read(OFTEN, "1", lexicon=counts) == "[reject.ambiguous]"
    assert read(OFTEN, "3", lexicon=counts) == "often"


def test_a_label_comes_before_a_number_word() -> None:
    counts = replace(ENGLISH, texts={**ENGLISH.texts, "f/often/sometimes:label": "One"})
    assert read(OFTEN, "one", lexicon=counts) == "sometimes"


def test_number_words_beyond_the_options_mean_nothing() -> None:
    assert read(OFTEN, "four") == "[reject.choice]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "aunt"),
        ("1 3", "aunt church"),
        ("3,1", "aunt church"),
        ("1, 2 and 3", "aunt friend church"),
        ("1/2", "aunt friend"),
        ("1;2", "aunt friend"),
        ("1 & 2", "aunt friend"),
        ("1+2", "aunt friend"),
        ("1 1 1", "aunt"),
        ("church and aunt", "aunt church"),
        ("aunt, option 3", "aunt church"),
        ("one two", "aunt friend"),
        ("b", "friend"),
        ("4", "none"),
        ("0", "none"),
        ("none", "none"),
        ("Nobody helps", "none"),
        ("nobody", "none"),
        ("1 4", "[reject.none]"),
        ("aunt nobody helps", "[reject.none]"),
        ("1 9", "[reject.choice]"),
        ("13", "[reject.choice]"),
        ("1-3", "[reject.choice]"),
        ("1 or 2", "[reject.choice]"),
        ("and", "[reject.choice]"),
        (",", "[reject.empty]"),
        (",/", "[reject.choice]"),
        ("", "[reject.empty]"),
        ("1 " * 2500, "[reject.choice]"),
    ],
)
def test_several_of_a_list(text: str, value: str) -> None:
    assert read(HELPERS, text) == value


def test_zero_means_none_only_where_none_is_an_answer() -> None:
    assert read(PEOPLE, "0") == "[reject.choice]"
    assert read(PEOPLE, "none") == "[reject.choice]"


def test_several_is_doubtful_where_two_languages_differ() -> None:
    other = replace(ENGLISH, texts={**ENGLISH.texts, "f/people/friend:label": "Aunt"})
    assert read(PEOPLE, "aunt", replace(other, language="x")) == "aunt"
    swapped = {"f/people/friend:label": "Aunt", "f/people/aunt:label": "Friend"}
    other = replace(ENGLISH, texts={**ENGLISH.texts, **swapped})
    assert read(PEOPLE, "aunt", other) == "[reject.ambiguous]"


KINDS = [OFTEN, YES_NO, HELPERS, ROSTER, ADULTS, WEIGHT, BORN, WORDS]


@given(st.sampled_from(KINDS), ANY_TEXT)
def test_any_text_parses_or_is_rejected(question: Item, text: str) -> None:
    said = understanding(question, text, ZULU)
    if isinstance(said, Understood):
        assert said.value
        if question.choices:
            assert set(said.value.split()) <= set(question.choices)
    else:
        assert said.reason in ENGLISH.phrases


@given(st.sampled_from(KINDS), ANY_TEXT)
def test_a_canonical_value_is_stable(question: Item, text: str) -> None:
    """Whatever was understood once reads the same when it is typed back (codes apart)."""
    said = understanding(question, text)
    if isinstance(said, Understood) and not question.choices:
        assert understanding(question, said.value) == said


def test_a_letter_is_not_searched_for_answers() -> None:
    assert read(HELPERS, "1 " * (MOST_TOKENS + 2)) == "[reject.choice]"
    assert read(HELPERS, "1 " * MOST_TOKENS) == "aunt"
