"""Messages whose handling raised: tried again in order, then given to staff with a kind word."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError

from bot.sending.envelopes import load_inbound
from bot.turns.batch import Work, run
from bot.turns.desk import Desk, Letter, Sender
from bot.turns.judge import judge
from bot.turns.promising import helplines
from bot.turns.unread import worry
from bot.turns.world import World
from flows.crisis import typed_in_crisis
from flows.messages import Part, Phrase
from storage.database import Database
from storage.errors import SealBroken, StorageError
from storage.schema import addresses, inbox, tasks
from storage.talk.conversations import (
    lock_addresses_by_id,
    lock_persons,
    stuck_addresses,
    waiting_letters,
)

TRIES = 3
"""After the first failure, so often more; then it is poison."""
PAUSE = timedelta(seconds=20)
MOST = 50

log = structlog.get_logger(__name__)


def stuck(conn: Connection, now: datetime) -> list[str]:
    """Addresses that have something to try again now."""
    return stuck_addresses(conn, now, limit=MOST)


async def retry_one(
    database: Database, world: World, address_id: str, clock: Callable[[], datetime]
) -> int:
    """Try what waits at one address, oldest first, until one fails; returns rows settled."""
    count = 0
    for inbox_id, address, attempts, body in await database.read(
        lambda c: waiting_letters(c, [address_id])
    ):
        now = clock()
        try:
            letter = _letter(world, inbox_id, body, attempts)
            await database.write(partial(run, work=Work(letters=[letter]), world=world, now=now))
        except Exception as error:
            if isinstance(error, StorageError) and not isinstance(error, SealBroken):
                return count
            log.exception("retry_failed", attempts=attempts + 1)
            poisoned = await database.write(
                partial(
                    _failed,
                    world=world,
                    inbox_id=inbox_id,
                    address_id=address,
                    attempts=attempts + 1,
                    now=now,
                )
            )
            if not poisoned:
                return count
        count += 1
    return count


def _letter(world: World, inbox_id: str, body: bytes, attempts: int) -> Letter:
    text = world.vault.open(body, table="inbox", column="body", row=inbox_id)
    inbound = load_inbound(text)
    return Letter(
        inbound=inbound,
        blind=world.vault.blind_address(inbound.channel, inbound.account, inbound.address),
        digest="",
        inbox_id=inbox_id,
        again=attempts,
    )


def _failed(
    conn: Connection,
    *,
    world: World,
    inbox_id: str,
    address_id: str,
    attempts: int,
    now: datetime,
) -> bool:
    """Count a failed try; after the last one the row is poison, and later ones may pass."""
    if attempts < TRIES:
        conn.execute(
            update(inbox)
            .where(inbox.c.id == inbox_id)
            .values(attempts=attempts, retry_at=now + PAUSE * attempts)
        )
        return False
    conn.execute(
        update(inbox)
        .where(inbox.c.id == inbox_id)
        .values(status="poison", attempts=attempts, retry_at=None, done_at=now)
    )
    conn.execute(
        update(addresses).where(addresses.c.id == address_id).values(stuck=addresses.c.stuck - 1)
    )
    _tell(conn, world, inbox_id, address_id, now)
    return True


def _tell(conn: Connection, world: World, inbox_id: str, address_id: str, now: datetime) -> None:
    """A task for staff, and a neutral word to her: nobody is left without an answer.

    Where the message may have needed a person at once, an alert as well, in the same commit.
    """
    desk = Desk(conn=conn, world=world, now=now)
    (address,) = lock_addresses_by_id(conn, [address_id]).values()
    person = lock_persons(conn, {address.person_id} if address.person_id else set())
    desk.persons = person
    desk.writes.offer(
        tasks,
        id=desk.new_id(),
        key=f"poison:{inbox_id}",
        kind="poison",
        school_id=next((p.school_id for p in person.values()), None),
        child_id=None,
        person_id=address.person_id,
        address_id=address.id,
        owner_id=None,
        ref=inbox_id,
        state="open",
        opened_at=now,
        due_at=now,
        closed_at=None,
    )
    body = conn.execute(select(inbox.c.body).where(inbox.c.id == inbox_id)).scalar_one()
    try:
        letter = _letter(world, inbox_id, body, 0)
    except (SealBroken, ValueError, KeyError):
        desk.writes.flush(conn)
        return
    sender = Sender(letter=letter, address=address, person=person.get(address.person_id or ""))
    desk.say(sender, *_words(desk, sender))
    desk.writes.flush(conn)
    _alert(desk, sender)


def _alert(desk: Desk, sender: Sender) -> None:
    """Raise what her message may call for; where that fails as well, the task stands without it.

    A message whose alert is what nobody can make would otherwise never be given to staff, and
    hold up everybody's that waits behind it.
    """
    try:
        with desk.conn.begin_nested():
            worry(desk, sender)
            judge(desk)
            desk.writes.flush(desk.conn)
    except OperationalError:  # the database's own trouble passes: all of it is tried again
        raise
    except Exception:
        log.exception("unread_alert_not_raised")


def _words(desk: Desk, sender: Sender) -> tuple[Part, ...]:
    """A neutral word; where hers were words of danger, the helplines with it."""
    in_crisis = typed_in_crisis(sender.letter.inbound, desk.world.library.crisis)
    is_staff = sender.person is not None and sender.person.kind == "staff"
    if in_crisis and not is_staff:
        return (Phrase(key="crisis.reply"), *helplines(desk.world.site))
    return (Phrase(key="trouble"),)
