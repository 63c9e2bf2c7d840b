"""Forgetting senders who never consented."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from storage.care.danger import note
from storage.database import Database
from storage.families.learners import issue_join_codes
from storage.keyring.vault import Vault
from storage.rights import purge
from storage.rights.purge import purge_strangers
from storage.schema import (
    addresses,
    answers,
    delivery_events,
    dialogs,
    events,
    inbox,
    inbox_seen,
    join_codes,
    metadata,
    outbox,
    sessions,
    tasks,
    timers,
)
from tests.storage.rows import ACCOUNT, School

WEEK = timedelta(days=7)


def visit(school: School, at: str) -> None:
    """Everything a stranger can leave behind on her way through enrolment."""
    conn, now = school.conn, school.now
    child = school.child(17)
    issue_join_codes(conn, [child.id], vault=school.vault, now=now)
    conn.execute(update(join_codes).values(claimed_by=at, claimed_at=now))
    session = school.session(at, form_id="enrolment", child_id=child.id)
    school.answer(session, "consent_help", "no", form_id="enrolment", informant="person")
    school.put(events, session_id=session, rev=1, kind="started", body=b"sealed", at=now)
    school.letter(at, "done")
    school.letter(at)
    message = school.message(at)
    school.put(
        delivery_events,
        id=school.new_id(),
        outbox_id=message,
        provider_id="SM1",
        raw="sent",
        error="",
        at=now,
        matched=True,
    )
    school.put(dialogs, address_id=at, body=b"sealed", at=now)
    school.put(
        timers,
        key=f"nudge:{session}:1",
        kind="nudge",
        ref=session,
        due_at=now,
        data={},
        state="done",
    )
    school.put(timers, **note(at, now))
    school.put(
        tasks,
        id=school.new_id(),
        key="poison",
        kind="poison",
        address_id=at,
        state="open",
        opened_at=now,
        due_at=now,
    )
    school.put(inbox_seen, channel="sms", account=ACCOUNT, digest="d")


HERS = (sessions, answers, events, inbox, outbox, delivery_events, dialogs, timers)


def mentions(conn: Connection, at: str) -> list[str]:
    """Tables in which an address still stands, by any column."""
    return [
        table.name
        for table in metadata.sorted_tables
        for row in conn.execute(select(table)).mappings()
        if at in map(str, row.values())
    ]


async def test_nothing_of_a_stranger_is_left_and_her_code_is_free(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782", heard=now - WEEK - timedelta(seconds=1))
        visit(school, at)
        assert len(mentions(conn, at)) > 5
        assert purge_strangers(conn, before=now - WEEK, now=now, vault=vault) == 1
        assert mentions(conn, at) == []
        assert [table.name for table in HERS if school.count(table)] == []
        code = conn.execute(select(join_codes)).one()
        assert (code.claimed_by, code.claimed_at) == (None, None)
        assert purge_strangers(conn, before=now - WEEK, now=now, vault=vault) == 0
        # The task stays for staff, without her; the provider's ids stay as keyed digests.
        assert conn.execute(select(tasks.c.address_id)).scalar_one() is None
        assert school.count(inbox_seen) == 1

    await database.write(work)


async def test_who_is_known_or_wrote_lately_stays(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        known = school.reached_at(school.person(), "+2781")
        conn.execute(
            update(addresses).values(created_at=now - 2 * WEEK, last_inbound_at=now - 2 * WEEK)
        )
        lately = school.stranger("+2783", heard=now - WEEK + timedelta(hours=1))
        visit(school, lately)
        assert purge_strangers(conn, before=now - WEEK, now=now, vault=vault) == 0
        assert set(conn.execute(select(addresses.c.id)).scalars()) == {known, lately}

    await database.write(work)


async def test_of_a_stranger_who_said_stop_only_that_is_kept(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782", heard=now - 2 * WEEK, opted_out_at=now - 2 * WEEK, stuck=1)
        visit(school, at)
        assert purge_strangers(conn, before=now - WEEK, now=now, vault=vault) == 1
        assert mentions(conn, at) == ["addresses"]
        row = conn.execute(select(addresses)).one()
        assert (row.opted_out_at, row.stuck) == (now - 2 * WEEK, 0)
        assert conn.execute(select(join_codes.c.claimed_by)).scalar_one() is None
        # Nor is she found again and again, before others.
        assert purge_strangers(conn, before=now - WEEK, now=now, vault=vault) == 0

    await database.write(work)


@pytest.mark.parametrize("extra", [3])
async def test_a_purge_takes_a_bounded_number_and_the_next_one_the_rest(
    database: Database, now: datetime, vault: Vault, extra: int
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        for number in range(purge.MOST + extra):
            school.stranger(f"+27{number}", heard=now - 2 * WEEK)
        assert purge_strangers(conn, before=now - WEEK, now=now, vault=vault) == purge.MOST
        assert purge_strangers(conn, before=now - WEEK, now=now, vault=vault) == extra

    await database.write(work)
