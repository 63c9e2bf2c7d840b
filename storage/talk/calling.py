"""Calls that were not taken: how often a number was written back to, and whose it may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from flows.messages import ChannelName
from storage.schema import addresses, persons, tasks, timers

KIND = "call"


def written_back(conn: Connection, address_id: str, *, since: datetime) -> list[datetime]:
    """When calls from this address were answered by a message, since then, oldest first."""
    found = conn.execute(
        select(timers.c.done_at)
        .where(
            timers.c.ref == address_id,
            timers.c.kind == KIND,
            timers.c.state == "done",
            timers.c.done_at > since,
        )
        .order_by(timers.c.done_at)
    )
    return list(found.scalars())


def listed_until(conn: Connection, person_id: str, kind: str) -> datetime | None:
    """When the open task of this kind about her is due; None where there is none."""
    found = conn.execute(
        select(tasks.c.due_at)
        .where(tasks.c.person_id == person_id, tasks.c.kind == kind, tasks.c.state == "open")
        .order_by(tasks.c.due_at)
        .limit(1)
    )
    return found.scalar_one_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody we know by the number that rang; `opted_out`: STOP holds for her."""

    person_id: str
    school_id: str | None
    language: str
    opted_out: bool


def caller_at(
    conn: Connection, *, channel: ChannelName, account: str, blinds: Sequence[str | None]
) -> Caller | None:
    """Who is reached at an address of another channel, by its blind indexes; None for nobody."""
    wanted = [blind for blind in blinds if blind]
    found = conn.execute(
        select(persons.c.id, persons.c.school_id, persons.c.language, addresses.c.opted_out_at)
        .join(addresses, addresses.c.person_id == persons.c.id)
        .where(
            addresses.c.channel == channel,
            addresses.c.account == account,
            or_(addresses.c.blind.in_(wanted), addresses.c.blind2.in_(wanted)),
        )
    ).first()
    if found is None:
        return None
    return Caller(
        person_id=found.id,
        school_id=found.school_id,
        language=found.language,
        opted_out=found.opted_out_at is not None,
    )
