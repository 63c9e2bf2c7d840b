"""Reminders that somebody asked for by LATER."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import timers
from storage.talk.nudging import key_of
from storage.talk.pausing import due_pauses, pause, postpone, settle
from tests.storage.rows import School

HOUR = timedelta(hours=1)


def asked(school: School, number: int, *, hours: int, status: str = "open") -> str:
    """A session that was put off, its reminder due in so many hours."""
    session = school.session(school.stranger(f"+2782{hours}{status}"), status=status)
    row = pause(
        session,
        key_of(session, number),
        since=school.now,
        due_at=school.now + hours * HOUR,
    )
    school.put(timers, **row)
    return session


async def test_what_is_due_comes_with_its_session_while_that_is_open(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        second, first = asked(school, 2, hours=-1), asked(school, 1, hours=-2)
        asked(school, 1, hours=1)
        gone = asked(school, 1, hours=-3, status="completed")
        found = due_pauses(conn, now, limit=9)
        assert [p.key for p in found] == [key_of(gone, 1), key_of(first, 1), key_of(second, 2)]
        assert [p.number for p in found] == [1, 1, 2]
        assert [p.session.id if p.session else "" for p in found] == ["", first, second]
        assert {p.since for p in found} == {now}
        assert len(due_pauses(conn, now, limit=1)) == 1

    await database.write(work)


async def test_a_reminder_waits_or_is_over(database: Database, now: datetime, vault: Vault) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        waits, sent, left = (asked(school, 1, hours=h) for h in (-1, -2, -3))
        postpone(conn, key_of(waits, 1), now + HOUR)
        settle(conn, key_of(sent, 1), reason="", now=now)
        settle(conn, key_of(left, 1), reason="opted_out", now=now)
        assert due_pauses(conn, now, limit=9) == []
        found = conn.execute(select(timers.c.ref, timers.c.state, timers.c.reason)).all()
        assert {tuple(row) for row in found} == {
            (waits, "due", None),
            (sent, "done", None),
            (left, "skipped", "opted_out"),
        }

    await database.write(work)
