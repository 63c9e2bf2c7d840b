"""Rows of the outbox that are leased from the start, by the commit that makes them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.fetch import Among, fetch
from storage.schema import outbox
from storage.talk.conversations import AddressRow
from storage.talk.outbox import LEASE, Claimed

_LEASE = ("lease_owner", "lease_until", "tried_at")
_BUSY = (
    select(outbox.c.address_id)
    .where(Among(outbox.c.address_id, "ids"), outbox.c.final_at.is_(None))
    .distinct()
)


def busy_lines(conn: Connection, address_ids: Collection[str]) -> set[str]:
    """Those of the addresses to which something is still on its way, or waits."""
    if not address_ids:
        return set()
    return {row[0] for row in fetch(conn, _BUSY, ids=sorted(address_ids))}


def leased(row: Mapping[str, Any], to: AddressRow, *, now: datetime) -> Claimed:
    """A row inserted as leased already (its columns: `lease_columns`), in hand."""
    return Claimed(
        id=row["id"],
        address_id=to.id,
        body=row["body"],
        fence=1,
        attempts=1,
        message_class=row["message_class"],
        channel=to.channel,
        account=to.account,
        value=to.value,
        last_inbound_at=to.last_inbound_at,
        was_unknown=False,
        tried_at=now,
        expires_at=row["expires_at"],
    )


def lease_columns(me: str | None, now: datetime) -> dict[str, object]:
    """What a new row says of its lease: held by `me` from the start, or by nobody yet."""
    if me is None:
        return dict.fromkeys(_LEASE) | {"state": "queued", "attempts": 0, "fence": 0}
    return {
        "state": "sending",
        "attempts": 1,
        "fence": 1,
        "lease_owner": me,
        "lease_until": now + LEASE,
        "tried_at": now,
    }
