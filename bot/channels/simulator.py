"""Simulated phones for the demo: a channel that hands each message to the page that shows it.

There is no `open_channel` here: no setting switches the simulator on, the demo makes it with its
phones, and the scan of this folder passes it by.
"""

# ruff: noqa: ARG002 - the protocol hands over more than this channel needs

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.channels.base import (
    Accepted,
    ChannelEvent,
    Destination,
    Lookup,
    Malformed,
    Refused,
    SendResult,
    WebAnswer,
    WebRequest,
)
from bot.channels.ussd import NO_DIALOG
from flows.messages import LIMITS, ChannelName, Limits, Outbound

Deliver = Callable[[Outbound, Destination, str], Awaitable[None]]
"""Shows a message on a phone: the message, whose phone, the outbox id."""


class Simulator:
    """All channels, played on one machine. On USSD nothing is pushed, as on the real one.

    Args:
        deliver: Shows a message on a simulated phone.
    """

    names: tuple[ChannelName, ...] = ("sms", "whatsapp", "telegram", "ussd")
    paths: tuple[str, ...] = ()

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def limits(self, channel: ChannelName) -> Limits:
        """What a message on `channel` can carry: the same as the real one."""
        return LIMITS[channel]

    def parse(self, request: WebRequest) -> tuple[ChannelEvent, ...]:
        """Nothing comes in over a webhook: the demo's page makes its messages itself.

        Raises:
            Malformed: Always.
        """
        raise Malformed(f"simulated phones have no webhook at {request.path[:40]}")

    def answer(self, request: WebRequest) -> WebAnswer:
        """An empty reply."""
        return WebAnswer(status=204)

    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        """Show the message on its phone; on USSD it is refused, as nothing is pushed there."""
        if to.channel == "ussd":
            return Refused(reason=NO_DIALOG)
        await self._deliver(message, to, key)
        return Accepted(provider_id=f"sim-{key}")

    async def look_up(
        self,
        message: Outbound,
        to: Destination,
        *,
        since: datetime,
        key: str,
    ) -> Lookup:
        """A shown message is known by its key; whether it was shown, only the demo knows."""
        return Lookup(known=False)

    async def close(self) -> None:
        """Nothing to release."""
