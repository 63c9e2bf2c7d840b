"""What an alert needs for words of danger."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from storage.care.danger import any_school, cared_for, newest_wave, note, raised_since
from storage.database import Database
from storage.families import people
from storage.keyring.vault import Vault
from storage.schema import child_caregiver, timers
from tests.storage.rows import School

DAY = timedelta(days=1)


async def test_whether_it_was_acted_on_lately(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        person = school.person()
        assert not raised_since(conn, [person], now - DAY)
        school.put(timers, **note(person, now - DAY))
        assert not raised_since(conn, [person, "other"], now - DAY)
        school.put(timers, **note(person, now))
        assert raised_since(conn, [person, "other"], now - DAY)
        assert not raised_since(conn, ["other"], now - DAY)

    await database.write(work)


async def test_the_child_is_the_one_she_came_to_care_for_last(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now - 2 * DAY)
        person, first = school.person(), school.child(1)
        assert cared_for(conn, person) is None
        school.cares_for(person, first)
        school.now = now
        second = school.child(2)
        school.cares_for(person, second)
        assert cared_for(conn, person) == second.id
        ended = update(child_caregiver).where(child_caregiver.c.child_id == second.id)
        conn.execute(ended.values(until_at=now))
        assert cared_for(conn, person) == first.id

    await database.write(work)


async def test_the_wave_is_the_newest_that_has_begun(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        assert any_school(conn) is None
        school = School(conn=conn, vault=vault, now=now - 9 * DAY)
        known = {"programme_id": school.programme, "now": now}
        second = people.ensure_wave(conn, number=2, opens_at=now - DAY, **known)
        people.ensure_wave(conn, number=3, opens_at=now + DAY, **known)
        assert newest_wave(conn, school.programme, now) == second
        assert newest_wave(conn, school.programme, now - 2 * DAY) == school.wave
        assert newest_wave(conn, "0" * 32, now) is None
        assert any_school(conn) == school.id

    await database.write(work)
