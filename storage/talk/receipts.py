"""What providers say about messages we sent: every word kept, a message's state only moved up."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, func, or_, select, update

from storage.bulk import prepared
from storage.fetch import Among, fetch
from storage.schema import delivery_events, outbox
from storage.talk.outbox import MAKES_FINAL, RANK, StatusRow, mark_addresses
from storage.types import Instant

OPTED_OUT = "opted_out"
BAD_ADDRESS = ("bad_address", "blocked", "unreachable")
"""First words of an error that speak of the address and not of the one message: it is not written
to again before its owner writes to us (`bot.channels.twilio_errors`)."""
_MENTIONED = (
    select(outbox.c.id, outbox.c.provider_id, outbox.c.state)
    .where(
        or_(
            Among(outbox.c.id, "ids"),
            Among(outbox.c.provider_id, "provider_ids"),
        )
    )
    .order_by(outbox.c.id)
    .with_for_update(key_share=True)
)
_WORDS = (
    select(
        delivery_events.c.id,
        delivery_events.c.provider_id,
        delivery_events.c.state,
        delivery_events.c.raw,
        delivery_events.c.error,
        delivery_events.c.at,
    )
    .where(~delivery_events.c.matched)
    .order_by(delivery_events.c.id)
)
_ORPHANS = _WORDS.where(Among(delivery_events.c.provider_id, "ids"))
_ORPHANS_KNOWN_BY_NOW = _WORDS.where(
    delivery_events.c.provider_id.in_(
        select(outbox.c.provider_id).where(outbox.c.provider_id.is_not(None))
    )
)
_MOVE = (
    update(outbox)
    .where(outbox.c.id == bindparam("b_id"))
    .values(
        state=bindparam("v_state"),
        provider_id=func.coalesce(outbox.c.provider_id, bindparam("v_provider")),
        error=bindparam("v_error"),
        final_at=func.coalesce(outbox.c.final_at, bindparam("v_final", type_=Instant())),
        body=case((bindparam("v_clear"), None), else_=outbox.c.body),
    )
)


class _Word(NamedTuple):
    """A word that has no message yet."""

    id: str
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
    found = fetch(conn, _MENTIONED, ids=sorted(by_path), provider_ids=sorted(by_provider))
    rows = {row_id: (row_id, state) for row_id, _, state in found}
    named = {provider_id: rows[row_id] for row_id, provider_id, _ in found if provider_id}
    best: dict[str, StatusRow] = {}
    kept = []
    for status in statuses:
        row = rows.get(status.outbox_id) or named.get(status.provider_id)
        kept.append(
            {
                "id": status.id,
                "outbox_id": row[0] if row else None,
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
        row_id, state = row
        before = best[row_id].state if row_id in best else state
        if RANK[status.state] > RANK[str(before)]:
            best[row_id] = status
    prepared(conn, "receipts.keep", delivery_events.insert, kept[0]).run(conn, kept)
    moves = [_move(outbox_id, best[outbox_id], now) for outbox_id in sorted(best)]
    if moves:
        prepared(conn, "receipts.move", lambda: _MOVE, moves[0]).run(conn, moves)
    failed = {row_id: s.error.split(" ")[0] for row_id, s in best.items() if s.state == "failed"}
    mark_addresses(conn, [i for i, why in failed.items() if why in BAD_ADDRESS], bad_at=now)
    mark_addresses(conn, [i for i, why in failed.items() if why == OPTED_OUT], opted_out_at=now)


def _move(outbox_id: str, status: StatusRow, now: datetime) -> dict[str, object]:
    final = status.state in MAKES_FINAL
    return {
        "b_id": outbox_id,
        "v_state": status.state,
        "v_provider": status.provider_id or None,
        "v_error": status.error or None,
        "v_final": now if final else None,
        "v_clear": final,
    }


def adopt_orphans(
    conn: Connection, provider_ids: Sequence[str] | None = None, *, now: datetime
) -> int:
    """Apply words that came before we knew the provider's id of the message.

    Args:
        conn: Open transaction.
        provider_ids: Ids just learned; None for whatever matches by now (the clock's sweep).
        now: Aware, UTC.

    Returns:
        How many words found their message.
    """
    if provider_ids is not None and not provider_ids:
        return 0
    if provider_ids is None:
        found = [_Word(*row) for row in fetch(conn, _ORPHANS_KNOWN_BY_NOW)]
    else:
        found = [_Word(*row) for row in fetch(conn, _ORPHANS, ids=sorted(provider_ids))]
    if not found:
        return 0
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
    return len(found)
