"""Nudges for unfinished questionnaires: two at most, in allowed hours, never pushing, neutral.

The first after 24 hours (on WhatsApp after 22, while the window for free messages is open), the
second after 72. On WhatsApp, once the window is closed: by template, else by SMS if she has one,
else skipped with a reason.
Keys are deterministic: a nudge sent twice is impossible by key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.sending.posting import queued
from bot.turns import gate
from bot.turns.call_list import TASK
from bot.turns.world import World
from flows.calendar import add_working_days, next_allowed
from flows.consent import Entry, No, may_remind
from flows.messages import LIMITS, Outbound, Phrase, Prompt
from flows.rendering import render
from storage.schema import outbox, tasks, timers
from storage.talk import consents
from storage.talk.calling import listed_until
from storage.talk.nudging import (
    CALLED,
    Quiet,
    key_of,
    quiet_sessions,
    sms_of,
    unanswered,
    used_keys,
)
from storage.talk.pausing import due_pauses, postpone, settle
from storage.talk.writes import Writes

DAY = timedelta(hours=24)
FIRST = {"sms": DAY, "telegram": DAY, "ussd": DAY, "whatsapp": timedelta(hours=22)}
SECOND = timedelta(hours=72)
WINDOW = timedelta(hours=23, minutes=45)
"""After so long only a template may go on WhatsApp: a little less than its 24 hours."""
STALE = timedelta(hours=12)
"""A nudge that could not go for so long is dropped: an old nudge only annoys."""
MOST = 200
UNANSWERED = timedelta(hours=24)
"""So long after the second nudge somebody is to call her."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A nudge that is due: which of the two, and when it may go."""

    session: Quiet
    number: int
    at: datetime


