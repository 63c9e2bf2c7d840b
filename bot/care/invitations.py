"""Staff entry: a caregiver who agreed that we may write to her gets one neutral invitation.

It names nobody and asks nothing; it goes out in allowed hours, once (its key is the assignment's).
"""

import json
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.launch import GATE
from bot.metrics import INVITATIONS_HELD
from bot.sending.posting import queued
from bot.turns.world import World
from flows.calendar import next_allowed
from flows.consent import may_write
from flows.messages import LIMITS, Phrase, Prompt
from flows.rendering import render
from storage.kept import keep, kept_value
from storage.schema import addresses, outbox, timers
from storage.talk import consents
from storage.talk.inviting import count_to_invite, to_invite
from storage.talk.writes import Writes

MOST = 100
LIFETIME = timedelta(hours=72)
log = structlog.get_logger(__name__)


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Queue the invitations that may go out now; returns how many.

    While the launch gate is shut they wait, and it is written down why.
    """
    if next_allowed(now, zone=world.zone, hours=world.hours(now)) > now:
        return 0
    if _held(conn, world, now):
        return 0
    writes = Writes()
    found = to_invite(conn, limit=MOST)
    entries = consents.about(conn, {row.child_id for row in found}, purpose="contact")
    for row in found:
        key = f"invite:{row.assignment_id}"
        template = world.site.templates.get("invite", "") if row.channel == "whatsapp" else ""
        # WhatsApp takes no first word from us but an approved template.
        barred = "no_template" if row.channel == "whatsapp" and not template else ""
        if not may_write(entries, child=row.child_id, person=row.person_id):
            barred = "no_consent"
        writes.offer(
            timers,
            key=key,
            kind="invite",
            ref=row.assignment_id,
            due_at=now,
            data={},
            state="skipped" if barred else "done",
            reason=barred or None,
            done_at=now,
        )
        if barred:
            continue
        phrase = Phrase(key="invite.caregiver", values={"school": row.school})
        (message,) = render(
            Prompt(parts=(phrase,)),
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
            life=LIFETIME,
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
    writes.flush(conn)
    return len(found)


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
