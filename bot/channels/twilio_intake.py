"""Twilio's webhooks, proved and understood. Pure: a recorded request tests all of it.

The signature is a few lines of `hmac` and not the SDK's validator, which takes 17 times as long;
the SDK is the oracle in the tests.

Source: twilio.com/docs/usage/security, twilio.com/docs/messaging/guides/webhook-request.
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import unquote_plus, urlsplit

from bot.channels.base import (
    WITHHELD,
    ChannelEvent,
    DeliveryState,
    DeliveryStatus,
    Ignored,
    Malformed,
    OptOut,
    Refused,
    Retry,
    Unknown,
)
from bot.channels.text import clean
from bot.channels.twilio_errors import verdict
from flows.messages import ChannelName, Inbound

Pairs = list[tuple[str, str]]

_MAX_BODY = 256 * 1024
_MAX_FIELDS = 500
_MAX_MEDIA = 10
"""Twilio's own limit of attachments a message."""
_WHATSAPP = "whatsapp:"
_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_NOBODY = frozenset(
    "+" + word.translate(_KEYPAD)
    for word in ("ANONYMOUS", "BLOCKED", "PRIVATE", "RESTRICTED", "UNAVAILABLE", "UNKNOWN")
)
"""Numbers that stand for a withheld one: these words on a telephone's keys.

Source: Twilio's help centre, calls from numbers such as +266696687 and +7378742833.
"""
_FORWARDED = ("Forwarded", "FrequentlyForwarded")
"""What WhatsApp says of a message that somebody else wrote first."""

_STATES: Mapping[str, DeliveryState] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
"""Their words in ours; what only receives (`received`, `receiving`) and what is new is None."""


def base_urls(public_base_url: str) -> tuple[str, ...]:
    """The configured base and its twin with or without port: Twilio has signed both."""
    base = public_base_url.rstrip("/")
    parts = urlsplit(base)
    if parts.port is None:
        port = 443 if parts.scheme == "https" else 80
        twin = parts._replace(netloc=f"{parts.netloc}:{port}")
    else:
        twin = parts._replace(netloc=parts.netloc.removesuffix(f":{parts.port}"))
    return base, twin.geturl()


def fields(body: bytes) -> Pairs:
    """The form's pairs in order, blanks kept (they are signed).

    Bytes that are no UTF-8 survive as surrogate escapes, so that the signature can still be
    computed over what was sent.

    Raises:
        Malformed: Too long, or too many fields.
    """
    if len(body) > _MAX_BODY:
        raise Malformed("the form is too long")
    if body.count(b"&") >= _MAX_FIELDS:
        raise Malformed("the form has too many fields")
    parts = (part.partition("=") for part in body.decode("utf-8", "surrogateescape").split("&"))
    return [(_decoded(name), _decoded(value)) for name, is_, value in parts if name or is_]


def _decoded(text: str) -> str:
    """What a form's name or value stands for; most stand for themselves."""
    if "%" in text or "+" in text:
        return unquote_plus(text, errors="surrogateescape")
    return text


def signature(url: str, pairs: Iterable[tuple[str, str]], token: str) -> str:
    """Twilio's signature of a form POST.

    Args:
        url: The configured webhook URL, without fragment.
        pairs: The form's fields; a repeated key counts once for each different value.
        token: The account's auth token.

    Returns:
        Base64 of HMAC-SHA1 over the URL and every key and value, sorted by key.
    """
    signed = url + "".join(key + value for key, value in sorted(set(pairs)))
    digest = hmac.digest(token.encode(), signed.encode("utf-8", "surrogateescape"), "sha1")
    return base64.b64encode(digest).decode()


def is_authentic(urls: Iterable[str], pairs: Pairs, header: str, tokens: Iterable[str]) -> bool:
    """Whether `header` signs `pairs` for one of `urls` with one of `tokens`."""
    # compare_digest takes text only while it is ASCII, and a header may be anything.
    given = header.encode("utf-8", "surrogatepass")
    candidates = [(url, token) for token in tokens if token for url in urls]
    return any(
        hmac.compare_digest(signature(url, pairs, token).encode(), given)
        for url, token in candidates
    )


