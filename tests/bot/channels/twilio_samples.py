"""What the tests of Twilio share: one account, its signed requests, a few messages."""

# ruff: noqa: S106 - the tokens are buttons' and the tests' own

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from bot.channels.base import (
    Destination,
    WebRequest,
)
from bot.channels.twilio import Twilio, TwilioSettings
from flows.messages import Button, Outbound
from tests.fakes.twilio import (
    ACCOUNT,
    TOKEN,
    signed,
)

BASE = "https://bot.example.org"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads"
CONTENTS = {"quick-2": "HXquick2", "list-4": "HXlist4", "template:reminder": "HXreminder"}
SMS = Destination(channel="sms", account="+27600000001", address="+27820000001")
WHATSAPP = Destination(channel="whatsapp", account="+27600000002", address="+27820000002")
HELLO = Outbound(text="Hello")
YES, NO = Button(title="Yes", token="q1.1"), Button(title="No", token="q1.2")
TWO = Outbound(text="Well?", buttons=(YES, NO))
FOUR = Outbound(
    text="How often?",
    menu="Choose",
    buttons=tuple(Button(title=f"Option {n}", token=f"q2.{n}") for n in range(1, 5)),
)


def channel(*, api_url: str = "", timeout_s: float = 10.0, **changed: str) -> Twilio:
    values = {
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "sms_from": "+27600000001",
        "whatsapp_from": "whatsapp:+27600000002",
        "public_base_url": BASE,
    }
    settings = TwilioSettings(api_url=api_url, **{**values, **changed})
    return Twilio(settings, CONTENTS, timeout_s=timeout_s)


def request(
    body: bytes, *, path: str = "/hooks/twilio", token: str = TOKEN, base: str = BASE
) -> WebRequest:
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    headers = {"x-twilio-signature": signed(base + path, form, token)}
    return WebRequest(path=path, headers=headers, body=body, received_at=NOW)


def recorded(name: str) -> WebRequest:
    body = (PAYLOADS / f"{name}.form").read_bytes().strip()
    paths = {"status": "/hooks/twilio/status/0199aa", "voice": "/hooks/twilio/voice"}
    return request(body, path=paths.get(name.partition("-")[0], "/hooks/twilio"))
