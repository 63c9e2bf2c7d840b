"""Another school on the dashboard: a reason, an hour, everything written down, a review."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from storage import schema
from storage.scope import BREAK_GLASS
from tests.bot.dashboard.house import OPENED, OURS, House, post, token_of

PAGE = "/dashboard/glass"
REASON = "Colleague is ill, child at the gate"


async def proved(house: House) -> None:
    """Everybody who is signed in has proved herself again just now."""
    await house.database.write(
        lambda conn: conn.execute(update(schema.user_sessions).values(stepped_at=house.now))
    )


async def open_it(
    house: House, browser: httpx.AsyncClient, *, school: str = "Opened", reason: str = REASON
) -> httpx.Response:
    await proved(house)
    return await post(browser, PAGE, "open", school=house.schools.get(school, ""), reason=reason)


async def kept(house: House) -> list[object]:
    asked = select(schema.break_glass).order_by(schema.break_glass.c.opened_at)
    return list(await house.database.read(lambda conn: conn.execute(asked).all()))


async def purposes(house: House) -> list[tuple[str, str, str]]:
    asked = select(schema.audit.c.verb, schema.audit.c.object_kind, schema.audit.c.purpose)
    asked = asked.where(schema.audit.c.actor_kind != "system").order_by(schema.audit.c.id)
    return [tuple(r) for r in await house.database.read(lambda conn: conn.execute(asked).all())]


@pytest.mark.parametrize("role", ["coordinator", "social_worker", "supervisor"])
async def test_a_reason_opens_one_other_school_for_an_hour(house: House, role: str) -> None:
    browser = await house.signed_in(role)
    page = f"/dashboard/alerts/{OPENED}"
    before = (await browser.get(page)).status_code

    answer = await open_it(house, browser)
    during = await browser.get(page)
    for _ in range(4):
        house.later(timedelta(minutes=15))
        last = await browser.get(page)

    assert answer.headers["location"] == f"{PAGE}?now=opened"
    assert (before, during.status_code, last.status_code) == (404, 200, 404)
    assert "Opened is open to you until" in during.text
    assert "is open to you until" not in last.text


async def test_she_proves_herself_again_before(house: House) -> None:
    browser = await house.signed_in("coordinator")
    page = (await browser.get(PAGE)).text
    form = {"school": house.schools["Opened"], "reason": REASON}

    answer = await browser.post(f"{PAGE}/open", data=form | {"token": await token_of(browser)})

    assert f'href="/dashboard/step?next={PAGE}"' in page
    assert "<textarea" not in page
    assert answer.headers["location"] == f"/dashboard/step?next={PAGE}"
    assert await kept(house) == []


async def test_supervisors_are_told_in_the_same_transaction(house: House) -> None:
    await open_it(house, await house.signed_in("coordinator"))

    (row,) = await kept(house)
    assert house.told == [row.code]  # type: ignore[attr-defined]
    assert REASON.encode() not in row.reason  # type: ignore[attr-defined]


async def test_the_reason_stays_out_of_the_database_if_nobody_can_be_told(house: House) -> None:
    class DownError(Exception):
        pass

    def fails(*_: object) -> None:
        raise DownError

    house.tell = fails
    house.open()
    with pytest.raises(DownError):
        await open_it(house, await house.signed_in("coordinator"))

    assert await kept(house) == []


@pytest.mark.parametrize(
    ("school", "reason", "said"),
    [
        ("", REASON, "Choose a school"),
        ("Ours", REASON, "Choose a school"),
        ("Opened", "", "at least three words"),
        ("Opened", "because because", "at least three words"),
        ("Opened", "I am in", "at least three words"),
        ("Opened", "so many words " * 40, "Shorten the reason to 500"),
    ],
)
async def test_without_a_school_and_a_reason_nothing_opens(
    house: House, school: str, reason: str, said: str
) -> None:
    answer = await open_it(
        house, await house.signed_in("coordinator"), school=school, reason=reason
    )

    assert answer.status_code == 422
    assert said in answer.text
    assert reason.strip()[:400] in answer.text
    assert (await kept(house), house.told) == ([], [])


async def test_one_school_at_a_time(house: House) -> None:
    browser = await house.signed_in("coordinator")
    token = await token_of(browser)
    await open_it(house, browser)

    again = await browser.post(
        f"{PAGE}/open",
        data={"token": token, "school": house.schools["Theirs"], "reason": REASON},
    )

    assert again.headers["location"].endswith("now=busy")
    assert len(await kept(house)) == 1


async def test_everything_under_it_is_written_down_as_such(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await open_it(house, browser)
    page = f"/dashboard/alerts/{OPENED}"
    await browser.get("/dashboard/alerts")
    await browser.get(f"/dashboard/alerts/{OURS}")
    await post(browser, page, "accept")

    assert sorted(await purposes(house)) == [
        ("accepted", "alerts", BREAK_GLASS),
        ("listed", "alerts", BREAK_GLASS),
        ("listed", "alerts", "care"),
        ("opened", "break_glass", BREAK_GLASS),
        ("read", "alerts", BREAK_GLASS),
        ("read", "alerts", "care"),
    ]


async def test_she_can_end_it_before_its_time(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await open_it(house, browser)
    (row,) = await kept(house)

    answer = await post(browser, PAGE, "end", opening=row.id)  # type: ignore[attr-defined]

    assert answer.headers["location"].endswith("now=ended")
    assert (await browser.get(f"/dashboard/alerts/{OPENED}")).status_code == 404


async def test_nobody_ends_or_reviews_what_is_not_hers_to(house: House) -> None:
    await open_it(house, await house.signed_in("coordinator"))
    (row,) = await kept(house)
    worker, boss = await house.signed_in("social_worker"), await house.signed_in("supervisor")
    form = {"opening": row.id, "finding": "in_order"}  # type: ignore[attr-defined]

    ended = await worker.post(f"{PAGE}/end", data=form | {"token": await token_of(worker)})
    reviewed = await worker.post(f"{PAGE}/review", data=form | {"token": await token_of(worker)})
    token = await token_of(boss)
    early = await boss.post(f"{PAGE}/review", data=form | {"token": token})
    odd = await boss.post(f"{PAGE}/review", data=form | {"token": token, "finding": "fine"})

    assert (ended.status_code, reviewed.status_code, odd.status_code) == (404, 403, 404)
    assert early.headers["location"].endswith("now=gone")
    assert (await kept(house))[0].reviewed_at is None  # type: ignore[attr-defined]


async def test_a_supervisor_sees_why_and_what_and_reviews_it(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await open_it(house, browser)
    await post(browser, f"/dashboard/alerts/{OPENED}", "accept")
    house.later(timedelta(minutes=61))
    boss = await house.signed_in("supervisor")

    page = (await boss.get(PAGE)).text
    (row,) = await kept(house)
    answer = await post(boss, PAGE, "review", opening=row.id, finding="follow_up")  # type: ignore[attr-defined]
    after = (await boss.get(answer.headers["location"])).text

    assert REASON in page
    assert f'Read an alert <span class="code">{OPENED}</span>' in page
    assert f'Accepted an alert <span class="code">{OPENED}</span>' in page
    assert "Saved: reviewed" in after
    assert "Nothing waits for your review." in after
    (row,) = await kept(house)
    assert (row.finding, row.reviewed_by) == ("follow_up", house.users["supervisor"].id)  # type: ignore[attr-defined]
    assert ("reviewed_follow_up", "break_glass", BREAK_GLASS) in await purposes(house)


async def test_a_supervisor_can_end_one_that_runs_and_never_reviews_her_own(house: House) -> None:
    boss = await house.signed_in("supervisor")
    await open_it(house, boss)
    (own,) = await kept(house)
    await open_it(house, await house.signed_in("coordinator"))
    hers = next(r for r in await kept(house) if r.id != own.id)  # type: ignore[attr-defined]

    ended = await post(boss, PAGE, "end", opening=hers.id)  # type: ignore[attr-defined]
    house.later(timedelta(minutes=61))
    boss = await house.signed_in("supervisor")
    form = {"token": await token_of(boss), "opening": own.id, "finding": "in_order"}  # type: ignore[attr-defined]
    reviewed = await boss.post(f"{PAGE}/review", data=form)

    assert ended.headers["location"].endswith("now=ended")
    assert reviewed.status_code == 404


async def test_an_ended_account_ends_what_it_opened(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await open_it(house, browser)
    await house.database.write(
        lambda conn: conn.execute(
            update(schema.users)
            .where(schema.users.c.id == house.users["coordinator"].id)
            .values(ends_at=house.now)
        )
    )

    answer = await browser.get(f"/dashboard/alerts/{OPENED}")

    assert (answer.status_code, OPENED in answer.text) == (303, False)
