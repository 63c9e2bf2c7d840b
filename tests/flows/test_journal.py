"""Events as JSON and back."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.journal import KINDS, dump_event, load_event
from flows.replies import clean
from flows.sessions import (
    MODES,
    AskedAgain,
    Assisted,
    Changed,
    Event,
    LanguageChosen,
    Replied,
    Resumed,
    Started,
)

WORDS = st.text(max_size=40)
EVENTS = st.one_of(
    st.builds(Started, known=st.dictionaries(WORDS, WORDS, max_size=3)),
    st.builds(
        Replied,
        text=WORDS,
        token=WORDS,
        media=st.lists(WORDS, max_size=2).map(tuple),
        left_out=st.lists(st.sampled_from(["3", "17"]), max_size=2).map(tuple),
    ),
    st.builds(LanguageChosen, language=st.sampled_from(["en", "zu"])),
    st.builds(Resumed, channel=st.sampled_from(["sms", "whatsapp", "telegram"])),
    st.builds(Assisted, mode=st.sampled_from(MODES), helper=WORDS),
    st.builds(AskedAgain, item=WORDS, channel=st.sampled_from(["whatsapp", "telegram"])),
    st.builds(Changed, item=WORDS, channel=st.sampled_from(["sms", "telegram"])),
    st.sampled_from(
        [
            kind()
            for name, kind in KINDS.items()
            if name not in ("language_chosen", "resumed", "assisted", "asked_again", "changed")
        ]
    ),
)


def test_every_kind_of_event_has_a_name() -> None:
    assert set(KINDS.values()) == set(get_args(Event))


@given(event=EVENTS)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert load_event(*dump_event(event)) == event


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("shouted", "{}", KeyError),
        ("replied", '{"text": 1}', ValueError),
        ("language_chosen", "{}", ValueError),
        ("started", "", ValueError),
    ],
)
def test_what_is_no_event_is_refused(kind: str, body: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        load_event(kind, body)


@pytest.mark.parametrize("half", ["\ud83d", "1 \ud83d"])
def test_half_an_emoji_does_not_keep_the_rest_from_being_stored(half: str) -> None:
    said = load_event(*dump_event(Replied(text=half, token=half)))
    assert said == Replied(text=clean(half), token=clean(half))
