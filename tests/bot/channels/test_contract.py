"""What every channel keeps, whichever provider it talks to. A new file in the folder is found."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import channels
from bot.channels.base import (
    Accepted,
    Channel,
    ChannelError,
    Destination,
    Lookup,
    NotAuthentic,
    WebRequest,
)
from bot.channels.simulator import Simulator
from flows.messages import LIMITS, ChannelName, Outbound

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SETTINGS = SimpleNamespace(
    twilio_account_sid="AC" + "0" * 32,
    twilio_auth_token="token",  # noqa: S106
    twilio_auth_token_old="",
    twilio_sms_from="+27600000001",
    twilio_whatsapp_from="+27600000002",
    twilio_messaging_service_sid="",
    twilio_api_url="http://127.0.0.1:1",
    telegram_bot_token="424242:token",  # noqa: S106
    telegram_webhook_secret="secret",  # noqa: S106
    telegram_api_url="http://127.0.0.1:1",
    ussd_secret="u" * 40,
    ussd_service_code="*384*57#",
    ussd_networks="",
    public_base_url="https://bot.example.org",
)
Open = Callable[[object, Mapping[str, str]], Channel | None]


def openers() -> dict[str, Open]:
    """`open_channel` of every module in the channels' folder that has one."""
    names = [found.name for found in pkgutil.iter_modules(channels.__path__)]
    modules = {name: importlib.import_module(f"bot.channels.{name}") for name in names}
    return {
        name: module.open_channel
        for name, module in modules.items()
        if hasattr(module, "open_channel")
    }


async def nowhere(message: Outbound, to: Destination, key: str) -> None:
    """A phone nobody looks at."""


def opened() -> dict[str, Channel]:
    """Every channel there is, configured; the simulator is opened by the demo alone."""
    found: dict[str, Channel] = {"simulator": Simulator(nowhere)}
    for name, opener in openers().items():
        channel = opener(SETTINGS, {})
        assert channel is not None, name
        found[name] = channel
    return found


CHANNELS = opened()


def paths(channel: Channel) -> list[str]:
    return [path.replace("*", "0199aa") for path in channel.paths]


def request(path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> WebRequest:
    return WebRequest(path=path, headers=headers or {}, body=body, received_at=NOW)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
class TestEveryChannel:
    def test_it_carries_known_channels_each_once(self, channel: Channel) -> None:
        assert channel.names
        assert set(channel.names) <= set(get_args(ChannelName))
        assert len(set(channel.names)) == len(channel.names)

    def test_its_limits_are_the_ones_content_is_checked_with(self, channel: Channel) -> None:
        assert all(channel.limits(name) == LIMITS[name] for name in channel.names)

    def test_its_paths_are_plain_and_below_hooks(self, channel: Channel) -> None:
        for path in paths(channel):
            assert path.startswith("/hooks/")
            assert set(path) <= set("abcdefghijklmnopqrstuvwxyz0123456789/_-"), "signed as it is"

    def test_every_answer_is_a_2xx_without_words(self, channel: Channel) -> None:
        for path in paths(channel):
            answer = channel.answer(request(path))
            assert answer.status // 100 == 2
            assert answer.body == b"" or answer.content_type == "text/xml"

    def test_what_proves_nothing_is_not_authentic(self, channel: Channel) -> None:
        forged = {
            "x-twilio-signature": "bm90IGEgc2lnbmF0dXJl",
            "x-telegram-bot-api-secret-token": "guess",
        }
        for path in paths(channel):
            for headers in ({}, forged):
                with pytest.raises(NotAuthentic):
                    channel.parse(request(path, b"a=1", headers))

    @given(
        path=st.text(max_size=20),
        body=st.binary(max_size=100),
        headers=st.dictionaries(
            st.sampled_from(["x-twilio-signature", "x-telegram-bot-api-secret-token"]), st.text()
        ),
    )
    def test_parse_never_raises_anything_else(
        self, channel: Channel, path: str, body: bytes, headers: Mapping[str, str]
    ) -> None:
        with pytest.raises(ChannelError):
            channel.parse(request(path, body, headers))

    def test_it_has_the_protocols_signatures(self, channel: Channel) -> None:
        for name in ("limits", "parse", "answer", "send", "look_up", "close"):
            expected = inspect.signature(getattr(Channel, name)).parameters
            found = inspect.signature(getattr(type(channel), name)).parameters
            assert [(p.name, p.kind) for p in found.values()] == [
                (p.name, p.kind) for p in expected.values()
            ]

    async def test_closing_unused_or_twice_is_no_fault(self, channel: Channel) -> None:
        await channel.close()
        await channel.close()
        assert channel.names


def test_the_folder_holds_both_providers() -> None:
    assert {"twilio", "telegram"} <= set(openers())


def test_a_providers_library_is_loaded_by_its_first_send_only() -> None:
    code = (
        "import sys, pkgutil, importlib, bot.channels as c\n"
        "for m in pkgutil.iter_modules(c.__path__, 'bot.channels.'):\n"
        "    importlib.import_module(m.name)\n"
        "print(sorted({'telegram', 'twilio', 'aiohttp', 'httpx'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert ran.stdout.strip() == "[]"


def test_no_path_belongs_to_two_channels() -> None:
    every = [path for channel in CHANNELS.values() for path in paths(channel)]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize("name", sorted(openers()))
def test_what_is_not_configured_is_not_opened(name: str) -> None:
    empty = SimpleNamespace(**dict.fromkeys(vars(SETTINGS), ""))
    assert openers()[name](empty, {}) is None


async def test_a_simulated_phone_shows_what_is_sent_to_it() -> None:
    shown: list[tuple[Outbound, Destination, str]] = []

    async def show(message: Outbound, to: Destination, key: str) -> None:
        shown.append((message, to, key))

    simulator = Simulator(show)
    to = Destination(channel="whatsapp", account="demo", address="1")
    message = Outbound(text="Hello")
    assert await simulator.send(message, to, key="01") == Accepted(provider_id="sim-01")
    assert shown == [(message, to, "01")]
    assert simulator.answer(request("/")).status == 204
    assert await simulator.look_up(message, to, since=NOW, key="01") == Lookup(known=False)
