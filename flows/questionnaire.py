"""A questionnaire as the engine sees it: codes, types and rules. Its words live in a lexicon.

Authors write YAML in XLSForm words (`docs/authoring.md`); `flows.authoring` turns that into these
values and reports every fault with file and line. Nothing here knows a language.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flows.expressions import Expression

ItemType = Literal[
    "select_one",
    "select_multiple",
    "select_multiple_from_roster",
    "integer",
    "decimal",
    "text",
    "date",
    "note",
    "calculate",
]
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
        informant: Who answers it: caregiver, teacher, child, nurse, or person (enrolment).
        items: In order.
        index: Position of each item by name.
        context: Names of values the shell hands in at start (roster, list_number, channel ...);
            expressions and texts may use them like answers.
        sections: The items again, by the rule they share.
    """

    form_id: str
    version: str
    informant: Literal["caregiver", "teacher", "child", "nurse", "person"]
    items: tuple[Item, ...]
    context: tuple[str, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)
    sections: tuple[Section, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Find the sections once."""
        object.__setattr__(self, "sections", tuple(_sections(self.items)))

    def __getitem__(self, name: str) -> Item:
        """The item called `name`. Raises KeyError where there is none."""
        return self.items[self.index[name]]


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
