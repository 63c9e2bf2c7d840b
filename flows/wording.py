"""What can be wrong with the words of a language, whoever wrote them: found before anybody sees it.

One text against its English source (`faults`), and all words of a language against each other
(`clashes`). Whether they fit on a phone is measured in `flows.rendering`.
"""

from collections.abc import Iterable, Iterator, Mapping

from flows.keywords import Keywords
from flows.lexicon import SMS, Lexicon
from flows.questionnaire import Item, Questionnaire
from flows.replies import normalise, trim
from flows.sms import segments

SELECTS = ("select_one", "select_multiple")


def faults(address: str, source: str, words: str) -> tuple[str, ...]:
    """What is wrong with one translation, as reasons that finish "it ..."; nothing if it is good.

    Args:
        address: Its `msgctxt`.
        source: The English words.
        words: The translation.
    """
    if not words.strip():
        return ("is empty",)
    found = []
    if placeholders(source) != placeholders(words):
        named = " ".join(f"{{{name}}}" for name in placeholders(source)) or "none"
        found.append(f"has other placeholders than the English ones ({named})")
    if address.endswith(SMS) and segments(words).encoding != "GSM-7":
        found.append("has letters outside GSM-7, which is what an SMS spelling is there to avoid")
    return tuple(found)


def placeholders(text: str) -> list[str]:
    """The names of the placeholders in a text, sorted; a repeated one is named again."""
    return sorted(part.split("}")[0] for part in text.split("{")[1:])


def clashes(
    questionnaires: Iterable[Questionnaire], lexicon: Lexicon, keywords: Keywords
) -> list[tuple[str, str]]:
    """Words of one language that would be mistaken for each other.

    Args:
        questionnaires: Whose choices are compared, each list for itself.
        lexicon: The language.
        keywords: The steering words of all languages: no answer may be one.

    Returns:
        (address, what was found) pairs, each address once for each reason.
    """
    found: dict[tuple[str, str], None] = {}
    for questionnaire in questionnaires:
        form = questionnaire.form_id
        for item in questionnaire.items:
            if item.type in SELECTS:
                found |= dict.fromkeys(_choices(form, item, lexicon, keywords))
    found |= dict.fromkeys(_steering(lexicon.phrases))
    return list(found)


def _choices(
    form: str, item: Item, lexicon: Lexicon, keywords: Keywords
) -> Iterator[tuple[str, str]]:
    owners = {str(place): code for place, code in enumerate(item.choices, 1)}
    for code in item.choices:
        address = f"{form}/{item.list_name}/{code}"
        label = (f"{address}:label", lexicon.shown(form, item.list_name, code))
        others = [
            (f"{address}:accept", word) for word in lexicon.accept(form, item.list_name, code)
        ]
        for at, text in (label, *others):
            word = trim(normalise(text))
            owner = owners.setdefault(word, code)
            if owner != code:
                yield at, f"{word!r} also means the choice {owner}"
            if action := keywords.actions.get(word):
                yield at, f"{word!r} is the command {action.upper()} at any time"


def _steering(phrases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A word in two lists of commands."""
    owners: dict[str, str] = {}
    for key, listed in phrases.items():
        if key.startswith("keyword."):
            for word in (trim(normalise(part)) for part in listed.split("|")):
                owner = owners.setdefault(word, key)
                if owner != key:
                    yield key, f"{word!r} stands in {owner} too"
