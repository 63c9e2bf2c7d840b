"""What must hold in the database at any moment: each check returns its problems as sentences.

The rigs and the tests call `problems` after every step; nothing here writes. A sentence names ids
and states only, so it may stand in a log.

Source: reference trust-and-dashboard §A2, I1 to I7; POPIA s34-35 for I8.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, and_, func, or_, select

from flows.consent import FORM, Entry, Yes, may_ask
from flows.journal import load_event
from flows.sessions import Event, Session, from_json
from scoring.critical import critical
from scoring.ruleset import HIGH_RULE, Rules
from scoring.triage import alert_for
from storage.care.cases import OPEN, UNOWNED
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    alert_events,
    alerts,
    answers,
    child_state,
    events,
    inbox,
    inbox_seen,
    outbox,
    sessions,
    tasks,
    timers,
)
from storage.talk import consents
from storage.talk.outbox import ALWAYS, MAKES_FINAL, MAX_ATTEMPTS, RANK

Refold = Callable[[Session, Sequence[tuple[datetime, Event]]], Session]
"""Makes a session anew from its events; is handed the stored one for what never changes."""

TICK = timedelta(seconds=30)
"""By how much a clock may be late before that is a fault."""
SILENT = ("stopped", "lapsed")
"""Events after which nothing is asked."""
ASKED = 1
"""Beyond the attempts to send, a row may be claimed once more to ask what became of the last."""


def problems(
    conn: Connection, *, now: datetime, rules: Rules, vault: Vault, refold: Refold, ticking: bool
) -> list[str]:
    """Everything that does not hold.

    Args:
        conn: Open transaction; one committed state throughout.
        now: Aware, UTC.
        rules: The scoring rules in force.
        vault: Opens sessions and events.
        refold: Makes a session anew from its events.
        ticking: Whether the clock has been running, so that nothing may be overdue.
    """
    return [
        *letters(conn),
        *answered(conn),
        *unfolded(conn, vault=vault, refold=refold),
        *messages(conn),
        *lines(conn),
        *missing_alerts(conn, rules=rules),
        *alert_clocks(conn, now=now, ticking=ticking),
        *unconsented(conn),
    ]


def letters(conn: Connection) -> list[str]:
    """I1: every stored letter was seen once; who is stuck is stuck behind waiting letters."""
    seen = _count(conn, inbox_seen)
    stored = _count(conn, inbox)
    found = [f"I1: {stored} letters are stored, {seen} were seen"] if stored > seen else []
    behind = (
        select(addresses.c.id, addresses.c.stuck, func.count(inbox.c.id).label("waiting"))
        .outerjoin(inbox, and_(inbox.c.address_id == addresses.c.id, inbox.c.status == "waiting"))
        .group_by(addresses.c.id, addresses.c.stuck)
        .having(addresses.c.stuck != func.count(inbox.c.id))
    )
    found += [
        f"I1: address {r.id} counts {r.stuck} letters, {r.waiting} wait"
        for r in conn.execute(behind)
    ]
    undone = select(inbox.c.id, inbox.c.status).where(
        or_(
            inbox.c.status.not_in(("waiting", "done", "poison")),
            (inbox.c.status == "waiting") != inbox.c.done_at.is_(None),
        )
    )
    found += [f"I1: letter {r.id} is {r.status} at the wrong time" for r in conn.execute(undone)]
    poison = select(inbox.c.id).where(
        inbox.c.status == "poison", ~_task(inbox.c.id, "poison").exists()
    )
    return found + [f"I1: poison letter {r.id} is nobody's task" for r in conn.execute(poison)]


def answered(conn: Connection) -> list[str]:
    """I2: each answer was caused by one event; a session's revision counts its events."""
    orphans = select(answers.c.session_id, answers.c.item, answers.c.revision).where(
        ~select(events.c.rev)
        .where(events.c.session_id == answers.c.session_id, events.c.rev == answers.c.revision)
        .exists(),
        ~_cut(answers.c.session_id),
    )
    found = [
        f"I2: answer {r.session_id}/{r.item}/{r.revision} has no event"
        for r in conn.execute(orphans)
    ]
    counted = (
        select(
            sessions.c.id,
            sessions.c.rev,
            func.count(events.c.rev).label("events"),
            func.max(events.c.rev).label("last"),
        )
        .outerjoin(events, events.c.session_id == sessions.c.id)
        .where(sessions.c.cut_at.is_(None))
        .group_by(sessions.c.id, sessions.c.rev)
    )
    return found + [
        f"I2: session {r.id} is at revision {r.rev} after {r.events} events up to {r.last}"
        for r in conn.execute(counted)
        if not r.rev == r.events == r.last
    ]


