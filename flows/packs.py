"""Understanding one message that answers several questions: `1 3 2`, `132`, `a1 b3 c2`, words.

Answers bind in order unless letters name their questions. A wrong number among right ones is asked
again alone; where the doubt is about the whole message, nothing of it is taken.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from flows.lexicon import Lexicon
from flows.questionnaire import Item
from flows.replies import (
    DIGITS,
    MOST_TOKENS,
    Ear,
    Rejected,
    Understood,
    answers_in,
    digit_means,
    hear,
    normalise,
    trim,
    words_of_answer,
)

_MARKED = re.compile(r"(?:^|(?<=[\s,;]))\(?([a-z]) ?[).:=]+ ?")
_UNMARKED = re.compile(r"(?:[a-z] ?\d{1,4}[ ,;]*)+")
_UNMARKED_PAIR = re.compile(r"([a-z]) ?(\d{1,4})")
_CHAINED = re.compile(r"\d(?:[.-]\d){2,}")
_MOST_OF_ONE_DIGIT = 9


class PackReading(Struct, frozen=True, kw_only=True):
    """What one message said to several questions.

    Attributes:
        values: Canonical value by item, for what was understood.
        rejected: Phrase key by item, for what was answered but not understood.
        rest: Items the message did not reach, in order.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    rejected: Mapping[str, str] = field(default_factory=dict)
    rest: tuple[str, ...] = ()


def understand_pack(
    items: Sequence[Item],
    text: str,
    *,
    form_id: str,
    lexicon: Lexicon,
    others: Sequence[Lexicon] = (),
    roster: Sequence[str] = (),
    now: datetime,
) -> PackReading:
    """What `text` answers to several questions that were put in one message.

    Args:
        items: The questions, in the order shown (a, b, c ...); at least one.
        text: What she typed, raw.
        form_id: The questionnaire's id, for its labels.
        lexicon: The language she reads.
        others: Languages she may use as well.
        roster: List numbers of her class, for roster questions.
        now: Aware time of the reply.

    Returns:
        A reading that names every item exactly once. Never raises.
    """
    ear = Ear(
        form_id=form_id,
        lexicons=(lexicon, *others),
        roster=tuple(roster),
        now=now,
        letters=len(items) == 1,
    )
    if len(items) == 1:
        return _bound(items, [(hear(items[0], text, ear), items[0])])
    said = normalise(text)
    if not said:
        return _all(items, "reject.empty")
    if values := _digit_each(items, text, ear):
        return PackReading(values=values)
    lettered = _lettered(said)
    if lettered:
        return _by_letter(items, lettered, ear)
    lines = [line for line in map(normalise, text.splitlines()) if line]
    if 1 < len(lines) <= len(items):
        heard = [(hear(item, line, ear), item) for item, line in zip(items, lines, strict=False)]
        if all(isinstance(answer, Understood) for answer, _ in heard):
            return _bound(items, heard)
    return _in_order(items, said, ear)


def _digit_each(items: Sequence[Item], text: str, ear: Ear) -> dict[str, str]:
    """The codes of `1 3 2`, what nearly all answers look like; nothing for any other text."""
    words = text.split(" ")
    if len(words) != len(items):
        return {}
    values = {}
    for item, word in zip(items, words, strict=True):
        code = digit_means(item, word, ear) if word in DIGITS else ""
        if not code:
            return {}
        values[item.name] = code
    return values


def _all(items: Sequence[Item], reason: str) -> PackReading:
    return PackReading(rejected={item.name: reason for item in items})


def _bound(
    items: Sequence[Item], heard: Sequence[tuple[Understood | Rejected, Item]]
) -> PackReading:
    values = {item.name: a.value for a, item in heard if isinstance(a, Understood)}
    rejected = {item.name: a.reason for a, item in heard if isinstance(a, Rejected)}
    rest = tuple(i.name for i in items if i.name not in values and i.name not in rejected)
    return PackReading(values=values, rejected=rejected, rest=rest)


def _lettered(said: str) -> list[tuple[str, str]]:
    """(letter, answer) pairs of `a) 1 b) often` or `a1 b3`; empty if it is neither."""
    lead, *parts = _MARKED.split(said)
    if parts and not lead:
        return list(zip(parts[::2], (part.strip(" ,;") for part in parts[1::2]), strict=True))
    return _UNMARKED_PAIR.findall(said) if _UNMARKED.fullmatch(said) else []


def _by_letter(items: Sequence[Item], pairs: list[tuple[str, str]], ear: Ear) -> PackReading:
    named = dict[str, str]()
    for letter, answer in pairs:
        if ord(letter) - ord("a") >= len(items):
            return _all(items, "reject.too_many")
        if named.setdefault(letter, answer) != answer:
            return _all(items, "reject.pack")
    return _bound(
        items,
        [
            (hear(item, named[letter], ear), item)
            for item, letter in zip(items, "abcdefghijklmnopqrstuvwxyz", strict=False)
            if letter in named
        ],
    )


def _in_order(items: Sequence[Item], said: str, ear: Ear) -> PackReading:
    answers = _digits(items, said)
    understood = [hear(item, answer, ear) for item, answer in zip(items, answers, strict=False)]
    if not answers:
        answers, understood = _answers(items, said, ear)
    heard = list(zip(understood, items, strict=False))
    if not any(isinstance(answer, Understood) for answer, _ in heard):
        return _all(items, "reject.pack")
    if len(answers) > len(items):
        return _all(items, "reject.too_many")
    wrong = [a for a, (h, _) in zip(answers, heard, strict=True) if isinstance(h, Rejected)]
    # A stray word between digits ("1 or 2") puts all of them in doubt; a digit out of range, or a
    # misspelt word among words, only itself.
    if any(map(_has_letter, wrong)) and any(map(_has_digit, answers)):
        return _all(items, "reject.pack")
    return _bound(items, heard)


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _digits(items: Sequence[Item], said: str) -> list[str]:
    """The digits of `132` or `1.3.2` where that can only mean one digit for each question."""
    bare = trim(said)
    if any(i.type != "select_one" or len(i.choices) > _MOST_OF_ONE_DIGIT for i in items):
        return []
    if not (_CHAINED.fullmatch(bare) or bare.isdecimal()):
        return []
    digits = [char for char in bare if char.isdecimal()]
    return digits if len(digits) == len(items) else []


def _answers(
    items: Sequence[Item], said: str, ear: Ear
) -> tuple[list[str], list[Understood | Rejected]]:
    """The text cut into answers, each as long as its question understands, and what they mean.

    Words after the last answer are answers to nothing, one by one.
    """
    linking = ear.words("word.and")
    answers: list[str] = []
    heard: list[Understood | Rejected] = []
    for group in answers_in(said):
        words = group[:MOST_TOKENS]
        while words:
            asked = items[len(answers)] if len(answers) < len(items) else None
            size, meaning = _first(asked, words, ear) if asked else (1, None)
            if size == 1 and words[0] in linking:
                words = words[1:]
                continue
            answers.append(" ".join(words[:size]))
            heard += [meaning] if meaning else []
            words = words[size:]
    return answers, heard


def _first(item: Item, words: Sequence[str], ear: Ear) -> tuple[int, Understood | Rejected]:
    """How many words the first answer takes, and what it means; one where none is understood."""
    meaning: Understood | Rejected = Rejected("reject.empty")
    for size, answer in words_of_answer(words):
        meaning = hear(item, answer, ear)
        if isinstance(meaning, Understood):
            return size, meaning
    return 1, meaning