def status(form: Mapping[str, str], *, outbox_id: str, received_at: datetime) -> DeliveryStatus:
    """A status callback in our words.

    Raises:
        Malformed: It names no message or no status.
    """
    raw = clean(_needed(form, "MessageStatus"))
    read = form.get("EventType", "").upper() == "READ"
    return DeliveryStatus(
        provider_id=clean(_needed(form, "MessageSid")),
        outbox_id=outbox_id,
        state="read" if read else _STATES.get(raw.lower()),
        raw=raw,
        error=_reason(clean(form.get("ErrorCode", ""))),
        at=received_at,
    )


def _reason(code: str) -> str:
    """A code in our words ("bad_address 30005"), as an answer to a send would say it."""
    digits = code.isascii() and code.isdigit() and len(code) < len("1000000")
    meant = verdict(int(code)) if digits else None
    return meant.reason if isinstance(meant, Refused | Retry | Unknown) else code


def message(form: Mapping[str, str], *, received_at: datetime) -> ChannelEvent:
    """An incoming SMS or WhatsApp message in our words.

    A person's address is what Twilio gives: a number, a short code, or on WhatsApp a user id of
    the form `ZA.xyz` for somebody who shows no number.

    Raises:
        Malformed: Sender, recipient or message id is missing.
    """
    sender, recipient = _needed(form, "From"), _needed(form, "To")
    message_id = clean(_needed(form, "MessageSid"))
    channel: ChannelName = "whatsapp" if sender.startswith(_WHATSAPP) else "sms"
    address = clean(sender.removeprefix(_WHATSAPP))
    account = clean(recipient.removeprefix(_WHATSAPP))
    if not address or not account:
        raise Malformed("the form names no sender or no recipient")
    if ":" in address:
        return Ignored(kind="channel")
    opted = form.get("OptOutType", "").upper()
    if opted in {"STOP", "START"}:
        return OptOut(
            channel=channel,
            account=account,
            address=address,
            message_id=message_id,
            out=opted == "STOP",
            received_at=received_at,
        )
    if opted == "HELP":
        # Twilio has sent the help text of the Messaging Service already.
        return Ignored(kind="help")
    token = clean(form.get("ButtonPayload") or form.get("ListId") or "")
    return Inbound(
        channel=channel,
        account=account,
        address=address,
        message_id=message_id,
        text="" if token else clean(form.get("Body", "")),
        token=token,
        media=_media(form),
        shown_in=clean(form.get("OriginalRepliedMessageSid", "")) if token else "",
        forwarded=any(form.get(name, "").lower() == "true" for name in _FORWARDED),
        received_at=received_at,
    )


def call(form: Mapping[str, str], *, received_at: datetime) -> ChannelEvent:
    """A call in our words: whom to write back to by SMS.

    Total: a call must never end in an error, which Twilio would read out, and she would pay for.
    A number that is withheld, or that no SMS can reach, comes as `Ignored`.
    """
    caller, recipient = clean(form.get("From", "")), clean(form.get("To", ""))
    call_id = clean(form.get("CallSid", ""))
    if not _NUMBER.fullmatch(caller) or caller in _NOBODY or not (recipient and call_id):
        return Ignored(kind=WITHHELD)
    return Inbound(
        kind="call",
        channel="sms",
        account=recipient,
        address=caller,
        message_id=call_id,
        received_at=received_at,
    )


def _media(form: Mapping[str, str]) -> tuple[str, ...]:
    """Kinds of what is attached; a contact card or a file by its role, not its MIME type."""
    kinds = [_kind(form.get(f"MediaContentType{n}", "")) for n in range(_media_count(form))]
    if form.get("Latitude"):
        kinds.append("location")
    return tuple(kinds)


def _media_count(form: Mapping[str, str]) -> int:
    count = form.get("NumMedia", "")
    digits = count.isascii() and count.isdigit()
    return min(int(count[:3]), _MAX_MEDIA) if digits else 0


def _kind(content_type: str) -> str:
    major, _, minor = content_type.lower().partition("/")
    if major in {"image", "audio", "video"}:
        return major
    return "contact" if "vcard" in minor else "document"


def _needed(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "").strip()
    if not value:
        raise Malformed(f"the form lacks {name}")
    return value
