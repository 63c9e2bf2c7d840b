"""What is taken as a password: anything long, unless guessers would begin with it."""

import pytest

from bot.login.passwords import GUESSED, LONGEST, SHORTEST, TOO_SHORT, common_words, fault_of

CONTEXT = ("Child Wellbeing", "Umthombo Primary")


def fault(password: str, login: str = "thandi.dube") -> str:
    return fault_of(password, login=login, context=CONTEXT)


@pytest.mark.parametrize(
    "password",
    [
        "seven green bicycles",
        "we walk to the river at night",
        "kqzw93hd2hdw1k",
        " ~!@#$%^&*()_+ ",
        "inja ibaleka ebusuku",
        "пять зелёных велосипедов",
        "日本語のパスワードは長いほうがいい",
        "Password1234 but with a long walk",
        "x7" * 10 + "qrtvbn",
    ],
)
def test_long_and_unlikely_is_taken_in_any_characters(password: str) -> None:
    assert fault(password) == ""


@pytest.mark.parametrize("password", ["", "x", "eleven sign", "x" * (LONGEST + 1)])
def test_too_short_and_too_long_is_refused(password: str) -> None:
    assert fault(password) == TOO_SHORT


def test_the_bounds_themselves_are_taken() -> None:
    text = "seven green bicycles " * 30

    assert fault(text[:SHORTEST]) == ""
    assert fault(text[:LONGEST]) == ""


@pytest.mark.parametrize(
    "password",
    [
        "Password1234",
        "P@ssw0rd2026!",
        "passwordpassword",
        "Welcome2026!!!",
        "qwertyuiop123",
        "0987654321098",
        "zaq12wsx3edc",
        "1qaz2wsx3edc",
        "abcdefghijkl",
        "aaaaaaaabbbb",
        "abcabcabcabc",
        "iloveyou2010!",
        "Sipho1985!!!",
        "Soweto-2026-01",
        "tiger monkey sunshine",
        "Summer2026Summer",
        "Coordinator12",
        "thandi.dube.12",
        "ThandiDube2026",
        "umthomboprimary",
        "Umth0mb0Primary!",
        "childwellbeing1",
        "wellbeing-wellbeing",
    ],
)
def test_what_guessers_begin_with_is_refused(password: str) -> None:
    assert fault(password) == GUESSED


def test_the_context_decides_and_short_names_do_not() -> None:
    assert fault_of("umthombo-umthombo", login="ab", context=CONTEXT) == GUESSED
    assert fault_of("blue river stone", login="ab", context=("Blu", "Riv")) == ""


def test_the_list_is_made_by_rule_and_its_own() -> None:
    words = common_words()

    assert {"password", "qwerty", "ytrewq", "4321", "1qaz", "zaq1", "umama"} <= words
    assert min(map(len, words)) >= 3
