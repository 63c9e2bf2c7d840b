"""What somebody wanted to be asked later: its clock, and how her questionnaire stands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from storage.schema import answers, sessions, timers
from storage.talk.conversations import SessionRow, columns

KIND = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAgain:
    """A clock of put-off questions that has come.

    Attributes:
        number: Which try it is, from 1; one more than the tries when it is to be given up.
        address_id: Where she put them off.
        since: When she did.
        reason: Why the try before led to nothing, if it did.
    """

    key: str
    number: int
    address_id: str
    since: datetime
    reason: str | None
    session: SessionRow


def key_of(session_id: str, number: int) -> str:
    """The key of a try: one for ever."""
    return f"{KIND}:{session_id}:{number}"


def timer(
    session_id: str,
    number: int,
    *,
    address_id: str,
    since: datetime,
    due_at: datetime,
    reason: str | None = None,
) -> dict[str, object]:
    """The row of a try to come."""
    return {
        "key": key_of(session_id, number),
        "kind": KIND,
        "ref": session_id,
        "due_at": due_at,
        "data": {"address": address_id, "since": since.isoformat(), "number": number},
        "state": "due",
        "reason": reason,
        "done_at": None,
    }


def due_again(conn: Connection, now: datetime, *, limit: int) -> list[DueAgain]:
    """Tries whose time has come, the oldest first.

    Args:
        conn: Open transaction.
        now: Aware, UTC.
        limit: The most to return.
    """
    found = conn.execute(
        select(
            timers.c.key,
            timers.c.data,
            timers.c.reason.label("why"),
            *columns(sessions, SessionRow),
        )
        .join(sessions, sessions.c.id == timers.c.ref)
        .where(timers.c.state == "due", timers.c.due_at <= now, timers.c.kind == KIND)
        .order_by(timers.c.due_at, timers.c.key)
        .limit(limit)
    ).all()
    return [
        DueAgain(
            key=row.key,
            number=row.data["number"],
            address_id=row.data["address"],
            since=datetime.fromisoformat(row.data["since"]),
            reason=row.why,
            session=SessionRow(*row[3:]),
        )
        for row in found
    ]


def gates(conn: Connection, session_ids: Collection[str], item: str) -> Mapping[str, str]:
    """The newest answer of each session to one item; nothing where it does not count any more."""
    found = conn.execute(
        select(answers.c.session_id, answers.c.value)
        .where(answers.c.session_id.in_(sorted(set(session_ids))), answers.c.item == item)
        .order_by(answers.c.revision)
    )
    latest = {row.session_id: row.value for row in found}
    return {session: value for session, value in latest.items() if value is not None}


def session_row(conn: Connection, session_id: str) -> SessionRow | None:
    """A session by its id, whatever its state; None once it was erased."""
    asked = select(*columns(sessions, SessionRow)).where(sessions.c.id == session_id)
    row = conn.execute(asked).one_or_none()
    return None if row is None else SessionRow(*row)


def settle(conn: Connection, key: str, *, state: str, reason: str | None, now: datetime) -> None:
    """A try is over: `done`, or `skipped` with the reason."""
    conn.execute(
        update(timers).where(timers.c.key == key).values(state=state, reason=reason, done_at=now)
    )


def postpone(conn: Connection, key: str, due_at: datetime) -> None:
    """A try waits for a better moment."""
    conn.execute(update(timers).where(timers.c.key == key).values(due_at=due_at))


def note_word(conn: Connection, session_id: str, reason: str) -> None:
    """Keep her own word with the try to come, as the reason if it leads to nothing."""
    conn.execute(
        update(timers)
        .where(timers.c.ref == session_id, timers.c.kind == KIND, timers.c.state == "due")
        .values(reason=reason)
    )
