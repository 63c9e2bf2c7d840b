"""SMS and USSD of one number are one phone: who answers at one is known at the other.

So a questionnaire begun by SMS is taken up by USSD where it was left. Staff are not known by USSD,
where nothing but the number says who dialled. A number that was taken from somebody on one of the
two is not hers on the other either.
"""

from collections.abc import Mapping, Sequence

from bot.turns.desk import Desk, Letter
from bot.turns.ending import release
from flows.messages import ChannelName
from storage.schema import addresses, person_address
from storage.talk.conversations import AddressRow
from storage.talk.dialogs import Twin, ended_links, twins

TWINS: Mapping[ChannelName, ChannelName] = {"sms": "ussd", "ussd": "sms"}


def recognise(desk: Desk, letters: Sequence[Letter]) -> None:
    """Give the address of a sender we do not know to whoever has its number on the other channel.

    A STOP said on the other channel holds here as well. What a known number is by USSD is looked
    up each time; by SMS, which is most of the traffic, only of who is not known.
    """
    for channel, other in TWINS.items():
        account = desk.world.accounts.get(other)
        asked = [
            x
            for x in letters
            if x.inbound.channel == channel
            and (channel == "ussd" or desk.addresses[x.blind].person_id is None)
        ]
        if account is not None and asked:
            _recognise(desk, asked, other, account)


def _recognise(desk: Desk, letters: Sequence[Letter], other: ChannelName, account: str) -> None:
    vault = desk.world.vault
    pairs = {x.blind: vault.blinds(other, account, x.inbound.address) for x in letters}
    blinds = {blind for pair in pairs.values() for blind in pair}
    found = twins(desk.conn, channel=other, account=account, blinds=blinds)
    if not found:
        return
    here = {blind: desk.addresses[blind] for blind in pairs}
    both = {a.id for a in here.values()} | {t.address_id for t in found.values()}
    ended = ended_links(desk.conn, both)
    vault.ensure(twin.household_id for twin in found.values())
    for blind, address in here.items():
        twin = next((found[b] for b in pairs[blind] if b in found), None)
        if twin is not None:
            _compare(desk, address, twin, ended)


def _compare(desk: Desk, address: AddressRow, twin: Twin, ended: set[tuple[str, str]]) -> None:
    if address.person_id is not None and (address.person_id, twin.address_id) in ended:
        release(desk, address, address.person_id)
        address.open_prompt = None
    known = twin.person_id if address.person_id is None else None
    if known is not None and (known, address.id) not in ended:
        link(desk, address, twin, known)


def link(desk: Desk, address: AddressRow, twin: Twin, person_id: str) -> None:
    """Somebody is known at an address from now on, with her language and a STOP of hers."""
    vault = desk.world.vault
    desk.writes.insert(
        person_address,
        person_id=person_id,
        address_id=address.id,
        from_at=desk.now,
        until_at=None,
        key_id=address.key_id,
    )
    address.person_id, address.key_id = person_id, None
    address.language = twin.language
    address.opted_out_at = address.opted_out_at or twin.opted_out_at
    address.value = vault.reseal(
        address.value,
        table="addresses",
        column="value",
        row=address.id,
        key=vault.key_for(twin.household_id),
    )
    desk.writes.change(
        addresses,
        address.id,
        person_id=person_id,
        key_id=None,
        language=address.language,
        opted_out_at=address.opted_out_at,
        value=address.value,
    )
