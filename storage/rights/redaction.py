"""Messages that a provider still holds: planned from inbox and outbox, claimed, taken away there.

A message is planned once it is stored by us (inbound) or final (outbound), and never before. Its
work outlives the rows it came from, so that erasing a household does not leave its words with the
provider. A claim moves the due time ahead, longer at each attempt: that is lease and back-off in
one, so a worker that dies in between costs a delay and nothing else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    true,
    update,
)

from storage.schema import addresses, inbox, outbox, redactions

Step = Literal["redact", "delete"]

MAX_ATTEMPTS = 12
"""With the waits below, about a day."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
KEEPS_ITS_MESSAGES = ("telegram", "ussd")
"""Telegram has no store of its own to take messages from but the person's chat itself; a USSD
gateway's log knows sessions and no messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A handled message of the inbox; its sealed body knows the provider's id."""

    id: str
    address_id: str
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message that a provider holds.

    Attributes:
        id: The id of its row in inbox or outbox.
        address_id: Whose it is.
        provider_id: The provider's own id.
        media: How many attachments it came with; they are deleted, never fetched.
        step: `redact` empties the text, `delete` removes the whole record.
        attempts: How often it was tried, this time included.
    """

    id: str
    address_id: str
    provider_id: str
    media: int = 0
    step: Step = "redact"
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of a claimed row.

    Attributes:
        id: The row.
        next_at: When the record itself is to be deleted; None where all is done.
        retry_at: When to try again, where the provider named a time.
        error: Why it did not work, in a few words of ours; empty where it did.
        counts: Whether this used up an attempt.
    """

    id: str
    next_at: datetime | None = None
    retry_at: datetime | None = None
    error: str = ""
    counts: bool = True


