"""Whom to invite, and to remind once: people staff entered, who agreed to be written to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from flows.messages import ChannelName
from storage.schema import (
    addresses,
    assignments,
    children,
    consents,
    persons,
    schools,
    sessions,
    timers,
)

AGAIN = ":again"
"""How the key of a reminder ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """Somebody to invite and where she is reached."""

    assignment_id: str
    person_id: str
    household_id: str | None
    address_id: str
    channel: ChannelName
    language: str
    school: str
    school_id: str
    child_id: str
    wave_id: str


def to_invite(conn: Connection, *, limit: int) -> list[Invitee]:
    """Due enrolments without an invitation of people who agreed to be written to.

    One address each, none opted out.

    Whoever is in the middle of a questionnaire is left in peace: her digits belong to it.
    """
    return _one_each(conn, _waiting(~_sent()).limit(limit))


def to_remind(conn: Connection, *, before: datetime, limit: int) -> list[Invitee]:
    """Those invited before a moment who have not begun to join, and were not reminded yet."""
    again = _waiting(_sent(before=before), ~_sent(AGAIN)).limit(limit)
    return _one_each(conn, again)


def _one_each(conn: Connection, wanted: Select[Any]) -> list[Invitee]:
    found = conn.execute(wanted).mappings()
    seen: set[str] = set()
    out = []
    for row in found:
        if row["assignment_id"] not in seen:
            seen.add(row["assignment_id"])
            out.append(Invitee(**row))
    return out


def count_to_invite(conn: Connection) -> int:
    """How many people `to_invite` would give without a limit."""
    waiting = _waiting(~_sent()).order_by(None).subquery()
    counted = select(func.count(waiting.c.assignment_id.distinct()))
    return int(conn.execute(counted).scalar_one())


def _sent(again: str = "", *, before: datetime | None = None) -> ColumnElement[bool]:
    """Whether an invitation was dealt with; `before`: whether it went out, and before then."""
    found = select(timers.c.key).where(timers.c.key == "invite:" + assignments.c.id + again)
    if before is not None:
        found = found.where(timers.c.state == "done", timers.c.done_at <= before)
    return found.exists()


def _waiting(*more: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            assignments.c.id.label("assignment_id"),
            assignments.c.person_id,
            persons.c.household_id,
            addresses.c.id.label("address_id"),
            addresses.c.channel,
            persons.c.language,
            schools.c.name.label("school"),
            schools.c.id.label("school_id"),
            assignments.c.child_id,
            assignments.c.wave_id,
        )
        .join(persons, persons.c.id == assignments.c.person_id)
        .join(addresses, addresses.c.person_id == assignments.c.person_id)
        .join(children, children.c.id == assignments.c.child_id)
        .join(schools, schools.c.id == children.c.school_id)
        .where(
            assignments.c.form_id == "enrolment",
            assignments.c.state == "due",
            addresses.c.opted_out_at.is_(None),
            addresses.c.bad_at.is_(None),
            addresses.c.channel != "ussd",  # nothing is pushed there
            # Whether it still stands, the ledger's reader says.
            select(consents.c.id)
            .where(
                consents.c.child_id == assignments.c.child_id,
                consents.c.person_id == assignments.c.person_id,
                consents.c.purpose == "contact",
                consents.c.granted,
            )
            .exists(),
            ~select(sessions.c.id)
            .where(
                sessions.c.status == "open",
                or_(
                    sessions.c.person_id == assignments.c.person_id,
                    sessions.c.address_id == addresses.c.id,
                ),
            )
            .exists(),
            *more,
        )
        .order_by(assignments.c.id, addresses.c.id)
    )
