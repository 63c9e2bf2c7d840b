"""Who is buzzed for an alert is a rule of the table, asked for each role and school."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from bot.care.recipients import on_call, told_roles
from bot.policy import Policy, read_policy, shipped
from storage.database import Database
from storage.families import people
from storage.keyring.vault import Vault
from tests.storage.conftest import database, database_url
from tests.storage.rows import School

__all__ = ["database", "database_url"]

TABLE = """
roles:
  coordinator: {what: c, sees: child, reach: named}
  nurse: {what: n, sees: codes, reach: named}
  clerk: {what: k, sees: nothing, reach: none}
chat:
  alerts: {shows: codes, other: %s, verbs: {told: [%s]}}
"""
STAFF_ROLES = ("coordinator", "social_worker", "nurse", "supervisor", "facilitator")


def table(told: str, other: str = "hide") -> Policy:
    return read_policy(TABLE % (other, told))


def member(school: School, role: str, value: str, *, at: str) -> str:
    person = school.person("staff")
    people.grant_role(school.conn, person_id=person, school_id=at, role=role, now=school.now)
    school.reached_at(person, value, "telegram")
    return person


def two_schools(conn: Connection, vault: Vault, now: datetime) -> tuple[School, str]:
    school = School(conn=conn, vault=vault, now=now)
    other = people.ensure_school(conn, programme_id=school.programme, name="South", now=now)
    return school, other


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("role", STAFF_ROLES)
async def test_the_shipped_rule_for_each_role_at_its_own_and_another_school(
    role: str, own: bool, database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        school, other = two_schools(conn, vault, now)
        person = member(school, role, "71", at=school.id if own else other)

        found = on_call(conn, shipped(), [school.id], now=now)

        told = own and role == "coordinator"
        assert [m.person_id for m in found[school.id]] == ([person] if told else [])

    await database.write(work)


async def test_another_table_tells_others(database: Database, vault: Vault, now: datetime) -> None:
    def work(conn: Connection) -> None:
        school, other = two_schools(conn, vault, now)
        sipho = member(school, "coordinator", "71", at=school.id)
        nurse = member(school, "nurse", "72", at=school.id)
        there = member(school, "nurse", "73", at=other)

        def told(policy: Policy) -> dict[str, list[str]]:
            found = on_call(conn, policy, [school.id, other], now=now)
            return {at: sorted(m.person_id for m in team) for at, team in found.items()}

        both = sorted([sipho, nurse])
        assert told(table("nurse")) == {school.id: [nurse], other: [there]}
        assert told(table("nurse, coordinator")) == {school.id: both, other: [there]}
        # A school that could be opened with a reason is no reason to be buzzed for it.
        assert told(table("nurse", "break_glass")) == {school.id: [nurse], other: [there]}

    await database.write(work)


async def test_somebody_with_two_roles_is_told_once_and_a_leaver_not_at_all(
    database: Database, vault: Vault, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        school, _ = two_schools(conn, vault, now)
        both = member(school, "coordinator", "71", at=school.id)
        people.grant_role(conn, person_id=both, school_id=school.id, role="nurse", now=now)
        policy = table("coordinator, nurse")

        assert [m.person_id for m in on_call(conn, policy, [school.id], now=now)[school.id]] == [
            both
        ]
        before = now - timedelta(days=1)
        assert on_call(conn, policy, [school.id], now=before) == {school.id: []}
        assert on_call(conn, policy, [], now=now) == {}

    await database.write(work)


def test_the_roles_of_a_rule() -> None:
    assert told_roles(table("coordinator, nurse")) == {"coordinator", "nurse"}
    assert told_roles(shipped(), "accept") == {"coordinator"}
