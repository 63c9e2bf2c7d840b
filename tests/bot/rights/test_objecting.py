"""A granted objection stops what it is against, in the same transaction."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from bot.rights import deciding, objecting
from bot.rights.deciding import Decision, RequestError, notes_of
from bot.rights.objecting import STOPS
from flows.consent import may_ask, may_remind, may_write
from storage import scope
from storage.database import Database
from storage.families import people
from storage.keyring.vault import Vault
from storage.rights import request_steps, requests
from storage.rights.requests import RequestRow
from storage.schema import consents as ledger
from storage.schema import outbox, schools, sessions
from storage.scope import Scope
from storage.talk import consents
from tests.bot.rights.family import Family
from tests.bot.rights.test_deciding import at, proved
from tests.person import Person
from tests.town import ACCOUNTS, ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
THOKO = Resident(name="thoko", role="teacher", channel="telegram", place=2)


def decide(conn: Connection, family: Family, row: RequestRow, now: datetime, **changed: str) -> str:
    told = {"outcome": "granted", "against": "messages"} | changed
    return deciding.decide(
        conn,
        family.officer(),
        family.world.vault,
        row,
        Decision(
            outcome=told["outcome"],
            ground="asked_back" if told["outcome"] == "held" else "lawful",
            rulings={},
            against=told["against"],
        ),
        present=(),
        now=now,
        stop=lambda what: objecting.stop(conn, family.world, family.officer(), row, what, now=now),
    )


def written(conn: Connection) -> dict[str, tuple[str, bool, str | None]]:
    """The ledger's rows of objections by purpose."""
    found = conn.execute(select(ledger).where(ledger.c.mode == objecting.MODE))
    return {r.purpose: (r.capacity, r.withdrawn_at is not None, r.recorded_by) for r in found}


@pytest.mark.parametrize("against", STOPS)
async def test_what_is_objected_to_is_withdrawn_in_the_ledger(
    database: Database, family: Family, now: datetime, against: str
) -> None:
    def steps(conn: Connection) -> RequestRow:
        row = proved(conn, family, "objection", now)
        decide(conn, family, row, now + timedelta(minutes=1), against=against)
        return at(conn, family, row.id)

    row = await database.write(steps)
    rows = await database.read(written)
    officer = family.officers["thandi"]
    assert rows == dict.fromkeys(STOPS[against], ("parent_or_guardian", True, officer))
    assert row.state == "granted"
    assert [n["text"] for n in notes_of(family.world.vault, row.id, row.note)][-1] == (
        f"stopped: {against}"
    )
    entries = await database.read(lambda conn: consents.about(conn, [family.child.id]))
    child, mother = family.child.id, family.mother
    helped = may_ask(entries, "help", None, child=child, person=mother)
    assert (type(helped).__name__ == "Yes") is (against != "everything")
    stopped = "contact" in STOPS[against]
    assert may_remind(entries, child=child, person=mother) is not stopped
    assert may_write(entries, child=child, person=mother) is False


@pytest.mark.parametrize("outcome", ["held", "refused"])
async def test_what_is_not_granted_stops_nothing(
    database: Database, family: Family, now: datetime, outcome: str
) -> None:
    def steps(conn: Connection) -> None:
        row = proved(conn, family, "objection", now)
        ground = "asked_back" if outcome == "held" else "safety"
        decision = Decision(outcome=outcome, ground=ground, rulings={}, against="everything")
        deciding.decide(
            conn, family.officer(), family.world.vault, row, decision, present=(), now=now
        )

    await database.write(steps)
    assert await database.read(written) == {}


@pytest.mark.parametrize("against", ["", "everybody"])
async def test_a_grant_that_stops_nothing_is_no_grant(
    database: Database, family: Family, now: datetime, against: str
) -> None:
    row = await database.write(lambda conn: proved(conn, family, "objection", now))

    with pytest.raises(RequestError, match="against"):
        await database.write(lambda conn: decide(conn, family, row, now, against=against))
    bare = Decision(outcome="granted", ground="lawful", rulings={}, against="messages")
    with pytest.raises(RequestError, match="against"):
        await database.write(
            lambda conn: deciding.decide(
                conn, family.officer(), family.world.vault, row, bare, present=(), now=now
            )
        )
    assert (await database.read(lambda conn: at(conn, family, row.id))).state == "open"
    assert await database.read(written) == {}


async def test_who_cares_for_no_child_has_nothing_to_stop(
    database: Database, family: Family, now: datetime
) -> None:
    def steps(conn: Connection) -> RequestRow:
        family.school.conn = conn
        teacher = family.school.person("teacher")
        asker = requests.asker_of(conn, family.officer(), teacher)
        assert asker is not None
        made, _ = request_steps.add(
            conn,
            kind="objection",
            asker=asker,
            way="staff",
            due_at=now,
            now=now,
            new_id=family.world.new_id,
        )
        return at(conn, family, made)

    row = await database.write(steps)
    with pytest.raises(RequestError, match="no_child"):
        await database.write(
            lambda conn: objecting.stop(
                conn, family.world, family.officer(), row, "messages", now=now
            )
        )


async def objects(town: Town, against: str) -> None:
    """Amina objects, and an officer grants it."""

    def work(conn: Connection) -> None:
        school = conn.execute(select(schools.c.id)).scalar_one()
        officer = Scope(
            actor_id="a" * 32, actor_kind="user", schools=frozenset({school}), purpose="requests"
        )
        mother = people.person_at(
            conn,
            scope.system("test"),
            channel="sms",
            account=ACCOUNTS["sms"],
            value=AMINA.address,
            vault=town.world.vault,
        )
        assert mother is not None
        asker = requests.asker_of(conn, officer, mother.id)
        assert asker is not None
        new_id = town.world.new_id
        made, _ = request_steps.add(
            conn,
            kind="objection",
            asker=asker,
            way="staff",
            due_at=town.now,
            now=town.now,
            new_id=new_id,
        )
        row = requests.request(conn, officer, made)
        assert row is not None
        objecting.stop(conn, town.world, officer, row, against, now=town.now)

    await town.database.write(work)


@pytest.mark.parametrize(
    ("against", "nudged", "status"),
    [("research", True, "open"), ("messages", False, "open"), ("everything", False, "stopped")],
)
async def test_reminders_stop_and_what_she_began_herself_goes_on(
    against: str, nudged: bool, status: str, sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA, THOKO], at=MONDAY) as town:
        amina = Person(town, AMINA)
        for said in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3"):
            await amina.says(said)
        amina.hears("Last week")
        await objects(town, against)
        heard = len(amina.phone())

        await town.wait(town.now + timedelta(days=1, hours=9))

        assert (len(amina.phone()) > heard) is nudged
        asked = select(sessions.c.status).where(sessions.c.form_id == "caregiver")
        assert await town.database.read(lambda c: c.execute(asked).scalar_one()) == status
        if status == "open":
            await amina.says("4 4 4")
            amina.hears("Last month")


async def test_what_waited_to_go_out_is_withheld(
    database: Database, family: Family, now: datetime
) -> None:
    def steps(conn: Connection) -> dict[str, str]:
        family.school.conn = conn
        for kind in ("reminder", "invitation", "notice"):
            family.school.message(
                family.address, person_id=family.mother, message_class=kind, state="queued"
            )
        row = proved(conn, family, "objection", now)
        decide(conn, family, row, now)
        found = conn.execute(select(outbox.c.message_class, outbox.c.state))
        return {r.message_class: r.state for r in found}

    states = await database.write(steps)
    assert states["reminder"] == states["invitation"] == "expired"
    assert states["notice"] == "queued"
