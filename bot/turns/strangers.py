"""Senders who belong to nobody we know: an address, and a data key of their own.

What she says before she joins is sealed with that key from her first message on, so that it can be
made unreadable in every old backup: when she is forgotten after a week, or with her household.
"""

from collections.abc import Sequence

from bot.turns.desk import Desk, Letter
from storage.schema import addresses
from storage.talk.conversations import AddressRow


def greet(desk: Desk, letters: Sequence[Letter]) -> None:
    """Have an address and a key for everybody who wrote and belongs to nobody.

    At most one statement and one commit of the key store a batch, none for those it knows. Where a
    key is gone (she was forgotten and her number stays, or came back with an old backup), or there
    never was one, she begins anew with another.
    """
    vault = desk.world.vault
    found = {x.blind: (x, desk.addresses.get(x.blind)) for x in letters}
    asked = {b: (x, at) for b, (x, at) in found.items() if at is None or at.person_id is None}
    usable = vault.usable(at.key_id for _, at in asked.values() if at)
    new = {
        blind: desk.new_id() if vault.store is not None else None
        for blind, (_, at) in asked.items()
        if at is None or (vault.store is not None and at.key_id not in usable)
    }
    vault.ensure(new.values())
    for blind, key_id in new.items():
        letter, at = asked[blind]
        if at is None:
            desk.addresses[blind] = _met(desk, letter, key_id)
        else:
            at.key_id, at.value = key_id, _sealed(desk, letter, at.id, key_id)
            desk.writes.change(addresses, at.id, key_id=at.key_id, value=at.value)


def _met(desk: Desk, letter: Letter, key_id: str | None) -> AddressRow:
    """A sender we have not met: her address, and the language of the first greeting."""
    inbound, world = letter.inbound, desk.world
    row_id = desk.new_id()
    blind, blind2 = world.vault.blinds(inbound.channel, inbound.account, inbound.address)
    row = AddressRow(
        id=row_id,
        channel=inbound.channel,
        account=inbound.account,
        blind=blind,
        value=_sealed(desk, letter, row_id, key_id),
        person_id=None,
        language=world.library.offered[0],
        open_prompt=None,
        stuck=0,
        opted_out_at=None,
        bad_at=None,
        last_inbound_at=None,
        key_id=key_id,
        guard=None,
    )
    desk.writes.insert(
        addresses,
        **{name: getattr(row, name) for name in AddressRow.__slots__},
        blind2=blind2,
        created_at=desk.now,
    )
    return row


def _sealed(desk: Desk, letter: Letter, row_id: str, key_id: str | None) -> bytes:
    vault = desk.world.vault
    return vault.seal(
        letter.inbound.address,
        table="addresses",
        column="value",
        row=row_id,
        key=vault.key_for(key_id),
    )
