"""Words of danger: found as whole phrases in any language, and nowhere else."""

from datetime import UTC, datetime

import pytest

from flows.crisis import CRISIS, KEY, NONE, collect, gathered, matches, typed_in_crisis
from flows.keywords import collect as collect_keywords
from flows.lexicon import Lexicon
from flows.messages import Inbound
from flows.phrases import source_lexicon
from flows.replies import normalise
from flows.sms import segments

ZULU = Lexicon(
    language="zu", name="isiZulu", phrases={KEY: "ngifuna ukuzibulala|uyasishaya"}, texts={}
)
WORDS = collect([ZULU])


def inbound(text: str, payload: str = "", *, forwarded: bool = False) -> Inbound:
    return Inbound(
        channel="whatsapp",
        account="+2711",
        address="+2782",
        message_id="m1",
        text=text,
        token=payload,
        forwarded=forwarded,
        received_at=datetime(2026, 2, 2, 9, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "text",
    [
        "kill myself",
        "I will KILL   myself tonight.",
        "3 he is hitting us, please",
        "I don't want to live",
        "I don’t want to live",
        "he’s hitting-my child",
        "kill myself" + " and so on" * 300,
        "Ngifuna ukuzibulala",
        "sawubona, uyasishaya njalo",
        "\U0001d458\U0001d456\U0001d459\U0001d459 myself",
    ],
)
def test_a_phrase_counts_wherever_it_stands(text: str) -> None:
    assert matches(text, WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2 1",
        "3",
        "kill",
        "myself",
        "kill the time by myself",
        "drapes and grapes",  # a word inside another is another word
        "he is shitting useless",
        "everything is fine",
        "skill myself",
    ],
)
def test_parts_and_digits_do_not(text: str) -> None:
    assert not matches(text, WORDS)


def test_what_she_did_not_type_herself_does_not_count() -> None:
    assert typed_in_crisis(inbound("kill myself"), WORDS)
    assert not typed_in_crisis(inbound("kill myself", forwarded=True), WORDS)
    assert not typed_in_crisis(inbound("kill myself", "q.s1.0.0"), WORDS)
    assert not typed_in_crisis(inbound("kill myself"), NONE)


def test_a_phrase_that_begins_another_is_found_in_both() -> None:
    words = gathered(["hits", "hits us", "beats us at home", "1 2", ""])
    assert matches("who hits", words)
    assert matches("he beats us at home", words)
    assert not matches("he beats us at school", words)
    assert set(words.after) == {"hits", "beats"}


def test_english_counts_whatever_languages_there_are() -> None:
    assert matches("kill myself", collect([]))
    assert not matches("uyasishaya", collect([]))


def test_no_phrase_stands_twice_and_all_of_them_are_ascii() -> None:
    listed = CRISIS[KEY].split("|")
    assert len(listed) == len(set(listed))
    assert all(phrase == normalise(phrase) == phrase.strip() != "" for phrase in listed)
    assert CRISIS[KEY].isascii()
    assert segments(CRISIS[KEY]).encoding == "GSM-7"


def test_no_word_that_steers_is_taken_for_danger() -> None:
    keywords = collect_keywords([source_lexicon({}), ZULU])
    assert [word for word in keywords.actions if matches(word, WORDS)] == []
