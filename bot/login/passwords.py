"""What a password must be: long, and nothing that guessers try first.

No list of leaked passwords ships or is asked for. What people choose is mostly one of a few hundred
words or a row of keys with a year, a number or a sign around it: that is refused by rule, in any
spelling with digits for letters, together with the names around this programme.

Source: OWASP ASVS 5.0, 6.1.2, 6.2.1-6.2.12 (trust-and-dashboard.md §B2).
"""

import re
from collections.abc import Collection, Iterator
from functools import cache

SHORTEST = 12
LONGEST = 500
FEWEST_DIFFERENT = 6
"""So many different letters must stand there beside what is guessed first."""
SHORTEST_WORD = 4
"""Context words below this would refuse parts of ordinary words."""

TOO_SHORT = f"A password needs {SHORTEST} to {LONGEST} characters. Several words are easy to keep."
GUESSED = "This password is among the first that are guessed. Choose other words."

_WORDS = """
password passwort passphrase passcode secret letmein login logon signin welcome hello master admin
administrator root user guest default changeme newpass test testing demo sample temp temporary
computer internet laptop desktop windows office google facebook whatsapp telegram android samsung
iloveyou loveyou lovely love sunshine princess prince queen king angel baby babe honey sweet heart
dragon monkey tiger lion eagle shadow superman batman hero star magic freedom forever friend family
football soccer cricket rugby chiefs pirates sundowns bafana springbok boks proteas
jesus christ lord bless blessed blessing faith hope grace church jehovah praise amen
monday tuesday wednesday thursday friday saturday sunday weekend
january february march april june july august september october november december
spring summer autumn winter season holiday christmas birthday
school teacher learner student children child pupil class grade principal social worker coordinator
supervisor caregiver wellbeing wellness health nurse clinic bot chat cwb cwtt
southafrica africa mzansi gauteng johannesburg joburg jozi soweto pretoria tshwane durban capetown
limpopo mpumalanga kwazulu natal freestate
umama ubaba gogo mkhulu thanda ngiyakuthanda sawubona unkulunkulu inkosi themba sipho thabo lerato
naledi lesedi nomsa zanele
"""
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")
_COLUMNS = ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm")
_LEET = str.maketrans("01345789@$!+", "oieastbgasit")
_WALK = 4
"""So many neighbouring keys are a row, not a word."""


def fault_of(password: str, *, login: str, context: Collection[str] = ()) -> str:
    """Why a password cannot be taken; empty where it can.

    Args:
        password: Any characters; nothing of it is stored or changed.
        login: Whose it is to be.
        context: Names of the programme and the schools.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return TOO_SHORT
    lowered = password.lower()
    names = {part for name in (login, *context) for part in _parts(name)}
    words = sorted(common_words() | names, key=len, reverse=True)
    for spelling in {lowered, lowered.translate(_LEET)}:
        if _little_left(spelling, words):
            return GUESSED
    return ""


@cache
def common_words() -> frozenset[str]:
    """What guessers begin with: words, rows of keys in both directions, the same thing thrice."""
    return frozenset(_WORDS.split()) | frozenset(_walks())


def _walks() -> Iterator[str]:
    for row in _ROWS:
        for line in (row, row[::-1]):
            for size in range(_WALK, len(line) + 1):
                for start in range(len(line) - size + 1):
                    yield line[start : start + size]
    for column in _COLUMNS:
        yield column
        yield column[::-1]


def _parts(name: str) -> Iterator[str]:
    """A name's words, and the name without blanks."""
    words = re.findall(r"\w+", name.lower())
    for word in (*words, "".join(words)):
        if len(word) >= SHORTEST_WORD:
            yield word


def _little_left(text: str, words: Collection[str]) -> bool:
    """Whether hardly anything stands there beside the common words, however often they stand."""
    rest = text
    for word in words:
        rest = rest.replace(word, " ")
    return min(len(set(text)), len(set(rest) - {" "})) < FEWEST_DIFFERENT
