"""Broken glass is told at once: to the supervisors of the school and of the one who opened it.

The message has a code and a link. Why she did it, and whom she looked at, stands on the page.
"""

from datetime import datetime

from sqlalchemy import Connection

from bot.care.alerts import LIFETIME, last_choice
from bot.sending.posting import queued
from bot.turns.world import World
from flows.messages import LIMITS, Outbound, Phrase, Prompt
from flows.rendering import render
from storage.families.people import StaffAddress, StaffMember, staff
from storage.schema import outbox, tasks
from storage.scope import BREAK_GLASS, system
from storage.staff.users import person_of
from storage.talk.writes import Writes
from storage.trail.glass import Opening

TOLD = ("glass", "told")
"""The row and verb of the policy's chat section that names who is told."""


def tell(conn: Connection, world: World, opening: Opening, now: datetime) -> int:
    """Queue the message, in the transaction that opens the school.

    If no supervisor of the opened school can be reached, a task there says so openly.

    Returns:
        How many people are told.
    """
    roles = world.policy.rule("chat", *TOLD).roles or frozenset()
    places = opening.asker_schools | {opening.school_id}
    found = staff(conn, places, scope=system(BREAK_GLASS), roles=roles, now=now)
    herself = person_of(conn, opening.user_id)
    members = [m for m in found if m.person_id != herself and any(a.usable for a in m.addresses)]
    writes = Writes()
    told: set[str] = set()
    for member in members:
        if member.person_id not in told:
            _send(writes, world, member, opening, count=len(told), now=now)
            told.add(member.person_id)
    if not any(m.school_id == opening.school_id for m in members):
        _unseen(writes, world, opening, now)
    writes.flush(conn)
    return len(told)


def message(world: World, *, code: str, language: str, address: StaffAddress) -> Outbound:
    """What a supervisor reads."""
    phrase = Phrase(
        key="glass.opened", values={"code": code, "url": f"{world.base_url}/dashboard/glass"}
    )
    (only,) = render(
        Prompt(parts=(phrase,)),
        questionnaire=None,
        session=None,
        lexicon=world.library.lexicon(language),
        limits=LIMITS[address.channel],
    )
    # WhatsApp's template for alerts says only that an item waits: it fits here as well.
    template = world.site.templates.get("alert", "") if address.channel == "whatsapp" else ""
    return Outbound(text=only.text, template=template)


def _send(
    writes: Writes,
    world: World,
    member: StaffMember,
    opening: Opening,
    *,
    count: int,
    now: datetime,
) -> None:
    usable = (a for a in member.addresses if a.usable)
    address = min(usable, key=lambda a: last_choice(world, a))
    said = message(world, code=opening.code, language=member.language, address=address)
    row = queued(
        world,
        said,
        address_id=address.id,
        person_id=member.person_id,
        key=f"glass:{opening.id}:{address.id}",
        message_class="alert",
        now=now,
        life=LIFETIME,
        sealed_with=world.vault.key_for(None),
        count=count,
    )
    writes.offer(outbox, **row)


def _unseen(writes: Writes, world: World, opening: Opening, now: datetime) -> None:
    writes.offer(
        tasks,
        id=world.new_id(now),
        key=f"glass_unseen:{opening.id}",
        kind="glass_unseen",
        school_id=opening.school_id,
        child_id=None,
        person_id=None,
        address_id=None,
        owner_id=None,
        ref=opening.id,
        state="open",
        opened_at=now,
        due_at=now,
        closed_at=None,
    )
