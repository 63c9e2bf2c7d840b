"""Words that cannot be used, or would be mistaken for each other, are found beforehand."""

from dataclasses import replace

import pytest

from flows.keywords import collect
from flows.lexicon import Lexicon
from flows.phrases import source_lexicon
from flows.wording import clashes, faults, placeholders
from tests.flows.samples import form, item

TEXTS = {
    "f/often/never:label": "Nie",
    "f/often/sometimes:label": "Soms",
    "f/often/often:label": "Dikwels",
    "f/often/often:accept": "baie",
}
ASKED = form(
    item("meals", list_name="often"), item("sick", list_name="often"), item("n", "integer")
)
KEYWORDS = collect([source_lexicon({}, phrases={"keyword.stop": "yima"})])


def lexicon(texts: dict[str, str], **phrases: str) -> Lexicon:
    named = {f"keyword.{name}": words for name, words in phrases.items()}
    return Lexicon(language="af", name="Afrikaans", phrases=named, texts=texts)


@pytest.mark.parametrize(
    ("address", "words", "what"),
    [
        ("a.b", "Goeie {day}", ()),
        ("a.b", "  ", ("is empty",)),
        ("a.b", "Goeie dag", ("has other placeholders than the English ones ({day})",)),
        ("a.b", "Goeie {dag}", ("has other placeholders than the English ones ({day})",)),
        (
            "a.b:sms",
            "Šo {day}",
            ("has letters outside GSM-7, which is what an SMS spelling is there to avoid",),
        ),
        ("a.b:sms", "So {day}", ()),
    ],
)
def test_one_translation(address: str, words: str, what: tuple[str, ...]) -> None:
    assert faults(address, "Good {day}", words) == what


def test_a_placeholder_too_many_is_found_where_english_has_none() -> None:
    assert faults("a.b", "Good", "Goeie {day}") == (
        "has other placeholders than the English ones (none)",
    )
    assert placeholders("${b} {a} {a}") == ["a", "a", "b"]


def test_good_words_do_not_clash() -> None:
    assert clashes([ASKED], lexicon(TEXTS, back="terug", stop="yima"), KEYWORDS) == []


def test_two_answers_with_one_word() -> None:
    texts = TEXTS | {"f/often/sometimes:label": "NIE."}
    assert clashes([ASKED], lexicon(texts), KEYWORDS) == [
        ("f/often/sometimes:label", "'nie' also means the choice never")
    ]


def test_another_word_that_is_an_answer_already() -> None:
    texts = TEXTS | {"f/often/often:accept": "baie|soms|2"}
    assert clashes([ASKED], lexicon(texts), KEYWORDS) == [
        ("f/often/often:accept", "'soms' also means the choice sometimes"),
        ("f/often/often:accept", "'2' also means the choice sometimes"),
    ]


def test_an_answer_that_is_a_command_in_any_language() -> None:
    texts = TEXTS | {"f/often/never:label": "Yima"}
    assert clashes([ASKED], lexicon(texts), KEYWORDS) == [
        ("f/often/never:label", "'yima' is the command STOP at any time")
    ]


def test_a_word_for_two_commands() -> None:
    words = lexicon(TEXTS, back="terug|agter", skip="los|Terug")
    words = replace(words, phrases={**words.phrases, "menu.choose": "Terug"})
    assert clashes([ASKED], words, KEYWORDS) == [
        ("keyword.skip", "'terug' stands in keyword.back too")
    ]
