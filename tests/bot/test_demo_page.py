"""The demo page against a bot that only echoes: forms, taps, refresh, and what the phones show."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import pyotp
import pytest
from starlette.applications import Starlette

from bot.channels.base import Destination, DialogStep
from bot.channels.simulator import Simulator
from bot.demo import Guide, routes
from bot.demo_handset import OVER
from bot.demo_phones import LINES, PHONES, Phones
from flows.messages import Button, Inbound, Outbound
from flows.ussd import Dialog

ACCOUNTS = {
    "sms": "+27000000000",
    "whatsapp": "+27000000000",
    "telegram": "1000",
    "ussd": "*120*1000#",
}
CAREGIVER, TEACHER, COORDINATOR, HANDSET = PHONES
CHATS = (CAREGIVER, TEACHER, COORDINATOR)
GUIDE = Guide(
    school="Umthombo Primary",
    learner=17,
    join_code="7KQ4M2XA",
    login="demo",
    password="not-a-secret",  # noqa: S106
    totp_secret=pyotp.random_base32(),
)


@dataclass(slots=True)
class Echo:
    """A bot that keeps what it is told and answers with buttons."""

    simulator: Simulator
    heard: list[Inbound] = field(default_factory=list)
    settled: int = 0
    steps: list[DialogStep] = field(default_factory=list)
    answer: Outbound | None = None

    async def submit(self, inbound: Inbound) -> None:
        self.heard.append(inbound)
        to = Destination(channel=inbound.channel, account=inbound.account, address=inbound.address)
        message = self.answer or Outbound(
            text=f"Heard: {inbound.text or inbound.token}",
            buttons=(Button(title="Yes, now", token="m.1.1"),),  # noqa: S106
            ack=inbound.ack,
            strip=inbound.shown_in,
        )
        await self.simulator.send(message, to, key=f"k{len(self.heard)}")

    async def settle(self) -> None:
        self.settled += 1

    async def dial(self, step: DialogStep) -> Dialog:
        self.steps.append(step)
        pages = (f"Path <{step.path}>",)
        return Dialog(session=step.session, path=step.path, pages=pages, waits=step.path != "1*2")


@dataclass(slots=True)
class Demo:
    """The page, its phones, and the bot behind it."""

    phones: Phones
    bot: Echo
    browser: httpx.AsyncClient


@pytest.fixture
async def demo(now: datetime) -> AsyncIterator[Demo]:
    """A demo nobody has used."""
    phones = Phones(lambda: now, ACCOUNTS)  # type: ignore[arg-type]
    bot = Echo(Simulator(phones.deliver))
    app = Starlette(
        routes=routes(phones, bot.submit, bot.settle, dial=bot.dial, guide=GUIDE, now=lambda: now)
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as browser:
        yield Demo(phones, bot, browser)


async def test_the_page_shows_four_phones_and_says_what_to_try(demo: Demo, now: datetime) -> None:
    text = (await demo.browser.get("/")).text

    assert re.findall(r'<section class="phone (\w+)"', text) == [p.name for p in PHONES]
    assert "JOIN 7KQ4M2XA" in text
    assert "No real phones" in text
    assert "Drafts are marked" in text
    assert pyotp.TOTP(GUIDE.totp_secret).at(now) in text
    assert "not-a-secret" in text


async def test_it_works_without_a_script(demo: Demo) -> None:
    answer = await demo.browser.post("/demo/caregiver", data={"text": "JOIN 7KQ4M2XA"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/#caregiver")
    text = (await demo.browser.get("/")).text
    assert "Heard: JOIN 7KQ4M2XA" in text
    assert '<noscript><meta http-equiv="refresh"' in text
    assert re.search(r'<a href="/">Refresh</a>', text)


@pytest.mark.parametrize("phone", CHATS, ids=lambda phone: phone.name)
async def test_what_is_typed_arrives_as_from_a_channel(demo: Demo, phone, now: datetime) -> None:
    await demo.browser.post(f"/demo/{phone.name}", data={"text": " hi "})

    heard = demo.bot.heard[0]
    assert (heard.channel, heard.account) == (phone.channel, ACCOUNTS[phone.channel])
    assert (heard.address, heard.text, heard.token) == (phone.address, "hi", "")
    assert heard.received_at == heard.sent_at == now
    assert demo.bot.settled == 1


async def test_every_message_has_its_own_id(demo: Demo) -> None:
    for _ in range(3):
        await demo.browser.post("/demo/teacher", data={"text": "hi"})

    assert len({heard.message_id for heard in demo.bot.heard}) == 3


async def test_a_tap_sends_its_token_and_names_its_message(demo: Demo) -> None:
    await demo.browser.post("/demo/coordinator", data={"text": "hi"})

    await demo.browser.post("/demo/coordinator", data={"token": "m.1.1", "shown_in": "sim-k1"})

    tap = demo.bot.heard[1]
    assert (tap.token, tap.shown_in, tap.text) == ("m.1.1", "sim-k1", "")
    assert tap.ack.startswith("tap-")
    shown = [(b.mine, b.text, len(b.buttons)) for b in demo.phones.log(COORDINATOR).bubbles]
    assert shown == [
        (True, "hi", 0),
        (False, "Heard: hi", 0),
        (True, "Yes, now", 0),
        (False, "Heard: m.1.1", 1),
    ]


async def test_a_tap_on_whatsapp_needs_no_acknowledgement(demo: Demo) -> None:
    await demo.browser.post("/demo/teacher", data={"text": "hi"})
    await demo.browser.post("/demo/teacher", data={"token": "m.1.1", "shown_in": "sim-k1"})

    assert demo.bot.heard[1].ack == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "m.1.1", "shown_in": "sim-k9"},
        {"token": "m.9.9", "shown_in": "sim-k1"},
        {"token": "m.1.1"},
        {"text": "   "},
        {},
    ],
)
async def test_a_button_that_is_gone_and_an_empty_message_say_nothing(
    demo: Demo, fields: dict[str, str]
) -> None:
    await demo.browser.post("/demo/teacher", data={"text": "hi"})

    answer = await demo.browser.post("/demo/teacher", data=fields)

    assert answer.status_code == 303
    assert len(demo.bot.heard) == 1


async def test_a_basic_phone_counts_its_sms_and_stops_at_160_characters(demo: Demo) -> None:
    demo.bot.answer = Outbound(text="x" * 161)

    await demo.browser.post("/demo/caregiver", data={"text": "y" * 200})

    assert demo.bot.heard[0].text == "y" * 160
    text = (await demo.browser.get("/")).text
    assert "Sent 1 SMS, received 2." in text
    assert "2 SMS</p>" in text
    assert 'maxlength="160"' in text
    assert [b.parts for b in demo.phones.log(CAREGIVER).bubbles] == [1, 2]


async def test_with_its_script_the_page_asks_only_for_what_changed(demo: Demo) -> None:
    ask = {"accept": "application/json"}
    first = (
        await demo.browser.post("/demo/teacher?after=0", data={"text": "hi"}, headers=ask)
    ).json()
    quiet = (await demo.browser.get(f"/demo/messages?after={first['version']}")).json()
    await demo.browser.post("/demo/caregiver", data={"text": "hi"})
    then = (await demo.browser.get(f"/demo/messages?after={first['version']}")).json()
    whole = (await demo.browser.get("/demo/messages?after=nonsense")).json()

    assert "Heard: hi" in first["phones"]["teacher"]
    assert quiet["phones"] == {}
    assert list(then["phones"]) == ["caregiver"]
    assert list(whole["phones"]) == ["caregiver", "teacher"]
    assert re.fullmatch(r"\d{6}", whole["code"])


async def test_what_people_type_is_shown_as_text(demo: Demo) -> None:
    nasty = "<script>alert(1)</script>"
    for phone in PHONES:
        await demo.browser.post(f"/demo/{phone.name}", data={"text": nasty})

    page = (await demo.browser.get("/")).text
    news = (await demo.browser.get("/demo/messages?after=0")).json()

    assert nasty not in page + "".join(news["phones"].values())
    assert page.count("&lt;script&gt;") == 6


async def test_only_the_pages_own_script_may_run(demo: Demo) -> None:
    for method, path in (("GET", "/"), ("GET", "/demo/messages"), ("POST", "/demo/teacher")):
        answer = await demo.browser.request(method, path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert answer.headers["cache-control"] == "no-store"


async def test_other_sites_cannot_type_on_the_phones(demo: Demo) -> None:
    answer = await demo.browser.post(
        "/demo/teacher", data={"text": "hi"}, headers={"origin": "https://evil.example"}
    )

    assert answer.status_code == 403
    assert demo.bot.heard == []


async def test_there_is_no_fourth_phone(demo: Demo) -> None:
    assert (await demo.browser.post("/demo/stranger", data={"text": "hi"})).status_code == 404


async def test_a_message_is_shown_once_and_only_on_its_own_phone(demo: Demo) -> None:
    to = Destination(channel="sms", account="x", address=CAREGIVER.address)
    for _ in range(2):
        await demo.phones.deliver(Outbound(text="once"), to, "k")
    elsewhere = Destination(channel="sms", account="x", address="+27000000002")
    await demo.phones.deliver(Outbound(text="never"), elsewhere, "other")

    assert [b.text for b in demo.phones.log(CAREGIVER).bubbles] == ["once"]
    assert not demo.phones.log(TEACHER).bubbles


async def test_an_acknowledgement_alone_shows_no_message(demo: Demo) -> None:
    to = Destination(channel="telegram", account="x", address=COORDINATOR.address)

    await demo.phones.deliver(Outbound(text="", ack="tap-1", strip="sim-none"), to, "k")

    assert not demo.phones.log(COORDINATOR).bubbles


async def test_a_list_shows_its_label_and_links_can_be_followed(demo: Demo) -> None:
    to = Destination(channel="whatsapp", account="x", address=TEACHER.address)
    rows = tuple(Button(title=f"Row {n}", token=f"q.{n}") for n in range(4))
    await demo.phones.deliver(
        Outbound(text="See http://127.0.0.1:8000/dashboard", buttons=rows, menu="Choose"), to, "k"
    )

    text = (await demo.browser.get("/")).text

    assert '<p class="menu">Choose</p>' in text
    assert 'href="http://127.0.0.1:8000/dashboard"' in text
    assert text.count("Row ") == 4


async def test_a_phone_remembers_only_so_much(demo: Demo) -> None:
    to = Destination(channel="sms", account="x", address=CAREGIVER.address)
    for number in range(LINES + 5):
        await demo.phones.deliver(Outbound(text=f"line {number}"), to, f"k{number}")

    assert len(demo.phones.log(CAREGIVER).bubbles) == LINES


def test_no_simulated_number_can_be_anybodys() -> None:
    assert all(p.address.startswith("+270") for p in PHONES if p.channel != "telegram")


async def test_the_handset_dials_and_keys_its_way(demo: Demo) -> None:
    await demo.browser.post("/demo/handset", data={"dial": "1"})
    for key in ("1", " ", "2"):
        await demo.browser.post("/demo/handset", data={"text": key})

    first, *rest = demo.bot.steps
    assert (first.channel, first.account, first.address) == ("ussd", "*120*1000#", HANDSET.address)
    assert HANDSET.address == CAREGIVER.address, "one number, two ways"
    assert [step.path for step in demo.bot.steps] == ["", "1", "1*2"]
    assert {step.session for step in rest} == {first.session}
    page = (await demo.browser.get("/")).text
    assert "Path &lt;1*2&gt;" in page
    assert OVER in page


async def test_the_handset_dials_anew_where_no_session_is_open_or_it_was_dropped(
    demo: Demo,
) -> None:
    await demo.browser.post("/demo/handset", data={"text": "1"})
    await demo.browser.post("/demo/handset", data={"text": "1"})
    await demo.browser.post("/demo/handset", data={"dial": "1", "text": "2"})

    assert [step.path for step in demo.bot.steps] == ["", "1", ""]
    assert len({step.session for step in demo.bot.steps}) == 2
