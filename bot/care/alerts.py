"""The alert message: a code, how urgent, "sign in". Nothing about a child ever stands in it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from bot.sending.posting import queued
from bot.turns.world import World
from flows.messages import LIMITS, Menu, Outbound, Phrase, Prompt
from flows.rendering import render
from storage.families.people import StaffAddress, StaffMember
from storage.schema import outbox, tasks
from storage.talk.writes import Writes

LIFETIME = timedelta(hours=24)


def message(
    world: World, *, code: str, alert_id: str, level: str, language: str, channel: str
) -> Outbound:
    """The alert as one message for one channel, with its choices."""
    lexicon = world.library.lexicon(language)
    limits = LIMITS[channel]  # type: ignore[index]
    word = lexicon.say(f"alert.level.{level}", {})
    opening = Phrase(
        key="alert.open",
        values={"level": word, "code": code, "url": f"{world.base_url}/dashboard"},
    )
    parts = (
        (opening, Phrase(key="alert.choices"))
        if not limits.buttons
        else (
            opening,
            Menu(
                ref=f"a.{alert_id}",
                options=(
                    ("accept", "alert.choice.accept"),
                    ("pass", "alert.choice.pass"),
                    ("phone", "alert.choice.phone"),
                ),
            ),
        )
    )
    (only,) = render(
        Prompt(parts=parts), questionnaire=None, session=None, lexicon=lexicon, limits=limits
    )
    template = world.site.templates.get("alert", "") if channel == "whatsapp" else ""
    return replace(only, template=template)


def send(
    writes: Writes,
    world: World,
    *,
    alert_id: str,
    code: str,
    level: str,
    round_number: int,
    members: Iterable[StaffMember],
    passed: frozenset[str],
    now: datetime,
) -> int:
    """Put the alert into the outbox of everybody on call who has not passed it on.

    If all of them have, it goes to all of them again: it does not rest until somebody has it.

    Returns:
        How many messages were queued; 0 means that nobody can be reached.
    """
    reachable = [m for m in members if any(a.usable for a in m.addresses)]
    fresh = [m for m in reachable if m.person_id not in passed] or reachable
    count = 0
    for member in fresh:
        address = min(
            (a for a in member.addresses if a.usable), key=lambda a: last_choice(world, a)
        )
        said = message(
            world,
            code=code,
            alert_id=alert_id,
            level=level,
            language=member.language,
            channel=address.channel,
        )
        row = queued(
            world,
            said,
            address_id=address.id,
            person_id=member.person_id,
            key=f"alert:{alert_id}:{address.id}:{round_number}",
            message_class="alert",
            now=now,
            life=LIFETIME,
            sealed_with=world.vault.key_for(None),
            count=count,
        )
        writes.offer(outbox, **row)
        count += 1
    return count


def last_choice(world: World, address: StaffAddress) -> bool:
    """WhatsApp comes last while no template is approved: outside its 24 hours nothing may go."""
    return address.channel == "whatsapp" and not world.site.templates.get("alert")


def unreachable(
    writes: Writes, world: World, *, alert_id: str, school_id: str, now: datetime
) -> None:
    """No coordinator can be reached: said openly to whoever signs in, once an alert."""
    writes.offer(
        tasks,
        id=world.new_id(now),
        key=f"alert_unreachable:{alert_id}",
        kind="alert_unreachable",
        school_id=school_id,
        child_id=None,
        person_id=None,
        address_id=None,
        owner_id=None,
        ref=alert_id,
        state="open",
        opened_at=now,
        due_at=now,
        closed_at=None,
    )
