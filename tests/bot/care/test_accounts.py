"""Accounts end at their date and after idle days; what a leaver had goes back to the others."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from storage import schema
from storage.keyring.vault import Vault
from storage.staff import users
from storage.staff.users import User
from tests.person import Person
from tests.town import ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
SIPHO = Resident(name="sipho", role="coordinator", channel="telegram", place=3)
NOMSA = Resident(name="nomsa", role="coordinator", channel="telegram", place=4)
DAY = timedelta(days=1)


@pytest.fixture
async def town(sqlite_url: str, vault: Vault) -> AsyncIterator[Town]:
    async with open_town(sqlite_url, vault, [AMINA, SIPHO, NOMSA], at=MONDAY) as opened:
        yield opened


async def account(town: Town, *, ends_in: timedelta | None, person: str | None = None) -> str:
    made = User(
        id=town.world.new_id(town.now),
        login=f"u{person or ''}"[:20],
        person_id=person,
        role="coordinator",
        schools=frozenset(),
        password_hash="",
        totp_secret=b"x",
        totp_last=0,
        created_at=town.now,
        ends_at=None if ends_in is None else town.now + ends_in,
        disabled_at=None,
    )
    await town.database.write(lambda c: users.add(c, made))
    return made.id


async def sign_in(town: Town, user_id: str, token: str) -> None:
    await town.database.write(
        lambda c: users.open_session(c, digest=token, user_id=user_id, now=town.now)
    )


async def is_open(town: Town, user_id: str) -> bool:
    asked = select(schema.users.c.disabled_at).where(schema.users.c.id == user_id)
    return await town.database.read(lambda c: c.execute(asked).scalar_one()) is None


async def live(town: Town, token: str) -> bool:
    return await town.database.read(lambda c: users.session(c, token)) is not None


async def noted(town: Town) -> list[str]:
    asked = select(schema.audit.c.verb).where(schema.audit.c.purpose == "accounts")
    return list(await town.database.read(lambda c: c.execute(asked).scalars().all()))


async def test_an_account_ends_at_its_date_with_its_sessions(town: Town) -> None:
    user = await account(town, ends_in=10 * DAY)
    await sign_in(town, user, "t")
    await town.wait(town.now + 10 * DAY - timedelta(seconds=1))
    assert (await is_open(town, user), await live(town, "t")) == (True, True)

    await town.wait(town.now + timedelta(seconds=1))

    assert (await is_open(town, user), await live(town, "t")) == (False, False)
    assert await noted(town) == ["ended_by_date"]


async def test_thirty_idle_days_close_a_login(town: Town) -> None:
    user = await account(town, ends_in=300 * DAY)
    await town.wait(town.now + 20 * DAY)
    await sign_in(town, user, "t")
    await town.wait(town.now + 29 * DAY)
    assert await is_open(town, user)

    await town.wait(town.now + DAY)

    assert (await is_open(town, user), await live(town, "t")) == (False, False)
    assert await noted(town) == ["closed_idle"]


async def test_every_account_is_given_an_end(town: Town) -> None:
    user = await account(town, ends_in=None)

    await town.clock.tick()

    asked = select(schema.users.c.ends_at).where(schema.users.c.id == user)
    assert await town.database.read(lambda c: c.execute(asked).scalar_one()) == town.now + 365 * DAY
    assert await noted(town) == ["end_set"]


async def person_of(town: Town, who: Resident) -> str:
    asked = select(schema.addresses.c.person_id).where(
        schema.addresses.c.blind
        == town.world.vault.blind_address("telegram", "1000", who.on("telegram"))
    )
    return str(await town.database.read(lambda c: c.execute(asked).scalar_one()))


async def alert_taken_by_sipho(town: Town) -> str:
    amina, sipho = Person(town, AMINA), Person(town, SIPHO)
    code = f"JOIN {town.codes[17]}"
    for text in (code, "1", "1 1 1 1 2 1", "1 1 1", "3 3 3", "3 3 3", "3 3 3", "3"):
        await amina.says(text)
    await sipho.says("1")
    sipho.hears("it is yours now")
    owner = select(schema.alerts.c.owner_id)
    assert await town.database.read(lambda c: c.execute(owner).scalar_one()) is not None
    return await person_of(town, SIPHO)


async def test_what_a_leaver_accepted_goes_to_the_others_and_she_hears_no_more(town: Town) -> None:
    person = await alert_taken_by_sipho(town)
    await account(town, ends_in=2 * DAY, person=person)
    sipho, nomsa = Person(town, SIPHO), Person(town, NOMSA)
    before = len(sipho.phone()), len(nomsa.phone())

    await town.wait(town.now + 2 * DAY)
    await town.wait(town.now + timedelta(minutes=16))

    assert len(nomsa.phone()) > before[1]
    assert len(sipho.phone()) == before[0]
    await sipho.says("1")
    assert "it is yours now" not in sipho.phone()[-1].message.text
    await nomsa.says("1")
    nomsa.hears("it is yours now")


async def test_idle_days_do_not_take_an_alert_from_her(town: Town) -> None:
    person = await alert_taken_by_sipho(town)
    await account(town, ends_in=300 * DAY, person=person)

    await town.wait(town.now + 31 * DAY)

    state = select(schema.alerts.c.state, schema.alerts.c.owner_id)
    rows = await town.database.read(lambda c: c.execute(state).all())
    assert ("accepted", person) in [tuple(r) for r in rows]
    assert await noted(town) == ["closed_idle"]


def look(conn: Connection, town: Town, school: str, at: datetime) -> None:
    conn.execute(
        insert(schema.audit).values(
            id=town.world.new_id(at),
            at=at,
            actor_kind="user",
            actor_id="u" * 32,
            verb="read",
            object_kind="alerts",
            object_id="a" * 32,
            school_id=school,
            purpose="care",
        )
    )


async def test_a_month_with_looks_gives_supervisors_a_task_once(town: Town) -> None:
    school = await town.database.read(lambda c: c.execute(select(schema.schools.c.id)).scalar_one())
    await town.database.write(lambda c: look(c, town, school, town.now))
    kinds = select(schema.tasks.c.kind, schema.tasks.c.key).where(
        schema.tasks.c.kind == "who_looked"
    )

    async def made() -> list[str]:
        return [r.key for r in await town.database.read(lambda c: c.execute(kinds).all())]

    await town.wait(town.now.replace(day=28, hour=23, minute=59))
    assert await made() == []
    await town.wait(datetime(2026, 3, 1, 0, 1, tzinfo=ZONE))
    await town.clock.tick()
    assert await made() == [f"who_looked:2026-02:{school}"]
    await town.wait(datetime(2026, 4, 1, 0, 1, tzinfo=ZONE))
    assert len(await made()) == 1
