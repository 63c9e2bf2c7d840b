"""The list: urgent first, then the oldest; how many of how many; nothing cut off silently."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from bot.dashboard.alerts import PAGE_ROWS
from storage import schema
from storage.ids import new_code
from tests.bot.dashboard.house import OURS, House, post

LIST = "/dashboard/alerts"
CODE = re.compile(r'<a class="code" href="/dashboard/alerts/(\w+)"')


async def add(house: House, count: int, level: str = "high") -> list[str]:
    codes = [new_code(6) for _ in range(count)]

    def more(conn):  # type: ignore[no-untyped-def]
        at = conn.execute(
            select(
                schema.alerts.c.school_id, schema.alerts.c.child_id, schema.alerts.c.wave_id
            ).where(schema.alerts.c.code == OURS)
        ).one()
        for code in codes:
            house.raise_alert(
                conn, code, school=at.school_id, child=at.child_id, wave=at.wave_id, level=level
            )

    await house.database.write(more)
    return codes


async def test_urgent_comes_first_then_the_oldest(house: House) -> None:
    house.later(timedelta(minutes=1))
    newer = await add(house, 1)
    urgent = await add(house, 1, "urgent")

    text = (await (await house.signed_in("coordinator")).get(LIST)).text

    assert CODE.findall(text) == [*urgent, OURS, *newer]
    assert "3 open: 1 urgent, 2 high. 3 without an owner." in text


async def test_an_owned_alert_is_never_late(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await add(house, 1)
    await post(browser, f"{LIST}/{OURS}", "accept")
    house.later(timedelta(minutes=15))
    await browser.get(LIST)
    for _ in range(8):
        house.later(timedelta(minutes=15))
        text = (await browser.get(LIST)).text

    assert "1 past the clock" in text
    assert text.count("late by") == 1
    assert "open for 2 h 15 min" in text


async def test_pages_say_how_many_of_how_many(house: House) -> None:
    await add(house, PAGE_ROWS)
    browser = await house.signed_in("coordinator")

    first = (await browser.get(LIST)).text
    second = (await browser.get(f"{LIST}?state=open&page=2")).text

    assert "Showing 1 to 50 of 51." in first
    assert "Showing 51 to 51 of 51." in second
    assert "page=2" in first
    assert "page=1" in second
    assert len({*CODE.findall(first), *CODE.findall(second)}) == PAGE_ROWS + 1


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "999999999999", "٣"])
async def test_a_strange_page_number_is_the_first_page(house: House, page: str) -> None:
    answer = await (await house.signed_in("coordinator")).get(LIST, params={"page": page})

    assert CODE.findall(answer.text) == [OURS]


async def test_closed_alerts_have_their_own_tab(house: House) -> None:
    browser = await house.signed_in("coordinator")
    assert "Nothing closed yet." in (await browser.get(f"{LIST}?state=closed")).text
    await post(browser, f"{LIST}/{OURS}", "accept")
    await post(browser, f"{LIST}/{OURS}", "close", outcome="confirmed", reason="done well")

    assert CODE.findall((await browser.get(f"{LIST}?state=closed")).text) == [OURS]
    assert "No open alerts. Last look Mon 2 Feb 2026, 11:00." in (await browser.get(LIST)).text


async def test_seeing_the_list_is_written_down(house: House) -> None:
    await (await house.signed_in("coordinator")).get(LIST)

    assert await house.audited() == [("listed", "alerts", None, house.users["coordinator"].id)]


async def test_an_alert_without_a_timer_shows_its_age(house: House) -> None:
    await house.database.write(lambda conn: conn.execute(delete(schema.timers)))
    house.later(timedelta(hours=5))

    text = (await (await house.signed_in("coordinator")).get(LIST)).text

    assert "open for 5 h" in text
