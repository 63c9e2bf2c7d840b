"""The six-domain profile of a child, always computed whole from all answers.

Each informant is scored alone: points of what was answered as a share of the points possible
there. The domain takes the informant with the most worry; the others stay visible. Too few
answers make a domain unknown, never low.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Literal

from msgspec import Struct, field

from scoring.critical import critical
from scoring.model import (
    BANDS,
    DOMAINS,
    CriticalHit,
    Domain,
    DomainResult,
    Informant,
    InformantView,
    Profile,
    Reason,
    Submission,
)
from scoring.ruleset import FollowUp, Indicator, Rules, Scale, ScaleName

_Answers = Mapping[str, tuple[str, datetime]]
"""Newest answer and its time by `form/item`."""
_NOTHING = ("", datetime.min.replace(tzinfo=UTC))


class _Given(Struct):
    """What one informant told: newest answers, and the forms begun."""

    answers: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    forms: set[str] = field(default_factory=set)


class _Tally(Struct, kw_only=True):
    """One informant's points in one scale.

    Attributes:
        earned: Points of the answers given.
        of: The most points those answers could have had.
        open: The most points of what is not answered and is, or may yet be, asked.
        answered: Answers that count towards the minimum; the class screen does not.
        items: What was answered.
        missing: What was asked for and is not answered.
        reasons: Answers that added points.
        as_of: Time of the newest answer.
    """

    earned: int
    of: int
    open: int
    answered: int
    items: list[str]
    missing: list[str]
    reasons: list[Reason]
    as_of: datetime | None


_Tallies = Mapping[Informant, _Tally]
_Way = Literal["asked", "possible", "closed"]


def profile(rules: Rules, submissions: Sequence[Submission], *, as_of: datetime) -> Profile:
    """The profile that all answers about a child lead to.

    Args:
        rules: The rules to score by.
        submissions: All submissions, in any order. Where an informant gave the same form several
            times, the newest answer to each item counts; at the same moment, the more worrying.
            A skipped item (None) replaces nothing.
        as_of: The moment it is computed for (aware); it is only noted, nothing is left out.

    Returns:
        All six domains, the caregiver's band, critical answers and the level of alert.
    """
    told = _told(rules, submissions)
    tallies: dict[ScaleName, dict[Informant, _Tally]] = {name: {} for name in rules.scales}
    for informant in sorted(told):
        given = told[informant]
        ways = _ways(rules, given.answers)
        for scale, by_form in rules.by_scale.items():
            asked = [by_form[form] for form in sorted(given.forms) if form in by_form]
            tally = _tally(chain.from_iterable(asked), given.answers, ways, informant)
            if tally:
                tallies[scale][informant] = tally
    domains = {name: _result(rules, name, tallies[name]) for name in DOMAINS}
    hits = _hits(rules, told)
    high = any(result.band == "high" for result in domains.values())
    views = _views(rules.scales["caregiver"], tallies["caregiver"])
    return Profile(
        domains=domains,
        caregiver=max((view.band for view in views), key=BANDS.index, default="unknown"),
        critical=hits,
        urgent=bool(hits),
        level="urgent" if hits else "high" if high else "none",
        rules=rules.version,
        as_of=as_of,
    )


def _told(rules: Rules, submissions: Sequence[Submission]) -> dict[Informant, _Given]:
    """The newest answers of each informant."""
    told: dict[Informant, _Given] = {}
    for submission in submissions:
        given = told.setdefault(submission.informant, _Given())
        form, at = submission.questionnaire, submission.submitted_at
        given.forms.add(form)
        for name, value in submission.answers.items():
            if not value:
                continue
            item = f"{form}/{name}"
            before = given.answers.get(item)
            if before is None or _newer(rules, item, (value, at), before):
                given.answers[item] = (value, at)
    return told


def _newer(
    rules: Rules, item: str, answer: tuple[str, datetime], before: tuple[str, datetime]
) -> bool:
    """Whether an answer replaces the one before: later, or as late and more worrying."""
    if answer[1] != before[1]:
        return answer[1] > before[1]
    return _worry(rules, item, answer[0]) > _worry(rules, item, before[0])


def _worry(rules: Rules, item: str, value: str) -> tuple[bool, int, str]:
    """An order of answers to one item; the value itself makes it a total one."""
    urgent = any(
        not rule.codes.isdisjoint(value.split()) for rule in rules.critical_by_item.get(item, ())
    )
    points = (i.points.get(value, -1) for i in rules.by_item.get(item, ()))
    return urgent, max(points, default=-1), value


def _ways(rules: Rules, answers: _Answers) -> Mapping[str, _Way]:
    """Whether each follow-up was asked; items without a condition ("") always are."""
    ways: dict[str, _Way] = {"": "asked"}
    for name, follow_up in rules.follow_ups.items():
        ways[name] = _way(follow_up, answers)
    return ways


def _way(follow_up: FollowUp, answers: _Answers) -> _Way:
    """Whether a form asks its follow-up items, as far as the triggers' answers tell."""
    silent = False
    for item, codes in follow_up.triggers:
        answer = answers.get(item)
        if answer is None:
            silent = True
        elif answer[0] in codes:
            return "asked"
    return "possible" if silent and not follow_up.gate else "closed"


