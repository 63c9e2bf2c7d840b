"""A new number: staff write it down, and it is hers once a word from there confirms it.

Nothing is said of her at the new number before that. From then on the old one gets nothing more:
whoever writes from it is somebody we do not know.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.turns import talk
from bot.turns.desk import Desk, Sender
from bot.turns.ending import release
from bot.turns.twins import link
from flows.messages import Phrase
from storage.ids import new_id
from storage.schema import addresses
from storage.scope import system
from storage.talk.conversations import (
    AddressRow,
    PersonRow,
    lock_addresses_by_id,
    lock_persons,
    unfinished_sessions,
)
from storage.talk.dialogs import Twin
from storage.talk.moving import addresses_of, carry_over, silence
from storage.trail import audit

KIND = "number"
LIFE = timedelta(days=7)
"""How long a new number may be confirmed; then staff ask once more."""
TASK = "wrong_number"
SCOPE = system("turns")


def answer(desk: Desk, sender: Sender, choice: str) -> bool:
    """Her word on the new number; True where it is hers now and something may go on."""
    prompt = sender.address.open_prompt or {}
    if choice not in ("yes", "no"):
        ask_again(desk, sender)
        return False
    sender.address.open_prompt = None
    asked_at = datetime.fromisoformat(prompt["asked_at"])
    old = _old(desk, prompt["ref"])
    if old is None or sender.address.person_id is not None or desk.now > asked_at + LIFE:
        desk.say(sender, Phrase(key="idle.welcome"))
        return False
    person = desk.persons[old.person_id or ""]
    if choice == "no":
        _not_hers(desk, sender, person)
        return False
    _move(desk, sender, old, person)
    desk.say(sender, Phrase(key="moving.done"))
    return sender.live is not None


def ask_again(desk: Desk, sender: Sender) -> None:
    """Something else was said: the question stands."""
    desk.say(sender, Phrase(key="moving.again"))


def take_away(desk: Desk, person: PersonRow, address: AddressRow) -> list[AddressRow]:
    """A number is hers no longer, on every channel that it is on; what waited to go there stays.

    Returns what was taken away.
    """
    locked = lock_addresses_by_id(desk.conn, addresses_of(desk.conn, person.id))
    value = _value(desk, address)
    gone = [one for one in locked.values() if _value(desk, one) == value]
    silence(desk.conn, [one.id for one in gone], now=desk.now)
    for one in gone:
        one.open_prompt = None
        desk.writes.change(addresses, one.id, open_prompt=None)
        release(desk, one, person.id)
    return gone


def note(desk: Desk, verb: str, person: PersonRow) -> None:
    """Write into the audit what became of her number."""
    entry = audit.row(
        SCOPE,
        verb,
        "persons",
        person.id,
        id=new_id(desk.now),
        at=desk.now,
        school_id=person.school_id,
    )
    audit.record(desk.conn, [entry])


def _old(desk: Desk, address_id: str) -> AddressRow | None:
    """The old address with whoever is reached there, locked; None if nobody is any more."""
    found = list(lock_addresses_by_id(desk.conn, [address_id]).values())
    if not found or found[0].person_id is None:
        return None
    people = lock_persons(desk.conn, [found[0].person_id])
    desk.persons.update(people)
    desk.world.vault.ensure(person.household_id for person in people.values())
    return found[0]


def _move(desk: Desk, sender: Sender, old: AddressRow, person: PersonRow) -> None:
    gone = take_away(desk, person, old)
    desk.writes.flush(desk.conn)
    carry_over(desk.conn, person_id=person.id, old=[one.id for one in gone], new=sender.address.id)
    twin = Twin(
        address_id=old.id,
        person_id=person.id,
        household_id=person.household_id,
        language=person.language,
        opted_out_at=_stopped(gone),
    )
    link(desk, sender.address, twin, person.id)
    note(desk, "moved", person)
    sender.person = person
    for row in unfinished_sessions(desk.conn, [person.id], []):
        sender.live = desk.open_session(row)


def _stopped(gone: Sequence[AddressRow]) -> datetime | None:
    """STOP at the old number holds at the new one."""
    return next((one.opted_out_at for one in gone if one.opted_out_at is not None), None)


def _not_hers(desk: Desk, sender: Sender, person: PersonRow) -> None:
    """Nothing more goes to somebody else's number; the school learns that it was wrong."""
    sender.address.opted_out_at = desk.now
    desk.writes.change(addresses, sender.address.id, opted_out_at=desk.now)
    key = f"{TASK}:{sender.address.id}:{desk.now:%Y%m%dT%H%M%S}"
    talk.add_task(desk, sender, TASK, key=key, school_id=person.school_id)
    desk.say(sender, Phrase(key="wrong.done"))


def _value(desk: Desk, address: AddressRow) -> str:
    vault = desk.world.vault
    return vault.open(address.value, table="addresses", column="value", row=address.id)
