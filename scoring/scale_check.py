"""Faults of a scale file beyond its form: names that lead nowhere, bands nobody can reach."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from flows.content import Path, Source
from scoring.rule_text import Report, RuleErrorCode
from scoring.scale_model import Part, PublishedScale
from scoring.scale_rows import ItemRow, ScaleFile
from scoring.scales import combine, span


def check_rows(rows: ScaleFile, source: Source, report: Report) -> None:
    """Report names in a file that lead nowhere, or twice to the same.

    Args:
        rows: The file's rows.
        source: Its lines.
        report: Called once per fault.
    """
    above: dict[str, ItemRow] = {}
    for n, row in enumerate(rows.items):
        line = source.line(("items", n))
        if row.item in above:
            report(RuleErrorCode.DUPLICATE, line, f"{row.item} a second time", "keep one of them")
        _check_answers(row, rows, line, report)
        _check_gates(row, rows, above, line, report)
        above[row.item] = row
    _check_missing(rows, source, report)
    for path, names in _uses(rows):
        _check_names(names, above, source.line(path), report)


def check_scale(scale: PublishedScale, source: Source, report: Report) -> None:
    """Report gaps that cannot be filled so, and bands that cannot be reached.

    Args:
        scale: The scale, whose names all lead somewhere.
        source: The lines of its file.
        report: Called once per fault.
    """
    _check_points(scale, source, report)
    _check_part(scale, scale.total, (), source, report)
    for part in scale.parts:
        _check_part(scale, part, ("parts", part.name), source, report)


def _uses(rows: ScaleFile) -> Iterator[tuple[Path, Sequence[str]]]:
    """Where items are named, with the names."""
    yield ("total",), rows.total
    yield ("given_total",), [rows.given_total] if rows.given_total else []
    for name, part in rows.parts.items():
        yield ("parts", name), part.items


def _check_missing(rows: ScaleFile, source: Source, report: Report) -> None:
    """Something counts, and gaps are allowed only where something stands for them."""
    if not any(row.counts for row in rows.items):
        line = source.line(("items",))
        report(RuleErrorCode.ITEM, line, "no item counts", "let one of them count")
    if rows.missing.fill == "none" and rows.missing.most:
        found, fix = "gaps are allowed but not filled", "leave out `most`, or fill them"
        report(RuleErrorCode.MINIMUM, source.line(("missing",)), found, fix)


def _check_names(
    names: Sequence[str], items: Mapping[str, ItemRow], line: int, report: Report
) -> None:
    """Each name is an item that counts, and stands there once."""
    for name, times in Counter(names).items():
        if name not in items or not items[name].counts:
            fix = "name an item under `items` that counts"
            report(RuleErrorCode.ITEM, line, f"there is no item {name}", fix)
        if times > 1:
            report(RuleErrorCode.DUPLICATE, line, f"{name} a second time", "keep one of them")


def _check_answers(row: ItemRow, rows: ScaleFile, line: int, report: Report) -> None:
    """An item has answers of one kind, which differ."""
    if bool(row.options) == bool(row.number) or (row.options and row.options not in rows.options):
        found = f"{row.item} has no answers, two kinds of them, or {row.options!r} is not listed"
        fix = "name one list under `options`, or write number: [least, most]"
        report(RuleErrorCode.OPTIONS, line, found, fix)
        return
    ends = row.number or (0, 0)
    differ = ends[0] < ends[1] or (row.options and len(set(rows.options[row.options].values())) > 1)
    if row.counts and not differ:
        fix = "let one answer count more than another, or write counts: no"
        report(RuleErrorCode.POINTS, line, f"all answers of {row.item} count the same", fix)


def _check_gates(
    row: ItemRow, rows: ScaleFile, above: Mapping[str, ItemRow], line: int, report: Report
) -> None:
    """A condition names an item above it, and answers that item has."""
    for gate, codes in row.when.items():
        if gate not in above:
            fix = "name an item that stands above this one"
            report(RuleErrorCode.ITEM, line, f"there is no item {gate} before it", fix)
            continue
        offered = rows.options.get(above[gate].options, {})
        for code in sorted(set(codes) - set(offered)):
            fix = f"use one of {', '.join(offered) or 'the answers of an item with options'}"
            report(RuleErrorCode.CODE, line, f"{gate} has no answer {code}", fix)


def _check_points(scale: PublishedScale, source: Source, report: Report) -> None:
    """What the missing rule needs of the points."""
    counted = [scale.items[name] for name in scale.total.items]
    line = source.line(("missing",))
    if scale.fill == "mean" and (
        scale.method == "any" or len({(item.low, item.high) for item in counted}) > 1
    ):
        fix = "fill with the mean only where all items are added and count alike"
        report(RuleErrorCode.POINTS, line, "gaps filled with the mean of unlike items", fix)
    if scale.fill == "zero" and any(item.low for item in counted):
        fix = "fill with zero only where every item can count 0"
        report(RuleErrorCode.POINTS, line, "gaps filled with less than an item can count", fix)


def _check_part(
    scale: PublishedScale, part: Part, path: Path, source: Source, report: Report
) -> None:
    """Gaps that leave something to go by; cut-offs that are used and can be reached."""
    if part.most_missing >= len(part.items):
        found = f"{part.name}: {part.most_missing} of {len(part.items)} items may be missing"
        report(RuleErrorCode.MINIMUM, source.line(path), found, "allow fewer gaps")
    spans = [span(scale.items[name], {}) for name in part.items]
    least = combine(scale.method, [each.low for each in spans], scale.times)
    most = combine(scale.method, [each.high for each in spans], scale.times)
    general = False
    for n, cutoff in enumerate(part.cutoffs):
        line = source.line((*path, "cutoffs", n))
        if general:
            fix = "put it above the one without `when`"
            report(RuleErrorCode.DUPLICATE, line, f"{cutoff.id} is never reached", fix)
        general = general or cutoff.is_general
        starts = [start for _, start in cutoff.bands]
        if starts != sorted(set(starts)) or starts[0] > least or starts[-1] > most:
            found = f"{cutoff.id}: bands begin at {', '.join(f'{float(s):g}' for s in starts)}"
            fix = f"let them rise, the first from {float(least):g}, the last up to {float(most):g}"
            report(RuleErrorCode.THRESHOLDS, line, found, fix)
