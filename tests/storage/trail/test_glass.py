"""Breaking the glass in the database: one school at a time, for its time, reviewed by another."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert

from storage import schema
from storage.database import Database
from storage.families import people
from storage.ids import new_id
from storage.scope import Scope, user
from storage.staff import users
from storage.staff.users import User
from storage.trail import glass
from storage.trail.audit import record, row

HOUR = timedelta(minutes=60)


def place(conn: Connection, now: datetime) -> dict[str, str]:
    """Two schools, a worker of the first, supervisors of either, somebody of a third."""
    programme = people.ensure_programme(conn, name="P", now=now)
    made = {
        name: people.ensure_school(conn, programme_id=programme, name=name, now=now)
        for name in ("Mine", "Theirs", "Far")
    }
    for login, school in (("ann", "Mine"), ("sup", "Mine"), ("boss", "Theirs"), ("far", "Far")):
        made[login] = new_id(now)
        account = User(
            id=made[login],
            login=login,
            person_id=None,
            role="supervisor",
            schools=frozenset({made[school]}),
            password_hash="",
            totp_secret=b"x",
            totp_last=0,
            created_at=now,
            ends_at=None,
            disabled_at=None,
        )
        users.add(conn, account)
    return made


def open_it(conn: Connection, made: dict[str, str], now: datetime) -> glass.Opening | None:
    row_id = new_id(now)
    return glass.open_school(
        conn,
        id=row_id,
        code=row_id[-6:],
        user_id=made["ann"],
        school_id=made["Theirs"],
        reason=b"sealed",
        now=now,
        ends_at=now + HOUR,
    )


def as_user(made: dict[str, str], login: str, school: str) -> Scope:
    return user(made[login], [made[school]], purpose="care")


async def test_it_lasts_its_time_and_no_longer(database: Database, now: datetime) -> None:
    made = await database.write(lambda conn: place(conn, now))
    opening = await database.write(lambda conn: open_it(conn, made, now))
    assert opening is not None

    def open_at(moment: datetime) -> list[str]:
        return [o.school for o in found(moment)]

    def found(moment: datetime) -> tuple[glass.Opening, ...]:
        return seen[moment]

    moments = (now, now + HOUR - timedelta(seconds=1), now + HOUR)
    seen = {
        m: await database.read(lambda conn, m=m: glass.running(conn, made["ann"], m))
        for m in moments
    }
    assert [open_at(m) for m in moments] == [["Theirs"], ["Theirs"], []]
    assert (opening.login, opening.asker_schools) == ("ann", {made["Mine"]})


async def test_one_school_at_a_time(database: Database, now: datetime) -> None:
    made = await database.write(lambda conn: place(conn, now))
    first = await database.write(lambda conn: open_it(conn, made, now))
    assert first is not None

    assert await database.write(lambda conn: open_it(conn, made, now)) is None
    assert await database.write(lambda conn: glass.end_now(conn, first, now))
    assert not await database.write(lambda conn: glass.end_now(conn, first, now))
    assert await database.write(lambda conn: open_it(conn, made, now)) is not None


async def test_it_is_reviewed_once_afterwards_and_by_somebody_else(
    database: Database, now: datetime
) -> None:
    made = await database.write(lambda conn: place(conn, now))
    opening = await database.write(lambda conn: open_it(conn, made, now))
    assert opening is not None

    async def review(login: str, at: datetime) -> bool:
        return await database.write(
            lambda conn: glass.review(
                conn, opening, user_id=made[login], finding="in_order", now=at
            )
        )

    async def waits_for(login: str, school: str) -> list[str]:
        scope = as_user(made, login, school)
        return [o.id for o in await database.read(lambda conn: glass.unreviewed(conn, scope))]

    waiting = {n: await waits_for(n, s) for n, s in (("sup", "Mine"), ("boss", "Theirs"))}
    assert waiting == {"sup": [opening.id], "boss": [opening.id]}
    assert await waits_for("ann", "Mine") == []
    assert await waits_for("far", "Far") == []
    assert not await review("boss", now + timedelta(minutes=59))
    assert not await review("ann", now + HOUR)
    assert await review("boss", now + HOUR)
    assert not await review("sup", now + HOUR)
    assert await waits_for("sup", "Mine") == []


async def test_a_review_finds_one_of_two_things(database: Database, now: datetime) -> None:
    made = await database.write(lambda conn: place(conn, now))
    opening = await database.write(lambda conn: open_it(conn, made, now))
    with pytest.raises(ValueError, match="finds one of"):
        await database.write(
            lambda conn: glass.review(
                conn,
                opening,  # type: ignore[arg-type]
                user_id=made["sup"],
                finding="fine",  # type: ignore[arg-type]
                now=now + HOUR,
            )
        )


async def test_what_was_done_under_it_is_told(database: Database, now: datetime) -> None:
    made = await database.write(lambda conn: place(conn, now))
    opening = await database.write(lambda conn: open_it(conn, made, now))
    assert opening is not None
    scope = user(made["ann"], [made["Mine"]], purpose="care", opened=[made["Theirs"]])

    def look(conn: Connection, school: str, at: datetime) -> None:
        entry = row(
            scope, "read", "addresses", "a" * 32, id=new_id(at), at=at, school_id=made[school]
        )
        record(conn, [entry])

    for school, minutes in (("Theirs", 5), ("Mine", 6), ("Theirs", 61)):
        at = now + timedelta(minutes=minutes)
        await database.write(lambda conn, s=school, at=at: look(conn, s, at))
    done = await database.read(lambda conn: glass.done_under(conn, [opening]))

    assert [(s.verb, s.kind, s.at) for s in done[opening.id]] == [
        ("read", "addresses", now + timedelta(minutes=5))
    ]


async def test_schools_that_are_not_hers_are_those_of_her_programme(
    database: Database, now: datetime
) -> None:
    made = await database.write(lambda conn: place(conn, now))

    def elsewhere(conn: Connection) -> None:
        other = people.ensure_programme(conn, name="Q", now=now)
        conn.execute(
            insert(schema.schools).values(id=new_id(now), programme_id=other, name="Abroad")
        )

    await database.write(elsewhere)
    found = await database.read(lambda conn: glass.other_schools(conn, [made["Mine"]]))

    assert [name for _, name in found] == ["Far", "Theirs"]
