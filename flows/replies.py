"""Understanding a reply: from what a person typed to a canonical answer, or why not.

A reply is compared on a cleaned copy; what she wrote is kept as it is elsewhere. Nothing is ever
picked out of a longer text: "not 1", "1 or 2" and "1-15" are no answers, and a text that means
different things in two languages is asked again rather than guessed.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from msgspec import Struct, field

from flows.lexicon import Lexicon, unmarked
from flows.questionnaire import Item

TEXT_LIMIT = 1600
"""The longest free-text answer kept, in characters: one inbound SMS can carry no more."""
MOST_TOKENS = 200
"""More words than this are a letter, not a list of answers; they are not searched."""
LONGEST_LABEL = 8
"""Words of the longest label recognised inside a reply that holds several answers."""

_LOOKALIKES = str.maketrans("’‘ʼ“”–—−‐‑", "'''\"\"-----")
DIGITS = frozenset("123456789")
_EDGES = " .,!?;:\"'*_"
_HARD = re.compile(r"[,;/&+]")
_NUMBERED = re.compile(r"(?:(?P<word>[^\W\d]+) ?)?[#(\[]?(?P<number>\d{1,3})[.)\]:]*")
_LETTERED = re.compile(r"\(?([a-z])[).:]*")
_OPTION_LINE = re.compile(r"[#(\[]?(\d{1,3})[.)\]:]* ?[-=:]? ?(\D.*)")
_INTEGER = re.compile(r"[+-]?(?:\d{1,12}|\d{1,3}(?: \d{3}){1,3})")
_DECIMAL = re.compile(r"[+-]?(?:\d{1,12}|\d{1,3}(?: \d{3}){1,3})(?:[.,]\d{1,6})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3},\d{3}")
_YEAR_FIRST = re.compile(r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})([-/. ])(?P<m>\d{1,2})\2(?P<y>\d{4}|\d{2})")


class Understood(Struct, frozen=True):
    """The canonical value of an answer (see `flows.sessions.Answer.value`)."""

    value: str


class Rejected(Struct, frozen=True):
    """Why a reply is no answer: a phrase key, and the values of its placeholders."""

    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


Understanding = Understood | Rejected


class Ear(Struct, frozen=True, kw_only=True):
    """What is needed to understand replies to one questionnaire.

    Attributes:
        form_id: Whose labels are compared.
        lexicons: The session's language first, then the others she may use.
        roster: The list numbers of her class, for roster questions.
        now: The moment of the reply, which two-digit years are read against.
        letters: Whether a lone letter names an option. Not in a pack: there it names a question.
    """

    form_id: str
    lexicons: tuple[Lexicon, ...]
    roster: tuple[str, ...] = ()
    now: datetime
    letters: bool = True

    def words(self, key: str) -> frozenset[str]:
        """The normalised words of a word list in all its languages."""
        return frozenset[str]().union(*(_listed(lexicon, key) for lexicon in self.lexicons))


def clean(text: str) -> str:
    """`text` fit to be stored: no NUL, surrogate pairs joined, lone surrogates dropped."""
    if text.isascii():
        return text.replace("\0", "")
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return joined.replace("\0", "")


def normalise(text: str) -> str:
    """The copy of `text` that is compared: one case, one kind of digit, space and quote.

    Invisible characters, control characters and keycaps go. Superscripts, fractions and several
    circled digits stay what they are, so that they are never read as a number ("5²" is not 52).
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    folded = _compatible(clean(text)).casefold().translate(_LOOKALIKES)
    return " ".join("".join(map(_plain, folded)).split())


def trim(text: str) -> str:
    """A normalised text without the punctuation around it; what is inside stays ("e-e")."""
    return text.strip(_EDGES)


def understand(
    item: Item,
    text: str,
    *,
    form_id: str,
    lexicon: Lexicon,
    others: Sequence[Lexicon] = (),
    roster: Sequence[str] = (),
    now: datetime,
) -> Understanding:
    """What `text` answers to one question.

    Args:
        item: The question.
        text: What she typed, raw.
        form_id: The questionnaire's id, for its labels.
        lexicon: The language she reads; `others` she may use as well.
        others: Where two languages read the text differently it is rejected.
        roster: List numbers of her class, for roster questions.
        now: Aware time of the reply.

    Returns:
        `Understood` with the canonical value, or `Rejected` with a phrase key. Never raises.
    """
    ear = Ear(form_id=form_id, lexicons=(lexicon, *others), roster=tuple(roster), now=now)
    return hear(item, text, ear)


def hear(item: Item, text: str, ear: Ear) -> Understanding:
    """`understand` with everything but item and text prepared."""
    whole = normalise(text)
    said = trim(whole)
    if not said and (item.type != "text" or not whole):
        return Rejected("reject.empty")
    return _hear(item, said, text, ear)


def answers_in(said: str) -> Iterator[list[str]]:
    """The words of a normalised text, in the groups that commas and the like make of it."""
    for chunk in _HARD.split(said):
        if words := chunk.split():
            yield words


