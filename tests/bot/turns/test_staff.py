"""What staff say to an alert, as far as transcripts do not say it better."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from flows.routing import LOGIN_LIFE
from storage.keyring.vault import Vault
from storage.schema import (
    addresses,
    alerts,
    audit,
    households,
    login_prompts,
    person_roles,
    tasks,
)
from tests.person import Person
from tests.town import ZONE, Resident, Town, open_town
from tests.transcript import sign_in

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
SIPHO = Resident(name="sipho", role="coordinator", channel="telegram", place=3)
QUARTER = timedelta(minutes=16)


@pytest.fixture
async def town(sqlite_url: str, vault: Vault) -> AsyncIterator[Town]:
    """A child without food today, and one coordinator who knows by code."""
    async with open_town(sqlite_url, vault, [AMINA, SIPHO], at=MONDAY) as opened:
        amina = Person(opened, AMINA)
        code = f"JOIN {opened.codes[17]}"
        for text in (code, "1", "1 1 1 1 2 1", "1 1 1", "3 3 3", "3 3 3", "3 3 3", "3"):
            await amina.says(text)
        yield opened


async def code_of(town: Town) -> str:
    return await town.database.read(lambda c: str(c.execute(select(alerts.c.code)).scalar_one()))


async def state_of(town: Town) -> str:
    return await town.database.read(lambda c: str(c.execute(select(alerts.c.state)).scalar_one()))


async def test_an_alert_passed_on_by_everybody_comes_back_and_can_be_taken(town: Town) -> None:
    sipho, code = Person(town, SIPHO), await code_of(town)
    await sipho.says("2")
    sipho.hears("passed on")
    already = len(sipho.phone())
    await town.wait(town.now + QUARTER)
    assert len(sipho.phone()) == already + 1
    # A bare digit takes nothing that she passed on; it is told what there is.
    await sipho.says("1")
    sipho.hears(code)
    assert await state_of(town) == "offered"
    await sipho.says(f"1 {code}")
    sipho.hears("it is yours now")
    assert await state_of(town) == "accepted"


async def test_an_alert_that_nobody_takes_is_sent_again_until_somebody_does(town: Town) -> None:
    sipho = Person(town, SIPHO)
    for _ in range(3):
        already = len(sipho.phone())
        await town.wait(town.now + QUARTER)
        assert len(sipho.phone()) == already + 1
    await sipho.says("1")
    already = len(sipho.phone())
    for _ in range(3):
        await town.wait(town.now + QUARTER)
    assert len(sipho.phone()) == already


async def test_an_alert_that_reaches_nobody_any_more_is_openly_waiting(town: Town) -> None:
    await town.database.write(
        lambda c: c.execute(
            update(addresses).where(addresses.c.channel == "telegram").values(opted_out_at=town.now)
        )
    )
    for _ in range(2):
        await town.wait(town.now + QUARTER)
    kinds = select(tasks.c.kind, tasks.c.school_id).where(tasks.c.kind == "alert_unreachable")
    (task,) = await town.database.read(lambda c: c.execute(kinds).all())
    assert task.school_id


async def test_somebody_who_is_not_staff_hears_nothing_of_alerts(town: Town) -> None:
    amina, code = Person(town, AMINA), await code_of(town)
    await amina.says(f"1 {code}")
    assert code not in "".join(s.message.text for s in amina.phone())
    assert await state_of(town) == "opened"


async def prompt_state(town: Town, login: str) -> str:
    state = select(login_prompts.c.state).where(login_prompts.c.id == login)
    return await town.database.read(lambda c: str(c.execute(state).scalar_one()))


async def test_an_alert_can_be_taken_while_a_sign_in_waits_and_then_confirmed(town: Town) -> None:
    sipho = Person(town, SIPHO)
    login = await sign_in(town, SIPHO, "42")
    await town.settle()
    await sipho.says("1")
    sipho.hears("it is yours now")
    assert (await state_of(town), await prompt_state(town, login)) == ("accepted", "asked")
    await sipho.says("42")
    sipho.hears("Go on in your browser")
    assert await prompt_state(town, login) == "confirmed"
    verbs = await town.database.read(lambda c: set(c.execute(select(audit.c.verb)).scalars()))
    assert "sign_in_confirmed" in verbs


async def test_the_question_of_a_sign_in_never_goes_out_late(town: Town) -> None:
    await sign_in(town, SIPHO, "42")
    already = len(Person(town, SIPHO).phone())
    town.now += LOGIN_LIFE
    await town.settle()
    assert len(Person(town, SIPHO).phone()) == already


async def test_a_question_asked_after_a_sign_in_takes_its_place(town: Town) -> None:
    sipho = Person(town, SIPHO)
    login = await sign_in(town, SIPHO, "42")
    await town.settle()
    await sipho.says("language")
    await sipho.says("42")
    assert await prompt_state(town, login) == "asked"


async def test_a_menu_open_before_a_sign_in_is_open_after_it(town: Town) -> None:
    sipho = Person(town, SIPHO)
    await sipho.says("language")
    await sign_in(town, SIPHO, "42")
    await town.settle()
    await sipho.says("42")
    sipho.hears("Go on in your browser")
    await sipho.says("2")
    sipho.hears("Siyakwamukela")


async def test_who_cannot_be_reached_is_not_asked(town: Town) -> None:
    await town.database.write(
        lambda c: c.execute(
            update(addresses).where(addresses.c.channel == "telegram").values(opted_out_at=town.now)
        )
    )
    with pytest.raises(AssertionError):
        await sign_in(town, SIPHO, "42")


async def test_somebody_elses_number_answers_nothing(town: Town) -> None:
    login = await sign_in(town, SIPHO, "42")
    await town.settle()
    await Person(town, AMINA).says("42")
    assert await prompt_state(town, login) == "asked"


async def test_an_alert_of_an_erased_household_is_not_there(town: Town) -> None:
    sipho, code = Person(town, SIPHO), await code_of(town)
    await town.database.write(lambda c: c.execute(update(households).values(erased_at=town.now)))
    await sipho.says(f"1 {code}")
    sipho.hears("with somebody already, or closed")
    assert await state_of(town) != "accepted"


@pytest.mark.parametrize(
    "changed", [{"role": "nurse"}, {"until_at": MONDAY}, {"from_at": MONDAY + timedelta(days=9)}]
)
async def test_the_role_she_has_now_decides(town: Town, changed: dict[str, object]) -> None:
    sipho, code = Person(town, SIPHO), await code_of(town)
    await town.database.write(lambda c: c.execute(update(person_roles).values(**changed)))
    await sipho.says(f"1 {code}")
    assert await state_of(town) != "accepted"
