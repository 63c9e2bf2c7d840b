"""The sheet a reviewer fills in: one row a text, out as CSV and back with a verdict on each.

Nothing of a sheet is taken unless all of it can be: every problem is told with its line.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO

from bot.content.catalogs import Change
from bot.content.entries import Entry, catalog_of, read_entries, tags
from bot.lists.csvs import FORMULA, as_csv
from bot.translating.status import Place
from flows.lexicon import SMS
from flows.sms import segments
from flows.translations import DRAFT, NAME, base, reviewed, seen_at
from flows.wording import faults

COLUMNS = (
    *("language", "address", "seen", "english", "reference", "draft", "new_text", "verdict"),
    *("reviewer", "date", "sms", "state"),
)
"""New_text, verdict, reviewer and date are the reviewer's; the others must stay as they are."""
GOOD, CHANGE = "ok", "change"
"""The verdicts: the draft is right, or new_text is better. An empty one: not read yet."""


class SheetError(Exception):
    """A sheet cannot be taken; `problems` has every one, with its line."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the list: the command prints all of it."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a reviewed sheet says.

    Attributes:
        language: Whose it is.
        changes: What becomes of each text that got a verdict, by address.
        lines: The line of each of them in the sheet.
        unread: How many rows have no verdict yet.
    """

    language: str
    changes: Mapping[str, Change]
    lines: Mapping[str, int]
    unread: int


def sheet(at: Place, tag: str, *, catalog: str = "", reference: str = "") -> str:
    """A language's texts as a CSV that a spreadsheet opens.

    A text that is dear by SMS has a second row, for its SMS spelling.

    Args:
        at: Where the languages are.
        tag: The language to review.
        catalog: Only this one; empty for all.
        reference: Tag of another language to show beside the English; empty for none.

    Raises:
        SheetError: There is no such language or catalog.
    """
    own = entries_of(at, tag)
    other = entries_of(at, reference) if reference else {}
    wanted = [a for a in at.texts if not catalog or catalog_of(a) == catalog]
    if not wanted:
        known = ", ".join(dict.fromkeys(map(catalog_of, at.texts)))
        raise SheetError([f"There is no catalog {catalog!r}. Fix: use one of {known}."])
    return as_csv(
        COLUMNS,
        (
            _row(at, tag, address, own.get(address), other.get(base(address)))
            for text in wanted
            for address in _addresses(text, own)
        ),
    )


def judged(at: Place, text: str, *, by: str, today: date) -> Judged:
    """Read a reviewed sheet, each row against its text as it is now.

    Args:
        at: Where the languages are.
        text: The CSV.
        by: Who reviewed the rows that name no reviewer.
        today: The day of rows without a date.

    Raises:
        SheetError: Something in it is wrong; nothing of it may be taken.
    """
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")), restval="")
    header = tuple(reader.fieldnames or ())
    if missing := [name for name in COLUMNS if name not in header]:
        fix = "export the sheet again; leave its columns as they are"
        raise SheetError([f"line 1: no column {', '.join(missing)}. Fix: {fix}."])
    rows = [(reader.line_num, {name: _cell(row[name] or "") for name in COLUMNS}) for row in reader]
    languages = sorted({row["language"] for _, row in rows})
    if len(languages) != 1:
        named = ", ".join(languages) or "none"
        raise SheetError(
            [f"The sheet names these languages: {named}. Fix: one sheet, one language."]
        )
    reading = _Reading(at=at, own=entries_of(at, languages[0]), by=by, today=today)
    changes: dict[str, Change] = {}
    lines: dict[str, int] = {}
    problems: list[str] = []
    for line, row in rows:
        found = list(reading.problems(row))
        if row["address"] in lines:
            found.append(f"{row['address']} stands in line {lines[row['address']]} too")
        problems += [f"line {line}: {problem}" for problem in found]
        lines.setdefault(row["address"], line)
        if row["verdict"] and not found:
            changes[row["address"]] = reading.change(row)
    if problems:
        raise SheetError(problems)
    read = {address: line for address, line in lines.items() if address in changes}
    return Judged(
        language=languages[0], changes=changes, lines=read, unread=len(rows) - len(changes)
    )


