"""Alerts on both databases: scope, the first to accept, passing on, closing, the story of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from storage import scope
from storage.care import cases
from storage.database import Database
from storage.families import people
from storage.families.people import NewChild
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.schema import alerts, audit, profiles, timers
from storage.scope import Scope


@dataclass(frozen=True, slots=True)
class Place:
    """Two schools with an alert each, and two of the first one's staff."""

    ours: Scope
    theirs: Scope
    mine: str
    other: str
    child: str
    wave: str
    first: str
    second: str


@pytest.fixture
async def place(database: Database, vault: Vault, now: datetime) -> Place:
    """They, made."""
    return await database.write(lambda conn: build(conn, vault, now))


def build(conn: Connection, vault: Vault, now: datetime) -> Place:
    programme = people.ensure_programme(conn, name="P", now=now)
    wave = people.ensure_wave(conn, programme_id=programme, number=1, opens_at=now, now=now)
    schools, raised, kids = [], [], []
    for code in ("OURS11", "OTHER1"):
        school = people.ensure_school(conn, programme_id=programme, name=code, now=now)
        child = people.add_children(
            conn,
            [NewChild(list_number=None, sex="m", birth_month="2019-05")],
            programme_id=programme,
            school_id=school,
            class_id=None,
            now=now,
        )[0]
        schools.append(school)
        kids.append(child.id)
        raised.append(
            add_alert(conn, code, school_id=school, child_id=child.id, wave_id=wave, now=now)
        )
    conn.execute(
        insert(profiles).values(
            child_id=kids[0],
            wave_id=wave,
            school_id=schools[0],
            level="high",
            urgent=False,
            rules="r1",
            body=b"sealed",
            as_of=now,
        )
    )
    staff = [
        people.add_person(
            conn, kind="staff", programme_id=programme, school_id=schools[0], now=now, vault=vault
        )
        for _ in range(2)
    ]
    return Place(
        ours=scope.person(staff[0], [schools[0]], purpose="care"),
        theirs=scope.person(staff[0], [schools[1]], purpose="care"),
        mine=raised[0],
        other=raised[1],
        child=kids[0],
        wave=wave,
        first=staff[0],
        second=staff[1],
    )


def add_alert(conn: Connection, code: str, *, now: datetime, **at: str) -> str:
    alert_id = new_id(now)
    values = {"level": "high", "rule": "high", "rules": "r1", "state": "opened"} | at
    conn.execute(insert(alerts).values(id=alert_id, key=code, code=code, opened_at=now, **values))
    for name, hours in (("resend", 2), ("sms", 4)):
        conn.execute(
            insert(timers).values(
                key=f"alert:{alert_id}:{name}",
                kind="alert",
                ref=alert_id,
                due_at=now + timedelta(hours=hours),
                data={},
                state="due",
            )
        )
    return alert_id


Step = Callable[[Connection], bool]


def accept(place: Place, person: str, now: datetime) -> Step:
    return lambda conn: cases.accept(
        conn, alert_id=place.mine, person_id=person, now=now, new_id=new_id
    )


def pass_on(place: Place, person: str, now: datetime) -> Step:
    return lambda conn: cases.pass_on(
        conn, alert_id=place.mine, person_id=person, now=now, new_id=new_id
    )


def close(place: Place, person: str, now: datetime) -> Step:
    return lambda conn: cases.close(
        conn,
        alert_id=place.mine,
        person_id=person,
        outcome="confirmed",
        reason_sealed=b"sealed",
        now=now,
        new_id=new_id,
    )


async def found(database: Database, place: Place) -> cases.AlertRow:
    row = await database.read(lambda conn: cases.alert(conn, place.ours, "OURS11"))
    assert row is not None
    return row


async def test_an_alert_is_seen_from_its_own_school_only(database: Database, place: Place) -> None:
    def look(conn: Connection) -> tuple[object, ...]:
        return (
            cases.alert(conn, place.theirs, "OURS11"),
            cases.steps_of(conn, place.theirs, place.mine),
            cases.profile_of(conn, place.theirs, place.child, place.wave),
            [row.code for row in cases.alerts_in(conn, place.ours)],
            [row.code for row in cases.alerts_in(conn, place.theirs)],
            cases.alerts_in(conn, scope.person(place.first, [], purpose="care")),
            cases.count_alerts(conn, scope.system("test")),
        )

    assert await database.read(look) == (None, [], None, ["OURS11"], ["OTHER1"], [], 2)


async def test_the_profile_comes_with_its_version(
    database: Database, place: Place, now: datetime
) -> None:
    profile = await database.read(
        lambda conn: cases.profile_of(conn, place.ours, place.child, place.wave)
    )

    assert profile == cases.StoredProfile(level="high", rules="r1", as_of=now, body=b"sealed")


