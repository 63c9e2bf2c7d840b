"""The values of scoring: what was answered, what it means, and why.

A profile is always computed whole from all stored answers, never accumulated. Missing is unknown:
never low, never zero.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

Domain = Literal["material", "health", "nutrition", "education", "protection", "psychosocial"]
DOMAINS: tuple[Domain, ...] = (
    "material",
    "health",
    "nutrition",
    "education",
    "protection",
    "psychosocial",
)
Band = Literal["low", "moderate", "high", "unknown"]
BANDS: tuple[Band, ...] = ("unknown", "low", "moderate", "high")
"""In rising order of worry; unknown is beside the scale, not below it."""
Informant = Literal["caregiver", "teacher", "child", "nurse"]
INFORMANTS: tuple[Informant, ...] = ("caregiver", "teacher", "child", "nurse")


class Submission(Struct, frozen=True, kw_only=True):
    """All current answers of one informant to one questionnaire about one child.

    Attributes:
        informant: Who answered.
        questionnaire: The form id.
        submitted_at: When the last of them was given (aware, UTC).
        answers: Item to choice code, number as text, or None where skipped or not answered.
    """

    informant: Informant
    questionnaire: str
    submitted_at: datetime
    answers: Mapping[str, str | None]


class Reason(Struct, frozen=True, kw_only=True):
    """Why a domain has its band: one row of the "why" table.

    Attributes:
        item: The item's address, `form/item`.
        answer: The code given.
        informant: Who gave it.
        points: What it adds.
        most: The most it could add.
        words: English sentence without a name, for the page.
    """

    item: str
    answer: str
    informant: Informant
    points: float
    most: float
    words: str


class InformantView(Struct, frozen=True, kw_only=True):
    """What one informant alone says about a domain."""

    informant: Informant
    band: Band
    score: float | None
    answered: int
    of: int
    as_of: datetime | None


class DomainResult(Struct, frozen=True, kw_only=True):
    """One domain of a profile.

    Attributes:
        domain: Which.
        band: low, moderate, high, or unknown where too little was answered.
        score: Share of the possible points of what was answered, 0 to 1; None if unknown.
        range: Lowest and highest score still possible given what is missing, 0 to 1.
        reasons: Rows that added points, most first.
        sources: What each informant alone says.
        missing: Items (form/item) of the forms begun that nobody answered; of every form, where
            none was begun. A follow-up that its form does not ask for is not missing.
        disagree: Whether informants with a known band differ.
        thresholds: Scores from which the domain is moderate and high, 0 to 1.
    """

    domain: Domain
    band: Band
    score: float | None
    range: tuple[float, float]
    reasons: tuple[Reason, ...]
    sources: tuple[InformantView, ...]
    missing: tuple[str, ...]
    disagree: bool
    thresholds: tuple[float, float]


class CriticalHit(Struct, frozen=True, kw_only=True):
    """An answer that needs a person now, at the moment it is given."""

    rule: str
    item: str
    informant: Informant
    words: str


class Profile(Struct, frozen=True, kw_only=True):
    """A child's six domains at one moment.

    Attributes:
        domains: A result per domain, always all six.
        caregiver: The caregiver's own wellbeing, beside the six; same shape of bands.
        critical: Critical answers that stand now.
        urgent: Whether a person must look now (any critical hit).
        level: "urgent", "high" (a domain is high), or "none": what alert it calls for.
        rules: Version of the rules used.
        as_of: The moment it was computed for.
    """

    domains: Mapping[Domain, DomainResult]
    caregiver: Band
    critical: tuple[CriticalHit, ...]
    urgent: bool
    level: Literal["urgent", "high", "none"]
    rules: str
    as_of: datetime
