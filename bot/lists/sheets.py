"""Reading the CSV files people export from a spreadsheet, with every fault found at once.

A fault says where it is, what was found and how to put it right: whoever kept the list mends it.
"""

import csv
import difflib
import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from typing_extensions import override

from flows.messages import ChannelName

REGION = "ZA"
"""Numbers without a country code are South African."""
COUNTRY, NATIONAL_DIGITS = 27, 9
"""A South African cellphone number has nine digits after +27; other lengths are service numbers."""
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CHAT = re.compile(r"[1-9]\d{0,18}")
_ROUNDED = re.compile(r"\d[.,]\d+[eE]\+?\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something to put right in a file.

    Attributes:
        file: Its name.
        line: Line number, from 1.
        column: Name of the column; empty where it is the line or the file.
        found: What stands there.
        fix: What to do.
        warning: Whether the import goes on all the same.
    """

    file: str
    line: int
    column: str
    found: str
    fix: str
    warning: bool = False

    @override
    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        column = f"{self.column}: " if self.column else ""
        return f"{self.file}:{self.line}: {kind}{column}found {self.found}; {self.fix}"


class ImportRefusedError(Exception):
    """The file has faults; nothing was imported."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SlipError(Exception):
    """No slips can be printed; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAddress:
    """Where somebody can be reached: `value` as the channel knows it."""

    channel: ChannelName
    value: str

    @override
    def __str__(self) -> str:
        return f"{self.channel}:{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a sheet: its number and all its cells, stripped, by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Sheet:
    """A file being read. Each check gives the value, or None after noting what is wrong."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def fault(self, line: int, column: str, found: str, fix: str) -> None:
        """Note something without which the file is not imported."""
        self.problems.append(
            Problem(file=self.file, line=line, column=column, found=found, fix=fix)
        )

    def warn(self, line: int, column: str, found: str, fix: str) -> None:
        """Note something to know about."""
        self.problems.append(
            Problem(file=self.file, line=line, column=column, found=found, fix=fix, warning=True)
        )

    def text(self, line: Line, column: str, *, longest: int) -> str | None:
        """Words, with runs of spaces as one."""
        found = " ".join(line.cells.get(column, "").split())
        if not found:
            self.fault(line.number, column, "nothing", f"fill in the {column}")
        elif len(found) > longest:
            self.fault(line.number, column, f"{len(found)} characters", f"at most {longest}")
        else:
            return found
        return None

    def choice(self, line: Line, column: str, allowed: Collection[str]) -> str | None:
        """One of some words, in any case."""
        found = line.cells.get(column, "")
        said = found.casefold().replace(" ", "_")
        if said in allowed:
            return said
        self.fault(line.number, column, _quoted(found), f"write {_listed(allowed)}")
        return None

    def whole(self, line: Line, column: str, *, most: int) -> int | None:
        """A whole number from 1."""
        found = line.cells.get(column, "")
        if found.isascii() and found.isdigit() and 1 <= int(found) <= most:
            return int(found)
        self.fault(line.number, column, _quoted(found), f"write a whole number from 1 to {most}")
        return None

    def month(self, line: Line, column: str) -> str | None:
        """A month as YYYY-MM."""
        found = line.cells.get(column, "")
        if _MONTH.fullmatch(found):
            return found
        self.fault(line.number, column, _quoted(found), "write year and month, e.g. 2019-03")
        return None

    def day(self, line: Line, column: str, *, today: date) -> date | None:
        """A day as YYYY-MM-DD, not after today."""
        found = line.cells.get(column, "")
        if _DATE.fullmatch(found):
            try:
                day = date.fromisoformat(found)
            except ValueError:
                pass
            else:
                if day <= today:
                    return day
        fix = "write a day that has been, as year-month-day, e.g. 2026-01-31"
        self.fault(line.number, column, _quoted(found), fix)
        return None

    def address(self, line: Line, column: str) -> ContactAddress | None:
        """A phone number, `whatsapp:` and a number, or `telegram:` and a chat id."""
        found = line.cells.get(column, "")
        address, note = _address(found)
        if address is None:
            self.fault(line.number, column, _quoted(found), note)
        elif note:
            self.warn(line.number, column, _quoted(found), note)
        return address


def read_sheet(
    text: str, file: str, *, required: Collection[str], optional: Collection[str]
) -> tuple[list[Line], Sheet]:
    """Split a CSV into lines by column name. Separator `,` or `;`; a byte order mark is dropped.

    Args:
        text: The whole file.
        file: Its name, for the problems.
        required: Columns that must be there.
        optional: Columns that may be there. Any other is a fault: it may be a misspelt one.

    Returns:
        The lines that are not empty, and the sheet with the problems so far.
    """
    sheet = Sheet(file)
    text = text.removeprefix("\ufeff").replace("\0", "")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        names = [_clean(cell).casefold().replace(" ", "_") for cell in next(rows, [])]
        _check_columns(sheet, names, required, optional)
        lines = []
        for row in rows:
            cells = [_clean(cell) for cell in row]
            if not any(cells):
                continue
            if any(cells[len(names) :]):
                found = f"{len(cells)} cells, but {len(names)} columns"
                sheet.fault(rows.line_num, "", found, "put quotes around a cell with a separator")
            padded = [*cells, *[""] * len(names)]
            lines.append(Line(number=rows.line_num, cells=dict(zip(names, padded, strict=False))))
    except csv.Error as error:
        sheet.fault(rows.line_num, "", str(error), "save the file again as CSV (UTF-8)")
        return [], sheet
    if not lines and not sheet.problems:
        sheet.fault(1, "", "no line below the column names", "add a line for each person")
    return lines, sheet


def _check_columns(
    sheet: Sheet, names: list[str], required: Collection[str], optional: Collection[str]
) -> None:
    known = [*required, *optional]
    for position, name in enumerate(names):
        if name in names[:position]:
            sheet.fault(1, name, "the column twice", "keep one of them")
        elif name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            fix = f"did you mean {near[0]}?" if near else f"the columns are {', '.join(known)}"
            sheet.fault(1, "", f"column {_quoted(name)}", fix)
    for name in required:
        if name not in names:
            sheet.fault(1, name, "no such column", f"add the column {name}")


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def _clean(cell: str) -> str:
    return cell.strip().removeprefix("'").strip()


def _quoted(found: str) -> str:
    return repr(found) if found else "nothing"


def _listed(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _address(found: str) -> tuple[ContactAddress | None, str]:
    """The address if it can be one, and what is doubtful about it or has to be done."""
    channel, colon, rest = found.partition(":")
    if not colon:
        channel, rest = "sms", found
    channel, rest = channel.strip().casefold(), rest.strip()
    if channel == "telegram":
        if _CHAT.fullmatch(rest):
            return ContactAddress(channel="telegram", value=rest), ""
        return None, "write the chat's number, e.g. telegram:12345 (the bot tells it: /start)"
    if channel not in ("sms", "whatsapp"):
        return None, "write a phone number, whatsapp:+27..., or telegram:12345"
    if _ROUNDED.fullmatch(rest):
        return None, "the spreadsheet rounded this number: format the column as text, type it again"
    value, note = _phone(rest)
    if value is None:
        return None, note
    return ContactAddress(channel=cast("ChannelName", channel), value=value), note


def contact(text: str) -> ContactAddress | None:
    """A phone number, `whatsapp:` and a number or `telegram:` and a chat; None for neither."""
    return _address(text)[0]


def phone(text: str) -> str | None:
    """A phone number as we keep it (+27...), or None for what is none."""
    return _phone(text)[0]


def _phone(found: str) -> tuple[str | None, str]:
    try:
        number = phonenumbers.parse(found, REGION)
    except phonenumbers.NumberParseException:
        return None, "write a phone number, e.g. 082 123 4567 or +27821234567"
    digits = len(phonenumbers.national_significant_number(number))
    short = number.country_code == COUNTRY and digits != NATIONAL_DIGITS
    if short or not phonenumbers.is_possible_number(number):
        return None, "no phone number has that many digits: count them, or begin with + and country"
    value = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    # What is in use changes faster than a library is updated: doubt is no reason to refuse.
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.FIXED_LINE:
        return value, "this looks like a landline, which takes no messages: is it a cellphone?"
    if kind == PhoneNumberType.UNKNOWN:
        return value, "no network is known to use this number: is every digit right?"
    return value, ""
