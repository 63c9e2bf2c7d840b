"""My account: sessions one by one, a new password and new recovery codes after a step-up."""

import re
from datetime import timedelta

import pytest

from storage.staff.logins import recovery_left
from tests.bot.dashboard.house import House, log_in, post, step_up

ACCOUNT = "/dashboard/account"
CODE = re.compile(r"<code>([0-9A-Z-]{19})</code>")
SESSION = re.compile(r'name="session" value="([0-9a-f]{16})"')
NEW = "eleven tall giraffes"


async def test_one_other_browser_is_signed_out(house: House) -> None:
    here, there, third = [await house.signed_in("tech") for _ in range(3)]
    listed = await here.get(ACCOUNT)
    names = SESSION.findall(listed.text)
    assert len(names) == 2  # this browser has no such button
    answer = await post(here, ACCOUNT, "end_one", session=names[0])
    gone = await post(here, ACCOUNT, "end_one", session=names[0])

    assert answer.headers["location"] == f"{ACCOUNT}?done=ended"
    assert gone.headers["location"] == f"{ACCOUNT}?done=gone"
    alive = [(await b.get(ACCOUNT)).status_code == 200 for b in (here, there, third)]
    assert (alive[0], sorted(alive[1:])) == (True, [False, True])


async def test_nobody_ends_somebody_elses_session(house: House) -> None:
    hers, mine = await house.signed_in("supervisor"), await house.signed_in("tech")
    await house.signed_in("supervisor")
    name = SESSION.search((await hers.get(ACCOUNT)).text)
    assert name is not None

    answer = await post(mine, ACCOUNT, "end_one", session=name[1])

    assert answer.headers["location"] == f"{ACCOUNT}?done=gone"
    assert len(SESSION.findall((await hers.get(ACCOUNT)).text)) == 1


@pytest.mark.parametrize("verb", ["password", "recovery"])
async def test_password_and_recovery_codes_need_a_step_up(house: House, verb: str) -> None:
    browser = await house.signed_in("tech")
    before = house.users["tech"].password_hash

    answer = await post(browser, ACCOUNT, verb, password=NEW, again=NEW)

    assert answer.headers["location"] == f"/dashboard/step?next={ACCOUNT}"
    left = await house.database.read(lambda c: recovery_left(c, house.users["tech"].id))
    assert left == 0
    assert (await log_in(house, house.browser(), "tech")).status_code == 303
    assert before == house.users["tech"].password_hash


async def test_new_recovery_codes_are_shown_once_and_work(house: House) -> None:
    browser = await house.signed_in("tech")
    await step_up(house, browser, "tech")
    made = await post(browser, ACCOUNT, "recovery")
    codes = CODE.findall(made.text)

    assert len(set(codes)) == 10
    shown = await browser.get(ACCOUNT)
    assert CODE.findall(shown.text) == []
    assert "You have 10 recovery codes left" in shown.text
    assert made.headers["cache-control"] == "no-store"
    again = CODE.findall((await post(browser, ACCOUNT, "recovery")).text)
    old = await log_in(house, house.browser(), "tech", code=codes[0])
    new = await log_in(house, house.browser(), "tech", code=again[0])
    assert (old.status_code, new.status_code) == (401, 303)


async def test_she_changes_her_password_and_is_signed_out_elsewhere(house: House) -> None:
    here, there = await house.signed_in("tech"), await house.signed_in("tech")
    await step_up(house, here, "tech")
    answer = await post(here, ACCOUNT, "password", password=NEW, again=NEW)

    assert "Your password is changed" in (await here.get(answer.headers["location"])).text
    assert (await there.get(ACCOUNT)).status_code == 303
    house.later(timedelta(minutes=1))
    old = await log_in(house, house.browser(), "tech")
    new = await log_in(house, house.browser(), "tech", password=NEW)
    assert (old.status_code, new.status_code) == (401, 303)


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", "short", "at least 12 characters"),
        ("Password1234", "Password1234", "among the first"),
        (NEW, "eleven small giraffes", "differ"),
    ],
)
async def test_a_password_that_cannot_be_taken_says_why(
    house: House, password: str, again: str, said: str
) -> None:
    browser = await house.signed_in("tech")
    await step_up(house, browser, "tech")

    answer = await post(browser, ACCOUNT, "password", password=password, again=again)

    assert answer.status_code == 422
    assert said in answer.text
    assert password not in answer.text
