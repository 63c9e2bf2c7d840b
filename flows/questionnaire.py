"""A questionnaire as the engine sees it: codes, types and rules. Its words live in a lexicon.

Authors write YAML in XLSForm words (`docs/authoring.md`); `flows.authoring` turns that into these
values and reports every fault with file and line. Nothing here knows a language.
"""

from collections.abc import Mapping
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
    """

    form_id: str
    version: str
    informant: Literal["caregiver", "teacher", "child", "nurse", "person"]
    items: tuple[Item, ...]
    context: tuple[str, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Item:
        """The item called `name`. Raises KeyError where there is none."""
        return self.items[self.index[name]]
