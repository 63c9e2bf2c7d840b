"""JSON in and out of the `score` command; the stored body of a profile is the same document."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)
from typing_extensions import override

from scoring.model import DOMAINS, DomainResult, Informant, Profile, Submission
from scoring.plans import Suggestion, suggest
from scoring.profile import profile
from scoring.ruleset import Rules
from scoring.scale_model import Context, Missing
from scoring.scale_report import Scales, faults_of, newest_only, score_given

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestError:
    """One fault of a score request.

    Attributes:
        where: The place in the document, like `submissions.0.answers.meals`.
        found: What stands there, shortened.
        fix: What to write instead.
    """

    where: str
    found: str
    fix: str

    @override
    def __str__(self) -> str:
        """One line for a terminal."""
        return f"{self.where}: {self.found}. Fix: {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest:
    """What is to be scored.

    Attributes:
        sex: m, f, or None where it was not given.
        birth_month: `YYYY-MM`, or None.
        as_of: The moment to score for (aware, UTC).
        submissions: What the informants answered.
        contexts: What each submission says beside its answers, in the same order.
    """

    sex: Literal["m", "f"] | None
    birth_month: str | None
    as_of: datetime
    submissions: tuple[Submission, ...]
    contexts: tuple[Context, ...]


_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Language = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")]
_Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]
_Moment = AwareDatetime | date
_NO_SCALES: Scales = {}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Child(_Strict):
    sex: Literal["m", "f"] | None = None
    birth_month: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] | None = (
        None
    )


class _Submission(_Strict):
    informant: Informant
    questionnaire: _Name
    submitted_at: _Moment
    answers: dict[_Name, str | int | _Number | None]
    language: _Language = ""
    country: _Country = ""
    missing: dict[_Name, Missing] = {}


class _Request(_Strict):
    child: _Child = _Child()
    as_of: _Moment
    submissions: list[_Submission]


def from_document(text: str) -> tuple[ScoreRequest | None, tuple[RequestError, ...]]:
    """The request a JSON text makes, or every fault in it.

    Args:
        text: `{"child": {"sex", "birth_month"}, "as_of", "submissions": [{"informant",
            "questionnaire", "submitted_at", "answers": {item: code or number or null}}]}`.
            Moments are ISO times with a zone, or dates (taken as midnight UTC). A submission
            to a published scale may add `language`, `country` and `missing`: {item: "skipped",
            "refused", "not_asked" or "not_yet"}.

    Returns:
        The request and no errors, or None and at least one error.
    """
    try:
        raw = _Request.model_validate_json(text)
    except ValidationError as error:
        return None, _faults(error)
    request = ScoreRequest(
        sex=raw.child.sex,
        birth_month=raw.child.birth_month,
        as_of=_moment(raw.as_of),
        submissions=tuple(
            Submission(
                informant=each.informant,
                questionnaire=each.questionnaire,
                submitted_at=_moment(each.submitted_at),
                answers={item: _code(value) for item, value in each.answers.items()},
            )
            for each in raw.submissions
        ),
        contexts=tuple(
            Context(language=each.language, country=each.country, missing=each.missing)
            for each in raw.submissions
        ),
    )
    return request, ()


def check_request(
    request: ScoreRequest, items: Mapping[str, tuple[str, ...]], scales: Scales = _NO_SCALES
) -> tuple[RequestError, ...]:
    """Items and codes of a request that no questionnaire has: each would silently score nothing.

    Args:
        request: The request.
        items: Choice codes by `form/item`; an item without codes takes any value.
        scales: The published scales by code, which a submission may name as its questionnaire.
    """
    errors = list(_scale_errors(request, scales))
    for n, submission in enumerate(request.submissions):
        if submission.questionnaire in scales:
            continue
        if request.contexts[n].missing:
            fix = "write null in its answers; only a published scale takes reasons"
            found = f"reasons for {submission.questionnaire}"
            errors.append(RequestError(where=f"submissions.{n}.missing", found=found, fix=fix))
        for name, value in submission.answers.items():
            item = f"{submission.questionnaire}/{name}"
            where = f"submissions.{n}.answers.{name}"
            codes = items.get(item)
            if codes is None:
                fix = "use the name of an item in that questionnaire"
                errors.append(RequestError(where=where, found=f"no item {item}", fix=fix))
            elif codes and value and value not in codes:
                fix = f"use one of {', '.join(codes)}, or null"
                errors.append(RequestError(where=where, found=value[:_SHOWN], fix=fix))
    return tuple(errors)


def _scale_errors(request: ScoreRequest, scales: Scales) -> Iterator[RequestError]:
    """What the submissions to published scales cannot be scored with."""
    given = request.submissions
    for n, submission in enumerate(given):
        if submission.questionnaire in scales:
            scale = scales[submission.questionnaire]
            newest, twins = newest_only(given, scale.id)
            for fault in (
                *faults_of(scale, submission, request.contexts[n]),
                *(twins if n == newest else ()),
            ):
                where = f"submissions.{n}.{fault.place}"
                yield RequestError(where=where, found=fault.found, fix=fault.fix)


def score_text(
    text: str,
    rules: Rules,
    items: Mapping[str, tuple[str, ...]],
    scales: Scales = _NO_SCALES,
) -> tuple[dict[str, JsonValue] | None, tuple[RequestError, ...]]:
    """The whole of the `score` command: a request's text in, its result or its faults out.

    Args:
        text: The request, as `from_document` takes it.
        rules: The rules of the six domains. No published scale enters them by itself.
        items: Choice codes by `form/item`.
        scales: The published scales by code; their results stand under `scales`.
    """
    request, errors = from_document(text)
    if request is None:
        return None, errors
    errors = check_request(request, items, scales)
    if errors:
        return None, errors
    forms = [each for each in request.submissions if each.questionnaire not in scales]
    result = profile(rules, forms, as_of=request.as_of)
    answered = list(zip(request.submissions, request.contexts, strict=True))
    results = score_given(scales, answered, birth_month=request.birth_month, sex=request.sex)
    return {**to_document(result, suggest(rules, result)), "scales": results}, ()


def to_document(profile: Profile, suggestions: Iterable[Suggestion]) -> dict[str, JsonValue]:
    """A profile and its suggestions as plain JSON values; scores have four decimals.

    Args:
        profile: The profile.
        suggestions: What `scoring.plans.suggest` gave for it.
    """
    return {
        "domains": {name: _domain(profile.domains[name]) for name in DOMAINS},
        "caregiver": profile.caregiver,
        "urgent": profile.urgent,
        "level": profile.level,
        "critical": [
            {"rule": hit.rule, "item": hit.item, "informant": hit.informant, "words": hit.words}
            for hit in profile.critical
        ],
        "plan": [
            {"id": each.id, "words": each.words, "domains": list(each.domains), "band": each.band}
            for each in suggestions
        ],
        "rules": profile.rules,
        "as_of": profile.as_of.isoformat(),
    }


def _domain(result: DomainResult) -> JsonValue:
    """One domain as JSON values."""
    return {
        "band": result.band,
        "score": _rounded(result.score),
        "range": [_rounded(bound) for bound in result.range],
        "thresholds": list(result.thresholds),
        "disagree": result.disagree,
        "reasons": [
            {
                "item": reason.item,
                "answer": reason.answer,
                "informant": reason.informant,
                "points": reason.points,
                "most": reason.most,
                "words": reason.words,
            }
            for reason in result.reasons
        ],
        "sources": [
            {
                "informant": view.informant,
                "band": view.band,
                "score": _rounded(view.score),
                "answered": view.answered,
                "of": view.of,
                "as_of": view.as_of.isoformat() if view.as_of else None,
            }
            for view in result.sources
        ],
        "missing": list(result.missing),
    }


def _rounded(score: float | None) -> float | None:
    """A score with four decimals."""
    return None if score is None else round(score, 4)


def _moment(value: datetime | date) -> datetime:
    """A moment in UTC; a bare date is its midnight."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.combine(value, time(), tzinfo=UTC)


def _code(value: str | float | None) -> str | None:
    """A code as it stands, a number as canonical text: a point, no exponent, no trailing zeros."""
    if value is None or isinstance(value, str):
        return value
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _faults(error: ValidationError) -> tuple[RequestError, ...]:
    """Pydantic's findings in our words."""
    return tuple(
        RequestError(
            where=".".join(str(part) for part in fault["loc"]) or "the document",
            found=repr(fault["input"])[:_SHOWN],
            fix=fault["msg"],
        )
        for fault in error.errors(include_url=False)
    )
