"""Whom to invite."""

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, update

from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import addresses, assignments, sessions, timers
from storage.talk.inviting import AGAIN, to_invite, to_remind
from tests.storage.rows import School


def invited(conn: Connection, now: datetime, vault: Vault) -> tuple[School, str, str, str]:
    school = School(conn=conn, vault=vault, now=now)
    child = school.child(1)
    person = school.person(household=child.household_id)
    at = school.reached_at(person, "+2782")
    given = school.assignment(person, "enrolment", child_id=child.id)
    assert to_invite(conn, limit=9) == []
    school.agreed(child, person, purpose="contact", granted=False)
    assert to_invite(conn, limit=9) == []
    school.agreed(child, person, purpose="contact")
    return school, person, at, given


async def test_somebody_staff_entered_is_invited_once_on_one_address(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school, person, at, given = invited(conn, now, vault)
        other = school.reached_at(person, "+2783", "whatsapp")
        (found,) = to_invite(conn, limit=9)
        assert (found.assignment_id, found.person_id) == (given, person)
        assert found.address_id == min(at, other)
        assert (found.school, found.language) == ("North", "en")
        school.put(
            timers,
            key=f"invite:{given}",
            kind="invite",
            ref=given,
            due_at=now,
            data={},
            state="done",
        )
        assert to_invite(conn, limit=9) == []

    await database.write(work)


@pytest.mark.parametrize("why", ["opted_out", "bad", "done", "not enrolment", "no address"])
async def test_others_are_not(database: Database, now: datetime, vault: Vault, why: str) -> None:
    def work(conn: Connection) -> None:
        school, _, at, given = invited(conn, now, vault)
        assert len(to_invite(conn, limit=9)) == 1
        this = update(addresses).where(addresses.c.id == at)
        that = update(assignments).where(assignments.c.id == given)
        conn.execute(
            {
                "opted_out": this.values(opted_out_at=now),
                "bad": this.values(bad_at=now),
                "no address": this.values(person_id=None),
                "done": that.values(state="done"),
                "not enrolment": that.values(form_id="caregiver"),
            }[why]
        )
        assert to_invite(conn, limit=9) == []
        assert school.id

    await database.write(work)


async def test_nobody_is_interrupted_in_the_middle_of_a_questionnaire(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school, person, at, _ = invited(conn, now, vault)
        elsewhere = school.stranger("+2789")
        hers = school.session(elsewhere, person_id=person)
        assert to_invite(conn, limit=9) == []
        conn.execute(update(sessions).where(sessions.c.id == hers).values(status="completed"))
        assert len(to_invite(conn, limit=9)) == 1
        school.session(at)
        assert to_invite(conn, limit=9) == []

    await database.write(work)


class Case(NamedTuple):
    """What became of an invitation, and whether a reminder follows."""

    state: str = "done"
    again: bool = False
    opted_out: bool = False
    reminded: bool = False


@pytest.mark.parametrize(
    "case",
    [
        Case(reminded=True),
        Case(state="skipped"),
        Case(again=True),
        Case(opted_out=True),
    ],
)
async def test_one_reminder_follows_an_invitation_that_went_out(
    database: Database, now: datetime, vault: Vault, case: Case
) -> None:
    def work(conn: Connection) -> None:
        school, _, at, given = invited(conn, now, vault)
        row = {"kind": "invite", "ref": given, "due_at": now, "data": {}, "done_at": now}
        assert to_remind(conn, before=now, limit=9) == []
        school.put(timers, key=f"invite:{given}", state=case.state, **row)
        if case.again:
            school.put(timers, key=f"invite:{given}{AGAIN}", state="done", **row)
        if case.opted_out:
            conn.execute(update(addresses).where(addresses.c.id == at).values(opted_out_at=now))
        assert to_remind(conn, before=now - timedelta(seconds=1), limit=9) == []
        found = to_remind(conn, before=now, limit=9)
        assert [f.assignment_id for f in found] == ([given] if case.reminded else [])
        assert to_invite(conn, limit=9) == []

    await database.write(work)
