"""Telegram's updates, understood. Pure and total: any bytes give events or `Malformed`.

Only the fields we use are read, straight from the JSON: the library's own objects take 20 times as
long and are the oracle in the tests.

Source: core.telegram.org/bots/api#update.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.channels.base import ChannelEvent, Ignored, Malformed, OptOut
from bot.channels.text import clean
from flows.messages import Inbound

Json = Mapping[str, object]

_MAX_BODY = 256 * 1024
_YEAR_2100 = 4_102_444_800
_KINDS: Mapping[str, str] = {
    "animation": "video",
    "audio": "audio",
    "contact": "contact",
    "document": "document",
    "location": "location",
    "photo": "image",
    "poll": "poll",
    "sticker": "sticker",
    "venue": "location",
    "video": "video",
    "video_note": "video",
    "voice": "audio",
}
_FORWARDED = frozenset({"forward_origin", "forward_date"})
_SERVICE = frozenset(
    {
        "chat_background_set",
        "message_auto_delete_timer_changed",
        "pinned_message",
        "write_access_allowed",
    }
)
"""Notes of the app itself; nobody waits for an answer to them."""


def read(body: bytes) -> Json:
    """The update as JSON.

    Raises:
        Malformed: Too long, no JSON, or no object with an update id.
    """
    if len(body) > _MAX_BODY:
        raise Malformed("the update is too long")
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("the update is not JSON") from None
    if not isinstance(update, dict):
        raise Malformed("the update is not an object")
    _number(update, "update_id")
    return update


def event(update: Json, *, account: str, received_at: datetime) -> ChannelEvent:
    """What an update says, in our words.

    Args:
        update: The JSON of `read`.
        account: The bot's numeric id.
        received_at: Our time (aware).

    Raises:
        Malformed: A part that Telegram always sends is missing.
    """
    update_id = _number(update, "update_id")
    if "message" in update:
        return _message(_object(update, "message"), update_id, account, received_at)
    if "edited_message" in update:
        edited = _object(update, "edited_message")
        return _message(edited, update_id, account, received_at, edited=True)
    if "callback_query" in update:
        return _tap(_object(update, "callback_query"), update_id, account, received_at)
    if "my_chat_member" in update:
        return _membership(_object(update, "my_chat_member"), update_id, account, received_at)
    return Ignored(kind="update")


def _message(
    message: Json, update_id: int, account: str, received_at: datetime, *, edited: bool = False
) -> ChannelEvent:
    chat = _object(message, "chat")
    if chat.get("type") != "private":
        return Ignored(kind="group")
    text = _text(message, "text") or _text(message, "caption")
    media = tuple(dict.fromkeys(kind for name, kind in _KINDS.items() if name in message))
    if not text and not media:
        if not _SERVICE.isdisjoint(message):
            return Ignored(kind="service")
        media = ("other",)
    return Inbound(
        channel="telegram",
        account=account,
        address=str(_number(chat, "id")),
        # A message id counts within its chat only, an update id may start anew after a quiet week:
        # together they name one message for ever, and an edit apart from what it edits.
        message_id=f"{update_id}-{_number(message, 'message_id')}",
        text=text,
        media=("edited", *media) if edited else media,
        forwarded=not _FORWARDED.isdisjoint(message),
        sent_at=_time(message.get("edit_date") if edited else message.get("date")),
        received_at=received_at,
    )


def _tap(query: Json, update_id: int, account: str, received_at: datetime) -> ChannelEvent:
    shown = query.get("message")
    if not isinstance(shown, dict) or "data" not in query:
        return Ignored(kind="callback")
    chat = _object(shown, "chat")
    if chat.get("type") != "private":
        return Ignored(kind="group")
    return Inbound(
        channel="telegram",
        account=account,
        address=str(_number(chat, "id")),
        message_id=f"{update_id}-tap",
        token=_text(query, "data"),
        ack=_text(query, "id"),
        shown_in=str(_number(shown, "message_id")),
        received_at=received_at,
    )


def _membership(change: Json, update_id: int, account: str, received_at: datetime) -> ChannelEvent:
    chat = _object(change, "chat")
    if chat.get("type") != "private":
        return Ignored(kind="group")
    if _object(change, "new_chat_member").get("status") != "kicked":
        # Unblocking the bot is no wish to be written to: only a message of hers is.
        return Ignored(kind="member")
    return OptOut(
        channel="telegram",
        account=account,
        address=str(_number(chat, "id")),
        message_id=f"{update_id}-member",
        out=True,
        received_at=received_at,
    )


def _object(parent: Json, name: str) -> Json:
    found = parent.get(name)
    if not isinstance(found, dict):
        raise Malformed(f"the update lacks {name}")
    return found


def _number(parent: Json, name: str) -> int:
    found = parent.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise Malformed(f"the update lacks {name}")
    return found


def _text(parent: Json, name: str) -> str:
    found = parent.get(name)
    return clean(found) if isinstance(found, str) else ""


def _time(seconds: object) -> datetime | None:
    if isinstance(seconds, int) and 0 < seconds < _YEAR_2100:
        return datetime.fromtimestamp(seconds, UTC)
    return None
