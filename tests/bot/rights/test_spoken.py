"""What a message was about: the question that was open when it was written."""

from datetime import datetime, timedelta

import pytest

from bot.rights.protection import attached
from bot.rights.spoken import About, about
from storage.rights.letters import Letter, Moment
from tests.flows.samples import form, item

START = datetime.fromisoformat("2026-02-02T09:00:00+00:00")
ALL = ("f/breakfast", "f/hurt", "f/words")


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def moment(
    minute: int, name: str | None = None, *, of: str = "s", complete: bool = False
) -> Moment:
    return Moment(
        session_id=of,
        form_id="f",
        version="v",
        child_id="c",
        wave_id="w",
        complete=complete,
        at=at(minute),
        item=name,
    )


def letter(minute: int | None, table: str = "inbox", kind: str = "") -> Letter:
    return Letter(
        table=table,
        id="l",
        address_id="a",
        kind=kind,
        state="done",
        body=None,
        at=START,
        turn_at=None if minute is None else at(minute),
    )


MOMENTS = [
    moment(0),
    moment(1),
    moment(1, "breakfast"),
    moment(2),  # not understood
    moment(3),
    moment(3, "hurt"),
    moment(4),
]
PLACES = frozenset({("c", "w")})


@pytest.mark.parametrize(
    ("of", "items"),
    [
        (letter(1), {"f/breakfast"}),
        (letter(2), {"f/hurt"}),
        (letter(3), {"f/hurt"}),
        (letter(4), set(ALL)),  # nobody can tell
        (letter(0, "outbox", "reply"), {"f/breakfast"}),
        (letter(1, "outbox", "reply"), {"f/hurt"}),
        (letter(3, "outbox", "reply"), set(ALL)),
    ],
)
def test_a_message_is_about_the_question_that_was_open(of: Letter, items: set[str]) -> None:
    found = about(of, MOMENTS, lambda version: ALL)

    assert found == About(items=frozenset(items), places=PLACES)


@pytest.mark.parametrize("of", [letter(9), letter(None), letter(1, "outbox", "reminder")])
def test_other_messages_are_about_nothing(of: Letter) -> None:
    assert about(of, MOMENTS, lambda version: ALL) == About()


def test_the_closing_words_are_about_nothing_and_two_conversations_count_both() -> None:
    over = [moment(1, "hurt", complete=True)]
    assert about(letter(1, "outbox", "reply"), over, lambda v: ALL).items == frozenset()
    both = [*over, moment(1, of="t"), moment(2, "breakfast", of="t")]
    found = about(letter(1, "outbox", "reply"), both, lambda v: ALL)
    assert found.items == {"f/breakfast"}


def test_what_is_asked_because_of_a_protected_item_is_protected() -> None:
    asked = form(
        item("breakfast"),
        item("hurt"),
        item("words", "text", relevant="${hurt} = 'yes'"),
        item("more", "text", relevant="${words} != ''"),
        item("sick", "text", relevant="${breakfast} = 'no'"),
    )

    assert attached(asked, ["f/hurt", "other/sick"]) == {"f/hurt", "f/words", "f/more"}
    assert attached(asked, []) == frozenset()
