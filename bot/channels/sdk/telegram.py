"""Telegram's Bot API: one request, one result, never a second attempt."""

import logging
import os
from collections.abc import Awaitable, Sequence
from datetime import timedelta

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.channels.base import Accepted, Refused, Retry, SendResult, Unknown
from flows.messages import Button

_SHORT_TITLE = 12
"""Up to this many characters two buttons stand side by side on a small screen."""
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TelegramApi:
    """One bot. Make it inside the event loop that uses it.

    Args:
        token: The bot's token.
        api_url: Another base URL for the Bot API (tests), else empty.
        timeout_s: Longest wait for a reply, in seconds.
    """

    def __init__(self, *, token: str, api_url: str, timeout_s: float) -> None:
        # The library's documented way to durations instead of a warning at each 429.
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        # httpx writes the URL of each request at INFO, and the URL holds the token.
        httpx_log = logging.getLogger("httpx")
        httpx_log.setLevel(max(httpx_log.level, logging.WARNING))
        self._request = HTTPXRequest(
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
            write_timeout=timeout_s,
            pool_timeout=timeout_s,
        )
        base = api_url.rstrip("/") or "https://api.telegram.org"
        self.bot = Bot(
            token,
            base_url=f"{base}/bot",
            request=self._request,
            get_updates_request=self._request,
        )

    async def say(self, chat: str, text: str, buttons: Sequence[Button]) -> SendResult:
        """Send a message; its text is taken as it stands, without any markup."""
        try:
            sent = await self.bot.send_message(chat, text, reply_markup=keyboard(buttons))
        except TelegramError as error:
            return outcome(error)
        return Accepted(provider_id=str(sent.message_id))

    async def acknowledge(self, callback: str) -> SendResult:
        """Stop the spinner of a tapped button. Too late is as good as done."""
        return await _harmless(self.bot.answer_callback_query(callback), done=callback)

    async def strip(self, chat: str, message_id: str) -> SendResult:
        """Take the buttons off a message of ours. Gone already is as good as done."""
        if not message_id.isdecimal():
            return Accepted(provider_id=message_id)
        edit = self.bot.edit_message_reply_markup(
            chat_id=chat, message_id=int(message_id), reply_markup=None
        )
        return await _harmless(edit, done=message_id)

    async def close(self) -> None:
        """Release the connections."""
        await self._request.shutdown()


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """One button a row, or two where all titles are short; None without buttons."""
    if not buttons:
        return None
    keys = [InlineKeyboardButton(button.title, callback_data=button.token) for button in buttons]
    short = all(len(button.title) <= _SHORT_TITLE for button in buttons)
    width = 2 if short else 1
    rows = [keys[first : first + width] for first in range(0, len(keys), width)]
    return InlineKeyboardMarkup(rows)


def outcome(error: TelegramError) -> SendResult:
    """What a failed send means. The order matters: `BadRequest` is a `NetworkError`."""
    match error:
        case RetryAfter():
            wait = error.retry_after
            after_s = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            result: SendResult = Retry(reason="rate 429", after_s=after_s, counts=False)
        case Forbidden():
            result = Refused(reason="opted_out 403", scope="address")
        case ChatMigrated():
            result = Refused(reason="bad_address migrated", scope="address")
        case Conflict() | InvalidToken():
            result = Refused(reason=f"account {type(error).__name__}", scope="account")
        case BadRequest():
            gone = "chat not found" in error.message.lower()
            result = (
                Refused(reason="bad_address 400", scope="address")
                if gone
                else Refused(reason="rejected 400")
            )
        case TimedOut() | NetworkError() if isinstance(error.__cause__, _NEVER_LEFT):
            result = Retry(reason=f"unreachable {type(error.__cause__).__name__}")
        case _:
            result = Unknown(reason=f"ambiguous {type(error).__name__}")
    return result


async def _harmless(call: Awaitable[object], *, done: str) -> SendResult:
    """A call that may be repeated at will: what is refused is over, what is unclear is retried."""
    try:
        await call
    except TelegramError as error:
        if isinstance(error, BadRequest):
            return Accepted(provider_id=done)
        result = outcome(error)
        return Retry(reason=result.reason) if isinstance(result, Unknown) else result
    return Accepted(provider_id=done)
