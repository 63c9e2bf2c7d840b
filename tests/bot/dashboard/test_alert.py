"""One alert: what its page says, and the steps a person can take."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from storage import schema
from tests.bot.dashboard.house import OURS, House, post

PAGE = f"/dashboard/alerts/{OURS}"


async def row(house: House) -> object:
    return await house.database.read(
        lambda conn: conn.execute(select(schema.alerts).where(schema.alerts.c.code == OURS)).one()
    )


async def close(
    browser: httpx.AsyncClient, *, outcome: str = "confirmed", reason: str = "Visited, food given"
) -> httpx.Response:
    return await post(browser, PAGE, "close", outcome=outcome, reason=reason)


async def test_the_page_says_why(house: House) -> None:
    text = (await (await house.signed_in("coordinator")).get(PAGE)).text

    assert "Education and learning" in text
    assert "The child often misses school." in text
    assert "Together 67 %. High starts at 60 %." in text
    assert "missed school" in text
    assert "Caregiver: 1 point fewer would make it moderate." in text
    assert "Sources disagree: Caregiver high, Teacher low." in text
    assert "homework help" in text
    assert "Offer reading help." in text
    assert "not a diagnosis" in text


@pytest.mark.parametrize(
    ("rule", "said"),
    [("crisis", "wrote words that may mean danger"), ("unread", "could not be handled")],
)
async def test_an_alert_that_rests_on_no_answer_says_what_it_means(
    rule: str, said: str, house: House
) -> None:
    browser = await house.signed_in("coordinator")
    assert said not in (await browser.get(PAGE)).text

    changed = update(schema.alerts).where(schema.alerts.c.code == OURS).values(rule=rule)
    await house.database.write(lambda conn: conn.execute(changed))

    assert said in (await browser.get(PAGE)).text


async def test_the_code_may_be_typed_in_small_letters(house: House) -> None:
    browser = await house.signed_in("coordinator")

    assert (await browser.get(PAGE.replace(OURS, OURS.lower()))).status_code == 200


async def test_seeing_a_child_is_written_down_before_it_is_shown(house: House) -> None:
    await (await house.signed_in("supervisor")).get(PAGE)

    assert await house.audited() == [
        ("read", "alerts", house.alerts[OURS], house.users["supervisor"].id)
    ]


async def test_the_first_to_accept_has_it(house: House) -> None:
    first, second = await house.signed_in("coordinator"), await house.signed_in("supervisor")
    token = (await second.get(PAGE)).text.split('name="token" value="')[1][:64]

    taken = await post(first, PAGE, "accept")
    late = await second.post(f"{PAGE}/accept", data={"token": token})

    assert taken.headers["location"] == f"{PAGE}?now=done"
    assert late.headers["location"] == f"{PAGE}?now=gone"
    assert "somebody else has it already" in (await second.get(late.headers["location"])).text
    assert (await row(house)).owner_id == house.users["coordinator"].person_id  # type: ignore[attr-defined]
    assert ">you<" in (await first.get(PAGE)).text
    assert ">coordinator<" in (await second.get(PAGE)).text


async def test_accepting_is_written_down_for_the_person(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await post(browser, PAGE, "accept")

    person = house.users["coordinator"].person_id
    assert ("accepted", "alerts", house.alerts[OURS], person) in await house.audited()
    assert "<strong>Accepted</strong>, you" in (await browser.get(PAGE)).text


async def test_an_owner_can_give_it_back(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await post(browser, PAGE, "accept")

    answer = await post(browser, PAGE, "pass_on")

    text = (await browser.get(answer.headers["location"])).text
    assert "nobody yet" in text
    assert "<strong>Passed on</strong>, you" in text


async def test_only_the_owner_is_offered_to_pass_it_on(house: House) -> None:
    owner, other = await house.signed_in("coordinator"), await house.signed_in("supervisor")
    await post(owner, PAGE, "accept")

    assert "/pass_on" in (await owner.get(PAGE)).text
    assert "/pass_on" not in (await other.get(PAGE)).text
    assert (await post(other, PAGE, "pass_on")).headers["location"].endswith("now=gone")


async def test_an_alert_nobody_has_cannot_be_closed(house: House) -> None:
    browser = await house.signed_in("coordinator")

    assert "/close" not in (await browser.get(PAGE)).text
    assert (await close(browser)).headers["location"].endswith("now=gone")
    assert (await row(house)).state == "opened"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("outcome", "reason", "said"),
    [
        ("", "Visited, food given", "Choose what you found."),
        ("solved", "Visited, food given", "Choose what you found."),
        ("confirmed", "", "Write at least three characters"),
        ("confirmed", " a ", "Write at least three characters"),
        ("confirmed", "x" * 2001, "Shorten the reason to 2000 characters; it has 2001."),
    ],
)
async def test_closing_needs_an_outcome_and_a_reason(
    house: House, outcome: str, reason: str, said: str
) -> None:
    browser = await house.signed_in("coordinator")
    await post(browser, PAGE, "accept")

    answer = await close(browser, outcome=outcome, reason=reason)

    assert answer.status_code == 422
    assert said in answer.text
    assert (await row(house)).state == "accepted"  # type: ignore[attr-defined]


async def test_a_refused_form_comes_back_as_it_was_filled(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await post(browser, PAGE, "accept")

    no_outcome = await close(browser, outcome="", reason="A <long> story & more")
    no_reason = await close(browser, outcome="not_found", reason="")

    assert "A &lt;long&gt; story &amp; more</textarea>" in no_outcome.text
    assert 'value="not_found" checked' in no_reason.text


async def test_closing_stops_the_clock_and_shows_who_and_why(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await post(browser, PAGE, "accept")

    answer = await close(browser, outcome="not_confirmed", reason="Grandmother has the card")

    text = (await browser.get(answer.headers["location"])).text
    assert "Not confirmed: it is in order" in text
    assert "Grandmother has the card" in text
    assert "<strong>Closed</strong>, you" in text
    closed = await row(house)
    assert b"Grandmother" not in closed.reason  # type: ignore[attr-defined]
    due = await house.database.read(
        lambda conn: conn.execute(
            select(func.count())
            .select_from(schema.timers)
            .where(schema.timers.c.ref == house.alerts[OURS], schema.timers.c.state == "due")
        ).scalar()
    )
    assert due == 0


async def test_a_closed_alert_stays_as_it_is(house: House) -> None:
    browser = await house.signed_in("coordinator")
    await post(browser, PAGE, "accept")
    await close(browser)

    token = (await browser.get(PAGE)).text.split('name="token" value="')[1][:64]
    fields = {"token": token, "outcome": "not_found", "reason": "second thoughts"}
    answers = [
        await browser.post(f"{PAGE}/{v}", data=fields) for v in ("accept", "pass_on", "close")
    ]

    assert {a.headers["location"] for a in answers} == {f"{PAGE}?now=gone"}
    assert (await row(house)).outcome == "confirmed"  # type: ignore[attr-defined]


async def test_a_clock_past_its_time_is_late(house: House) -> None:
    browser = await house.signed_in("coordinator")
    assert "2 h left" in (await browser.get(PAGE)).text
    for minutes in (19,) * 7:
        house.later(timedelta(minutes=minutes))
        await browser.get("/dashboard/account")

    assert "late by 13 min" in (await browser.get(PAGE)).text


async def test_a_child_without_a_profile_says_so(house: House) -> None:
    await house.database.write(
        lambda conn: conn.execute(update(schema.profiles).values(school_id=house.schools["Theirs"]))
    )

    text = (await (await house.signed_in("coordinator")).get(PAGE)).text

    assert "No profile is stored" in text


async def test_a_login_without_a_person_sees_but_cannot_act(house: House) -> None:
    user = house.users["coordinator"]
    await house.database.write(
        lambda conn: conn.execute(
            update(schema.users).where(schema.users.c.id == user.id).values(person_id=None)
        )
    )
    browser = await house.signed_in("coordinator")

    assert (await browser.get(PAGE)).status_code == 200
    assert (await post(browser, PAGE, "accept")).status_code == 403
    assert (
        await post(browser, PAGE, "close", outcome="confirmed", reason="because")
    ).status_code == 403


async def test_an_owners_name_is_shown_where_the_team_list_has_one(house: House) -> None:
    person = house.users["supervisor"].person_id
    assert person is not None
    sealed = house.vault.seal("Naledi M.", table="persons", column="name", row=person)
    await house.database.write(
        lambda conn: conn.execute(
            update(schema.persons).where(schema.persons.c.id == person).values(name=sealed)
        )
    )
    await post(await house.signed_in("supervisor"), PAGE, "accept")

    assert "Naledi M." in (await (await house.signed_in("coordinator")).get(PAGE)).text


async def test_a_colleague_without_name_or_login_is_a_colleague(house: House) -> None:
    await post(await house.signed_in("supervisor"), PAGE, "accept")
    await house.database.write(
        lambda conn: conn.execute(
            update(schema.users)
            .where(schema.users.c.id == house.users["supervisor"].id)
            .values(person_id=None)
        )
    )

    assert "a colleague" in (await (await house.signed_in("coordinator")).get(PAGE)).text
