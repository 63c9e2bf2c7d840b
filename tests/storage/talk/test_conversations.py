"""What a batch of messages needs to know, one statement a kind of row."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from storage.database import Database
from storage.families.learners import issue_join_codes
from storage.keyring.vault import Vault
from storage.schema import inbox, inbox_seen, join_codes
from storage.talk.conversations import (
    assignments_of,
    children_by_id,
    lock_addresses,
    lock_addresses_by_id,
    lock_persons,
    mark_seen,
    still_waiting,
    stuck_addresses,
    unfinished_sessions,
    waiting_letters,
)
from storage.talk.joining import joins, release_codes
from tests.storage.rows import ACCOUNT, School


async def test_a_provider_s_id_is_new_once(database: Database) -> None:
    keys = {("sms", ACCOUNT, "d1"), ("sms", ACCOUNT, "d2")}
    assert await database.write(lambda c: mark_seen(c, keys)) == {"d1", "d2"}
    again = {("sms", ACCOUNT, "d2"), ("sms", ACCOUNT, "d3")}
    assert await database.write(lambda c: mark_seen(c, again)) == {"d3"}
    assert await database.write(lambda c: mark_seen(c, [])) == set()
    # The same id from another provider is another message.
    assert await database.write(lambda c: mark_seen(c, [("telegram", "1", "d1")])) == {"d1"}


@pytest.mark.parametrize("rounds", [10])
async def test_of_two_workers_one_sees_a_message_as_new(database: Database, rounds: int) -> None:
    for number in range(rounds):
        start, found = threading.Barrier(2), []
        keys = {("sms", ACCOUNT, f"d{number}-{n}") for n in range(5)}

        def worker(start=start, found=found, keys=keys) -> None:  # type: ignore[no-untyped-def]
            start.wait(10)
            found.append(database.write_sync(lambda c: mark_seen(c, keys)))

        threads = [threading.Thread(target=worker) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(map(len, found)) == [0, 5]
    assert len(await database.read(lambda c: c.execute(select(inbox_seen)).all())) == 5 * rounds


async def test_addresses_and_people_are_found_by_what_a_message_shows(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        amina = school.person()
        at = school.reached_at(amina, "+2782")
        stranger = school.stranger("+2783")
        blind = vault.blind_address("sms", ACCOUNT, "+2782")
        keys = [("sms", ACCOUNT, name) for name in (blind, blind, "unknown")]
        found = lock_addresses(conn, keys)
        assert list(found) == [blind]
        assert (found[blind].id, found[blind].person_id) == (at, amina)
        assert found[blind].open_prompt is None
        by_id = lock_addresses_by_id(conn, [at, stranger])
        assert {row.id for row in by_id.values()} == {at, stranger}
        assert lock_persons(conn, {amina})[amina].kind == "caregiver"
        assert lock_persons(conn, set()) == {}

    await database.write(work)


async def test_open_and_lapsed_sessions_are_unfinished_by_person_and_by_address(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        amina = school.person()
        at, elsewhere = school.reached_at(amina, "+2782"), school.stranger("+2783")
        mine = school.session(elsewhere, person_id=amina, status="lapsed")
        here = school.session(at)
        school.session(at, status="completed")
        school.session(at, status="stopped", person_id=amina)
        found = unfinished_sessions(conn, [amina], [at])
        assert [row.id for row in found] == sorted([mine, here])
        assert [row.id for row in unfinished_sessions(conn, [], [at])] == [here]

    await database.write(work)


async def test_join_codes_come_with_child_programme_and_school(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child = school.child(7)
        code = issue_join_codes(conn, [child.id], vault=vault, now=now)[child.id]
        blind = vault.blind("join", code)
        assert joins(conn, []) == {}
        (row,) = joins(conn, [blind, "unknown"]).values()
        assert (row.child.id, row.child.list_number) == (child.id, 7)
        assert (row.programme, row.school, row.claimed_by) == ("P", "North", None)
        assert children_by_id(conn, [child.id], lock=True)[child.id] == row.child

    await database.write(work)


async def test_a_released_code_is_free_but_only_hers_for_that_child(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        first, second = school.child(1), school.child(2)
        her, other = school.stranger("+2782"), school.stranger("+2783")
        issue_join_codes(conn, [first.id, second.id], vault=vault, now=now)
        conn.execute(update(join_codes).values(claimed_by=her, claimed_at=now))
        release_codes(conn, address_id=other, child_id=first.id)
        assert claims(conn) == {first.id: her, second.id: her}
        release_codes(conn, address_id=her, child_id=first.id)
        assert claims(conn) == {first.id: None, second.id: her}

    await database.write(work)


def claims(conn: Connection) -> dict[str, str | None]:
    return {row.child_id: row.claimed_by for row in conn.execute(select(join_codes))}


async def test_the_most_urgent_assignment_comes_first(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        teacher, other = school.person("teacher"), school.person("teacher")
        late = school.assignment(teacher, "learner", priority=9)
        soon = school.assignment(teacher, "class_screen", priority=0)
        school.assignment(other, "learner")
        assert [row.id for row in assignments_of(conn, [teacher])] == [soon, late]
        assert assignments_of(conn, []) == []

    await database.write(work)


async def test_waiting_letters_come_in_order_and_are_due_by_the_oldest(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782")
        later = now + timedelta(minutes=1)
        first = school.letter(at, retry_at=later)
        second = school.letter(at, retry_at=now)
        school.letter(at, "done")
        assert [row[0] for row in waiting_letters(conn, [at])] == sorted([first, second])
        assert waiting_letters(conn, []) == []
        # The second is not tried before the first, whose pause is not over.
        oldest = min(first, second)
        conn.execute(update(inbox).values(retry_at=now))
        conn.execute(update(inbox).where(inbox.c.id == oldest).values(retry_at=later))
        assert stuck_addresses(conn, now, limit=9) == []
        assert stuck_addresses(conn, later, limit=9) == [at]

    await database.write(work)


async def test_a_stored_message_that_is_handled_waits_no_more(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        at = school.stranger("+2782")
        waits, done = school.letter(at), school.letter(at, "done")
        assert still_waiting(conn, [waits, done]) == {waits}
        assert still_waiting(conn, []) == set()

    await database.write(work)
