"""Questionnaires that have gone quiet."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import addresses, persons, timers
from storage.talk.nudging import quiet_sessions, sms_of, to_lapse, used_keys
from tests.storage.rows import School

HOUR = timedelta(hours=1)
ANY = (None, "morning", "midday", "evening")


def noted(school: School, session: str, number: int) -> None:
    school.put(
        timers,
        key=f"nudge:{session}:{number}",
        kind="nudge",
        ref=session,
        due_at=school.now,
        data={},
        state="done",
    )


async def test_open_sessions_with_a_nudge_to_come_are_found_and_no_others(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782")

        def quiet(hours: int, *nudges: int, status: str = "open") -> str:
            made = school.session(at, changed_at=now - hours * HOUR, status=status)
            for number in nudges:
                noted(school, made, number)
            return made

        first, second, missed = quiet(30), quiet(80, 1), quiet(90)
        for others in ((1,), (30, 1), (80, 1, 2), (90, 2)):
            quiet(*others)
        quiet(30, status="lapsed")
        found = quiet_sessions(
            conn, first=now - 24 * HOUR, second=now - 72 * HOUR, safe_hours=ANY, limit=9
        )
        assert [session.id for session in found] == [missed, second, first]

    await database.write(work)


async def test_nobody_is_reminded_of_what_is_left_out(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782")
        asked = school.session(at, changed_at=now - 30 * HOUR)
        school.session(at, changed_at=now - 30 * HOUR, form_id="lesson_tell")
        times = {"first": now - 24 * HOUR, "second": now - 72 * HOUR}
        found = quiet_sessions(conn, **times, safe_hours=ANY, limit=9, without=["lesson_tell"])
        assert [session.id for session in found] == [asked]

    await database.write(work)


async def test_people_whose_hour_has_not_come_do_not_stand_before_the_others(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        for number, hour in enumerate(["evening", "evening", "morning", None]):
            person = school.person()
            conn.execute(update(persons).where(persons.c.id == person).values(safe_hour=hour))
            at = school.reached_at(person, f"+278{number}")
            school.session(at, person_id=person, changed_at=now - (40 - number) * HOUR)
        span = {"first": now - 24 * HOUR, "second": now - 72 * HOUR}

        def hours(*allowed: str | None, limit: int = 2) -> list[str | None]:
            found = quiet_sessions(conn, safe_hours=allowed, limit=limit, **span)
            return [session.safe_hour for session in found]

        assert hours(None, "morning") == ["morning", None]
        assert hours("evening") == ["evening", "evening"]
        assert hours() == []

    await database.write(work)


async def test_her_own_language_and_her_opting_out_are_known(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        person = school.person()
        at = school.reached_at(person, "+2782")
        conn.execute(update(persons).values(language="zu"))
        conn.execute(update(addresses).values(opted_out_at=now))
        school.session(at, person_id=person, changed_at=now - 30 * HOUR)
        (found,) = quiet_sessions(conn, first=now, second=now, safe_hours=ANY, limit=9)
        assert (found.language, found.opted_out, found.channel) == ("zu", True, "sms")

    await database.write(work)


async def test_used_keys(database: Database, now: datetime, vault: Vault) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        noted(school, "s", 1)
        assert used_keys(conn, ["nudge:s:1", "nudge:s:2"]) == {"nudge:s:1"}
        assert used_keys(conn, []) == set()

    await database.write(work)


async def test_an_sms_address_that_can_be_used(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        person = school.person()
        school.reached_at(person, "+2782", "whatsapp")
        assert sms_of(conn, person) is None
        assert sms_of(conn, None) is None
        bad, good = school.reached_at(person, "+2783"), school.reached_at(person, "+2784")
        conn.execute(update(addresses).where(addresses.c.id == bad).values(bad_at=now))
        assert sms_of(conn, person) == good
        conn.execute(update(addresses).where(addresses.c.id == good).values(opted_out_at=now))
        assert sms_of(conn, person) is None

    await database.write(work)


async def test_what_lapses(database: Database, now: datetime, vault: Vault) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782")
        week = now - timedelta(days=7)
        old = school.session(at, changed_at=week)
        school.session(at, changed_at=week + HOUR)
        school.session(at, changed_at=week, status="completed")
        assert to_lapse(conn, before=week, limit=9) == [(old, at)]

    await database.write(work)
