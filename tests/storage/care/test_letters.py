"""The inbox that staff read."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from storage import scope
from storage.care.letters import pile, piles_in
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import tasks
from storage.talk.for_staff import TASK, waits_for_staff
from tests.storage.rows import School

MINUTE = timedelta(minutes=1)


def a_task(school: School, address: str, person: str, *, state: str = "open") -> str:
    task = school.new_id()
    school.put(
        tasks,
        id=task,
        key=f"inbox:{task}",
        kind=TASK,
        person_id=person,
        address_id=address,
        state=state,
        opened_at=school.now,
        due_at=school.now + timedelta(days=2),
    )
    return task


async def test_a_pile_holds_what_waits_since_its_task_was_opened_and_no_answers(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        person = school.person()
        at = school.reached_at(person, "+27821230001")
        other = school.stranger("+27821230002")

        def letter(minutes: int, address: str = at, *, kept: bool = True) -> str:
            when = now + minutes * MINUTE
            return school.letter(address, "done", received_at=when, done_at=when, for_staff=kept)

        letter(-1)
        first, second = letter(0), letter(5)
        letter(6, kept=False)
        letter(7, other)
        assert not waits_for_staff(conn, at)
        task = a_task(school, at, person)
        assert waits_for_staff(conn, at)
        assert not waits_for_staff(conn, other)

        mine = scope.person("somebody", [school.id], purpose="care")
        (found,) = piles_in(conn, mine, limit=9)
        assert [kept.id for kept in found.letters] == [first, second]
        assert (found.task_id, found.school_id, found.address_id) == (task, school.id, at)
        assert pile(conn, mine, task) == found

        elsewhere = scope.person("somebody", ["0" * 32], purpose="care")
        assert piles_in(conn, elsewhere, limit=9) == []
        assert pile(conn, elsewhere, task) is None

        conn.execute(update(tasks).values(state="done"))
        assert pile(conn, mine, task) is None
        assert not waits_for_staff(conn, at)

    await database.write(work)
