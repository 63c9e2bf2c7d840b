"""USSD screens in the database, and one number on two channels."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import addresses, dialogs, person_address
from storage.talk.dialogs import LIFE, ended_links, find, keep, purge, twins
from tests.storage.rows import ACCOUNT, School

NUMBER = "+27821230001"


def at(vault: Vault, channel: str = "sms", value: str = NUMBER) -> dict[str, object]:
    blinds = vault.blinds(channel, ACCOUNT, value)
    return {"channel": channel, "account": ACCOUNT, "blinds": blinds}


async def test_the_last_screen_is_found_by_the_number(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        row = school.stranger(NUMBER)
        known = find(conn, **at(vault))
        assert known is not None
        assert (known.address_id, known.language, known.body) == (row, "en", None)
        assert find(conn, **at(vault, value="+27820000000")) is None
        assert find(conn, **at(vault, "ussd")) is None

        keep(conn, address_id=row, body=b"first", at=now)
        keep(conn, address_id=row, body=b"second", at=now + timedelta(seconds=5))

        shown = find(conn, **at(vault))
        assert shown is not None
        assert shown.body == b"second"
        stored = conn.execute(select(dialogs.c.at)).scalars().all()
        assert stored == [now + timedelta(seconds=5)]

    await database.write(work)


async def test_her_own_language_counts_before_the_addresss(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        school.reached_at(school.person(), NUMBER)
        conn.execute(update(addresses).values(language="zu"))

        found = find(conn, **at(vault))

        assert found is not None
        assert found.language == "en"

    await database.write(work)


async def test_a_screen_is_forgotten_when_no_session_can_be_open_any_more(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        keep(conn, address_id=school.stranger(NUMBER), body=b"x", at=now)

        assert purge(conn, now=now + LIFE) == 0
        assert purge(conn, now=now + LIFE + timedelta(seconds=1)) == 1

    await database.write(work)


async def test_who_answers_at_a_number_is_named_but_no_staff(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        blind = vault.blinds("sms", ACCOUNT, NUMBER)[0]
        assert twins(conn, **at(vault)) == {}
        row = school.stranger(NUMBER)
        assert twins(conn, **at(vault))[blind].person_id is None

        caregiver = school.person()
        school.reached_at(caregiver, NUMBER)
        twin = twins(conn, **at(vault))[blind]
        assert (twin.address_id, twin.person_id, twin.opted_out_at) == (row, caregiver, None)

        staff, _ = school.coordinator("+27821230009", "sms")
        other = at(vault, value="+27821230009")
        (found,) = twins(conn, **other).values()
        assert found.person_id is None, staff

    await database.write(work)


async def test_what_was_true_once_is_told_from_what_is(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        amina, thoko = school.person(), school.person()
        row = school.reached_at(amina, NUMBER)
        assert ended_links(conn, [row]) == set()

        conn.execute(update(person_address).values(until_at=now))
        school.reached_at(thoko, NUMBER)
        assert ended_links(conn, [row]) == {(amina, row)}

        school.put(person_address, person_id=amina, address_id=row, from_at=now + timedelta(days=1))
        assert ended_links(conn, [row]) == set(), "she came back"

    await database.write(work)
