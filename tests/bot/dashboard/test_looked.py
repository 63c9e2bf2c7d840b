"""The month's looks on the dashboard: whose schools, which codes, and who may read it."""

from datetime import timedelta

from storage.ids import new_id
from storage.scope import user
from storage.trail.audit import record, row
from tests.bot.dashboard.house import OPENED, OURS, THEIRS, House, post

PAGE = "/dashboard/looked?month=2026-02"


async def some_looks(house: House) -> None:
    """A coordinator accepts an alert; a social worker looks before and after."""
    worker, owner = await house.signed_in("social_worker"), await house.signed_in("coordinator")
    page = f"/dashboard/alerts/{OURS}"
    await worker.get(page)
    house.later(timedelta(minutes=1))
    await post(owner, page, "accept")
    house.later(timedelta(minutes=1))
    await owner.get(page)
    await worker.get(page)
    await worker.get(page)


async def test_looks_at_a_case_that_is_somebody_elses_are_listed(house: House) -> None:
    await some_looks(house)

    text = " ".join((await (await house.signed_in("supervisor")).get(PAGE)).text.split())

    assert text.count(OURS) == 1
    row = text.split(OURS)[1].split("</tr>")[0]
    assert "Somebody else's case" in row.replace("&#39;", "'")
    assert '<td class="number">2</td>' in row
    assert "<td>social_worker</td>" in text
    assert "<td>coordinator</td>" in text


async def test_the_auditor_sees_every_school_and_a_supervisor_hers(house: House) -> None:
    await some_looks(house)
    boss, auditor = await house.signed_in("supervisor"), await house.signed_in("auditor")
    there = house.schools["Theirs"]
    scope = user(house.users["coordinator"].id, [there], purpose="care")
    entry = row(
        scope,
        "read",
        "alerts",
        house.alerts[THEIRS],
        id=new_id(house.now),
        at=house.now,
        school_id=there,
    )
    await house.database.write(lambda conn: record(conn, [entry]))

    hers, all_of_them = [(await b.get(PAGE)).text for b in (boss, auditor)]

    assert (OURS in hers, THEIRS in hers) == (True, False)
    assert (OURS in all_of_them, THEIRS in all_of_them) == (True, True)
    assert "Not on that school" in all_of_them


async def test_a_month_without_looks_says_so(house: House) -> None:
    await some_looks(house)
    boss = await house.signed_in("supervisor")

    page = await boss.get("/dashboard/looked")

    assert "2026-01" in page.text
    assert "Nobody looked at anything" in page.text
    assert OPENED not in page.text
    assert (await boss.get("/dashboard/looked?month=soon")).status_code == 404


async def test_reading_the_list_is_written_down(house: House) -> None:
    await (await house.signed_in("auditor")).get(PAGE)

    assert ("listed", "audit", None, house.users["auditor"].id) in await house.audited()