def unfolded(conn: Connection, *, vault: Vault, refold: Refold) -> list[str]:
    """I3: the stored session is what its events lead to, and its row says the same."""
    told: dict[str, list[tuple[datetime, Event]]] = {}
    for row in conn.execute(select(events).order_by(events.c.session_id, events.c.rev)):
        key = f"{row.session_id}:{row.rev}"
        body = vault.open(row.body, table="events", column="body", row=key)
        told.setdefault(row.session_id, []).append((row.at, load_event(row.kind, body)))
    found = []
    for row in conn.execute(select(sessions).order_by(sessions.c.id)):
        text = vault.open(row.state, table="sessions", column="state", row=row.id)
        stored = from_json(text)
        if (stored.id, stored.rev, stored.status) != (row.id, row.rev, row.status):
            found.append(f"I3: session {row.id} and its row say different things")
        if row.cut_at is None and refold(stored, told.get(row.id, [])) != stored:
            found.append(f"I3: session {row.id} is not the fold of its events")
    return found


def messages(conn: Connection) -> list[str]:
    """I4: a message is final, or it will be; what is given up is somebody's task."""
    found = []
    for row in conn.execute(select(outbox).order_by(outbox.c.id)):
        final = row.state in MAKES_FINAL
        if row.state not in RANK or final != (row.final_at is not None):
            found.append(f"I4: message {row.id} is {row.state}, final at {row.final_at}")
        if final and row.body is not None:
            found.append(f"I4: message {row.id} is final and still has its text")
        if row.attempts > MAX_ATTEMPTS + ASKED:
            found.append(f"I4: message {row.id} was tried {row.attempts} times")
        if (row.state == "sending") != (row.lease_until is not None) and not final:
            found.append(f"I4: message {row.id} is {row.state}, leased until {row.lease_until}")
    dead = select(outbox.c.id).where(
        outbox.c.state == "dead", ~_task(outbox.c.id, "dead_letter").exists()
    )
    return found + [f"I4: dead letter {r.id} is nobody's task" for r in conn.execute(dead)]


def lines(conn: Connection) -> list[str]:
    """I5: one message at a time to an address; nothing after an opt-out but what must go."""
    doubled = (
        select(outbox.c.address_id, func.count().label("number"))
        .where(outbox.c.state == "sending")
        .group_by(outbox.c.address_id)
        .having(func.count() > 1)
    )
    found = [
        f"I5: {r.number} messages at once go to address {r.address_id}"
        for r in conn.execute(doubled)
    ]
    unwanted = (
        select(outbox.c.id)
        .join(addresses, addresses.c.id == outbox.c.address_id)
        .where(
            outbox.c.message_class.not_in(ALWAYS),
            outbox.c.state.in_(("accepted", "sent", "delivered", "read")),
            outbox.c.tried_at > addresses.c.opted_out_at,
        )
    )
    return found + [f"I5: message {r.id} went out after STOP" for r in conn.execute(unwanted)]


def missing_alerts(conn: Connection, *, rules: Rules) -> list[str]:
    """I6: each critical answer and each high-risk profile has its alert (one, by its key)."""
    wanted: set[str] = set()
    given = select(answers).where(
        answers.c.child_id.is_not(None),
        answers.c.wave_id.is_not(None),
        answers.c.value.is_not(None),
        answers.c.informant != "person",
    )
    for row in conn.execute(given):
        hit = critical(
            rules, form_id=row.form_id, item=row.item, value=row.value, informant=row.informant
        )
        if hit is not None:
            wanted.add(alert_for(hit, child=row.child_id, wave=row.wave_id).key)
    # While somebody is still answering, a high profile waits for her last word.
    high = select(child_state.c.child_id, child_state.c.wave_id).where(
        child_state.c.band == "high",
        _sessions_about("completed").exists(),
        ~_sessions_about("open", "lapsed").exists(),
    )
    wanted |= {f"{r.child_id}:{r.wave_id}:{HIGH_RULE}" for r in conn.execute(high)}
    raised = set(conn.execute(select(alerts.c.key)).scalars())
    return [f"I6: the alert {key} is missing" for key in sorted(wanted - raised)]


