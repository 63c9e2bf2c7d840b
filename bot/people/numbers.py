"""A new number of somebody we know, and a phone that is hers no longer: as staff write it down."""

from datetime import datetime

from sqlalchemy import Connection

from bot.lists.sheets import ContactAddress, contact
from bot.people.second import PeopleError
from bot.turns import moving, talk
from bot.turns.desk import Desk
from bot.turns.ending import notice
from bot.turns.judge import judge
from bot.turns.world import World
from flows.calendar import next_allowed
from flows.messages import Phrase
from flows.sessions import Stopped
from storage.schema import addresses
from storage.talk.conversations import (
    AddressRow,
    PersonRow,
    lock_addresses_by_id,
    lock_persons,
    unfinished_sessions,
)
from storage.talk.moving import address_at, meet


def change(conn: Connection, world: World, old: str, new: str, *, now: datetime) -> None:
    """Ask a new number whether it is hers; a yes from there moves her (`bot.turns.moving`).

    Args:
        conn: Open transaction.
        world: Keys, words, our accounts.
        old: Where she was reached: a number, `whatsapp:` or `telegram:` and what follows.
        new: Where she is to be reached.
        now: Aware, UTC.

    Raises:
        PeopleError: Nobody is reached at the old one, or the new one cannot be hers.
    """
    desk = Desk(conn=conn, world=world, now=now)
    at, person = _known(desk, old)
    if person.kind == "staff":
        raise PeopleError("She gets alerts: import her new address with import-staff.")
    where = _contact(world, new)
    if where.channel != "sms":
        raise PeopleError(
            "The new address must be a phone number: only by SMS may we write first. On WhatsApp "
            "and Telegram she is known once she has sent her JOIN code from there."
        )
    new_id = meet(
        conn,
        channel=where.channel,
        account=world.accounts[where.channel],
        value=where.value,
        language=person.language,
        vault=world.vault,
        now=now,
    )
    (there,) = lock_addresses_by_id(conn, [new_id]).values()
    if there.person_id is not None:
        raise PeopleError("The new number is known already. Fix: end it there first (hand-over).")
    if there.opted_out_at is not None:
        raise PeopleError("Somebody said STOP at the new number: it may not be written to.")
    desk.writes.change(
        addresses,
        there.id,
        language=person.language,
        open_prompt={
            "kind": moving.KIND,
            "ref": at.id,
            "options": ["yes", "no"],
            "asked_at": now.isoformat(),
        },
    )
    notice(
        desk,
        there,
        Phrase(key="moving.ask"),
        language=person.language,
        key=f"number:{there.id}:{now:%Y%m%dT%H%M%S}",
        not_before=next_allowed(now, zone=world.zone, hours=world.hours(now)),
    )
    desk.writes.flush(conn)
    moving.note(desk, "asked_number", person)


def hand_over(conn: Connection, world: World, old: str, *, now: datetime) -> None:
    """A phone is somebody else's now: nothing about her goes there, and what was open there ends.

    Raises:
        PeopleError: Nobody we know is reached there.
    """
    desk = Desk(conn=conn, world=world, now=now)
    at, person = _known(desk, old)
    gone = {one.id for one in moving.take_away(desk, person, at)}
    for row in unfinished_sessions(conn, [person.id], []):
        if row.address_id in gone:
            live = desk.open_session(row)
            talk.carry_on_quietly(desk, live, Stopped())
            if row.child_id and row.wave_id and row.form_id != "enrolment":
                desk.touched.add((row.child_id, row.wave_id))
    desk.writes.flush(conn)
    judge(desk)
    desk.writes.flush(conn)
    moving.note(desk, "handed_over", person)


def _known(desk: Desk, text: str) -> tuple[AddressRow, PersonRow]:
    """Whoever is reached at an address, both locked."""
    where, world = _contact(desk.world, text), desk.world
    found = address_at(
        desk.conn,
        channel=where.channel,
        account=world.accounts[where.channel],
        value=where.value,
        vault=world.vault,
    )
    rows = list(lock_addresses_by_id(desk.conn, [found] if found else []).values())
    if not rows or rows[0].person_id is None:
        raise PeopleError("Nobody we know is reached at the old address. Fix: check it.")
    person = lock_persons(desk.conn, [rows[0].person_id])[rows[0].person_id]
    desk.persons[person.id] = person
    world.vault.ensure([person.household_id])
    return rows[0], person


def _contact(world: World, text: str) -> ContactAddress:
    found = contact(text)
    if found is None or found.channel not in world.accounts:
        raise PeopleError(f"{text!r} is no address that we can write to.")
    return found
