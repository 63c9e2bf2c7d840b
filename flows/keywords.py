"""Words that steer the conversation, matched on the whole message before any answer is read.

STOP works in every language on every channel. No label, code or synonym of a questionnaire may be
one of these words (`reserved`), so that an answer is never taken for a command.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from flows.lexicon import Lexicon
from flows.phrases import PHRASES
from flows.replies import normalise, trim

Action = Literal[
    "stop",
    "cancel",
    "withdraw",
    "start",
    "help",
    "back",
    "skip",
    "language",
    "menu",
    "join",
    "later",
    "restart",
    "change",
    "call",
    "data",
    "delete",
    "exit",
]
"""What a keyword asks for. `cancel`: words such as END that a provider may take for STOP but that
may also be meant otherwise; where a question is open the person is asked which. `exit`: nothing
more is to be seen, and everything is kept."""

CODE_LENGTH = 8
"""Characters of a join code, in Crockford's base 32 (no I, L, O, U)."""
_CODE = re.compile(rf"[0-9A-HJKMNP-TV-Z]{{{CODE_LENGTH}}}")
_FOLD = str.maketrans("OIL", "011")
_NUMBER = re.compile(r"[0-9]{1,3}")
_BARE = re.compile(r"(?=.*\d)(?=.*[a-z])[a-z0-9]{4}-?[a-z0-9]{4}")
_SHORT = 3
"""Letters written apart are joined ("s t o p") from this many on."""
_PREFIXES = ("isi", "tshi", "se", "si", "xi", "chi", "ki")
"""Class prefixes that people leave out of a language's own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """All steering words of all languages.

    Attributes:
        actions: What each normalised word or short phrase asks for.
        join: The normalised words that stand before a join code, longest first.
        change: Those that stand before the number of an answer, longest first.
    """

    actions: Mapping[str, Action]
    join: tuple[str, ...]
    change: tuple[str, ...] = ()


def collect(lexicons: Iterable[Lexicon]) -> Keywords:
    """The keywords of all languages, English always among them.

    A word that two languages use for different actions counts for the one listed first in
    `Action`: nobody who says STOP is asked what she means.
    """
    sources = [PHRASES, *(lexicon.phrases for lexicon in lexicons)]
    actions: dict[str, Action] = {}
    order: tuple[Action, ...] = get_args(Action)
    for action in order:
        for phrases in sources:
            for word in _words(phrases.get(f"keyword.{action}", "")):
                actions.setdefault(word, action)
    return Keywords(
        actions=actions, join=_longest("join", actions), change=_longest("change", actions)
    )


def keyword(text: str, keywords: Keywords) -> Action | None:
    """What the whole message asks for, or None if it is no keyword.

    Case, punctuation around it, a Telegram slash ("/stop@bot") and letters written apart
    ("S T O P") do not matter; any further word does.
    """
    said = _command(text)
    if found := keywords.actions.get(said):
        return found
    letters = said.replace(".", " ").replace("-", " ").split()
    if len(letters) >= _SHORT and all(len(letter) == 1 for letter in letters):
        return keywords.actions.get("".join(letters))
    return None


def change_number(text: str, keywords: Keywords, lexicons: Iterable[Lexicon]) -> str | None:
    """The number in `CHANGE 3` or `change three`; None where the message is no such thing.

    Case, a "#" and punctuation do not matter; a number word counts in any of these languages.
    """
    said = _command(text)
    for word in keywords.change:
        if said.startswith(f"{word} "):
            rest = trim(said.removeprefix(word).replace("#", " "))
            named = (lexicon.numbers[rest] for lexicon in lexicons if rest in lexicon.numbers)
            number = rest if _NUMBER.fullmatch(rest) else next(named, None)
            if number is not None:
                return number
    return None


def join_code(text: str, keywords: Keywords) -> str | None:
    """The code in `JOIN 7KQ4M2XY`, `/start 7KQ4M2XY` or the bare code; None if there is none.

    Spaces, hyphens and case do not matter, O counts as 0, I and L as 1. A bare code needs a digit
    and a letter and no space, so that no date or word is taken for one.
    """
    said = _command(text)
    for word in (*keywords.join, "start"):
        if said.startswith(word) and (code := _code(said.removeprefix(word))):
            return code
    return _code(said) if _BARE.fullmatch(said) else None


def language_named(text: str, lexicons: Iterable[Lexicon]) -> str | None:
    """The tag of the language that the whole message names ("isiZulu", "zulu", "zu"), if any."""
    said = trim(normalise(text))
    for lexicon in lexicons:
        if said and said in _names(lexicon):
            return lexicon.language
    return None


def wrong_number(text: str, lexicons: Iterable[Lexicon]) -> bool:
    """Whether the whole message says that we have the wrong number, in any of these languages."""
    said = trim(normalise(text))
    return bool(said) and any(said in _wrong(lexicon) for lexicon in lexicons)


def reserved(keywords: Keywords) -> frozenset[str]:
    """Normalised words that no label, code or synonym of an option may be."""
    return frozenset(keywords.actions)


def _longest(wanted: Action, actions: Mapping[str, Action]) -> tuple[str, ...]:
    """The words of one action, the longest first: "change answer 3" is no answer to "change"."""
    words = [word for word, action in actions.items() if action == wanted]
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def _words(listed: str) -> list[str]:
    return [word for part in listed.split("|") if (word := trim(normalise(part)))]


def _command(text: str) -> str:
    said = trim(normalise(text))
    if not said.startswith("/"):
        return said
    command, _, rest = said[1:].partition(" ")
    return f"{command.partition('@')[0]} {rest}".strip()


def _code(text: str) -> str | None:
    folded = "".join(trim(text).replace("-", " ").split()).upper().translate(_FOLD)
    return folded if _CODE.fullmatch(folded) else None


def _wrong(lexicon: Lexicon) -> Mapping[str, str]:
    words = lexicon.memo.get(("wrong_number",))
    if words is None:
        listed = _words(lexicon.phrases.get("word.wrong_number", ""))
        words = lexicon.memo["wrong_number",] = dict.fromkeys(listed, lexicon.language)
    return words


def _names(lexicon: Lexicon) -> Mapping[str, str]:
    """What the language is called, by itself and by others."""
    names = lexicon.memo.get(("names",))
    if names is None:
        own = normalise(lexicon.name)
        others = (normalise(lexicon.language), *_words(lexicon.phrases.get("word.language", "")))
        short = (own.removeprefix(prefix) for prefix in _PREFIXES)
        names = lexicon.memo["names",] = dict.fromkeys((own, *others, *short), lexicon.language)
    return names
