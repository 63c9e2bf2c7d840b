"""Forgetting: senders who never consented are gone seven days after they last wrote."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from storage.schema import (
    addresses,
    answers,
    delivery_events,
    events,
    inbox,
    join_codes,
    outbox,
    sessions,
    tasks,
)

MOST = 500


def purge_strangers(conn: Connection, *, before: datetime) -> int:
    """Delete addresses without a person that were last heard before `before`, with all they said.

    Their code is free again. STOP is kept for ever by its blind index, or a stranger who said it
    would hear from us anew. `inbox_seen` keeps keyed digests only.
    """
    found = conn.execute(
        select(addresses.c.id)
        .where(
            addresses.c.person_id.is_(None),
            addresses.c.opted_out_at.is_(None),
            or_(addresses.c.last_inbound_at < before, addresses.c.last_inbound_at.is_(None)),
            addresses.c.created_at < before,
        )
        .order_by(addresses.c.id)
        .limit(MOST)
    )
    ids = list(found.scalars())
    if not ids:
        return 0
    theirs = select(sessions.c.id).where(sessions.c.address_id.in_(ids))
    conn.execute(delete(answers).where(answers.c.session_id.in_(theirs)))
    conn.execute(delete(events).where(events.c.session_id.in_(theirs)))
    conn.execute(delete(sessions).where(sessions.c.address_id.in_(ids)))
    conn.execute(
        delete(delivery_events).where(
            delivery_events.c.outbox_id.in_(select(outbox.c.id).where(outbox.c.address_id.in_(ids)))
        )
    )
    conn.execute(delete(outbox).where(outbox.c.address_id.in_(ids)))
    conn.execute(delete(inbox).where(inbox.c.address_id.in_(ids)))
    conn.execute(update(tasks).where(tasks.c.address_id.in_(ids)).values(address_id=None))
    conn.execute(
        update(join_codes)
        .where(join_codes.c.claimed_by.in_(ids))
        .values(claimed_by=None, claimed_at=None)
    )
    conn.execute(delete(addresses).where(addresses.c.id.in_(ids)))
    return len(ids)
