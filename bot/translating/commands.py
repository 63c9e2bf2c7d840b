"""The work of `locales`: each function prints for its reader and returns the exit code."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from bot.commands import GOOD, PROBLEM, as_json, err, out, read_csv
from bot.content.library import LibraryError
from bot.translating import marking
from bot.translating.sheet import SheetError, judged, sheet
from bot.translating.status import Row, Standing, place, status
from flows.translations import NAME, STATES

HEADER = ("language", "catalog", "texts", "missing", *STATES, "dear SMS")


def show(root: Path, *, json_wanted: bool) -> int:
    """`locales status`: how far each language is, and what keeps it from real people."""

    def work() -> int:
        found = status(place(root))
        if json_wanted:
            as_json({"languages": [_document(language) for language in found]})
            return GOOD
        _table([HEADER, *(_cells(row) for language in found for row in language.rows)])
        for language in found:
            offered = "no" if language.stops else "yes"
            out(f"\n{language.language} ({language.name}): offered to real people: {offered}")
            for line in language.stops:
                out(f"  {line}")
            for line in language.notes:
                out(f"  note: {line}")
        return GOOD

    return _guarded(work)


def export(root: Path, tag: str, *, catalog: str, reference: str, to: Path) -> int:
    """`locales export`: a sheet for a reviewer."""

    def work() -> int:
        text = sheet(place(root), tag, catalog=catalog, reference=reference)
        to.write_text(text, encoding="utf-8-sig", newline="")
        out(f"{to}: fill in verdict (ok or change), new_text, reviewer and date; then import it.")
        return GOOD

    return _guarded(work)


def take(root: Path, path: Path, *, by: str, today: date) -> int:
    """`locales import`: what a reviewer wrote, or every reason why not."""

    def work() -> int:
        at = place(root)
        found = judged(at, read_csv(path), by=_name(by), today=today)
        names = marking.take(root, at, found)
        out(
            f"{len(found.changes)} texts reviewed, {found.unread} without a verdict; "
            f"changed: {', '.join(names) or 'nothing'}."
        )
        return GOOD

    return _guarded(work)


def review(
    root: Path, tag: str, addresses: list[str], *, everything: bool, by: str, on: str, today: date
) -> int:
    """`locales review`: a speaker has read texts and leaves them as they are."""

    def work() -> int:
        changes = marking.review(
            place(root),
            tag,
            addresses,
            everything=everything,
            by=_name(by),
            on=_day(on, today),
        )
        names = marking.write(root, tag, changes)
        out(f"{len(changes)} texts reviewed; changed: {', '.join(names) or 'nothing'}.")
        return GOOD

    return _guarded(work)


def approve(root: Path, tag: str, *, catalog: str, by: str, on: str, today: date) -> int:
    """`locales approve`: somebody answers for what was reviewed."""

    def work() -> int:
        changes = marking.approve(
            place(root), tag, catalog=catalog, by=_name(by), on=_day(on, today)
        )
        names = marking.write(root, tag, changes)
        out(f"{len(changes)} texts approved; changed: {', '.join(names) or 'nothing'}.")
        return GOOD

    return _guarded(work)


def _guarded(work: Callable[[], int]) -> int:
    """Run a command; what stands in its way is told, a line each."""
    try:
        return work()
    except SheetError as error:
        problems: tuple[object, ...] = error.problems
    except LibraryError as error:
        problems = error.problems
    for problem in problems:
        err(str(problem))
    err("Nothing was changed.")
    return PROBLEM


def _name(by: str) -> str:
    name = " ".join(by.split())
    if not NAME.fullmatch(name):
        raise SheetError(
            [f"--by {by!r} is no name. Fix: letters first, no comma, 2 to 60 of them."]
        )
    return name


def _day(on: str, today: date) -> date:
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise SheetError([f"--on {on!r} is no day. Fix: write it like {today}."]) from None
    if day > today:
        raise SheetError([f"--on {on} is still to come. Fix: write the day it was done."])
    return day


def _cells(row: Row) -> tuple[str, ...]:
    counts = (row.texts, row.missing, *(row.states[state] for state in STATES), row.costly)
    return (row.language, row.catalog, *map(str, counts))


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if re.fullmatch(r"\d+", cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        out("  ".join(cells).rstrip())


def _document(language: Standing) -> dict[str, object]:
    return {
        "language": language.language,
        "name": language.name,
        "offered": not language.stops,
        "stops": language.stops,
        "notes": language.notes,
        "catalogs": [
            {
                "catalog": row.catalog,
                "texts": row.texts,
                "missing": row.missing,
                **row.states,
                "dear_by_sms": row.costly,
                "segments": row.parts,
            }
            for row in language.rows
        ],
    }
