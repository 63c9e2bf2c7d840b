"""What providers still hold: planned once, claimed with a growing rest, ended or given up."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Row, select

from storage.database import Database
from storage.keyring.vault import Vault
from storage.rights.redaction import (
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    Backlog,
    Ending,
    Held,
    backlog,
    claim,
    hasten,
    mark_planned,
    note,
    plan,
    unplanned_letters,
    unplanned_sends,
    wait_after,
)
from storage.schema import inbox, outbox, redactions
from tests.storage.rows import School

DAY = timedelta(days=1)


def rows(conn: Connection) -> list[Row]:
    return list(conn.execute(select(redactions).order_by(redactions.c.id)))


def held(conn: Connection, id_: str, *, due_at: datetime, address: str = "a" * 32) -> None:
    plan(conn, inbox, [Held(id=id_, address_id=address, provider_id=f"SM{id_}")], due_at=due_at)


async def test_only_handled_letters_of_a_provider_that_forgets_are_planned(
    database: Database, vault: Vault, now: datetime
) -> None:
    def look(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at, other = school.stranger("+27820000001"), school.stranger("+27820000002")
        done, poison = school.letter(at, "done"), school.letter(at, "poison")
        school.letter(at, "waiting")
        school.letter(at, "done", channel="telegram")
        hers = school.letter(other, "done", body=None)
        assert [x.id for x in unplanned_letters(conn, most=9)] == sorted([done, poison, hers])
        assert [x.id for x in unplanned_letters(conn, most=9, address_ids=[other])] == [hers]
        assert unplanned_letters(conn, most=9, address_ids=[]) == []
        assert len(unplanned_letters(conn, most=1)) == 1
        plan(
            conn,
            inbox,
            [Held(id=done, address_id=at, provider_id="SM1", media=2)],
            due_at=now,
        )
        mark_planned(conn, inbox, [hers])
        assert [x.id for x in unplanned_letters(conn, most=9)] == [poison]
        (row,) = rows(conn)
        assert (row.provider_id, row.media, row.step, row.state) == ("SM1", 2, "redact", "due")

    await database.write(look)


async def test_only_final_messages_that_a_provider_took_are_planned(
    database: Database, vault: Vault, now: datetime
) -> None:
    def look(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+27820000001")
        chat = school.reached_at(school.person(), "77", channel="telegram")
        taken = {"state": "delivered", "final_at": now, "provider_id": "SM1", "body": None}
        row = school.message(at, **taken)
        school.message(at)
        school.message(at, state="dead", final_at=now, body=None)
        school.message(chat, **{**taken, "provider_id": "5"})
        (found,) = unplanned_sends(conn, most=9)
        assert (found.id, found.address_id, found.provider_id) == (row, at, "SM1")
        assert unplanned_sends(conn, most=9, address_ids=[chat]) == []
        plan(conn, outbox, [found], due_at=now)
        assert unplanned_sends(conn, most=9) == []

    await database.write(look)


async def test_a_claim_is_a_lease_that_grows(database: Database, now: datetime) -> None:
    def look(conn: Connection) -> None:
        held(conn, "1", due_at=now)
        held(conn, "2", due_at=now + DAY)
        (first,) = claim(conn, now=now, most=9)
        assert (first.id, first.attempts) == ("1", 1)
        assert claim(conn, now=now, most=9) == []
        again = now + wait_after(1)
        (second,) = claim(conn, now=again, most=9)
        assert second.attempts == 2
        assert claim(conn, now=again + wait_after(1), most=9) == []
        assert [r.due_at for r in rows(conn)] == [again + wait_after(2), now + DAY]

    await database.write(look)


def test_the_wait_doubles_and_ends_within_a_day_or_so() -> None:
    waits = [wait_after(n) for n in range(1, MAX_ATTEMPTS + 1)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert timedelta(hours=18) < sum(waits, timedelta()) < timedelta(hours=36)


async def test_what_is_done_is_gone_and_what_is_to_be_deleted_waits(
    database: Database, now: datetime
) -> None:
    def look(conn: Connection) -> None:
        for name in ("1", "2"):
            held(conn, name, due_at=now)
        claim(conn, now=now, most=9)
        assert note(conn, [Ending(id="1"), Ending(id="2", next_at=now + DAY)]) == 0
        (row,) = rows(conn)
        assert (row.id, row.step, row.attempts, row.due_at) == ("2", "delete", 0, now + DAY)
        (later,) = claim(conn, now=now + DAY, most=9)
        assert later.step == "delete"

    await database.write(look)


async def test_a_failure_is_tried_again_and_given_up_at_the_end(
    database: Database, now: datetime
) -> None:
    def look(conn: Connection) -> None:
        held(conn, "1", due_at=now)
        at = now
        for attempt in range(1, MAX_ATTEMPTS + 1):
            (row,) = claim(conn, now=at, most=9)
            given_up = note(conn, [Ending(id="1", error="rejected 400")])
            assert (row.attempts, given_up) == (attempt, int(attempt == MAX_ATTEMPTS))
            at += wait_after(attempt)
        assert claim(conn, now=at + 9 * DAY, most=9) == []
        (left,) = rows(conn)
        assert (left.state, left.error, left.provider_id) == ("given_up", "rejected 400", "SM1")
        assert backlog(conn, now=at) == Backlog(waiting=0, late=0, given_up=1, unplanned=0)

    await database.write(look)


async def test_slow_down_costs_no_attempt(database: Database, now: datetime) -> None:
    def look(conn: Connection) -> None:
        held(conn, "1", due_at=now)
        resting = now + timedelta(seconds=7)
        for _ in range(MAX_ATTEMPTS + 3):
            claim(conn, now=now + DAY, most=9)
            assert note(conn, [Ending(id="1", error="rate", retry_at=resting, counts=False)]) == 0
        (row,) = rows(conn)
        assert (row.state, row.attempts, row.due_at) == ("due", 0, resting)

    await database.write(look)


@pytest.mark.parametrize("given_up", [False, True])
async def test_an_erasure_hastens_everything_of_hers(
    database: Database, now: datetime, *, given_up: bool
) -> None:
    def look(conn: Connection) -> None:
        held(conn, "1", due_at=now + DAY, address="b" * 32)
        held(conn, "2", due_at=now + DAY)
        if given_up:
            conn.execute(redactions.update().values(state="given_up", attempts=MAX_ATTEMPTS))
        assert hasten(conn, ["b" * 32], now=now) == 1
        (row,) = claim(conn, now=now, most=9)
        assert (row.id, row.step, row.attempts) == ("1", "delete", 1)

    await database.write(look)


async def test_the_backlog_counts_what_is_late_and_what_was_never_planned(
    database: Database, vault: Vault, now: datetime
) -> None:
    def look(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+27820000001")
        school.letter(at, "done")
        school.message(at, state="sent", final_at=now, provider_id="SM1")
        held(conn, "1", due_at=now - 2 * DAY)
        held(conn, "2", due_at=now)
        assert backlog(conn, now=now) == Backlog(waiting=2, late=1, given_up=0, unplanned=2)

    await database.write(look)
