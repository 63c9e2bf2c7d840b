"""Replacing the key addresses are found by, while people go on writing.

An address is found by `blind`. To replace the key, every row also gets what the new key makes of it
(`blind2`), the two change places, and the old one is cleared. Each step is announced in the key
store and waits until every process has noticed, so that at any moment each of them finds every
address by the index it computes itself; while two are in use it looks in both columns. Every step
may be repeated: a rotation that was cut off goes on where it was.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, or_, select, update

from storage.errors import SealBroken
from storage.fetch import Among, fetch
from storage.keyring.keys import FIRST_INDEX_KEY, KeyStore
from storage.keyring.vault import FRESH_S, Vault
from storage.schema import addresses
from storage.talk.conversations import AddressRow, columns

SETTLE_S = 6 * FRESH_S
"""How long a step waits: every process looks at the store's revision after `FRESH_S` seconds, and
what it computed before that is written long before this has passed."""
MOST = 500
"""Rows in one transaction: a turn that waits for it does not notice."""


_ADDRESSES_BY_EITHER = (
    select(*columns(addresses, AddressRow), addresses.c.blind2)
    .where(
        Among(addresses.c.channel, "channels"),
        Among(addresses.c.account, "accounts"),
        or_(Among(addresses.c.blind, "blinds"), Among(addresses.c.blind2, "blinds")),
    )
    .order_by(addresses.c.id)
    .with_for_update(key_share=True)
)


@dataclass(frozen=True, slots=True)
class Passed:
    """One part of a pass: the last id, None at the end; rows changed; rows that do not open."""

    after: str | None
    changed: int
    closed: int


def lock_by_either(conn: Connection, keys: Iterable[tuple[str, str, str]]) -> dict[str, AddressRow]:
    """`lock_addresses` while the key rotates (`Vault.rotating`): the index may be in either column.

    The rows stand under the index that was asked for.
    """
    channels, accounts, blinds = (sorted(set(part)) for part in zip(*keys, strict=True))
    found = fetch(conn, _ADDRESSES_BY_EITHER, channels=channels, accounts=accounts, blinds=blinds)
    asked = set(blinds)
    out = {}
    for *values, blind2 in found:
        row = AddressRow(*values)
        out[row.blind if row.blind in asked else blind2] = row
    return out


def pass_over(conn: Connection, vault: Vault, *, after: str, limit: int = MOST) -> Passed:
    """Give the next addresses the index columns that the present step asks for."""
    found = conn.execute(
        select(addresses)
        .where(addresses.c.id > after)
        .order_by(addresses.c.id)
        .limit(limit)
        .with_for_update(key_share=True)
    ).all()
    changed = closed = 0
    for row in found:
        try:
            value = vault.open(row.value, table="addresses", column="value", row=row.id)
        except SealBroken:
            closed += 1
            continue
        if not value:
            continue  # emptied by an erasure: nobody is to find it
        blind, blind2 = vault.blinds(row.channel, row.account, value)
        if (row.blind, row.blind2) != (blind, blind2):
            wanted = addresses.c.id == row.id
            conn.execute(update(addresses).where(wanted).values(blind=blind, blind2=blind2))
            changed += 1
    return Passed(found[-1].id if len(found) == limit else None, changed, closed)


def next_index_id(index_id: str) -> str:
    """The id of the key that comes after this one: a1, a2, a3."""
    return f"{FIRST_INDEX_KEY[0]}{int(index_id[1:]) + 1}"


Write = Callable[[Callable[[Connection], Passed]], Passed]


def rotate_index(
    store: KeyStore,
    vault: Vault,
    write: Write,
    *,
    at: datetime,
    wait: Callable[[float], None],
    told: Callable[[str], None] = lambda _line: None,
) -> Passed:
    """Replace the key of the address index, or finish what was begun.

    Args:
        store: The key store.
        vault: A vault over the same store.
        write: Runs a function in a transaction of the database.
        at: When the old key is destroyed.
        wait: Waits so many seconds.
        told: Hears what is done, a line each.

    Returns:
        How many rows were changed in all, and how many do not open (left as they are).
    """
    state = store.state()
    old, new = state.index_id, state.index_next
    total = Passed(None, 0, 0)
    if new is None and _number(old) > _number(FIRST_INDEX_KEY) and not _gone(store, _before(old)):
        old, new = _before(old), old  # cut off before the last step
    elif new is None:
        new = next_index_id(old)
        store.ensure((new,))
        store.index_step(index_id=old, index_next=new)
        told(f"Every address is now written under {old} and {new}.")
    elif _number(new) < _number(old):
        old, new = new, old  # cut off after they changed places
    if store.state().index_id == old:
        wait(SETTLE_S)
        total = _pass(vault, write, total)
        store.index_step(index_id=new, index_next=old)
        told(f"{new} leads now.")
    if store.state().index_next is not None:
        wait(SETTLE_S)
        total = _pass(vault, write, total)
        store.index_step(index_id=new, index_next=None)
        told(f"Addresses are found by {new} alone.")
    wait(SETTLE_S)
    total = _pass(vault, write, total)
    store.destroy((old,), at=at)
    vault.refresh()
    told(f"{old} is destroyed.")
    return total


def _pass(vault: Vault, write: Write, total: Passed) -> Passed:
    vault.refresh()
    after: str | None = ""
    changed, closed = total.changed, 0
    while after is not None:
        part = write(partial(pass_over, vault=vault, after=after))
        after, changed, closed = part.after, changed + part.changed, closed + part.closed
    return Passed(None, changed, closed)


def _number(index_id: str) -> int:
    return int(index_id[1:])


def _before(index_id: str) -> str:
    return f"{index_id[0]}{_number(index_id) - 1}"


def _gone(store: KeyStore, key_id: str) -> bool:
    return store.ids().get(key_id) is not None
