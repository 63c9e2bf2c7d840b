"""The values of a rule set: scales, indicators, critical answers, suggestions, and their indices.

`scoring.rules` reads them from a rule file; scoring itself only looks things up in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scoring.model import DOMAINS, Band, Domain, Informant, Reason

ScaleName = Domain | Literal["caregiver"]
"""The six domains, and the caregiver's own wellbeing beside them."""
SCALES: tuple[ScaleName, ...] = (*DOMAINS, "caregiver")
NAMED = "named"
"""The value a class-screen item has for a learner whose list number was given."""
HIGH_RULE = "high"
"""The rule of an alert for a domain at high risk; no critical rule may be called so."""
CRISIS_RULE = "crisis"
"""The rule of an alert for words of danger that somebody typed; reserved as well."""
UNREAD_RULE = "unread"
"""The rule of an alert for a message nobody could handle that held such an answer; reserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What the answers to one item add to one scale.

    Attributes:
        item: `form/item`.
        scale: A domain, or caregiver.
        points: Points by choice code; a code that is not listed counts as not answered.
        most: The most points it can add.
        words: English sentence; `{answer}` stands for the code given.
        source: Where the topic and the points come from.
        reasons: The row each code that adds points is shown as, by informant and code.
        follow_up: Name of the condition under which its form asks it; empty means always.
        screen: Whether it is a class-screen item: only being named says something.
        line: Line in the rule file.
    """

    item: str
    scale: ScaleName
    points: Mapping[str, int]
    most: int
    words: str
    source: str
    reasons: Mapping[Informant, Mapping[str, Reason]]
    follow_up: str = ""
    screen: bool = False
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where the bands of a domain begin.

    Attributes:
        name: A domain, or caregiver.
        minimum: Answers one informant must give before there is a band.
        moderate: Score (share of possible points, 0 to 1) from which it is moderate.
        high: Score from which it is high.
        line: Line in the rule file.
    """

    name: ScaleName
    minimum: int
    moderate: float
    high: float
    line: int = field(default=1, compare=False)

    def band(self, score: float) -> Band:
        """The one band a score from 0 to 1 falls in."""
        if score >= self.high:
            return "high"
        return "moderate" if score >= self.moderate else "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """When a form asks its follow-up items: any trigger item answered with one of its codes.

    Attributes:
        name: Its name in the rule file.
        triggers: Items (`form/item`) and the codes that lead on.
        gate: Whether the trigger itself may never be asked, so that its silence closes the way.
        line: Line in the rule file.
    """

    name: str
    triggers: tuple[tuple[str, frozenset[str]], ...]
    gate: bool
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalRule:
    """Codes of an item that need a person at the moment they are given."""

    id: str
    item: str
    codes: frozenset[str]
    words: str
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """An intervention that may be suggested."""

    id: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A whole rule set of one version, indexed for scoring.

    Attributes:
        id: Its name.
        version: First 12 hex of the SHA-256 of its content; layout and comments do not count.
        file: The file it was read from, for messages.
        note: What it is and is not.
        combination: In words, how several informants make one band.
        scales: Thresholds by scale.
        indicators: In the order of the file.
        follow_ups: Conditions by name.
        critical: In the order of the file.
        plan: Suggestions by scale and band.
        by_scale: Indicators by scale and form id.
        by_item: Indicators by `form/item`.
        critical_by_item: Critical rules by `form/item`.
        expected: By scale, the items that are always asked.
    """

    id: str
    version: str
    file: str
    note: str
    combination: str
    scales: Mapping[ScaleName, Scale]
    indicators: tuple[Indicator, ...]
    follow_ups: Mapping[str, FollowUp]
    critical: tuple[CriticalRule, ...]
    plan: Mapping[ScaleName, Mapping[Band, tuple[Help, ...]]]
    by_scale: Mapping[ScaleName, Mapping[str, tuple[Indicator, ...]]]
    by_item: Mapping[str, tuple[Indicator, ...]]
    critical_by_item: Mapping[str, tuple[CriticalRule, ...]]
    expected: Mapping[ScaleName, tuple[str, ...]]
