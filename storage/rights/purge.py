"""Forgetting: senders who never consented are gone seven days after they last wrote."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, or_, select, update

from storage.errors import SealBroken
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    answers,
    delivery_events,
    dialogs,
    events,
    inbox,
    join_codes,
    outbox,
    sessions,
    tasks,
    timers,
)

MOST = 500


def purge_strangers(conn: Connection, *, before: datetime, now: datetime, vault: Vault) -> int:
    """Forget addresses without a person that were last heard before `before`, with all they said.

    Their code is free again, and their keys are destroyed: no backup opens what they said. Of a
    stranger who said STOP the address is kept, on another key, or she would hear from us anew; what
    she wrote goes like everybody's. `inbox_seen` keeps keyed digests only.

    The keys go before the commit. Should that fail, the next call finds the rows again, and who
    writes in between gets another key (`bot.turns.strangers`).

    Args:
        conn: Open write transaction.
        before: Who wrote since stays (aware, UTC).
        now: The same.
        vault: Has the keys.

    Returns:
        How many were forgotten; at most `MOST` a call.
    """
    found = conn.execute(_silent(before)).all()
    ids = [row.id for row in found]
    if not ids:
        return 0
    theirs = select(sessions.c.id).where(sessions.c.address_id.in_(ids))
    conn.execute(delete(answers).where(answers.c.session_id.in_(theirs)))
    conn.execute(delete(events).where(events.c.session_id.in_(theirs)))
    conn.execute(delete(timers).where(or_(timers.c.ref.in_(theirs), timers.c.ref.in_(ids))))
    conn.execute(delete(sessions).where(sessions.c.address_id.in_(ids)))
    conn.execute(
        delete(delivery_events).where(
            delivery_events.c.outbox_id.in_(select(outbox.c.id).where(outbox.c.address_id.in_(ids)))
        )
    )
    conn.execute(delete(outbox).where(outbox.c.address_id.in_(ids)))
    conn.execute(delete(dialogs).where(dialogs.c.address_id.in_(ids)))
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
    _renew(conn, [row for row in found if row.opted_out_at is not None], now=now, vault=vault)
    own = [row.key_id for row in found if row.key_id is not None]
    if own:
        vault.destroy(own, at=now)
    return len(ids)


def _renew(conn: Connection, rows: Sequence[Row[Any]], *, now: datetime, vault: Vault) -> None:
    """What stays of these goes onto another key; one that does not open any more stays so."""
    if vault.store is None:
        return
    new = {row.id: new_id(now) for row in rows}
    vault.ensure(new.values())
    for row in rows:
        with suppress(SealBroken):
            value = vault.reseal(
                row.value, table="addresses", column="value", row=row.id, key=new[row.id]
            )
            conn.execute(
                update(addresses)
                .where(addresses.c.id == row.id)
                .values(value=value, key_id=new[row.id])
            )


def _silent(before: datetime) -> Select[Any]:
    """Strangers to forget: those who did not say STOP, and those of whom more is kept than that."""
    said = [
        select(table.c.id).where(table.c.address_id == addresses.c.id).exists()
        for table in (inbox, outbox, sessions)
    ]
    return (
        select(addresses.c.id, addresses.c.key_id, addresses.c.value, addresses.c.opted_out_at)
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
