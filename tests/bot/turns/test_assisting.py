"""She reads little: two nudges, a call, a helper's page, and back to her chat where it stands."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import Row, Select, select, update
from starlette.applications import Starlette

from bot.dashboard.page import Deps
from bot.dashboard.routes import routes
from bot.login.access import digest
from bot.login.users import add_user
from bot.turns import assisting
from bot.turns.assisting import Entered
from flows.sessions import Replied
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    alerts,
    answers,
    audit,
    outbox,
    sessions,
    tasks,
    timers,
    users,
)
from storage.scope import system
from storage.staff.users import open_session
from tests.bot.dashboard.house import PASSWORD, QUICK
from tests.bot.turns.playing import play, worried
from tests.bot.turns.test_promising import COVERED, joining
from tests.person import Person
from tests.town import SCHOOL, ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
BASE = "https://cwb.example.org"
HIDDEN = re.compile(r'name="(token|task|session|rev|item)" value="([^"]*)"')
CHOICE = re.compile(
    r'name="answer" value="([^"]+)" required> <span><span lang="\w+">([^<]+)</span>'
)


@dataclass(slots=True)
class Desk:
    """A caregiver who stopped answering, and the browser of a coordinator of her school."""

    town: Town
    amina: Person
    browser: httpx.AsyncClient
    helper: str

    async def rows(self, statement: Select) -> list[Row]:
        return await self.town.database.read(lambda c: list(c.execute(statement).all()))

    async def task(self) -> str:
        (row,) = await self.rows(select(tasks.c.id).where(tasks.c.kind == "call_me"))
        return str(row.id)

    async def opens(self) -> str:
        shown = await self.browser.get("/dashboard/assisted", params={"task": await self.task()})
        assert shown.status_code == 200, shown.text
        return unescape(shown.text)

    async def enters(self, page: str, verb: str = "say", **fields: str) -> str:
        data = {**dict(HIDDEN.findall(page)), "mode": "phone", **fields}
        answer = await self.browser.post(f"/dashboard/assisted/{verb}", data=data)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def chooses(self, page: str, number: int) -> str:
        return await self.enters(page, answer=CHOICE.findall(page)[number - 1][0])

    async def told(self, *columns: str) -> list[tuple[object, ...]]:
        found = select(*(answers.c[name] for name in columns)).order_by(answers.c.revision)
        found = found.where(answers.c.form_id == "caregiver")
        return [tuple(row) for row in await self.rows(found)]


@asynccontextmanager
async def quiet(
    url: str, vault: Vault, *, language: str = "zu", who: Resident | None = None
) -> AsyncIterator[Desk]:
    """She answered the first questions and then no more, through both nudges and a day after."""
    who = who or Resident(name="amina", role="caregiver", channel="sms", place=1)
    async with open_town(url, vault, [who], at=MONDAY, decisions=COVERED) as town:
        amina = Person(town=town, who=who)
        await amina.says(f"JOIN {town.codes[17]}")
        await play(amina, joining(language=language), form="enrolment")
        for hours in (24.5, 72.5, 97):  # in the morning, her hour
            await town.wait(MONDAY + timedelta(hours=hours))
        made = await town.database.write(
            lambda c: add_user(
                c,
                login="nomsa",
                role="coordinator",
                schools=[SCHOOL],
                password=PASSWORD,
                vault=vault,
                now=town.now,
                hasher=QUICK,
            )
        )
        assert made.uri
        (user,) = await town.database.read(lambda c: list(c.execute(select(users)).all()))
        await town.database.write(
            lambda c: open_session(c, digest=digest("t"), user_id=user.id, now=town.now)
        )
        app = Starlette(
            routes=routes(
                Deps(
                    database=town.database,
                    vault=vault,
                    secret_key=b"k" * 32,
                    now=lambda: town.now,
                    public_base_url=BASE,
                    hasher=QUICK,
                    world=town.world,
                    tell_glass=lambda *_: None,
                )
            )
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as browser:
            browser.cookies.set("__Host-cwb", "t")
            yield Desk(town, amina, browser, user.person_id or user.id)


@pytest.fixture
async def desk(database_url: str, vault: Vault) -> AsyncIterator[Desk]:
    async with quiet(database_url, vault) as found:
        yield found


@pytest.fixture
async def here(sqlite_url: str, vault: Vault) -> AsyncIterator[Desk]:
    async with quiet(sqlite_url, vault) as found:
        yield found


async def test_two_nudges_without_an_answer_put_her_on_the_call_list_once(desk: Desk) -> None:
    town = desk.town
    await town.wait(town.now + timedelta(minutes=5))
    page = (await desk.browser.get("/dashboard/tasks")).text
    assert f'href="/dashboard/assisted?task={await desk.task()}"' in page
    assert "two reminders without an answer" in page
    nudges = select(outbox.c.id).where(outbox.c.message_class == "reminder")
    assert len(await desk.rows(nudges)) == 2


async def test_a_word_after_the_first_nudge_keeps_her_off_it(sqlite_url: str, vault: Vault) -> None:
    who = Resident(name="amina", role="caregiver", channel="sms", place=1)
    async with open_town(sqlite_url, vault, [who], at=MONDAY) as town:
        amina = Person(town=town, who=who)
        await amina.says(f"JOIN {town.codes[17]}")
        await play(amina, joining(language="en"), form="enrolment")
        await town.wait(MONDAY + timedelta(hours=24.5))
        await amina.says("1 1 1")
        await town.wait(town.now + timedelta(hours=72.5))
        await town.wait(town.now + timedelta(hours=25))
        found = await town.database.read(lambda c: list(c.execute(select(tasks.c.kind)).all()))
    assert "call_me" not in [row.kind for row in found]


async def test_who_wants_no_messages_is_not_called(here: Desk) -> None:
    await here.town.database.write(lambda c: c.execute(tasks.delete()))
    await here.town.database.write(
        lambda c: c.execute(timers.delete().where(timers.c.key.like("%:call")))
    )
    await here.town.database.write(
        lambda c: c.execute(update(addresses).values(opted_out_at=MONDAY))
    )
    await here.town.wait(here.town.now + timedelta(hours=1))
    assert await here.rows(select(tasks.c.id).where(tasks.c.kind == "call_me")) == []


async def test_the_page_asks_one_question_in_her_language_and_in_english(desk: Desk) -> None:
    page = await desk.opens()
    assert 'lang="zu"' in page
    assert "Last week, how many days did your child eat breakfast?" in page
    assert "eat supper" not in page
    assert len(CHOICE.findall(page)) == 4
    assert "<script" not in page
    assert (await desk.rows(select(audit.c.verb).where(audit.c.object_kind == "addresses"))) == [
        ("read",)
    ]


async def test_her_answer_goes_through_the_same_turn_with_mode_and_helper(desk: Desk) -> None:
    phone = len(desk.amina.phone())
    page = await desk.chooses(await desk.opens(), 1)
    assert "how many days did everyone at home eat supper?" in page
    assert await desk.told("item", "value", "mode", "helper_id") == [
        ("breakfast", "none", "phone", desk.helper)
    ]
    assert len(desk.amina.phone()) == phone, "nothing of it is sent to her phone"
    noted = select(audit.c.object_id).where(audit.c.verb == "answered")
    assert [row.object_id for row in await desk.rows(noted)] == [
        row.id for row in await desk.rows(select(sessions.c.id).where(sessions.c.status == "open"))
    ]


async def test_she_goes_on_by_chat_where_it_stands(desk: Desk) -> None:
    page = await desk.chooses(await desk.opens(), 4)
    await desk.chooses(page, 4)
    await desk.amina.says("1")
    assert await desk.told("item") == [("breakfast",), ("supper_home",)], "it was not asked of her"
    heard = await play(desk.amina, worried())
    assert heard
    modes = dict(await desk.told("item", "mode"))
    assert (modes["breakfast"], modes["supper_home"], modes["play"]) == ("phone", "phone", "self")


async def test_what_she_answered_meanwhile_is_not_overwritten(desk: Desk) -> None:
    page = await desk.opens()
    await desk.amina.says("1 1 1")
    shown = await desk.chooses(page, 4)
    assert "answered by chat meanwhile" in shown
    assert ("breakfast", "none") in await desk.told("item", "value")
    assert ("breakfast", "every") not in await desk.told("item", "value")


async def helped_through(desk: Desk, page: str, said: Mapping[str, str]) -> str:
    """The helper enters an answer for every question until none is left."""
    library = desk.town.world.library
    for _ in range(60):
        fields = dict(HIDDEN.findall(page))
        if "item" not in fields:
            return page
        item = library.newest("caregiver")[fields["item"]]
        choose = worried(**said)
        if item.choices and item.type == "select_one":
            page = await desk.chooses(page, item.choices.index(choose(item)) + 1)
        else:
            page = await desk.enters(page, text="1" if item.choices else "0")
    raise AssertionError("still asked")


async def test_a_critical_answer_alerts_and_the_end_is_read_aloud(desk: Desk) -> None:
    said = {"breakfast": "none", "ate_today": "no_food"}
    page = await helped_through(desk, await desk.opens(), said)
    assert "That was the last question" in page
    assert "Thank you. That was all." in page
    assert [row.level for row in await desk.rows(select(alerts.c.level))].count("urgent") == 1
    assert {mode for (mode,) in await desk.told("mode")} == {"phone"}
    (row,) = await desk.rows(select(sessions.c.status).where(sessions.c.form_id == "caregiver"))
    assert row.status == "completed"
    assert "No questions of hers are open" in await desk.opens()


async def test_going_back_leaving_out_and_a_wrong_word(here: Desk) -> None:
    page = await here.chooses(await here.opens(), 1)
    page = await here.enters(page, "skip")
    assert ("supper_home", "skipped") in await here.told("item", "state")
    page = await here.enters(page, "back")
    assert "eat supper" in page
    page = await here.enters(page, text="a giraffe", answer="")
    assert "Please reply with one of the answers" in page
    assert "eat supper" in page


async def test_without_saying_how_they_talk_nothing_is_taken(here: Desk) -> None:
    page = await here.opens()
    data = {**dict(HIDDEN.findall(page)), "answer": CHOICE.findall(page)[0][0]}
    answer = await here.browser.post("/dashboard/assisted/say", data=data)
    assert (answer.status_code, "Say how you talk with her" in answer.text) == (422, True)
    assert await here.told("item") == []


async def test_nothing_is_asked_once_consent_is_gone(here: Desk) -> None:
    page = await here.opens()
    await here.amina.says("TAKE BACK")
    await here.amina.says("1")
    shown = await here.chooses(page, 1)
    assert "No questions of hers are open" in shown
    assert await here.told("item") == []


async def test_words_of_danger_that_she_says_are_raised_like_typed_ones(here: Desk) -> None:
    page = await here.opens()
    await here.enters(page, text="I want to die")
    found = [row.rule for row in await here.rows(select(alerts.c.rule))]
    assert [rule for rule in found if rule.startswith("crisis")] == found != []


async def test_an_entry_for_nobody_is_none(here: Desk) -> None:
    entered = Entered(
        person_id="0" * 32,
        session_id="",
        rev=1,
        item="",
        mode="phone",
        helper="h",
        event=Replied(text="1"),
    )
    town = here.town
    for one in (entered, replace(entered, rev=7)):
        heard = await town.database.write(
            lambda c, one=one: assisting.enter(c, town.world, system("test"), one, town.now)
        )
        assert heard is None
