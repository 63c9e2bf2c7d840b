"""Telegram: sends against a server that plays the Bot API."""

import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx
import pytest
from telegram import error as tg

from bot.channels.base import (
    Accepted,
    ChannelEvent,
    Lookup,
    Refused,
    Retry,
    SendResult,
    Unknown,
)
from bot.channels.sdk.telegram import outcome
from bot.channels.telegram import Telegram, open_channel
from flows.messages import Button, Outbound
from tests.bot.channels.telegram_samples import CHAT, HELLO, LATE, NOW, channel, recorded, request
from tests.fakes import Play, calls_first, hangs, unused_url
from tests.fakes.telegram import SECRET, TOKEN, FakeTelegram, fails, refuses, throttled


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
async def telegram(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    opened = channel(api_url=fake.url)
    yield opened
    await opened.close()


def buttons(*titles: str) -> tuple[Button, ...]:
    return tuple(Button(title=title, token=f"q.{n}") for n, title in enumerate(titles, 1))


class TestSend:
    async def test_text_goes_as_it_stands(self, fake: FakeTelegram, telegram: Telegram) -> None:
        assert await telegram.send(HELLO, CHAT, key="01") == Accepted(provider_id="101")
        assert fake.sent == [{"chat_id": "700001", "text": "Hello *you*_<b>"}]

    @pytest.mark.parametrize(
        ("titles", "rows"),
        [
            (("Yes", "No", "Later"), [2, 1]),
            (("Yes", "A rather long answer"), [1, 1]),
            (("Yes",), [1]),
        ],
    )
    async def test_buttons_stand_under_the_text(
        self, fake: FakeTelegram, telegram: Telegram, titles: tuple[str, ...], rows: list[int]
    ) -> None:
        await telegram.send(Outbound(text="Well?", buttons=buttons(*titles)), CHAT, key="01")
        shown = fake.sent[0]["reply_markup"]["inline_keyboard"]
        assert [len(row) for row in shown] == rows
        flat = [(key["text"], key["callback_data"]) for row in shown for key in row]
        assert flat == [(title, f"q.{n}") for n, title in enumerate(titles, 1)]

    async def test_a_tap_is_acknowledged_then_stripped_then_answered(
        self, fake: FakeTelegram, telegram: Telegram
    ) -> None:
        message = Outbound(text="Next", ack="987", strip="40")
        assert await telegram.send(message, CHAT, key="01") == Accepted(provider_id="101")
        assert fake.kinds() == ["answerCallbackQuery", "editMessageReplyMarkup", "sendMessage"]
        assert fake.calls[0].fields == {"callback_query_id": "987"}
        assert fake.calls[1].fields == {"chat_id": "700001", "message_id": "40"}

    async def test_without_a_text_nothing_is_said(
        self, fake: FakeTelegram, telegram: Telegram
    ) -> None:
        only = Outbound(text="", ack="987", strip="40")
        assert await telegram.send(only, CHAT, key="01") == Accepted(provider_id="ack-01")
        assert fake.kinds() == ["answerCallbackQuery", "editMessageReplyMarkup"]

    @pytest.mark.parametrize(
        ("method", "play"),
        [
            ("answerCallbackQuery", refuses(400, LATE)),
            ("editMessageReplyMarkup", refuses(400, "Bad Request: message is not modified")),
            ("editMessageReplyMarkup", refuses(400, "Bad Request: message to edit not found")),
        ],
    )
    async def test_a_courtesy_that_comes_too_late_is_done(
        self, fake: FakeTelegram, telegram: Telegram, method: str, play: Play
    ) -> None:
        fake.plays(method, play)
        only = Outbound(text="", ack="987", strip="40")
        assert await telegram.send(only, CHAT, key="01") == Accepted(provider_id="ack-01")

    @pytest.mark.parametrize("method", ["answerCallbackQuery", "editMessageReplyMarkup"])
    async def test_a_courtesy_that_fails_is_repeated_and_holds_nothing_up(
        self, fake: FakeTelegram, telegram: Telegram, method: str
    ) -> None:
        fake.plays(method, fails(), fails(), throttled(3))
        only = Outbound(text="", ack="987", strip="40")
        assert await telegram.send(only, CHAT, key="01") == Retry(reason="ambiguous NetworkError")
        with_text = Outbound(text="Next", ack="987", strip="40")
        assert isinstance(await telegram.send(with_text, CHAT, key="02"), Accepted)
        assert await telegram.send(only, CHAT, key="03") == Retry(
            reason="rate 429", after_s=3.0, counts=False
        )

    async def test_what_was_never_a_message_needs_no_stripping(
        self, fake: FakeTelegram, telegram: Telegram
    ) -> None:
        only = Outbound(text="", strip="sim-01")
        assert isinstance(await telegram.send(only, CHAT, key="01"), Accepted)
        assert fake.calls == []

    @pytest.mark.parametrize(
        ("play", "result"),
        [
            (throttled(7), Retry(reason="rate 429", after_s=7.0, counts=False)),
            (
                refuses(403, "Forbidden: bot was blocked by the user"),
                Refused(reason="opted_out 403", scope="address"),
            ),
            (
                refuses(400, "Bad Request: chat not found"),
                Refused(reason="bad_address 400", scope="address"),
            ),
            (refuses(400, "Bad Request: message is too long"), Refused(reason="rejected 400")),
            (
                refuses(400, "Bad Request", migrate_to_chat_id=-100),
                Refused(reason="bad_address migrated", scope="address"),
            ),
            (refuses(401, "Unauthorized"), Refused(reason="account InvalidToken", scope="account")),
            (refuses(404, "Not Found"), Refused(reason="account InvalidToken", scope="account")),
            (refuses(409, "Conflict"), Refused(reason="account Conflict", scope="account")),
            (fails(502), Unknown(reason="ambiguous NetworkError")),
            (fails(500, accept=True), Unknown(reason="ambiguous NetworkError")),
            (Play(status=200, body="<html>"), Unknown(reason="ambiguous TelegramError")),
        ],
    )
    async def test_what_telegram_answers(
        self, fake: FakeTelegram, telegram: Telegram, play: Play, result: SendResult
    ) -> None:
        fake.plays("sendMessage", play)
        assert await telegram.send(HELLO, CHAT, key="01") == result
        assert fake.kinds() == ["sendMessage"], "one request, whatever the answer"

    async def test_a_timeout_after_the_acceptance_is_unknown_for_good(
        self, fake: FakeTelegram
    ) -> None:
        opened = channel(api_url=fake.url, timeout_s=0.3)
        fake.plays("sendMessage", hangs())
        assert await opened.send(HELLO, CHAT, key="01") == Unknown(reason="ambiguous TimedOut")
        assert len(fake.sent) == 1
        asked = await opened.look_up(HELLO, CHAT, since=NOW, key="01")
        assert asked == Lookup(known=False)
        await opened.close()

    async def test_a_refused_connection_may_be_repeated(self) -> None:
        opened = channel(api_url=unused_url())
        assert await opened.send(HELLO, CHAT, key="01") == Retry(reason="unreachable ConnectError")
        await opened.close()

    async def test_her_answer_can_come_before_telegrams(
        self, fake: FakeTelegram, telegram: Telegram
    ) -> None:
        seen: list[ChannelEvent] = []

        async def answers(accepted: object) -> None:
            seen.extend(telegram.parse(request(recorded("telegram-tap"))))

        fake.plays("sendMessage", calls_first(answers))
        assert isinstance(await telegram.send(HELLO, CHAT, key="01"), Accepted)
        assert len(seen) == 1

    async def test_after_close_a_send_opens_new_connections(
        self, fake: FakeTelegram, telegram: Telegram
    ) -> None:
        await telegram.send(HELLO, CHAT, key="01")
        await telegram.close()
        await telegram.close()
        assert isinstance(await telegram.send(HELLO, CHAT, key="02"), Accepted)

    async def test_the_token_stays_out_of_the_log(
        self, fake: FakeTelegram, telegram: Telegram, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        await telegram.send(HELLO, CHAT, key="01")
        # The server that plays Telegram keeps its own access log.
        ours = [r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn")]
        assert not [line for line in ours if TOKEN in line]


@pytest.mark.parametrize("cause", [httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")])
def test_a_timeout_before_the_request_left_may_be_repeated(cause: Exception) -> None:
    late = tg.TimedOut()
    late.__cause__ = cause
    assert outcome(late) == Retry(reason=f"unreachable {type(cause).__name__}")


@pytest.mark.parametrize("setting", ["telegram_bot_token", "telegram_webhook_secret"])
def test_it_opens_only_with_token_and_secret(setting: str) -> None:
    values = {
        "telegram_bot_token": TOKEN,
        "telegram_webhook_secret": SECRET,
        "telegram_api_url": "",
        "public_base_url": "https://bot.example.org",
    }
    opened = open_channel(SimpleNamespace(**values), {})
    assert opened is not None
    assert opened.names == ("telegram",)
    assert open_channel(SimpleNamespace(**{**values, setting: ""}), {}) is None
