"""Who is meant where staff write consent down: the child, whose word it is, who saw it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from bot.lists.sheets import contact
from bot.turns.world import World
from flows.messages import ChannelName
from storage.families.people import PersonRef, add_person, ensure_person, person_at
from storage.keyring.vault import Vault
from storage.scope import system
from storage.talk import consents
from storage.talk.consents import Subject

SCOPE = system("consent")


class ConsentError(Exception):
    """A word on consent cannot be written down; the message says what to do."""


def child_of(conn: Connection, code: str) -> Subject:
    """The child of a code. Raises ConsentError where there is none."""
    child = consents.child_by_code(conn, SCOPE, code)
    if child is None:
        raise ConsentError(f"There is no child {code!r}. Fix: write the code of the child's page.")
    return child


def seal(
    vault: Vault, text: str, household_id: str, column: str = "witness_name"
) -> Callable[[str], bytes] | None:
    """What seals a text for a column of a row; None where there is no text."""
    if not text:
        return None
    key = vault.key_for(household_id)
    return lambda row: vault.seal(text, table="consents", column=column, row=row, key=key)


def witnessed_by(
    conn: Connection, text: str, *, vault: Vault, accounts: Mapping[ChannelName, str]
) -> tuple[str | None, str]:
    """Somebody we know by her address, or a name as it stands on the paper."""
    found = _at(conn, text, vault=vault, accounts=accounts) if text else None
    return (found.id, "") if found else (None, text)


def _at(
    conn: Connection, text: str, *, vault: Vault, accounts: Mapping[ChannelName, str]
) -> PersonRef | None:
    address = contact(text)
    if address is None or address.channel not in accounts:
        return None
    return person_at(
        conn,
        SCOPE,
        channel=address.channel,
        account=accounts[address.channel],
        value=address.value,
        vault=vault,
    )


def known_at(conn: Connection, world: World, text: str) -> PersonRef:
    """Who is reached at an address. Raises ConsentError where nobody we know is."""
    found = _at(conn, text, vault=world.vault, accounts=world.accounts)
    if found is None:
        raise ConsentError(f"{text!r}: nobody we know is reached there. Fix: check the address.")
    return found


def whose(
    conn: Connection, world: World, child: Subject, text: str, *, language: str, now: datetime
) -> str:
    """Whose word it is: who is reached there, the child's only caregiver, else somebody new."""
    if text:
        address = contact(text)
        if address is None or address.channel not in world.accounts:
            raise ConsentError(f"--address: {text!r} is none that we can write to.")
        person_id, _ = ensure_person(
            conn,
            SCOPE,
            channel=address.channel,
            account=world.accounts[address.channel],
            value=address.value,
            kind="caregiver",
            programme_id=child.programme_id,
            school_id=child.school_id,
            household_id=child.household_id,
            language=language,
            now=now,
            vault=world.vault,
        )
        return person_id
    known = consents.carers(conn, child.id)
    if len(known) > 1:
        raise ConsentError(
            "--address: this child has several caregivers. Fix: say whose word it is."
        )
    if known:
        return next(iter(known))
    return add_person(
        conn,
        kind="caregiver",
        programme_id=child.programme_id,
        school_id=child.school_id,
        household_id=child.household_id,
        language=language,
        now=now,
        vault=world.vault,
    )
