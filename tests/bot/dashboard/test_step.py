"""Proving oneself again: what it takes, how long it holds, where it leads."""

from datetime import timedelta

import pytest

from bot.login.access import FAILURES, STEP_LIFE
from tests.bot.dashboard.house import House, post, step_up

STEP = "/dashboard/step"
ACCOUNT = "/dashboard/account"


async def test_password_and_code_lead_back_to_the_page_that_asked(house: House) -> None:
    browser = await house.signed_in("tech")
    shown = await browser.get(f"{STEP}?next=/dashboard/home")
    answer = await post(
        browser,
        STEP,
        "prove",
        password="seven green bicycles",  # noqa: S106
        code=house.code("tech"),
        next="/dashboard/home",
    )

    assert 'name="next" value="/dashboard/home"' in shown.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/home")


async def test_it_holds_for_five_minutes(house: House) -> None:
    browser = await house.signed_in("tech")
    assert (await step_up(house, browser, "tech")).headers["location"] == ACCOUNT

    house.later(STEP_LIFE)
    assert (await browser.get(STEP)).headers["location"] == ACCOUNT
    assert "Make ten new codes" in (await browser.get(ACCOUNT)).text
    house.later(timedelta(seconds=1))
    assert (await browser.get(STEP)).status_code == 200
    assert "Make ten new codes" not in (await browser.get(ACCOUNT)).text


@pytest.mark.parametrize(
    ("password", "right_code"), [("nine blue bicycles", True), ("seven green bicycles", False)]
)
async def test_half_of_it_is_refused(house: House, password: str, right_code: bool) -> None:
    browser = await house.signed_in("tech")

    for _ in range(FAILURES):
        code = house.code("tech") if right_code else "000000"
        answer = await post(browser, STEP, "prove", password=password, code=code)
        assert answer.status_code == 401
        assert "That did not work" in answer.text
    answer = await post(browser, STEP, "prove", password=password, code="000000")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert (await browser.get(STEP)).status_code == 200


@pytest.mark.parametrize("where", ["https://evil.example", "//evil", "/elsewhere", ""])
async def test_it_leads_nowhere_else(house: House, where: str) -> None:
    browser = await house.signed_in("tech")
    answer = await post(
        browser,
        STEP,
        "prove",
        password="seven green bicycles",  # noqa: S106
        code=house.code("tech"),
        next=where,
    )

    assert answer.headers["location"] == ACCOUNT


async def test_somebody_not_signed_in_signs_in_first(house: House) -> None:
    answer = await house.browser().get(STEP)

    assert answer.headers["location"].startswith("/dashboard/login")
