"""Correcting a value and marking an answer: the old one is kept sealed, the child judged anew."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from bot.rights import correction
from bot.rights.correction import FIELDS, Correction
from bot.rights.deciding import RequestError, notes_of
from storage import scope
from storage.database import Database
from storage.families.people import person_at
from storage.rights import correcting, request_steps, requests
from storage.rights.requests import RequestRow
from storage.schema import (
    addresses,
    child_caregiver,
    children,
    disputes,
    outbox,
    persons,
    profiles,
    tasks,
)
from tests.bot.rights import family as words
from tests.bot.rights.family import Family
from tests.bot.rights.test_deciding import at, enter, proved
from tests.storage.rows import ACCOUNT

NEW = "+27829990001"


def correct(
    conn: Connection, family: Family, row: RequestRow, asked: Correction, now: datetime
) -> str:
    return correction.correct(conn, family.world, family.officer(), row, asked, now=now)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ("Nomsa", words.MOTHER)),
        ("language", ("zu", "en")),
        ("shared_phone", ("yes", "")),
        ("safe_hour", ("evening", "")),
        ("capacity", ("carer", "parent_or_guardian")),
        ("child_name", ("Themba", "")),
        ("sex", ("m", "f")),
        ("birth_month", ("2018-11", "2019-03")),
        ("number", ("082 999 0001", words.NUMBER)),
    ],
)
async def test_a_value_is_corrected_and_the_old_one_kept_in_the_note(
    database: Database, family: Family, now: datetime, field: str, values: tuple[str, str]
) -> None:
    value, before = values

    def steps(conn: Connection) -> tuple[str, RequestRow]:
        row = proved(conn, family, "correction", now)
        found = correct(conn, family, row, Correction(field=field, value=value), now)
        return found, at(conn, family, row.id)

    found, row = await database.write(steps)

    assert found == before
    last = notes_of(family.world.vault, row.id, row.note)[-1]
    assert last["text"] == f"{field}: {before or '-'} -> {value}"
    assert last["by"] == family.officers["thandi"]
    told = await database.read(lambda conn: requests.inform_tasks(conn, family.officer(), [row.id]))
    assert list(told) == [row.id]
    assert field in FIELDS


async def test_what_was_corrected_stands(database: Database, family: Family, now: datetime) -> None:
    def steps(conn: Connection) -> None:
        row = proved(conn, family, "correction", now)
        for field, value in (("sex", "m"), ("birth_month", "2018-11"), ("language", "zu")):
            correct(conn, family, row, Correction(field=field, value=value), now)
        for field, value in (("capacity", "carer"), ("shared_phone", "no"), ("name", "Nomsa")):
            correct(conn, family, row, Correction(field=field, value=value), now)

    await database.write(steps)
    child, capacity, person, language = await database.read(
        lambda conn: (
            conn.execute(select(children.c.sex, children.c.birth_month)).one(),
            conn.execute(select(child_caregiver.c.capacity)).scalar_one(),
            conn.execute(select(persons).where(persons.c.id == family.mother)).one(),
            conn.execute(
                select(addresses.c.language).where(addresses.c.id == family.address)
            ).scalar_one(),
        )
    )
    assert tuple(child) == ("m", "2018-11")
    assert capacity == "carer"
    assert (person.language, person.shared_phone, language) == ("zu", False, "zu")
    opened = family.world.vault.open(person.name, table="persons", column="name", row=family.mother)
    assert opened == "Nomsa"


async def test_a_corrected_birth_month_or_sex_judges_the_child_anew(
    database: Database, family: Family, now: datetime
) -> None:
    later = now + timedelta(hours=1)

    def steps(conn: Connection) -> list[datetime]:
        row = proved(conn, family, "correction", now)
        stale = update(profiles).values(rules="before")
        conn.execute(stale)
        correct(conn, family, row, Correction(field="name", value="X"), later)
        untouched = conn.execute(select(profiles.c.rules)).scalar_one()
        correct(conn, family, row, Correction(field="sex", value="m"), later)
        return [untouched, *conn.execute(select(profiles.c.rules)).scalars()]

    before, after = await database.write(steps)
    assert before == "before"
    assert after == family.rules.version


async def test_a_wrong_number_is_hers_no_more_and_nothing_goes_there(
    database: Database, family: Family, now: datetime
) -> None:
    vault = family.world.vault

    def steps(conn: Connection) -> tuple[object, object, list[str]]:
        row = proved(conn, family, "correction", now)
        correct(conn, family, row, Correction(field="number", value=NEW), now)
        who = [
            person_at(
                conn, scope.system("test"), channel="sms", account=ACCOUNT, value=value, vault=vault
            )
            for value in (words.NUMBER, NEW)
        ]
        states = list(conn.execute(select(outbox.c.state)).scalars())
        return who[0], who[1] and who[1].id, states

    assert await database.write(steps) == (None, family.mother, ["expired"])


async def test_a_shared_number_stays_with_the_other_one(
    database: Database, family: Family, now: datetime
) -> None:
    vault = family.world.vault

    def steps(conn: Connection) -> tuple[str, object]:
        family.school.conn = conn
        other = family.school.person(household=family.child.household_id)
        family.school.reached_at(other, words.NUMBER)
        row = proved(conn, family, "correction", now)
        correct(conn, family, row, Correction(field="number", value=NEW), now)
        found = person_at(
            conn, scope.system("t"), channel="sms", account=ACCOUNT, value=words.NUMBER, vault=vault
        )
        return other, found and found.id

    other, found = await database.write(steps)
    assert found == other


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Correction(field="mood", value="x"), "field"),
        (Correction(field="sex", value="boy"), "value"),
        (Correction(field="birth_month", value="2019-13"), "value"),
        (Correction(field="birth_month", value="2031-01"), "value"),
        (Correction(field="language", value="xx"), "value"),
        (Correction(field="capacity", value="aunt"), "value"),
        (Correction(field="name", value="x" * 201), "value"),
        (Correction(field="number", value="12"), "value"),
        (Correction(field="number", value=words.NUMBER), "value"),
        (Correction(field="number", value=NEW, before="+27820000000"), "before"),
        (Correction(field="sex", value="m", child="ZZZZ"), "child"),
    ],
)
async def test_what_does_not_fit_is_refused_and_changes_nothing(
    database: Database, family: Family, now: datetime, asked: Correction, code: str
) -> None:
    row = await database.write(lambda conn: proved(conn, family, "correction", now))

    with pytest.raises(RequestError, match=code):
        await database.write(lambda conn: correct(conn, family, row, asked, now))

    fresh = await database.read(lambda conn: at(conn, family, row.id))
    assert fresh.note == row.note


async def test_nobody_corrects_before_it_is_known_who_asks(
    database: Database, family: Family, now: datetime
) -> None:
    row = await database.write(lambda conn: enter(conn, family, "correction", now))
    asked = Correction(field="sex", value="m")

    with pytest.raises(RequestError, match="unproved"):
        await database.write(lambda conn: correct(conn, family, row, asked, now))
    with pytest.raises(RequestError, match="unproved"):
        await database.write(lambda conn: mark(conn, family, row, "breakfast", now))


def mark(conn: Connection, family: Family, row: RequestRow, item: str, now: datetime) -> None:
    correction.dispute(
        conn,
        family.world,
        family.officer(),
        row,
        session_id=family.session,
        item=item,
        now=now,
    )


async def test_a_disputed_answer_is_marked_and_never_changed(
    database: Database, family: Family, now: datetime
) -> None:
    def steps(conn: Connection) -> set[tuple[str, str]]:
        row = proved(conn, family, "correction", now)
        mark(conn, family, row, "breakfast", now)
        return correcting.disputed_items(conn, family.officer(), [family.child.id])

    assert await database.write(steps) == {(family.child.id, "caregiver/breakfast")}

    row = await database.read(
        lambda conn: requests.requests_in(conn, family.officer(), waiting=True, limit=1)[0]
    )
    with pytest.raises(RequestError, match="disputed"):
        await database.write(lambda conn: mark(conn, family, row, "breakfast", now))
    with pytest.raises(RequestError, match="answer"):
        await database.write(lambda conn: mark(conn, family, row, "no_such_item", now))


async def test_a_stranger_has_nothing_to_correct(
    database: Database, family: Family, now: datetime
) -> None:
    def steps(conn: Connection) -> RequestRow:
        asker = requests.Asker(
            person_id=None, address_id=family.address, household_id=None, school_id=None
        )
        made, _ = request_steps.add(
            conn,
            kind="correction",
            asker=asker,
            way="chat",
            due_at=now,
            now=now,
            new_id=family.world.new_id,
        )
        return at(conn, family, made)

    row = await database.write(steps)
    for step in (
        lambda conn: correct(conn, family, row, Correction(field="sex", value="m"), now),
        lambda conn: mark(conn, family, row, "breakfast", now),
    ):
        with pytest.raises(RequestError, match="nobody"):
            await database.write(step)
    counted = await database.read(
        lambda conn: (
            conn.execute(select(disputes.c.id)).all(),
            conn.execute(select(tasks.c.kind).where(tasks.c.kind.in_(requests.OFFICER_TASKS)))
            .scalars()
            .all(),
        )
    )
    assert counted == ([], ["rights_request"])
