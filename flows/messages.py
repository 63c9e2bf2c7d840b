"""What travels between a person and the project, free of any provider.

`Inbound` is what a channel understood of a provider's request; `Prompt` is what the conversation
wants to say, still without a language; `Outbound` is that prompt rendered for one channel.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

ChannelName = Literal["sms", "whatsapp", "telegram", "ussd"]
"""The ways a person reaches us. A simulated phone plays one of them."""

InboundKind = Literal["message", "call", "dial"]

MessageClass = Literal["reply", "safety", "alert", "reminder", "invitation", "notice"]
"""What an outgoing message is for: it decides its priority, its hours and its expiry."""


class Inbound(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message, tap or media item a person sent.

    Attributes:
        channel: The kind of channel it came on.
        account: Our side of the channel (our number, the bot's id).
        address: The sender as the channel knows her: E.164 number, WhatsApp user id, chat id.
        message_id: The provider's id; with channel and account the key that makes it unique.
        text: What she typed, raw; empty for a tap or media.
        token: The payload of the button she tapped, else empty.
        media: Kinds of attachments ("image", "audio", "contact", ...), never their content.
        ack: What the provider needs to stop a button's spinner (Telegram callback id), else empty.
        shown_in: Provider id of the message whose button was tapped, else empty.
        forwarded: Whether the channel says that somebody else wrote it first.
        sent_at: The provider's time, if it gives one (aware, UTC).
        received_at: Our time (aware, UTC).
        kind: A message; a call that was not taken (it says only that she wants to be reached); or
            that she dialled (USSD) and has said nothing yet.
    """

    channel: ChannelName
    account: str
    address: str
    message_id: str
    text: str = ""
    token: str = ""
    media: tuple[str, ...] = ()
    ack: str = ""
    shown_in: str = ""
    forwarded: bool = False
    sent_at: datetime | None = None
    received_at: datetime
    kind: InboundKind = "message"


class Phrase(Struct, frozen=True, kw_only=True):
    """One of the bot's own sentences (`flows.phrases`), by key, with its values filled in later."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)


class Ask(Struct, frozen=True, kw_only=True):
    """Questions to put: one item, or several that are answered in one message."""

    items: tuple[str, ...]


class Tell(Struct, frozen=True, kw_only=True):
    """A `note` item of the questionnaire: told, not asked."""

    item: str


class Correct(Struct, frozen=True, kw_only=True):
    """Why the answer to an item could not be taken.

    Attributes:
        item: The item.
        reason: "constraint" for the item's own constraint message, else a phrase key.
        values: What the phrase's placeholders are filled with.
    """

    item: str
    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


class Menu(Struct, frozen=True, kw_only=True):
    """Numbered choices outside a questionnaire: language, start now or later, an alert.

    Attributes:
        ref: The token all its buttons begin with; it names the open prompt they answer.
        options: (code, phrase key or literal text) pairs, shown in order, answered 1..n.
        literal: Whether the second of each pair is text as it stands (native language names).
    """

    ref: str
    options: tuple[tuple[str, str], ...]
    literal: bool = False


Part = Phrase | Ask | Tell | Correct | Menu


class Prompt(Struct, frozen=True, kw_only=True):
    """Something to say, as parts in reading order; rendered per language and channel."""

    parts: tuple[Part, ...]


class Button(Struct, frozen=True, kw_only=True, array_like=True):
    """A tappable answer: what it shows and what comes back (at most 64 bytes on Telegram)."""

    title: str
    token: str


class Outbound(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message ready for one channel.

    Attributes:
        text: The whole text, within the channel's limits.
        buttons: Answers to tap; empty on SMS.
        menu: The label that opens the list, where the buttons are rows of a list picker.
        ack: Provider's callback to acknowledge (Telegram) before anything else.
        strip: Provider id of a message of ours whose buttons are used up and shall go.
        template: Name of an approved template to use where a free message is not allowed.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    menu: str = ""
    ack: str = ""
    strip: str = ""
    template: str = ""


class Limits(Struct, frozen=True, kw_only=True):
    """What a channel can carry; `render` keeps within it and `check` proves it beforehand.

    Attributes:
        unit: How `text` counts: GSM/UCS-2 SMS segments, septets of GSM-7, or characters (UTF-16
            units).
        text: The most of those units in one message.
        buttons: The most buttons under a message (0: the person answers with digits).
        button_chars: The longest button title.
        rows: The most rows of a list picker (0: none).
        row_chars: The longest row title.
        token_bytes: The longest button payload.
        packs: Whether questions marked to stand together are asked in one message.
    """

    unit: Literal["segments", "septets", "chars"]
    text: int
    buttons: int = 0
    button_chars: int = 0
    rows: int = 0
    row_chars: int = 0
    token_bytes: int = 64
    packs: bool = False


SMS = Limits(unit="segments", text=3, packs=True)
"""Three parts at most: 459 GSM or 201 UCS-2 characters (reference/channels.md §2)."""
WHATSAPP = Limits(
    unit="chars", text=1024, buttons=3, button_chars=20, rows=10, row_chars=24, token_bytes=200
)
"""In-session quick replies and list pickers through Twilio (Content API limits)."""
TELEGRAM = Limits(unit="chars", text=4096, buttons=12, button_chars=40, token_bytes=64)
"""Inline keyboards: callback data of 1 to 64 bytes (Bot API)."""

USSD = Limits(unit="septets", text=1200)
"""One question at a time; `flows.ussd` lays a longer text out on screens of 182."""

LIMITS: Mapping[ChannelName, Limits] = {
    "sms": SMS,
    "whatsapp": WHATSAPP,
    "telegram": TELEGRAM,
    "ussd": USSD,
}
