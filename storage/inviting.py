"""Whom to invite: people staff entered, who agreed to be written to and were not invited yet."""

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from flows.messages import ChannelName
from storage.schema import (
    addresses,
    assignments,
    children,
    persons,
    schools,
    sessions,
    timers,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """Somebody to invite and where she is reached."""

    assignment_id: str
    person_id: str
    address_id: str
    channel: ChannelName
    language: str
    school: str


def to_invite(conn: Connection, *, limit: int) -> list[Invitee]:
    """Due enrolments by staff entry without an invitation; one address each, none opted out.

    Whoever is in the middle of a questionnaire is left in peace: her digits belong to it.
    """
    found = conn.execute(
        select(
            assignments.c.id.label("assignment_id"),
            assignments.c.person_id,
            addresses.c.id.label("address_id"),
            addresses.c.channel,
            persons.c.language,
            schools.c.name.label("school"),
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
            ~select(sessions.c.id)
            .where(
                sessions.c.status == "open",
                or_(
                    sessions.c.person_id == assignments.c.person_id,
                    sessions.c.address_id == addresses.c.id,
                ),
            )
            .exists(),
            ~select(timers.c.key).where(timers.c.key == "invite:" + assignments.c.id).exists(),
        )
        .order_by(assignments.c.id, addresses.c.id)
        .limit(limit)
    ).mappings()
    seen: set[str] = set()
    out = []
    for row in found:
        if row["assignment_id"] not in seen:
            seen.add(row["assignment_id"])
            out.append(Invitee(**row))
    return out
