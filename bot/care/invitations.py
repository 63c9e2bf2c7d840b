"""Staff entry: a caregiver who agreed that we may write to her gets one neutral invitation.

It names nobody and asks nothing; it goes out in allowed hours, once (its key is the assignment's).
One reminder follows after three days of silence, and never a third message.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.launch import GATE
from bot.metrics import INVITATIONS_HELD
from bot.sending.posting import queued
from bot.turns.world import World
from flows.calendar import add_working_days, next_allowed, window
from flows.consent import Entry, may_write
from flows.messages import LIMITS, Phrase, Prompt
from flows.rendering import render
from storage.kept import keep, kept_value
from storage.schema import addresses, outbox, tasks, timers
from storage.talk import consents
from storage.talk.inviting import AGAIN, Invitee, count_to_invite, to_invite, to_remind
from storage.talk.writes import Writes

MOST = 100
AFTER = timedelta(hours=72)
"""The one reminder comes so long after the invitation, in allowed hours, and nothing after it."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One of the two messages that may go out: how its key ends, its words, its kind of timer."""

    again: str
    phrase: str
    kind: str


FIRST = Letter(again="", phrase="invite.caregiver", kind="invite")
REMINDER = Letter(again=AGAIN, phrase="invite.again", kind="invite_again")


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Queue the invitations and reminders that may go out now; returns how many.

    While the launch gate is shut they wait, and it is written down why.
    """
    if next_allowed(now, zone=world.zone, hours=world.hours(now)) > now:
        return 0
    if _held(conn, world, now):
        return 0
    due = [(row, FIRST) for row in to_invite(conn, limit=MOST)]
    due += [(row, REMINDER) for row in to_remind(conn, before=now - AFTER, limit=MOST)]
    entries = consents.about(conn, {row.child_id for row, _ in due}, purpose="contact")
    writes = Writes()
    for row, letter in due:
        _queue(writes, world, row, letter, entries=entries, now=now)
    writes.flush(conn)
    return len(due)


def _queue(
    writes: Writes,
    world: World,
    row: Invitee,
    letter: Letter,
    *,
    entries: Sequence[Entry],
    now: datetime,
) -> None:
    key = f"invite:{row.assignment_id}{letter.again}"
    template = world.site.templates.get("invite", "") if row.channel == "whatsapp" else ""
    # WhatsApp takes no first word from us but an approved template.
    barred = "no_template" if row.channel == "whatsapp" and not template else ""
    if not may_write(entries, child=row.child_id, person=row.person_id):
        barred = "no_consent"
    writes.offer(
        timers,
        key=key,
        kind=letter.kind,
        ref=row.assignment_id,
        due_at=now,
        data={},
        state="skipped" if barred else "done",
        reason=barred or None,
        done_at=now,
    )
    if barred == "no_template":
        _by_hand(writes, world, row, now)
    if barred:
        return
    (message,) = render(
        Prompt(parts=(Phrase(key=letter.phrase, values={"school": row.school}),)),
        questionnaire=None,
        session=None,
        lexicon=world.library.lexicon(row.language),
        limits=LIMITS[row.channel],
    )
    waiting = queued(
        world,
        replace(message, template=template),
        address_id=row.address_id,
        person_id=row.person_id,
        key=key,
        message_class="invitation",
        now=now,
        life=_until_closing(world, now),
        sealed_with=world.vault.key_for(row.household_id),
    )
    writes.offer(outbox, **waiting)
    writes.change(
        addresses,
        row.address_id,
        open_prompt={
            "kind": "offer",
            "ref": row.assignment_id,
            "options": ["now"],
            "asked_at": now.isoformat(),
        },
    )


def _by_hand(writes: Writes, world: World, row: Invitee, now: datetime) -> None:
    """She agreed that we write, and nothing may go out: somebody invites her, once a wave."""
    writes.offer(
        tasks,
        id=world.new_id(now),
        key=f"not_invited:{row.wave_id}:{row.person_id}",
        kind="not_invited",
        school_id=row.school_id,
        child_id=row.child_id,
        person_id=row.person_id,
        address_id=row.address_id,
        owner_id=None,
        ref=row.assignment_id,
        state="open",
        opened_at=now,
        due_at=add_working_days(
            now, world.site.working_days_to_call, zone=world.zone, hours=world.hours(now)
        ),
        closed_at=None,
    )


def _until_closing(world: World, now: datetime) -> timedelta:
    """How long it may wait to be sent: not into the night, nor into a quiet day."""
    local = now.astimezone(world.zone)
    span = window(local.date(), world.hours(now), None)
    end = span[1] if span else local.timetz().replace(tzinfo=None)
    return datetime.combine(local.date(), end, tzinfo=world.zone) - now


def _held(conn: Connection, world: World, now: datetime) -> bool:
    """Whether the launch gate holds invitations back; says so wherever somebody may look."""
    gaps = world.gate(conn, world, now)
    waiting = count_to_invite(conn) if gaps else 0
    INVITATIONS_HELD.set(waiting)
    told = json.dumps({"waiting": waiting, "missing": [gap.name for gap in gaps]})
    if kept_value(conn, GATE) != told:
        keep(conn, GATE, told, now=now)
        if waiting:
            log.warning("invitations_wait_for_launch", count=waiting, fix="main.py doctor --live")
    return bool(gaps)
