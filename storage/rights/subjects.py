"""Everything kept about one person and the children she cares for, still sealed, for her file.

Reading takes a `Scope`: a person of a school outside it does not exist. What she may be given of
this is decided in `bot.rights.withholding`; here nothing is left out but what is not hers to ask.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, and_, func, or_, select

from storage.schema import (
    addresses,
    alerts,
    answers,
    audit,
    child_caregiver,
    child_state,
    children,
    consents,
    disputes,
    person_address,
    persons,
    profiles,
    schools,
    sessions,
    users,
    waves,
)
from storage.scope import Scope

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The person a file is about; `name` is sealed (persons.name, row = id)."""

    id: str
    household_id: str | None
    school_id: str | None
    school: str | None
    kind: str
    name: bytes | None
    language: str
    shared_phone: bool | None
    safe_hour: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cared:
    """A child she cares for; `name` is sealed (children.name, row = id)."""

    id: str
    household_id: str
    school_id: str
    class_id: str | None
    code: str
    list_number: int | None
    sex: str
    birth_month: str
    name: bytes | None
    capacity: str
    from_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A number or chat of hers; `value` is sealed (addresses.value, row = id).

    Attributes:
        people: How many people answer there now; more than one makes its messages not hers alone.
    """

    id: str
    channel: str
    value: bytes
    opted_out_at: datetime | None
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """A word of hers in the consent ledger."""

    id: str
    child_id: str | None
    purpose: str
    granted: bool
    capacity: str
    text_version: str
    language: str
    channel: str
    mode: str
    at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer that stands; `text` is sealed (answers.text, row = `said_row`)."""

    session_id: str
    person_id: str | None
    class_id: str | None
    child_id: str | None
    wave_id: str | None
    form_id: str
    version: str
    item: str
    revision: int
    informant: str
    state: str
    value: str | None
    text: bytes | None
    at: datetime
    disputed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Somebody of the team looked at her or her children, or changed something."""

    role: str
    verb: str
    object_kind: str
    object_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A child's sealed profile in a wave (profiles.body, row = `cases.profile_row`)."""

    child_id: str
    wave_id: str
    wave: int
    level: str
    body: bytes
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert about one of her children, as far as the rules of withholding look at it."""

    id: str
    child_id: str
    wave_id: str
    level: str
    rule: str
    state: str
    reportable: str | None
    reported_at: datetime | None
    opened_at: datetime
    protection_band: str | None


def said_row(said: Said) -> str:
    """The row name an answer's text is sealed with: the table's key has three parts."""
    return f"{said.session_id}:{said.item}:{said.revision}"


def subject(conn: Connection, scope: Scope, person_id: str) -> Subject | None:
    """The person; None outside the scope."""
    asked = (
        _columns(persons, Subject, {"school": schools.c.name})
        .select_from(persons)
        .outerjoin(schools, schools.c.id == persons.c.school_id)
        .where(persons.c.id == person_id, scope.within(persons.c.school_id))
    )
    return next(iter(_rows(conn, asked, Subject)), None)


def cared_for(conn: Connection, scope: Scope, person_id: str) -> list[Cared]:
    """The children she cares for now, in scope, oldest link first."""
    asked = (
        _columns(
            children,
            Cared,
            {"capacity": child_caregiver.c.capacity, "from_at": child_caregiver.c.from_at},
        )
        .select_from(children)
        .join(child_caregiver, child_caregiver.c.child_id == children.c.id)
        .where(
            child_caregiver.c.person_id == person_id,
            child_caregiver.c.until_at.is_(None),
            scope.within(children.c.school_id),
        )
        .order_by(child_caregiver.c.from_at, children.c.id)
    )
    return _rows(conn, asked, Cared)


def reached_at(conn: Connection, person_id: str) -> list[Reached]:
    """Her addresses of today."""
    people = (
        select(func.count())
        .where(person_address.c.address_id == addresses.c.id, person_address.c.until_at.is_(None))
        .correlate(addresses)
        .scalar_subquery()
    )
    asked = (
        _columns(addresses, Reached, {"people": people})
        .select_from(addresses)
        .join(person_address, person_address.c.address_id == addresses.c.id)
        .where(person_address.c.person_id == person_id, person_address.c.until_at.is_(None))
        .order_by(addresses.c.id)
    )
    return _rows(conn, asked, Reached)


def agreed_by(conn: Connection, person_id: str) -> list[Agreed]:
    """Her words in the consent ledger, oldest first."""
    asked = (
        _columns(consents, Agreed, {})
        .where(consents.c.person_id == person_id)
        .order_by(consents.c.at, consents.c.id)
    )
    return _rows(conn, asked, Agreed)


def said_about(
    conn: Connection,
    *,
    person_id: str,
    child_ids: Collection[str],
    class_ids: Collection[str] = (),
) -> list[Said]:
    """Answers that stand: hers, all about these children, and screens of these classes.

    The newest revision of each item of a session, in the order given.
    """
    newest = (
        select(
            answers.c.session_id.label("of"),
            answers.c.item.label("about"),
            func.max(answers.c.revision).label("last"),
        )
        .group_by(answers.c.session_id, answers.c.item)
        .subquery()
    )
    disputed = (
        select(disputes.c.id)
        .where(
            disputes.c.session_id == answers.c.session_id,
            disputes.c.item == answers.c.item,
            disputes.c.ended_at.is_(None),
        )
        .correlate(answers)
        .exists()
    )
    asked = (
        _columns(
            answers,
            Said,
            {
                "person_id": sessions.c.person_id,
                "class_id": sessions.c.class_id,
                "disputed": disputed,
            },
        )
        .select_from(answers)
        .join(sessions, sessions.c.id == answers.c.session_id)
        .join(
            newest,
            and_(
                newest.c.of == answers.c.session_id,
                newest.c.about == answers.c.item,
                newest.c.last == answers.c.revision,
            ),
        )
        .where(
            or_(
                sessions.c.person_id == person_id,
                answers.c.child_id.in_(sorted(child_ids)),
                sessions.c.class_id.in_(sorted(class_ids)),
            )
        )
        .order_by(sessions.c.started_at, answers.c.session_id, answers.c.at, answers.c.revision)
    )
    return _rows(conn, asked, Said)


def looked_at(conn: Connection, object_ids: Collection[str]) -> list[Looked]:
    """Who of the team looked at or changed any of these, by role, oldest first."""
    asked = (
        select(
            func.coalesce(users.c.role, audit.c.actor_kind).label("role"),
            audit.c.verb,
            audit.c.object_kind,
            audit.c.object_id,
            audit.c.at,
        )
        .outerjoin(
            users,
            or_(
                users.c.id == audit.c.actor_id,
                and_(users.c.person_id == audit.c.actor_id, audit.c.actor_kind == "person"),
            ),
        )
        .where(audit.c.object_id.in_(sorted(object_ids)), audit.c.actor_kind != "system")
        .order_by(audit.c.at, audit.c.id)
    )
    return _rows(conn, asked, Looked)


def judged(conn: Connection, child_ids: Collection[str]) -> list[Judged]:
    """Profiles of these children, oldest wave first."""
    asked = (
        _columns(profiles, Judged, {"wave": waves.c.number})
        .select_from(profiles)
        .join(waves, waves.c.id == profiles.c.wave_id)
        .where(profiles.c.child_id.in_(sorted(child_ids)))
        .order_by(waves.c.number, profiles.c.child_id)
    )
    return _rows(conn, asked, Judged)


def raised(conn: Connection, child_ids: Collection[str]) -> list[Raised]:
    """Alerts about these children, with the band of protection in their wave."""
    asked = (
        _columns(alerts, Raised, {"protection_band": child_state.c.band})
        .select_from(alerts)
        .outerjoin(
            child_state,
            and_(
                child_state.c.child_id == alerts.c.child_id,
                child_state.c.wave_id == alerts.c.wave_id,
                child_state.c.domain == "protection",
            ),
        )
        .where(alerts.c.child_id.in_(sorted(child_ids)))
        .order_by(alerts.c.opened_at, alerts.c.id)
    )
    return _rows(conn, asked, Raised)


def _columns(table: Any, row: type[Any], others: dict[str, Any]) -> Select[Any]:
    """The columns a row class wants, from `others` where they are not the table's own."""
    wanted = []
    for field in fields(row):
        column = others.get(field.name)
        wanted.append((table.c[field.name] if column is None else column).label(field.name))
    return select(*wanted)


def _rows(conn: Connection, asked: Select[Any], row: type[Row]) -> list[Row]:
    found: Sequence[Any] = conn.execute(asked).mappings().all()
    return [row(**each) for each in found]
