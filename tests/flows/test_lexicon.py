"""A reviewed SMS spelling: sent where letters cost, understood as it was shown, nowhere else."""

from dataclasses import replace

import pytest

from flows.engine import begin
from flows.lexicon import Lexicon, unmarked
from flows.messages import LIMITS, Ask, ChannelName, Phrase, Prompt
from flows.phrases import PHRASES
from flows.rendering import TooLong, check_rendering, render
from flows.replies import Understood, understand
from flows.sessions import Session
from flows.sms import segments
from tests.flows.samples import ID, NOW, form, item

DEAR, PLAIN = "Na ngwana o ja gabotšê?", "Na ngwana o ja gabotse?"
WORDS = Lexicon(
    language="nso",
    name="Sepedi",
    phrases=dict(PHRASES) | {"offer.now": "Ee, bjalê"},
    texts={
        "f/meals:label": DEAR,
        "f/often/never:label": "Le gatê",
        "f/often/sometimes:label": "Ka nako",
        "f/often/often:label": "Gantši",
        "f/often/often:accept": "kudu",
    },
)
SPELLED = replace(
    WORDS,
    spellings={
        "f/meals:label": PLAIN,
        "f/often/never:label": "Le gate",
        "f/often/often:label": "Gantsi",
        "offer.now": "Ee, bjale",
    },
)
MEALS = item("meals", list_name="often")
ASKED = form(MEALS)


def session(channel: ChannelName) -> Session:
    return begin(ID, ASKED, channel=channel, language="nso", now=NOW, context={})


def shown(words: Lexicon, channel: ChannelName) -> str:
    (message,) = render(
        Prompt(parts=(Ask(items=("meals",)), Phrase(key="offer.now"))),
        questionnaire=ASKED,
        session=session(channel),
        lexicon=words,
        limits=LIMITS[channel],
    )[:1]
    return message.text


@pytest.mark.parametrize("channel", ["sms", "ussd"])
def test_where_letters_cost_the_spelling_is_sent(channel: ChannelName) -> None:
    text = shown(SPELLED, channel)
    assert PLAIN in text
    assert "3 Gantsi" in text
    assert "Ee, bjale" in text
    assert segments(text).encoding == "GSM-7"


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_elsewhere_the_words_stand_as_they_are_written(channel: ChannelName) -> None:
    assert DEAR in shown(SPELLED, channel)


def test_without_a_spelling_nothing_is_respelled() -> None:
    assert DEAR in shown(WORDS, "sms")
    assert WORDS.plain is WORDS
    assert SPELLED.plain.plain is SPELLED.plain


@pytest.mark.parametrize("reply", ["Gantši", "gantsi", "kudu", "3"])
def test_both_spellings_are_understood(reply: str) -> None:
    heard = understand(MEALS, reply, form_id="f", lexicon=SPELLED, now=NOW)
    assert heard == Understood("often")


def test_a_dear_question_is_several_messages_rather_than_none() -> None:
    long = replace(WORDS, texts={**WORDS.texts, "f/meals:label": f"{DEAR} " * 12})
    messages = render(
        Prompt(parts=(Ask(items=("meals",)),)),
        questionnaire=ASKED,
        session=session("sms"),
        lexicon=long,
        limits=LIMITS["sms"],
    )
    assert len(messages) == 2
    assert all(segments(message.text).segments <= 3 for message in messages)
    assert messages[-1].text.endswith("3 Gantši")
    assert check_rendering(ASKED, long, LIMITS["sms"]) == []


def test_a_cheap_question_that_is_too_long_is_still_its_author_s_fault() -> None:
    long = replace(WORDS, texts={**WORDS.texts, "f/meals:label": f"{PLAIN} " * 30})
    short = {f"f/often/{code}:label": code for code in MEALS.choices}
    with pytest.raises(TooLong):
        shown(replace(long, texts={**long.texts, **short}), "sms")


def test_a_label_that_is_not_there_is_named() -> None:
    assert WORDS.shown("f", "often", "nobody") == ""
    with pytest.raises(KeyError, match="nobody"):
        WORDS.choice("f", "often", "nobody")


def test_a_name_is_known_without_its_accents_unless_they_tell_two_apart() -> None:
    assert unmarked({"mantšiboa": "evening", "bosigo": "night"}) == {
        "mantsiboa": "evening",
        "bosigo": "night",
    }
    assert unmarked({"ṋa": "four", "na": "with"}) == {}
    assert unmarked({"ṋa": "four", "na": "four"}) == {"na": "four"}
