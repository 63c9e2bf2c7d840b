"""Staff entry: a caregiver who agreed that we may write to her gets one neutral invitation.

It names nobody and asks nothing; it goes out in allowed hours, once (its key is the assignment's).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.envelopes import dump_outbound
from bot.turns.world import World
from flows.calendar import next_allowed
from flows.messages import LIMITS, Phrase, Prompt
from flows.rendering import render
from storage.inviting import to_invite
from storage.schema import addresses, outbox, timers
from storage.types import to_ms
from storage.writes import Writes

MOST = 100
LIFETIME = timedelta(hours=72)


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Queue the invitations that may go out now; returns how many."""
    if next_allowed(now, zone=world.zone, hours=world.hours(now)) > now:
        return 0
    writes = Writes()
    found = to_invite(conn, limit=MOST)
    for row in found:
        key = f"invite:{row.assignment_id}"
        template = world.site.templates.get("invite", "") if row.channel == "whatsapp" else ""
        # WhatsApp takes no first word from us but an approved template.
        barred = row.channel == "whatsapp" and not template
        writes.offer(
            timers,
            key=key,
            kind="invite",
            ref=row.assignment_id,
            due_at=now,
            data={},
            state="skipped" if barred else "done",
            reason="no_template" if barred else None,
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
        row_id = world.new_id(now)
        writes.offer(
            outbox,
            id=row_id,
            address_id=row.address_id,
            person_id=row.person_id,
            key=key,
            message_class="invitation",
            priority=4,
            seq=to_ms(now) * 1000,
            state="queued",
            body=world.vault.seal(
                dump_outbound(replace(message, template=template)),
                table="outbox",
                column="body",
                row=row_id,
            ),
            not_before=now,
            expires_at=now + LIFETIME,
            created_at=now,
        )
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
