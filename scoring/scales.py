"""Scoring published scales: from answers to a value, the range it may lie in, and a band.

Everything is exact (fractions), and everything missing stays visible: a gap is filled only where
the published rule says so, and then the result says it was.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from scoring.scale_model import (
    MISSING,
    Cutoff,
    Facts,
    Fill,
    Method,
    Missing,
    Part,
    PublishedScale,
    ScaleItem,
    ScaleResult,
    Score,
)

Answers = Mapping[str, str | None]
"""Item to answer code; None where it was passed over."""
_INSUFFICIENT: tuple[None, Fill] = (None, "none")


class Span(NamedTuple):
    """What an item counts at least and at most, and whether its answer is missing."""

    low: int
    high: int
    missing: bool


def score_scale(
    scale: PublishedScale,
    answers: Answers,
    missing: Mapping[str, Missing] | None = None,
    facts: Facts | None = None,
) -> ScaleResult:
    """What one person's answers to one scale come to.

    Args:
        scale: The scale.
        answers: Item to answer code, as `coded` gives them.
        missing: Why an item has no answer. An item that is passed over in `answers` counts as
            skipped where nothing is said, one that is not there at all as not yet answered.
        facts: What is known of the person, for the choice of the cut-off.

    Returns:
        The whole and each subscale. Items that do not apply after other answers are not missing.
    """
    known = facts or Facts()
    whole = scale.total
    if scale.given and answers.get(scale.given) is not None:
        whole = Part(name=whole.name, items=(scale.given,), most_missing=0, cutoffs=whole.cutoffs)
    total = _score(scale, whole, answers, known)
    parts = {part.name: _score(scale, part, answers, known) for part in scale.parts}
    if scale.with_whole and not total.valid:
        parts = {name: _without_value(score) for name, score in parts.items()}
    return ScaleResult(
        total=total,
        parts=parts,
        missing=_missing(scale, answers, missing or {}),
        in_age=None if known.age is None or scale.age is None else scale.fits(known),
    )


def coded(scale: PublishedScale, answers: Answers) -> dict[str, str | None]:
    """Answers with the code in place of a number that the form prints beside an answer."""
    return {
        name: code
        if code is None or name not in scale.items
        else scale.items[name].numbers.get(code, code)
        for name, code in answers.items()
    }


def reverse(points: Mapping[str, int]) -> dict[str, int]:
    """Points the other way round: the highest becomes the lowest. Twice is as before."""
    ends = min(points.values()) + max(points.values())
    return {code: ends - added for code, added in points.items()}


def applies(item: ScaleItem, answers: Answers) -> bool | None:
    """Whether an item is asked after these answers; None where they do not tell yet."""
    gates = [(answers.get(name), codes) for name, codes in item.when.items()]
    if any(code is not None and code not in codes for code, codes in gates):
        return False
    return None if any(code is None for code, _ in gates) else True


def span(item: ScaleItem, answers: Answers) -> Span:
    """What an item counts, or may count if its answer comes."""
    asked, code = applies(item, answers), answers.get(item.name)
    if asked is False:
        return Span(0, 0, missing=False)
    if code is not None:
        return Span(item.points[code], item.points[code], missing=False)
    return Span(item.low if asked else 0, item.high, missing=True)


def combine(method: Method, points: list[int], times: int) -> Fraction:
    """The points of all items as one value."""
    if method == "any":
        return Fraction(max(points))
    together = Fraction(sum(points) * times)
    return together / len(points) if method == "mean" else together


def _score(scale: PublishedScale, part: Part, answers: Answers, facts: Facts) -> Score:
    """What the items of a part come to."""
    spans = [span(scale.items[name], answers) for name in part.items]
    low = combine(scale.method, [each.low for each in spans], scale.times)
    high = combine(scale.method, [each.high for each in spans], scale.times)
    value, filled = _value(scale, part, spans, low, high)
    cutoff = _cutoff(scale, part, facts)
    bands = cutoff.between(low, high) if cutoff else ()
    band = None
    # No points for a gap is the kindest guess there is: it may stand only where none is worse.
    if cutoff and value is not None and (filled != "zero" or len(bands) == 1):
        (band,) = cutoff.between(value, value)
    return Score(
        value=value, range=(low, high), filled=filled, band=band, bands=bands, cutoff=cutoff
    )


def _value(
    scale: PublishedScale, part: Part, spans: list[Span], low: Fraction, high: Fraction
) -> tuple[Fraction | None, Fill]:
    """The value by the published rule, and how gaps were filled for it."""
    if low == high:
        return low, "none"
    gaps = sum(each.missing for each in spans)
    if scale.fill == "none" or gaps > part.most_missing or gaps == len(spans):
        return _INSUFFICIENT
    if scale.fill == "zero":
        return low, "zero"
    given = combine(scale.method, [0 if s.missing else s.low for s in spans], scale.times)
    return given * len(spans) / (len(spans) - gaps), "mean"


def _cutoff(scale: PublishedScale, part: Part, facts: Facts) -> Cutoff | None:
    """The first cut-off that holds for the person; none outside the ages of the scale."""
    if not scale.fits(facts):
        return None
    return next((cutoff for cutoff in part.cutoffs if cutoff.holds(facts)), None)


def _without_value(score: Score) -> Score:
    """A subscale of a scale that has too many gaps as a whole."""
    return Score(
        value=None,
        range=score.range,
        filled="none",
        band=None,
        bands=score.bands,
        cutoff=score.cutoff,
    )


def _missing(
    scale: PublishedScale, answers: Answers, reasons: Mapping[str, Missing]
) -> Mapping[Missing, tuple[str, ...]]:
    """Items that apply, or may, and have no answer, by why. A given total is a choice, no gap."""
    found: dict[Missing, list[str]] = {why: [] for why in MISSING}
    for name, item in scale.items.items():
        unanswered = answers.get(name) is None and applies(item, answers) is not False
        if unanswered and name != scale.given:
            default: Missing = "skipped" if name in answers else "not_yet"
            found[reasons.get(name, default)].append(name)
    return {why: tuple(names) for why, names in found.items()}
