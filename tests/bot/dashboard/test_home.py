"""The start: on to the work, or first what holds the launch back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update
from starlette.applications import Starlette

from bot.dashboard.routes import routes
from bot.launch import Item
from storage.schema import users
from tests.bot.dashboard.house import House

SHUT = (Item(name="ethics", found="Ethics approval: nothing is on record.", fix="Have one."),)


def shut(house: House) -> None:
    """The same house with the launch gate shut."""
    deps = replace(house.deps(), gate=lambda _conn, _now: SHUT)
    house.app = Starlette(routes=routes(deps))


@pytest.mark.parametrize("role", ["tech", "supervisor"])
async def test_who_can_do_something_about_it_learns_why_nobody_is_invited(
    house: House, role: str
) -> None:
    shut(house)
    browser = await house.signed_in(role)
    page = await browser.get("/dashboard")
    assert page.status_code == 200
    assert "Ethics approval: nothing is on record." in page.text
    assert "0 invitations wait" in page.text
    onward = "/dashboard/alerts" if role == "supervisor" else "/dashboard/account"
    assert f'href="{onward}">Go on' in page.text


async def test_the_others_go_on_to_their_work(house: House) -> None:
    shut(house)
    browser = await house.signed_in("coordinator")
    assert (await browser.get("/dashboard")).headers["location"] == "/dashboard/alerts"


@pytest.mark.parametrize("role", ["tech", "supervisor"])
async def test_with_the_gate_open_everybody_goes_on(house: House, role: str) -> None:
    browser = await house.signed_in(role)
    assert (await browser.get("/dashboard")).status_code == 303


YEAR, NOTICE, SECOND = timedelta(days=365), timedelta(days=14), timedelta(seconds=1)
SOON = "These accounts end soon"
MINE = "Your account ends soon"


async def pages(house: House, role: str) -> tuple[str, str]:
    """What a role reads on the start page (nothing where it goes on), and on its account."""
    browser = await house.signed_in(role)
    home, account = await browser.get("/dashboard"), await browser.get("/dashboard/account")
    assert account.status_code == 200
    return home.text, account.text


async def test_two_weeks_before_an_end_its_holder_and_who_keeps_accounts_are_told(
    house: House,
) -> None:
    ends = house.now + YEAR
    house.now = ends - NOTICE - SECOND
    for role in ("tech", "supervisor", "coordinator"):
        home, account = await pages(house, role)
        assert SOON not in home
        assert MINE not in account

    house.now = ends - NOTICE
    day = f"{ends - SECOND:%d %B %Y}"
    for role in ("coordinator", "researcher", "tech"):
        _, account = await pages(house, role)
        assert MINE in account
        assert day in account
    home, _ = await pages(house, "tech")
    assert SOON in home
    for login in ("coordinator", "researcher", "auditor"):
        assert f"<li>{login.replace('_', ' ')} (" in home
    assert "<li>tech (" not in home, "of her own she reads on every page"
    assert 'href="/dashboard/account">Go on' in home


async def test_a_supervisor_reads_of_her_own_schools_and_others_of_nobody(house: House) -> None:
    house.now += YEAR - NOTICE
    home, _ = await pages(house, "supervisor")
    assert "<li>coordinator (coordinator): " in home
    assert "<li>researcher" not in home
    home, _ = await pages(house, "coordinator")
    assert SOON not in home


async def test_what_has_ended_or_was_closed_is_not_told(house: House) -> None:
    def close(conn: Connection) -> None:
        conn.execute(
            update(users).where(users.c.login == "coordinator").values(disabled_at=house.now)
        )

    house.now += YEAR - timedelta(days=1)
    await house.database.write(close)
    home, _ = await pages(house, "supervisor")
    assert "<li>coordinator" not in home
    assert "<li>social_worker (social worker): " in home
