"""From the YAML text of a published scale to its values, with every fault named by line."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from scoring.rule_text import RuleError, RuleErrorCode, validated
from scoring.scale_check import check_rows, check_scale
from scoring.scale_model import Cutoff, Part, PublishedScale, ScaleItem
from scoring.scale_rows import CutoffRow, ItemRow, PartRow, ScaleFile
from scoring.scales import reverse


def read_scale(text: str, *, file: str) -> tuple[PublishedScale | None, tuple[RuleError, ...]]:
    """The scale a YAML text states, or every fault that keeps it from standing.

    Args:
        text: The file's text.
        file: Its name, for messages; without folder and ending it must be the scale's code.

    Returns:
        The scale and no errors, or None and at least one error, in the order of their lines.
    """
    errors: list[RuleError] = []

    def report(code: RuleErrorCode, line: int, found: str, fix: str) -> None:
        errors.append(RuleError(code=code, file=file, line=line, found=found, fix=fix))

    rows, source = validated(ScaleFile, text, file, report)
    scale = None
    if rows:
        check_rows(rows, source, report)
        stem = file.rpartition("/")[2].removesuffix(".yaml")
        if rows.scale != stem:
            fix = f"write scale: {stem}, or name the file {rows.scale}.yaml"
            report(RuleErrorCode.WRONG_VALUE, source.line(("scale",)), f"scale {rows.scale}", fix)
    if rows and not errors:
        scale = _scale(rows, file)
        check_scale(scale, source, report)
    ordered = tuple(sorted(errors, key=lambda error: error.line))
    return (None if errors else scale), ordered


def read_scales(
    texts: Mapping[str, str], *, taken: Sequence[str] = ()
) -> tuple[dict[str, PublishedScale], tuple[RuleError, ...]]:
    """All scales by code, and every fault of their files.

    Args:
        texts: The text of each file by its name.
        taken: Codes of questionnaires; a submission could not tell a scale from one of them.
    """
    scales: dict[str, PublishedScale] = {}
    errors: list[RuleError] = []
    for file, text in texts.items():
        scale, faults = read_scale(text, file=file)
        errors += faults
        if scale is not None and scale.id in taken:
            found, fix = f"{scale.id} is a questionnaire", "give the scale another code"
            code = RuleErrorCode.DUPLICATE
            errors.append(RuleError(code=code, file=file, line=1, found=found, fix=fix))
        elif scale is not None:
            scales[scale.id] = scale
    return scales, tuple(errors)


def _scale(rows: ScaleFile, file: str) -> PublishedScale:
    """The rows as values."""
    canonical = json.dumps(rows.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    counting = [row.item for row in rows.items if row.counts and row.item != rows.given_total]
    return PublishedScale(
        id=rows.scale,
        title=rows.title,
        version=rows.version,
        digest=hashlib.sha256(canonical.encode()).hexdigest()[:12],
        file=file,
        about=rows.about,
        informant=rows.informant,
        age=rows.age,
        recall=rows.recall,
        method=rows.method,
        times=rows.times,
        worse=rows.worse,
        citation=rows.source.citation,
        url=rows.source.url,
        verdict=rows.licence.verdict,
        licence=rows.licence.note,
        notes=tuple(rows.notes),
        items={row.item: _item(row, rows) for row in rows.items},
        total=_part("total", PartRow(items=rows.total or counting, cutoffs=rows.cutoffs), rows),
        given=rows.given_total,
        parts=tuple(_part(name, part, rows) for name, part in rows.parts.items()),
        fill=rows.missing.fill,
        with_whole=rows.missing.parts == "with_whole",
        missing_source=rows.missing.source,
    )


def _item(row: ItemRow, rows: ScaleFile) -> ScaleItem:
    """An item with its points, turned where it runs the other way round."""
    if row.number:
        printed = {str(number): number for number in range(row.number[0], row.number[1] + 1)}
    else:
        printed = dict(rows.options[row.options])
    alone = {points for points, times in Counter(printed.values()).items() if times == 1}
    return ScaleItem(
        name=row.item,
        points=reverse(printed) if row.reverse else printed,
        numbers={
            str(points): code for code, points in printed.items() if len(alone) == len(printed)
        },
        counts=row.counts,
        when={gate: frozenset(codes) for gate, codes in row.when.items()},
    )


def _part(name: str, row: PartRow, rows: ScaleFile) -> Part:
    """A subscale, or the whole. Where gaps are not filled, none may be."""
    most = rows.missing.most if row.most_missing is None else row.most_missing
    return Part(
        name=name,
        items=tuple(row.items),
        most_missing=0 if rows.missing.fill == "none" else most,
        cutoffs=tuple(_cutoff(each) for each in row.cutoffs),
    )


def _cutoff(row: CutoffRow) -> Cutoff:
    """A cut-off with exact values."""
    return Cutoff(
        id=row.id,
        bands=tuple((band, Fraction(start)) for band, start in row.bands.items()),
        source=row.source,
        confirmed=row.confirmed,
        language=row.when.language,
        country=row.when.country,
        ages=row.when.ages,
        sex=row.when.sex,
    )
