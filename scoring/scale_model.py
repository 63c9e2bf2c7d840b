"""The values of a published scale: what it counts, what it allows, what its score means.

`scoring.scale_text` reads them from `rules/scales/*.yaml`; `scoring.scales` scores with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from scoring.model import Informant

Sex = Literal["m", "f"]
Missing = Literal["skipped", "refused", "not_asked", "not_yet"]
MISSING: tuple[Missing, ...] = ("skipped", "refused", "not_asked", "not_yet")
"""Passed over; declined in words; never put to the person; still to come. Four different things."""
Method = Literal["sum", "mean", "any"]
"""Points added up; their mean; or the highest of them (one difficulty is enough)."""
Fill = Literal["none", "mean", "zero"]
"""What a gap counts as: nothing, so there is no score; the mean of the rest; no points."""
Verdict = Literal["ship", "ask", "licence"]
"""May its words be shipped: yes with credit; after asking; not without a licence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleItem:
    """One item of a scale.

    Attributes:
        name: Our code of it; never its words.
        points: What each answer counts, an item the other way round already turned.
        numbers: The answer each number stands for that a form prints beside it; empty where two
            answers count the same, so that a number does not tell them apart.
        counts: Whether it counts; one that does not only decides whether others are asked.
        when: The items, and their answers, under which it is asked; empty means always.
    """

    name: str
    points: Mapping[str, int]
    numbers: Mapping[str, str]
    counts: bool
    when: Mapping[str, frozenset[str]]

    @property
    def low(self) -> int:
        """The least it can count where it is asked."""
        return min(self.points.values())

    @property
    def high(self) -> int:
        """The most it can count."""
        return max(self.points.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the person, as far as a cut-off may depend on it.

    Attributes:
        language: Tag of the language the scale was answered in, or empty.
        country: Two-letter code, or empty.
        age: Completed years of the person the scale is about, or None.
        sex: Of the same person, or None.
    """

    language: str = ""
    country: str = ""
    age: int | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """Where the bands of a score begin, for whom, and who says so.

    Attributes:
        id: Its name.
        bands: Band and the value it begins at, in rising order of the value.
        source: The publication.
        confirmed: Whether somebody has seen the numbers in that publication.
        language: Tag it holds for; empty for any.
        country: Country it holds for; empty for any.
        ages: First and last year of age it holds for; None for any.
        sex: Sex it holds for; None for both.
    """

    id: str
    bands: tuple[tuple[str, Fraction], ...]
    source: str
    confirmed: bool
    language: str = ""
    country: str = ""
    ages: tuple[int, int] | None = None
    sex: Sex | None = None

    @property
    def is_general(self) -> bool:
        """Whether it holds for everybody."""
        return not (self.language or self.country or self.ages or self.sex)

    def holds(self, facts: Facts) -> bool:
        """Whether it is meant for this person; what is not known of her never fits."""
        return (
            self.language in ("", facts.language.partition("-")[0])
            and self.country in ("", facts.country)
            and (self.ages is None or _within(self.ages, facts.age))
            and self.sex in (None, facts.sex)
        )

    def between(self, low: Fraction, high: Fraction) -> tuple[str, ...]:
        """The bands of the values from `low` to `high`, in rising order of the value."""
        ends = [start for _, start in self.bands[1:]]
        return tuple(
            band
            for n, (band, start) in enumerate(self.bands)
            if start <= high and (n == len(ends) or low < ends[n])
        )


def _within(ages: tuple[int, int], age: int | None) -> bool:
    """Whether a known age is in a range of completed years."""
    return age is not None and ages[0] <= age <= ages[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Items scored together: a subscale, or the whole.

    Attributes:
        name: Its code; `total` for the whole.
        items: The items that count, by name.
        most_missing: So many of them may be missing where gaps are filled.
        cutoffs: In the order they are tried; the first that holds is used.
    """

    name: str
    items: tuple[str, ...]
    most_missing: int
    cutoffs: tuple[Cutoff, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedScale:
    """A published scale: how it is scored, and where that stands.

    Attributes:
        id: Its code; a submission names it as its questionnaire.
        title: Its name.
        version: The published version meant.
        digest: First 12 hex of the SHA-256 of its rules; layout and comments do not count.
        file: The file it was read from, for messages.
        about: Whom it is about.
        informant: Who answers it.
        age: First and last year of age of a child it is meant for; None where it is about others.
        recall: The time it asks about, in words.
        method: How points become a value.
        times: What that is multiplied by.
        worse: Whether a high or a low value is the worry.
        citation: The publication of the scoring rule.
        url: Where it is found.
        verdict: What may be done with its words. They are never part of this project.
        licence: What is known of the licence.
        notes: Traps and limits, a sentence each.
        items: By name, in the order of the file.
        total: The whole.
        given: The item that holds a total scored elsewhere; empty where there is none.
        parts: The subscales.
        fill: What a gap counts as.
        with_whole: Whether no subscale counts where the whole does not.
        missing_source: Where that rule comes from.
    """

    id: str
    title: str
    version: str
    digest: str
    file: str = field(compare=False)
    about: Literal["child", "caregiver", "household"]
    informant: Informant
    age: tuple[int, int] | None
    recall: str
    method: Method
    times: int
    worse: Literal["high", "low"]
    citation: str
    url: str
    verdict: Verdict
    licence: str
    notes: tuple[str, ...]
    items: Mapping[str, ScaleItem]
    total: Part
    given: str
    parts: tuple[Part, ...]
    fill: Fill
    with_whole: bool
    missing_source: str

    def fits(self, facts: Facts) -> bool:
        """Whether the person's age is one it is meant for, or not known."""
        return self.age is None or facts.age is None or _within(self.age, facts.age)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a submission says beside its answers.

    Attributes:
        language: Tag of the language it was answered in, or empty.
        country: Two-letter code, or empty.
        missing: Why items have no answer, by item.
    """

    language: str = ""
    country: str = ""
    missing: Mapping[str, Missing] = field(default_factory=dict)


class Score(Struct, frozen=True, kw_only=True):
    """What a scale or a subscale comes to.

    Attributes:
        value: The score by the published rule; None where too much is missing for one.
        range: Lowest and highest value still possible, whatever the missing answers are.
        filled: How gaps were filled to get the value; none where there was nothing to fill.
        band: The band of the value. None without a value or a cut-off, and where gaps counted as
            no points while other answers could lead to another band.
        bands: Every band still possible.
        cutoff: The cut-off used, or None.
    """

    value: Fraction | None
    range: tuple[Fraction, Fraction]
    filled: Fill
    band: str | None
    bands: tuple[str, ...]
    cutoff: Cutoff | None

    @property
    def valid(self) -> bool:
        """Whether the published rule gives a score; otherwise the answers are insufficient."""
        return self.value is not None


class ScaleResult(Struct, frozen=True, kw_only=True):
    """The result of a scale.

    Attributes:
        total: The whole.
        parts: The subscales by name.
        missing: Items without an answer, by why; those that do not apply are not among them.
        in_age: Whether the person's age is one the scale is meant for; None where unknown.
    """

    total: Score
    parts: Mapping[str, Score]
    missing: Mapping[Missing, tuple[str, ...]]
    in_age: bool | None
