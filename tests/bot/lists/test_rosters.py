import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from bot.lists.rosters import RosterReport, import_roster
from bot.lists.sheets import ImportRefusedError
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    assignments,
    audit,
    children,
    classes,
    join_codes,
    metadata,
    persons,
    schools,
    waves,
)

HEADER = (
    "school,grade,class,number,sex,birth_month,teacher_address,name,caregiver_address,agreed_on"
)
TEACHER = "whatsapp:+27821234567"
ROSTER = "\n".join(
    [
        HEADER,
        f"Umthombo Primary,1,A,1,f,2019-03,{TEACHER},,,",
        f"Umthombo Primary,1,A,2,m,2018-11,{TEACHER},Sipho,083 123 4567,2026-01-20",
        f"Umthombo Primary,1,B,1,m,2019-01,{TEACHER},,,",
        "Zamani Primary,R,A,1,f,2020-01,telegram:99,,,",
    ]
)
ACCOUNTS = {"sms": "+27110000001", "whatsapp": "+27110000002", "telegram": "bot1"}

Import = Callable[..., RosterReport]


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database.open(sqlite_url)
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def bring(database: Database, now: datetime, vault: Vault) -> Import:
    """Import a list."""

    def run(text: str = ROSTER, **changes: Any) -> RosterReport:
        options = {"file": "roster.csv", "now": now, "accounts": ACCOUNTS, "programme": "P"}
        return database.write_sync(
            lambda conn: import_roster(conn, text, vault=vault, **{**options, **changes})
        )

    return run


