"""Questions put off: their clocks, and how the questionnaire stands."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import timers
from storage.talk.later import (
    due_again,
    gates,
    key_of,
    note_word,
    postpone,
    session_row,
    settle,
    timer,
)
from tests.storage.rows import School

HOUR = timedelta(hours=1)


def waiting(school: School, number: int = 1, hours: int = -1) -> tuple[str, str]:
    """A session with a try that is due so many hours from now; (session, address)."""
    at = school.stranger(f"+2782{number}")
    session = school.session(at, status="completed")
    row = timer(
        session,
        number,
        address_id=at,
        since=school.now,
        due_at=school.now + hours * HOUR,
    )
    school.put(timers, **row)
    return session, at


async def test_what_is_due_is_found_the_oldest_first_with_its_session(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        later, _ = waiting(school, 2, hours=-1)
        earlier, at = waiting(school, 1, hours=-2)
        waiting(school, 3, hours=1)
        done, _ = waiting(school, 4)
        settle(conn, key_of(done, 4), state="done", reason=None, now=now)
        first, second = due_again(conn, now, limit=9)
        assert (first.session.id, first.session.status) == (earlier, "completed")
        assert (first.number, first.address_id, first.since) == (1, at, now)
        assert (second.session.id, second.number, second.reason) == (later, 2, None)
        assert len(due_again(conn, now, limit=1)) == 1

    await database.write(work)


async def test_a_try_waits_or_ends_and_keeps_her_word(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        session, _ = waiting(school, hours=-2)
        other, _ = waiting(school, 2)
        note_word(conn, session, "said_later")
        assert [d.reason for d in due_again(conn, now, limit=9)] == ["said_later", None]
        postpone(conn, key_of(session, 1), now + HOUR)
        assert [d.session.id for d in due_again(conn, now, limit=9)] == [other]
        settle(conn, key_of(session, 1), state="skipped", reason="not_asked_busy", now=now)
        note_word(conn, session, "said_later")
        row = conn.execute(select(timers).where(timers.c.ref == session)).one()
        assert (row.state, row.reason, row.done_at) == ("skipped", "not_asked_busy", now)

    await database.write(work)


async def test_the_newest_answer_at_the_gate_counts(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782")
        waits, went, taken = (school.session(at, status="completed") for _ in range(3))
        school.answer(waits, "alone", "wait", revision=1)
        school.answer(waits, "money", "yes", revision=2)
        school.answer(went, "alone", "wait", revision=1)
        school.answer(went, "alone", "yes", revision=3)
        school.answer(taken, "alone", "wait", revision=1)
        school.answer(taken, "alone", None, revision=2)
        found = gates(conn, [waits, went, taken], "alone")
        assert found == {waits: "wait", went: "yes"}
        assert gates(conn, [], "alone") == {}

    await database.write(work)


async def test_a_session_is_found_whatever_its_state(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        session, at = waiting(school)
        found = session_row(conn, session)
        assert found is not None
        assert (found.id, found.address_id, found.status) == (session, at, "completed")
        assert session_row(conn, "0" * 32) is None

    await database.write(work)
