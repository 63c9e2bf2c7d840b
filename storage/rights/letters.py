"""Messages of a person, and what her conversations were about at the moment of each.

A message's own words are free text: what she was being asked when she wrote says how they are to be
treated. What the team wrote about her children stands here too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, null, or_, select

from storage.schema import alerts, answers, events, inbox, outbox, sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message to or from her; `body` is sealed ({table}.body, row = id), gone once sent.

    `turn_at` is the moment of the turn that took it in, or that it was written in.
    """

    table: str
    id: str
    address_id: str
    kind: str
    state: str
    body: bytes | None
    at: datetime
    turn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A turn of one of her conversations: `item` where an answer was recorded in it.

    `complete`: nothing more will be asked in it.
    """

    session_id: str
    form_id: str
    version: str
    child_id: str | None
    wave_id: str | None
    complete: bool
    at: datetime
    item: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Why an alert about a child was closed, sealed (alerts.reason, row = id)."""

    id: str
    child_id: str
    reason: bytes
    at: datetime


def letters_of(conn: Connection, *, person_id: str, address_ids: Collection[str]) -> list[Letter]:
    """Messages from her addresses and to her, oldest first."""
    came = select(
        inbox.c.id,
        inbox.c.address_id,
        inbox.c.status.label("state"),
        inbox.c.body,
        inbox.c.received_at.label("at"),
        inbox.c.done_at.label("turn_at"),
    ).where(inbox.c.address_id.in_(sorted(address_ids)))
    went = select(
        outbox.c.id,
        outbox.c.address_id,
        outbox.c.message_class.label("kind"),
        outbox.c.state,
        outbox.c.body,
        func.coalesce(outbox.c.final_at, outbox.c.created_at, type_=outbox.c.created_at.type).label(
            "at"
        ),
        outbox.c.created_at.label("turn_at"),
    ).where(
        or_(
            outbox.c.person_id == person_id,
            and_(outbox.c.person_id.is_(None), outbox.c.address_id.in_(sorted(address_ids))),
        )
    )
    found = [
        Letter(table="inbox", kind="", **row) for row in map(dict, conn.execute(came).mappings())
    ]
    found += [Letter(table="outbox", **row) for row in map(dict, conn.execute(went).mappings())]
    return sorted(found, key=lambda letter: (letter.at, letter.id))


def moments_of(conn: Connection, *, person_id: str, address_ids: Collection[str]) -> list[Moment]:
    """The turns of the conversations of a person, on these addresses too, in order."""
    hers = or_(
        sessions.c.person_id == person_id, sessions.c.address_id.in_(sorted(set(address_ids)))
    )
    about = (
        sessions.c.id.label("session_id"),
        sessions.c.form_id,
        sessions.c.version,
        sessions.c.child_id,
        sessions.c.wave_id,
        (sessions.c.status == "completed").label("complete"),
    )
    turned = select(*about, events.c.at, null().label("item")).join(
        events, events.c.session_id == sessions.c.id
    )
    told = select(*about, answers.c.at, answers.c.item).join(
        answers, answers.c.session_id == sessions.c.id
    )
    found = [
        *conn.execute(turned.where(hers)).mappings(),
        *conn.execute(told.where(hers)).mappings(),
    ]
    moments = [Moment(**row) for row in found]
    return sorted(moments, key=lambda moment: (moment.at, moment.session_id))


def noted_about(conn: Connection, child_ids: Collection[str]) -> list[Noted]:
    """What the team wrote when it closed alerts about these children, oldest first."""
    found = conn.execute(
        select(alerts.c.id, alerts.c.child_id, alerts.c.reason, alerts.c.closed_at)
        .where(
            alerts.c.child_id.in_(sorted(set(child_ids))),
            alerts.c.reason.is_not(None),
            alerts.c.closed_at.is_not(None),
        )
        .order_by(alerts.c.closed_at, alerts.c.id)
    )
    return [Noted(id=r.id, child_id=r.child_id, reason=r.reason, at=r.closed_at) for r in found]
