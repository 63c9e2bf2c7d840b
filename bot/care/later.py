"""Private questions that were put off: offered again on a later day, twice at most, discreetly.

In her safe hour, where she put them off (never by SMS), with words that say nothing about them.
Then it is written down that they were not asked, and why. Keys are deterministic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.sending.posting import queued
from bot.turns import gate
from bot.turns.world import World
from flows.calendar import next_allowed
from flows.consent import Entry, No
from flows.later import CHATS, ITEM, OPTIONS, TRIES, WAIT, another_day, until_closing
from flows.messages import LIMITS, Menu, Outbound, Phrase, Prompt
from flows.rendering import render
from storage.schema import addresses, outbox, timers
from storage.talk import consents, later
from storage.talk.conversations import (
    AddressRow,
    PersonRow,
    lock_addresses_by_id,
    lock_persons,
    unfinished_sessions,
)
from storage.talk.later import DueAgain
from storage.talk.writes import Writes

MOST = 100
WINDOW = timedelta(hours=23, minutes=45)
"""After so long only a template may go on WhatsApp: a little less than its 24 hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What one sweep knows of the people it is about.

    `busy` are those in the middle of a questionnaire, and those who were offered one just now.
    """

    world: World
    now: datetime
    addresses: Mapping[str, AddressRow]
    persons: Mapping[str, PersonRow]
    busy: set[str]
    gates: Mapping[str, str]
    ledger: tuple[Entry, ...]


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Offer again what may be offered now, give up what was offered twice. Returns how many."""
    first = later.due_again(conn, now, limit=MOST)
    if not first:
        return 0
    known = {
        row.id: row for row in lock_addresses_by_id(conn, {d.address_id for d in first}).values()
    }
    # Read again under the lock: another worker may have been here.
    found = [d for d in later.due_again(conn, now, limit=MOST) if d.address_id in known]
    scene = _scene(conn, world, now, known, found)
    writes = Writes()
    for each in found:
        _one(conn, scene, writes, each)
    writes.flush(conn)
    return len(found)


def _scene(
    conn: Connection,
    world: World,
    now: datetime,
    known: Mapping[str, AddressRow],
    found: list[DueAgain],
) -> _Scene:
    persons = lock_persons(conn, {d.session.person_id for d in found if d.session.person_id})
    begun = unfinished_sessions(conn, persons, known)
    return _Scene(
        world=world,
        now=now,
        addresses=known,
        persons=persons,
        busy={row.person_id or "" for row in begun if row.status == "open"},
        gates=later.gates(conn, {d.session.id for d in found}, ITEM),
        ledger=tuple(consents.about(conn, {d.session.child_id or "" for d in found})),
    )


def _one(conn: Connection, scene: _Scene, writes: Writes, each: DueAgain) -> None:
    world, now = scene.world, scene.now
    person = scene.persons.get(each.session.person_id or "")
    if person is None or _is_asked(scene, each):
        later.settle(conn, each.key, state="done", reason=None, now=now)
        return
    why = _given_up(scene, each, person)
    if why:
        later.settle(conn, each.key, state="skipped", reason=f"not_asked_{why}", now=now)
        return
    hours = world.hours(now)
    if person.id in scene.busy:
        when = another_day(now, zone=world.zone, hours=hours, safe_hour=person.safe_hour)
    else:
        when = next_allowed(now, zone=world.zone, hours=hours, safe_hour=person.safe_hour)
    if when > now:
        later.postpone(conn, each.key, when)
        return
    scene.busy.add(person.id)
    _offer(conn, scene, writes, each, person)


def _is_asked(scene: _Scene, each: DueAgain) -> bool:
    """Whether she went through the gate meanwhile, or ended it all herself."""
    status, gate_says = each.session.status, scene.gates.get(each.session.id)
    return status == "stopped" or (status == "completed" and gate_says != WAIT)


def _given_up(scene: _Scene, each: DueAgain, person: PersonRow) -> str:
    """Why they are not offered any more; empty where they are."""
    world, session = scene.world, each.session
    address = scene.addresses[each.address_id]
    found = gate.may(
        world, scene.ledger, session.form_id, child=session.child_id or "", person=person.id
    )
    reasons = {
        "opted_out": address.opted_out_at is not None or address.bad_at is not None,
        "no_consent": isinstance(found, No),
        "no_duty_officer": not world.site.duty_officer,
        each.reason or "no_answer": each.number > TRIES or session.status == "lapsed",
        "busy": scene.now - each.since > timedelta(days=world.site.lapse_days),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _offer(
    conn: Connection, scene: _Scene, writes: Writes, each: DueAgain, person: PersonRow
) -> None:
    """One discreet message, and the clock of the next try; on WhatsApp perhaps by template."""
    world, now, address = scene.world, scene.now, scene.addresses[each.address_id]
    closed = address.channel == "whatsapp" and (
        address.last_inbound_at is None or now - address.last_inbound_at >= WINDOW
    )
    template = world.site.templates.get("nudge", "") if closed else ""
    sent = address.channel in CHATS and not (closed and not template)
    if sent:
        row = queued(
            world,
            _message(world, person.language, address.channel, each.session.id, template),
            address_id=address.id,
            person_id=person.id,
            key=each.key,
            message_class="reminder",
            now=now,
            life=until_closing(
                now, zone=world.zone, hours=world.hours(now), safe_hour=person.safe_hour
            ),
            sealed_with=world.vault.key_for(person.household_id),
        )
        writes.offer(outbox, **row)
        prompt = {
            "kind": "later",
            "ref": each.session.id,
            "options": [code for code, _ in OPTIONS],
            "asked_at": now.isoformat(),
        }
        writes.change(addresses, address.id, open_prompt=prompt)
    later.settle(
        conn,
        each.key,
        state="done" if sent else "skipped",
        reason=None if sent else "no_template",
        now=now,
    )
    again = later.timer(
        each.session.id,
        each.number + 1,
        address_id=address.id,
        since=each.since,
        due_at=another_day(
            now, zone=world.zone, hours=world.hours(now), safe_hour=person.safe_hour
        ),
        reason=None if sent else "no_template",
    )
    writes.offer(timers, **again)


def _message(world: World, language: str, channel: str, session_id: str, template: str) -> Outbound:
    """Words that could be about anything; a template has its own, the nudge's."""
    parts = (
        (Phrase(key="nudge.first"),)
        if template
        else (Phrase(key="later.offer"), Menu(ref=f"m.{session_id}", options=OPTIONS))
    )
    (message,) = render(
        Prompt(parts=parts),
        questionnaire=None,
        session=None,
        lexicon=world.library.lexicon(language),
        limits=LIMITS[channel],  # type: ignore[index]
    )
    return replace(message, template=template)
