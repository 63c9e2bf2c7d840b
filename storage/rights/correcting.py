"""Correcting what is kept about a person, and marking answers that somebody calls wrong."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from storage.schema import (
    addresses,
    answers,
    child_caregiver,
    children,
    disputes,
    outbox,
    person_address,
    persons,
    profiles,
    requests,
    sessions,
)
from storage.scope import Scope


def person(conn: Connection, person_id: str) -> Any:
    """What is kept of a person that can be corrected: name (sealed), language, phone habits."""
    return conn.execute(
        select(
            persons.c.name, persons.c.language, persons.c.shared_phone, persons.c.safe_hour
        ).where(persons.c.id == person_id)
    ).one()


def set_person(conn: Connection, person_id: str, **values: object) -> None:
    """Correct columns of a person; her language is her addresses' language too."""
    conn.execute(update(persons).where(persons.c.id == person_id).values(**values))
    if "language" in values:
        conn.execute(
            update(addresses)
            .where(addresses.c.person_id == person_id)
            .values(language=values["language"])
        )


def set_child(conn: Connection, child_id: str, **values: object) -> None:
    """Correct columns of a child."""
    conn.execute(update(children).where(children.c.id == child_id).values(**values))


def set_capacity(conn: Connection, *, child_id: str, person_id: str, capacity: str) -> None:
    """Correct what a person is to a child. What she said when she consented stays in the ledger."""
    conn.execute(
        update(child_caregiver)
        .where(
            child_caregiver.c.child_id == child_id,
            child_caregiver.c.person_id == person_id,
            child_caregiver.c.until_at.is_(None),
        )
        .values(capacity=capacity)
    )


def account_of(conn: Connection, address_id: str) -> str:
    """Our own account that an address writes to."""
    return str(
        conn.execute(select(addresses.c.account).where(addresses.c.id == address_id)).scalar_one()
    )


def leave_address(conn: Connection, *, address_id: str, person_id: str, now: datetime) -> None:
    """An address is hers no more: what was on its way to her there is not sent.

    Somebody else who has the phone keeps it.
    """
    conn.execute(
        update(person_address)
        .where(
            person_address.c.person_id == person_id,
            person_address.c.address_id == address_id,
            person_address.c.until_at.is_(None),
        )
        .values(until_at=now)
    )
    other = conn.execute(
        select(person_address.c.person_id)
        .where(person_address.c.address_id == address_id, person_address.c.until_at.is_(None))
        .order_by(person_address.c.from_at.desc())
        .limit(1)
    ).scalar()
    conn.execute(
        update(addresses)
        .where(addresses.c.id == address_id, addresses.c.person_id == person_id)
        .values(person_id=other, open_prompt=None)
    )
    conn.execute(
        update(outbox)
        .where(
            outbox.c.address_id == address_id,
            outbox.c.person_id == person_id,
            outbox.c.state == "queued",
        )
        .values(state="expired", final_at=now, body=None)
    )


def judged_waves(conn: Connection, child_id: str) -> list[str]:
    """The waves in which a child has a profile."""
    return list(
        conn.execute(select(profiles.c.wave_id).where(profiles.c.child_id == child_id)).scalars()
    )


def answer_of(conn: Connection, *, session_id: str, item: str) -> Any:
    """Whom an answer is about and who gave it (child_id, person_id); None for no such answer."""
    return conn.execute(
        select(answers.c.child_id, sessions.c.person_id)
        .join(sessions, sessions.c.id == answers.c.session_id)
        .where(answers.c.session_id == session_id, answers.c.item == item)
        .limit(1)
    ).one_or_none()


def mark_disputed(
    conn: Connection,
    mark_id: str,
    *,
    session_id: str,
    item: str,
    child_id: str | None,
    request_id: str,
    now: datetime,
) -> bool:
    """Mark an answer as disputed; False where it is marked already."""
    marked = conn.execute(
        select(disputes.c.id).where(
            disputes.c.session_id == session_id,
            disputes.c.item == item,
            disputes.c.ended_at.is_(None),
        )
    ).first()
    if marked is not None:
        return False
    conn.execute(
        insert(disputes).values(
            id=mark_id,
            session_id=session_id,
            item=item,
            child_id=child_id,
            request_id=request_id,
            at=now,
        )
    )
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An answer that somebody calls wrong; `child` is the code of the child it is about."""

    id: str
    session_id: str
    form_id: str
    version: str
    item: str
    child: str | None
    at: datetime


def marks(conn: Connection, scope: Scope, request_id: str) -> list[Mark]:
    """The marks of a request in scope that stand, oldest first."""
    found = conn.execute(
        select(
            disputes.c.id,
            disputes.c.session_id,
            sessions.c.form_id,
            sessions.c.version,
            disputes.c.item,
            children.c.code.label("child"),
            disputes.c.at,
        )
        .join(sessions, sessions.c.id == disputes.c.session_id)
        .join(requests, requests.c.id == disputes.c.request_id)
        .outerjoin(children, children.c.id == disputes.c.child_id)
        .where(
            disputes.c.request_id == request_id,
            disputes.c.ended_at.is_(None),
            scope.within(requests.c.school_id),
        )
        .order_by(disputes.c.at, disputes.c.id)
    ).mappings()
    return [Mark(**row) for row in found]


def settle(conn: Connection, *, mark_id: str, now: datetime) -> bool:
    """Take the mark off an answer; False where somebody has done so before."""
    done = conn.execute(
        update(disputes)
        .where(disputes.c.id == mark_id, disputes.c.ended_at.is_(None))
        .values(ended_at=now)
    )
    return done.rowcount == 1


def disputed_items(
    conn: Connection, scope: Scope, child_ids: Collection[str]
) -> set[tuple[str, str]]:
    """(child, `form/item`) of answers about these children that somebody calls wrong."""
    found = conn.execute(
        select(disputes.c.child_id, sessions.c.form_id, disputes.c.item)
        .join(sessions, sessions.c.id == disputes.c.session_id)
        .join(children, children.c.id == disputes.c.child_id)
        .where(
            disputes.c.child_id.in_(sorted(set(child_ids))),
            disputes.c.ended_at.is_(None),
            scope.within(children.c.school_id),
        )
    )
    return {(row.child_id, f"{row.form_id}/{row.item}") for row in found}
