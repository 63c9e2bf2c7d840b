"""What somebody has been through."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from storage.database import Database
from storage.keyring.vault import Vault
from storage.talk.learned import learned
from tests.storage.rows import School


async def test_what_she_finished_and_when_last_is_known_of_her_alone(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        she, other = school.person("teacher"), school.person("teacher")
        address = school.stranger("+2782")

        def been(person: str, form: str, days: int, status: str = "completed") -> None:
            ended = now - timedelta(days=days)
            school.session(address, person_id=person, form_id=form, status=status, ended_at=ended)

        been(she, "lesson_a", 5)
        been(she, "lesson_a", 2)
        been(she, "lesson_b", 1, status="stopped")
        been(she, "caregiver", 1)
        been(other, "lesson_c", 1)
        lessons = ["lesson_a", "lesson_b", "lesson_c"]
        assert learned(conn, she, lessons) == {"lesson_a": now - timedelta(days=2)}
        assert learned(conn, she, []) == {}

    await database.write(work)
