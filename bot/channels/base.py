"""What every channel does: prove a request, understand it, send a message, say how that went.

`verify` and `parse` are pure, so recorded payloads test them without a network. `send` makes one
request and never retries: retrying is the outbox's work, since only the outbox knows whether the
first attempt may have arrived.

Errors:
    ChannelError
    +-- NotAuthentic    the request is not the provider's: 403, nothing stored
    +-- Malformed       authentic but unusable: 400, counted
    +-- Unreachable     the provider could not be asked: ask again later
"""

# ruff: noqa: N818 - the names say what happened, in our words

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from flows.messages import ChannelName, Inbound, Limits, Outbound


class ChannelError(Exception):
    """A provider's request cannot be used."""


class NotAuthentic(ChannelError):
    """The request does not carry the provider's proof. Answer 403 and store nothing."""


class Malformed(ChannelError):
    """The request is the provider's but makes no sense. Answer 400."""


class Unreachable(ChannelError):
    """The provider gave no answer to a question of ours. Ask again later; assume nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """An HTTP request as it arrived.

    Attributes:
        path: Path below the public base URL, with leading slash, no query.
        headers: Names in lower case.
        body: Raw bytes.
        received_at: Our time (aware, UTC).
        client: The address the request came from, empty where it is not known.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    client: str = ""


DeliveryState = Literal[
    "queued", "sending", "unknown", "accepted", "sent", "delivered", "read", "failed", "refused"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """A provider's word on a message we sent; order of arrival is not trusted.

    Attributes:
        provider_id: The provider's id of the message.
        outbox_id: Our id from the callback's path, else empty.
        state: In our words; unknown provider words come as None and are stored all the same.
        raw: The provider's own word.
        error: The provider's error code, else empty.
        at: When we received it.
    """

    provider_id: str
    outbox_id: str
    state: DeliveryState | None
    raw: str
    error: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """The provider tells us that a person opted out (or in again) on its own level."""

    channel: ChannelName
    account: str
    address: str
    message_id: str
    out: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Authentic, understood, nothing to do (an update kind we do not ask for)."""

    kind: str


WITHHELD = "call_withheld"
"""The kind of an ignored call that names nobody we could write to: counted, nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogStep:
    """A step of a session that is answered in its own response (USSD).

    Attributes:
        session: The network's id of the session.
        path: Everything keyed in it so far, steps joined by `*`; empty when she has only dialled.
    """

    channel: ChannelName
    account: str
    address: str
    session: str
    path: str
    received_at: datetime


ChannelEvent = Inbound | DeliveryStatus | OptOut | Ignored | DialogStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a message goes.

    Attributes:
        channel: The kind of channel.
        account: Our side of it; empty for the channel's default sender.
        address: The person's side.
        window_open: Whether WhatsApp allows a free message now.
        valid_s: Seconds after which the message is stale and the provider shall drop it from its
            queue, where the provider can (SMS); None leaves the provider's own limit.
    """

    channel: ChannelName
    account: str
    address: str
    window_open: bool = True
    valid_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has it under `provider_id`."""

    provider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """It certainly did not arrive; try again, not before `after_s` seconds where given.

    Attributes:
        counts: Whether it uses up an attempt (429 does not).
    """

    reason: str
    after_s: float | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may have arrived: time-out or 5xx after the request left. Ask before resending."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It will never be taken. `scope` says what stops: this message, the address, the account."""

    reason: str
    scope: Literal["message", "address", "account"] = "message"


SendResult = Accepted | Retry | Unknown | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What the provider says about a send whose answer we never saw.

    Attributes:
        known: Whether the provider can be asked at all (Telegram cannot).
        provider_id: Its id if the message is there, else empty.
    """

    known: bool
    provider_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The provider does not hold it any more, or never did."""


ForgetResult = Forgotten | Retry | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAnswer:
    """What the provider gets back."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """One provider account. Implementations live one a file in this folder."""

    names: tuple[ChannelName, ...]
    """The channels it carries (Twilio: sms and whatsapp)."""
    paths: tuple[str, ...]
    """Webhook paths it answers; a trailing `/*` matches one more segment."""

    def limits(self, channel: ChannelName) -> Limits:
        """What a message on `channel` can carry."""
        ...

    def parse(self, request: WebRequest) -> tuple[ChannelEvent, ...]:
        """Prove and understand a request.

        Raises:
            NotAuthentic: Signature or secret is missing or wrong.
            Malformed: The proof holds but the content is unusable.
        """
        ...

    def answer(self, request: WebRequest) -> WebAnswer:
        """The provider-shaped 2xx once everything is committed."""
        ...

    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        """Hand one message over, once. `key` is our outbox id. Never raises for provider faults."""
        ...

    async def look_up(
        self, message: Outbound, to: Destination, *, since: datetime, key: str
    ) -> Lookup:
        """Ask whether a send of unknown outcome arrived.

        Args:
            message: What was sent.
            to: Where it was sent.
            since: When the first attempt left us (aware).
            key: Our outbox id.

        Raises:
            Unreachable: The question itself got no answer; nothing is known yet.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class Answers(Protocol):
    """A channel whose messages are answered in the response to the request that brought them."""

    def screen(self, text: str, *, waits: bool) -> WebAnswer:
        """A screen as the provider wants it; `waits` keeps the session open for a reply."""
        ...


@runtime_checkable
class Forgets(Protocol):
    """A channel whose provider keeps copies of messages and takes them away when asked."""

    async def forget(
        self, provider_id: str, *, step: Literal["redact", "delete"], media: int
    ) -> ForgetResult:
        """Take a stored message away at the provider; safe to repeat.

        Args:
            provider_id: The provider's id of the message.
            step: `redact` empties its text, `delete` removes the record.
            media: How many attachments it came with; they are deleted in either step.

        Returns:
            `Refused` stands for trouble with our account; whatever else failed is a `Retry`.
        """
        ...
