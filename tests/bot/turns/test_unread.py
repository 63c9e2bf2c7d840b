"""A message that fails for good: an alert too, where it may have needed a person at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from typing_extensions import override

from bot.content.library import Library
from bot.turns.batch import park
from bot.turns.waiting import TRIES, retry_one
from bot.turns.world import World
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import addresses, alerts, inbox, sessions, tasks, timers
from tests.bot.turns.crowd import Pair, Pen, make_world, pairs
from tests.bot.turns.test_danger import texts
from tests.storage.rows import School

TO_ATE_TODAY = ("1 1 4", "1 1 1", "1 1 1", "1 1 1")
Break = Callable[[World], World]


class NeverFound(dict[Any, Any]):
    """A part of the library that nobody can read any more."""

    @override
    def get(self, key: Any, default: Any = None) -> Any:
        raise KeyError(key)


def shelf(**changes: Any) -> Break:
    """The same world with something of its library gone."""

    def broken(world: World) -> World:
        library: Library = replace(world.library, **changes)
        return replace(world, library=library)

    return broken


NO_FORMS = shelf(forms={})
NO_RECORD = shelf(revisions=NeverFound())
NO_LANGUAGE = shelf(offered=("en", "xx"))


def same(world: World) -> World:
    return world


async def arrived(
    database: Database, pen: Pen, text: str, *, before: tuple[str, ...] = (), token: str = ""
) -> tuple[Pair, str]:
    """A caregiver after some answers, whose next message waits; and the id of her address."""

    def work(conn: Connection) -> tuple[Pair, str]:
        (pair,) = pairs(conn, pen, 1)
        for said in before:
            pen.send(conn, pen.letter("sms", pair.caregiver, said))
        letter = pen.letter("sms", pair.caregiver, text, token)
        park(conn, letter, world=pen.world, now=pen.now)
        found = select(addresses.c.id).where(addresses.c.blind == letter.blind)
        return pair, str(conn.execute(found).scalar_one())

    return await database.write(work)


async def fails(database: Database, world: World, at: str, now: datetime) -> None:
    """What waits (two messages at most) is tried until it is given up."""
    for _ in range(2 * TRIES):
        await retry_one(database, world, at, lambda: now)
    states = await database.read(lambda c: c.execute(select(inbox.c.status)).scalars().all())
    assert "poison" in states
    assert "waiting" not in states


async def raised(database: Database) -> list[tuple[str, str, str]]:
    found = select(alerts.c.rule, alerts.c.level, alerts.c.child_id)
    return [tuple(row) for row in await database.read(lambda c: c.execute(found).all())]


async def kinds(database: Database) -> list[str]:
    found = select(tasks.c.kind).order_by(tasks.c.id)
    return list(await database.read(lambda c: c.execute(found).scalars().all()))


async def test_words_of_danger_are_an_alert_and_she_gets_the_helplines(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair, at = await arrived(database, pen, "he is hitting us")
    await fails(database, NO_FORMS(pen.world), at, now)
    assert await raised(database) == [("crisis", "urgent", pair.child)]
    assert await kinds(database) == ["poison"]
    said = await database.read(lambda c: texts(c, pen, at))
    assert "116" in said[-1]
    assert "hitting" not in said[-1]


async def test_where_no_alert_can_be_made_either_staff_still_have_it_and_she_is_told(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    _, at = await arrived(database, pen, "he is hitting us")

    def no_code(_length: int) -> str:
        raise ValueError("no code")

    await fails(database, replace(NO_FORMS(pen.world), new_code=no_code), at, now)
    assert await raised(database) == []
    assert await kinds(database) == ["poison"]
    said = await database.read(lambda c: texts(c, pen, at))
    assert "116" in said[-1]
    noted = select(timers.c.key).where(timers.c.kind == "crisis")
    assert await database.read(lambda c: c.execute(noted).all()) == [], "her next words raise one"


async def test_once_a_day_also_where_the_second_fails(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    _, at = await arrived(database, pen, "he is hitting us")
    again = pen.letter("sms", (await _number(database, pen, at)), "I want to die")
    await database.write(lambda c: park(c, again, world=pen.world, now=now))
    await fails(database, NO_FORMS(pen.world), at, now)
    assert len(await raised(database)) == 1
    assert await kinds(database) == ["poison", "poison"]


async def _number(database: Database, pen: Pen, at: str) -> str:
    row = await database.read(
        lambda c: c.execute(select(addresses.c.value).where(addresses.c.id == at)).scalar_one()
    )
    return pen.world.vault.open(row, table="addresses", column="value", row=at)


@pytest.mark.parametrize(
    ("text", "is_raised"),
    [("3", True), ("No food", True), ("1", False)],
)
async def test_an_answer_is_read_as_the_engine_would_have(
    text: str, is_raised: bool, database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair, at = await arrived(database, pen, text, before=TO_ATE_TODAY)
    await fails(database, NO_RECORD(pen.world), at, now)
    wanted = [("unread", "urgent", pair.child)] if is_raised else []
    assert await raised(database) == wanted
    assert await kinds(database) == ["poison"]
    said = await database.read(lambda c: texts(c, pen, at))
    assert "116" not in said[-1]


@pytest.mark.parametrize(
    "case",
    [("there is no food here", True), ("Yes, no care yet", True), ("3", False), ("yes", False)],
    ids=str,
)
@pytest.mark.parametrize("broken", [same, NO_LANGUAGE], ids=["her session", "the engine"])
async def test_without_her_session_only_words_that_can_mean_nothing_else_count(
    case: tuple[str, bool], broken: Break, database: Database, now: datetime, vault: Vault
) -> None:
    text, is_raised = case
    pen = Pen(make_world(vault), now)
    pair, at = await arrived(database, pen, text, before=TO_ATE_TODAY)
    if broken is same:
        await database.write(lambda c: c.execute(update(sessions).values(state=b"damaged")))
    await fails(database, broken(pen.world), at, now)
    wanted = [("unread", "urgent", pair.child)] if is_raised else []
    assert await raised(database) == wanted


@pytest.mark.parametrize(("choice", "is_raised"), [(2, True), (0, False)])
async def test_a_button_says_itself_what_it_answers(
    choice: int, is_raised: bool, database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)
    pair, at = await arrived(database, pen, "hi", before=TO_ATE_TODAY)
    form = pen.world.library.newest("caregiver")
    hers = select(sessions.c.id).where(sessions.c.form_id == "caregiver")
    session = await database.read(lambda c: str(c.execute(hers).scalar_one()))
    token = f"q.{session[-12:]}.{form.index['ate_today']}.{choice}"
    tap = pen.letter("sms", pair.caregiver, "", token)
    await database.write(lambda c: park(c, tap, world=pen.world, now=now))
    await database.write(lambda c: c.execute(update(sessions).values(state=b"damaged")))
    await fails(database, pen.world, at, now)
    assert [rule for rule, _, _ in await raised(database)] == (["unread"] if is_raised else [])


async def test_what_a_teacher_is_asked_has_no_such_answers(
    database: Database, now: datetime, vault: Vault
) -> None:
    pen = Pen(make_world(vault), now)

    def work(conn: Connection) -> str:
        (pair,) = pairs(conn, pen, 1)
        letter = pen.letter("telegram", pair.teacher, "no food")
        park(conn, letter, world=pen.world, now=now)
        found = select(addresses.c.id).where(addresses.c.blind == letter.blind)
        return str(conn.execute(found).scalar_one())

    at = await database.write(work)
    await fails(database, NO_LANGUAGE(pen.world), at, now)
    assert await raised(database) == []


async def test_joining_holds_none_either(database: Database, now: datetime, vault: Vault) -> None:
    pen = Pen(make_world(vault), now)
    _, at = await arrived(database, pen, "no food")
    changed = update(sessions).where(sessions.c.form_id == "caregiver")
    version = pen.world.library.current["enrolment"]
    await database.write(
        lambda c: c.execute(changed.values(form_id="enrolment", version=version, state=b"damaged"))
    )
    await fails(database, pen.world, at, now)
    assert await raised(database) == []


async def test_staff_and_strangers(database: Database, now: datetime, vault: Vault) -> None:
    pen = Pen(make_world(vault), now)

    def work(conn: Connection) -> list[str]:
        school = School(conn=conn, vault=vault, now=now - timedelta(days=1))
        staff = school.person("staff")
        at = []
        for address in ("+27820000001", "+27820000002"):
            letter = pen.letter("sms", address, "I want to die")
            park(conn, letter, world=pen.world, now=now)
            found = select(addresses.c.id).where(addresses.c.blind == letter.blind)
            at.append(str(conn.execute(found).scalar_one()))
        conn.execute(update(addresses).where(addresses.c.id == at[0]).values(person_id=staff))
        return at

    for at in await database.write(work):
        for _ in range(TRIES):
            await retry_one(database, NO_LANGUAGE(pen.world), at, lambda: now)
    assert await raised(database) == []
    assert sorted(await kinds(database)) == ["crisis", "poison", "poison"]
