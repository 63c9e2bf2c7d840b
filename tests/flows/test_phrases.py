import string

import pytest

from flows.keywords import collect
from flows.phrases import PHRASES, number_words, source_lexicon
from flows.sms import segments


@pytest.mark.parametrize("key", PHRASES)
def test_every_phrase_is_plain_and_short(key: str) -> None:
    size = segments(PHRASES[key])
    assert size.encoding == "GSM-7"
    assert PHRASES[key].isascii()
    assert size.segments <= 2
    assert PHRASES[key].strip() == PHRASES[key] != ""


@pytest.mark.parametrize("key", PHRASES)
def test_placeholders_have_names(key: str) -> None:
    names = [name for _, name, _, _ in string.Formatter().parse(PHRASES[key]) if name is not None]
    assert all(name.isidentifier() for name in names)


def test_sections_stand_in_order() -> None:
    sections = [key.partition(".")[0] for key in PHRASES]
    assert sections == sorted(sections)


def test_no_sentence_blames_her() -> None:
    spoken = " ".join(v for k, v in PHRASES.items() if not k.startswith(("keyword.", "word.")))
    assert not {"wrong", "invalid", "error", "failed", "must", "sorry"} & set(
        spoken.lower().replace(".", " ").split()
    )


def test_no_word_steers_two_ways() -> None:
    words = [
        word
        for key, listed in PHRASES.items()
        if key.startswith("keyword.")
        for word in listed.split("|")
    ]
    assert len(words) == len(set(words)) == len(collect([]).actions)


def test_number_words_become_digits_and_blanks_are_left_out() -> None:
    assert number_words({"number.2": "Two| deux |", "number.3": "", "ask.text": "x"}) == {
        "two": "2",
        "deux": "2",
    }
    assert number_words(PHRASES)["twelve"] == "12"


def test_source_lexicon_speaks_english_unless_told_otherwise() -> None:
    lexicon = source_lexicon({"f/a:label": "A?"})
    assert (lexicon.language, lexicon.name, lexicon.draft) == ("en", "English", False)
    assert lexicon.label("f", "a") == "A?"
    assert lexicon.say("ask.pack", {"count": "2", "example": "1 3"}) == "Reply 2 numbers, like 1 3"
    assert lexicon.numbers["one"] == "1"
    other = source_lexicon({}, language="fr", name="francais", phrases={"number.1": "un"})
    assert (other.language, other.numbers) == ("fr", {"un": "1"})