def _tally(
    indicators: Iterable[Indicator],
    answers: _Answers,
    ways: Mapping[str, _Way],
    informant: Informant,
) -> _Tally | None:
    """One informant's answers in one scale, counted; None where there is nothing to count."""
    earned = of = unanswered = answered = 0
    items: list[str] = []
    missing: list[str] = []
    reasons: list[Reason] = []
    times: list[datetime] = []
    for indicator in indicators:
        value, at = answers.get(indicator.item, _NOTHING)
        points = indicator.points.get(value)
        if points is None:
            way = ways[indicator.follow_up]
            if not indicator.screen and way != "closed":
                unanswered += indicator.most
                if way == "asked":
                    missing.append(indicator.item)
            continue
        earned += points
        of += indicator.most
        answered += not indicator.screen
        items.append(indicator.item)
        times.append(at)
        if points:
            reasons.append(indicator.reasons[informant][value])
    if not items and not unanswered:
        return None
    return _Tally(
        earned=earned,
        of=of,
        open=unanswered,
        answered=answered,
        items=items,
        missing=missing,
        reasons=reasons,
        as_of=max(times, default=None),
    )


def _views(scale: Scale, tallies: _Tallies) -> tuple[InformantView, ...]:
    """What each informant alone says; unknown where she gave too few answers."""
    views = []
    for informant, tally in tallies.items():
        known = tally.answered >= scale.minimum
        score = tally.earned / tally.of if known else None
        views.append(
            InformantView(
                informant=informant,
                band="unknown" if score is None else scale.band(score),
                score=score,
                answered=tally.answered,
                of=tally.answered + len(tally.missing),
                as_of=tally.as_of,
            )
        )
    return tuple(views)


def _result(rules: Rules, name: Domain, tallies: _Tallies) -> DomainResult:
    """One domain from the tallies of all informants: the most worried known one decides."""
    scale = rules.scales[name]
    views = _views(scale, tallies)
    scores = [view.score for view in views if view.score is not None]
    score = max(scores, default=None)
    reasons = [reason for tally in tallies.values() for reason in tally.reasons]
    reasons.sort(key=_rank)
    return DomainResult(
        domain=name,
        band="unknown" if score is None else scale.band(score),
        score=score,
        range=_range(scale, tallies),
        reasons=tuple(reasons),
        sources=views,
        missing=_missing(rules, name, tallies),
        disagree=len({view.band for view in views if view.score is not None}) > 1,
        thresholds=(scale.moderate, scale.high),
    )


def _rank(reason: Reason) -> tuple[float, str, str]:
    """Most points first; the rest of the order is only there to be the same every time."""
    return -reason.points, reason.item, reason.informant


def _range(scale: Scale, tallies: _Tallies) -> tuple[float, float]:
    """Lowest and highest score still possible if what is open were answered.

    An informant whose band is known stays known, so the lowest is the highest of their lows.
    """
    asked = [tally for tally in tallies.values() if tally.answered or tally.open]
    if not asked:
        return 0.0, 1.0
    lows = [tally.earned / (tally.of + tally.open) for tally in asked]
    highs = [(tally.earned + tally.open) / (tally.of + tally.open) for tally in asked]
    known = [low for tally, low in zip(asked, lows, strict=True) if tally.answered >= scale.minimum]
    return (max(known) if known else min(lows)), max(highs)


def _missing(rules: Rules, name: Domain, tallies: _Tallies) -> tuple[str, ...]:
    """Items asked for that nobody answered; all of the domain where no form was begun."""
    if not any(tally.answered or tally.open for tally in tallies.values()):
        return rules.expected[name]
    told = list(tallies.values())
    missing = [item for tally in told for item in tally.missing]
    if len(told) > 1 and missing:
        answered = {item for tally in told for item in tally.items}
        missing = [item for item in dict.fromkeys(missing) if item not in answered]
    return tuple(missing)


def _hits(rules: Rules, told: Mapping[Informant, _Given]) -> tuple[CriticalHit, ...]:
    """Every critical answer that stands, by informant, in the order of the rule file."""
    hits = []
    for informant in sorted(told):
        for item in rules.critical_by_item:
            answer = told[informant].answers.get(item)
            if answer is None:
                continue
            form_id, _, name = item.partition("/")
            hit = critical(rules, form_id=form_id, item=name, value=answer[0], informant=informant)
            if hit:
                hits.append(hit)
    return tuple(hits)
