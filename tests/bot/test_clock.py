"""The clock only says "now": what is due stands in our rows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Connection, select

from storage.keyring.vault import Vault
from storage.schema import addresses, outbox, timers
from tests.person import Person
from tests.town import ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
THANDI = Resident(
    name="thandi",
    role="caregiver",
    channel="sms",
    place=2,
    invited_for=9,
    agreed_on="2026-01-30",
)
SIPHO = Resident(name="sipho", role="coordinator", channel="telegram", place=3)


@pytest.fixture
async def town(sqlite_url: str, vault: Vault) -> AsyncIterator[Town]:
    async with open_town(sqlite_url, vault, [AMINA, THANDI, SIPHO], at=MONDAY) as opened:
        yield opened


async def begins(town: Town, *texts: str, safe_hour: int = 1) -> Person:
    amina = Person(town, AMINA)
    for text in (f"JOIN {town.codes[17]}", "1", f"1 1 1 1 2 {safe_hour}", *texts):
        await amina.says(text)
    return amina


def kinds(town: Town) -> list[str]:
    return [s.message.text[:24] for s in town.channel.sent]


def sent_keys(conn: Connection) -> list[tuple[str, str]]:
    """Class and key of everything in the outbox; the key makes a message once."""
    return sorted((r.message_class, r.key) for r in conn.execute(select(outbox)))


async def test_a_hundred_sweeps_send_nothing_extra(town: Town) -> None:
    await begins(town, "1 1 1", "3 3 3", "3 3 3", "3 3 3", "3", safe_hour=2)
    moments = [timedelta(hours=26), timedelta(hours=75)]
    for wait in moments:
        await town.wait(MONDAY.replace(hour=10) + wait)
    before, rows = kinds(town), await town.database.read(sent_keys)
    classes = [kind for kind, _ in rows]
    assert classes.count("reminder") == 2
    assert classes.count("invitation") == 1
    assert "alert" in classes
    for _ in range(100):
        await town.clock.tick()
    await town.settle()
    assert kinds(town) == before
    assert await town.database.read(sent_keys) == rows
    assert len({key for _, key in rows}) == len(rows)


async def test_at_night_on_sundays_and_holidays_nothing_is_started(town: Town) -> None:
    await begins(town)
    already = len(town.channel.sent)
    tuesday_night = MONDAY.replace(day=3, hour=21)
    await town.wait(tuesday_night)
    assert len(town.channel.sent) == already
    sunday = MONDAY.replace(day=8, hour=12)
    await town.wait(sunday)
    assert len(town.channel.sent) == already


async def test_the_nudge_waits_for_her_safe_hour(town: Town) -> None:
    amina = await begins(town)  # her best time is the morning
    await town.wait(MONDAY.replace(day=3, hour=14))
    assert not [s for s in amina.phone() if "waiting" in s.message.text]
    await town.wait(MONDAY.replace(day=4, hour=8))
    assert len([s for s in amina.phone() if "waiting" in s.message.text]) == 1


async def test_who_said_stop_gets_neither_nudge_nor_invitation(town: Town) -> None:
    amina, thandi = await begins(town), Person(town, THANDI)
    await amina.says("STOP")
    await thandi.says("STOP")
    already = len(town.channel.sent)
    for day in (3, 5, 10):
        await town.wait(MONDAY.replace(day=day, hour=10))
    assert len(town.channel.sent) == already


async def test_a_stranger_is_forgotten_after_seven_days(town: Town) -> None:
    await Person(town, AMINA).says("hello?")
    blind = town.world.vault.blind_address("sms", "+27870000000", AMINA.address)
    there = select(addresses.c.id).where(addresses.c.blind == blind)
    await town.wait(town.now + timedelta(days=6, hours=23))
    assert await town.database.read(lambda c: c.execute(there).first()) is not None
    await town.wait(town.now + timedelta(hours=2))
    assert await town.database.read(lambda c: c.execute(there).first()) is None


async def test_a_tick_that_raises_is_counted_and_comes_again(town: Town) -> None:
    def failures() -> float:
        return REGISTRY.get_sample_value("cwb_tick_failures_total", {"tick": "due"}) or 0.0

    calls: list[int] = []

    async def breaks() -> int:
        calls.append(1)
        if len(calls) > 2:
            twice.set()
        raise RuntimeError("a fault of ours")

    before = failures()
    twice = asyncio.Event()
    town.clock.ticks.clear()
    town.clock.ticks["due"] = (0.01, breaks)
    town.clock.start()
    async with asyncio.timeout(10):
        await twice.wait()
    town.clock.stop()
    town.clock.stop()
    assert failures() >= before + 2


async def test_a_tick_that_the_policy_does_not_know_does_not_run(town: Town) -> None:
    calls: list[int] = []

    async def stranger() -> int:
        calls.append(1)
        return 1

    town.clock.ticks["stranger"] = (1, stranger)
    with pytest.raises(KeyError):
        await town.clock.tick()
    assert calls == []


async def test_a_tick_says_what_it_did(town: Town) -> None:
    await begins(town)
    town.now = MONDAY.replace(day=3, hour=10)
    done = await town.clock.tick()
    assert done["nudges"] == 1
    assert done["invitations"] == 1
    assert (await town.clock.tick())["nudges"] == 0
    found = await town.database.read(lambda c: list(c.execute(select(timers.c.kind)).scalars()))
    assert sorted(found) == ["invite", "nudge"]
