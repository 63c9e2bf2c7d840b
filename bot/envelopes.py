"""Messages as JSON: how an inbound and an outbound rest, sealed, in inbox and outbox."""

import json
from dataclasses import fields
from datetime import datetime

from flows.messages import Button, Inbound, Outbound
from flows.replies import clean

_OUT = tuple(field.name for field in fields(Outbound))
_IN = tuple(f.name for f in fields(Inbound) if f.name not in ("received_at", "sent_at"))
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def dump_outbound(message: Outbound) -> str:
    """The outbox body of a message; fields that are empty are left out."""
    raw = {name: value for name in _OUT if (value := getattr(message, name))}
    if message.buttons:
        raw["buttons"] = [(b.title, b.token) for b in message.buttons]
    return _ENCODER.encode(raw)


def load_outbound(text: str) -> Outbound:
    """The message that `dump_outbound` wrote."""
    raw = json.loads(text)
    buttons = tuple(Button(title=t, token=k) for t, k in raw.pop("buttons", ()))
    return Outbound(**{"text": "", **raw}, buttons=buttons)


def dump_inbound(inbound: Inbound) -> str:
    """The inbox body: everything she sent, made safe for storage."""
    raw = {name: value for name in _IN if (value := getattr(inbound, name))}
    raw["text"] = clean(inbound.text)
    if inbound.sent_at is not None:
        raw["sent_at"] = inbound.sent_at.isoformat()
    return _ENCODER.encode(raw)


def load_inbound(text: str, *, received_at: datetime) -> Inbound:
    """The message that `dump_inbound` wrote."""
    raw = json.loads(text)
    raw["media"] = tuple(raw.get("media", ()))
    sent_at = raw.pop("sent_at", None)
    return Inbound(
        **raw,
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        received_at=received_at,
    )
