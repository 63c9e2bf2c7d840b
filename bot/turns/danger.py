"""Words of danger that somebody typed: helplines at once, and an urgent alert in the same commit.

Once a person in 24 hours there is an alert about a child she cares for; where we know of none, an
urgent task, and those on call at her school are told of it. Nothing about the words is in either.
Matching is `flows.crisis`; its lists are ours and not validated.
"""

from datetime import timedelta

from bot.care.alerts import last_choice
from bot.care.recipients import on_call
from bot.sending.posting import queued
from bot.turns.desk import EXPIRY, Desk, Sender
from bot.turns.promising import after_crisis, helplines
from bot.turns.world import World
from flows.messages import LIMITS, Outbound, Phrase, Prompt
from flows.rendering import render
from scoring.triage import crisis_call
from storage.care import danger
from storage.schema import outbox, tasks, timers
from storage.talk.conversations import ChildRow, SessionRow, children_by_id

AGAIN = timedelta(hours=24)


def answer(desk: Desk, sender: Sender) -> None:
    """Raise it, and say a kind word with the helplines; what was open is the caller's to ask."""
    raise_once(desk, sender, sender.live.row if sender.live else None)
    site = desk.world.site
    desk.say(sender, Phrase(key="crisis.reply"), *helplines(site), after_crisis(site))


def raise_once(desk: Desk, sender: Sender, row: SessionRow | None) -> None:
    """An urgent alert or task, unless her words led to one in the last 24 hours.

    Args:
        desk: The batch; what it raises is in its commit.
        sender: Who wrote.
        row: The questionnaire she is in, if any: the alert is about its child.
    """
    address = sender.address
    who = address.person_id or address.id
    if danger.raised_since(desk.conn, {who, address.id}, desk.now - AGAIN):
        return
    desk.writes.offer(timers, **danger.note(who, desk.now))
    child = _child(desk, sender, row)
    wave = None
    if child is not None:
        known = row.wave_id if row is not None else None
        wave = known or danger.newest_wave(desk.conn, child.programme_id, desk.now)
    if child is not None and wave is not None:
        desk.calls.append((child.id, wave, crisis_call(who, desk.now)))
    else:
        _task(desk, sender, who, child)


def _child(desk: Desk, sender: Sender, row: SessionRow | None) -> ChildRow | None:
    """Of the questionnaire she is in, else the one she cares for."""
    child_id = row.child_id if row is not None else None
    person = sender.person
    if child_id is None and person is not None:
        child_id = danger.cared_for(desk.conn, person.id)
    return None if child_id is None else children_by_id(desk.conn, [child_id])[child_id]


def _task(desk: Desk, sender: Sender, who: str, child: ChildRow | None) -> None:
    """Call her now. A stranger is some team's to call: better theirs than nobody's."""
    address, person, now = sender.address, sender.person, desk.now
    own = child.school_id if child else person.school_id if person else None
    desk.writes.offer(
        tasks,
        id=desk.new_id(),
        key=f"crisis:{who}:{now:%Y%m%dT%H%M%S%f}",
        kind="crisis",
        school_id=own or danger.any_school(desk.conn),
        child_id=child.id if child else None,
        person_id=address.person_id,
        address_id=address.id,
        owner_id=None,
        ref=None,
        state="open",
        opened_at=now,
        due_at=now,
        closed_at=None,
    )
    if own is not None:
        _ring(desk, own, who)


def _ring(desk: Desk, school_id: str, who: str) -> None:
    """A task rings nobody by itself: those on call hear that one waits."""
    world, now = desk.world, desk.now
    for member in on_call(desk.conn, world.policy, {school_id}, now=now)[school_id]:
        usable = [a for a in member.addresses if a.usable]
        if not usable:
            continue
        address = min(usable, key=lambda a: last_choice(world, a))
        row = queued(
            world,
            _ring_message(world, member.language, address.channel),
            address_id=address.id,
            person_id=member.person_id,
            key=f"crisis:{who}:{now:%Y%m%dT%H%M%S%f}:{address.id}",
            message_class="alert",
            now=now,
            life=EXPIRY["alert"],
            sealed_with=world.vault.key_for(None),
            count=desk.count,
        )
        desk.count += 1
        desk.writes.offer(outbox, **row)


def _ring_message(world: World, language: str, channel: str) -> Outbound:
    link = {"url": f"{world.base_url}/dashboard"}
    (message,) = render(
        Prompt(parts=(Phrase(key="alert.task", values=link),)),
        questionnaire=None,
        session=None,
        lexicon=world.library.lexicon(language),
        limits=LIMITS[channel],  # type: ignore[index]
    )
    template = world.site.templates.get("alert", "") if channel == "whatsapp" else ""
    return Outbound(text=message.text, template=template)
