"""Taking a stored message away at Twilio: its text, its attachments, its record.

Twilio refuses while a message is on its way: that is a `Retry` like every other 4xx. Attachments
are listed by name and deleted, never fetched.

Source: twilio.com/docs/messaging/api/message-resource (update, delete), media-resource.
"""

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from bot.channels.base import ForgetResult, Forgotten, Refused, Retry
from bot.channels.sdk import Lost, NotSent

if TYPE_CHECKING:
    from bot.channels.sdk.twilio import Reply, TwilioApi

_CALL = "CA"
"""How the id of a call begins."""
_NOT_FOUND, _TOO_MANY = 404, 429
_ACCOUNT = frozenset({401, 403})


async def forget(
    api: "TwilioApi", provider_id: str, *, step: Literal["redact", "delete"], media: int
) -> ForgetResult:
    """See `bot.channels.base.Forgets`."""
    if provider_id.startswith(_CALL) and step == "redact":
        return Forgotten()  # a call that was not taken has no words: only its record can go
    message = f"{_kept_at(provider_id)}/{quote(provider_id, safe='')}"
    try:
        if media:
            reply = await _without_media(api, message)
            if not _is_gone(reply):
                return _not_yet(reply)
        if step == "delete":
            reply = await api.delete(api.account(message))
        else:
            reply = await api.post(api.account(message), form={"Body": ""})
    except (NotSent, Lost) as error:
        return Retry(reason=f"unreachable {error}")
    return Forgotten() if _is_gone(reply) else _not_yet(reply)


def _kept_at(provider_id: str) -> str:
    return "Calls" if provider_id.startswith(_CALL) else "Messages"


async def _without_media(api: "TwilioApi", message: str) -> "Reply":
    """Delete what is attached; the first refusal, or the last answer."""
    reply = await api.get(api.account(f"{message}/Media"))
    for name in _listed(reply) if reply.ok else ():
        reply = await api.delete(api.account(f"{message}/Media/{quote(name, safe='')}"))
        if not _is_gone(reply):
            break
    return reply


def _listed(reply: "Reply") -> list[str]:
    listed = reply.body.get("media_list")
    entries = listed if isinstance(listed, list) else []
    return [str(e["sid"]) for e in entries if isinstance(e, dict) and e.get("sid")]


def _is_gone(reply: "Reply") -> bool:
    """Done, or nothing there to do it to."""
    return reply.ok or reply.status == _NOT_FOUND


def _not_yet(reply: "Reply") -> ForgetResult:
    if reply.status in _ACCOUNT:
        return Refused(reason=f"account {reply.status}", scope="account")
    slow_down = reply.status == _TOO_MANY
    reason = f"rate {reply.status}" if slow_down else f"rejected {reply.status}"
    return Retry(reason=reason, after_s=reply.retry_after_s, counts=not slow_down)
