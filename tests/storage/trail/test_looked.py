"""The month's reads and the cases' own story, on both databases; erased things are not there."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from storage import schema
from storage.care import work
from storage.care.cases import accept, alert, alerts_in, count_alerts, pass_on
from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.scope import Scope, system, user
from storage.trail import looked
from storage.trail.audit import record, row
from storage.trail.looked import Turn
from tests.storage.staff.test_accounts import add_account, leaver

HOUR = timedelta(hours=1)


def scene(conn: Connection, vault: Vault, now: datetime) -> tuple[str, str, str, str]:
    """A coordinator, her account, her school, and an alert she has, gave back, and has again."""
    person, alert_id = leaver(conn, vault, now)
    account = add_account(conn, "ann", person, now)
    school = str(conn.execute(select(schema.alerts.c.school_id)).scalar_one())
    conn.execute(update(schema.alerts).values(state="opened", owner_id=None))
    for step, hours in ((accept, 1), (pass_on, 2), (accept, 3)):
        at = now + hours * HOUR
        assert step(conn, alert_id=alert_id, person_id=person, now=at, new_id=new_id)
    scope = user(account, [school], purpose="care")
    for hours, verb in ((1, "read"), (2, "listed"), (30, "read")):
        at = now + hours * HOUR
        entry = row(scope, verb, "alerts", alert_id, id=new_id(at), at=at, school_id=school)
        record(conn, [entry])
    return person, account, school, alert_id


async def test_looks_are_reads_in_that_time_and_in_scope(
    database: Database, vault: Vault, now: datetime
) -> None:
    person, account, school, _ = await database.write(lambda c: scene(c, vault, now))

    async def found(scope: Scope) -> list[looked.Look]:
        return await database.read(lambda c: looked.looks(c, scope, now, now + 24 * HOUR))

    (look,) = await found(system("report"))
    assert (look.login, look.person_id, look.code) == ("ann", person, "A7F3K2")
    assert (look.at, look.school, look.purpose) == (now + HOUR, "S", "care")
    assert await found(user(account, [school], purpose="care")) == [look]
    assert await found(user(account, ["0" * 32], purpose="care")) == []
    places = await database.read(lambda c: looked.schools_looked_at(c, now, now + 24 * HOUR))
    assert places == [school]


async def test_who_had_an_alert_when(database: Database, vault: Vault, now: datetime) -> None:
    person, _, school, alert_id = await database.write(lambda c: scene(c, vault, now))

    turns = await database.read(lambda c: looked.turns_of(c, [alert_id]))
    offices = await database.read(looked.offices)

    assert turns == {
        alert_id: [
            Turn(at=now + HOUR, owner=person),
            Turn(at=now + 2 * HOUR, owner=None),
            Turn(at=now + 3 * HOUR, owner=person),
        ]
    }
    assert [o.from_at for o in offices[person, school]] == [now]
    assert await database.read(lambda c: looked.turns_of(c, [])) == {}


async def test_what_was_to_be_done_about_a_number(database: Database, now: datetime) -> None:
    def number(conn: Connection) -> str:
        address = new_id(now)
        conn.execute(
            insert(schema.addresses).values(
                id=address,
                channel="sms",
                account="+1",
                blind="b",
                value=b"x",
                language="en",
                created_at=now,
            )
        )
        conn.execute(
            insert(schema.tasks).values(
                id=new_id(now),
                key="t",
                kind="poison",
                address_id=address,
                state="open",
                opened_at=now,
                due_at=now,
            )
        )
        return address

    address = await database.write(number)
    found = await database.read(lambda c: looked.work_on(c, [address]))

    assert [(w.opened_at, w.closed_at, w.owner) for w in found[address]] == [(now, None, None)]


async def test_what_belongs_to_an_erased_household_is_not_there(
    database: Database, vault: Vault, now: datetime
) -> None:
    _, account, school, _ = await database.write(lambda c: scene(c, vault, now))

    def task(conn: Connection) -> None:
        child = conn.execute(select(schema.alerts.c.child_id)).scalar_one()
        conn.execute(
            insert(schema.tasks).values(
                id="t" * 32,
                key="t",
                kind="poison",
                child_id=child,
                school_id=school,
                state="open",
                opened_at=now,
                due_at=now,
            )
        )

    await database.write(task)
    hers = user(account, [school], purpose="care")
    office = user(account, [school], purpose="care", erased=True)

    async def there(scope: Scope) -> tuple[object, ...]:
        return await database.read(
            lambda c: (
                alert(c, scope, "A7F3K2") is not None,
                len(alerts_in(c, scope)),
                count_alerts(c, scope),
                work.task(c, scope, "t" * 32) is not None,
                work.count_tasks(c, scope),
                work.count_tasks(c, scope, without=["poison"]),
            )
        )

    assert await there(hers) == (True, 1, 1, True, 1, 0)
    await database.write(lambda c: c.execute(update(schema.households).values(erased_at=now)))
    assert await there(hers) == (False, 0, 0, False, 0, 0)
    assert await there(office) == (True, 1, 1, True, 1, 0)
