"""What somebody came to the end of last."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from storage.database import Database
from storage.keyring.vault import Vault
from storage.talk.finished import newest_finished
from tests.storage.rows import School

HOUR = timedelta(hours=1)


async def test_her_newest_completed_session_of_lately_is_found(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        her, other = school.person(), school.person()
        at = school.reached_at(her, "+27821230001")

        def ended(hours: int, **more: object) -> str:
            whole = {"person_id": her, "status": "completed", "ended_at": now - hours * HOUR}
            return school.session(at, **{**whole, **more})

        def newest(hours: int) -> str | None:
            found = newest_finished(conn, her, since=now - hours * HOUR, without=("enrolment",))
            return found.id if found else None

        assert newest(48) is None
        older, newer = ended(30), ended(20)
        ended(1, form_id="enrolment")
        ended(1, status="stopped")
        ended(1, person_id=other)
        school.session(at, person_id=her)
        assert newest(48) == newer
        assert newest(20) == newer
        assert newest(19) is None
        assert older != newer

    await database.write(work)
