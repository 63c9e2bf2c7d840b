"""Alerts and who has them: opened, offered, accepted, closed, each step written down.

Reading takes a `Scope`: an alert of a school outside it does not exist. Acting takes the id of an
alert that was read that way. The first person to accept has it; closing needs a person, an outcome
and a sealed reason, and silences the alert's timers.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

from sqlalchemy import ColumnElement, Connection, Select, case, func, insert, select, update

from storage.rights.alive import alive
from storage.schema import (
    alert_events,
    alerts,
    children,
    classes,
    persons,
    profiles,
    schools,
    timers,
    users,
    waves,
)
from storage.scope import Scope
from storage.trail.audit import AuditRow, record

AlertState = Literal["opened", "offered", "accepted", "closed"]
Outcome = Literal["confirmed", "not_confirmed", "not_found"]
Filter = AlertState | Literal["open"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
OPEN: tuple[AlertState, ...] = ("opened", "offered", "accepted")
UNOWNED: tuple[AlertState, ...] = ("opened", "offered")

NewId = Callable[[datetime], str]


class Step(Protocol):
    """What `accept` and `pass_on` have in common: a person's word on an alert."""

    def __call__(
        self,
        conn: Connection,
        *,
        alert_id: str,
        person_id: str,
        now: datetime,
        new_id: NewId,
        purpose: str = "care",
    ) -> bool:
        """Do it; False where it changed nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A staff member as a page can name her.

    Attributes:
        id: Her person id.
        sealed: Her name (persons.name, row = id), if the roster had one.
        login: Her login, if she has one.
    """

    id: str
    sealed: bytes | None
    login: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert with what its pages show; codes and places, no name of a child.

    Attributes:
        level: "urgent" or "high".
        rule: The rule that raised it.
        next_at: When its clock acts next (offers it on), None once nothing is due.
        reason: Why it was closed, sealed (alerts.reason, row = id).
    """

    id: str
    code: str
    level: str
    rule: str
    state: str
    child_id: str
    child_code: str
    school_id: str
    school: str
    grade: str | None
    class_name: str | None
    list_number: int | None
    wave_id: str
    wave: int
    owner: Who | None
    opened_at: datetime
    accepted_at: datetime | None
    closed_at: datetime | None
    next_at: datetime | None
    outcome: str | None
    reason: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStep:
    """One thing that happened to an alert; `who` is None where a clock did it."""

    kind: str
    who: Who | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProfile:
    """A child's sealed profile (profiles.body, row = `profile_row`)."""

    level: str
    rules: str
    as_of: datetime
    body: bytes


def profile_row(child_id: str, wave_id: str) -> str:
    """The row name a profile's body is sealed with: the table's key has two parts."""
    return f"{child_id}:{wave_id}"


def _timers_of(alert_id: ColumnElement[str] | str) -> ColumnElement[bool]:
    # The reference narrows by index, the key decides.
    return (timers.c.ref == alert_id) & timers.c.key.startswith("alert:")


_LOGIN = select(users.c.person_id, func.min(users.c.login).label("login")).group_by(
    users.c.person_id
)
_OWNER_LOGIN = _LOGIN.subquery("owner_login")
_ACTOR_LOGIN = _LOGIN.subquery("actor_login")
_NEXT = (
    select(func.min(timers.c.due_at))
    .where(_timers_of(alerts.c.id), timers.c.state == "due")
    .correlate(alerts)
    .scalar_subquery()
)
_ALERTS = (
    select(
        alerts,
        children.c.code.label("child_code"),
        children.c.list_number,
        schools.c.name.label("school"),
        classes.c.grade,
        classes.c.name.label("class_name"),
        waves.c.number.label("wave"),
        persons.c.name.label("owner_sealed"),
        _OWNER_LOGIN.c.login.label("owner_login"),
        _NEXT.label("next_at"),
    )
    .join(children, children.c.id == alerts.c.child_id)
    .join(schools, schools.c.id == alerts.c.school_id)
    .join(waves, waves.c.id == alerts.c.wave_id)
    .outerjoin(classes, classes.c.id == children.c.class_id)
    .outerjoin(persons, persons.c.id == alerts.c.owner_id)
    .outerjoin(_OWNER_LOGIN, _OWNER_LOGIN.c.person_id == alerts.c.owner_id)
)
_WORST_FIRST = (
    case((alerts.c.level == "urgent", 0), else_=1),
    alerts.c.opened_at,
    alerts.c.id,
)


