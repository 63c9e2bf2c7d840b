"""Reading and checking scoring rules: what answers are worth, where bands begin, what is urgent.

A rule file is read once at start (`read_rules`) and checked against the questionnaires
(`check_rules`). `docs/scoring.md` explains the file; the thresholds of `rules/default.yaml` are
ours and not a validated scale.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from flows.questionnaire import Questionnaire
from scoring.model import DOMAINS, INFORMANTS, Band, Informant, Reason
from scoring.rule_text import (
    HelpRow,
    IndicatorRow,
    Lines,
    PlanRow,
    Report,
    RuleError,
    RuleErrorCode,
    RuleFile,
    ScaleRow,
    read_file,
)
from scoring.ruleset import (
    CRISIS_RULE,
    HIGH_RULE,
    NAMED,
    SCALES,
    UNREAD_RULE,
    CriticalRule,
    FollowUp,
    Help,
    Indicator,
    Rules,
    Scale,
    ScaleName,
)

__all__ = ["RuleError", "RuleErrorCode", "Rules", "check_rules", "item_codes", "read_rules"]

T = TypeVar("T")


def read_rules(text: str, *, file: str) -> tuple[Rules | None, tuple[RuleError, ...]]:
    """The rules a YAML text states, or every fault that keeps them from standing.

    Args:
        text: The rule file's text.
        file: Its name, for messages.

    Returns:
        The rules and no errors, or None and at least one error, in the order of their lines.
    """
    errors: list[RuleError] = []

    def report(code: RuleErrorCode, line: int, found: str, fix: str) -> None:
        errors.append(RuleError(code=code, file=file, line=line, found=found, fix=fix))

    rows, lines = read_file(text, file, report)
    rules = _build(rows, lines, file) if rows else None
    if rows and rules:
        _check_inside(rules, _plan_rows(rows, lines), report)
    ordered = tuple(sorted(errors, key=lambda error: error.line))
    return (None if errors else rules), ordered


def check_rules(rules: Rules, items: Mapping[str, tuple[str, ...]]) -> tuple[RuleError, ...]:
    """Every fault of rules against the questionnaires they score.

    Args:
        rules: The rules.
        items: Choice codes by `form/item`, of every questionnaire. Class-screen items, answered
            with list numbers, have no codes.

    Returns:
        All faults, in the order of their lines; empty where the rules fit.
    """
    errors: list[RuleError] = []

    def report(code: RuleErrorCode, line: int, found: str, fix: str) -> None:
        errors.append(RuleError(code=code, file=rules.file, line=line, found=found, fix=fix))

    for scale in rules.scales.values():
        _check_scale(scale, rules.indicators, report)
    for item, codes, line in _references(rules):
        if item not in items:
            fix = "name an item of a questionnaire as form/item"
            report(RuleErrorCode.ITEM, line, f"there is no item {item}", fix)
            continue
        for code in sorted(codes - set(items[item])):
            offered = ", ".join(items[item]) or "nothing"
            fix = f"use a code the item offers: {offered}"
            report(RuleErrorCode.CODE, line, f"{item} has no choice {code}", fix)
    return tuple(sorted(errors, key=lambda error: error.line))


def item_codes(questionnaires: Iterable[Questionnaire]) -> Mapping[str, tuple[str, ...]]:
    """Choice codes by `form/item` of every question asked, as `check_rules` wants them."""
    return {
        f"{form.form_id}/{item.name}": item.choices
        for form in questionnaires
        for item in form.items
        if item.asked
    }


def _references(rules: Rules) -> Iterator[tuple[str, frozenset[str], int]]:
    """Each item the rules name, with the codes they expect of it and the line."""
    for indicator in rules.indicators:
        codes = frozenset[str]() if indicator.screen else frozenset(indicator.points)
        yield indicator.item, codes, indicator.line
    for follow_up in rules.follow_ups.values():
        for item, codes in follow_up.triggers:
            yield item, codes, follow_up.line
    for rule in rules.critical:
        yield rule.item, rule.codes, rule.line


def _check_scale(scale: Scale, indicators: Iterable[Indicator], report: Report) -> None:
    """Thresholds in order, and a minimum that the items of one form can reach."""
    if not 0 < scale.moderate < scale.high <= 1:
        found = f"{scale.name}: moderate {scale.moderate}, high {scale.high}"
        fix = "keep 0 < moderate < high <= 1"
        report(RuleErrorCode.THRESHOLDS, scale.line, found, fix)
    counts: dict[str, int] = {}
    for indicator in indicators:
        if indicator.scale == scale.name and not indicator.screen:
            form = indicator.item.partition("/")[0]
            counts[form] = counts.get(form, 0) + 1
    reachable = max(counts.values(), default=0)
    if scale.minimum > reachable:
        found = f"{scale.name}: minimum {scale.minimum}, but one form has {reachable} items"
        report(RuleErrorCode.MINIMUM, scale.line, found, "lower the minimum or add indicators")


def _check_inside(rules: Rules, plan: Iterable[tuple[HelpRow, int]], report: Report) -> None:
    """Faults a rule file has by itself, whatever the questionnaires."""
    seen: set[tuple[str, str]] = set()
    for indicator in rules.indicators:
        key = (indicator.scale, indicator.item)
        if key in seen:
            found = f"{indicator.item} a second time in {indicator.scale}"
            report(RuleErrorCode.DUPLICATE, indicator.line, found, "keep one of them")
        seen.add(key)
        _check_indicator(indicator, rules.follow_ups, report)
    ids = {HIGH_RULE, CRISIS_RULE, UNREAD_RULE}
    for rule in rules.critical:
        if rule.id in ids:
            found = f"critical rule {rule.id} a second time, or reserved"
            report(RuleErrorCode.DUPLICATE, rule.line, found, "choose another id")
        ids.add(rule.id)
    words: dict[str, str] = {}
    for row, line in plan:
        if words.setdefault(row.id, row.words) != row.words:
            found = f"intervention {row.id} in other words than above"
            report(RuleErrorCode.WORDS, line, found, "use the same words, or another id")


def _check_indicator(
    indicator: Indicator, follow_ups: Mapping[str, FollowUp], report: Report
) -> None:
    """Points that begin at 0 and go up, and a follow-up condition that exists."""
    if not indicator.screen and (not indicator.most or min(indicator.points.values()) > 0):
        found = f"points of {indicator.item}"
        fix = "give one code 0 points and one code more"
        report(RuleErrorCode.POINTS, indicator.line, found, fix)
    if indicator.follow_up and indicator.follow_up not in follow_ups:
        found = f"{indicator.item} follows up {indicator.follow_up}"
        report(RuleErrorCode.FOLLOW_UP, indicator.line, found, "define it under follow_ups")


def _plan_rows(rows: RuleFile, lines: Lines) -> Iterator[tuple[HelpRow, int]]:
    """Each intervention row of the plan with its line."""
    for name in SCALES:
        plan = rows.plan[name]
        for band, helps in (("moderate", plan.moderate), ("high", plan.high)):
            for n, row in enumerate(helps):
                yield row, lines["plan", name, band, n]


def _build(rows: RuleFile, lines: Lines, file: str) -> Rules:
    """The rows as frozen, indexed rules."""
    indicators = (
        *(
            _indicator(row, row.domain, lines["indicators", n])
            for n, row in enumerate(rows.indicators)
        ),
        *_screen_indicators(rows, lines),
        *(
            _indicator(row, "caregiver", lines["caregiver", "indicators", n])
            for n, row in enumerate(rows.caregiver.indicators)
        ),
    )
    critical = tuple(
        CriticalRule(
            id=row.id,
            item=row.item,
            codes=frozenset(row.codes),
            words=row.words,
            line=lines["critical", n],
        )
        for n, row in enumerate(rows.critical)
    )
    return Rules(
        id=rows.rules,
        version=_version(rows),
        file=file,
        note=rows.note,
        combination=rows.combination,
        scales=_scales(rows, lines),
        indicators=indicators,
        follow_ups=_follow_ups(rows, lines),
        critical=critical,
        plan={name: _helps(rows.plan[name]) for name in SCALES},
        by_scale={
            name: _grouped((i.item.partition("/")[0], i) for i in indicators if i.scale == name)
            for name in SCALES
        },
        by_item=_grouped((i.item, i) for i in indicators),
        critical_by_item=_grouped((rule.item, rule) for rule in critical),
        expected={
            name: tuple(
                i.item for i in indicators if i.scale == name and not i.screen and not i.follow_up
            )
            for name in SCALES
        },
    )


def _version(rows: RuleFile) -> str:
    """First 12 hex of the SHA-256 of the content in canonical JSON."""
    canonical = json.dumps(rows.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _indicator(row: IndicatorRow, scale: ScaleName, line: int) -> Indicator:
    """An indicator of a scale from its row."""
    return Indicator(
        item=row.item,
        scale=scale,
        points=dict(row.points),
        most=max(row.points.values(), default=0),
        words=row.words,
        source=row.source,
        reasons=_reasons(row.item, row.points, row.words),
        follow_up=row.follow_up,
        line=line,
    )


def _reasons(
    item: str, points: Mapping[str, int], words: str
) -> Mapping[Informant, Mapping[str, Reason]]:
    """Every row of the "why" table an item can give; made here, so that scoring makes none."""
    most = max(points.values(), default=0)
    return {
        informant: {
            code: Reason(
                item=item,
                answer=code,
                informant=informant,
                points=added,
                most=most,
                words=words.replace("{answer}", code.replace("_", " ")),
            )
            for code, added in points.items()
            if added
        }
        for informant in INFORMANTS
    }


def _screen_indicators(rows: RuleFile, lines: Lines) -> Iterator[Indicator]:
    """The class-screen rows as indicators whose only scored answer is being named."""
    for n, row in enumerate(rows.screen):
        yield Indicator(
            item=row.item,
            scale=row.domain,
            points={NAMED: row.points},
            most=row.points,
            words=row.words,
            source=row.source,
            reasons=_reasons(row.item, {NAMED: row.points}, row.words),
            screen=True,
            line=lines["screen", n],
        )


def _scales(rows: RuleFile, lines: Lines) -> Mapping[ScaleName, Scale]:
    """The thresholds of the six domains and of the caregiver."""
    places: dict[ScaleName, tuple[ScaleRow, int]] = {
        name: (rows.domains[name], lines["domains", name]) for name in DOMAINS
    }
    places["caregiver"] = (rows.caregiver, lines[("caregiver",)])
    return {
        name: Scale(name=name, minimum=row.minimum, moderate=row.moderate, high=row.high, line=line)
        for name, (row, line) in places.items()
    }


def _follow_ups(rows: RuleFile, lines: Lines) -> Mapping[str, FollowUp]:
    """The follow-up conditions by name."""
    return {
        name: FollowUp(
            name=name,
            triggers=tuple((item, frozenset(codes)) for item, codes in row.when.items()),
            gate=row.gate,
            line=lines["follow_ups", name],
        )
        for name, row in rows.follow_ups.items()
    }


def _helps(plan: PlanRow) -> Mapping[Band, tuple[Help, ...]]:
    """The interventions of a scale by band."""
    return {
        "moderate": tuple(Help(id=row.id, words=row.words) for row in plan.moderate),
        "high": tuple(Help(id=row.id, words=row.words) for row in plan.high),
    }


def _grouped(pairs: Iterable[tuple[str, T]]) -> Mapping[str, tuple[T, ...]]:
    """Values by key, in order."""
    groups: dict[str, list[T]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}