def words_of_answer(words: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The ways the first answer in `words` may end, longest first: how many words, and the text.

    Only words make a longer answer; "1 000" beside other answers is two of them.
    """
    for size in range(min(len(words), LONGEST_LABEL), 1, -1):
        joined = " ".join(words[:size])
        if any(map(str.isalpha, joined)):
            yield size, joined
    yield 1, words[0]


def _hear(item: Item, said: str, text: str, ear: Ear) -> Understanding:
    match item.type:
        case "select_one":
            return _one(item, said, ear)
        case "select_multiple":
            return _several(item, said, ear)
        case "select_multiple_from_roster":
            return _roster(said, ear)
        case "integer" | "decimal":
            return _number(item, said, ear)
        case "date":
            return _date(said, ear)
        case _:
            return _text(text)


def _compatible(text: str) -> str:
    ornate = [char for char in text if _ornate(char)]
    lone = len(ornate) == 1 and not any(map(str.isdecimal, text))
    if lone and unicodedata.decomposition(ornate[0]).startswith(("<circle>", "<compat>")):
        return unicodedata.normalize("NFKC", text)
    return "".join(
        "".join(run) if keep else unicodedata.normalize("NFKC", "".join(run))
        for keep, run in groupby(text, _ornate)
    )


def _ornate(char: str) -> bool:
    """Whether a character is no digit itself but becomes digits when folded."""
    return (
        not char.isascii()
        and not char.isdecimal()
        and any(map(str.isdecimal, unicodedata.normalize("NFKC", char)))
    )


def _plain(char: str) -> str:
    if char.isspace():
        return " "
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    keycap_or_variation = char == "\u20e3" or "\ufe00" <= char <= "\ufe0f"
    return "" if keycap_or_variation or unicodedata.category(char) in ("Cf", "Cc") else char


def _one(item: Item, said: str, ear: Ear) -> Understanding:
    if said in DIGITS and (code := digit_means(item, said, ear)):
        return Understood(code)
    found = _readings(item, said, ear)
    if len(found) == 1:
        return Understood(found.pop())
    if found:
        return Rejected("reject.ambiguous")
    numbers = {int(number) for number in re.findall(r"\d{1,3}", said)}
    if len(numbers) > 1 and numbers <= set(range(1, len(item.choices) + 1)):
        return Rejected("reject.several")
    return Rejected("reject.choice")


def _several(item: Item, said: str, ear: Ear) -> Understanding:
    none = [code for code in item.choices if _means_none(code)]
    if said.count(" ") > MOST_TOKENS:
        return Rejected("reject.choice")
    whole = _readings(item, said, ear)
    if not whole and none and (said == "0" or said in ear.words("word.none")):
        whole = {none[0]}
    if len(whole) > 1:
        return Rejected("reject.ambiguous")
    codes = whole or _codes(item, said, ear)
    if not codes:
        return Rejected("reject.choice")
    if len(codes) > 1 and codes.intersection(none):
        return Rejected("reject.none")
    return Understood(" ".join(code for code in item.choices if code in codes))


def _codes(item: Item, said: str, ear: Ear) -> set[str]:
    """All codes named in a list of answers; none at all if anything in it is not one."""
    linking = ear.words("word.and")
    codes: set[str] = set()
    for group in answers_in(said):
        words = group
        while words:
            size, found = _longest(item, words, ear)
            if not found and words[0] not in linking:
                return set()
            codes |= found
            words = words[size:]
    return codes


def _longest(item: Item, words: Sequence[str], ear: Ear) -> tuple[int, set[str]]:
    """How many of the first words name one code, and the code; (1, nothing) if they do not."""
    for size, answer in words_of_answer(words):
        if len(found := _readings(item, trim(answer), ear)) == 1:
            return size, found
    return 1, set()


def _readings(item: Item, said: str, ear: Ear) -> set[str]:
    """Every code that `said` can mean, over all ways of naming one and all languages."""
    found = {code for lexicon in ear.lexicons if (code := _named(item, said, lexicon, ear.form_id))}
    count = len(item.choices)
    if (number := _numbered(said, ear)) is not None and 1 <= number <= count:
        found.add(item.choices[number - 1])
    if ear.letters and (letter := _LETTERED.fullmatch(said)):
        found.update(item.choices[ord(letter[1]) - ord("a") :][:1])
    if (line := _OPTION_LINE.fullmatch(said)) and 1 <= int(line[1]) <= count:
        code = item.choices[int(line[1]) - 1]
        if any(
            _named(item, trim(line[2]), lexicon, ear.form_id) == code for lexicon in ear.lexicons
        ):
            found.add(code)
    return found


def digit_means(item: Item, digit: str, ear: Ear) -> str:
    """The code that one digit names beyond doubt; empty where it takes a closer look."""
    place = ord(digit) - ord("1")
    if item.type != "select_one" or not 0 <= place < len(item.choices):
        return ""
    named = {_named(item, digit, lexicon, ear.form_id) for lexicon in ear.lexicons} - {""}
    return item.choices[place] if named <= {item.choices[place]} else ""


def _named(item: Item, said: str, lexicon: Lexicon, form_id: str) -> str:
    """The code that `said` names in one language, else empty: label, number word, other words."""
    key = ("choices", form_id, item.list_name, *item.choices)
    names = lexicon.memo.get(key)
    if names is None:
        found = {name: code for name, code in _names(item, lexicon, form_id) if name}
        names = lexicon.memo[key] = unmarked(found) | found
    return names.get(said, "")


def _names(item: Item, lexicon: Lexicon, form_id: str) -> Iterator[tuple[str, str]]:
    """Everything that names a choice, with its code; what counts most comes last."""
    for code in reversed(item.choices):
        general = "none" if _means_none(code) else code
        words = lexicon.phrases.get(f"word.{general}", "").split("|")
        for word in (*lexicon.accept(form_id, item.list_name, code), *words):
            yield trim(normalise(word)), code
    for word, digits in lexicon.numbers.items():
        if 1 <= int(digits) <= len(item.choices):
            yield word, item.choices[int(digits) - 1]
    for code in reversed(item.choices):
        yield trim(normalise(lexicon.shown(form_id, item.list_name, code))), code


def _listed(lexicon: Lexicon, key: str) -> Mapping[str, str]:
    """The normalised words of a word list in one language."""
    words = lexicon.memo.get((key,))
    if words is None:
        listed = map(normalise, lexicon.phrases.get(key, "").split("|"))
        words = lexicon.memo[(key,)] = {word: key for word in listed if word}
    return words


def _means_none(code: str) -> bool:
    return code == "none" or code.startswith("none_")


def _numbered(said: str, ear: Ear) -> int | None:
    """The number in `1`, `1.`, `(1)`, `#1`, `option 1`; None for anything else."""
    found = _NUMBERED.fullmatch(said)
    if not found or (found["word"] and found["word"] not in ear.words("word.option")):
        return None
    return int(found["number"])


def _word_number(said: str, ear: Ear) -> str:
    """The digits of a number word if all languages that know it agree, else empty."""
    found = {lexicon.numbers[said] for lexicon in ear.lexicons if said in lexicon.numbers}
    return found.pop() if len(found) == 1 else ""


def _roster(said: str, ear: Ear) -> Understanding:
    if said in ear.words("word.none"):
        return Understood("0")
    numbers = _list_numbers(said, ear)
    if not numbers:
        return Rejected("reject.roster_form")
    if 0 in numbers:
        return Understood("0") if len(numbers) == 1 else Rejected("reject.none")
    listed = {number.lstrip("0") for number in ear.roster}
    if strange := sorted(number for number in numbers if str(number) not in listed):
        return Rejected("reject.roster", {"numbers": " ".join(map(str, strange[:10]))})
    return Understood(" ".join(map(str, sorted(numbers))))


def _list_numbers(said: str, ear: Ear) -> set[int]:
    """The numbers in a list of numbers; none at all if anything in it is not one."""
    linking = ear.words("word.and")
    numbers: set[int] = set()
    for word in (word for words in answers_in(said) for word in words if word not in linking):
        number = _numbered(trim(word), ear)
        spelled = _word_number(word, ear)
        if number is None and not spelled:
            return set()
        numbers.add(int(spelled) if number is None else number)
    return numbers


def _number(item: Item, said: str, ear: Ear) -> Understanding:
    if spelled := _word_number(said, ear):
        return Understood(spelled)
    if item.type == "decimal":
        if _THOUSANDS.fullmatch(said):
            # 1,000 is a thousand to one reader and exactly one to another.
            return Rejected("reject.ambiguous")
        if _DECIMAL.fullmatch(said):
            value = Decimal(said.replace(" ", "").replace(",", "."))
            return Understood(format(value.normalize() + 0, "f"))
    elif _INTEGER.fullmatch(said):
        return Understood(str(int(said.replace(" ", ""))))
    return Rejected("reject.number")


def _date(said: str, ear: Ear) -> Understanding:
    found = _YEAR_FIRST.fullmatch(said) or _DAY_FIRST.fullmatch(said)
    if not found:
        return Rejected("reject.date")
    year = int(found["y"])
    if len(found["y"]) < len("2000"):
        # Two digits: the latest such year that has begun.
        year += ear.now.year // 100 * 100
        year -= 100 if year > ear.now.year else 0
    try:
        day = date(year, int(found["m"]), int(found["d"]))
    except ValueError:
        return Rejected("reject.date")
    return Understood(day.isoformat())


def _text(text: str) -> Understanding:
    kept = "".join(
        char for char in clean(text) if char in "\n\t" or unicodedata.category(char) != "Cc"
    ).strip()
    return Understood(kept) if len(kept) <= TEXT_LIMIT else Rejected("reject.long")