def alerts_in(
    conn: Connection,
    scope: Scope,
    *,
    state: Filter = "open",
    limit: int | None = None,
    skip: int = 0,
) -> list[AlertRow]:
    """Alerts of the scope's schools, urgent before high, oldest first; closed ones newest first.

    Args:
        conn: Open transaction.
        scope: Who asks, for which schools, why.
        state: One state, or "open" for all that are not closed.
        limit: The most to return; None for all.
        skip: How many to pass over first.
    """
    order = (alerts.c.closed_at.desc(), alerts.c.id) if state == "closed" else _WORST_FIRST
    asked = _in(_ALERTS, scope, state).order_by(*order).limit(limit).offset(skip)
    return [_alert(row) for row in conn.execute(asked)]


def count_alerts(conn: Connection, scope: Scope, *, state: Filter = "open") -> int:
    """How many alerts `alerts_in` has without a limit."""
    asked = _in(select(func.count()).select_from(alerts), scope, state)
    return int(conn.execute(asked).scalar_one())


def alert(conn: Connection, scope: Scope, code: str) -> AlertRow | None:
    """The alert with this code, or None where there is none in the scope's schools."""
    row = conn.execute(_ALERTS.where(alerts.c.code == code, _seen(scope))).one_or_none()
    return None if row is None else _alert(row)


def steps_of(conn: Connection, scope: Scope, alert_id: str) -> list[AlertStep]:
    """What happened to an alert so far, oldest first; empty outside the scope."""
    found = conn.execute(
        select(alert_events, persons.c.name.label("sealed"), _ACTOR_LOGIN.c.login)
        .join(alerts, alerts.c.id == alert_events.c.alert_id)
        .outerjoin(persons, persons.c.id == alert_events.c.actor_id)
        .outerjoin(_ACTOR_LOGIN, _ACTOR_LOGIN.c.person_id == alert_events.c.actor_id)
        .where(alert_events.c.alert_id == alert_id, _seen(scope))
        .order_by(alert_events.c.at, alert_events.c.id)
    )
    return [
        AlertStep(kind=row.kind, who=_who(row.actor_id, row.sealed, row.login), at=row.at)
        for row in found
    ]


def profile_of(conn: Connection, scope: Scope, child_id: str, wave_id: str) -> StoredProfile | None:
    """The profile of a child in a wave, still sealed; None outside the scope."""
    found = conn.execute(
        select(profiles.c.level, profiles.c.rules, profiles.c.as_of, profiles.c.body).where(
            profiles.c.child_id == child_id,
            profiles.c.wave_id == wave_id,
            scope.within(profiles.c.school_id),
            alive(scope, child=profiles.c.child_id),
        )
    ).mappings()
    row = found.one_or_none()
    return None if row is None else StoredProfile(**row)


def accept(
    conn: Connection,
    *,
    alert_id: str,
    person_id: str,
    now: datetime,
    new_id: NewId,
    purpose: str = "care",
) -> bool:
    """Make a person the owner. False if somebody has the alert already, or it is closed."""
    taken = conn.execute(
        update(alerts)
        .where(alerts.c.id == alert_id, alerts.c.state.in_(UNOWNED))
        .values(state="accepted", owner_id=person_id, accepted_at=now)
        .returning(alerts.c.school_id)
    ).scalar_one_or_none()
    if taken is None:
        return False
    step = (alert_id, "accepted", person_id, taken)
    _note(conn, *step, now=now, new_id=new_id, purpose=purpose)
    return True


