"""Words of danger: whom the alert is about, how often, and who is told where no child is known."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Row, delete, select, update

from bot.sending.envelopes import load_outbound
from bot.turns.desk import Letter
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import addresses, alerts, outbox, tasks, timers, waves
from tests.bot.turns.crowd import Pen, make_world, reach
from tests.storage.rows import School

HERS, OTHER = "+27820000001", "+27820000002"
SAID = "please, he is hitting us"


def opened(conn: Connection) -> list[Row]:
    return list(conn.execute(select(alerts).order_by(alerts.c.id)).all())


def forwarded(letter: Letter) -> Letter:
    inbound = letter.inbound
    return Letter(
        inbound=type(inbound)(
            **{name: getattr(inbound, name) for name in inbound.__struct_fields__}
            | {"forwarded": True}
        ),
        blind=letter.blind,
        digest=letter.digest,
        inbox_id=letter.inbox_id,
    )


def texts(conn: Connection, pen: Pen, where: str) -> list[str]:
    """What waits in the outbox for an address."""
    found = conn.execute(select(outbox).where(outbox.c.address_id == where).order_by(outbox.c.seq))
    vault = pen.world.vault
    return [
        load_outbound(vault.open(row.body, table="outbox", column="body", row=row.id)).text
        for row in found
    ]


async def test_somebody_idle_is_heard_about_the_child_she_has_cared_for_the_shortest(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        pen = Pen(make_world(vault), now)
        school = School(conn=conn, vault=vault, now=now - timedelta(days=9))
        older, person = school.child(1), school.person()
        school.cares_for(person, older)
        school.now = now - timedelta(days=1)
        newer = school.child(2)
        school.cares_for(person, newer)
        reach(school, person, "sms", HERS)
        pen.send(conn, pen.letter("sms", HERS, SAID))
        (alert,) = opened(conn)
        assert (alert.child_id, alert.wave_id) == (newer.id, school.wave)
        assert (alert.level, alert.rule) == ("urgent", "crisis")
        assert SAID not in str(tuple(alert))

    await database.write(work)


async def test_once_in_24_hours_whatever_number_she_writes_from(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        pen = Pen(make_world(vault), now)
        school = School(conn=conn, vault=vault, now=now)
        person = school.person()
        school.cares_for(person, school.child(1))
        for number in (HERS, OTHER):
            reach(school, person, "sms", number)
        both = [pen.letter("sms", number, SAID) for number in (HERS, OTHER)]
        pen.send(conn, *both)
        assert len(opened(conn)) == 1
        pen.now = now + timedelta(hours=23, minutes=59)
        pen.send(conn, pen.letter("sms", OTHER, SAID))
        assert len(opened(conn)) == 1
        pen.now = now + timedelta(hours=24)
        pen.send(conn, pen.letter("sms", HERS, SAID))
        assert len({alert.key for alert in opened(conn)}) == 2

    await database.write(work)


async def test_between_two_waves_the_last_one_counts(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        pen = Pen(make_world(vault), now)
        school = School(conn=conn, vault=vault, now=now - timedelta(days=90))
        person = school.person()
        school.cares_for(person, school.child(1))
        reach(school, person, "sms", HERS)
        conn.execute(update(waves).values(closes_at=now - timedelta(days=1)))
        pen.send(conn, pen.letter("sms", HERS, SAID))
        (alert,) = opened(conn)
        assert alert.wave_id == school.wave

    await database.write(work)


@pytest.mark.parametrize("why", ["no child", "no wave"])
async def test_where_an_alert_has_nothing_to_stand_on_staff_get_a_task_and_are_told(
    why: str, database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        pen = Pen(make_world(vault), now)
        school = School(conn=conn, vault=vault, now=now)
        _, theirs = school.coordinator("7001")
        _, gone = school.coordinator("7002")
        conn.execute(update(addresses).where(addresses.c.id == gone).values(bad_at=now))
        person = school.person("teacher")
        at = reach(school, person, "sms", HERS)
        if why == "no wave":
            school.cares_for(person, school.child(1))
            conn.execute(delete(waves))
        pen.send(conn, pen.letter("sms", HERS, SAID))
        assert opened(conn) == []
        (task,) = conn.execute(select(tasks)).all()
        assert (task.kind, task.due_at, task.state) == ("crisis", now, "open")
        assert (task.person_id, task.address_id, task.school_id) == (person, at, school.id)
        (told,) = texts(conn, pen, theirs)
        assert told == (
            "CWB: an urgent task waits. Sign in to view: https://cwb.example.org/dashboard"
        )
        assert texts(conn, pen, gone) == []

    await database.write(work)


async def test_a_stranger_is_some_teams_to_call_and_rings_nobody(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        pen = Pen(make_world(vault), now)
        school = School(conn=conn, vault=vault, now=now)
        _, theirs = school.coordinator("7001")
        pen.send(conn, pen.letter("sms", HERS, SAID))
        pen.send(conn, pen.letter("sms", HERS, SAID))
        (task,) = conn.execute(select(tasks)).all()
        assert (task.kind, task.school_id, task.person_id) == ("crisis", school.id, None)
        assert texts(conn, pen, theirs) == []

    await database.write(work)


async def test_what_is_forwarded_or_tapped_or_said_by_staff_raises_nothing(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        pen = Pen(make_world(vault), now)
        school = School(conn=conn, vault=vault, now=now)
        person, staff = school.person(), school.person("staff")
        school.cares_for(person, school.child(1))
        reach(school, person, "whatsapp", HERS)
        reach(school, staff, "sms", OTHER)
        pen.send(conn, forwarded(pen.letter("whatsapp", HERS, SAID)))
        pen.send(conn, pen.letter("whatsapp", HERS, SAID, token="m.x.1"))  # noqa: S106
        pen.send(conn, pen.letter("sms", OTHER, SAID))
        assert opened(conn) == []
        kinds = [*conn.execute(select(tasks.c.kind)).scalars()]
        kinds += [*conn.execute(select(timers.c.kind)).scalars()]
        assert "crisis" not in kinds

    await database.write(work)


async def test_what_she_wrote_stands_in_no_row_in_the_open(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> None:
        pen = Pen(replace(make_world(vault)), now)
        school = School(conn=conn, vault=vault, now=now)
        person = school.person()
        school.cares_for(person, school.child(1))
        reach(school, person, "sms", HERS)
        pen.send(conn, pen.letter("sms", HERS, SAID))
        for table in (alerts, tasks, timers, outbox):
            for row in conn.execute(select(table)):
                assert "hitting" not in str(tuple(row))

    await database.write(work)
