"""Retention of what was told: the journals of questionnaires, whole waves, whole households.

In all of it a household under a legal hold is left out, and so is a child with an open alert, or
one that must be reported and was not.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)

from storage.rights.holds import standing
from storage.schema import (
    alert_events,
    alerts,
    answers,
    assignments,
    child_state,
    children,
    disputes,
    events,
    households,
    legal_holds,
    person_address,
    persons,
    profiles,
    requests,
    sessions,
    timers,
    waves,
)

MOST = 2000
"""Rows of one table in one transaction: the turns must not wait for a big cleaning."""


def held_households(now: datetime) -> Select[tuple[str]]:
    """Households under a hold."""
    return select(legal_holds.c.household_id).where(standing(now))


def free_child(column: Column[Any], now: datetime) -> ColumnElement[bool]:
    """A row about nobody, or about a child whose household is not held."""
    held = select(children.c.id).where(children.c.household_id.in_(held_households(now)))
    return or_(column.is_(None), column.not_in(held))


def free_person(column: Column[Any], now: datetime) -> ColumnElement[bool]:
    """A row of nobody, or of somebody whose household is not held."""
    held = select(persons.c.id).where(persons.c.household_id.in_(held_households(now)))
    return or_(column.is_(None), column.not_in(held))


def free_address(column: Column[Any], now: datetime) -> ColumnElement[bool]:
    """A row at an address of nobody whose household is held."""
    held = (
        select(person_address.c.address_id)
        .join(persons, persons.c.id == person_address.c.person_id)
        .where(persons.c.household_id.in_(held_households(now)))
    )
    return or_(column.is_(None), column.not_in(held))


def journals_due(before: datetime, now: datetime) -> Select[int, Any]:
    """How many journals have been kept long enough, and when the oldest ended."""
    asked = _ended_sessions(before, now)
    return asked.with_only_columns(func.count(), func.min(sessions.c.ended_at))


def assessments_due(before: datetime, now: datetime) -> Select[int, Any]:
    """How many questionnaires of closed waves have been kept long enough, and since when."""
    asked = _old_sessions(before, now)
    return asked.with_only_columns(func.count(), func.min(waves.c.closes_at))


def departed_due(before: datetime, now: datetime) -> Select[int, Any]:
    """How many households have left for long enough, and since when."""
    ids = _departed(before, now).order_by(None).subquery()
    return select(
        func.count(func.distinct(children.c.household_id)), func.min(children.c.left_at)
    ).where(children.c.household_id.in_(select(ids.c.id)))


def departed(conn: Connection, *, before: datetime, now: datetime) -> list[str]:
    """Households to be erased: every child left before a moment, nothing open, no hold."""
    return list(conn.execute(_departed(before, now).limit(MOST)).scalars())


def _ended_sessions(before: datetime, now: datetime) -> Select[Any]:
    return (
        select(sessions.c.id)
        .select_from(sessions)
        .where(
            sessions.c.ended_at < before,
            sessions.c.cut_at.is_(None),
            free_child(sessions.c.child_id, now),
            free_person(sessions.c.person_id, now),
            or_(
                sessions.c.household_id.is_(None),
                sessions.c.household_id.not_in(held_households(now)),
            ),
        )
    )


def cut_journals(conn: Connection, before: datetime, now: datetime) -> int:
    """Let the events of ended questionnaires go; returns how many questionnaires."""
    ids = list(conn.execute(_ended_sessions(before, now).limit(MOST)).scalars())
    conn.execute(delete(events).where(events.c.session_id.in_(ids)))
    conn.execute(update(sessions).where(sessions.c.id.in_(ids)).values(cut_at=now))
    return len(ids)


def _old_sessions(before: datetime, now: datetime) -> Select[Any]:
    """Sessions of waves that closed before a moment, about nobody with an open alert or a hold."""
    open_alert = (
        select(alerts.c.id)
        .where(
            alerts.c.child_id == sessions.c.child_id,
            alerts.c.wave_id == sessions.c.wave_id,
            _open_matter(),
        )
        .exists()
    )
    return (
        select(sessions.c.id)
        .select_from(sessions.join(waves, waves.c.id == sessions.c.wave_id))
        .where(
            waves.c.closes_at < before,
            free_child(sessions.c.child_id, now),
            free_person(sessions.c.person_id, now),
            ~open_alert,
            or_(sessions.c.class_id.is_(None), sessions.c.class_id.not_in(_held_classes(now))),
        )
    )


def _held_classes(now: datetime) -> Select[tuple[Any]]:
    return select(children.c.class_id).where(
        children.c.household_id.in_(held_households(now)), children.c.class_id.is_not(None)
    )


def _open_matter() -> ColumnElement[bool]:
    unreported = and_(alerts.c.reportable == "yes", alerts.c.reported_at.is_(None))
    return or_(alerts.c.state != "closed", unreported)


def let_go(conn: Connection, before: datetime, now: datetime) -> int:
    """Everything of closed waves: questionnaires first, in parts, then what was made of them."""
    ids = list(conn.execute(_old_sessions(before, now).limit(MOST)).scalars())
    for table in (disputes, events, answers):
        conn.execute(delete(table).where(table.c.session_id.in_(ids)))
    conn.execute(delete(timers).where(timers.c.ref.in_(ids)))
    conn.execute(delete(sessions).where(sessions.c.id.in_(ids)))
    return len(ids) + _results(conn, before, now)


def _results(conn: Connection, before: datetime, now: datetime) -> int:
    """Bands, profiles, closed alerts and offers of an old wave, where no session is left."""
    old = select(waves.c.id).where(waves.c.closes_at < before)
    open_about = select(alerts.c.child_id).where(_open_matter())

    def over(child: Column[Any], wave: Column[Any]) -> ColumnElement[bool]:
        told = select(sessions.c.id).where(sessions.c.child_id == child, sessions.c.wave_id == wave)
        return and_(wave.in_(old), ~told.exists(), child.not_in(open_about), free_child(child, now))

    gone = select(alerts.c.id).where(over(alerts.c.child_id, alerts.c.wave_id))
    ids = list(conn.execute(gone.limit(MOST)).scalars())
    for table, column in ((alert_events, alert_events.c.alert_id), (timers, timers.c.ref)):
        conn.execute(delete(table).where(column.in_(ids)))
    conn.execute(delete(alerts).where(alerts.c.id.in_(ids)))
    count = len(ids)
    for results in (child_state, profiles):
        hit = over(results.c.child_id, results.c.wave_id)
        count += int(conn.execute(delete(results).where(hit)).rowcount)
    used = select(sessions.c.id).where(sessions.c.assignment_id == assignments.c.id)
    given = conn.execute(
        delete(assignments).where(
            assignments.c.wave_id.in_(old),
            ~used.exists(),
            free_child(assignments.c.child_id, now),
            free_person(assignments.c.person_id, now),
        )
    )
    return count + int(given.rowcount)


def _departed(before: datetime, now: datetime) -> Select[Any]:
    of = children.c.household_id == households.c.id
    still_here = select(children.c.id).where(
        of, or_(children.c.left_at.is_(None), children.c.left_at >= before)
    )
    at_work = (
        select(alerts.c.id)
        .join(children, children.c.id == alerts.c.child_id)
        .where(of, _open_matter())
    )
    asked = select(requests.c.id).where(
        requests.c.household_id == households.c.id,
        requests.c.state.in_(("open", "held", "second")),
    )
    return (
        select(households.c.id)
        .select_from(households)
        .where(
            households.c.erased_at.is_(None),
            select(children.c.id).where(of).exists(),
            ~still_here.exists(),
            ~at_work.exists(),
            ~asked.exists(),
            households.c.id.not_in(held_households(now)),
        )
        .order_by(households.c.id)
    )
