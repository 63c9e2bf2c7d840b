"""Reading a class list: what its columns mean, and all that can be wrong with them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from bot.lists.sheets import ContactAddress, Line, Problem, Sheet, read_sheet
from flows.messages import ChannelName

REQUIRED = ("school", "grade", "class", "number", "sex", "birth_month", "teacher_address")
OPTIONAL = ("name", "caregiver_address", "agreed_on", "witness")
GRADES = ("r", *(str(grade) for grade in range(1, 13)))
LONGEST_SCHOOL = 200
LONGEST_CLASS = 20
LONGEST_NAME = 100
MOST_LEARNERS = 999
AGES = range(4, 17)
"""Ages in whole years that a learner of these grades may have; anything else is a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """One learner of a class list.

    Attributes:
        line: Where it stands in the file.
        school: The school's name.
        grade: "R" or "1" to "12".
        class_name: E.g. "A".
        number: On the class list, from 1.
        sex: "m" or "f".
        birth_month: "YYYY-MM".
        teacher: Where the class's teacher is reached; None where another row says it.
        caregiver: Where her caregiver is reached, where she agreed to be invited.
        agreed_on: When she agreed.
        witness: Who saw her agree: an address or a name; empty where nobody did.
    """

    line: int
    school: str
    grade: str
    class_name: str
    number: int
    sex: str
    birth_month: str
    teacher: ContactAddress | None = None
    caregiver: ContactAddress | None = None
    agreed_on: date | None = None
    witness: str = ""

    @property
    def group(self) -> tuple[str, str, str]:
        """School, grade and class."""
        return self.school, self.grade, self.class_name


def parse_roster(
    text: str, file: str, *, today: date, channels: Collection[ChannelName] | None = None
) -> tuple[list[RosterRow], list[Problem]]:
    """The learners of a class list, and everything that is wrong with it.

    Args:
        text: The CSV: columns `REQUIRED`, optionally `OPTIONAL`.
        file: Its name, for the problems.
        today: Ages are counted to this day.
        channels: The channels that are set up, where that is known.
    """
    lines, sheet = read_sheet(text, file, required=REQUIRED, optional=OPTIONAL)
    if any(problem.line == 1 for problem in sheet.problems):
        return [], sheet.problems  # without its columns, every line would look wrong
    rows = [row for line in lines if (row := _row(sheet, line, today)) is not None]
    _check_numbers(sheet, rows)
    _check_spelling(sheet, rows)
    _check_teachers(sheet, rows)
    if channels is not None:
        for row in rows:
            check_channels(sheet, row.line, (row.teacher, row.caregiver), channels)
    return rows, sorted(sheet.problems, key=lambda problem: problem.line)


def check_channels(
    sheet: Sheet,
    line: int,
    used: Collection[ContactAddress | None],
    channels: Collection[ChannelName],
) -> None:
    """Refuse addresses on a channel that we have no account of."""
    for address in used:
        if address is not None and address.channel not in channels:
            fix = f"set up {address.channel} first, or give an address on another channel"
            sheet.fault(line, "", str(address), fix)


def _row(sheet: Sheet, line: Line, today: date) -> RosterRow | None:
    before = len(sheet.problems)
    school = sheet.text(line, "school", longest=LONGEST_SCHOOL)
    grade = _grade(sheet, line)
    class_name = sheet.text(line, "class", longest=LONGEST_CLASS)
    number = sheet.whole(line, "number", most=MOST_LEARNERS)
    sex = sheet.choice(line, "sex", ("m", "f"))
    birth_month = sheet.month(line, "birth_month")
    if birth_month is not None:
        _check_age(sheet, line, birth_month, today)
    teacher = sheet.address(line, "teacher_address") if line.cells["teacher_address"] else None
    caregiver, agreed_on = _caregiver(sheet, line, today)
    has_witness = bool(line.cells.get("witness"))
    witness = sheet.text(line, "witness", longest=LONGEST_NAME) if has_witness else ""
    if line.cells.get("name"):
        fix = "it was left out: a child's name is only kept once a caregiver has consented"
        sheet.warn(line.number, "name", "a name", fix)
    if any(not problem.warning for problem in sheet.problems[before:]):
        return None
    return RosterRow(
        line=line.number,
        school=school or "",
        grade=grade or "",
        class_name=(class_name or "").upper(),
        number=number or 0,
        sex=sex or "",
        birth_month=birth_month or "",
        teacher=teacher,
        caregiver=caregiver,
        agreed_on=agreed_on,
        witness=witness or "",
    )


def _grade(sheet: Sheet, line: Line) -> str | None:
    found = line.cells["grade"].casefold().removeprefix("grade").strip()
    if found in GRADES:
        return found.upper()
    sheet.fault(line.number, "grade", repr(line.cells["grade"]), "write R or 1 to 12")
    return None


def _check_age(sheet: Sheet, line: Line, birth_month: str, today: date) -> None:
    year, month = int(birth_month[:4]), int(birth_month[5:])
    months = (today.year - year) * 12 + today.month - month
    if months < 0:
        fix = "this month is still to come: write the month of birth"
    elif months // 12 not in AGES:
        fix = f"that makes {months // 12} years: learners are {AGES[0]} to {AGES[-1]}"
    else:
        return
    sheet.fault(line.number, "birth_month", repr(birth_month), fix)


def _caregiver(sheet: Sheet, line: Line, today: date) -> tuple[ContactAddress | None, date | None]:
    has_address = bool(line.cells.get("caregiver_address"))
    has_date = bool(line.cells.get("agreed_on"))
    address = sheet.address(line, "caregiver_address") if has_address else None
    agreed_on = sheet.day(line, "agreed_on", today=today) if has_date else None
    if has_address and not has_date:
        fix = "write the day on which she agreed to be invited, or leave her address out"
        sheet.fault(line.number, "agreed_on", "nothing", fix)
    if has_date and not has_address:
        fix = "without her address nobody can be invited; the JOIN code works all the same"
        sheet.warn(line.number, "caregiver_address", "nothing", fix)
    return address, agreed_on if address else None


def _check_numbers(sheet: Sheet, rows: Sequence[RosterRow]) -> None:
    first: dict[tuple[tuple[str, str, str], int], int] = {}
    for row in rows:
        line = first.setdefault((row.group, row.number), row.line)
        if line != row.line:
            fix = f"grade {row.grade} {row.class_name} has this number in line {line} already"
            sheet.fault(row.line, "number", repr(row.number), fix)


def _check_spelling(sheet: Sheet, rows: Sequence[RosterRow]) -> None:
    first: dict[str, str] = {}
    for row in rows:
        spelt = first.setdefault(row.school.casefold(), row.school)
        if spelt != row.school:
            sheet.fault(row.line, "school", repr(row.school), f"spell it {spelt!r}, as above")


def _check_teachers(sheet: Sheet, rows: Sequence[RosterRow]) -> None:
    found: dict[tuple[str, str, str], ContactAddress] = {}
    for row in rows:
        if row.teacher is not None and found.setdefault(row.group, row.teacher) != row.teacher:
            fix = f"this class has the teacher {found[row.group]} above; a class has one"
            sheet.fault(row.line, "teacher_address", str(row.teacher), fix)
    missing = {row.group: row.line for row in reversed(rows) if row.group not in found}
    for (_, grade, class_name), line in missing.items():
        fix = f"nobody will be asked about the learners of grade {grade} {class_name}"
        sheet.warn(line, "teacher_address", "nothing", fix)