async def test_the_first_to_accept_has_it(database: Database, place: Place, now: datetime) -> None:
    won = await database.write(accept(place, place.first, now))
    lost = await database.write(accept(place, place.second, now))

    row = await found(database, place)
    assert (won, lost) == (True, False)
    assert (row.state, row.accepted_at) == ("accepted", now)
    assert row.owner == cases.Who(id=place.first, sealed=None, login=None)


async def test_the_next_step_of_the_clock_is_shown(
    database: Database, place: Place, now: datetime
) -> None:
    assert (await found(database, place)).next_at == now + timedelta(hours=2)


async def test_passing_on_makes_the_clock_act_at_once(
    database: Database, place: Place, now: datetime
) -> None:
    await database.write(accept(place, place.first, now))
    strange = await database.write(pass_on(place, place.second, now))
    passed = await database.write(pass_on(place, place.first, now))

    row = await found(database, place)
    assert (strange, passed) == (False, True)
    assert (row.state, row.owner, row.accepted_at, row.next_at) == ("opened", None, None, now)


async def test_whoever_was_only_asked_can_pass_on_too(
    database: Database, place: Place, now: datetime
) -> None:
    assert await database.write(pass_on(place, place.second, now))
    assert await database.write(accept(place, place.first, now))


async def test_closing_needs_an_owner_and_ends_the_clock(
    database: Database, place: Place, now: datetime
) -> None:
    early = await database.write(close(place, place.first, now))
    await database.write(accept(place, place.first, now))
    closed = await database.write(close(place, place.second, now))
    again = await database.write(close(place, place.first, now))

    row = await found(database, place)
    assert (early, closed, again) == (False, True, False)
    assert (row.state, row.outcome, row.reason) == ("closed", "confirmed", b"sealed")
    assert (row.closed_at, row.next_at) == (now, None)
    states = await database.read(
        lambda conn: conn.execute(select(timers.c.ref, timers.c.state)).all()
    )
    assert {state for ref, state in states if ref == place.mine} == {"done"}
    assert {state for ref, state in states if ref == place.other} == {"due"}


@pytest.mark.parametrize(("outcome", "reason"), [("solved", b"sealed"), ("confirmed", b"")])
async def test_an_alert_never_closes_without_outcome_and_reason(
    database: Database, place: Place, now: datetime, outcome: str, reason: bytes
) -> None:
    await database.write(accept(place, place.first, now))

    with pytest.raises(ValueError, match="outcome and a reason"):
        await database.write(
            lambda conn: cases.close(
                conn,
                alert_id=place.mine,
                person_id=place.first,
                outcome=outcome,  # type: ignore[arg-type]
                reason_sealed=reason,
                now=now,
                new_id=new_id,
            )
        )

    assert (await found(database, place)).state == "accepted"


async def test_each_step_is_told_and_audited(
    database: Database, place: Place, now: datetime
) -> None:
    times = [now + timedelta(minutes=n) for n in range(4)]
    await database.write(accept(place, place.first, times[0]))
    await database.write(pass_on(place, place.first, times[1]))
    await database.write(accept(place, place.second, times[2]))
    await database.write(close(place, place.second, times[3]))

    steps = await database.read(lambda conn: cases.steps_of(conn, place.ours, place.mine))
    rows = await database.read(
        lambda conn: conn.execute(
            select(audit.c.verb, audit.c.actor_id, audit.c.object_id).order_by(audit.c.at)
        ).all()
    )
    told = [(s.kind, s.who.id if s.who else None, s.at) for s in steps]
    expected = ["accepted", "passed", "accepted", "closed"]
    people_ = [place.first, place.first, place.second, place.second]
    assert told == list(zip(expected, people_, times, strict=True))
    assert [tuple(r) for r in rows] == [
        (verb, person, place.mine) for verb, person in zip(expected, people_, strict=True)
    ]


async def test_lists_are_cut_into_pages_and_states(
    database: Database, place: Place, now: datetime
) -> None:
    row = await found(database, place)

    def more(conn: Connection) -> None:
        for number in range(4):
            add_alert(
                conn,
                f"MORE{number}",
                now=now + timedelta(minutes=number),
                school_id=row.school_id,
                child_id=row.child_id,
                wave_id=row.wave_id,
                level="urgent" if number == 3 else "high",
            )

    await database.write(more)
    await database.write(accept(place, place.first, now))
    await database.write(close(place, place.first, now))

    def codes(conn: Connection) -> tuple[list[str], ...]:
        ask = [
            {"limit": 2},
            {"limit": 2, "skip": 2},
            {"state": "closed"},
            {"state": "accepted"},
        ]
        return tuple(
            [r.code for r in cases.alerts_in(conn, place.ours, **each)]  # type: ignore[arg-type]
            for each in ask
        )

    assert await database.read(codes) == (["MORE3", "MORE0"], ["MORE1", "MORE2"], ["OURS11"], [])
    counts = await database.read(
        lambda conn: [cases.count_alerts(conn, place.ours, state=s) for s in ("open", "closed")]  # type: ignore[arg-type]
    )
    assert counts == [4, 1]
