"""Whom WhatsApp does not let us invite is somebody's task, once a person and wave."""

from datetime import datetime

import pytest
from sqlalchemy import Connection, select

from bot.care import invitations
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import outbox, tasks
from tests.bot.turns.crowd import make_world
from tests.storage.conftest import database, database_url
from tests.storage.rows import School
from tests.town import site

__all__ = ["database", "database_url"]


@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
async def test_one_task_for_her_and_none_where_the_invitation_goes(
    channel: str, database: Database, now: datetime, vault: Vault
) -> None:
    world = make_world(vault, site=site(templates={}))

    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        first, second = school.child(1), school.child(2)
        person = school.person(household=first.household_id)
        at = school.reached_at(person, "+27820000001", channel)
        for child in (first, second):
            school.assignment(person, "enrolment", child_id=child.id)
            school.agreed(child, person, purpose="contact")
        for _ in range(2):
            invitations.sweep(conn, world, now)
        found = conn.execute(select(tasks)).all()
        if channel == "sms":
            assert found == []
            return
        (task,) = found
        assert (task.kind, task.state, task.school_id) == ("not_invited", "open", school.id)
        assert (task.person_id, task.address_id) == (person, at)
        assert task.key == f"not_invited:{school.wave}:{person}"
        assert task.due_at > now
        assert conn.execute(select(outbox)).all() == []

    await database.write(work)


async def test_who_took_her_yes_back_is_nobodys_task(
    database: Database, now: datetime, vault: Vault
) -> None:
    world = make_world(vault, site=site(templates={}))

    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child = school.child(1)
        person = school.person(household=child.household_id)
        school.reached_at(person, "+27820000001", "whatsapp")
        school.assignment(person, "enrolment", child_id=child.id)
        school.agreed(child, person, purpose="contact")
        school.agreed(child, person, purpose="contact", granted=False, withdrawn_at=now)
        invitations.sweep(conn, world, now)
        assert conn.execute(select(tasks)).all() == []

    await database.write(work)
