"""The command line of `growth`: a sheet of heights and weights as z-scores."""

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot import commands
from bot.content.growth_tables import growth_tables
from bot.lists.sheets import Line, Sheet, read_sheet
from scoring.growth import HEIGHTS_CM, WEIGHTS_KG, Growth, Measured, growth

REQUIRED = ("sex", "age_months", "height_cm", "weight_kg")
OPTIONAL = ("oedema", "previous_height_cm")
AGES = (0.0, 1500.0)
"""Months of anybody alive."""
_NUMBER = re.compile(r"\d{1,5}(?:[.,]\d{1,12})?", re.ASCII)
_MOST = 60


def growth_command(
    file: Annotated[Path, typer.Argument(help="CSV, a line for each child; - for stdin.")],
    json_wanted: Annotated[
        bool, typer.Option("--json", help="Print one JSON list, an object for each line.")
    ] = False,
) -> None:
    """Work out height-, weight- and BMI-for-age at 5 to 19 years (WHO 2007).

    Columns: sex (m or f), age_months (may have decimals), height_cm, weight_kg.
    If you have them: oedema (y or n) and previous_height_cm. An empty height
    or weight means not measured. Leave names out: nothing here needs them.

    For each line, in its order: haz, waz and baz, each in SD from the median
    of healthy children, or - (in JSON null) where it cannot be said; and flags
    such as thin or stunted. "implausible" means: measure again.

    Nothing is stored. If a line has a fault, every fault is named, with what
    was found and what to write, and nothing is worked out.
    """
    raise SystemExit(commands.guarded(lambda: _growth(file, json_wanted=json_wanted)))


def _growth(path: Path, *, json_wanted: bool) -> int:
    """Read, work out, print."""
    text = sys.stdin.read() if str(path) == "-" else commands.read_csv(path)
    lines, sheet = read_sheet(text, path.name, required=REQUIRED, optional=OPTIONAL)
    is_readable = all(problem.line > 1 for problem in sheet.problems)  # else every line is wrong
    found = [_measured(sheet, line) for line in lines if is_readable]
    if sheet.problems:
        for problem in sheet.problems:
            commands.err(str(problem))
        commands.err("Nothing was worked out.")
        return commands.PROBLEM
    reference = growth_tables()
    results = [growth(child, reference) for child in found if child is not None]
    if json_wanted:
        commands.as_json([asdict(result) for result in results])
    else:
        _print(lines, results)
    return commands.GOOD


def _measured(sheet: Sheet, line: Line) -> Measured | None:
    """One line of the sheet, or None after noting what is wrong."""
    before = len(sheet.problems)
    sex = sheet.choice(line, "sex", ("m", "f"))
    age = _number(sheet, line, "age_months", AGES)
    if age is None and not line.cells.get("age_months"):
        sheet.fault(line.number, "age_months", "nothing", "write the age in months, e.g. 90.5")
    height = _number(sheet, line, "height_cm", HEIGHTS_CM)
    weight = _number(sheet, line, "weight_kg", WEIGHTS_KG)
    previous = _number(sheet, line, "previous_height_cm", HEIGHTS_CM)
    swollen = sheet.choice(line, "oedema", ("y", "n")) if line.cells.get("oedema") else "n"
    if len(sheet.problems) > before or age is None:
        return None
    return Measured(
        sex="m" if sex == "m" else "f",
        age_months=age,
        height_cm=height,
        weight_kg=weight,
        oedema=swollen == "y",
        previous_height_cm=previous,
    )


def _number(sheet: Sheet, line: Line, column: str, limits: tuple[float, float]) -> float | None:
    """A number within limits; None where the cell is empty, or after noting what is wrong."""
    found = line.cells.get(column, "")
    if not found:
        return None
    low, high = limits
    if _NUMBER.fullmatch(found) and low <= (value := float(found.replace(",", "."))) <= high:
        return value
    told = repr(found if len(found) <= _MOST else f"{found[:_MOST]}...")
    sheet.fault(line.number, column, told, f"write a number from {low:g} to {high:g}")
    return None


def _print(lines: Sequence[Line], results: Sequence[Growth]) -> None:
    """A table to read, with the number of each line in the file."""
    commands.out("line     haz     waz     baz  flags")
    for line, result in zip(lines, results, strict=True):
        scores = (result.haz, result.waz, result.baz)
        cells = "".join(f"{'-' if z is None else f'{z:.2f}':>8}" for z in scores)
        commands.out(f"{line.number:>4}{cells}  {', '.join(result.flags)}".rstrip())
