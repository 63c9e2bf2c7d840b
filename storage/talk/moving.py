"""A person's number changes, or passes to somebody else: what hangs on the address goes with it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, update

from flows.messages import ChannelName
from storage.families.people import is_at
from storage.families.programmes import insert_new
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import addresses, join_codes, outbox, sessions, timers
from storage.talk.later import KIND as ASKED_LATER
from storage.talk.underway import WITHHELD


def address_at(
    conn: Connection, *, channel: ChannelName, account: str, value: str, vault: Vault
) -> str | None:
    """The id of an address; None for one that we never met."""
    found = conn.execute(select(addresses.c.id).where(is_at(vault, channel, account, value)))
    return found.scalar()


def meet(
    conn: Connection,
    *,
    channel: ChannelName,
    account: str,
    value: str,
    language: str,
    vault: Vault,
    now: datetime,
) -> str:
    """The id of an address, made where it is new; nobody is linked to it."""
    known = address_at(conn, channel=channel, account=account, value=value, vault=vault)
    if known is not None:
        return known
    made = new_id(now)
    blind, blind2 = vault.blinds(channel, account, value)
    unique = {"channel": channel, "account": account, "blind": blind}
    sealed = vault.seal(value, table="addresses", column="value", row=made, key=vault.key_for(None))
    conn.execute(
        insert_new(conn, addresses, unique).values(
            id=made, blind2=blind2, value=sealed, language=language, created_at=now, **unique
        )
    )
    return made


def addresses_of(conn: Connection, person_id: str) -> list[str]:
    """Where a person is reached."""
    found = select(addresses.c.id).where(addresses.c.person_id == person_id)
    return list(conn.execute(found.order_by(addresses.c.id)).scalars())


def carry_over(conn: Connection, *, person_id: str, old: Collection[str], new: str) -> None:
    """What waits for her at the old addresses waits at the new one: questions, codes, offers."""
    waiting = conn.execute(
        update(sessions)
        .where(
            sessions.c.person_id == person_id,
            sessions.c.address_id.in_(sorted(old)),
            sessions.c.status.in_(("open", "lapsed", "completed")),
        )
        .values(address_id=new)
        .returning(sessions.c.id)
    )
    moved = sorted(waiting.scalars())
    conn.execute(
        update(join_codes).where(join_codes.c.claimed_by.in_(sorted(old))).values(claimed_by=new)
    )
    offers = select(timers.c.key, timers.c.data).where(
        timers.c.kind == ASKED_LATER, timers.c.state == "due", timers.c.ref.in_(moved)
    )
    for key, data in conn.execute(offers).all():
        conn.execute(
            update(timers).where(timers.c.key == key).values(data={**data, "address": new})
        )


def silence(conn: Connection, address_ids: Collection[str], *, now: datetime) -> int:
    """Take back everything that waits to go to these addresses. Returns how many messages."""
    gone = conn.execute(
        update(outbox)
        .where(outbox.c.state == "queued", outbox.c.address_id.in_(sorted(address_ids)))
        .values(state="expired", error=WITHHELD, final_at=now, body=None)
    )
    return int(gone.rowcount)
