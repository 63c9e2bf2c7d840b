"""Who is told that the glass was broken, by the ordinary way, and what the message says."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from bot.care.glass import tell
from storage import schema
from storage.families import people
from storage.keyring.vault import Vault
from storage.staff import users
from storage.staff.users import User
from storage.trail import glass
from storage.trail.glass import Opening
from tests.town import ACCOUNTS, ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 21, 30, tzinfo=ZONE)
SIPHO = Resident(name="sipho", role="coordinator", channel="telegram", place=3)
REASON = "the reason nobody may read"


@pytest.fixture
async def town(sqlite_url: str, vault: Vault) -> AsyncIterator[Town]:
    async with open_town(sqlite_url, vault, [SIPHO], at=MONDAY) as opened:
        yield opened


def supervisor(conn: Connection, town: Town, school: str, chat: str, name: str = "") -> str:
    """Somebody who answers for a school, and a chat where she can be told; none for ""."""
    programme = conn.execute(select(schema.programmes.c.id)).scalar_one()
    vault = town.world.vault
    person = people.add_person(
        conn, kind="staff", programme_id=programme, vault=vault, now=town.now, language="en"
    )
    people.grant_role(conn, person_id=person, school_id=school, role="supervisor", now=town.now)
    if chat:
        people.add_address(
            conn,
            person_id=person,
            channel="telegram",
            account=ACCOUNTS["telegram"],
            value=chat,
            vault=vault,
            now=town.now,
        )
    return person


def schools(conn: Connection, town: Town) -> tuple[str, str]:
    """The town's school, and the one that the asker is from."""
    programme = conn.execute(select(schema.programmes.c.id)).scalar_one()
    theirs = str(conn.execute(select(schema.schools.c.id)).scalars().first())
    mine = people.ensure_school(conn, programme_id=programme, name="Mine", now=town.now)
    return theirs, mine


def broken(conn: Connection, town: Town, theirs: str, mine: str, person: str | None) -> Opening:
    asker = User(
        id=town.world.new_id(town.now),
        login="ann",
        person_id=person,
        role="supervisor",
        schools=frozenset({mine}),
        password_hash="",
        totp_secret=b"x",
        totp_last=0,
        created_at=town.now,
        ends_at=None,
        disabled_at=None,
    )
    users.add(conn, asker)
    made_id = town.world.new_id(town.now)
    made = glass.open_school(
        conn,
        id=made_id,
        code="X7Y2Z4",
        user_id=asker.id,
        school_id=theirs,
        reason=town.world.vault.seal(REASON, table="break_glass", column="reason", row=made_id),
        now=town.now,
        ends_at=town.now + timedelta(minutes=60),
    )
    assert made is not None
    return made


def told(town: Town) -> dict[str, str]:
    return {sent.address: sent.message.text for sent in town.channel.sent}


async def tasks(town: Town) -> list[str]:
    kinds = select(schema.tasks.c.kind)
    return list(await town.database.read(lambda c: c.execute(kinds).scalars().all()))


async def test_supervisors_of_both_schools_are_told_at_once_even_at_night(town: Town) -> None:
    def scene(conn: Connection) -> int:
        theirs, mine = schools(conn, town)
        supervisor(conn, town, theirs, "901")
        supervisor(conn, town, mine, "902")
        herself = supervisor(conn, town, mine, "903")
        return tell(conn, town.world, broken(conn, town, theirs, mine, herself), town.now)

    assert await town.database.write(scene) == 2
    await town.wait(town.now)

    words = told(town)
    assert sorted(words) == ["901", "902"]
    assert set(words.values()) == {
        "CWB: a colleague opened another school's records, item X7Y2Z4. Sign in to review: "
        "https://cwb.example.org/dashboard/glass"
    }
    assert await tasks(town) == []


async def test_a_school_without_a_supervisor_to_reach_has_a_task(town: Town) -> None:
    def scene(conn: Connection) -> int:
        theirs, mine = schools(conn, town)
        supervisor(conn, town, theirs, "")
        supervisor(conn, town, mine, "902")
        return tell(conn, town.world, broken(conn, town, theirs, mine, None), town.now)

    assert await town.database.write(scene) == 1
    assert await tasks(town) == ["glass_unseen"]


async def test_somebody_who_stopped_messages_of_ours_is_told_all_the_same_nowhere(
    town: Town,
) -> None:
    def scene(conn: Connection) -> int:
        theirs, mine = schools(conn, town)
        supervisor(conn, town, theirs, "901")
        conn.execute(update(schema.addresses).values(opted_out_at=town.now))
        return tell(conn, town.world, broken(conn, town, theirs, mine, None), town.now)

    assert await town.database.write(scene) == 0
    assert await tasks(town) == ["glass_unseen"]


async def test_who_answers_for_both_schools_is_told_once(town: Town) -> None:
    def scene(conn: Connection) -> int:
        theirs, mine = schools(conn, town)
        boss = supervisor(conn, town, theirs, "901")
        people.grant_role(conn, person_id=boss, school_id=mine, role="supervisor", now=town.now)
        opening = broken(conn, town, theirs, mine, None)
        return tell(conn, town.world, opening, town.now)

    assert await town.database.write(scene) == 1
    await town.wait(town.now)
    assert len(town.channel.sent) == 1
