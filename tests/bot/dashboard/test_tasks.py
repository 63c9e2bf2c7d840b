"""The list of tasks: her schools' only, the number on request and audited, closed once."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import Connection, insert, select

from storage import schema
from storage.families import people
from storage.ids import new_id
from tests.bot.dashboard.house import House

NUMBER = "+27821230099"


def add_task(house: House, conn: Connection, school: str, kind: str) -> str:
    """A task about a person with a number, due tomorrow."""
    place = house.schools[school]
    person = people.add_person(
        conn,
        programme_id=conn.execute(select(schema.programmes.c.id)).scalar_one(),
        kind="caregiver",
        vault=house.vault,
        now=house.now,
        school_id=place,
    )
    address = people.add_address(
        conn,
        person_id=person,
        channel="sms",
        account="+27600000000",
        value=NUMBER,
        vault=house.vault,
        now=house.now,
    )
    task_id = new_id(house.now)
    conn.execute(
        insert(schema.tasks).values(
            id=task_id,
            key=f"{kind}:{task_id}",
            kind=kind,
            school_id=place,
            person_id=person,
            address_id=address,
            state="open",
            opened_at=house.now,
            due_at=house.now + timedelta(days=1),
        )
    )
    return task_id


@pytest.fixture
async def tasks(house: House) -> dict[str, str]:
    """One task at our school, one at theirs."""
    return await house.database.write(
        lambda conn: {
            "ours": add_task(house, conn, "Ours", "carer_not_guardian"),
            "theirs": add_task(house, conn, "Theirs", "phone_me"),
        }
    )


async def token_of(browser: AsyncClient) -> str:
    """The form token of the tasks page."""
    return (await browser.get("/dashboard/tasks")).text.split('name="token" value="')[1][:64]


async def test_she_sees_the_tasks_of_her_schools_and_no_number(
    house: House, tasks: dict[str, str]
) -> None:
    browser = await house.signed_in("coordinator")

    page = await browser.get("/dashboard/tasks")

    assert "Call the carer" in page.text
    assert "1 open tasks" in page.text
    assert "asks for a phone call" not in page.text
    assert NUMBER not in page.text


async def test_the_number_is_shown_on_request_and_audited(
    house: House, tasks: dict[str, str]
) -> None:
    browser = await house.signed_in("social_worker")
    form = {"token": await token_of(browser), "task": tasks["ours"]}

    page = await browser.post("/dashboard/tasks/show", data=form)

    assert NUMBER in page.text
    noted = await house.database.read(
        lambda conn: (
            conn.execute(
                select(schema.audit.c.verb).where(schema.audit.c.object_kind == "addresses")
            )
            .scalars()
            .all()
        )
    )
    assert noted == ["read"]


async def test_a_task_is_closed_once(house: House, tasks: dict[str, str]) -> None:
    browser = await house.signed_in("supervisor")
    form = {"token": await token_of(browser), "task": tasks["ours"]}

    assert (await browser.post("/dashboard/tasks/done", data=form)).status_code == 303
    assert (await browser.post("/dashboard/tasks/done", data=form)).status_code == 404
    assert "Nothing to do here now" in (await browser.get("/dashboard/tasks")).text


@pytest.mark.parametrize("verb", ["show", "done"])
async def test_another_schools_task_does_not_exist(
    house: House, tasks: dict[str, str], verb: str
) -> None:
    browser = await house.signed_in("coordinator")
    form = {"token": await token_of(browser), "task": tasks["theirs"]}

    answer = await browser.post(f"/dashboard/tasks/{verb}", data=form)

    assert answer.status_code == 404
    assert NUMBER not in answer.text


async def test_the_months_looks_are_a_task_for_those_who_may_read_them(house: House) -> None:
    ours = await house.database.write(lambda conn: add_task(house, conn, "Ours", "who_looked"))
    boss, worker = await house.signed_in("supervisor"), await house.signed_in("coordinator")
    form = {"token": await token_of(boss), "task": ours}

    shown, hidden = [(await b.get("/dashboard/tasks")).text for b in (boss, worker)]
    refused = await worker.post("/dashboard/tasks/done", data=form | {"token": await their(worker)})

    assert "who looked without an assignment" in shown
    assert 'href="/dashboard/looked"' in shown
    assert "Nothing to do here now" in hidden
    assert refused.status_code == 404
    assert (await boss.post("/dashboard/tasks/done", data=form)).status_code == 303


async def their(browser: AsyncClient) -> str:
    """The token of a browser that has no task to show."""
    return (await browser.get("/dashboard/account")).text.split('name="token" value="')[1][:64]
