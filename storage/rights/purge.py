"""Forgetting: senders who never consented are gone seven days after they last wrote."""

from datetime import datetime

from sqlalchemy import Connection, Select, delete, or_, select, update

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
    timers,
)

MOST = 500


def purge_strangers(conn: Connection, *, before: datetime) -> int:
    """Forget addresses without a person that were last heard before `before`, with all they said.

    Their code is free again. Of a stranger who said STOP the address is kept, or she would hear
    from us anew; what she wrote goes like everybody's. `inbox_seen` keeps keyed digests only.

    Returns:
        How many were forgotten; at most `MOST` a call.
    """
    ids = list(conn.execute(_silent(before)).scalars())
    if not ids:
        return 0
    theirs = select(sessions.c.id).where(sessions.c.address_id.in_(ids))
    conn.execute(delete(answers).where(answers.c.session_id.in_(theirs)))
    conn.execute(delete(events).where(events.c.session_id.in_(theirs)))
    conn.execute(delete(timers).where(timers.c.ref.in_(theirs)))
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
    silent = addresses.c.id.in_(ids)
    conn.execute(delete(addresses).where(silent, addresses.c.opted_out_at.is_(None)))
    conn.execute(update(addresses).where(silent).values(open_prompt=None, stuck=0))
    return len(ids)


def _silent(before: datetime) -> Select[tuple[str]]:
    """Strangers to forget: those who did not say STOP, and those of whom more is kept than that."""
    said = [
        select(table.c.id).where(table.c.address_id == addresses.c.id).exists()
        for table in (inbox, outbox, sessions)
    ]
    return (
        select(addresses.c.id)
        .where(
            addresses.c.person_id.is_(None),
            or_(addresses.c.opted_out_at.is_(None), *said),
            or_(addresses.c.last_inbound_at < before, addresses.c.last_inbound_at.is_(None)),
            addresses.c.created_at < before,
        )
        .order_by(addresses.c.id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
