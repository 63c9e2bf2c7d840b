"""A mark comes off an answer with an outcome and a reason, once, by who sees the request."""

from datetime import datetime

import pytest
from sqlalchemy import Connection, select

from bot.rights import settling
from bot.rights.deciding import LONGEST_NOTE, RequestError, notes_of
from bot.rights.settling import SETTLED, Disputed
from storage import scope
from storage.database import Database
from storage.rights import correcting, requests
from storage.rights.requests import RequestRow
from storage.schema import audit, disputes, tasks
from tests.bot.rights.family import Family
from tests.bot.rights.test_correction import mark
from tests.bot.rights.test_deciding import at, proved


@pytest.fixture
async def row(database: Database, family: Family, now: datetime) -> RequestRow:
    """A request whose answer is marked."""

    def steps(conn: Connection) -> RequestRow:
        made = proved(conn, family, "correction", now)
        mark(conn, family, made, "breakfast", now)
        return at(conn, family, made.id)

    return await database.write(steps)


def shown(conn: Connection, family: Family, row: RequestRow) -> list[Disputed]:
    return settling.disputed(conn, family.officer(), family.world, row)


def settle(
    conn: Connection, family: Family, row: RequestRow, now: datetime, **changed: str
) -> None:
    (only,) = shown(conn, family, row)
    told = {"mark": only.id, "outcome": "right", "reason": "CANARY-WHY"} | changed
    settling.settle(
        conn,
        family.world,
        family.officer(),
        row,
        mark=told["mark"],
        outcome=told["outcome"],
        reason=told["reason"],
        now=now,
    )


async def test_an_officer_sees_which_answers_are_marked(
    database: Database, family: Family, row: RequestRow, now: datetime
) -> None:
    (found,) = await database.read(lambda conn: shown(conn, family, row))

    assert (found.answer, found.child, found.at) == ("caregiver/breakfast", family.child.code, now)
    assert found.question.startswith("Last week, how many days did your child")
    elsewhere = scope.user(family.officers["thandi"], ["f" * 32], purpose="requests")
    assert await database.read(lambda c: correcting.marks(c, elsewhere, row.id)) == []


@pytest.mark.parametrize("outcome", SETTLED)
async def test_the_mark_comes_off_and_why_is_kept_sealed(
    database: Database, family: Family, row: RequestRow, now: datetime, outcome: str
) -> None:
    await database.write(lambda conn: settle(conn, family, row, now, outcome=outcome))

    def after(conn: Connection) -> tuple[object, ...]:
        return (
            shown(conn, family, row),
            correcting.disputed_items(conn, family.officer(), [family.child.id]),
            notes_of(family.world.vault, row.id, at(conn, family, row.id).note)[-1]["text"],
            conn.execute(select(disputes.c.ended_at)).scalars().all(),
            conn.execute(select(audit.c.verb).where(audit.c.verb.like("settled%"))).scalars().all(),
            conn.execute(select(tasks.c.kind).where(tasks.c.kind == requests.INFORM)).all(),
        )

    left, marked, note, ended, verbs, informing = await database.read(after)
    assert (left, marked, ended) == ([], set(), [now])
    assert note == f"answer breakfast: no longer disputed ({outcome}). CANARY-WHY"
    assert verbs == [f"settled_{outcome}"]
    assert informing


WRONG: list[tuple[dict[str, str], str]] = [
    ({"outcome": "wrong"}, "settle"),
    ({"reason": "  "}, "note"),
    ({"reason": "x" * (LONGEST_NOTE + 1)}, "long"),
    ({"mark": "f" * 32}, "mark"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[1])
async def test_what_does_not_fit_leaves_the_mark(
    database: Database,
    family: Family,
    row: RequestRow,
    now: datetime,
    case: tuple[dict[str, str], str],
) -> None:
    changed, code = case
    with pytest.raises(RequestError, match=code):
        await database.write(lambda conn: settle(conn, family, row, now, **changed))

    assert len(await database.read(lambda conn: shown(conn, family, row))) == 1


async def test_a_mark_is_taken_off_once(
    database: Database, family: Family, row: RequestRow, now: datetime
) -> None:
    (only,) = await database.read(lambda conn: shown(conn, family, row))

    def twice(conn: Connection) -> list[bool]:
        return [correcting.settle(conn, mark_id=only.id, now=now) for _ in range(2)]

    assert await database.write(twice) == [True, False]
