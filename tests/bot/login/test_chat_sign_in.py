"""Signing in with a word by chat through the whole wired bot: browser, outbox, phone, turn."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.app import Bot, application, start
from bot.demo_phones import PHONES
from bot.settings import Settings
from tests.bot.dashboard.house import NUMBER, TOKEN, post

LOGIN = "/dashboard/login"
PHONE = next(phone for phone in PHONES if phone.name == "coordinator")


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Bot]:
    """The demo: a coordinator with a login, whose phone is on the page."""
    bot = await start(Settings(_env_file=None, demo=True, data_dir=tmp_path))
    yield bot
    await bot.close()


def shown(bot: Bot) -> list[str]:
    """What the bot said on the coordinator's phone."""
    assert bot.phones is not None
    return [bubble.text for bubble in bot.phones.log(PHONE).bubbles if not bubble.mine]


async def settle(bot: Bot) -> None:
    bot.queue.poke()  # what the clock does every second
    await bot.settle()


async def test_her_browser_goes_on_after_her_word_on_telegram(demo: Bot) -> None:
    transport = httpx.ASGITransport(application(demo))
    browser = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
    guide = (await browser.get("/")).text
    login, password = re.findall(r"<dd><kbd>([^<]+)</kbd></dd>", guide)[:2]
    asked = await post(browser, LOGIN, "enter", login=login, password=password, how="chat")
    number = NUMBER.search(asked.text)
    assert number is not None
    await settle(demo)

    assert "Reply with the two digits" in shown(demo)[-1]
    assert number[1] not in shown(demo)[-1]
    assert demo.phones is not None
    await demo.queue.submit(demo.phones.typed(PHONE, number[1]))
    await settle(demo)
    assert "Go on in your browser" in shown(demo)[-1]

    token = TOKEN.search(asked.text)
    assert token is not None
    done = await browser.post(f"{LOGIN}/confirm", data={"token": token[1]})
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard")
    assert (await browser.get("/dashboard/alerts")).status_code == 200


async def test_a_wrong_password_reaches_no_phone(demo: Bot) -> None:
    transport = httpx.ASGITransport(application(demo))
    browser = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
    already = len(shown(demo))

    asked = await post(
        browser,
        LOGIN,
        "enter",
        login="demo",
        password="nine blue bicycles",  # noqa: S106
        how="chat",
    )
    await settle(demo)

    assert NUMBER.search(asked.text)
    assert len(shown(demo)) == already
