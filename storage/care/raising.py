"""Alerts as the turn and the clock handle them: raised once by key, sent until somebody has one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.care.cases import UNOWNED
from storage.schema import alert_events, alerts, person_roles, timers

# The key alone may conflict: an alert whose random code is taken must be raised with another one,
# never dropped.
_RAISE = {
    name: dialect.insert(alerts)
    .on_conflict_do_nothing(index_elements=["key"])
    .returning(alerts.c.key)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_PASSED = (
    select(alert_events.c.id)
    .where(
        alert_events.c.alert_id == alerts.c.id,
        alert_events.c.actor_id == person_roles.c.person_id,
        alert_events.c.kind == "passed",
    )
    .exists()
)
_OFFERED = (
    select(person_roles.c.person_id, alerts.c.id, alerts.c.code)
    .join(alerts, alerts.c.school_id == person_roles.c.school_id)
    .where(
        person_roles.c.person_id.in_(bindparam("ids", expanding=True)),
        person_roles.c.role.in_(bindparam("roles", expanding=True)),
        person_roles.c.until_at.is_(None),
        alerts.c.state.in_(UNOWNED),
    )
    .order_by(alerts.c.opened_at, alerts.c.id)
)
_STILL_OFFERED = _OFFERED.where(~_PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAlert:
    """An alert whose timer has come: nobody has it yet."""

    timer: str
    id: str
    code: str
    level: str
    school_id: str
    round: int


def raise_alerts(conn: Connection, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Insert alerts; returns the keys that are new. The same alert twice is impossible by key."""
    if not rows:
        return set()
    return set(conn.execute(_RAISE[conn.dialect.name], list(rows)).scalars())


def offered_to(
    conn: Connection,
    person_ids: Collection[str],
    *,
    roles: Collection[str],
    passed: bool = False,
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Alerts open to each of these staff, oldest first, as (id, code).

    Args:
        conn: Open transaction.
        person_ids: Staff.
        roles: The roles that the policy lets, each at the schools it is held at.
        passed: Also those she passed on: as long as nobody has it she may still take it by name.
    """
    out: dict[str, list[tuple[str, str]]] = {}
    if person_ids and roles:
        asked = {"ids": sorted(set(person_ids)), "roles": sorted(set(roles))}
        for row in conn.execute(_OFFERED if passed else _STILL_OFFERED, asked):
            pair = (row.id, row.code)
            if pair not in out.setdefault(row.person_id, []):
                out[row.person_id].append(pair)
    return {person: tuple(pairs) for person, pairs in out.items()}


def owned_code(conn: Connection, person_id: str, named: str) -> str:
    """The code of an alert she has accepted, by its id or code; empty where she has it not."""
    found = conn.execute(
        select(alerts.c.code).where(
            alerts.c.owner_id == person_id,
            alerts.c.state == "accepted",
            or_(alerts.c.id == named, alerts.c.code == named),
        )
    )
    return str(found.scalar_one_or_none() or "")


def passed_by(conn: Connection, alert_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Who passed each alert on."""
    found = conn.execute(
        select(alert_events.c.alert_id, alert_events.c.actor_id).where(
            alert_events.c.alert_id.in_(sorted(set(alert_ids))), alert_events.c.kind == "passed"
        )
    )
    out: dict[str, set[str]] = {}
    for row in found:
        out.setdefault(row.alert_id, set()).add(row.actor_id)
    return {alert: frozenset(people) for alert, people in out.items()}


def due_alerts(conn: Connection, now: datetime, *, limit: int) -> list[DueAlert]:
    """Alerts to be sent again, with their timers locked against other workers."""
    found = conn.execute(
        select(
            timers.c.key,
            alerts.c.id,
            alerts.c.code,
            alerts.c.level,
            alerts.c.school_id,
            alerts.c.round,
        )
        .join(alerts, alerts.c.id == timers.c.ref)
        .where(
            timers.c.state == "due",
            timers.c.due_at <= now,
            timers.c.kind == "alert",
            alerts.c.state.in_(UNOWNED),
        )
        .order_by(timers.c.due_at, timers.c.key)
        .limit(limit)
        .with_for_update(of=timers, skip_locked=True)
    )
    return [
        DueAlert(
            timer=r.key, id=r.id, code=r.code, level=r.level, school_id=r.school_id, round=r.round
        )
        for r in found
    ]


def note_sent_again(conn: Connection, alert: DueAlert, due_at: datetime) -> None:
    """The next round of an alert, and when its clock acts again.

    Somebody may have accepted it since it was found due: then it stays hers.
    """
    conn.execute(
        update(alerts)
        .where(alerts.c.id == alert.id, alerts.c.state.in_(UNOWNED))
        .values(round=alert.round + 1, state="offered")
    )
    conn.execute(update(timers).where(timers.c.key == alert.timer).values(due_at=due_at))
