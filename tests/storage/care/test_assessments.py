"""The stored answers as scoring wants them."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from storage.care.assessments import sheets_about_children, sheets_about_classes
from storage.database import Database
from storage.keyring.vault import Vault
from tests.storage.rows import School


async def test_both_informants_of_a_child_are_read_each_by_its_newest_answers(
    database: Database, now: datetime, vault: Vault
) -> None:
    later = now + timedelta(hours=1)

    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child, at = school.child(1), school.stranger("+2782")
        about = {"child_id": child.id, "wave_id": school.wave}
        home = school.session(at, **about)
        desk = school.session(at, form_id="learner", **about)
        school.answer(home, "money", "no", **about)
        school.answer(home, "money", "yes", revision=2, at=later, **about)
        school.answer(home, "work", None, revision=3, state="withdrawn", **about)
        school.answer(desk, "tired", "2", form_id="learner", informant="teacher", **about)
        found = sheets_about_children(conn, [child.id])
        assert list(found) == [(child.id, school.wave)]
        by_form = {sheet.form_id: sheet for sheet in found[child.id, school.wave]}
        assert by_form["caregiver"].answers == {"money": "yes", "work": None}
        assert by_form["caregiver"].at == later
        assert by_form["learner"].informant == "teacher"
        assert sheets_about_children(conn, []) == {}

    await database.write(work)


async def test_a_class_screen_is_read_by_its_class(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782")
        screen = school.session(
            at, form_id="class_screen", class_id=school.class_id, wave_id=school.wave
        )
        more = {"form_id": "class_screen", "informant": "teacher", "wave_id": school.wave}
        school.answer(screen, "hungry", "3 7", **more)
        (sheet,) = sheets_about_classes(conn, [school.class_id])[school.class_id, school.wave]
        assert sheet.answers == {"hungry": "3 7"}

    await database.write(work)
