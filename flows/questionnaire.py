"""A questionnaire as the engine sees it: codes, types and rules. Its words live in a lexicon.

Authors write YAML in XLSForm words (`docs/authoring.md`); `flows.authoring` turns that into these
values and reports every fault with file and line. Nothing here knows a language.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from flows.expressions import Expression
from flows.languages import LIST

ItemType = Literal[
    "select_one",
    "select_one_from_languages",
    "select_multiple",
    "select_multiple_from_roster",
    "integer",
    "decimal",
    "text",
    "date",
    "note",
    "calculate",
]
LANGUAGE: Literal["select_one_from_languages"] = "select_one_from_languages"
"""The type whose choices are the languages on offer; `offering` puts them in."""
OFFERED = "offered"
"""The context value that names those languages by tag, in order, with spaces between."""
Teller = Literal["caregiver", "teacher", "child", "nurse"]
"""Who tells about a child; what they say is scored."""
Informant = Literal["caregiver", "teacher", "child", "nurse", "person", "practice", "lesson"]
"""Who answers. `person` is anybody at enrolment; `practice` and `lesson` are for learning to use
the bot: about nobody, without consent or wave, never kept as answers, never scored."""
LEARNING: tuple[Informant, ...] = ("practice", "lesson")
TELLERS: Mapping[Informant, Teller] = {
    "caregiver": "caregiver",
    "teacher": "teacher",
    "child": "child",
    "nurse": "nurse",
}
About = Literal["child", "household", "caregiver", "class", "self"]
"""Whom an item is about. `household` and `caregiver` items are asked once a wave however many
children she has; `self` is the person's own enrolment; `class` the teacher's whole class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row of the survey.

    Attributes:
        name: The author's code, unique in the questionnaire; never derived from a label.
        type: See `ItemType`.
        list_name: The choice list of a select, else empty.
        choices: Its codes in the author's order.
        about: Whom it is about.
        required: Whether SKIP is refused (kindly).
        relevant: Asked only where this is true; None means always.
        constraint: The answer must make this true; None means any of the type.
        calculation: The value of a `calculate` item.
        pack: Name of the group it is answered together with where the channel packs, else empty.
        line: Line in the author's file, for messages.
    """

    name: str
    type: ItemType
    list_name: str = ""
    choices: tuple[str, ...] = ()
    about: About = "child"
    required: bool = False
    relevant: Expression | None = None
    constraint: Expression | None = None
    calculation: Expression | None = None
    pack: str = ""
    line: int = 0

    @property
    def asked(self) -> bool:
        """Whether a person answers it (notes are told and calculations computed)."""
        return self.type not in ("note", "calculate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Neighbouring items under one rule, which is read once for all of them.

    Attributes:
        rule: Their `relevant`; None means always.
        items: In order. Only the last may set what the rule reads.
        names: Their names.
    """

    rule: Expression | None
    items: tuple[Item, ...]
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """A questionnaire of one version.

    Attributes:
        form_id: The author's id, stable over versions.
        version: Hash of codes, types, rules and source labels.
        informant: Who answers it; see `Informant`.
        items: In order.
        index: Position of each item by name.
        context: Names of values the shell hands in at start (roster, list_number, channel ...);
            expressions and texts may use them like answers.
        sections: The items again, by the rule they share.
        asks_language: Whether one of its questions is which language she wants.
    """

    form_id: str
    version: str
    informant: Informant
    items: tuple[Item, ...]
    context: tuple[str, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)
    sections: tuple[Section, ...] = field(init=False, compare=False, repr=False)
    asks_language: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Find the sections once."""
        object.__setattr__(self, "sections", tuple(_sections(self.items)))
        asks = any(item.type == LANGUAGE for item in self.items)
        object.__setattr__(self, "asks_language", asks)

    @property
    def teller(self) -> Teller | None:
        """Whose answers about a child these are; None where nothing is scored."""
        return TELLERS.get(self.informant)

    @property
    def is_learning(self) -> bool:
        """Whether it is practice or a lesson."""
        return self.informant in LEARNING

    def __getitem__(self, name: str) -> Item:
        """The item called `name`. Raises KeyError where there is none."""
        return self.items[self.index[name]]


def offering(questionnaire: Questionnaire, context: Mapping[str, str]) -> Questionnaire:
    """The questionnaire with the languages on offer as choices of its question about language.

    Args:
        questionnaire: As its author wrote it.
        context: Of the session; `OFFERED` names the languages.

    Returns:
        The same version with plain `select_one` questions; itself where it asks for no language.
    """
    if not questionnaire.asks_language:
        return questionnaire
    tags = tuple(context.get(OFFERED, "").split())
    items = tuple(
        replace(item, type="select_one", list_name=LIST, choices=tags)
        if item.type == LANGUAGE
        else item
        for item in questionnaire.items
    )
    return replace(questionnaire, items=items)


def _sections(items: Sequence[Item]) -> Iterator[Section]:
    run: list[Item] = []
    for item in items:
        if run and not _shares_rule(run[-1], item):
            yield _section(run)
            run = []
        run.append(item)
    if run:
        yield _section(run)


def _shares_rule(before: Item, item: Item) -> bool:
    """Whether the rule is the same and `before` sets nothing that it reads."""
    if item.relevant is None or before.relevant is None:
        return item.relevant is before.relevant
    return item.relevant == before.relevant and before.name not in item.relevant.refs


def _section(run: Sequence[Item]) -> Section:
    return Section(
        rule=run[0].relevant, items=tuple(run), names=frozenset(item.name for item in run)
    )
