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
from bot.turns.world import World
from flows.calendar import next_allowed
from flows.consent import No
from flows.messages import LIMITS, Outbound, Phrase, Prompt
from flows.rendering import render
from storage.schema import outbox, timers
from storage.talk import consents
from storage.talk.nudging import Quiet, quiet_sessions, sms_of, used_keys
from storage.talk.writes import Writes

DAY = timedelta(hours=24)
FIRST = {"sms": DAY, "telegram": DAY, "whatsapp": timedelta(hours=22)}
SECOND = timedelta(hours=72)
WINDOW = timedelta(hours=23, minutes=45)
"""After so long only a template may go on WhatsApp: a little less than its 24 hours."""
STALE = timedelta(hours=12)
"""A nudge that could not go for so long is dropped: an old nudge only annoys."""
MOST = 200


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
        if number and f"nudge:{session.id}:{number}" not in used:
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
    )
    used = used_keys(conn, [f"nudge:{s.id}:{n}" for s in sessions for n in (1, 2)])
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


def _barred(conn: Connection, world: World, sessions: Sequence[Quiet]) -> set[str]:
    """Sessions about a child that the ledger does not carry any more.

    Where only the words of consent changed she is reminded: her next word leads to the new ones.
    """
    about = {s.id: s.child_id for s in sessions if gate.is_guarded(s.form_id, s.child_id)}
    entries = consents.about(conn, {child for child in about.values() if child})
    found = {
        s.id: gate.may(world, entries, s.form_id, child=about[s.id] or "", person=s.person_id)
        for s in sessions
        if s.id in about
    }
    return {key for key, f in found.items() if isinstance(f, No) and f.reason != "old_text"}


def _queue(
    conn: Connection, world: World, writes: Writes, step: Step, now: datetime, *, barred: bool
) -> None:
    session, key = step.session, f"nudge:{step.session.id}:{step.number}"
    channel, address_id, template, reason = session.channel, session.address_id, "", ""
    if session.opted_out or barred:
        reason = "opted_out" if session.opted_out else "no_consent"
    elif session.channel == "whatsapp" and now - session.changed_at >= WINDOW:
        template = world.site.templates.get("nudge", "")
        if not template:
            found = sms_of(conn, session.person_id)
            channel, address_id = ("sms", found) if found else (channel, "")
            reason = "" if found else "window_closed"
    writes.offer(
        timers,
        key=key,
        kind="nudge",
        ref=session.id,
        due_at=now,
        data={},
        state="skipped" if reason else "done",
        reason=reason or None,
        done_at=now,
    )
    if reason:
        return
    row = queued(
        world,
        _message(world, session.language, channel, step.number, template),
        address_id=address_id,
        person_id=session.person_id,
        key=key,
        message_class="reminder",
        now=now,
        life=STALE,
        sealed_with=world.vault.key_for(session.household_id),
    )
    writes.offer(outbox, **row)


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
