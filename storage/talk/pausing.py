"""Reminders that somebody asked for by LATER: each stands in the place of a nudge."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from storage.schema import timers
from storage.talk.nudging import Quiet, key_of, quiet_now

KIND = "nudge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A reminder whose time has come.

    Attributes:
        number: Which nudge it stands for.
        since: When she said LATER.
        session: What she put off; None where it is not open any more.
    """

    key: str
    number: int
    since: datetime
    session: Quiet | None


def pause(session_id: str, key: str, *, since: datetime, due_at: datetime) -> dict[str, object]:
    """The row of a reminder to come."""
    return {
        "key": key,
        "kind": KIND,
        "ref": session_id,
        "due_at": due_at,
        "data": {"since": since.isoformat()},
        "state": "due",
        "reason": None,
        "done_at": None,
    }


def due_pauses(conn: Connection, now: datetime, *, limit: int) -> list[Pause]:
    """Reminders to send now, the oldest first.

    Args:
        conn: Open transaction; their timers are locked against other workers.
        now: Aware.
        limit: The most to return.
    """
    rows = conn.execute(
        select(timers.c.key, timers.c.ref, timers.c.data)
        .where(timers.c.state == "due", timers.c.due_at <= now, timers.c.kind == KIND)
        .order_by(timers.c.due_at, timers.c.key)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    sessions = quiet_now(conn, {row.ref for row in rows})
    return [
        Pause(
            key=row.key,
            number=next(n for n in (1, 2) if key_of(row.ref, n) == row.key),
            since=datetime.fromisoformat(row.data["since"]),
            session=sessions.get(row.ref),
        )
        for row in rows
    ]


def settle(conn: Connection, key: str, *, reason: str, now: datetime) -> None:
    """A reminder is over: sent or not needed any more; with a reason it was left out."""
    state = "skipped" if reason else "done"
    conn.execute(
        update(timers)
        .where(timers.c.key == key)
        .values(state=state, reason=reason or None, done_at=now)
    )


def postpone(conn: Connection, key: str, due_at: datetime) -> None:
    """A reminder waits for an hour at which we may write."""
    conn.execute(update(timers).where(timers.c.key == key).values(due_at=due_at))
