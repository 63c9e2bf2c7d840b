"""After storing: the provider's copy of a message is emptied, then deleted, off the turn's path.

What a person wrote and what we answered rests sealed with us. Twilio's own copy serves nobody from
then on, so its text is emptied and its attachments are deleted within minutes, and the record that
she and we wrote to each other goes some days later. Telegram has no such copy apart from the chat
in the person's hand, and that is hers: nothing is deleted there (docs/privacy.md).

`tick` is one round: plan what is new, claim what is due, ask the provider, note what came of it.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import Connection

from bot.channels.base import Channel, Forgets, Refused, Retry
from bot.metrics import REDACTIONS
from bot.sending.envelopes import load_inbound
from bot.site import Providers
from storage.database import Database
from storage.errors import SealBroken
from storage.keyring.vault import Vault
from storage.rights.redaction import (
    Ending,
    Held,
    Letter,
    claim,
    hasten,
    mark_planned,
    note,
    plan,
    unplanned_letters,
    unplanned_sends,
)
from storage.schema import inbox, outbox

MOST = 100
"""Messages in one round."""
AT_ONCE = 4
"""Requests under way at the same time: the provider's limits are for conversations first."""
SETTLES = timedelta(minutes=2)
"""A message of ours rests so long before the first try: Twilio empties only what has arrived."""
ACCOUNT_PAUSE = timedelta(minutes=10)
"""How long a message rests after the provider refused our account."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Redactor:
    """Takes stored messages away at the providers. One a process; several do no harm."""

    database: Database
    vault: Vault
    channels: Sequence[Channel]
    providers: Providers
    now: Callable[[], datetime]

    async def tick(self) -> int:
        """One round; returns how many messages were emptied or deleted."""
        forgetful = next((c for c in self.channels if isinstance(c, Forgets)), None)
        if not self.providers.redact or forgetful is None:
            return 0
        now = self.now()

        def start(conn: Connection) -> list[Held]:
            plan_new(conn, self.vault, now=now)
            return claim(conn, now=now, most=MOST)

        held = await self.database.write(start)
        if not held:
            return 0
        gate = asyncio.Semaphore(AT_ONCE)
        endings = await asyncio.gather(*(self._end(forgetful, h, gate) for h in held))
        given_up = await self.database.write(lambda c: note(c, endings))
        if given_up:
            log.error("redaction_given_up", count=given_up)
        return sum(not e.error for e in endings)

    async def _end(self, channel: Forgets, held: Held, gate: asyncio.Semaphore) -> Ending:
        async with gate:
            result = await channel.forget(held.provider_id, step=held.step, media=held.media)
        REDACTIONS.labels(result=type(result).__name__.lower()).inc()
        match result:
            case Retry(reason=reason, after_s=after_s, counts=counts):
                wait = None if after_s is None else self.now() + timedelta(seconds=after_s)
                return Ending(id=held.id, error=reason, retry_at=wait, counts=counts)
            case Refused(reason=reason):
                log.error("account_refused", error=reason)
                resting = self.now() + ACCOUNT_PAUSE
                return Ending(id=held.id, error=reason, retry_at=resting, counts=False)
            case _:
                return Ending(id=held.id, next_at=self._deleted_at(held))

    def _deleted_at(self, held: Held) -> datetime | None:
        days = self.providers.delete_after_days
        if held.step == "delete" or days is None:
            return None
        return self.now() + timedelta(days=days)


def plan_new(
    conn: Connection,
    vault: Vault,
    *,
    now: datetime,
    address_ids: Collection[str] | None = None,
    most: int = MOST,
) -> int:
    """Put what has been stored since the last round on the list; returns how many rows."""
    letters = unplanned_letters(conn, most=most, address_ids=address_ids)
    read = {letter.id: _held(letter, vault) for letter in letters}
    plan(conn, inbox, [h for h in read.values() if h is not None], due_at=now)
    # A body that is gone or does not open names no message: there is nothing left to ask for.
    mark_planned(conn, inbox, [id_ for id_, h in read.items() if h is None])
    sends = unplanned_sends(conn, most=most, address_ids=address_ids)
    plan(conn, outbox, sends, due_at=now + SETTLES)
    return len(letters) + len(sends)


def _held(letter: Letter, vault: Vault) -> Held | None:
    if letter.body is None:
        return None
    try:
        text = vault.open(letter.body, table="inbox", column="body", row=letter.id)
        inbound = load_inbound(text)
    except (SealBroken, msgspec.DecodeError):
        log.exception("letter_not_readable")
        return None
    media = len([kind for kind in inbound.media if kind != "location"])
    return Held(
        id=letter.id,
        address_id=letter.address_id,
        provider_id=inbound.message_id,
        media=media,
    )


def forget_at_providers(
    conn: Connection, vault: Vault, address_ids: Collection[str], *, now: datetime
) -> int:
    """Before a household is erased: let all that providers hold of it be deleted at once.

    Call it in the transaction that erases, before the keys go: the ids of her messages are sealed.

    Returns:
        How many messages will be deleted.
    """
    if not address_ids:
        return 0
    while plan_new(conn, vault, now=now, address_ids=address_ids):
        pass
    return hasten(conn, address_ids, now=now)
