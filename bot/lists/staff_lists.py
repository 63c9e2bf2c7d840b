"""Lists of the people who help: coordinators, social workers, nurses, supervisors, facilitators."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.lists.roster_files import LONGEST_SCHOOL, check_channels
from bot.lists.sheets import ContactAddress, ImportRefusedError, Line, Problem, Sheet, read_sheet
from flows.messages import ChannelName
from storage.families.people import (
    ensure_person,
    ensure_programme,
    ensure_school,
    grant_role,
    school_names,
)
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.scope import system
from storage.trail import audit

REQUIRED = ("role", "school", "address")
OPTIONAL = ("name",)
ROLES = ("coordinator", "social_worker", "nurse", "supervisor", "facilitator")
LONGEST_NAME = 100
SCOPE = system("import_staff")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """One role of one person at one school; `name` is empty where none is given."""

    line: int
    name: str
    role: str
    school: str
    address: ContactAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffReport:
    """What an import did: people and roles that are new, and what to know about."""

    added: int = 0
    granted: int = 0
    unchanged: int = 0
    warnings: tuple[Problem, ...] = ()


def import_staff(
    conn: Connection,
    text: str,
    *,
    file: str,
    now: datetime,
    vault: Vault,
    accounts: Mapping[ChannelName, str],
    programme: str,
    language: str = "en",
) -> StaffReport:
    """Read a staff list and give everybody her role, in the caller's transaction.

    Args:
        conn: Open transaction.
        text: The CSV: columns role, school, address, optionally name.
        file: Its name, for the problems.
        now: Aware, UTC.
        vault: Seals names and addresses.
        accounts: Our own side of each channel that is set up.
        programme: Name of the programme.
        language: Tag of the language that people are first spoken to in.

    Raises:
        ImportRefusedError: The file has faults, all of them listed; nothing was changed.
    """
    rows, sheet = _parse(text, file, accounts)
    if any(not problem.warning for problem in sheet.problems):
        raise ImportRefusedError(sheet.problems)
    programme_id = ensure_programme(conn, name=programme, now=now)
    _warn_of_new_schools(sheet, rows, school_names(conn, SCOPE, programme_id=programme_id))
    added = granted = 0
    for row in rows:
        school_id = ensure_school(conn, programme_id=programme_id, name=row.school, now=now)
        person_id, is_new = ensure_person(
            conn,
            SCOPE,
            channel=row.address.channel,
            account=accounts[row.address.channel],
            value=row.address.value,
            kind="staff",
            programme_id=programme_id,
            school_id=school_id,
            language=language,
            name=row.name,
            now=now,
            vault=vault,
        )
        added += is_new
        if grant_role(conn, person_id=person_id, school_id=school_id, role=row.role, now=now):
            granted += 1
            entry = audit.row(
                SCOPE, "granted", "persons", person_id, id=new_id(now), at=now, school_id=school_id
            )
            audit.record(conn, [entry])
    return StaffReport(
        added=added,
        granted=granted,
        unchanged=len(rows) - granted,
        warnings=tuple(sheet.problems),
    )


def _parse(text: str, file: str, channels: Collection[ChannelName]) -> tuple[list[StaffRow], Sheet]:
    lines, sheet = read_sheet(text, file, required=REQUIRED, optional=OPTIONAL)
    if any(problem.line == 1 for problem in sheet.problems):
        return [], sheet
    rows = [row for line in lines if (row := _row(sheet, line, channels)) is not None]
    return rows, sheet


def _row(sheet: Sheet, line: Line, channels: Collection[ChannelName]) -> StaffRow | None:
    role = sheet.choice(line, "role", ROLES)
    school = sheet.text(line, "school", longest=LONGEST_SCHOOL)
    address = sheet.address(line, "address")
    name = " ".join(line.cells.get("name", "").split())
    if len(name) > LONGEST_NAME:
        sheet.fault(line.number, "name", f"{len(name)} characters", f"at most {LONGEST_NAME}")
    check_channels(sheet, line.number, (address,), channels)
    if role is None or school is None or address is None:
        return None
    return StaffRow(line=line.number, name=name, role=role, school=school, address=address)


def _warn_of_new_schools(sheet: Sheet, rows: Sequence[StaffRow], known: Collection[str]) -> None:
    seen = set(known)
    for row in rows:
        if row.school not in seen:
            seen.add(row.school)
            fix = "this school is new and was made: if it is misspelt, correct it and import again"
            sheet.warn(row.line, "school", repr(row.school), fix)