def alert_clocks(conn: Connection, *, now: datetime, ticking: bool) -> list[str]:
    """I7: an alert is open with a clock, owned, or closed with an outcome and a reason."""
    found = []
    for row in conn.execute(select(alerts).order_by(alerts.c.id)):
        is_owned = row.owner_id is not None and row.accepted_at is not None
        is_closed = None not in (row.closed_at, row.outcome, row.reason)
        fits = {
            "opened": not is_owned and not is_closed,
            "offered": not is_owned and not is_closed,
            "accepted": is_owned and not is_closed,
            "closed": is_owned and is_closed,
        }
        if not fits.get(row.state, False):
            found.append(f"I7: alert {row.id} is {row.state} without what that needs")
    silent = select(alerts.c.id).where(alerts.c.state.in_(OPEN), ~_clock(alerts.c.id).exists())
    found += [f"I7: open alert {r.id} has no clock" for r in conn.execute(silent)]
    unsaid = select(alerts.c.id).where(
        ~select(alert_events.c.id)
        .where(alert_events.c.alert_id == alerts.c.id, alert_events.c.kind == "opened")
        .exists()
    )
    found += [f"I7: alert {r.id} was never noted as opened" for r in conn.execute(unsaid)]
    if ticking:
        overdue = select(alerts.c.id).where(
            alerts.c.state.in_(UNOWNED),
            _clock(alerts.c.id).where(timers.c.due_at < now - TICK).exists(),
        )
        found += [f"I7: the clock of alert {r.id} is late" for r in conn.execute(overdue)]
    return found


def unconsented(conn: Connection) -> list[str]:
    """I8: what is asked about a child is carried by the ledger, as far as it was known then.

    At the beginning, and at every event that can lead to a question; not whether the words of
    consent have changed since, of which the ledger says nothing.
    """
    last = (
        select(events.c.session_id, func.max(events.c.at).label("at"))
        .where(events.c.kind.not_in(SILENT))
        .group_by(events.c.session_id)
        .subquery()
    )
    begun = conn.execute(
        select(
            sessions.c.id,
            sessions.c.child_id,
            sessions.c.person_id,
            sessions.c.form_id,
            sessions.c.started_at,
            last.c.at,
        )
        .join(last, last.c.session_id == sessions.c.id)
        .where(sessions.c.child_id.is_not(None), sessions.c.form_id != FORM)
        .order_by(sessions.c.id)
    ).all()
    ledger: dict[str, list[Entry]] = {}
    for entry in consents.about(conn, {row.child_id for row in begun}):
        ledger.setdefault(entry.child, []).append(entry)
    found = []
    for row in begun:
        entries = ledger.get(row.child_id, [])
        person = (row.person_id or "") if row.form_id == "caregiver" else ""

        def stood(known: list[Entry], child: str = row.child_id, who: str = person) -> bool:
            return isinstance(may_ask(known, "help", None, child=child, person=who), Yes)

        # Of the same moment only a yes counts: what ends consent then comes after.
        first = [
            e
            for e in entries
            if e.known_at < row.started_at or (e.known_at == row.started_at and e.word == "yes")
        ]
        later = [e for e in entries if row.started_at <= e.known_at < row.at]
        if not stood(first):
            found.append(f"I8: session {row.id} began without consent")
        elif not stood([*first, *later]):
            found.append(f"I8: session {row.id} went on after consent had ended")
    return found


def _sessions_about(*status: str) -> Select[tuple[str]]:
    """Sessions of these states about the child and wave of a `child_state` row."""
    return select(sessions.c.id).where(
        sessions.c.child_id == child_state.c.child_id,
        sessions.c.wave_id == child_state.c.wave_id,
        sessions.c.status.in_(status),
    )


def _cut(session_id: Column[str]) -> ColumnElement[bool]:
    """Whether a session's events were let go (`storage.rights.redacting`, retention)."""
    return (
        select(sessions.c.id)
        .where(sessions.c.id == session_id, sessions.c.cut_at.is_not(None))
        .exists()
    )


def _task(ref: Column[str], kind: str) -> Select[tuple[str]]:
    """The task of a kind that points at a row."""
    return select(tasks.c.id).where(tasks.c.ref == ref, tasks.c.kind == kind)


def _clock(alert_id: Column[str]) -> Select[tuple[str]]:
    """The timer that moves an alert on."""
    return select(timers.c.key).where(
        timers.c.ref == alert_id, timers.c.kind == "alert", timers.c.state == "due"
    )


def _count(conn: Connection, table: Table) -> int:
    return int(conn.execute(select(func.count()).select_from(table)).scalar_one())