def _all(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    return database.write_sync(lambda conn: [tuple(r) for r in conn.execute(select(*columns))])


def _everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    def work(conn: Connection) -> dict[str, list[tuple[Any, ...]]]:
        return {
            table.name: sorted(tuple(map(repr, row)) for row in conn.execute(select(table)))
            for table in metadata.sorted_tables
        }

    return database.write_sync(work)


def test_a_list_makes_schools_classes_children_and_teachers(
    bring: Import, database: Database
) -> None:
    report = bring()
    assert (report.classes, report.added, report.teachers, report.invited) == (3, 4, 2, 1)
    assert {name for (name,) in _all(database, schools.c.name)} == {
        "Umthombo Primary", "Zamani Primary",
    }  # fmt: skip
    found = _all(database, children.c.list_number, children.c.sex, children.c.birth_month)
    assert sorted(found) == [
        (1, "f", "2019-03"), (1, "f", "2020-01"), (1, "m", "2019-01"), (2, "m", "2018-11"),
    ]  # fmt: skip
    kinds = [kind for (kind,) in _all(database, persons.c.kind)]
    assert sorted(kinds) == ["caregiver", "teacher", "teacher"]
    assert _all(database, waves.c.number) == [(1,)]


def test_one_teacher_of_two_classes_is_one_person(bring: Import, database: Database) -> None:
    bring()
    taught = _all(database, classes.c.grade, classes.c.name, classes.c.teacher_id)
    by_class = {(grade, name): teacher for grade, name, teacher in taught}
    assert by_class[("1", "A")] == by_class[("1", "B")]
    assert by_class[("R", "A")] != by_class[("1", "A")]


def test_a_class_without_a_teacher_is_imported_with_a_warning(
    bring: Import, database: Database
) -> None:
    report = bring(ROSTER.replace("telegram:99", ""))
    assert (report.added, report.teachers) == (4, 1)
    assert [problem.column for problem in report.warnings] == ["name", "teacher_address"]
    taught = _all(database, classes.c.grade, classes.c.teacher_id)
    assert ("R", None) in taught


def test_every_child_gets_a_code_for_the_letter_home(bring: Import, database: Database) -> None:
    codes = bring().codes
    assert [(each.school, each.grade, each.class_name, each.number) for each in codes] == [
        ("Umthombo Primary", "1", "A", 1),
        ("Umthombo Primary", "1", "A", 2),
        ("Umthombo Primary", "1", "B", 1),
        ("Zamani Primary", "R", "A", 1),
    ]
    assert len({each.code for each in codes}) == 4
    stored = str(_everything(database))
    assert not [each.code for each in codes if each.code in stored]


def test_a_second_import_changes_nothing(bring: Import, database: Database, now: datetime) -> None:
    bring()
    before = _everything(database)
    report = bring(now=now + timedelta(days=3))
    assert (report.added, report.corrected, report.unchanged) == (0, 0, 4)
    assert (report.teachers, report.invited, report.codes) == (0, 0, ())
    assert _everything(database) == before


def test_a_claimed_code_stays_and_an_expired_one_is_renewed(
    bring: Import, database: Database, now: datetime
) -> None:
    bring()
    database.write_sync(
        lambda conn: (
            conn.execute(
                update(join_codes)
                .where(join_codes.c.id == select(func.min(join_codes.c.id)).scalar_subquery())
                .values(claimed_at=now)
            )
            and None
        )
    )
    assert len(bring(now=now + timedelta(days=100)).codes) == 3


def test_a_corrected_list_puts_right_and_adds(bring: Import, database: Database) -> None:
    bring()
    text = ROSTER.replace("1,f,2019-03", "1,f,2019-04") + "\nZamani Primary,R,A,2,m,2020-02,,,,"
    report = bring(text)
    assert (report.added, report.corrected, report.unchanged) == (1, 1, 3)
    assert len(report.codes) == 1
    assert ("2019-04",) in _all(database, children.c.birth_month)


def test_children_do_not_leave_by_being_missing(bring: Import, database: Database) -> None:
    bring()
    bring("\n".join(ROSTER.splitlines()[:2]))
    assert len(_all(database, children.c.id)) == 4
    assert _all(database, children.c.left_at) == [(None,)] * 4


def test_a_caregiver_who_agreed_is_invited_for_her_child(bring: Import, database: Database) -> None:
    bring()
    ((key, child_id, person_id, form_id, state, reason),) = _all(
        database,
        assignments.c.key,
        assignments.c.child_id,
        assignments.c.person_id,
        assignments.c.form_id,
        assignments.c.state,
        assignments.c.reason,
    )
    assert key == f"enrolment:{child_id}:{person_id}"
    assert (form_id, state, reason) == ("enrolment", "due", "staff_entry")
    households = dict(_all(database, children.c.id, children.c.household_id))
    carers = dict(_all(database, persons.c.id, persons.c.household_id))
    assert carers[person_id] == households[child_id]


def test_no_name_of_a_child_enters(bring: Import, database: Database) -> None:
    report = bring()
    assert [problem.column for problem in report.warnings] == ["name"]
    assert _all(database, children.c.name) == [(None,)] * 4
    assert "Sipho" not in str(_everything(database))


def test_addresses_belong_to_our_side_of_their_channel(
    bring: Import, database: Database, vault: Vault
) -> None:
    bring()
    rows = _all(
        database, addresses.c.id, addresses.c.channel, addresses.c.account, addresses.c.value
    )
    opened = {
        (channel, account, vault.open(value, table="addresses", column="value", row=row))
        for row, channel, account, value in rows
    }
    assert opened == {
        ("whatsapp", "+27110000002", "+27821234567"),
        ("sms", "+27110000001", "+27831234567"),
        ("telegram", "bot1", "99"),
    }


def test_a_file_with_faults_changes_nothing(bring: Import, database: Database) -> None:
    before = _everything(database)
    with pytest.raises(ImportRefusedError) as caught:
        bring(ROSTER.replace(",f,", ",x,"))
    assert [problem.line for problem in caught.value.problems if not problem.warning] == [2, 5]
    assert _everything(database) == before


def test_a_channel_that_is_not_set_up_is_refused(bring: Import) -> None:
    with pytest.raises(ImportRefusedError, match="set up telegram first"):
        bring(accounts={"sms": "+1", "whatsapp": "+2"})


def test_an_import_is_on_record(bring: Import, database: Database) -> None:
    bring()
    found = _all(database, audit.c.verb, audit.c.object_kind, audit.c.actor_kind, audit.c.purpose)
    assert found == [("imported", "classes", "system", "import_roster")] * 3
