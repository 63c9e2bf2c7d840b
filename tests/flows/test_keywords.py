from dataclasses import replace

import pytest

from flows.keywords import (
    Action,
    change_number,
    collect,
    join_code,
    keyword,
    language_named,
    reserved,
    wrong_number,
)
from tests.flows.samples import ENGLISH, ZULU

KEYWORDS = collect([ENGLISH, ZULU])


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("STOP", "stop"),
        ("stop.", "stop"),
        (" Stop! ", "stop"),
        ("S T O P", "stop"),
        ("s.t.o.p", "stop"),
        ("\u200fSTOP", "stop"),
        ("ＳＴＯＰ", "stop"),
        ("/stop", "stop"),
        ("/stop@carebot", "stop"),
        ("stop all", "stop"),
        ("YEKA", "stop"),
        ("misa", "stop"),
        ("unsubscribe", "stop"),
        ("END", "cancel"),
        ("/start", "start"),
        ("start", "start"),
        ("/help", "help"),
        ("Info", "help"),
        ("back", "back"),
        ("emuva", "back"),
        ("skip", "skip"),
        ("/language", "language"),
        ("menu", "menu"),
        ("later", "later"),
        ("RESTART", "restart"),
        ("Start over.", "restart"),
        ("change", "change"),
        ("change language", "language"),
        ("JOIN", "join"),
        ("joyina", "join"),
        ("Take back!", "withdraw"),
        ("withdraw", "withdraw"),
        ("DATA", "data"),
        ("my data.", "data"),
        ("/delete", "delete"),
        ("Delete me!", "delete"),
        ("delete it", None),
        ("STOP please", None),
        ("don't stop", None),
        ("a b c", None),
        ("o k", None),
        ("1", None),
        ("", None),
        ("/", None),
        ("/start 7KQ4M2XY", None),
    ],
)
def test_keyword_is_the_whole_message(text: str, action: Action | None) -> None:
    assert keyword(text, KEYWORDS) == action


def test_stop_wins_over_any_other_meaning_of_a_word() -> None:
    other = ZULU.__class__(
        language="xx", name="X", phrases={"keyword.help": "yeka", "keyword.skip": ""}, texts={}
    )
    assert keyword("yeka", collect([other, ZULU])) == "stop"
    assert keyword("yeka", collect([other])) == "help"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("JOIN 7KQ4M2XY", "7KQ4M2XY"),
        ("join7kq4m2xy", "7KQ4M2XY"),
        ("Join: 7KQ4 M2XY.", "7KQ4M2XY"),
        ("join 7KQ4-M2XY", "7KQ4M2XY"),
        ("JOYINA 7KQ4M2XY", "7KQ4M2XY"),
        ("/start 7KQ4M2XY", "7KQ4M2XY"),
        ("join OIL4M2XY", "0114M2XY"),
        ("join abcdefgh", "ABCDEFGH"),
        ("7kq4m2xy", "7KQ4M2XY"),
        ("7KQ4-M2XY", "7KQ4M2XY"),
        ("join 7KQ4M2", None),
        ("join 7KQ4M2XYZ", None),
        ("join 7KQ4M2XU", None),
        ("join", None),
        ("tomorrow", None),
        ("20200105", None),
        ("10 months", None),
        ("", None),
    ],
)
def test_join_code(text: str, code: str | None) -> None:
    assert join_code(text, KEYWORDS) == code


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("isiZulu", "zu"),
        ("Zulu.", "zu"),
        ("zu", "zu"),
        ("ENGLISH", "en"),
        ("en", "en"),
        ("xhosa", None),
        ("", None),
        ("english please", None),
    ],
)
def test_language_named(text: str, tag: str | None) -> None:
    assert language_named(text, [ENGLISH, ZULU]) == tag


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Wrong number.", True),
        ("  WRONG   NUMBER!", True),
        ("akuyimina", True),
        ("this is the wrong number for sure", False),
        ("number", False),
        ("", False),
    ],
)
def test_a_wrong_number_is_said_in_any_language(text: str, wrong: bool) -> None:
    zulu = replace(ZULU, phrases={**ZULU.phrases, "word.wrong_number": "akuyimina|akuyimi"})
    for _ in range(2):  # what was worked out once says the same the second time
        assert wrong_number(text, [ENGLISH, zulu]) is wrong
    assert not wrong_number("akuyimina", [ENGLISH])


def test_reserved_words_are_all_that_steer() -> None:
    words = reserved(KEYWORDS)
    assert {"stop", "yeka", "end", "later", "back", "emuva", "stop all"} <= words
    assert "yes" not in words
    assert all(keyword(word, KEYWORDS) for word in words)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("CHANGE 3", "3"),
        ("change #12", "12"),
        ("Change answer 4.", "4"),
        ("change three", "3"),
        ("change kuthathu", "3"),
        ("/change 3", "3"),
        ("change", None),
        ("change my mind", None),
        ("change 1234", None),
        ("exchange 3", None),
        ("3", None),
    ],
)
def test_the_number_of_an_answer_to_change(text: str, number: str | None) -> None:
    assert change_number(text, KEYWORDS, [ENGLISH, ZULU]) == number
