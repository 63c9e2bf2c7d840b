"""What an alert needs for words of danger: whether there was one just now, whom it is about."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from storage.schema import child_caregiver, schools, timers, waves

KIND = "crisis"


def raised_since(conn: Connection, refs: Collection[str], since: datetime) -> bool:
    """Whether words of danger of one of these (person, address) were acted on after `since`."""
    found = conn.execute(
        select(timers.c.key)
        .where(timers.c.ref.in_(sorted(set(refs))), timers.c.kind == KIND, timers.c.due_at > since)
        .limit(1)
    )
    return found.first() is not None


def note(ref: str, now: datetime) -> dict[str, object]:
    """The timer row that says so; its key makes it once a moment."""
    return {
        "key": f"{KIND}:{ref}:{now:%Y%m%dT%H%M%S%f}",
        "kind": KIND,
        "ref": ref,
        "due_at": now,
        "data": {},
        "state": "done",
        "reason": None,
        "done_at": now,
    }


def cared_for(conn: Connection, person_id: str) -> str | None:
    """The child she has cared for the shortest time, as far as we know; None if there is none."""
    found = conn.execute(
        select(child_caregiver.c.child_id)
        .where(child_caregiver.c.person_id == person_id, child_caregiver.c.until_at.is_(None))
        .order_by(child_caregiver.c.from_at.desc(), child_caregiver.c.child_id)
        .limit(1)
    )
    return found.scalar_one_or_none()


def newest_wave(conn: Connection, programme_id: str, now: datetime) -> str | None:
    """The newest wave that has begun, closed or not: danger does not wait for the next one."""
    found = conn.execute(
        select(waves.c.id)
        .where(waves.c.programme_id == programme_id, waves.c.opens_at <= now)
        .order_by(waves.c.number.desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


def any_school(conn: Connection) -> str | None:
    """A school whose team may look after a stranger: the first we ever knew."""
    return conn.execute(select(schools.c.id).order_by(schools.c.id).limit(1)).scalar_one_or_none()
