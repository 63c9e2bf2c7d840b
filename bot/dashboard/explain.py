"""Why a child is flagged, from the stored profile: pure values for the page to print.

Nothing is scored here. Points, bands, ranges and thresholds are what `scoring.report.to_document`
stored; this only says which of them decided, and how far they are from the next band.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.dashboard.looks import share
from bot.dashboard.words import known, say
from scoring.model import BANDS, DOMAINS

Describe = Callable[[str, str], tuple[str, str]]
FLAGGED = ("high", "moderate")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
LOWER = {"high": ("moderate", 1), "moderate": ("low", 0)}
"""For a band: the next one down, and which of the two thresholds separates them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An answer that added points."""

    question: str
    answer: str
    source: str
    points: float
    most: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one informant alone says about a domain."""

    informant: str
    band: str
    score: float | None
    answered: int
    of: int
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All points of one informant in a domain, and the share from which its band starts."""

    source: str
    points: float
    most: int
    share: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainView:
    """One domain as the page prints it.

    Attributes:
        totals: The points of each source that decided, beside the threshold of the band.
        change: Sentences on what would change the band.
        missing: Questions nobody answered.
        disagree: Sentence naming what each source says, empty where they agree.
    """

    name: str
    band: str
    score: float | None
    rows: tuple[Row, ...]
    sources: tuple[Source, ...]
    totals: tuple[Total, ...]
    change: tuple[str, ...]
    missing: tuple[str, ...]
    disagree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A whole profile as the page prints it.

    Attributes:
        critical: (question, informant, sentence) of each critical answer.
        flagged: Domains at high or moderate risk, most worrying first.
        others: Domains at low risk, then unknown ones.
        plan: What could help, in words.
        newest: Time of the newest answer.
        oldest: Time of the source that was heard longest ago.
    """

    critical: tuple[tuple[str, str, str], ...]
    flagged: tuple[DomainView, ...]
    others: tuple[DomainView, ...]
    plan: tuple[str, ...]
    rules: str
    newest: datetime | None
    oldest: datetime | None


def explain(body: str, describe: Describe, values: Mapping[str, str]) -> Explanation:
    """The stored profile as sentences and rows.

    Args:
        body: JSON as `scoring.report.to_document` makes it.
        describe: Question and answer in words, from `form/item` and the code given.
        values: What `${name}` in a question stands for, e.g. the list number; else three dots.
    """

    def filled(item: str, answer: str) -> tuple[str, str]:
        question, said = describe(item, answer)
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], "..."), question), said

    document = json.loads(body)
    views = [_domain(name, document["domains"][name], filled) for name in DOMAINS]
    views.sort(key=lambda view: -BANDS.index(view.band))  # stable: six domains in their order
    times = [s.as_of for view in views for s in view.sources if s.as_of is not None]
    return Explanation(
        critical=tuple(
            (filled(hit["item"], "")[0], _informant(hit["informant"]), hit["words"])
            for hit in document["critical"]
        ),
        flagged=tuple(view for view in views if view.band in FLAGGED),
        others=tuple(view for view in views if view.band not in FLAGGED),
        plan=tuple(each["words"] for each in document["plan"]),
        rules=document["rules"],
        newest=max(times, default=None),
        oldest=min(times, default=None),
    )


def _domain(name: str, data: dict[str, Any], describe: Describe) -> DomainView:
    sources = tuple(_source(view) for view in data["sources"])
    return DomainView(
        name=name,
        band=data["band"],
        score=data["score"],
        rows=tuple(_row(reason, describe) for reason in data["reasons"]),
        sources=sources,
        totals=tuple(_total(data, view) for view in _deciding(data)),
        change=_change(data),
        missing=tuple(describe(item, "")[0] for item in data["missing"]),
        disagree=_disagreement(sources) if data["disagree"] else "",
    )


def _row(reason: dict[str, Any], describe: Describe) -> Row:
    question, answer = describe(reason["item"], reason["answer"])
    return Row(
        question=question,
        answer=answer,
        source=_informant(reason["informant"]),
        points=reason["points"],
        most=reason["most"],
        words=reason["words"],
    )


def _source(view: dict[str, Any]) -> Source:
    return Source(
        informant=_informant(view["informant"]),
        band=view["band"],
        score=view["score"],
        answered=view["answered"],
        of=view["of"],
        as_of=datetime.fromisoformat(view["as_of"]) if view["as_of"] else None,
    )


def _informant(code: str) -> str:
    return known(f"informant.{code}", code)


def _deciding(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The sources whose own band is the domain's, where that band is a worry."""
    if data["band"] not in LOWER:
        return []
    return [view for view in data["sources"] if view["band"] == data["band"]]


def _total(data: dict[str, Any], view: dict[str, Any]) -> Total:
    """Her share was stored, not its parts: the most her answers could add is worked out again."""
    earned = sum(r["points"] for r in data["reasons"] if r["informant"] == view["informant"])
    return Total(
        source=_informant(view["informant"]),
        points=earned,
        most=round(earned / view["score"]),
        share=view["score"],
        threshold=data["thresholds"][LOWER[data["band"]][1]],
    )


def _change(data: dict[str, Any]) -> tuple[str, ...]:
    deciding = _deciding(data)
    if not deciding:
        return ()
    band = say(f"band.{LOWER[data['band']][0]}").lower()
    sentences = []
    for total in (_total(data, view) for view in deciding):
        fewer = 1
        while (total.points - fewer) / total.most >= total.threshold:
            fewer += 1
        points = "1 point" if fewer == 1 else f"{fewer} points"
        sentences.append(say("change.fewer", informant=total.source, points=points, band=band))
    if len(deciding) > 1:
        sentences.append(say("change.several", band=say(f"band.{data['band']}")))
    low, high = data["range"]
    if low != high:
        sentences.append(say("change.range", low=share(low), high=share(high)))
    return tuple(sentences)


def _disagreement(sources: tuple[Source, ...]) -> str:
    views = ", ".join(f"{s.informant} {known(f'band.{s.band}', s.band).lower()}" for s in sources)
    return say("alert.disagree", views=views)
