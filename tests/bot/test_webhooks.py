"""`webhooks set` against servers that play both providers."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bot.channels.base import Accepted, Destination, Ignored, WebRequest
from bot.channels.telegram import open_channel
from bot.channels.twilio import Twilio, TwilioSettings
from bot.webhooks import contents, set_webhooks
from flows.messages import Button, Outbound
from tests.fakes import Play, unused_url
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

BASE = "https://bot.example.org"
HOOK = f"{BASE}/hooks/twilio#rc=3&rp=ct,rt,5xx&rt=5000"
COMMANDS = {
    "": {"help": "Help", "stop": "Stop all messages"},
    "zu": {"help": "Usizo"},
    "nso": {"help": "Thušo"},
}


@dataclass
class Providers:
    twilio: FakeTwilio
    telegram: FakeTelegram


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    numbers = ["+276000000010", "+27600000001"]
    async with FakeTwilio(numbers=numbers, page_size=5) as sms, FakeTelegram() as telegram:
        yield Providers(sms, telegram)


def settings(providers: Providers, **changed: str) -> SimpleNamespace:
    values = {
        "twilio_account_sid": fake_twilio.ACCOUNT,
        "twilio_auth_token": fake_twilio.TOKEN,
        "twilio_auth_token_old": "",
        "twilio_sms_from": "+27600000001",
        "twilio_whatsapp_from": "+27600000002",
        "twilio_messaging_service_sid": "MG1",
        "twilio_api_url": providers.twilio.url,
        "telegram_bot_token": fake_telegram.TOKEN,
        "telegram_webhook_secret": fake_telegram.SECRET,
        "telegram_api_url": providers.telegram.url,
        "public_base_url": BASE + "/",
    }
    return SimpleNamespace(**{**values, **changed})


class Kept:
    """Keeps the SIDs it is handed."""

    def __init__(self) -> None:
        self.sids: list[Mapping[str, str]] = []

    async def __call__(self, sids: Mapping[str, str]) -> None:
        self.sids.append(sids)


async def test_everything_is_set_once_and_a_second_run_changes_nothing(
    providers: Providers,
) -> None:
    kept = Kept()
    report = await set_webhooks(settings(providers), commands=COMMANDS, store=kept)
    assert all(step.ok for step in report)
    assert providers.telegram.webhook == {
        "url": f"{BASE}/hooks/telegram",
        "secret_token": fake_telegram.SECRET,
        "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
        "max_connections": "40",
    }
    assert set(providers.telegram.commands) == {"", "zu"}
    assert providers.telegram.commands["zu"] == [{"command": "help", "description": "Usizo"}]
    other, ours = providers.twilio.numbers.values()
    assert "sms_url" not in other
    assert (ours["sms_url"], ours["sms_method"]) == (HOOK, "POST")
    assert ours["voice_url"] == f"{BASE}/hooks/twilio/voice"
    assert providers.twilio.service["inbound_request_url"] == HOOK
    assert len(providers.twilio.contents) == 13
    assert kept.sids[0].keys() == contents().keys()

    before = len(providers.twilio.calls)
    again = await set_webhooks(settings(providers), commands=COMMANDS, store=kept)
    written = {"number.set", "service.set", "content.new"}
    assert not written & set(providers.twilio.kinds()[before:])
    assert kept.sids[1] == kept.sids[0]
    assert any("0 of them made now" in step.text for step in again)


async def test_the_step_no_interface_can_do_is_told(providers: Providers) -> None:
    report = await set_webhooks(settings(providers), commands={}, store=Kept())
    (by_hand,) = [step.text for step in report if "by hand" in step.text]
    assert HOOK in by_hand
    assert "+27600000002" in by_hand


async def test_what_is_not_configured_is_passed_over(providers: Providers) -> None:
    kept = Kept()
    bare = settings(providers, twilio_account_sid="", telegram_bot_token="")
    report = await set_webhooks(bare, commands=COMMANDS, store=kept)
    assert [step.ok for step in report] == [True, True]
    assert kept.sids == []
    assert providers.twilio.calls == providers.telegram.calls == []


async def test_only_the_senders_there_are_set(providers: Providers) -> None:
    only = settings(providers, twilio_whatsapp_from="", twilio_messaging_service_sid="")
    await set_webhooks(only, commands={}, store=Kept())
    assert providers.twilio.kinds() == ["number", "number", "number.set"]
    none = settings(
        providers,
        twilio_whatsapp_from="",
        twilio_messaging_service_sid="",
        twilio_sms_from="",
    )
    assert len(await set_webhooks(none, commands={}, store=Kept())) == 1


async def test_a_number_of_somebody_else_is_a_problem(providers: Providers) -> None:
    report = await set_webhooks(
        settings(providers, twilio_sms_from="+2760000"), commands={}, store=Kept()
    )
    assert [step.text for step in report if not step.ok] == [
        "Twilio: this account has no number +2760000."
    ]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("number", "number"),
        ("number.set", "number"),
        ("service", "service"),
        ("service.set", "service"),
        ("contents", "contents"),
        ("content.new", "content cwb_quick_1"),
    ],
)
async def test_a_refusal_is_reported_and_the_rest_goes_on(
    providers: Providers, kind: str, word: str
) -> None:
    kept = Kept()
    refusal = fake_twilio.refuses(20003, status=401)
    providers.twilio.plays(kind, *[refusal] * 2)
    report = await set_webhooks(settings(providers), commands={}, store=kept)
    (problem,) = [step.text for step in report if not step.ok]
    assert word in problem
    assert "20003" in problem
    assert any("by hand" in step.text for step in report)
    assert len(kept.sids) == (0 if "content" in kind else 1), "half a set is not kept"


async def test_templates_are_looked_up_by_name_and_a_missing_one_is_told(
    providers: Providers,
) -> None:
    kept = Kept()
    await set_webhooks(settings(providers), commands={}, store=Kept())
    name = str(contents()["quick-2"]["friendly_name"])
    report = await set_webhooks(
        settings(providers), commands={}, store=kept, templates=[name, "cwb_nudge"]
    )
    assert kept.sids[0][f"template:{name}"] == kept.sids[0]["quick-2"]
    assert "template:cwb_nudge" not in kept.sids[0]
    told = [step.text for step in report if "template" in step.text]
    assert ["found" in text for text in told] == [False, True]
    assert "have WhatsApp approve it" in told[0]


async def test_a_list_that_is_none_makes_everything_anew(providers: Providers) -> None:
    providers.twilio.plays("contents", Play(status=200, body={"contents": [5], "meta": 5}))
    kept = Kept()
    await set_webhooks(settings(providers), commands={}, store=kept)
    assert len(providers.twilio.contents) == len(kept.sids[0]) == 13


async def test_nobody_there_is_two_problems_and_no_secret(providers: Providers) -> None:
    away = settings(providers, twilio_api_url=unused_url(), telegram_api_url=unused_url())
    report = await set_webhooks(away, commands=COMMANDS, store=Kept())
    assert [step.ok for step in report] == [False, False]
    told = " ".join(step.text for step in report)
    assert fake_telegram.TOKEN not in told
    assert fake_twilio.TOKEN not in told


@pytest.mark.parametrize("key", sorted(contents()))
async def test_a_message_fills_every_variable_of_its_content(
    providers: Providers, key: str
) -> None:
    word, _, count = key.partition("-")
    buttons = tuple(Button(title=f"T{n}", token=f"t{n}") for n in range(int(count)))
    message = Outbound(text="Well?", buttons=buttons, menu="Choose" if word == "list" else "")
    channel = Twilio(
        TwilioSettings(
            account_sid=fake_twilio.ACCOUNT,
            auth_token=fake_twilio.TOKEN,
            whatsapp_from="+27600000002",
            api_url=providers.twilio.url,
            public_base_url=BASE,
        ),
        {key: "HX1"},
    )
    to = Destination(channel="whatsapp", account="", address="+27820000002")
    assert isinstance(await channel.send(message, to, key="01"), Accepted)
    await channel.close()
    (form,) = providers.twilio.sent
    document = contents()[key]
    text = str(document["types"])
    for number, value in fake_twilio.variables(form).items():
        assert text.count("{{" + number + "}}") == 1
        text = text.replace("{{" + number + "}}", value)
    assert "{{" not in text
    assert set(fake_twilio.variables(form)) == set(document["variables"])


async def test_a_request_as_it_was_set_is_taken(providers: Providers) -> None:
    await set_webhooks(settings(providers), commands={}, store=Kept())
    webhook = providers.telegram.webhook
    bot = open_channel(settings(providers), {})
    assert bot is not None
    request = WebRequest(
        path=str(webhook["url"]).removeprefix(BASE),
        headers={"x-telegram-bot-api-secret-token": str(webhook["secret_token"])},
        body=b'{"update_id": 1, "poll": {}}',
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    assert bot.parse(request) == (Ignored(kind="update"),)


async def test_the_bots_name_is_learnt_for_the_slips(providers: Providers) -> None:
    learnt: list[str] = []

    async def name(username: str) -> None:
        learnt.append(username)

    await set_webhooks(settings(providers), commands={}, store=Kept(), name=name)
    assert learnt == ["test_bot"]
    without = settings(providers, telegram_bot_token="")
    await set_webhooks(without, commands={}, store=Kept(), name=name)
    assert learnt == ["test_bot"]
