"""Delivery: leased messages handed to their channels, and an honest note of what became of each.

A send whose answer we never saw is asked about before anything is sent again; where a provider
cannot be asked (Telegram), it is sent once more at most. After three attempts a message is a dead
letter that staff see.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.channels.base import (
    Accepted,
    Channel,
    Destination,
    Lookup,
    Refused,
    Retry,
    SendResult,
    Unknown,
    Unreachable,
)
from bot.metrics import SENDS
from bot.sending.envelopes import load_outbound
from bot.turns.queue import TurnQueue
from flows.messages import ChannelName
from storage.errors import SealBroken
from storage.talk.outbox import MAX_ATTEMPTS, Claimed, Outcome

AT_ONCE = 32
"""Sends under way at the same time."""
WINDOW = timedelta(hours=23, minutes=55)
"""WhatsApp's 24 hours for free messages, with a margin (reference: channels §3)."""
ASK_AFTER = timedelta(seconds=20)
"""How long a send of unknown outcome rests before the provider is asked about it."""
ACCOUNT_PAUSE = timedelta(minutes=2)
"""How long messages rest after the provider refused our account."""
FIRST_BACKOFF = timedelta(seconds=5)
LONGEST_BACKOFF = timedelta(minutes=10)

log = structlog.get_logger(__name__)


class Delivery:
    """Sends what the queue leased to it. One a process."""

    def __init__(
        self,
        queue: TurnQueue,
        channels: Mapping[ChannelName, Channel],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """`channels`: who carries which kind of channel."""
        self._queue = queue
        self._channels = channels
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def room(self) -> int:
        """How many more messages it can take now."""
        return max(0, AT_ONCE - len(self._tasks))

    def take(self, claimed: Sequence[Claimed], withheld: Sequence[Claimed]) -> None:
        """Start sending; what may not go out is refused at once."""
        for message in withheld:
            self._queue.outcome(
                Outcome(id=message.id, fence=message.fence, state="refused", error="withheld")
            )
        for message in claimed:
            task = asyncio.get_running_loop().create_task(self._deliver(message))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("delivery_failed", error=type(task.exception()).__name__)

    async def _deliver(self, message: Claimed) -> None:
        channel = self._channels.get(_name(message))
        try:
            result = await self._send(message, channel) if channel else _NO_CHANNEL
        except SealBroken:
            result = Refused(reason="sealed")
        SENDS.labels(channel=message.channel, result=type(result).__name__.lower()).inc()
        outcome = self._outcome(message, result)
        # Its place is free before the commit that carries the outcome asks for room.
        self._tasks.discard(asyncio.current_task())
        self._queue.outcome(outcome)

    async def _send(self, message: Claimed, channel: Channel) -> SendResult:
        vault, now = self._queue.world.vault, self._clock()
        outbound = load_outbound(
            vault.open(message.body, table="outbox", column="body", row=message.id)
        )
        value = vault.open(message.value, table="addresses", column="value", row=message.address_id)
        last = message.last_inbound_at
        to = Destination(
            channel=_name(message),
            account=message.account,
            address=value,
            window_open=last is not None and now - last < WINDOW,
            valid_s=max(1, int((message.expires_at - now).total_seconds())),
        )
        if message.was_unknown:
            try:
                found = await channel.look_up(outbound, to, since=message.tried_at, key=message.id)
            except Unreachable:
                return Retry(reason=NOT_SEEN, after_s=ASK_AFTER.total_seconds(), counts=False)
            answered = _answered(found, message)
            if answered is not None:
                return answered
        return await channel.send(outbound, to, key=message.id)

    def _outcome(self, message: Claimed, result: SendResult) -> Outcome:
        match result:
            case Accepted(provider_id=provider_id):
                return Outcome(
                    id=message.id, fence=message.fence, state="accepted", provider_id=provider_id
                )
            case Refused():
                return self._refused(message, result)
            case Unknown():
                # After the last attempt, too, the provider is asked before it is given up.
                return self._again(message, NOT_SEEN, ASK_AFTER, counts=True)
            case Retry(counts=True) if message.attempts >= MAX_ATTEMPTS:
                return _dead(message, result.reason)
            case Retry(reason=reason, after_s=after_s, counts=counts):
                wait = timedelta(seconds=after_s) if after_s is not None else _backoff(message)
                return self._again(message, reason, wait, counts=counts)

    def _refused(self, message: Claimed, result: Refused) -> Outcome:
        """It will never be taken; only our own account's trouble is waited out.

        Nobody's message may be lost for a wrong token of ours: it rests until an operator has
        mended that, or until it is too old to be of use.
        """
        reason = result.reason
        if reason == NOT_SEEN:
            return _dead(message, reason)
        if result.scope == "account":
            log.error("account_refused", error=reason)
            return self._again(message, reason, ACCOUNT_PAUSE, counts=False)
        return Outcome(
            id=message.id,
            fence=message.fence,
            state="refused",
            error=reason[:64],
            bad_address=result.scope == "address" and not reason.startswith(OPTED_OUT),
            opted_out=reason.startswith(OPTED_OUT),
        )

    def _again(self, message: Claimed, error: str, wait: timedelta, *, counts: bool) -> Outcome:
        return Outcome(
            id=message.id,
            fence=message.fence,
            state="queued",
            error=error[:64],
            retry_at=self._clock() + wait,
            counts=counts,
        )


OPTED_OUT = "opted_out"
"""Reasons that begin so mean she does not want messages: recorded as STOP, not as a bad address."""
_NO_CHANNEL = Refused(reason="no_channel", scope="account")
NOT_SEEN = "unknown"
"""The reason that makes the outbox ask before it sends again."""
SENDS_WHEN_UNASKABLE = 2
"""Where a provider cannot be asked, a send of unknown outcome is repeated once at most."""


def _answered(found: Lookup, message: Claimed) -> SendResult | None:
    """What the provider's word settles; None means send it (again)."""
    if found.provider_id:
        return Accepted(provider_id=found.provider_id)
    most = MAX_ATTEMPTS if found.known else SENDS_WHEN_UNASKABLE
    return Refused(reason=NOT_SEEN) if message.attempts > most else None


def _dead(message: Claimed, reason: str) -> Outcome:
    return Outcome(id=message.id, fence=message.fence, state="dead", error=reason[:64])


def _name(message: Claimed) -> ChannelName:
    return message.channel  # type: ignore[return-value]


def _backoff(message: Claimed) -> timedelta:
    """Doubling, capped, with up to a fifth of jitter so that workers do not march in step."""
    wait: timedelta = min(FIRST_BACKOFF * 2 ** (message.attempts - 1), LONGEST_BACKOFF)
    return wait * (1 + random.random() / 5)  # noqa: S311 - jitter, not a secret  # nosec B311
