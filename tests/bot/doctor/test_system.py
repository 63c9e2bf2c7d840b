"""The machine room: what stands, what is stuck, whether the providers answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.content.library import load
from bot.doctor import system
from bot.doctor.base import Ctx, Verdict
from bot.keyring.vaults import open_store
from bot.settings import Settings
from bot.site import read_site
from storage.database import Database
from storage.keyring.vault import Vault
from storage.migrate import upgrade
from tests.fakes import telegram as fake_telegram
from tests.fakes import twilio as fake_twilio
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio
from tests.live import environment, live_settings
from tests.storage.rows import School

BASE = "http://127.0.0.1:2"


@pytest.fixture
async def providers() -> AsyncIterator[tuple[FakeTwilio, FakeTelegram]]:
    async with FakeTwilio(numbers=["+27600000001"]) as twilio, FakeTelegram() as telegram:
        yield twilio, telegram


def context(settings: Settings, now: datetime, **changes: object) -> Ctx:
    site, _ = read_site(None)
    assert site is not None
    upgrade(settings.url)
    store = open_store(settings)
    known = Ctx(
        settings=settings,
        site=site,
        library=load(languages=("en",)),
        database=Database.open(settings.url, exclusive=False),
        keys=store,
        vault=Vault.over(store),
        now=now,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def states(verdicts: list[Verdict]) -> dict[str, str]:
    return {verdict.name: verdict.state for verdict in verdicts}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    env = environment(tmp_path, base="http://127.0.0.1:1", twilio="", telegram="")
    return live_settings(env)


def test_an_empty_database_stands_and_no_provider_is_asked(
    settings: Settings, now: datetime
) -> None:
    found = system.checks(context(settings, now))
    assert states(found) == {"invariants": "ok", "disk": "ok", "messages": "ok"}


def test_what_does_not_hold_is_named(settings: Settings, now: datetime) -> None:
    ctx = context(settings, now)
    filled(ctx, state="strange")
    (verdict,) = [v for v in system.checks(ctx) if v.name == "invariants"]
    assert verdict.state == "red"
    assert "I4: message " in verdict.found
    assert "+2782" not in verdict.found


def filled(ctx: Ctx, **row: object) -> None:
    """A message to somebody."""

    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=ctx.vault, now=ctx.now)
        person = school.person(household=school.child(1).household_id)
        school.message(school.reached_at(person, "+2782"), **row)

    ctx.database.write_sync(work)


def test_what_waits_and_what_was_given_up_is_counted(settings: Settings, now: datetime) -> None:
    ctx = context(settings, now)
    filled(ctx, state="queued", not_before=now - timedelta(minutes=11))
    assert states(system.checks(ctx))["outbox"] == "warn"
    ctx.database.write_sync(lambda c: c.execute(text("update outbox set state = 'dead'")))
    assert states(system.checks(ctx))["dead letters"] == "warn"


@pytest.mark.parametrize(
    ("free", "state"), [(10 * system.LOW_FREE, "ok"), (system.LOW_FREE - 1, "warn"), (1, "red")]
)
def test_room_on_the_disk(free: int, state: str) -> None:
    assert system.room(free).state == state


async def test_providers_are_asked_online(
    tmp_path: Path, providers: tuple[FakeTwilio, FakeTelegram], now: datetime
) -> None:
    twilio, telegram = providers
    env = environment(tmp_path, base=BASE, twilio=twilio.url, telegram=telegram.url)
    ctx = context(live_settings(env), now, online=True)
    telegram.webhook = {"url": f"{BASE}/hooks/telegram"}
    (number,) = twilio.numbers.values()
    number["sms_url"] = f"{BASE}/hooks/twilio#rc=3"
    found = await asyncio.to_thread(system.checks, ctx)
    assert (states(found)["telegram"], states(found)["twilio"]) == ("ok", "ok")
    number["sms_url"] = "https://elsewhere.example.org/hooks/twilio"
    found = await asyncio.to_thread(system.checks, ctx)
    assert states(found)["twilio"] == "red"
    telegram.webhook = {"url": "https://elsewhere.example.org/hook"}
    twilio.plays("number", fake_twilio.refuses(20003, status=401))
    found = await asyncio.to_thread(system.checks, ctx)
    assert (states(found)["telegram"], states(found)["twilio"]) == ("red", "red")
    assert fake_telegram.TOKEN not in str(found)
    assert fake_twilio.TOKEN not in str(found)


async def test_providers_that_cannot_be_reached_are_named_without_a_secret(
    tmp_path: Path, now: datetime
) -> None:
    away = "http://127.0.0.1:1"
    env = environment(tmp_path, base=BASE, twilio=away, telegram=away)
    ctx = context(live_settings(env), now, online=True)
    found = await asyncio.to_thread(system.checks, ctx)
    assert (states(found)["telegram"], states(found)["twilio"]) == ("red", "red")
    assert fake_telegram.TOKEN not in str(found)
