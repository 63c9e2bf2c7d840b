"""The outbox: claimed with a lease and a fence, noted by whoever still holds it, never sent twice.

A row is claimed only when everything before it to the same address is final. What a provider says
moves a row up a lattice, never down. A send whose answer was never seen is `unknown` and is asked
about before anything is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, update
from sqlalchemy.orm import aliased

from storage.schema import addresses, delivery_events, outbox
from storage.types import Instant

MAX_ATTEMPTS = 3
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
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


_EARLIER = aliased(outbox, name="earlier")
_NOW = bindparam("now", type_=Instant())
_FREE = (
    ~select(_EARLIER.c.id)
    .where(
        _EARLIER.c.address_id == outbox.c.address_id,
        _EARLIER.c.final_at.is_(None),
        _EARLIER.c.not_before <= _NOW,
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
        outbox.c.state == "queued",
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
).where(addresses.c.id.in_(bindparam("ids", expanding=True)))
_NOTE = (
    update(outbox)
    .where(
        outbox.c.id == bindparam("b_id"),
        outbox.c.fence == bindparam("b_fence"),
        outbox.c.state == "sending",
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
_MATCH = (
    update(outbox)
    .where(outbox.c.id == bindparam("b_id"))
    .values(provider_id=func.coalesce(outbox.c.provider_id, bindparam("v_provider")))
)


def claim(
    conn: Connection, *, me: str, now: datetime, most: int
) -> tuple[list[Claimed], list[Claimed]]:
    """Lease up to `most` due messages, the most urgent first, one line per address.

    Returns:
        Messages to send, and messages that must not go (opted out, bad address): the caller notes
        those refused.
    """
    rows = conn.execute(_CLAIM, {"now": now, "most": most, "me": me, "until": now + LEASE}).all()
    if not rows:
        return [], []
    found = conn.execute(_WHERE_TO, {"ids": sorted({r.address_id for r in rows})})
    where = {r.id: r for r in found}
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
        silent = to.opted_out_at is not None and row.message_class not in ALWAYS
        (stay if silent else go).append(claimed)
    return go, stay


def note(conn: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Write what became of claimed messages; a worker that lost its lease changes nothing."""
    if not outcomes:
        return
    conn.execute(
        _NOTE,
        [
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
        ],
    )
    bad = [o.id for o in outcomes if o.bad_address]
    if bad:
        _mark_addresses(conn, bad, bad_at=now)
    out = [o.id for o in outcomes if o.opted_out]
    if out:
        _mark_addresses(conn, out, opted_out_at=now)


def _mark_addresses(conn: Connection, outbox_ids: Sequence[str], **values: datetime) -> None:
    conn.execute(
        update(addresses)
        .where(addresses.c.id.in_(select(outbox.c.address_id).where(outbox.c.id.in_(outbox_ids))))
        .values(values)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """A provider's word on a message, on its way into the record."""

    id: str
    outbox_id: str
    provider_id: str
    state: str | None
    raw: str
    error: str
    at: datetime


def note_statuses(conn: Connection, statuses: Sequence[StatusRow], *, now: datetime) -> None:
    """Append every word and move rows up the lattice; words without a row are kept for later."""
    if not statuses:
        return
    by_path = {s.outbox_id for s in statuses if s.outbox_id}
    by_provider = {s.provider_id for s in statuses if s.provider_id}
    found = conn.execute(
        select(outbox.c.id, outbox.c.provider_id, outbox.c.state)
        .where(
            or_(
                outbox.c.id.in_(sorted(by_path)),
                outbox.c.provider_id.in_(sorted(by_provider)),
            )
        )
        .order_by(outbox.c.id)
        .with_for_update(key_share=True)
    ).all()
    rows = {r.id: r for r in found}
    named = {r.provider_id: r for r in found if r.provider_id}
    best: dict[str, StatusRow] = {}
    kept = []
    for status in statuses:
        row = rows.get(status.outbox_id) or named.get(status.provider_id)
        kept.append(
            {
                "id": status.id,
                "outbox_id": row.id if row else None,
                "provider_id": status.provider_id,
                "state": status.state,
                "raw": status.raw,
                "error": status.error,
                "at": status.at,
                "matched": row is not None,
            }
        )
        if row is None or status.state is None:
            continue
        before = best[row.id].state if row.id in best else row.state
        if RANK[status.state] > RANK[str(before)]:
            best[row.id] = status
    conn.execute(delivery_events.insert(), kept)
    for outbox_id in sorted(best):
        _move(conn, outbox_id, best[outbox_id], now)


def _move(conn: Connection, outbox_id: str, status: StatusRow, now: datetime) -> None:
    final = status.state in MAKES_FINAL
    values: dict[str, object] = {
        "state": status.state,
        "provider_id": func.coalesce(outbox.c.provider_id, status.provider_id),
        "error": status.error or None,
    }
    if final:
        values |= {"final_at": func.coalesce(outbox.c.final_at, now), "body": None}
    conn.execute(update(outbox).where(outbox.c.id == outbox_id).values(values))


def adopt_orphans(conn: Connection, provider_ids: Sequence[str], *, now: datetime) -> None:
    """Apply words that came before we knew the provider's id of the message."""
    if not provider_ids:
        return
    found = conn.execute(
        select(delivery_events).where(
            delivery_events.c.provider_id.in_(sorted(provider_ids)),
            delivery_events.c.matched.is_(False),
        )
    ).all()
    if not found:
        return
    conn.execute(delivery_events.delete().where(delivery_events.c.id.in_([r.id for r in found])))
    note_statuses(
        conn,
        [
            StatusRow(
                id=r.id,
                outbox_id="",
                provider_id=r.provider_id,
                state=r.state,
                raw=r.raw,
                error=r.error,
                at=r.at,
            )
            for r in found
        ],
        now=now,
    )


def recover(conn: Connection, *, now: datetime) -> int:
    """Take back rows of workers that died: their outcome is unknown, and asked before a resend."""
    lost = conn.execute(
        update(outbox)
        .where(outbox.c.state == "sending", outbox.c.lease_until < now)
        .values(state="queued", error="unknown", lease_owner=None, lease_until=None)
    )
    return int(lost.rowcount)


def expire(conn: Connection, *, now: datetime) -> int:
    """Close what nobody needs any more, so that it blocks nothing behind it."""
    gone = conn.execute(
        update(outbox)
        .where(outbox.c.state == "queued", outbox.c.expires_at <= now)
        .values(state="expired", final_at=now, body=None)
    )
    return int(gone.rowcount)
