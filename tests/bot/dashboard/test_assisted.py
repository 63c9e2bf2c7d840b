"""The page of people to call: her schools' only; whom nobody knows has nothing to answer."""

from sqlalchemy import update

from storage import schema
from tests.bot.dashboard.house import House, token_of
from tests.bot.dashboard.test_tasks import add_task

PAGE = "/dashboard/assisted"


async def listed(house: House, school: str, kind: str = "call_me") -> str:
    return await house.database.write(lambda conn: add_task(house, conn, school, kind))


async def test_the_list_has_whom_to_call_at_her_schools(house: House) -> None:
    ours, unclear = await listed(house, "Ours"), await listed(house, "Ours", "not_understood")
    theirs, other = await listed(house, "Theirs"), await listed(house, "Ours", "poison")
    browser = await house.signed_in("social_worker")

    page = (await browser.get(PAGE)).text

    assert [one in page for one in (ours, unclear, theirs, other)] == [True, True, False, False]


async def test_the_tasks_lead_to_the_list(house: House) -> None:
    browser = await house.signed_in("coordinator")

    assert (
        f'<a href="{PAGE}">All people to call</a>' in (await browser.get("/dashboard/tasks")).text
    )


async def test_an_empty_list_says_so(house: House) -> None:
    browser = await house.signed_in("coordinator")

    assert "Nobody waits for a call" in (await browser.get(PAGE)).text


async def test_another_schools_person_is_not_there(house: House) -> None:
    theirs = await listed(house, "Theirs")
    browser = await house.signed_in("coordinator")
    form = {"token": await token_of(browser), "task": theirs, "mode": "phone", "rev": "1"}

    assert (await browser.get(PAGE, params={"task": theirs})).status_code == 404
    assert (await browser.post(f"{PAGE}/say", data=form)).status_code == 404
    assert ("read", "addresses") not in {row[:2] for row in await house.audited()}


async def test_who_is_in_no_questionnaire_is_only_called(house: House) -> None:
    ours = await listed(house, "Ours")
    browser = await house.signed_in("coordinator")

    page = await browser.get(PAGE, params={"task": ours})

    assert "No questions of hers are open now" in page.text
    assert 'name="answer"' not in page.text


async def test_whom_nobody_knows_is_only_called(house: House) -> None:
    ours = await listed(house, "Ours")
    nobody = update(schema.tasks).where(schema.tasks.c.id == ours).values(person_id=None)
    await house.database.write(lambda conn: conn.execute(nobody))
    browser = await house.signed_in("coordinator")
    form = {"token": await token_of(browser), "task": ours, "mode": "phone", "rev": "1"}

    answer = await browser.post(f"{PAGE}/say", data=form)

    assert "No questions of hers are open now" in answer.text


async def test_a_tech_has_no_such_page(house: House) -> None:
    browser = await house.signed_in("tech")

    assert (await browser.get(PAGE)).status_code == 403
