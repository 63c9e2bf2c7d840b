"""Calls that were not taken, as the database knows them."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import addresses, tasks, timers
from storage.talk.calling import caller_at, listed_until, written_back
from tests.storage.rows import School


async def test_only_calls_that_were_answered_count(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        here, there = school.stranger("+2782"), school.stranger("+2783")
        rows = [
            ("a", here, "call", "done", timedelta()),
            ("b", here, "call", "skipped", timedelta()),
            ("c", here, "invite", "done", timedelta()),
            ("d", there, "call", "done", timedelta()),
            ("e", here, "call", "done", timedelta(hours=2)),
            ("f", here, "call", "done", timedelta(minutes=20)),
        ]
        for key, ref, kind, state, ago in rows:
            school.put(
                timers,
                key=key,
                kind=kind,
                ref=ref,
                due_at=now,
                data={},
                state=state,
                done_at=now - ago,
            )
        found = written_back(conn, here, since=now - timedelta(hours=1))
        assert found == [now - timedelta(minutes=20), now]

    await database.write(work)


async def test_somebody_is_known_by_her_number_on_another_channel(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        person = school.person(household=school.child(1).household_id)
        at = school.reached_at(person, "+2782", "whatsapp")
        row = conn.execute(addresses.select().where(addresses.c.id == at)).one()
        asked = {"channel": "whatsapp", "account": row.account}
        found = caller_at(conn, blinds=[row.blind, None], **asked)
        assert found is not None
        assert (found.person_id, found.opted_out) == (person, False)
        conn.execute(update(addresses).values(opted_out_at=now))
        again = caller_at(conn, blinds=[row.blind], **asked)
        assert again is not None
        assert again.opted_out
        assert caller_at(conn, blinds=["0" * 32], **asked) is None
        assert caller_at(conn, channel="sms", account=row.account, blinds=[row.blind]) is None

    await database.write(work)


async def test_who_is_on_the_list_is_there_until_somebody_called(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        her, other = school.person(), school.person()
        later = now + timedelta(days=5)
        assert listed_until(conn, her, "call_me") is None
        for key, kind, due in (("a", "call_me", later), ("b", "inbox", now)):
            school.put(
                tasks,
                id=school.new_id(),
                key=key,
                kind=kind,
                person_id=her,
                state="open",
                opened_at=now,
                due_at=due,
            )
        assert listed_until(conn, her, "call_me") == later
        assert listed_until(conn, other, "call_me") is None
        conn.execute(update(tasks).values(state="done"))
        assert listed_until(conn, her, "call_me") is None

    await database.write(work)
