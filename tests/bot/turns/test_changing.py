"""CHANGE and RESTART in the turn: what becomes of alerts, of consent, of a class screen."""

from datetime import datetime

from sqlalchemy import Connection, select

from storage import schema
from storage.care import cases
from storage.keyring.vault import Vault
from storage.schema import alert_events, alerts, child_state, children, sessions, tasks
from tests.person import Person
from tests.test_transcripts import AMINA, MONDAY
from tests.town import Resident, Town, open_town

NOMSA = Resident(name="nomsa", role="coordinator", channel="telegram", place=2)
THOKO = Resident(name="thoko", role="teacher", channel="telegram", place=3)
HUNGRY = ("1 4 4", "1 1 1", "1 1 1", "1 1 1", "3", "4 4 4")
"""The core with no food today."""


async def answered(town: Town, *replies: str) -> Person:
    """Amina, who joined for learner 17 and replied so."""
    amina = Person(town=town, who=AMINA)
    for text in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3", *replies):
        await amina.says(text)
    return amina


def close_all(conn: Connection, town: Town) -> None:
    """A coordinator closes whatever is open."""
    (nomsa,) = conn.execute(
        select(schema.persons.c.id).where(schema.persons.c.kind == "staff")
    ).scalars()
    for alert in conn.execute(select(alerts.c.id)).scalars().all():
        new_id = town.world.new_id
        cases.accept(conn, alert_id=alert, person_id=nomsa, now=town.now, new_id=new_id)
        cases.close(
            conn,
            alert_id=alert,
            person_id=nomsa,
            outcome="confirmed",
            reason_sealed=b"sealed",
            now=town.now,
            new_id=new_id,
        )


async def standing(town: Town) -> list[tuple[str, str]]:
    """Every alert with its state, the oldest first."""
    found = select(alerts.c.rule, alerts.c.state).order_by(alerts.c.opened_at, alerts.c.id)
    return await town.database.read(lambda c: [tuple(row) for row in c.execute(found)])


async def test_a_reason_that_comes_back_after_its_alert_was_closed_is_raised_anew(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA, NOMSA], at=MONDAY) as town:
        amina = await answered(town, *HUNGRY)
        await amina.says("change 1")
        await amina.says("4")
        assert await standing(town) == [("no_food_today", "opened")]
        await town.database.write(lambda c: close_all(c, town))
        await amina.says("change 1")
        await amina.says("1")
        assert await standing(town) == [("no_food_today", "closed")]
        await amina.says("3")
        assert await standing(town) == [("no_food_today", "closed"), ("no_food_today", "opened")]
        await amina.says("4 4 4")
        await amina.says("change 3")
        await amina.says("4")
        assert len(await standing(town)) == 2
        notes = select(alert_events.c.kind).where(alert_events.c.kind.startswith("answers_"))
        found = await town.database.read(lambda c: list(c.execute(notes).scalars()))
        assert sorted(found) == ["answers_back", "answers_changed"]


async def test_an_alert_that_was_never_in_doubt_says_nothing(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA, NOMSA], at=MONDAY) as town:
        amina = await answered(town, *HUNGRY)
        await amina.says("change 3")
        await amina.says("3")
        kinds = select(alert_events.c.kind)
        assert set(await town.database.read(lambda c: list(c.execute(kinds).scalars()))) == {
            "opened"
        }


async def test_after_her_yes_was_taken_back_nothing_is_changed(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await answered(town, "4 4 4", "1 1 1", "1 1 1", "1 1 1")
        await amina.says("take back")
        await amina.says("1")
        await amina.says("change 1")
        amina.hears("There is no answer to change now")


async def test_somebody_we_do_not_know_has_nothing_to_change(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        stranger = Person(town=town, who=AMINA)
        await stranger.says("change 1")
        stranger.hears("There is no answer to change now")
        await stranger.says(f"JOIN {town.codes[17]}")
        await stranger.says("change 1")
        stranger.hears("There is no answer to change now")
        stranger.hears("English")


async def test_a_learner_who_is_not_named_any_more_is_judged_anew(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [THOKO], at=MONDAY, consented=[3, 7, 17]) as town:
        thoko = Person(town=town, who=THOKO)
        await thoko.says("hello")
        await thoko.taps("Yes, now")
        for reply in ("7", *["0"] * 7):
            await thoko.says(reply)
        thoko.hears("the class list is complete")

        def judged(conn: Connection) -> list[datetime]:
            found = conn.execute(
                select(child_state.c.as_of)
                .join(children, children.c.id == child_state.c.child_id)
                .where(children.c.list_number == 7, child_state.c.domain == "nutrition")
            )
            return list(found.scalars())

        before = await town.database.read(judged)
        await thoko.says("change 1")
        await thoko.says("3")
        after = await town.database.read(judged)
        assert len(before) == len(after) == 1
        assert before < after


async def test_beginning_anew_keeps_what_was_known_and_leaves_one_open(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await answered(town, "4 4 4")
        await amina.says("restart")
        await amina.says("1")
        await amina.says("restart")
        await amina.says("1")
        found = select(sessions.c.status, sessions.c.assignment_id, sessions.c.wave_id).where(
            sessions.c.form_id == "caregiver"
        )
        rows = await town.database.read(lambda c: c.execute(found.order_by(sessions.c.id)).all())
        assert [row.status for row in rows] == ["stopped", "stopped", "open"]
        assert len({(row.assignment_id, row.wave_id) for row in rows}) == 1


async def test_joining_may_begin_anew_as_well(sqlite_url: str, vault: Vault) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = Person(town=town, who=AMINA)
        await amina.says(f"JOIN {town.codes[17]}")
        await amina.says("1")
        await amina.says("start again")
        await amina.says("1")
        amina.hears("English")
        await amina.says("1")
        await amina.says("1 1 1 1 2 3")
        amina.hears("you are registered")


async def test_the_answer_that_she_wants_a_call_puts_her_on_the_list_once(
    sqlite_url: str, vault: Vault
) -> None:
    async with open_town(sqlite_url, vault, [AMINA], at=MONDAY) as town:
        amina = await answered(town)
        await amina.says("call me")
        await amina.says("call me")
        count = select(tasks.c.kind).where(tasks.c.kind == "call_me")
        assert len(await town.database.read(lambda c: c.execute(count).all())) == 1
