"""Practice and lessons through the real turn: nothing of them counts, nothing waits for them."""

from datetime import datetime

from sqlalchemy import select

from bot.content.library import load
from bot.turns.learning import fitting
from storage.keyring.vault import Vault
from storage.schema import alerts, answers, child_state, households, sessions, tasks
from storage.talk.learned import learned
from tests.person import Person
from tests.town import ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 13, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
THOKO = Resident(name="thoko", role="teacher", channel="telegram", place=2)
NOMSA = Resident(name="nomsa", role="coordinator", channel="telegram", place=3)
LESSONS = ("lesson_alert", "lesson_domains", "lesson_observe", "lesson_privacy", "lesson_tell")


async def begins(who: Person, title: str) -> None:
    await who.says("menu")
    await who.taps("Practice and lessons")
    await who.taps(title)


async def states(town: Town) -> dict[str, str]:
    found = await town.database.read(
        lambda c: c.execute(select(sessions.c.form_id, sessions.c.status)).all()
    )
    return {row.form_id: row.status for row in found}


def test_each_kind_of_person_has_her_own() -> None:
    library = load(languages=("en",))
    assert fitting(library, "caregiver", "en") == ("practice_caregiver",)
    assert fitting(library, "teacher", "en") == (*LESSONS, "practice_teacher")
    assert fitting(library, "staff", "en") == fitting(library, "teacher", "en")
    assert fitting(library, "", "en") == ()


async def test_a_stranger_is_offered_none(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = Person(town=town, who=AMINA)
        await amina.says("menu")
        assert all("Practice" not in sent.message.text for sent in amina.phone())


async def test_nothing_of_a_lesson_is_kept_as_an_answer_or_judged(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [THOKO], at=MONDAY, consented=(3, 7)) as town:
        thoko = Person(town=town, who=THOKO)
        await begins(thoko, "Practice")
        for said in ("3 7", "0", "11", "4"):
            await thoko.says(said)
        thoko.hears("Now you know how to answer us.")
        assert (await states(town))["practice_teacher"] == "completed"
        kept = await town.database.read(
            lambda c: [c.execute(select(t)).all() for t in (answers, child_state, alerts, tasks)]
        )
        assert kept == [[], [], [], []]


async def test_who_came_to_the_end_and_when_is_known(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [NOMSA], at=MONDAY) as town:
        nomsa = Person(town=town, who=NOMSA)
        await begins(nomsa, "Six domains")
        for said in ("1", "2", "2", "2"):
            await nomsa.says(said)
        ended = town.now
        (person,) = await town.database.read(
            lambda c: c.execute(select(sessions.c.person_id)).scalars().all()
        )
        done = await town.database.read(lambda c: learned(c, person, LESSONS))
        assert {form: at <= ended for form, at in done.items()} == {"lesson_domains": True}


async def test_a_join_code_ends_practice_and_its_questions_come_first(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = Person(town=town, who=AMINA)
        for said in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3"):
            await amina.says(said)
        for said in ("4 4 4", "1 1 1", "1 1 1", "1 1 1"):
            await amina.says(said)
        for said in ("menu", "1"):
            await amina.says(said)
        amina.hears("Let us try how to answer.")
        await amina.says(f"JOIN {town.codes[18]}")
        found = await states(town)
        assert found["practice_caregiver"] == "stopped"
        assert found["enrolment"] == "open"


async def test_words_of_danger_are_heard_in_practice_too(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = Person(town=town, who=AMINA)
        for said in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3", "menu", "2"):
            await amina.says(said)
        amina.hears("Let us try how to answer.")
        await amina.says("I want to kill myself")
        (level,) = await town.database.read(
            lambda c: c.execute(select(alerts.c.level)).scalars().all()
        )
        assert level == "urgent"
        amina.hears("What do you like to drink?")


async def test_a_caregiver_s_practice_is_sealed_and_erased_with_her_household(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = Person(town=town, who=AMINA)
        for said in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3", "menu", "2"):
            await amina.says(said)
        row = await town.database.read(
            lambda c: c.execute(
                select(sessions.c.household_id, sessions.c.child_id, sessions.c.wave_id)
                .join(households, households.c.id == sessions.c.household_id)
                .where(sessions.c.form_id == "practice_caregiver")
            ).one()
        )
        assert row.household_id is not None
        assert (row.child_id, row.wave_id) == (None, None)
