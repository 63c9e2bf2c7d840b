"""The guards in the turn: machines are left alone, floods hear one sentence, danger passes."""

import pytest
from sqlalchemy import func, select

from flows.guard import MOST
from flows.messages import Outbound
from storage import schema
from storage.keyring.vault import Vault
from tests.person import Person
from tests.test_transcripts import AMINA, MONDAY
from tests.town import Resident, Town, open_town

NOMSA = Resident(name="nomsa", role="coordinator", channel="telegram", place=2)
ENOUGH = 40


async def joined(town: Town) -> Person:
    """Amina at her first question."""
    amina = Person(town=town, who=AMINA)
    for text in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3"):
        await amina.says(text)
    return amina


def echoed(messages: list[Outbound]) -> str:
    """What a phone that repeats everything sends back."""
    return "\n".join(message.text for message in messages)


@pytest.mark.parametrize("opening", ["hello", "he beats me", "MENU", "stop", "CALL ME", "change 9"])
async def test_a_phone_that_echoes_gets_its_last_answer_soon(
    opening: str, sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await joined(town)
        await amina.says(opening)
        rounds = 0
        while amina.answer and rounds < ENOUGH:
            await amina.says(echoed([sent.message for sent in amina.answer]))
            rounds += 1
        assert rounds < ENOUGH


async def test_two_of_our_bots_do_not_talk_without_end(sqlite_url: str, vault: Vault) -> None:
    """A stranger who is a bot like ours: each answers what the other says."""
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        bot = Person(town=town, who=AMINA)
        said = "Welcome to the child wellbeing line. We have your message."
        for _ in range(ENOUGH):
            await bot.says(said)
        assert len(bot.phone()) == 3
        tasks = select(func.count()).select_from(schema.tasks)
        counted = tasks.where(schema.tasks.c.kind == "auto_reply")
        assert await town.database.read(lambda c: c.execute(counted).scalar_one()) == 1


async def flood(person: Person, count: int) -> None:
    """So many different messages that say nothing new, within seconds."""
    begins = person.town.now
    for number in range(count):
        person.town.now = begins
        await person.says(f"words {number}")


async def test_a_flood_is_told_once_then_not_answered_while_danger_and_stop_pass(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await joined(town)
        before = len(amina.phone())
        await flood(amina, MOST + 5)
        heard = amina.phone()[before:]
        assert len(heard) >= MOST
        assert "We answer again from" in heard[-1].message.text
        assert amina.answer == []

        await amina.says("he beats me")
        amina.hears("you are not alone")
        await amina.says("4 4 4")
        assert amina.answer == []
        await amina.says("STOP")
        amina.hears("You will get no more messages")


async def test_after_the_window_she_goes_on_where_she_was(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await joined(town)
        await flood(amina, MOST + 2)
        await town.wait(MONDAY.replace(minute=11))
        await amina.says("4")
        amina.hears("supper")


async def test_everything_that_is_not_answered_is_stored(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await joined(town)
        for _ in range(6):
            await amina.says("I am away from my phone.")
        stored = (
            select(func.count()).select_from(schema.inbox).where(schema.inbox.c.status == "done")
        )
        assert await town.database.read(lambda c: c.execute(stored).scalar_one()) == 9


async def test_quick_answers_are_no_flood(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await joined(town)
        await amina.says("4 4 4")
        begins = town.now
        for _ in range(MOST):
            town.now = begins
            await amina.says("back")
            await amina.says("4")
        await amina.says("back")
        amina.hears("play happily")


async def test_staff_answer_alerts_as_fast_as_they_can(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA, NOMSA], at=MONDAY) as town:
        nomsa = Person(town=town, who=NOMSA)
        begins = town.now
        for number in range(MOST + 2):
            town.now = begins
            await nomsa.says(f"1 AAAA{number:02}")
        nomsa.hears("is with somebody already, or closed")
