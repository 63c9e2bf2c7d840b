import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from bot.lists.sheets import ImportRefusedError
from bot.lists.staff_lists import StaffReport, import_staff
from storage.database import Database
from storage.families.people import staff
from storage.keyring.vault import Vault
from storage.schema import audit, person_roles, persons, schools
from storage.scope import system

STAFF = """name;role;school;address
Thandi Nkosi;coordinator;Umthombo Primary;telegram:77
;Social Worker;Umthombo Primary;082 123 4567
Thandi Nkosi;supervisor;Zamani Primary;telegram:77
"""
ACCOUNTS = {"sms": "+27110000001", "telegram": "bot1"}

Import = Callable[..., StaffReport]


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database.open(sqlite_url)
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def bring(database: Database, now: datetime, vault: Vault) -> Import:
    """Import a list."""

    def run(text: str = STAFF) -> StaffReport:
        return database.write_sync(
            lambda conn: import_staff(
                conn,
                text,
                file="staff.csv",
                now=now,
                vault=vault,
                accounts=ACCOUNTS,
                programme="P",
            )
        )

    return run


def _all(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    return database.write_sync(lambda conn: [tuple(r) for r in conn.execute(select(*columns))])


def test_everybody_gets_her_role_at_her_school(
    bring: Import, database: Database, vault: Vault, now: datetime
) -> None:
    report = bring()
    assert (report.added, report.granted, report.unchanged) == (2, 3, 0)
    assert sorted(role for (role,) in _all(database, person_roles.c.role)) == [
        "coordinator", "social_worker", "supervisor",
    ]  # fmt: skip
    ids = [school for (school,) in _all(database, schools.c.id)]
    (found,) = database.write_sync(
        lambda conn: staff(conn, ids, scope=system("test"), roles=["coordinator"], now=now)
    )
    assert [(each.channel, each.account) for each in found.addresses] == [("telegram", "bot1")]


def test_names_of_staff_are_sealed(bring: Import, database: Database, vault: Vault) -> None:
    bring()
    rows = _all(database, persons.c.id, persons.c.kind, persons.c.name)
    assert {kind for _, kind, _ in rows} == {"staff"}
    names = {
        name and vault.open(name, table="persons", column="name", row=row) for row, _, name in rows
    }
    assert names == {"Thandi Nkosi", None}


def test_a_second_import_changes_nothing(bring: Import, database: Database) -> None:
    bring()
    report = bring()
    assert (report.added, report.granted, report.unchanged) == (0, 0, 3)
    assert report.warnings == ()
    assert len(_all(database, audit.c.id)) == 3


def test_a_new_school_is_made_and_said(bring: Import) -> None:
    assert [(problem.line, problem.found) for problem in bring().warnings] == [
        (2, "'Umthombo Primary'"), (4, "'Zamani Primary'"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (";boss;S;telegram:1", "write coordinator, social_worker, nurse, supervisor or"),
        (";nurse;;telegram:1", "fill in the school"),
        (";nurse;S;", "phone number"),
        (";nurse;S;whatsapp:0821234567", "set up whatsapp first"),
        (f"{'x' * 101};nurse;S;telegram:1", "at most 100"),
    ],
)
def test_faults_are_listed_and_nothing_is_changed(
    bring: Import, database: Database, line: str, said: str
) -> None:
    with pytest.raises(ImportRefusedError, match=r"staff\.csv:5: ") as caught:
        bring(STAFF + line)
    assert said in str(caught.value)
    assert _all(database, persons.c.id) == []


def test_other_columns_are_refused(bring: Import) -> None:
    with pytest.raises(ImportRefusedError, match="did you mean address"):
        bring("role;school;adress\nnurse;S;telegram:1\n")
