"""Messages as JSON: how an inbound and an outbound rest, sealed, in inbox and outbox."""

import msgspec

from flows.messages import Inbound, Outbound
from flows.replies import clean

_ENCODER = msgspec.json.Encoder()
_OUT = msgspec.json.Decoder(Outbound)
_IN = msgspec.json.Decoder(Inbound)


def dump_outbound(message: Outbound) -> str:
    """The outbox body of a message; fields that are empty are left out."""
    return _ENCODER.encode(message).decode()


def load_outbound(text: str) -> Outbound:
    """The message that `dump_outbound` wrote."""
    return _OUT.decode(text)


def dump_inbound(inbound: Inbound) -> str:
    """The inbox body: everything she sent, made safe for storage."""
    text = clean(inbound.text)
    if text != inbound.text:
        inbound = msgspec.structs.replace(inbound, text=text)
    return _ENCODER.encode(inbound).decode()


def load_inbound(text: str) -> Inbound:
    """The message that `dump_inbound` wrote."""
    return _IN.decode(text)
