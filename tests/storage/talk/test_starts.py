"""Facts that a questionnaire needs when it starts."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from storage.database import Database
from storage.families import people
from storage.keyring.vault import Vault
from storage.schema import children, waves
from storage.talk.starts import (
    classes_by_id,
    classes_of,
    consented_children,
    current_waves,
    known_answers,
)
from tests.storage.rows import School


async def test_a_teacher_s_classes(database: Database, now: datetime, vault: Vault) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        teacher = school.person("teacher")
        assert classes_of(conn, [teacher]) == []
        people.set_teacher(conn, school.class_id, teacher)
        (found,) = classes_of(conn, [teacher])
        assert (found.grade, found.name, found.programme_id) == ("1", "A", school.programme)
        assert classes_by_id(conn, [school.class_id]) == {school.class_id: found}

    await database.write(work)


async def test_the_newest_wave_that_is_open(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        here = [school.programme]
        assert current_waves(conn, here, now) == {school.programme: school.wave}
        assert current_waves(conn, here, now - timedelta(days=1)) == {}
        day = timedelta(days=1)
        second = people.ensure_wave(
            conn, programme_id=school.programme, number=2, opens_at=now + day, now=now
        )
        assert current_waves(conn, here, now) == {school.programme: school.wave}
        assert current_waves(conn, here, now + day) == {school.programme: second}
        conn.execute(update(waves).values(closes_at=now + day))
        assert current_waves(conn, here, now + day) == {}

    await database.write(work)


async def test_only_children_whose_parent_agreed_to_help_are_on_the_list(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        refusals = [
            {"granted": False},
            {"purpose": "research"},
            {"capacity": "carer"},
            {"withdrawn_at": now},
        ]
        for number, refusal in enumerate(refusals, 1):
            child = school.child(number)
            school.agreed(child, school.person(household=child.household_id), **refusal)
        school.child(8)
        good, gone = school.child(9), school.child(10)
        for child in (good, gone):
            school.agreed(child, school.person(household=child.household_id))
        conn.execute(update(children).where(children.c.id == gone.id).values(left_at=now))
        found = consented_children(conn, school.class_id)
        assert {number: child.id for number, child in found.items()} == {9: good.id}

    await database.write(work)


async def test_what_she_said_for_another_child_this_wave_is_known(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        amina, other = school.person(), school.person()
        at = school.reached_at(amina, "+2782")
        mine = school.session(at, person_id=amina, wave_id=school.wave)
        hers = school.session(at, person_id=other, wave_id=school.wave)
        school.answer(mine, "money", "no")
        school.answer(mine, "money", "yes", revision=2, at=now + timedelta(minutes=1))
        school.answer(mine, "work", None, state="skipped")
        school.answer(mine, "play", "2")
        school.answer(mine, "play", None, revision=3, state="withdrawn")
        school.answer(hers, "sick", "often")
        known = known_answers(conn, person_id=amina, wave_id=school.wave, form_id="caregiver")
        assert known == {"money": "yes"}
        assert known_answers(conn, person_id=amina, wave_id=school.wave, form_id="learner") == {}

    await database.write(work)
