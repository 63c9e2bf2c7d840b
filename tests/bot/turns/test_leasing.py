"""A reply is leased in the commit that makes it; the line of an address is kept."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from bot.turns.batch import Done, Work, run
from bot.turns.desk import Letter
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import outbox
from storage.talk.outbox import LEASE, Outcome, claim
from tests.bot.turns.crowd import Pair, Pen, make_world, pairs

FREE = 10


async def begun(database: Database, pen: Pen) -> Pair:
    """A caregiver in the middle of a questionnaire, with nothing on its way to her."""

    def work(conn: Connection) -> Pair:
        (pair,) = pairs(conn, pen, 1)
        conn.execute(outbox.update().values(state="accepted", final_at=pen.now))
        return pair

    return await database.write(work)


async def turn(database: Database, pen: Pen, *letters: Letter, most: int = FREE) -> Done:
    work = Work(letters=letters, claim=most, me="w1")
    return await database.write(lambda c: run(c, work, world=pen.world, now=pen.now))


async def rows(database: Database, state: str) -> list[str]:
    found = select(outbox.c.id).where(outbox.c.state == state).order_by(outbox.c.seq)
    return await database.read(lambda c: list(c.execute(found).scalars()))


async def test_a_reply_goes_with_the_commit_that_makes_it(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair = await begun(database, pen)
    done = await turn(database, pen, pen.letter("sms", pair.caregiver, "4 4 4"))
    (reply,) = done.claimed
    (row,) = await database.read(
        lambda c: c.execute(select(outbox).where(outbox.c.id == reply.id)).all()
    )
    assert (row.state, row.lease_owner, row.fence, row.attempts) == ("sending", "w1", 1, 1)
    assert row.lease_until == now + LEASE
    assert (row.body, row.fence, row.address_id) == (reply.body, reply.fence, reply.address_id)
    assert reply.last_inbound_at == now
    opened = vault.open(reply.value, table="addresses", column="value", row=reply.address_id)
    assert opened == pair.caregiver


async def test_nobody_claims_it_a_second_time_until_the_lease_is_over(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair = await begun(database, pen)
    await turn(database, pen, pen.letter("sms", pair.caregiver, "4 4 4"))
    assert await database.write(lambda c: claim(c, me="w2", now=now, most=FREE)) == ([], [])


async def test_behind_something_on_its_way_a_reply_waits(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair = await begun(database, pen)
    first = await turn(database, pen, pen.letter("sms", pair.caregiver, "4 4 4"))
    pen.now = now + timedelta(seconds=1)
    second = await turn(database, pen, pen.letter("sms", pair.caregiver, "1 1 1"))
    assert len(first.claimed) == 1
    assert second.claimed == []
    waiting = await rows(database, "queued")
    assert len(waiting) == 1
    note = Outcome(id=first.claimed[0].id, fence=1, state="accepted", provider_id="SM1")
    work = Work(outcomes=[note], claim=FREE, me="w1")
    third = await database.write(lambda c: run(c, work, world=pen.world, now=pen.now))
    assert [message.id for message in third.claimed] == waiting


async def test_two_messages_in_one_batch_are_answered_one_after_the_other(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair = await begun(database, pen)
    letters = [pen.letter("sms", pair.caregiver, text) for text in ("4 4 4", "1 1 1")]
    done = await turn(database, pen, *letters)
    assert len(done.claimed) == 1
    assert len(await rows(database, "queued")) == 1


async def test_no_more_are_leased_than_there_is_room_for(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair = await begun(database, pen)
    letter = pen.letter("sms", pair.caregiver, "4 4 4")
    done = await turn(database, pen, letter, most=0)
    assert done.claimed == []
    assert len(await rows(database, "queued")) == 1
