"""From the YAML text of a rule file to checked rows, with every fault named by line.

Every scalar arrives as text, so that the codes `yes` and `no` stay the words an author wrote;
pydantic turns text into the type a key calls for.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from typing_extensions import override

from flows.content import Path, Source, read_yaml
from scoring.model import DOMAINS, Domain
from scoring.ruleset import SCALES, ScaleName

M = TypeVar("M", bound=BaseModel)
Lines = Mapping[Path, int]
"""Line in the file (from 1) of each value."""


class RuleErrorCode(StrEnum):
    """What can be wrong with a rule file; each is explained in `docs/scoring.md`."""

    BAD_YAML = "BAD_YAML"
    STRUCTURE = "STRUCTURE"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    MISSING = "MISSING"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    WRONG_VALUE = "WRONG_VALUE"
    DUPLICATE = "DUPLICATE"
    FOLLOW_UP = "FOLLOW_UP"
    POINTS = "POINTS"
    WORDS = "WORDS"
    ITEM = "ITEM"
    CODE = "CODE"
    THRESHOLDS = "THRESHOLDS"
    MINIMUM = "MINIMUM"
    OPTIONS = "OPTIONS"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleError:
    """One fault of a rule file, for its author.

    Attributes:
        code: The kind of fault.
        file: The file as the caller named it.
        line: Line from 1; 1 where the fault has no place of its own.
        found: What stands there.
        fix: What to do.
    """

    code: RuleErrorCode
    file: str
    line: int
    found: str
    fix: str

    @override
    def __str__(self) -> str:
        """`file:line: CODE found. Fix: what to do`."""
        return f"{self.file}:{self.line}: {self.code} {self.found}. Fix: {self.fix}"


Report = Callable[[RuleErrorCode, int, str, str], None]
"""Takes note of a fault: code, line, found, fix."""
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,31}$")]
Address = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}/[a-z][a-z0-9_]{0,31}$")]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Points = Annotated[int, Field(ge=0, le=100)]
Share = Annotated[float, Field(allow_inf_nan=False)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IndicatorRow(_Row):
    """One scored item; `follow_up` names the condition under which its form asks it."""

    item: Address
    points: dict[Code, Points]
    words: Sentence
    source: Sentence
    follow_up: str = ""


class DomainIndicatorRow(IndicatorRow):
    """A scored item of one of the six domains."""

    domain: Domain


class ScreenRow(_Row):
    """A class-screen item and what being named in it adds to a domain."""

    item: Address
    domain: Domain
    points: Annotated[int, Field(ge=1, le=100)]
    words: Sentence
    source: Sentence


class ScaleRow(_Row):
    """How many answers a band needs, and the shares of points where bands begin."""

    minimum: Annotated[int, Field(ge=1, le=100)]
    moderate: Share
    high: Share


class CaregiverRow(ScaleRow):
    """The caregiver's own wellbeing: a scale with its indicators."""

    indicators: list[IndicatorRow]


class FollowUpRow(_Row):
    """When a form asks its follow-ups: any of these items answered with one of these codes."""

    when: Annotated[dict[Address, list[Code]], Field(min_length=1)]
    gate: bool = False


class CriticalRow(_Row):
    """An answer that needs a person now."""

    id: Code
    item: Address
    codes: Annotated[list[Code], Field(min_length=1)]
    words: Sentence


class HelpRow(_Row):
    """An intervention that may be suggested."""

    id: Code
    words: Sentence


class PlanRow(_Row):
    """What to suggest for a domain at moderate and at high risk."""

    moderate: Annotated[list[HelpRow], Field(min_length=1)]
    high: Annotated[list[HelpRow], Field(min_length=1)]


class RuleFile(_Row):
    """A whole rule file."""

    rules: Code
    note: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    combination: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    domains: dict[Domain, ScaleRow]
    follow_ups: dict[Code, FollowUpRow] = {}
    indicators: Annotated[list[DomainIndicatorRow], Field(min_length=1)]
    screen: list[ScreenRow] = []
    caregiver: CaregiverRow
    critical: list[CriticalRow] = []
    plan: dict[ScaleName, PlanRow]


def read_file(text: str, file: str, report: Report) -> tuple[RuleFile | None, Lines]:
    """The rows of a rule file and their lines; None, and reports, where it is not well-formed.

    Args:
        text: The YAML text.
        file: Its name, for messages.
        report: Called once per fault.
    """
    rows, source = validated(RuleFile, text, file, report)
    if rows is None:
        return None, source.lines
    clean = not source.faults
    for key, wanted, there in (("domains", DOMAINS, rows.domains), ("plan", SCALES, rows.plan)):
        for name in wanted:
            if name not in there:
                clean = False
                line = source.line((key,))
                report(RuleErrorCode.MISSING, line, f"no {key}.{name}", f"add {name}")
    return (rows if clean else None), source.lines


def validated(model: type[M], text: str, file: str, report: Report) -> tuple[M | None, Source]:
    """A YAML text as the rows of a model; None, and reports, where it is not well-formed.

    Args:
        model: What the whole text should be.
        text: The YAML text.
        file: Its name, for messages.
        report: Called once per fault; a key twice is reported and the rows come all the same.
    """
    source = Source(file)
    raw = read_yaml(text, source)
    for fault in source.faults:
        report(RuleErrorCode(fault.code.value), fault.line, fault.found, fault.fix)
    if raw is None:
        return None, source
    try:
        return model.model_validate(raw), source
    except ValidationError as error:
        _report_all(error, source, report)
        return None, source


def _report_all(error: ValidationError, source: Source, report: Report) -> None:
    """Every fault pydantic found, as rule errors."""
    for fault in error.errors(include_url=False):
        path = fault["loc"]
        where = ".".join(str(part) for part in path) or "the file"
        line = source.line(path)
        if fault["type"] == "missing":
            report(RuleErrorCode.MISSING, line, f"no {where}", f"add {path[-1]}")
        elif fault["type"] == "extra_forbidden":
            fix = "remove it; docs/scoring.md lists the keys"
            report(RuleErrorCode.UNKNOWN_KEY, line, where, fix)
        else:
            shown = json.dumps(fault["input"], ensure_ascii=False, default=str)[:60]
            report(RuleErrorCode.WRONG_VALUE, line, f"{where}: {shown}", fault["msg"])
