"""The outbox: claimed with a lease and a fence, noted by whoever still holds it, never sent twice.

A row is claimed only when everything before it to the same address is final. What a provider says
moves a row up a lattice, never down. A send whose answer was never seen is `unknown` and is asked
about before anything is sent again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, and_, bindparam, case, func, literal_column, or_, select, update
from sqlalchemy.orm import aliased

from storage.bulk import prepared
from storage.fetch import Among, fetch
from storage.schema import addresses, outbox
from storage.talk.lost import give_to_staff
from storage.types import Instant

MAX_ATTEMPTS = 3
LOST = ("dead", "refused")
LEASE = timedelta(seconds=60)
MAKES_FINAL = ("accepted", "sent", "delivered", "read", "failed", "refused", "expired", "dead")
RANK = {
    "queued": 0,
    "sending": 1,
    "unknown": 2,
    "accepted": 3,
    "sent": 4,
    "failed": 5,
    "refused": 5,
    "dead": 5,
    "expired": 5,
    "delivered": 6,
    "read": 7,
}
"""Later words win only if they rank higher: a late "sent" never hides "delivered"."""
ALWAYS = ("reply", "safety", "alert")
"""Classes that go out although the address opted out (the one confirmation is a reply)."""


class Claimed(Struct, frozen=True, kw_only=True):
    """A message leased to this worker; `fence` must match when its outcome is noted.

    `tried_at` is the time of its first attempt: what the provider has must be younger.
    """

    id: str
    address_id: str
    body: bytes
    fence: int
    attempts: int
    message_class: str
    channel: str
    account: str
    value: bytes
    last_inbound_at: datetime | None
    was_unknown: bool
    tried_at: datetime
    expires_at: datetime


class _Due(NamedTuple):
    """A row as the claim gives it back."""

    id: str
    address_id: str
    body: bytes
    fence: int
    attempts: int
    message_class: str
    error: str | None
    seq: int
    tried_at: datetime
    expires_at: datetime


class _To(NamedTuple):
    """Where it goes."""

    id: str
    channel: str
    account: str
    value: bytes
    last_inbound_at: datetime | None
    opted_out_at: datetime | None
    bad_at: datetime | None


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a claimed message.

    Attributes:
        state: accepted, queued (try again), unknown, refused or dead.
        retry_at: When to try again; for queued and unknown.
        counts: Whether this used up an attempt.
        bad_address: Whether the address itself cannot be reached any more.
    """

    id: str
    fence: int
    state: str
    provider_id: str = ""
    error: str = ""
    retry_at: datetime | None = None
    counts: bool = True
    bad_address: bool = False
    opted_out: bool = False


class StatusRow(Struct, frozen=True, kw_only=True):
    """A provider's word on a message, on its way into the record."""

    id: str
    outbox_id: str
    provider_id: str
    state: str | None
    raw: str
    error: str
    at: datetime


_EARLIER = aliased(outbox, name="earlier")
_NOW = bindparam("now", type_=Instant())
# What is only planned for later stands in nobody's way, nor does what nobody needs any more. What
# was tried and rests keeps its place in the line; an alert waits for sends and other alerts only.
_IN_THE_WAY = or_(
    _EARLIER.c.state == "sending",
    and_(
        _EARLIER.c.expires_at > _NOW,
        or_(_EARLIER.c.not_before <= _NOW, _EARLIER.c.tried_at.is_not(None)),
        or_(outbox.c.message_class != "alert", _EARLIER.c.message_class == "alert"),
    ),
)
_FREE = (
    ~select(_EARLIER.c.id)
    .where(
        _EARLIER.c.address_id == outbox.c.address_id,
        _EARLIER.c.final_at.is_(None),
        _IN_THE_WAY,
        or_(
            _EARLIER.c.seq < outbox.c.seq,
            and_(_EARLIER.c.seq == outbox.c.seq, _EARLIER.c.id < outbox.c.id),
        ),
    )
    .exists()
)
_DUE = (
    select(outbox.c.id)
    .where(
        outbox.c.state == literal_column("'queued'"),  # in the text: the index is partial
        outbox.c.not_before <= _NOW,
        outbox.c.expires_at > _NOW,
        _FREE,
    )
    .order_by(outbox.c.priority, outbox.c.not_before)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(_DUE))
    .values(
        state="sending",
        lease_owner=bindparam("me"),
        lease_until=bindparam("until", type_=Instant()),
        attempts=outbox.c.attempts + 1,
        fence=outbox.c.fence + 1,
        tried_at=func.coalesce(outbox.c.tried_at, bindparam("now", type_=Instant())),
    )
    .returning(
        outbox.c.id,
        outbox.c.address_id,
        outbox.c.body,
        outbox.c.fence,
        outbox.c.attempts,
        outbox.c.message_class,
        outbox.c.error,
        outbox.c.seq,
        outbox.c.tried_at,
        outbox.c.expires_at,
    )
)
_WHERE_TO = select(
    addresses.c.id,
    addresses.c.channel,
    addresses.c.account,
    addresses.c.value,
    addresses.c.last_inbound_at,
    addresses.c.opted_out_at,
    addresses.c.bad_at,
).where(Among(addresses.c.id, "ids"))
_NOTE = (
    update(outbox)
    .where(
        outbox.c.id == bindparam("b_id"),
        outbox.c.fence == bindparam("b_fence"),
        outbox.c.state == literal_column("'sending'"),
    )
    .values(
        state=bindparam("v_state"),
        provider_id=func.coalesce(outbox.c.provider_id, bindparam("v_provider")),
        error=bindparam("v_error"),
        not_before=func.coalesce(bindparam("v_retry", type_=Instant()), outbox.c.not_before),
        attempts=outbox.c.attempts - bindparam("v_back"),
        lease_owner=None,
        lease_until=None,
        final_at=bindparam("v_final", type_=Instant()),
        body=case((bindparam("v_clear"), None), else_=outbox.c.body),
    )
)