def unplanned_letters(
    conn: Connection, *, most: int, address_ids: Collection[str] | None = None
) -> list[Letter]:
    """Handled messages of people that nobody has planned yet, locked, oldest first."""
    found = (
        select(inbox.c.id, inbox.c.address_id, inbox.c.body)
        .where(
            ~inbox.c.redaction_planned,
            *_held_by_others(inbox.c.channel),
            inbox.c.status.in_(("done", "poison")),
            _of(inbox.c.address_id, address_ids),
        )
        .order_by(inbox.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [Letter(id=r.id, address_id=r.address_id, body=r.body) for r in conn.execute(found)]


def unplanned_sends(
    conn: Connection, *, most: int, address_ids: Collection[str] | None = None
) -> list[Held]:
    """Final messages of ours that a provider took and nobody has planned yet, locked."""
    found = _sends(address_ids).limit(most).with_for_update(of=outbox, skip_locked=True)
    return [
        Held(id=r.id, address_id=r.address_id, provider_id=r.provider_id)
        for r in conn.execute(found)
    ]


def _sends(address_ids: Collection[str] | None) -> Select[tuple[str, str, str]]:
    return (
        select(outbox.c.id, outbox.c.address_id, outbox.c.provider_id)
        .join(addresses, addresses.c.id == outbox.c.address_id)
        .where(
            ~outbox.c.redaction_planned,
            outbox.c.provider_id.is_not(None),
            outbox.c.final_at.is_not(None),
            *_held_by_others(addresses.c.channel),
            _of(outbox.c.address_id, address_ids),
        )
        .order_by(outbox.c.id)
    )


def _held_by_others(channel: ColumnElement[str]) -> list[ColumnElement[bool]]:
    # One by one: the index over what is unplanned leaves Telegram out in these words.
    return [channel != name for name in KEEPS_ITS_MESSAGES]


def _of(column: ColumnElement[str], address_ids: Collection[str] | None) -> ColumnElement[bool]:
    return true() if address_ids is None else column.in_(sorted(address_ids))


def plan(conn: Connection, source: Table, held: Sequence[Held], *, due_at: datetime) -> None:
    """Put messages on the list and mark their rows in `source` (inbox or outbox) as planned."""
    if not held:
        return
    conn.execute(
        insert(redactions),
        [
            {
                "id": h.id,
                "address_id": h.address_id,
                "provider_id": h.provider_id,
                "media": h.media,
                "step": h.step,
                "state": "due",
                "attempts": 0,
                "due_at": due_at,
                "error": None,
            }
            for h in held
        ],
    )
    mark_planned(conn, source, [h.id for h in held])


def mark_planned(conn: Connection, source: Table, ids: Collection[str]) -> None:
    """These rows need no planning any more."""
    if ids:
        conn.execute(
            update(source).where(source.c.id.in_(sorted(ids))).values(redaction_planned=True)
        )


def claim(conn: Connection, *, now: datetime, most: int) -> list[Held]:
    """Up to `most` rows that are due, each resting until its next attempt would come."""
    due = (
        select(redactions)
        .where(redactions.c.state == "due", redactions.c.due_at <= now)
        .order_by(redactions.c.due_at, redactions.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = conn.execute(due).all()
    for attempts in sorted({r.attempts for r in rows}):
        conn.execute(
            update(redactions)
            .where(redactions.c.id.in_([r.id for r in rows if r.attempts == attempts]))
            .values(attempts=attempts + 1, due_at=now + wait_after(attempts + 1))
        )
    return [
        Held(
            id=r.id,
            address_id=r.address_id,
            provider_id=r.provider_id,
            media=r.media,
            step=r.step,
            attempts=r.attempts + 1,
        )
        for r in rows
    ]


def wait_after(attempts: int) -> timedelta:
    """How long a row rests after so many attempts: doubling, capped."""
    wait: timedelta = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return wait


def note(conn: Connection, endings: Sequence[Ending]) -> int:
    """Write what became of claimed rows; returns how many were given up.

    A row whose message is gone at the provider is gone here too. One that was given up stays, so
    that `doctor` can name it.
    """
    over = [e.id for e in endings if not e.error and e.next_at is None]
    if over:
        conn.execute(delete(redactions).where(redactions.c.id.in_(over)))
    for ending in endings:
        if ending.error or ending.next_at is not None:
            conn.execute(
                update(redactions).where(redactions.c.id == ending.id).values(_values(ending))
            )
    failed = [e.id for e in endings if e.error]
    if not failed:
        return 0
    given_up = conn.execute(
        update(redactions)
        .where(
            redactions.c.id.in_(failed),
            redactions.c.state == "due",
            redactions.c.attempts >= MAX_ATTEMPTS,
        )
        .values(state="given_up")
    )
    return int(given_up.rowcount)


def _values(ending: Ending) -> dict[str, Any]:
    if ending.next_at is not None:
        return {"step": "delete", "attempts": 0, "due_at": ending.next_at, "error": None}
    values: dict[str, Any] = {"error": ending.error[:64]}
    if not ending.counts:
        values["attempts"] = redactions.c.attempts - 1
    if ending.retry_at is not None:
        values["due_at"] = ending.retry_at
    return values


def hasten(conn: Connection, address_ids: Collection[str], *, now: datetime) -> int:
    """Let everything held of these addresses be deleted now, also what was given up before."""
    hurried = conn.execute(
        update(redactions)
        .where(redactions.c.address_id.in_(sorted(address_ids)))
        .values(step="delete", state="due", attempts=0, due_at=now)
    )
    return int(hurried.rowcount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How much providers still hold.

    Attributes:
        waiting: Rows to be redacted or deleted, now or later.
        late: Rows whose due time has passed for more than a day.
        given_up: Rows that were tried to the end.
        unplanned: Stored messages that nobody has planned.
    """

    waiting: int
    late: int
    given_up: int
    unplanned: int


def backlog(conn: Connection, *, now: datetime) -> Backlog:
    """What is left to do, for `doctor`."""
    is_due = redactions.c.state == "due"
    late = and_(is_due, redactions.c.due_at < now - timedelta(days=1))
    counted = conn.execute(
        select(
            func.count().filter(is_due),
            func.count().filter(late),
            func.count().filter(redactions.c.state == "given_up"),
        ).select_from(redactions)
    ).one()
    letters = select(inbox.c.id).where(
        ~inbox.c.redaction_planned,
        *_held_by_others(inbox.c.channel),
        inbox.c.status.in_(("done", "poison")),
    )
    unplanned = sum(
        conn.execute(select(func.count()).select_from(rows.order_by(None).subquery())).scalar_one()
        for rows in (letters, _sends(None))
    )
    return Backlog(waiting=counted[0], late=counted[1], given_up=counted[2], unplanned=unplanned)
