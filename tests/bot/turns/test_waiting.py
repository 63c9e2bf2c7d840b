"""Stored messages whose handling raised: tried again by one worker, in order, then poison."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from bot.sending.envelopes import load_inbound
from bot.turns.batch import Work, park, run
from bot.turns.desk import Letter
from bot.turns.queue import TurnQueue
from bot.turns.waiting import TRIES, retry_one
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import addresses, inbox, outbox, sessions, tasks
from tests.bot.turns.crowd import Pair, Pen, make_world, pairs


async def parked(database: Database, pen: Pen, *texts: str) -> tuple[Pair, str]:
    """A caregiver whose messages wait; who she is, and the id of her address."""
    (pair,) = await database.write(lambda c: pairs(c, pen, 1))
    for text in texts:
        letter = pen.letter("sms", pair.caregiver, text)
        await database.write(lambda c, one=letter: park(c, one, world=pen.world, now=pen.now))
    blind = pen.letter("sms", pair.caregiver, "").blind
    her = select(addresses.c.id).where(addresses.c.blind == blind)
    return pair, await database.read(lambda c: str(c.execute(her).scalar_one()))


def states(conn: Connection) -> list[tuple[str, int]]:
    found = conn.execute(select(inbox.c.status, inbox.c.attempts).order_by(inbox.c.id))
    return [(row.status, row.attempts) for row in found]


def replies(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(outbox)).scalar_one())


def stuck(conn: Connection) -> int:
    return int(conn.execute(select(func.sum(addresses.c.stuck))).scalar_one())


async def test_what_waits_is_handled_in_order_once_the_fault_is_gone(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    _, at = await parked(database, pen, "4 4 4", "1 1 1")
    assert await database.read(stuck) == 2
    assert await retry_one(database, pen.world, at, lambda: now) == 2
    assert await database.read(states) == [("done", 0), ("done", 0)]
    assert await database.read(stuck) == 0
    assert await retry_one(database, pen.world, at, lambda: now) == 0


async def test_two_workers_that_retry_the_same_message_handle_it_once(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    await parked(database, pen, "4 4 4")
    before = await database.read(replies)
    row = await database.read(lambda c: c.execute(select(inbox)).one())
    text = vault.open(row.body, table="inbox", column="body", row=row.id)
    inbound = load_inbound(text)
    letter = Letter(
        inbound=inbound,
        blind=pen.letter("sms", inbound.address, "").blind,
        digest="",
        inbox_id=row.id,
        again=0,
    )
    start = threading.Barrier(2)

    def worker() -> None:
        start.wait(10)
        work = Work(letters=[letter], me="test")
        database.write_sync(lambda c: run(c, work, world=pen.world, now=now))

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert await database.read(replies) == before + 1
    assert await database.read(states) == [("done", 0)]
    assert await database.read(stuck) == 0


async def test_after_its_last_try_a_message_is_given_to_staff_and_she_is_told(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    _, at = await parked(database, pen, "4 4 4", "1 1 1")
    library = pen.world.library
    broken = replace(pen.world, library=replace(library, forms={}))
    before = await database.read(replies)
    for attempt in range(1, TRIES):
        assert await retry_one(database, broken, at, lambda: now) == 0
        # The second keeps its place behind the first.
        assert await database.read(states) == [("waiting", attempt), ("waiting", 0)]
    assert await retry_one(database, broken, at, lambda: now) == 1
    assert await database.read(states) == [("poison", TRIES), ("waiting", 1)]
    task = await database.read(lambda c: c.execute(select(tasks)).one())
    assert (task.kind, task.address_id, task.state) == ("poison", at, "open")
    assert await database.read(replies) == before + 1
    assert await database.read(stuck) == 1


async def test_a_message_that_does_not_open_ends_as_poison_too(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    _, at = await parked(database, pen, "4 4 4")
    await database.write(lambda c: c.execute(update(inbox).values(body=b"damaged")))
    for _ in range(TRIES):
        await retry_one(database, pen.world, at, lambda: now)
    assert await database.read(states) == [("poison", TRIES)]
    assert await database.read(lambda c: c.execute(select(tasks.c.kind)).scalar_one()) == "poison"


async def test_one_session_that_does_not_open_stops_nobody_else(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    first, second = await database.write(lambda c: pairs(c, pen, 2))
    theirs = select(sessions.c.id).where(
        sessions.c.child_id == first.child, sessions.c.form_id == "caregiver"
    )
    await database.write(
        lambda c: c.execute(
            update(sessions)
            .where(sessions.c.id == c.execute(theirs).scalar_one())
            .values(state=b"damaged")
        )
    )
    queue = TurnQueue(database, pen.world, clock=lambda: now, me="test")
    good, bad = (pen.letter("sms", p.caregiver, "4 4 4").inbound for p in (second, first))
    await asyncio.gather(queue.submit(bad), queue.submit(good))
    assert sorted(await database.read(states)) == [("done", 0), ("waiting", 0)]
