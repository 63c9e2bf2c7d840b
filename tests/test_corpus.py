"""Replies as people write them, one file a language, and how each is to be read.

`tests/corpus/<tag>.csv`: the reply, the question that is open, and its reading: an option's code,
why it is no answer (`reject.choice`), what it asks for (`stop`), or the language it names
(`language zu`). They are read as live: `route` first, then her language, English and the others.
"""

import csv
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from bot.content.library import Library, load
from flows.keywords import keyword
from flows.messages import Inbound
from flows.replies import Rejected, understand
from flows.routing import (
    AnswerTo,
    Command,
    Conversation,
    InCrisis,
    Intent,
    LanguageMenu,
    OpenPrompt,
    SwitchLanguage,
    route,
)

FOLDER = Path(__file__).parent / "corpus"
FILES = sorted(FOLDER.glob("*.csv"))
NOW = datetime(2026, 2, 2, 7, 0, tzinfo=UTC)
FEWEST = 20
_CAPITALS = re.compile(r"\b[^\W\da-z_]{2,}\b(?: [^\W\da-z_]{2,}\b)*")


@cache
def content() -> Library:
    """All languages there are, drafts too."""
    return load(drafts=True)


def routed(text: str, *, joining: bool) -> Intent:
    """What a message is about while a question is open."""
    library = content()
    return route(
        Conversation(
            open_prompt=OpenPrompt(kind="question", ref="s", asked_at=NOW),
            session="s",
            joining=joining,
        ),
        Inbound(
            channel="sms",
            account="us",
            address="her",
            message_id="1",
            text=text,
            received_at=NOW,
        ),
        keywords=library.keywords,
        lexicons=list(library.lexicons.values()),
        crisis=library.crisis,
    )


def reading(tag: str, question: str, text: str) -> str:
    """How a reply is read, in the words of the corpus."""
    library = content()
    form, _, name = question.partition("/")
    intent = routed(text, joining=form == "enrolment")
    match intent:
        case Command(action=action):
            return action
        case LanguageMenu():
            return "language"
        case SwitchLanguage(language=language):
            return f"language {language}"
        case InCrisis():
            return "crisis"
        case _:
            assert isinstance(intent, AnswerTo), intent
    said = understand(
        library.newest(form)[name],
        text,
        form_id=form,
        lexicon=library.lexicon(tag),
        others=library.others(tag),
        now=NOW,
    )
    return said.reason if isinstance(said, Rejected) else said.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_replies_are_read_as_they_are_meant(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= FEWEST
    read = [{**row, "reading": reading(path.stem, row["question"], row["reply"])} for row in rows]
    assert read == rows


def test_every_language_has_a_corpus() -> None:
    assert {path.stem for path in FILES} == set(content().lexicons)


def named_actions(text: str) -> set[str]:
    """What the words in capitals ask for ("send STOP"), where they are key words."""
    found = {keyword(words[0], content().keywords) for words in _CAPITALS.finditer(text)}
    return {action for action in found if action is not None}


@pytest.mark.parametrize("tag", sorted(set(content().lexicons) - {"en"}))
def test_the_words_she_is_told_to_send_do_what_they_say(tag: str) -> None:
    english, own = content().lexicon("en"), content().lexicon(tag)
    said = {**english.phrases, **english.texts}
    ours = {**own.phrases, **own.texts}
    told = {key: named_actions(text) for key, text in said.items() if is_told(key)}
    assert sum(map(bool, told.values())) > FEWEST
    assert {key: named_actions(ours[key]) for key in told} == told


def is_told(key: str) -> bool:
    """Whether it is a sentence, and no list of words that are understood."""
    return not key.startswith(("keyword.", "word.", "number.")) and not key.endswith(":accept")
