"""The demo's phones: what they show, in memory, until the process ends."""

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.channels.base import Destination
from flows.messages import Button, ChannelName, Inbound, Outbound
from flows.sms import segments

PhoneName = Literal["caregiver", "teacher", "coordinator", "handset"]
LINES = 200
"""Messages a phone remembers."""
SMS_CHARS = 160
CHAT_CHARS = 1600
USSD_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One of the four phones.

    Attributes:
        name: Its name in addresses of the page.
        title: Whose it is.
        about: What kind of phone it is.
        channel: The channel it plays.
        address: The number or id it writes from; none is anybody's.
        most: Characters one message can have.
    """

    name: PhoneName
    title: str
    about: str
    channel: ChannelName
    address: str
    most: int


PHONES: tuple[Phone, ...] = (
    Phone(
        name="caregiver",
        title="Caregiver",
        about="Basic phone, SMS",
        channel="sms",
        address="+27000000017",
        most=SMS_CHARS,
    ),
    Phone(
        name="teacher",
        title="Teacher",
        about="WhatsApp",
        channel="whatsapp",
        address="+27000000101",
        most=CHAT_CHARS,
    ),
    Phone(
        name="coordinator",
        title="Coordinator",
        about="Telegram",
        channel="telegram",
        address="700000001",
        most=CHAT_CHARS,
    ),
    # The caregiver's own number: what she begins by SMS she can take up here, and back.
    Phone(
        name="handset",
        title="Caregiver, dialling",
        about="Any phone, USSD",
        channel="ussd",
        address="+27000000017",
        most=USSD_CHARS,
    ),
)


@dataclass(slots=True, kw_only=True)
class Bubble:
    """One message on a phone.

    Attributes:
        key: The provider id it would have.
        mine: Whether the phone's owner sent it.
        parts: SMS it takes; 0 on channels that do not count.
    """

    key: str
    mine: bool
    text: str
    at: datetime
    parts: int
    buttons: tuple[Button, ...] = ()
    menu: str = ""


@dataclass(slots=True)
class Log:
    """What a phone shows, and since which change of the page."""

    bubbles: deque[Bubble] = field(default_factory=lambda: deque(maxlen=LINES))
    changed: int = 0
    sent: int = 0
    got: int = 0


class Phones:
    """The phones' logs.

    Args:
        now: The clock.
        accounts: Our own account by channel, as the turns know it.
    """

    def __init__(self, now: Callable[[], datetime], accounts: Mapping[ChannelName, str]) -> None:
        self._now = now
        self._accounts = accounts
        self._logs: dict[PhoneName, Log] = {phone.name: Log() for phone in PHONES}
        self.version = 0

    async def deliver(self, message: Outbound, to: Destination, key: str) -> None:
        """Show a message, as the simulator channel hands it over.

        Addresses without a phone on the page (the other families of the demo) show nothing. The
        same key is shown once.
        """
        phone = next(
            (p for p in PHONES if (p.channel, p.address) == (to.channel, to.address)), None
        )
        if phone is None:
            return
        log = self._logs[phone.name]
        name = f"sim-{key}"
        if message.strip:
            for bubble in log.bubbles:
                if bubble.key == message.strip:
                    bubble.buttons = ()
        if (message.text or message.buttons) and all(b.key != name for b in log.bubbles):
            parts = _parts(phone, message.text)
            log.got += parts
            log.bubbles.append(
                Bubble(
                    key=name,
                    mine=False,
                    text=message.text,
                    at=self._now(),
                    parts=parts,
                    buttons=message.buttons,
                    menu=message.menu,
                )
            )
        self._touch(log)

    def typed(self, phone: Phone, text: str) -> Inbound:
        """A message typed on a phone: shown there, and as the channel would hand it over."""
        return self._inbound(phone, text=text, shown=text)

    def tapped(self, phone: Phone, token: str, shown_in: str) -> Inbound | None:
        """A tap on a button, or None where that button is not on the phone (any more)."""
        for bubble in self._logs[phone.name].bubbles:
            if bubble.key == shown_in:
                for button in bubble.buttons:
                    if button.token == token:
                        return self._inbound(
                            phone, token=token, shown_in=shown_in, shown=button.title
                        )
        return None

    def account(self, phone: Phone) -> str:
        """Our own side of the channel a phone plays."""
        return self._accounts[phone.channel]

    def show(self, phone: Phone, text: str, *, mine: bool) -> None:
        """Show what was keyed on a handset, or the screen that answers it."""
        log = self._logs[phone.name]
        key = f"demo-{secrets.token_hex(8)}"
        log.bubbles.append(Bubble(key=key, mine=mine, text=text, at=self._now(), parts=0))
        self._touch(log)

    def log(self, phone: Phone) -> Log:
        """What a phone shows now."""
        return self._logs[phone.name]

    def _inbound(
        self, phone: Phone, *, shown: str, text: str = "", token: str = "", shown_in: str = ""
    ) -> Inbound:
        now, key = self._now(), f"demo-{secrets.token_hex(8)}"
        log = self._logs[phone.name]
        parts = _parts(phone, shown)
        log.sent += parts
        log.bubbles.append(Bubble(key=key, mine=True, text=shown, at=now, parts=parts))
        self._touch(log)
        return Inbound(
            channel=phone.channel,
            account=self._accounts[phone.channel],
            address=phone.address,
            message_id=key,
            text=text,
            token=token,
            ack=f"tap-{key}" if token and phone.channel == "telegram" else "",
            shown_in=shown_in,
            sent_at=now,
            received_at=now,
        )

    def _touch(self, log: Log) -> None:
        self.version += 1
        log.changed = self.version


def _parts(phone: Phone, text: str) -> int:
    return segments(text).segments if phone.channel == "sms" else 0
