"""Everything the conversation can say or understand in one language, as plain values.

`bot.content.library` reads the catalogs and hands lexicons over; nothing here reads a file.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.languages import LIST, own_name

SMS = ":sms"
"""What the address of an SMS spelling ends in, after the address of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The words of one language.

    Attributes:
        language: BCP 47 tag ("zu").
        name: The language's own name ("isiZulu").
        phrases: The bot's sentences by key, with `{placeholders}`; complete or not offered.
        texts: Questionnaire strings by address: `form/item:label`, `form/item:hint`,
            `form/item:constraint_message`, `form/list/choice:label`, `form/list/choice:accept`.
        numbers: Number words to digits ("kunye" to "1").
        draft: Whether any string is still a machine draft.
        spellings: By address or phrase key, the same words in the letters of GSM-7: sent by SMS and
            USSD instead, and nowhere else. A speaker wrote each; nothing is ever transliterated.
        memo: What `flows.replies` and `flows.keywords` worked out from these words, by what it is
            for; the words never change, so it stays true.
        plain: The same language as SMS and USSD write it; itself where it has no spellings.
    """

    language: str
    name: str
    phrases: Mapping[str, str]
    texts: Mapping[str, str]
    numbers: Mapping[str, str] = field(default_factory=dict)
    draft: bool = False
    spellings: Mapping[str, str] = field(default_factory=dict)
    memo: dict[tuple[str, ...], Mapping[str, str]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    plain: "Lexicon" = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Lay the SMS spellings over the words once."""
        object.__setattr__(self, "plain", self._spelled() if self.spellings else self)

    def _spelled(self) -> "Lexicon":
        return Lexicon(
            language=self.language,
            name=self.name,
            phrases={key: self.spellings.get(key, text) for key, text in self.phrases.items()},
            texts={key: self.spellings.get(key, text) for key, text in self.texts.items()},
            numbers=self.numbers,
            draft=self.draft,
        )

    def say(self, key: str, values: Mapping[str, str]) -> str:
        """The phrase `key` with its placeholders filled. Raises KeyError if it is not there."""
        return self.phrases[key].format_map(values)

    def label(self, form: str, item: str) -> str:
        """The question or note text of an item."""
        return self.texts[f"{form}/{item}:label"]

    def choice(self, form: str, list_name: str, code: str) -> str:
        """The label of a choice. Raises KeyError if it is not there."""
        return self.shown(form, list_name, code) or self.texts[f"{form}/{list_name}/{code}:label"]

    def shown(self, form: str, list_name: str, code: str) -> str:
        """The label of a choice, of a language what it calls itself; empty if it is not there."""
        if list_name == LIST:
            return own_name(code)
        return self.texts.get(f"{form}/{list_name}/{code}:label", "")

    def accept(self, form: str, list_name: str, code: str) -> tuple[str, ...]:
        """Other words that mean this choice, as the author and translators declared them.

        As it is spelled by SMS, too; of this language itself, the words for it.
        """
        address = f"{form}/{list_name}/{code}"
        words = self.texts.get(f"{address}:accept", "")
        if list_name == LIST and code == self.language:
            words = self.phrases.get("word.language", "")
        listed = (*words.split("|"), self.spellings.get(f"{address}:label", ""))
        return tuple(w.strip() for w in listed if w.strip())


def unmarked(names: Mapping[str, str]) -> dict[str, str]:
    """The same names as a simple phone types them, without accents ("mantsiboa" for "mantšiboa").

    Args:
        names: What each name means.

    Returns:
        Only names with one meaning: where an accent alone tells two apart, both are left out.
    """
    meanings: dict[str, set[str]] = {}
    for name, meaning in names.items():
        letters = unicodedata.normalize("NFD", name)
        bare = "".join(char for char in letters if not unicodedata.combining(char))
        meanings.setdefault(bare, set()).add(meaning)
    return {name: found.pop() for name, found in meanings.items() if len(found) == 1}