def pass_on(
    conn: Connection,
    *,
    alert_id: str,
    person_id: str,
    now: datetime,
    new_id: NewId,
    purpose: str = "care",
) -> bool:
    """A person does not take the alert, or gives it back; its clock acts at once.

    Returns:
        False if somebody else has it, or it is closed: then nothing changes.
    """
    passed = conn.execute(
        update(alerts)
        .where(
            alerts.c.id == alert_id,
            alerts.c.state.in_(UNOWNED)
            | ((alerts.c.state == "accepted") & (alerts.c.owner_id == person_id)),
        )
        .values(
            state=case((alerts.c.state == "accepted", "opened"), else_=alerts.c.state),
            owner_id=None,
            accepted_at=None,
        )
        .returning(alerts.c.school_id)
    ).scalar_one_or_none()
    if passed is None:
        return False
    conn.execute(
        update(timers)
        .where(_timers_of(alert_id), timers.c.state == "due", timers.c.due_at > now)
        .values(due_at=now)
    )
    step = (alert_id, "passed", person_id, passed)
    _note(conn, *step, now=now, new_id=new_id, purpose=purpose)
    return True


def close(
    conn: Connection,
    *,
    alert_id: str,
    person_id: str,
    outcome: Outcome,
    reason_sealed: bytes,
    now: datetime,
    new_id: NewId,
    purpose: str = "care",
) -> bool:
    """Close an accepted alert and silence its timers.

    Args:
        conn: Open write transaction.
        alert_id: An alert read in the closing person's scope.
        person_id: Who closes it.
        outcome: What was found.
        reason_sealed: Her reason, sealed for (alerts, reason, alert_id).
        now: When (aware, UTC).
        new_id: Makes row ids.
        purpose: Why; it stands in the audit row.

    Returns:
        False if nobody has accepted it yet, or it is closed.

    Raises:
        ValueError: The outcome is none of `OUTCOMES`, or the reason is empty.
    """
    if outcome not in OUTCOMES or not reason_sealed:
        raise ValueError("an alert is closed with an outcome and a reason")
    closed = conn.execute(
        update(alerts)
        .where(alerts.c.id == alert_id, alerts.c.state == "accepted")
        .values(state="closed", closed_at=now, outcome=outcome, reason=reason_sealed)
        .returning(alerts.c.school_id)
    ).scalar_one_or_none()
    if closed is None:
        return False
    conn.execute(
        update(timers)
        .where(_timers_of(alert_id), timers.c.state == "due")
        .values(state="done", reason="closed", done_at=now)
    )
    step = (alert_id, "closed", person_id, closed)
    _note(conn, *step, now=now, new_id=new_id, purpose=purpose)
    return True


def _note(
    conn: Connection,
    alert_id: str,
    kind: str,
    person_id: str,
    school_id: str,
    *,
    now: datetime,
    new_id: NewId,
    purpose: str,
) -> None:
    conn.execute(
        insert(alert_events).values(
            id=new_id(now), alert_id=alert_id, kind=kind, actor_id=person_id, at=now
        )
    )
    row = AuditRow(
        id=new_id(now),
        at=now,
        actor_kind="person",
        actor_id=person_id,
        verb=kind,
        object_kind="alerts",
        object_id=alert_id,
        school_id=school_id,
        purpose=purpose,
    )
    record(conn, [row])


def _in(statement: Select[Any], scope: Scope, state: Filter) -> Select[Any]:
    states = OPEN if state == "open" else (state,)
    return statement.where(_seen(scope), alerts.c.state.in_(states))


def _seen(scope: Scope) -> ColumnElement[bool]:
    return scope.within(alerts.c.school_id) & alive(scope, child=alerts.c.child_id)


def _who(person_id: str | None, sealed: bytes | None, login: str | None) -> Who | None:
    return None if person_id is None else Who(id=person_id, sealed=sealed, login=login)


def _alert(row: Any) -> AlertRow:
    plain = {f.name: getattr(row, f.name) for f in fields(AlertRow) if f.name != "owner"}
    return AlertRow(**plain, owner=_who(row.owner_id, row.owner_sealed, row.owner_login))
