"""The start: on to the work, or first what holds the launch back."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette

from bot.dashboard.routes import routes
from bot.launch import Item
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
