"""Steps on a request: received, identified, decided, confirmed by a second person, told."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from bot.rights import deciding
from bot.rights.deciding import Decision, RequestError, notes_of
from bot.rights.withholding import Ruling
from storage import scope
from storage.database import Database
from storage.rights import request_steps, requests
from storage.rights.requests import RequestRow
from storage.schema import audit, tasks
from tests.bot.rights import family as words
from tests.bot.rights.family import Family

OFFICERS = tasks.c.kind.in_(requests.OFFICER_TASKS)
GRANT = Decision(outcome="granted", ground="lawful", rulings={}, note="all is well")


def enter(conn: Connection, family: Family, kind: str, now: datetime) -> RequestRow:
    """A request of the mother, entered by an officer."""
    made, _ = deciding.receive(
        conn, family.officer(), family.world, kind=kind, address=words.NUMBER, now=now
    )
    return at(conn, family, made)


def at(conn: Connection, family: Family, request_id: str) -> RequestRow:
    found = requests.request(conn, family.officer(), request_id)
    assert found is not None
    return found


def proved(conn: Connection, family: Family, kind: str, now: datetime) -> RequestRow:
    row = enter(conn, family, kind, now)
    deciding.identify(
        conn,
        family.officer(),
        family.world.vault,
        row,
        how="called_back",
        note="spoke to her",
        now=now,
    )
    return at(conn, family, row.id)


def decide(
    conn: Connection, family: Family, row: RequestRow, decision: Decision, now: datetime
) -> str:
    return deciding.decide(
        conn, family.officer(), family.world.vault, row, decision, present=[], now=now
    )


async def test_a_request_has_a_day_a_task_and_an_audit_row(
    database: Database, family: Family, now: datetime
) -> None:
    row = await database.write(lambda conn: enter(conn, family, "access", now))

    assert row.due_at == now + timedelta(days=30)
    assert (row.state, row.person_id, row.way) == ("open", family.mother, "staff")
    assert row.late(now + timedelta(days=31))
    assert not row.late(now)
    task, noted = await database.read(
        lambda conn: (
            conn.execute(select(tasks.c.kind, tasks.c.due_at, tasks.c.ref).where(OFFICERS)).one(),
            conn.execute(select(audit.c.verb).where(audit.c.object_kind == "requests"))
            .scalars()
            .all(),
        )
    )
    assert tuple(task) == ("rights_request", row.due_at, row.id)
    assert noted == ["received"]


async def test_one_of_a_kind_is_open_at_a_time_and_she_may_ask_again_later(
    database: Database, family: Family, now: datetime
) -> None:
    def steps(conn: Connection) -> tuple[str, str, str, str]:
        first = proved(conn, family, "access", now)
        again = enter(conn, family, "access", now)
        other = enter(conn, family, "correction", now)
        decide(conn, family, first, GRANT, now)
        later = enter(conn, family, "access", now + timedelta(days=1))
        return first.id, again.id, other.id, later.id

    first, again, other, later = await database.write(steps)
    assert first == again
    assert len({first, other, later}) == 3


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "gossip", "address": words.NUMBER}, "kind"),
        ({"kind": "access", "address": "+27829999999"}, "who"),
        ({"kind": "access", "address": "no number"}, "who"),
        ({"kind": "access", "address": "telegram:12345"}, "who"),
        ({"kind": "access"}, "who"),
        ({"kind": "access", "child": "ZZZZZZZZ"}, "who"),
    ],
)
async def test_nobody_is_guessed(
    database: Database, family: Family, now: datetime, fields: dict[str, str], code: str
) -> None:
    with pytest.raises(RequestError) as refused:
        await database.write(
            lambda conn: deciding.receive(conn, family.officer(), family.world, now=now, **fields)
        )
    assert refused.value.codes == (code,)


async def test_a_child_s_code_means_its_one_carer_and_not_one_of_two(
    database: Database, family: Family, now: datetime
) -> None:
    def by_child(conn: Connection) -> str:
        made, _ = deciding.receive(
            conn, family.officer(), family.world, kind="access", child=family.child.code, now=now
        )
        return made

    row = await database.write(lambda conn: at(conn, family, by_child(conn)))
    assert row.person_id == family.mother

    def second(conn: Connection) -> None:
        family.school.conn = conn
        other = family.school.person(household=family.child.household_id)
        family.school.cares_for(other, family.child)

    await database.write(second)
    with pytest.raises(RequestError, match="several"):
        await database.write(by_child)


async def test_nothing_is_given_before_it_is_known_who_asks(
    database: Database, family: Family, now: datetime
) -> None:
    row = await database.write(lambda conn: enter(conn, family, "access", now))

    with pytest.raises(RequestError, match="unproved"):
        await database.write(lambda conn: decide(conn, family, row, GRANT, now))
    refusal = Decision(outcome="refused", ground="not_identified", rulings={})
    state = await database.write(lambda conn: decide(conn, family, row, refusal, now))

    assert state == "refused"


async def test_a_decision_is_kept_sealed_with_its_rulings_and_notes(
    database: Database, family: Family, now: datetime
) -> None:
    rulings = {"others": Ruling(choice="withhold", ground="third_party")}
    decision = Decision(outcome="part", ground="lawful", rulings=rulings, note="her aunt agreed")

    def steps(conn: Connection) -> RequestRow:
        row = proved(conn, family, "access", now)
        deciding.decide(
            conn,
            family.officer(),
            family.world.vault,
            row,
            decision,
            present=["others"],
            now=now,
        )
        return at(conn, family, row.id)

    row = await database.write(steps)
    assert (row.state, row.ground, row.waiting) == ("part", "lawful", False)
    assert row.decided_by == family.officers["thandi"]
    assert deciding.decided(family.world.vault, row) == ("part", rulings)
    assert row.decision is not None
    assert b"withhold" not in row.decision
    said = [note["text"] for note in notes_of(family.world.vault, row.id, row.note)]
    assert said == ["spoke to her", "her aunt agreed"]
    due = await database.read(lambda conn: requests.inform_tasks(conn, family.officer(), [row.id]))
    assert list(due) == [row.id]


async def test_what_is_decided_stays_decided(
    database: Database, family: Family, now: datetime
) -> None:
    def steps(conn: Connection) -> RequestRow:
        row = proved(conn, family, "access", now)
        decide(conn, family, row, GRANT, now)
        return row

    row = await database.write(steps)
    with pytest.raises(RequestError, match="gone"):
        await database.write(lambda conn: decide(conn, family, row, GRANT, now))
    with pytest.raises(RequestError, match="gone"):
        await database.write(
            lambda conn: deciding.identify(
                conn,
                family.officer(),
                family.world.vault,
                row,
                how="called_back",
                note="",
                now=now,
            )
        )


async def test_a_request_that_is_held_is_decided_later(
    database: Database, family: Family, now: datetime
) -> None:
    hold = Decision(outcome="held", ground="asked_back", rulings={})

    def steps(conn: Connection) -> list[str]:
        row = proved(conn, family, "access", now)
        first = decide(conn, family, row, hold, now)
        return [first, decide(conn, family, at(conn, family, row.id), GRANT, now)]

    assert await database.write(steps) == ["held", "granted"]


async def test_erasing_takes_a_second_person(
    database: Database, family: Family, now: datetime
) -> None:
    vault = family.world.vault

    def first(conn: Connection) -> RequestRow:
        row = proved(conn, family, "erasure", now)
        assert decide(conn, family, row, GRANT, now) == "second"
        return at(conn, family, row.id)

    row = await database.write(first)
    with pytest.raises(RequestError, match="same_person"):
        await database.write(
            lambda conn: deciding.confirm(conn, family.officer(), vault, row, agrees=True, now=now)
        )
    state = await database.write(
        lambda conn: deciding.confirm(
            conn, family.officer("zinhle"), vault, row, agrees=True, now=now
        )
    )
    assert state == "granted"
    row = await database.read(lambda conn: at(conn, family, row.id))
    assert (row.decided_by, row.second_by) == (
        family.officers["thandi"],
        family.officers["zinhle"],
    )


async def test_a_second_person_may_disagree_and_then_it_is_open_again(
    database: Database, family: Family, now: datetime
) -> None:
    vault = family.world.vault

    def steps(conn: Connection) -> RequestRow:
        row = proved(conn, family, "erasure", now)
        decide(conn, family, row, GRANT, now)
        row = at(conn, family, row.id)
        deciding.confirm(conn, family.officer("zinhle"), vault, row, agrees=False, now=now)
        return at(conn, family, row.id)

    row = await database.write(steps)
    assert (row.state, row.decided_by, row.second_by) == ("open", None, None)
    with pytest.raises(RequestError, match="gone"):
        await database.write(
            lambda conn: deciding.confirm(
                conn, family.officer("zinhle"), vault, row, agrees=True, now=now
            )
        )


async def test_whoever_asked_must_be_told_once(
    database: Database, family: Family, now: datetime
) -> None:
    def steps(conn: Connection) -> RequestRow:
        row = proved(conn, family, "restriction", now)
        decide(conn, family, row, GRANT, now)
        return row

    row = await database.write(steps)
    await database.write(lambda conn: deciding.informed(conn, family.officer(), row, now=now))
    with pytest.raises(RequestError, match="gone"):
        await database.write(lambda conn: deciding.informed(conn, family.officer(), row, now=now))
    left = await database.read(
        lambda conn: conn.execute(select(tasks.c.id).where(tasks.c.state == "open", OFFICERS)).all()
    )
    assert left == []


async def test_requests_of_other_schools_do_not_exist_and_a_stranger_s_belong_to_all(
    database: Database, family: Family, now: datetime
) -> None:
    elsewhere = scope.user(family.officers["thandi"], ["f" * 32], purpose="requests")

    def steps(conn: Connection) -> tuple[object, int, int]:
        row = enter(conn, family, "access", now)
        family.school.conn = conn
        stranger = family.school.stranger("+27820000001")
        asker = requests.Asker(
            person_id=None, address_id=stranger, household_id=None, school_id=None
        )
        request_steps.add(
            conn,
            kind="access",
            asker=asker,
            way="chat",
            due_at=now,
            now=now,
            new_id=family.world.new_id,
        )
        return (
            requests.request(conn, elsewhere, row.id),
            requests.count(conn, elsewhere, waiting=True),
            requests.count(conn, family.officer(), waiting=True),
        )

    assert await database.write(steps) == (None, 1, 2)
    late = await database.read(
        lambda conn: (
            requests.count_late(conn, family.officer(), now=now + timedelta(days=1)),
            [
                (row.person_id, row.channel)
                for row in requests.requests_in(conn, elsewhere, waiting=True, limit=5)
            ],
        )
    )
    assert late == (1, [(None, "sms")])
