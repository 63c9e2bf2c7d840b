"""Alerts as the turn and the clock handle them."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from storage.care.cases import accept, pass_on
from storage.care.raising import due_alerts, note_sent_again, offered_to, passed_by, raise_alerts
from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import alerts, timers
from tests.storage.rows import School

ROLES = ("coordinator",)


async def test_an_alert_is_raised_once_by_key(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child = school.child(1)
        row = school.alert_row(child)
        assert raise_alerts(conn, []) == set()
        assert raise_alerts(conn, [row]) == {row["key"]}
        again, other = school.alert_row(child), school.alert_row(child, "child_hurt")
        assert raise_alerts(conn, [again, other]) == {other["key"]}
        assert school.count(alerts) == 2

    await database.write(work)


async def test_an_alert_whose_code_is_taken_is_never_dropped(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        first, second = school.child(1), school.child(2)
        raise_alerts(conn, [school.alert_row(first, code="A7F3K2")])
        raise_alerts(conn, [school.alert_row(second, code="A7F3K2")])

    with pytest.raises(IntegrityError):
        await database.write(work)


async def test_of_two_workers_that_raise_the_same_alerts_one_does(
    database: Database, now: datetime, vault: Vault
) -> None:
    def prepare(conn: Connection) -> list[list[dict[str, object]]]:
        school = School(conn=conn, vault=vault, now=now)
        children = [school.child(number) for number in range(1, 21)]
        return [[school.alert_row(child) for child in children] for _ in range(2)]

    batches = await database.write(prepare)
    start, new = threading.Barrier(2), []

    def worker(rows: list[dict[str, object]]) -> None:
        rows = sorted(rows, key=lambda row: str(row["key"]))
        start.wait(10)
        new.append(database.write_sync(lambda c: raise_alerts(c, rows)))

    threads = [threading.Thread(target=worker, args=(rows,)) for rows in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(len, new)) == [0, 20]
    keys = await database.read(lambda c: list(c.execute(select(alerts.c.key)).scalars()))
    assert len(keys) == len(set(keys)) == 20


async def test_what_is_open_to_a_coordinator(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        sipho, _ = school.coordinator("7001")
        thandi, _ = school.coordinator("7002")
        teacher = school.person("teacher")
        child = school.child(1)
        old = school.alert(child, opened_at=now - timedelta(hours=1))
        new = school.alert(child, "child_hurt")
        pairs = ((old["id"], old["code"]), (new["id"], new["code"]))
        assert offered_to(conn, [], roles=ROLES) == {}
        assert offered_to(conn, [sipho, teacher], roles=ROLES) == {sipho: pairs}
        assert offered_to(conn, [sipho], roles=["nurse"]) == {}
        assert offered_to(conn, [sipho], roles=[]) == {}
        assert pass_on(conn, alert_id=old["id"], person_id=sipho, now=now, new_id=new_id)
        found = offered_to(conn, [sipho, thandi], roles=ROLES)
        assert found == {sipho: pairs[1:], thandi: pairs}
        # Until somebody has it, she who passed it on may still take it by name.
        assert offered_to(conn, [sipho], roles=ROLES, passed=True) == {sipho: pairs}
        assert passed_by(conn, [old["id"], new["id"]]) == {old["id"]: frozenset({sipho})}
        assert accept(conn, alert_id=old["id"], person_id=thandi, now=now, new_id=new_id)
        assert offered_to(conn, [sipho], roles=ROLES, passed=True) == {sipho: pairs[1:]}

    await database.write(work)


def clock_of(school: School, alert: dict[str, object], due_at: datetime) -> None:
    school.put(
        timers,
        key=f"alert:{alert['id']}:resend",
        kind="alert",
        ref=alert["id"],
        due_at=due_at,
        data={},
        state="due",
    )


async def test_alerts_whose_time_has_come_and_whom_nobody_has_are_due(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child = school.child(1)
        due = school.alert(child, "a")
        early, taken = school.alert(child, "b"), school.alert(child, "c", state="accepted")
        clock_of(school, due, now)
        clock_of(school, early, now + timedelta(minutes=1))
        clock_of(school, taken, now)
        (found,) = due_alerts(conn, now, limit=9)
        assert (found.id, found.round) == (due["id"], 0)
        note_sent_again(conn, found, now + timedelta(minutes=15))
        assert due_alerts(conn, now, limit=9) == []
        (again,) = due_alerts(conn, now + timedelta(minutes=15), limit=1)
        assert (again.id, again.round) == (early["id"], 0)
        state = conn.execute(select(alerts.c.state).where(alerts.c.id == due["id"]))
        assert state.scalar_one() == "offered"

    await database.write(work)


async def test_an_alert_accepted_while_it_is_sent_again_stays_hers(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        sipho, _ = school.coordinator("7001")
        alert = school.alert(school.child(1))
        clock_of(school, alert, now)
        (found,) = due_alerts(conn, now, limit=9)
        assert accept(conn, alert_id=alert["id"], person_id=sipho, now=now, new_id=new_id)
        note_sent_again(conn, found, now + timedelta(minutes=15))
        row = conn.execute(select(alerts)).one()
        assert (row.state, row.owner_id, row.round) == ("accepted", sipho, 0)

    await database.write(work)


@pytest.mark.postgres
async def test_two_workers_never_take_the_same_due_alert(
    postgres_url: str, now: datetime, vault: Vault
) -> None:
    database = Database.open(postgres_url, workers=2)

    def prepare(conn: Connection) -> None:
        school = School(conn=conn, vault=vault, now=now)
        child = school.child(1)
        for number in range(20):
            clock_of(school, school.alert(child, f"rule{number}"), now)

    await database.write(prepare)
    both_hold, found = threading.Barrier(2), []

    def sweep(conn: Connection) -> None:
        mine = due_alerts(conn, now, limit=10)
        both_hold.wait(10)
        found.append({alert.id for alert in mine})

    threads = [threading.Thread(target=database.write_sync, args=(sweep,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    await database.close()
    assert [len(each) for each in found] == [10, 10]
    assert found[0].isdisjoint(found[1])