def claim(
    conn: Connection, *, me: str, now: datetime, most: int
) -> tuple[list[Claimed], list[Claimed]]:
    """Lease up to `most` due messages, the most urgent first, one line per address.

    Returns:
        Messages to send, and messages that must not go (opted out, bad address): the caller notes
        those refused.
    """
    rows = [_Due(*r) for r in fetch(conn, _CLAIM, now=now, most=most, me=me, until=now + LEASE)]
    if not rows:
        return [], []
    found = fetch(conn, _WHERE_TO, ids=sorted({r.address_id for r in rows}))
    where = {to.id: to for to in (_To(*r) for r in found)}
    go: list[Claimed] = []
    stay: list[Claimed] = []
    for row in sorted(rows, key=lambda r: (r.seq, r.id)):
        to = where[row.address_id]
        claimed = Claimed(
            id=row.id,
            address_id=row.address_id,
            body=row.body,
            fence=row.fence,
            attempts=row.attempts,
            message_class=row.message_class,
            channel=to.channel,
            account=to.account,
            value=to.value,
            last_inbound_at=to.last_inbound_at,
            was_unknown=row.error == "unknown",
            tried_at=row.tried_at,
            expires_at=row.expires_at,
        )
        unwanted = to.opted_out_at is not None or to.bad_at is not None
        silent = unwanted and row.message_class not in ALWAYS
        (stay if silent else go).append(claimed)
    return go, stay


def note(conn: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Write what became of claimed messages; a worker that lost its lease changes nothing.

    A message given up, and an alert that was refused, become work for staff in the same
    transaction.
    """
    if not outcomes:
        return
    held = _held(conn, [o for o in outcomes if o.state in LOST])
    rows = [
        {
            "b_id": o.id,
            "b_fence": o.fence,
            "v_state": o.state,
            "v_provider": o.provider_id or None,
            "v_error": o.error or None,
            "v_retry": o.retry_at,
            "v_back": 0 if o.counts else 1,
            "v_final": now if o.state in MAKES_FINAL else None,
            "v_clear": o.state in MAKES_FINAL,
        }
        for o in sorted(outcomes, key=lambda o: o.id)
    ]
    prepared(conn, "outbox.note", lambda: _NOTE, rows[0]).run(conn, rows)
    mark_addresses(conn, [o.id for o in held if o.bad_address], bad_at=now)
    mark_addresses(conn, [o.id for o in held if o.opted_out], opted_out_at=now)
    give_to_staff(conn, {o.id: o.state for o in held}, now=now)


def _held(conn: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those of the outcomes whose writer still holds the lease."""
    if not outcomes:
        return []
    found = conn.execute(
        select(outbox.c.id, outbox.c.fence)
        .where(outbox.c.id.in_(sorted(o.id for o in outcomes)), outbox.c.state == "sending")
        .order_by(outbox.c.id)
        .with_for_update(key_share=True)
    )
    fences = {row.id: row.fence for row in found}
    return [o for o in outcomes if fences.get(o.id) == o.fence]


def mark_addresses(conn: Connection, outbox_ids: Sequence[str], **values: datetime) -> None:
    """Note on the addresses of these messages that they are bad, or opted out."""
    if not outbox_ids:
        return
    conn.execute(
        update(addresses)
        .where(addresses.c.id.in_(select(outbox.c.address_id).where(outbox.c.id.in_(outbox_ids))))
        .values(values)
    )


def recover(conn: Connection, *, now: datetime, ask_at: datetime | None = None) -> int:
    """Take back rows of workers that died: their outcome is unknown, and asked before a resend.

    A row that ended so on its question after the last attempt is given up.

    Args:
        conn: Open transaction.
        now: Leases that ended before are over.
        ask_at: When the provider may be asked; None for at once.

    Returns:
        How many rows were taken back.
    """
    over = and_(outbox.c.state == "sending", outbox.c.lease_until < now)
    lost = conn.execute(
        update(outbox)
        .where(over, outbox.c.attempts <= MAX_ATTEMPTS)
        .values(
            state="queued",
            error="unknown",
            not_before=outbox.c.not_before if ask_at is None else ask_at,
            lease_owner=None,
            lease_until=None,
        )
    )
    dead = list(
        conn.execute(
            update(outbox)
            .where(over, outbox.c.attempts > MAX_ATTEMPTS)
            .values(
                state="dead",
                error="unknown",
                final_at=now,
                body=None,
                lease_owner=None,
                lease_until=None,
            )
            .returning(outbox.c.id)
        ).scalars()
    )
    give_to_staff(conn, dict.fromkeys(dead, "dead"), now=now)
    return int(lost.rowcount) + len(dead)


def expire(conn: Connection, *, now: datetime) -> int:
    """Close what nobody needs any more, so that it blocks nothing behind it."""
    gone = conn.execute(
        update(outbox)
        .where(outbox.c.state == "queued", outbox.c.expires_at <= now)
        .values(state="expired", final_at=now, body=None)
    )
    return int(gone.rowcount)