def due(world: World, sessions: Sequence[Quiet], used: set[str], now: datetime) -> list[Step]:
    """Which nudges are due now, one a session at most."""
    out = []
    for session in sessions:
        silence = now - session.changed_at
        first, second = FIRST[session.channel], SECOND
        number = 2 if silence >= second else 1 if silence >= first else 0
        if number and key_of(session.id, number) not in used:
            at = next_allowed(
                now, zone=world.zone, hours=world.hours(now), safe_hour=session.safe_hour
            )
            out.append(Step(session=session, number=number, at=at))
    return out


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Queue every nudge that may go out now. Returns how many were queued or skipped."""
    hours = world.hours(now)
    open_now = [
        hour
        for hour in (None, *hours.safe)
        if next_allowed(now, zone=world.zone, hours=hours, safe_hour=hour) <= now
    ]
    if not open_now:
        return 0
    sessions = quiet_sessions(
        conn,
        first=now - min(FIRST.values()),
        second=now - SECOND,
        safe_hours=open_now,
        limit=MOST,
        without=world.library.learning,
    )
    used = used_keys(conn, [key_of(s.id, n) for s in sessions for n in (1, 2)])
    barred = _barred(conn, world, sessions)
    writes = Writes()
    count = 0
    for step in due(world, sessions, used, now):
        if step.at > now:
            continue
        count += 1
        _queue(conn, world, writes, step, now, barred=step.session.id in barred)
    writes.flush(conn)
    return count


def to_call(conn: Connection, world: World, now: datetime) -> int:
    """Put whoever answered neither nudge on the list of people to call. Returns how many."""
    found = unanswered(conn, before=now - UNANSWERED, limit=MOST, without=world.library.learning)
    if not found:
        return 0
    barred = _barred(conn, world, found)
    due_at = add_working_days(
        now, world.site.working_days_to_call, zone=world.zone, hours=world.hours(now)
    )
    writes = Writes()
    listed = {s.person_id for s in found if listed_until(conn, s.person_id or "", TASK)}
    for session in found:
        reason = "no_consent" if session.id in barred else ""
        if not reason and session.person_id not in listed:
            listed.add(session.person_id)
            writes.offer(tasks, **_call(world, session, now, due_at))
        writes.offer(timers, **_noted(session, CALLED, now, reason))
    writes.flush(conn)
    return len(found)


def _call(world: World, session: Quiet, now: datetime, due_at: datetime) -> dict[str, object]:
    return {
        "id": world.new_id(now),
        "key": f"{TASK}:{key_of(session.id, CALLED)}",
        "kind": TASK,
        "school_id": None,
        "child_id": session.child_id,
        "person_id": session.person_id,
        "address_id": session.address_id,
        "owner_id": None,
        "ref": None,
        "state": "open",
        "opened_at": now,
        "due_at": due_at,
        "closed_at": None,
    }


def _noted(session: Quiet, number: int | str, now: datetime, reason: str) -> dict[str, object]:
    """That a nudge went out or was left out, or what followed two of them."""
    return {
        "key": key_of(session.id, number),
        "kind": "nudge",
        "ref": session.id,
        "due_at": now,
        "data": {},
        "state": "skipped" if reason else "done",
        "reason": reason or None,
        "done_at": now,
    }


def _barred(conn: Connection, world: World, sessions: Sequence[Quiet]) -> set[str]:
    """Sessions about a child that the ledger does not carry any more, or she wants no reminder of.

    Where only the words of consent changed she is reminded: her next word leads to the new ones.
    """
    entries = consents.about(conn, {s.child_id for s in sessions if s.child_id})
    return {s.id for s in sessions if s.child_id and _is_barred(world, entries, s, s.child_id)}


def _is_barred(world: World, entries: Sequence[Entry], session: Quiet, child: str) -> bool:
    person = session.person_id
    if person is not None and not may_remind(entries, child=child, person=person):
        return True
    if not gate.is_guarded(session.form_id, child):
        return False
    found = gate.may(world, entries, session.form_id, child=child, person=person)
    return isinstance(found, No) and found.reason != "old_text"


def _queue(
    conn: Connection, world: World, writes: Writes, step: Step, now: datetime, *, barred: bool
) -> None:
    reason = _send(conn, world, writes, step, now, barred=barred)
    writes.offer(timers, **_noted(step.session, step.number, now, reason))


def paused(conn: Connection, world: World, now: datetime) -> int:
    """Send the reminders that people asked for by LATER. Returns how many are over."""
    found = due_pauses(conn, now, limit=MOST)
    waiting = {p.key: p.session for p in found if p.session is not None}
    barred = _barred(conn, world, list(waiting.values()))
    writes, count = Writes(), 0
    for pause in found:
        session = pause.session
        if session is None or session.changed_at > pause.since:  # she went on by herself
            settle(conn, pause.key, reason="", now=now)
            count += 1
            continue
        hours = world.hours(now)
        at = next_allowed(now, zone=world.zone, hours=hours, safe_hour=session.safe_hour)
        if at > now:
            postpone(conn, pause.key, at)
            continue
        step = Step(session=session, number=pause.number, at=at)
        reason = _send(conn, world, writes, step, now, barred=session.id in barred)
        settle(conn, pause.key, reason=reason, now=now)
        count += 1
    writes.flush(conn)
    return count


def _send(
    conn: Connection, world: World, writes: Writes, step: Step, now: datetime, *, barred: bool
) -> str:
    """Put a nudge into the outbox; why it is left out, empty where it is not."""
    session, key = step.session, key_of(step.session.id, step.number)
    channel, address_id, template, reason = session.channel, session.address_id, "", ""
    if session.opted_out or barred:
        reason = "opted_out" if session.opted_out else "no_consent"
    elif session.channel == "whatsapp" and now - session.changed_at >= WINDOW:
        template = world.site.templates.get("nudge", "")
        if not template:
            found = sms_of(conn, session.person_id)
            channel, address_id = ("sms", found) if found else (channel, "")
            reason = "" if found else "window_closed"
    elif session.channel == "ussd":
        # Nothing is pushed there: by SMS where she has written by SMS or staff entered it.
        found = sms_of(conn, session.person_id)
        channel, address_id, reason = "sms", found or "", "" if found else "no_push"
    if reason:
        return reason
    row = queued(
        world,
        _message(world, session.language, channel, step.number, template),
        address_id=address_id,
        person_id=session.person_id,
        key=key,
        message_class="reminder",
        now=now,
        life=STALE,
        sealed_with=world.vault.key_for(
            session.household_id if session.person_id else session.key_id
        ),
    )
    writes.offer(outbox, **row)
    return ""


def _message(world: World, language: str, channel: str, number: int, template: str) -> Outbound:
    phrase = Phrase(key="nudge.first" if number == 1 else "nudge.second")
    (message,) = render(
        Prompt(parts=(phrase,)),
        questionnaire=None,
        session=None,
        lexicon=world.library.lexicon(language),
        limits=LIMITS[channel],  # type: ignore[index]
    )
    return Outbound(text=message.text, template=template)
