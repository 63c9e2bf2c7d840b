"""Telegram, through one bot: private chats, inline keyboards, no markup."""

# ruff: noqa: ARG001, ARG002 - the protocol hands over more than this channel needs

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bot.channels import telegram_intake
from bot.channels.base import (
    Accepted,
    Channel,
    ChannelEvent,
    Destination,
    Lookup,
    Malformed,
    NotAuthentic,
    SendResult,
    WebAnswer,
    WebRequest,
)
from flows.messages import LIMITS, ChannelName, Limits, Outbound

if TYPE_CHECKING:
    from bot.channels.sdk.telegram import TelegramApi

PATH = "/hooks/telegram"


class Settings(Protocol):
    """What the environment says about Telegram (DESIGN §4)."""

    telegram_bot_token: str
    telegram_webhook_secret: str
    telegram_api_url: str
    public_base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """One bot as we use it.

    Attributes:
        bot_token: `<bot id>:<secret>` as BotFather gave it.
        webhook_secret: What Telegram repeats in a header of each webhook request.
        api_url: Another base URL for the Bot API (tests), else empty.
        public_base_url: Where Telegram reaches us.
    """

    bot_token: str
    webhook_secret: str
    api_url: str = ""
    public_base_url: str


def open_channel(settings: Settings, contents: Mapping[str, str]) -> Channel | None:
    """The channel, or None where the token or the webhook's secret is missing."""
    if not (settings.telegram_bot_token and settings.telegram_webhook_secret):
        return None
    return Telegram(
        TelegramSettings(
            bot_token=settings.telegram_bot_token,
            webhook_secret=settings.telegram_webhook_secret,
            api_url=settings.telegram_api_url,
            public_base_url=settings.public_base_url,
        )
    )


class Telegram:
    """The bot: messages and taps in, messages out.

    Args:
        settings: The bot.
        timeout_s: Longest wait for Telegram's answer to a request, in seconds.
    """

    names: tuple[ChannelName, ...] = ("telegram",)
    paths: tuple[str, ...] = (PATH,)

    def __init__(self, settings: TelegramSettings, *, timeout_s: float = 10.0) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._account = settings.bot_token.partition(":")[0]
        self._api: TelegramApi | None = None

    def limits(self, channel: ChannelName) -> Limits:
        """What a message on `channel` can carry."""
        return LIMITS[channel]

    def parse(self, request: WebRequest) -> tuple[ChannelEvent, ...]:
        """Prove and understand an update.

        Raises:
            NotAuthentic: The secret is missing or wrong.
            Malformed: The body is no update.
        """
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        secret = self._settings.webhook_secret
        # As bytes: compare_digest takes text only while it is ASCII, and a header may be anything.
        equal = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
        if not (secret and equal):
            raise NotAuthentic("the webhook's secret is missing or wrong")
        if request.path != PATH:
            raise Malformed("no such webhook")
        update = telegram_intake.read(request.body)
        return (
            telegram_intake.event(update, account=self._account, received_at=request.received_at),
        )

    def answer(self, request: WebRequest) -> WebAnswer:
        """An empty reply; Telegram asks for any 2xx."""
        return WebAnswer(status=200)

    async def send(self, message: Outbound, to: Destination, *, key: str) -> SendResult:
        """Stop the spinner, take used buttons away, then say the text, as far as each is asked.

        The first two are courtesy: where a text follows, it is sent whatever became of them.
        """
        api = self._open()
        result: SendResult = Accepted(provider_id=f"ack-{key}")
        if message.ack:
            result = await api.acknowledge(message.ack)
        if message.strip:
            stripped = await api.strip(to.address, message.strip)
            result = stripped if isinstance(result, Accepted) else result
        if message.text or message.buttons:
            return await api.say(to.address, message.text, message.buttons)
        return Accepted(provider_id=f"ack-{key}") if isinstance(result, Accepted) else result

    async def look_up(
        self,
        message: Outbound,
        to: Destination,
        *,
        since: datetime,
        key: str,
    ) -> Lookup:
        """Telegram keeps no list of what a bot sent: it cannot be asked."""
        return Lookup(known=False)

    async def close(self) -> None:
        """Release the connections; a later send opens new ones."""
        if self._api is not None:
            await self._api.close()
            self._api = None

    def _open(self) -> "TelegramApi":
        # Here and not in __init__: the library's connections belong to the running event loop.
        if self._api is None:
            from bot.channels.sdk.telegram import TelegramApi  # noqa: PLC0415 - loaded when needed

            self._api = TelegramApi(
                token=self._settings.bot_token,
                api_url=self._settings.api_url,
                timeout_s=self._timeout_s,
            )
        return self._api