def entries_of(at: Place, tag: str) -> Mapping[str, Entry]:
    """The texts of a language. Raises SheetError where there is none of that name."""
    known = tags(at.folder)
    if tag not in known:
        there = ", ".join(known)
        raise SheetError([f"There is no language {tag!r}. Fix: use one of {there}."])
    return read_entries(at.folder, tag)


def _addresses(address: str, own: Mapping[str, Entry]) -> tuple[str, ...]:
    """A text and, where it has one or would be cheaper with one, its SMS spelling."""
    entry, spelling = own.get(address), address + SMS
    listed = address.endswith(":accept") or address.startswith(("keyword.", "word.", "number."))
    dear = entry is not None and not listed and segments(entry.words).encoding != "GSM-7"
    return (address, spelling) if dear or spelling in own else (address,)


def _row(
    at: Place, tag: str, address: str, entry: Entry | None, other: Entry | None
) -> tuple[object, ...]:
    words = entry.words if entry else ""
    return (
        *(tag, address, seen_at(address), at.texts[base(address)], other.words if other else ""),
        *(words, "", "", "", "", segments(words).segments if words else ""),
        (entry.standing if entry else DRAFT).state,
    )


def _cell(text: str) -> str:
    """A cell as it was before it was made safe for spreadsheets."""
    return text[1:] if text.startswith("'") and text[1:].startswith(tuple(FORMULA)) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What one row is held against."""

    at: Place
    own: Mapping[str, Entry]
    by: str
    today: date

    def problems(self, row: Mapping[str, str]) -> Iterator[str]:
        """What is wrong with a row, with the fix."""
        address, entry = row["address"], self.own.get(row["address"])
        source = self.at.texts.get(base(address))
        if source is None:
            yield f"there is no text {address!r}. Fix: leave the addresses as they are"
            return
        if row["english"] != source:
            yield f"{address}: the English has changed since. Fix: export the sheet again"
            return
        if row["draft"] != (entry.words if entry else ""):
            yield f"{address}: the draft has changed since. Fix: export the sheet again"
        yield from self._verdict(row, source)
        if row["verdict"] and not NAME.fullmatch(row["reviewer"].strip() or self.by):
            yield f"{address}: {row['reviewer']!r} is no name. Fix: letters, no comma"
        if row["verdict"] and not self._day(row["date"]):
            yield f"{address}: the date {row['date']!r}. Fix: write it like 2026-11-02, not to come"

    def _verdict(self, row: Mapping[str, str], source: str) -> Iterator[str]:
        address, verdict, words = row["address"], row["verdict"].strip(), row["new_text"].strip()
        if verdict not in ("", GOOD, CHANGE):
            yield f"{address}: the verdict {verdict!r}. Fix: write {GOOD} or {CHANGE}, or nothing"
        elif verdict != CHANGE and words:
            yield f"{address}: a new text without the verdict {CHANGE}. Fix: write it, or clear one"
        elif verdict:
            now = words if verdict == CHANGE else row["draft"]
            for found in faults(address, source, now):
                yield f"{address}: it {found}. Fix: mend new_text and write {CHANGE}"

    def _day(self, text: str) -> date | None:
        """The day of a review; None for one that is none or still to come."""
        try:
            day = date.fromisoformat(text.strip()) if text.strip() else self.today
        except ValueError:
            return None
        return day if day <= self.today else None

    def change(self, row: Mapping[str, str]) -> Change:
        """What a row without problems asks for."""
        day = self._day(row["date"]) or self.today
        return Change(
            standing=reviewed(row["reviewer"].strip() or self.by, day),
            words=row["new_text"].strip() if row["verdict"].strip() == CHANGE else None,
        )
