"""Everything the conversation can say or understand in one language, as plain values.

`bot.content.library` reads the catalogs and hands lexicons over; nothing here reads a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
        memo: What `flows.replies` and `flows.keywords` worked out from these words, by what it is
            for; the words never change, so it stays true.
    """

    language: str
    name: str
    phrases: Mapping[str, str]
    texts: Mapping[str, str]
    numbers: Mapping[str, str] = field(default_factory=dict)
    draft: bool = False
    memo: dict[tuple[str, ...], Mapping[str, str]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def say(self, key: str, values: Mapping[str, str]) -> str:
        """The phrase `key` with its placeholders filled. Raises KeyError if it is not there."""
        return self.phrases[key].format_map(values)

    def label(self, form: str, item: str) -> str:
        """The question or note text of an item."""
        return self.texts[f"{form}/{item}:label"]

    def choice(self, form: str, list_name: str, code: str) -> str:
        """The label of a choice."""
        return self.texts[f"{form}/{list_name}/{code}:label"]

    def accept(self, form: str, list_name: str, code: str) -> tuple[str, ...]:
        """Other words that mean this choice, as the author and translators declared them."""
        words = self.texts.get(f"{form}/{list_name}/{code}:accept", "")
        return tuple(w.strip() for w in words.split("|") if w.strip())
