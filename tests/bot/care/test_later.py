"""Private questions put off: every way on which they end up asked, waiting, or not asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Row, delete, select, update

from bot.care import later
from storage.keyring.vault import Vault
from storage.schema import addresses, consents, outbox, person_address, persons, sessions, timers
from tests.bot.turns.playing import play, worried
from tests.bot.turns.test_promising import COVERED, joining
from tests.person import Person
from tests.town import ZONE, Resident, Town, open_town

EVENING = datetime(2026, 2, 2, 18, 0, tzinfo=ZONE)
TOMORROW = datetime(2026, 2, 3, 17, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="telegram", place=1)
PUT_OFF = worried(alone="wait")


@dataclass(slots=True)
class Waiting:
    """A caregiver who put the private questions off this evening."""

    town: Town
    amina: Person

    async def rows(self) -> list[Row]:
        found = select(timers).where(timers.c.kind == "later").order_by(timers.c.key)
        return await self.town.database.read(lambda c: list(c.execute(found).all()))

    async def ended(self) -> tuple[str, str | None]:
        row = (await self.rows())[-1]
        return row.state, row.reason

    async def offers(self) -> int:
        found = select(outbox.c.id).where(outbox.c.message_class == "reminder")
        return await self.town.database.read(lambda c: len(c.execute(found).all()))

    async def change(self, statement: object) -> None:
        await self.town.database.write(lambda c: c.execute(statement))  # type: ignore[call-overload]


@asynccontextmanager
async def put_off(
    url: str, vault: Vault, *, numbers: tuple[int, ...] = (17,)
) -> AsyncIterator[Waiting]:
    async with open_town(url, vault, [AMINA], at=EVENING, decisions=COVERED) as town:
        amina = Person(town=town, who=AMINA)
        for number in numbers:
            await amina.says(f"JOIN {town.codes[number]}")
            hers = joining(language="en", safe_hour="evening")
            await play(amina, hers, form="enrolment")
            await play(amina, PUT_OFF)
        yield Waiting(town, amina)


@pytest.fixture
async def waiting(sqlite_url: str, vault: Vault) -> AsyncIterator[Waiting]:
    async with put_off(sqlite_url, vault) as found:
        yield found


async def test_nothing_is_offered_before_her_hour_of_the_next_day(waiting: Waiting) -> None:
    (row,) = await waiting.rows()
    assert (row.state, row.due_at.astimezone(ZONE)) == ("due", TOMORROW)
    await waiting.town.wait(TOMORROW - timedelta(minutes=1))
    assert await waiting.offers() == 0
    await waiting.town.wait(TOMORROW)
    assert await waiting.offers() == 1
    await waiting.town.wait(TOMORROW + timedelta(hours=1))
    assert await waiting.offers() == 1


async def test_a_clock_that_comes_too_late_waits_for_her_next_hour(waiting: Waiting) -> None:
    await waiting.town.wait(TOMORROW + timedelta(hours=4))
    assert await waiting.offers() == 0
    (row,) = await waiting.rows()
    assert row.due_at.astimezone(ZONE) == TOMORROW + timedelta(days=1)
    await waiting.town.wait(TOMORROW + timedelta(days=1))
    assert await waiting.offers() == 1


async def test_an_offer_is_of_no_use_after_her_hour(waiting: Waiting) -> None:
    await waiting.town.wait(TOMORROW)
    found = select(outbox.c.expires_at).where(outbox.c.message_class == "reminder")
    ends = await waiting.town.database.read(lambda c: c.execute(found).scalar_one())
    assert ends.astimezone(ZONE) == TOMORROW.replace(hour=20)


async def test_two_workers_offer_it_once(waiting: Waiting) -> None:
    town = waiting.town
    for _ in range(2):
        await town.database.write(lambda c: later.sweep(c, town.world, TOMORROW))
    assert await waiting.offers() == 1


async def test_two_children_are_two_offers_one_after_the_other(
    sqlite_url: str, vault: Vault
) -> None:
    async with put_off(sqlite_url, vault, numbers=(17, 18)) as waiting:
        await waiting.town.wait(TOMORROW)
        assert await waiting.offers() == 1
        await waiting.amina.says("1")
        await play(waiting.amina, worried(alone="yes", hurt="no", afraid="no", want_call="no"))
        await waiting.town.wait(TOMORROW + timedelta(days=1))
        assert await waiting.offers() == 2


async def test_while_she_answers_something_else_it_waits(waiting: Waiting) -> None:
    await waiting.amina.says(f"JOIN {waiting.town.codes[18]}")
    await waiting.town.wait(TOMORROW)
    assert await waiting.offers() == 0
    (row,) = await waiting.rows()
    assert row.due_at.astimezone(ZONE) == TOMORROW + timedelta(days=1)


async def test_it_does_not_wait_for_ever(waiting: Waiting) -> None:
    town, late = waiting.town, EVENING + timedelta(days=8)
    await waiting.change(update(sessions).values(status="open"))
    await town.database.write(lambda c: later.sweep(c, town.world, late))
    assert await waiting.ended() == ("skipped", "not_asked_busy")


async def test_where_she_went_on_and_left_again_they_were_not_asked(waiting: Waiting) -> None:
    await waiting.town.wait(TOMORROW)
    await waiting.amina.says("1")
    await waiting.change(update(sessions).values(status="lapsed"))
    await waiting.town.wait(TOMORROW + timedelta(days=1))
    assert await waiting.ended() == ("skipped", "not_asked_no_answer")


@pytest.mark.parametrize("status", ["stopped", "completed"])
async def test_what_was_asked_or_stopped_is_offered_no_more(status: str, waiting: Waiting) -> None:
    await waiting.town.wait(TOMORROW)
    await waiting.amina.says("1")
    await waiting.change(update(sessions).values(status=status))
    await waiting.town.wait(TOMORROW + timedelta(days=1))
    assert await waiting.ended() == ("done", None)
    assert await waiting.offers() == 1


async def test_without_consent_it_is_not_offered(waiting: Waiting) -> None:
    await waiting.change(delete(consents).where(consents.c.purpose == "help"))
    await waiting.town.wait(TOMORROW)
    assert await waiting.ended() == ("skipped", "not_asked_no_consent")
    assert await waiting.offers() == 0


async def test_where_nobody_is_on_duty_any_more_it_is_not_offered(waiting: Waiting) -> None:
    town = waiting.town
    world = town.world
    off = type(world)(
        **{
            name: getattr(world, name)
            for name in world.__dataclass_fields__
            if name not in ("site", "_hours")
        },
        site=COVERED.model_copy(update={"duty_officer": False}),
    )
    await town.database.write(lambda c: later.sweep(c, off, TOMORROW))
    assert await waiting.ended() == ("skipped", "not_asked_no_duty_officer")


async def test_a_number_that_is_bad_is_left_alone(waiting: Waiting) -> None:
    await waiting.change(update(addresses).values(bad_at=EVENING))
    await waiting.town.wait(TOMORROW)
    assert await waiting.ended() == ("skipped", "not_asked_opted_out")


async def test_of_somebody_we_do_not_know_any_more_nothing_is_left_to_do(waiting: Waiting) -> None:
    for statement in (
        update(sessions).values(person_id=None),
        update(addresses).values(person_id=None),
        delete(person_address),
    ):
        await waiting.change(statement)
    await waiting.town.wait(TOMORROW)
    assert await waiting.ended() == ("done", None)


async def test_the_word_later_is_a_later_too(waiting: Waiting) -> None:
    await waiting.town.wait(TOMORROW)
    await waiting.amina.says("LATER")
    waiting.amina.hears("another time")
    await waiting.amina.says("1")
    waiting.amina.hears("Welcome to the child wellbeing line")
    assert [row.reason for row in await waiting.rows()] == [None, "said_later"]


async def test_her_yes_comes_too_late_where_it_may_not_be_asked_any_more(waiting: Waiting) -> None:
    await waiting.town.wait(TOMORROW)
    await waiting.change(delete(consents).where(consents.c.purpose == "help"))
    await waiting.amina.says("1")
    waiting.amina.hears("These questions have ended")


@pytest.mark.parametrize(
    "statement",
    [
        update(sessions).values(status="stopped"),
        update(sessions).values(person_id=None),
        update(sessions).values(child_id=None),
    ],
    ids=["stopped", "somebody else's", "no child"],
)
async def test_or_where_the_questionnaire_is_not_hers_to_go_on_with(
    statement: object, waiting: Waiting
) -> None:
    await waiting.town.wait(TOMORROW)
    await waiting.change(statement)
    await waiting.town.deliver(waiting.town.inbound(AMINA, text="1"))
    assert "These questions have ended" in waiting.amina.phone()[-1].message.text


async def test_nothing_is_offered_to_her_by_sms(waiting: Waiting) -> None:
    await waiting.change(update(addresses).values(channel="sms"))
    await waiting.town.wait(TOMORROW)
    assert await waiting.offers() == 0
    assert (await waiting.rows())[0].reason == "no_template"


async def test_in_danger_the_offer_stands_and_is_put_again(waiting: Waiting) -> None:
    await waiting.town.wait(TOMORROW)
    await waiting.amina.says("he hits us")
    waiting.amina.hears("116")
    waiting.amina.hears("Is now a good time")
    await waiting.amina.says("1")
    waiting.amina.hears("Are you alone now?")


async def test_her_language_is_that_of_today(waiting: Waiting) -> None:
    await waiting.change(update(persons).values(language="zu"))
    await waiting.town.wait(TOMORROW)
    assert "Sawubona futhi" in waiting.amina.phone()[-1].message.text
