"""Class lists: making programme, school, class, children and teachers from them.

A list can be imported again and again: what stands already stays, what was corrected is put right,
and a child that is new is added. Children never leave by being missing from a list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.consent.consents import agree_to_contact
from bot.lists.roster_files import RosterRow, parse_roster
from bot.lists.sheets import ContactAddress, ImportRefusedError, Problem
from flows.messages import ChannelName
from storage.families.learners import (
    Learner,
    NewChild,
    add_children,
    correct_child,
    invite_caregiver,
    issue_join_codes,
    learners,
)
from storage.families.people import (
    ensure_class,
    ensure_person,
    ensure_programme,
    ensure_school,
    ensure_wave,
    set_teacher,
)
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.scope import system
from storage.trail import audit

SCOPE = system("import_roster")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedCode:
    """A JOIN code for the letter to a child's home; shown once, kept nowhere."""

    school: str
    grade: str
    class_name: str
    number: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterReport:
    """What an import did.

    Attributes:
        classes: How many classes the list has.
        added: Children added.
        corrected: Children whose sex or birth month was put right.
        unchanged: Children that stood as they are.
        teachers: Teachers added.
        invited: Caregivers who will be invited.
        codes: JOIN codes to print now.
        warnings: What to know about.
    """

    classes: int = 0
    added: int = 0
    corrected: int = 0
    unchanged: int = 0
    teachers: int = 0
    invited: int = 0
    codes: tuple[PrintedCode, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What every row of one import has in common."""

    conn: Connection
    now: datetime
    vault: Vault
    accounts: Mapping[ChannelName, str]
    language: str
    programme_id: str
    wave_id: str


@dataclass(slots=True)
class _Done:
    """What was done so far."""

    added: int = 0
    corrected: int = 0
    unchanged: int = 0
    teachers: int = 0
    invited: int = 0


def import_roster(
    conn: Connection,
    text: str,
    *,
    file: str,
    now: datetime,
    vault: Vault,
    accounts: Mapping[ChannelName, str],
    programme: str,
    wave: int = 1,
    language: str = "en",
) -> RosterReport:
    """Read a class list and make what is in it, in the caller's transaction.

    Args:
        conn: Open transaction.
        text: The CSV.
        file: Its name, for the problems.
        now: Aware, UTC.
        vault: Seals addresses, blinds codes.
        accounts: Our own side of each channel that is set up.
        programme: Name of the programme.
        wave: Number of the wave that caregivers are invited to.
        language: Tag of the language that people are first spoken to in.

    Raises:
        ImportRefusedError: The file has faults, all of them listed; nothing was changed.
    """
    rows, problems = parse_roster(text, file, today=now.date(), channels=accounts)
    if any(not problem.warning for problem in problems):
        raise ImportRefusedError(problems)
    return apply_roster(
        conn,
        rows,
        now=now,
        vault=vault,
        accounts=accounts,
        programme=programme,
        wave=wave,
        language=language,
        warnings=problems,
    )


def apply_roster(
    conn: Connection,
    rows: Sequence[RosterRow],
    *,
    now: datetime,
    vault: Vault,
    accounts: Mapping[ChannelName, str],
    programme: str,
    wave: int = 1,
    language: str = "en",
    warnings: Iterable[Problem] = (),
) -> RosterReport:
    """Make what the rows say, in the caller's transaction; a second time changes nothing.

    The arguments are those of `import_roster`; `warnings` are handed on in the report.
    """
    programme_id = ensure_programme(conn, name=programme, now=now)
    place = _Place(
        conn=conn,
        now=now,
        vault=vault,
        accounts=accounts,
        language=language,
        programme_id=programme_id,
        wave_id=ensure_wave(conn, programme_id=programme_id, number=wave, opens_at=now, now=now),
    )
    groups: dict[tuple[str, str, str], list[RosterRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    done = _Done()
    codes = [code for group in groups.values() for code in _import_class(place, group, done)]
    return RosterReport(
        classes=len(groups),
        added=done.added,
        corrected=done.corrected,
        unchanged=done.unchanged,
        teachers=done.teachers,
        invited=done.invited,
        codes=tuple(codes),
        warnings=tuple(warnings),
    )


def _import_class(place: _Place, rows: Sequence[RosterRow], done: _Done) -> list[PrintedCode]:
    school, grade, class_name = rows[0].group
    conn, now = place.conn, place.now
    school_id = ensure_school(conn, programme_id=place.programme_id, name=school, now=now)
    class_id = ensure_class(conn, school_id=school_id, grade=grade, name=class_name, now=now)
    changed = _teach(place, school_id, class_id, rows, done)
    before = done.added + done.corrected
    by_number = _children(place, school_id, class_id, rows, done)
    changed |= done.added + done.corrected > before
    asked = [by_number[row.number].household_id for row in rows if row.caregiver is not None]
    place.vault.ensure(asked)  # one commit of the key store a class, not one a child
    for row in rows:
        if row.caregiver is not None:
            changed |= _invite(place, school_id, by_number[row.number], row, done)
    ids = {child.id: number for number, child in by_number.items()}
    codes = issue_join_codes(conn, ids, vault=place.vault, now=now)
    if changed or codes:
        entry = audit.row(
            SCOPE, "imported", "classes", class_id, id=new_id(now), at=now, school_id=school_id
        )
        audit.record(conn, [entry])
    return sorted(
        (
            PrintedCode(
                school=school, grade=grade, class_name=class_name, number=ids[child_id], code=code
            )
            for child_id, code in codes.items()
        ),
        key=lambda printed: printed.number,
    )


def _children(
    place: _Place, school_id: str, class_id: str, rows: Sequence[RosterRow], done: _Done
) -> dict[int, Learner]:
    """The children of these rows by list number, added or put right where needed."""
    stand = {child.list_number: child for child in learners(place.conn, SCOPE, class_id=class_id)}
    new = []
    for row in rows:
        child = stand.get(row.number)
        if child is None:
            new.append(NewChild(list_number=row.number, sex=row.sex, birth_month=row.birth_month))
        elif (child.sex, child.birth_month) == (row.sex, row.birth_month):
            done.unchanged += 1
        else:
            correct_child(place.conn, child.id, sex=row.sex, birth_month=row.birth_month)
            done.corrected += 1
    added = add_children(
        place.conn,
        new,
        programme_id=place.programme_id,
        school_id=school_id,
        class_id=class_id,
        now=place.now,
    )
    done.added += len(added)
    stand |= {child.list_number: child for child in added}
    return {row.number: stand[row.number] for row in rows}


def _teach(
    place: _Place, school_id: str, class_id: str, rows: Sequence[RosterRow], done: _Done
) -> bool:
    """Make the class's teacher; whether anything changed."""
    address = next((row.teacher for row in rows if row.teacher is not None), None)
    if address is None:
        return False
    person_id, is_new = _person(place, address, kind="teacher", school_id=school_id)
    done.teachers += is_new
    return set_teacher(place.conn, class_id, person_id)


def _invite(place: _Place, school_id: str, child: Learner, row: RosterRow, done: _Done) -> bool:
    """Have a caregiver invited for a child, who agreed to that on paper; whether that is new."""
    if row.caregiver is None:
        return False
    person_id, _ = _person(
        place, row.caregiver, kind="caregiver", school_id=school_id, household_id=child.household_id
    )
    is_new = invite_caregiver(
        place.conn,
        child_id=child.id,
        person_id=person_id,
        wave_id=place.wave_id,
        now=place.now,
    )
    if is_new and row.agreed_on is not None:
        agree_to_contact(
            place.conn,
            child_id=child.id,
            household_id=child.household_id,
            person_id=person_id,
            language=place.language,
            on=row.agreed_on,
            witness=row.witness,
            vault=place.vault,
            accounts=place.accounts,
            now=place.now,
        )
    done.invited += is_new
    return is_new


def _person(
    place: _Place,
    address: ContactAddress,
    *,
    kind: str,
    school_id: str,
    household_id: str | None = None,
) -> tuple[str, bool]:
    """Who answers at an address, and whether she had to be added."""
    return ensure_person(
        place.conn,
        SCOPE,
        channel=address.channel,
        account=place.accounts[address.channel],
        value=address.value,
        kind=kind,
        programme_id=place.programme_id,
        school_id=school_id,
        household_id=household_id,
        language=place.language,
        now=place.now,
        vault=place.vault,
    )
