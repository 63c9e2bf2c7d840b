"""What the tests of Telegram share: one bot, its requests."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.channels.base import (
    Destination,
    WebRequest,
)
from bot.channels.telegram import Telegram, TelegramSettings
from flows.messages import Outbound
from tests.fakes.telegram import SECRET, TOKEN

NOW = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
SENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads"
CHAT = Destination(channel="telegram", account="424242", address="700001")
HELLO = Outbound(text="Hello *you*_<b>")
LATE = "Bad Request: query is too old and response timeout expired or query ID is invalid"


def channel(*, api_url: str = "", timeout_s: float = 10.0, secret: str = SECRET) -> Telegram:
    settings = TelegramSettings(
        bot_token=TOKEN,
        webhook_secret=secret,
        api_url=api_url,
        public_base_url="https://bot.example.org",
    )
    return Telegram(settings, timeout_s=timeout_s)


def request(body: bytes, *, secret: str = SECRET, path: str = "/hooks/telegram") -> WebRequest:
    headers = {"x-telegram-bot-api-secret-token": secret}
    return WebRequest(path=path, headers=headers, body=body, received_at=NOW)


def update(**parts: Any) -> WebRequest:
    return request(json.dumps({"update_id": 7, **parts}).encode())


def recorded(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()
