"""What hangs on a number goes with it, and what another adult said of the home is found."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from storage.database import Database
from storage.families.learners import add_join_codes
from storage.fetch import fetch
from storage.keyring.vault import Vault
from storage.schema import addresses, join_codes, outbox, sessions, timers
from storage.talk import later
from storage.talk.joining import joins
from storage.talk.moving import address_at, addresses_of, carry_over, meet, silence
from storage.talk.starts import known_at_home
from tests.storage.rows import ACCOUNT, School

OLD, NEW = "+27821230001", "+27821230002"


def met(conn: Connection, vault: Vault, now: datetime) -> str:
    return meet(
        conn, channel="sms", account=ACCOUNT, value=NEW, language="zu", vault=vault, now=now
    )


async def test_a_number_is_met_once_and_is_nobody_s(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        made = met(conn, vault, now)
        assert met(conn, vault, now) == made
        row = conn.execute(select(addresses).where(addresses.c.id == made)).one()
        assert (row.person_id, row.language) == (None, "zu")
        assert vault.open(row.value, table="addresses", column="value", row=made) == NEW
        here = {"channel": "sms", "account": ACCOUNT, "vault": vault}
        assert address_at(conn, value=NEW, **here) == made  # type: ignore[arg-type]
        assert address_at(conn, value=OLD, **here) is None  # type: ignore[arg-type]

    await database.write(work)


async def test_what_waits_at_the_old_number_waits_at_the_new_one(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, amina, other = school.child(1), school.person(), school.person()
        old, new = school.reached_at(amina, OLD), met(conn, vault, now)
        assert addresses_of(conn, amina) == [old]
        hers = school.session(old, person_id=amina)
        theirs = school.session(old, person_id=other)
        school.put(timers, **later.timer(hers, 1, address_id=old, since=now, due_at=now))
        add_join_codes(conn, [child.id], vault=vault, now=now)
        conn.execute(update(join_codes).values(claimed_at=now, claimed_by=old))
        carry_over(conn, person_id=amina, old=[old], new=new)
        at = dict(fetch(conn, select(sessions.c.id, sessions.c.address_id)))
        assert at == {hers: new, theirs: old}
        assert conn.execute(select(join_codes.c.claimed_by)).scalar_one() == new
        assert conn.execute(select(timers.c.data)).scalar_one()["address"] == new

    await database.write(work)


async def test_nothing_more_goes_to_a_number_that_is_silent(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        old, new = school.reached_at(school.person(), OLD), met(conn, vault, now)
        gone, sent, kept = (
            school.message(old),
            school.message(old, state="accepted"),
            school.message(new),
        )
        assert silence(conn, [old], now=now) == 1
        stand = dict(fetch(conn, select(outbox.c.id, outbox.c.state)))
        assert stand == {gone: "expired", sent: "accepted", kept: "queued"}

    await database.write(work)


async def test_a_code_that_was_issued_after_another_was_used_is_for_another_adult(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, first = school.child(1), school.reached_at(school.person(), OLD)
        one, two = (
            vault.blind("join", add_join_codes(conn, [child.id], vault=vault, now=now)[child.id])
            for _ in range(2)
        )
        used = now + timedelta(hours=1)
        conn.execute(
            update(join_codes)
            .where(join_codes.c.blind == one)
            .values(claimed_at=used, claimed_by=first)
        )
        after = used + timedelta(hours=1)
        codes = add_join_codes(conn, [child.id], vault=vault, now=after)
        three = vault.blind("join", codes[child.id])
        found = {blind: row.claimed_by for blind, row in joins(conn, [one, two, three]).items()}
        assert found == {one: first, two: first, three: None}

    await database.write(work)


async def test_what_another_adult_said_of_the_home(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, amina = school.child(1), school.person()
        at = school.reached_at(amina, OLD)
        about = {"person_id": amina, "child_id": child.id, "wave_id": school.wave}
        stopped = school.session(at, status="stopped", **about)
        school.answer(stopped, "dry_home", "no")
        told = school.session(at, **about)
        school.answer(told, "borrowed", "yes")
        school.answer(told, "borrowed", "no", revision=2, at=now + timedelta(minutes=1))
        school.answer(told, "heavy", "often")

        def known(others: list[str]) -> dict[str, str]:
            found = known_at_home(
                conn,
                child_id=child.id,
                others=others,
                wave_id=school.wave,
                form_id="caregiver",
                items=["borrowed", "dry_home"],
            )
            return dict(found)

        assert known([amina]) == {"borrowed": "no"}
        assert known([]) == {}
        assert known([school.person()]) == {}

    await database.write(work)
