"""Published scales in the `score` command: faults of a request, results as JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from pydantic import JsonValue

from scoring.model import Submission
from scoring.scale_model import (
    Context,
    Cutoff,
    Facts,
    PublishedScale,
    ScaleItem,
    ScaleResult,
    Score,
    Sex,
)
from scoring.scales import Answers, applies, coded, score_scale

Scales = Mapping[str, PublishedScale]
"""Scales by code."""
Given = tuple[Submission, Context]
"""A submission, and what it says beside its answers."""


class Fault(NamedTuple):
    """Something a scale cannot be scored with: the place in the submission, what, the remedy."""

    place: str
    found: str
    fix: str


def faults_of(scale: PublishedScale, submission: Submission, context: Context) -> list[Fault]:
    """What of a submission the scale cannot use: each would silently score nothing.

    Args:
        scale: The scale the submission names.
        submission: Who answered, and what; an answer is a code, or the number printed beside it.
        context: What it says beside the answers.
    """
    answers = coded(scale, submission.answers)
    found = [
        *(fault for name in answers for fault in _answer_faults(scale, name, answers)),
        *(fault for name in context.missing for fault in _missing_faults(scale, name, answers)),
    ]
    if submission.informant != scale.informant:
        found.append(Fault("informant", submission.informant, f"it is for {scale.informant}"))
    # Arithmetic only where every answer is one of the scale's.
    return found or _total_faults(scale, answers)


def newest_only(given: Sequence[Submission], scale_id: str) -> tuple[int, list[Fault]]:
    """The place of the newest submission to a scale; a fault where two are equally new.

    A scale is one sitting: answers of two submissions are never mixed.
    """
    places = [n for n, each in enumerate(given) if each.questionnaire == scale_id]
    newest = max(places, key=lambda n: given[n].submitted_at)
    twins = [n for n in places if given[n].submitted_at == given[newest].submitted_at]
    fix = "leave one of them out, or correct its time"
    return newest, [
        Fault("submitted_at", f"a second {scale_id} of that moment", fix) for _ in twins[1:]
    ]


def score_given(
    scales: Scales, given: Sequence[Given], *, birth_month: str | None, sex: Sex | None
) -> dict[str, JsonValue]:
    """The results of all scales that were answered, as JSON values by the scale's code.

    Args:
        scales: The scales there are.
        given: Submissions without faults; those of questionnaires are passed over.
        birth_month: `YYYY-MM` of the child, or None.
        sex: Of the child, or None.
    """
    submissions = [submission for submission, _ in given]
    results: dict[str, JsonValue] = {}
    for scale_id in sorted({each.questionnaire for each in submissions} & scales.keys()):
        scale = scales[scale_id]
        submission, context = given[newest_only(submissions, scale_id)[0]]
        about_child = scale.about == "child"
        facts = Facts(
            language=context.language,
            country=context.country,
            age=age_in_years(birth_month, submission.submitted_at) if about_child else None,
            sex=sex if about_child else None,
        )
        answers = coded(scale, submission.answers)
        result = score_scale(scale, answers, context.missing, facts)
        results[scale_id] = to_values(scale, result, submission)
    return results


def age_in_years(birth_month: str | None, at: datetime) -> int | None:
    """Completed years, the month of birth counted as full; None where it is not known."""
    if birth_month is None:
        return None
    year, _, month = birth_month.partition("-")
    return (12 * (at.year - int(year)) + at.month - int(month)) // 12


def to_values(
    scale: PublishedScale, result: ScaleResult, submission: Submission
) -> dict[str, JsonValue]:
    """A result as JSON values; numbers that are not whole have four decimals."""
    return {
        **_score_values(scale, result.total),
        "missing": {why: list(names) for why, names in result.missing.items()},
        "parts": {name: _score_values(scale, part) for name, part in result.parts.items()},
        "in_age": result.in_age,
        "worse": scale.worse,
        "informant": submission.informant,
        "as_of": submission.submitted_at.isoformat(),
        "title": scale.title,
        "version": scale.version,
        "rules": scale.digest,
    }


def listed(scales: Iterable[PublishedScale]) -> list[JsonValue]:
    """All scales with source and licence, and the items and answers a submission may name."""
    return [
        {
            "id": scale.id,
            "title": scale.title,
            "version": scale.version,
            "rules": scale.digest,
            "about": scale.about,
            "informant": scale.informant,
            "age": list(scale.age) if scale.age else None,
            "source": f"{scale.citation} {scale.url}",
            "licence": {"verdict": scale.verdict, "note": scale.licence},
            "items": {item.name: _answers_of(item) for item in scale.items.values()},
            "cutoffs": [_cutoff_values(cutoff) for cutoff in scale.total.cutoffs],
            "missing": scale.missing_source,
            "notes": list(scale.notes),
        }
        for scale in scales
    ]


def _answers_of(item: ScaleItem) -> list[JsonValue]:
    """The answers an item takes."""
    return list(item.points)


def _score_values(scale: PublishedScale, score: Score) -> dict[str, JsonValue]:
    """The whole or a subscale as JSON values."""
    cutoff = score.cutoff
    return {
        "value": None if score.value is None else _number(score.value),
        "range": [_number(bound) for bound in score.range],
        "prorated": score.filled != "none",
        "filled": score.filled,
        "valid": score.valid,
        "band": score.band,
        "bands": list(score.bands),
        "cutoff": _cutoff_values(cutoff) if cutoff else None,
        "source": cutoff.source if cutoff else scale.citation,
    }


def _cutoff_values(cutoff: Cutoff) -> dict[str, JsonValue]:
    """A cut-off as JSON values."""
    return {
        "id": cutoff.id,
        "bands": {band: _number(start) for band, start in cutoff.bands},
        "confirmed": cutoff.confirmed,
        "language": cutoff.language or None,
        "country": cutoff.country or None,
        "ages": list(cutoff.ages) if cutoff.ages else None,
        "sex": cutoff.sex,
        "source": cutoff.source,
    }


def _number(value: Fraction) -> int | float:
    """A whole number as one, any other with four decimals."""
    return value.numerator if value.denominator == 1 else round(float(value), 4)


def _answer_faults(scale: PublishedScale, name: str, answers: Answers) -> list[Fault]:
    """What is wrong with one answer."""
    place, code, item = f"answers.{name}", answers[name], scale.items.get(name)
    if item is None:
        fix = f"use one of {', '.join(scale.items)}"
        return [Fault(place, f"{scale.id} has no item {name}", fix)]
    if code is None:
        return []
    if code not in item.points:
        return [Fault(place, code[:60], f"use one of {', '.join(item.points)}, or null")]
    if applies(item, answers) is False:
        gates = ", ".join(f"{gate} is {answers.get(gate)}" for gate in item.when)
        return [Fault(place, f"{name} is not asked when {gates}", "leave it out")]
    return []


def _missing_faults(scale: PublishedScale, name: str, answers: Answers) -> list[Fault]:
    """What is wrong with a reason for a missing answer."""
    place = f"missing.{name}"
    if name not in scale.items:
        return [Fault(place, f"{scale.id} has no item {name}", "name an item of the scale")]
    if answers.get(name) is not None:
        return [Fault(place, f"{name} has an answer", "leave out the answer or the reason")]
    return []


def _total_faults(scale: PublishedScale, answers: Answers) -> list[Fault]:
    """A given total that is not what its parts add up to."""
    total = answers.get(scale.given)
    if total is None:
        return []
    rest = {name: code for name, code in answers.items() if name != scale.given}
    low, high = score_scale(scale, rest).total.range
    if low <= scale.items[scale.given].points[total] <= high:
        return []
    found = f"{total}, but the parts come to {_between(low, high)}"
    return [Fault(f"answers.{scale.given}", found, "correct the total or a part")]


def _between(low: Fraction, high: Fraction) -> str:
    """One number, or two."""
    return str(low) if low == high else f"{low} to {high}"
