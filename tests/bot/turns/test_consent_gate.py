"""No question about a child leaves without a yes that stands: every door a question can come by.

Each case brings a conversation to one step before a question, changes the ledger behind its back
(as if the row had never been, or somebody had taken it back), and takes that step.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from storage.invariants import unconsented
from storage.keyring.vault import Vault
from storage.schema import (
    alerts,
    answers,
    assignments,
    child_state,
    children,
    consents,
    outbox,
    profiles,
    sessions,
    tasks,
    timers,
)
from tests.person import Person
from tests.town import ZONE, Resident, Town, open_town

MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=ZONE)
AMINA = Resident(name="amina", role="caregiver", channel="sms", place=1)
THOKO = Resident(name="thoko", role="teacher", channel="telegram", place=2)
ABOUT_A_CHILD = ("Last week, how", "Last month", "learner 17 hungry")
BOTH = ["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres)]

Step = Callable[[Town, Person, Person], Awaitable[None]]


@asynccontextmanager
async def people(
    url: str, vault: Vault, *, consented: tuple[int, ...] = ()
) -> AsyncIterator[tuple[Town, Person, Person]]:
    async with open_town(url, vault, [AMINA, THOKO], at=MONDAY, consented=consented) as town:
        yield town, Person(town=town, who=AMINA), Person(town=town, who=THOKO)


async def joins(town: Town, amina: Person) -> None:
    for said in (f"JOIN {town.codes[17]}", "1", "1 1 1 1 2 3"):
        await amina.says(said)


async def screens(thoko: Person) -> None:
    """The teacher names learner 17 twice, so that she is to be asked about him."""
    await thoko.says("hello")
    await thoko.taps("Yes, now")
    for said in ("17", "17", *["0"] * 6):
        await thoko.says(said)


async def change(town: Town, *statements: object) -> None:
    def work(conn: Connection) -> None:
        for statement in statements:
            conn.execute(statement)  # type: ignore[call-overload]

    await town.database.write(work)


async def never(town: Town) -> None:
    await change(town, delete(consents))


async def no_longer(town: Town) -> None:
    await change(town, update(consents).values(granted=False, withdrawn_at=town.now))


async def other_guardian(town: Town) -> None:
    def work(conn: Connection) -> None:
        row = dict(
            conn.execute(select(consents).where(consents.c.purpose == "help")).mappings().first()
        )
        teacher = conn.execute(select(assignments.c.person_id)).scalars().first()
        row |= {"id": "f" * 32, "granted": False, "at": town.now, "person_id": teacher}
        conn.execute(insert(consents).values(**row))

    await town.database.write(work)


async def other_words(town: Town) -> None:
    await town.change_words()


CHANGES = [never, no_longer, other_guardian, other_words]


async def offered(town: Town, amina: Person, thoko: Person) -> None:
    """A caregiver's questionnaire is due again; she writes, and takes the offer if there is one."""
    await joins(town, amina)
    for said in ("4 4 4", "1 1 1", "1 1 1", "1 1 1"):
        await amina.says(said)
    amina.hears("That was all.")
    await change(town, update(assignments).values(state="due"))


async def writes(town: Town, amina: Person, thoko: Person) -> None:
    await amina.says("hello")
    await amina.says("1")


async def offer_open(town: Town, amina: Person, thoko: Person) -> None:
    await offered(town, amina, thoko)
    await amina.says("hello")
    amina.hears("Start now?")


async def takes_it(town: Town, amina: Person, thoko: Person) -> None:
    await amina.says("1")


async def left(town: Town, amina: Person, thoko: Person) -> None:
    """She leaves in the middle; the clock lapses it."""
    await joins(town, amina)
    await town.wait(town.now + timedelta(days=8))


async def comes_back(town: Town, amina: Person, thoko: Person) -> None:
    await amina.says("4 4 4")
    await amina.says("4 4 4")


async def asks_for_help(town: Town, amina: Person, thoko: Person) -> None:
    await amina.says("HELP")
    await amina.says("BACK")
    await amina.says("menu")


async def speaks_zulu(town: Town, amina: Person, thoko: Person) -> None:
    await amina.says("zulu")


async def sends_the_code(town: Town, amina: Person, thoko: Person) -> None:
    await amina.says(f"JOIN {town.codes[17]}")


async def screened(town: Town, amina: Person, thoko: Person) -> None:
    await joins(town, amina)
    await amina.says("STOP")
    await screens(thoko)
    thoko.hears("learner 17")


async def teacher_takes_it(town: Town, amina: Person, thoko: Person) -> None:
    await thoko.taps("Yes, now", under="learner 17")


async def teacher_writes(town: Town, amina: Person, thoko: Person) -> None:
    await thoko.says("hello")
    await thoko.says("1")


async def teacher_left(town: Town, amina: Person, thoko: Person) -> None:
    await screened(town, amina, thoko)
    await teacher_takes_it(town, amina, thoko)
    thoko.hears("learner 17 hungry")
    await town.wait(town.now + timedelta(days=8))


async def teacher_comes_back(town: Town, amina: Person, thoko: Person) -> None:
    await thoko.says("2")
    await thoko.says("2")


async def nobody_screened(town: Town, amina: Person, thoko: Person) -> None:
    await joins(town, amina)
    await amina.says("STOP")


async def teacher_begins(town: Town, amina: Person, thoko: Person) -> None:
    await thoko.says("hello")
    await thoko.says("1")


async def flagged(town: Town, amina: Person, thoko: Person) -> None:
    """The teacher is to be asked since the caregiver's answers worry us."""
    await joins(town, amina)
    await thoko.says("hello")
    await thoko.taps("Yes, now")
    for _ in range(8):
        await thoko.says("0")
    for said in ("4 4 4", "1 3 1", "1 1 1", "1 3 1", "2", "3 3 3"):
        await amina.says(said)


PATHS: list[tuple[Step, Step]] = [
    (offered, writes),
    (offer_open, takes_it),
    (left, comes_back),
    (left, asks_for_help),
    (left, speaks_zulu),
    (left, sends_the_code),
    (screened, teacher_takes_it),
    (screened, teacher_writes),
    (teacher_left, teacher_comes_back),
    (nobody_screened, teacher_begins),
    (flagged, teacher_writes),
]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p[0].__name__}-{p[1].__name__}")
@pytest.mark.parametrize("how", CHANGES, ids=lambda f: f.__name__)
async def test_no_question_about_a_child_without_a_yes_that_stands(
    path: tuple[Step, Step],
    how: Callable[[Town], Awaitable[None]],
    sqlite_url: str,
    vault: Vault,
) -> None:
    prepare, step = path
    async with people(sqlite_url, vault) as (town, amina, thoko):
        await prepare(town, amina, thoko)
        before = len(town.channel.sent)
        began = await about_children(town)
        await how(town)
        await step(town, amina, thoko)
        said = [one.message.text for one in town.channel.sent[before:]]
        assert said
        assert [text for text in said if any(q in text for q in ABOUT_A_CHILD)] == []
        assert await about_children(town) == began


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p[0].__name__}-{p[1].__name__}")
async def test_with_a_yes_the_same_steps_ask(
    path: tuple[Step, Step], sqlite_url: str, vault: Vault
) -> None:
    """Else the test above would prove nothing."""
    prepare, step = path
    async with people(sqlite_url, vault) as (town, amina, thoko):
        await prepare(town, amina, thoko)
        before = len(town.channel.sent)
        await step(town, amina, thoko)
        said = "\n".join(one.message.text for one in town.channel.sent[before:])
        zulu = "Ngesonto" if step is speaks_zulu else ""
        assert any(q in said for q in (*ABOUT_A_CHILD, *([zulu] if zulu else [])))


async def about_children(town: Town) -> list[str]:
    """Sessions about a child that were begun, and what was answered in them."""

    def work(conn: Connection) -> list[str]:
        begun = conn.execute(
            select(sessions.c.id).where(
                sessions.c.child_id.is_not(None), sessions.c.form_id != "enrolment"
            )
        ).scalars()
        said = conn.execute(
            select(answers.c.session_id, answers.c.item).where(
                answers.c.form_id.in_(("caregiver", "learner"))
            )
        )
        return sorted([*begun, *(f"{r.session_id}/{r.item}" for r in said)])

    return await town.database.read(work)


async def test_a_nudge_is_left_out_and_an_invitation_too(sqlite_url: str, vault: Vault) -> None:
    bongi = Resident(
        name="bongi",
        role="caregiver",
        channel="sms",
        place=3,
        invited_for=9,
        agreed_on="2026-01-20",
    )
    night = MONDAY.replace(hour=6)
    async with open_town(sqlite_url, vault, [AMINA, bongi], at=night) as town:
        amina = Person(town=town, who=AMINA)
        await joins(town, amina)
        await no_longer(town)
        before = len(town.channel.sent)
        await town.wait(MONDAY.replace(day=3, hour=18))
        assert town.channel.sent[before:] == []
        left_out = await town.database.read(
            lambda c: list(c.execute(select(timers.c.kind, timers.c.reason)))
        )
        assert {(r.kind, r.reason) for r in left_out if r.kind in ("nudge", "invite")} == {
            ("nudge", "no_consent")
        }


@pytest.mark.parametrize("url", BOTH)
async def test_everything_that_hangs_on_it_ends(
    url: str, vault: Vault, request: pytest.FixtureRequest
) -> None:
    async with people(request.getfixturevalue(url), vault) as (town, amina, thoko):
        await joins(town, amina)
        for said in ("4 1 4", "2 2 2"):
            await amina.says(said)
        raised = await town.database.read(
            lambda c: c.execute(select(alerts.c.id, alerts.c.state)).all()
        )
        await screens(thoko)
        await thoko.taps("Yes, now", under="learner 17")
        await amina.says("take back")
        await amina.says("1")
        amina.hears("Your yes is taken back.")
        told = thoko.phone()[-1].message.text
        assert told.startswith("The questions about learner 17 have ended.")

        def stands(conn: Connection) -> tuple[set[str], set[str], list[str]]:
            begun = conn.execute(
                select(sessions.c.status).where(sessions.c.child_id.is_not(None))
            ).scalars()
            given = conn.execute(
                select(assignments.c.state).where(assignments.c.child_id.is_not(None))
            ).scalars()
            kinds = conn.execute(select(tasks.c.kind)).scalars()
            return set(begun), set(given), sorted(kinds)

        begun, given, kinds = await town.database.read(stands)
        assert begun == {"completed", "stopped"}
        assert given == {"withdrawn"}
        assert "consent_withdrawn" in kinds
        still = await town.database.read(
            lambda c: c.execute(select(alerts.c.id, alerts.c.state)).all()
        )
        assert set(raised) <= set(still)
        assert await town.database.read(unconsented) == []
        await joins(town, amina)
        amina.hears("Thank you, you are registered.")
        await thoko.says("hello")
        thoko.hears("learner 17")


async def test_a_question_on_its_way_is_withheld(sqlite_url: str, vault: Vault) -> None:
    async with people(sqlite_url, vault) as (town, amina, thoko):
        await joins(town, amina)
        await screens(thoko)
        await thoko.taps("Yes, now", under="learner 17")
        question = (
            update(outbox)
            .where(
                outbox.c.seq
                == select(outbox.c.seq).order_by(outbox.c.seq.desc()).limit(1).scalar_subquery()
            )
            .values(
                state="queued",
                final_at=None,
                body=b"x",
                not_before=town.now + timedelta(hours=2),
                expires_at=town.now + timedelta(hours=9),
            )
        )
        await change(town, question)
        await amina.says("take back")
        await amina.says("1")
        rows = await town.database.read(
            lambda c: list(c.execute(select(outbox.c.state).where(outbox.c.error == "withdrawn")))
        )
        assert [r.state for r in rows] == ["expired"]


async def test_both_in_one_batch(sqlite_url: str, vault: Vault) -> None:
    """She takes her yes back while the teacher's answer is in the same transaction."""
    async with people(sqlite_url, vault) as (town, amina, thoko):
        await joins(town, amina)
        await screens(thoko)
        await thoko.taps("Yes, now", under="learner 17")
        await amina.says("take back")

        first = town.inbound(AMINA, text="1")
        second = town.inbound(THOKO, text="2")
        town.now += timedelta(seconds=20)
        await asyncio.gather(town.queue.submit(first), town.queue.submit(second))
        await town.settle()
        said = [s.message.text for s in thoko.phone()[-2:]]
        assert any("have ended" in text for text in said)
        assert not any("hungry" not in text and "Last month" in text for text in said[-1:])
        assert await town.database.read(unconsented) == []


async def test_after_new_words_and_a_yes_what_was_offered_begins(
    sqlite_url: str, vault: Vault
) -> None:
    async with people(sqlite_url, vault) as (town, amina, thoko):
        await offer_open(town, amina, thoko)
        await town.change_words()
        await amina.says("1")
        amina.hears("The words below have changed since you said yes.")
        amina.hears("the school nurse")
        await amina.says("1 1 1")
        amina.hears("Thank you.")
        amina.hears("Last week, how many days")
        await amina.says("4 4")
        amina.hears("Last month")
        assert await town.database.read(unconsented) == []


async def test_a_teacher_goes_on_once_the_family_has_said_yes_to_the_new_words(
    sqlite_url: str, vault: Vault
) -> None:
    async with people(sqlite_url, vault) as (town, amina, thoko):
        await joins(town, amina)
        await screens(thoko)
        await thoko.taps("Yes, now", under="learner 17")
        await town.change_words()
        await thoko.taps("Sometimes")
        thoko.hears("The questions about learner 17 have ended.")
        await amina.says("4 4 4")
        amina.hears("The words below have changed")
        await amina.says("1 1 1")
        amina.hears("We go on where we stopped.")
        await thoko.says("hello")
        thoko.hears("learner 17")
        await thoko.taps("Yes, now", under="learner 17")
        thoko.hears("learner 17 hungry")


async def test_who_took_her_yes_back_says_no_to_joining_again(
    sqlite_url: str, vault: Vault
) -> None:
    async with people(sqlite_url, vault) as (town, amina, _):
        await joins(town, amina)
        await amina.says("4 4 4")
        await amina.says("STOP")
        await amina.says("START")
        for said in (f"JOIN {town.codes[17]}", "1", "2"):
            await amina.says(said)
        amina.hears("We ask nothing more about your child.")
        words = await town.database.read(
            lambda c: [(r.purpose, r.granted) for r in c.execute(select(consents))]
        )
        assert words.count(("help", False)) == 1
        await amina.says("hello")
        amina.hears("A person from our team will read your message")


async def test_the_language_she_names_is_that_of_the_new_words(
    sqlite_url: str, vault: Vault
) -> None:
    async with people(sqlite_url, vault) as (town, amina, _):
        await joins(town, amina)
        await town.change_words()
        await amina.says("HELP")
        amina.hears("The words below have changed")
        await amina.says("zulu")
        amina.hears("Singabuza ngengane yakho?")
        await amina.says("1 1 1")
        amina.hears("Last week, how many days")


async def screened_answers(town: Town) -> list[tuple[str, str]]:
    asked = (
        select(answers.c.item, answers.c.value)
        .where(answers.c.form_id == "class_screen")
        .order_by(answers.c.revision)
    )
    return [tuple(row) for row in await town.database.read(lambda c: c.execute(asked).all())]


@pytest.mark.parametrize("how", CHANGES, ids=lambda f: f.__name__)
async def test_an_open_class_screen_takes_no_number_without_a_yes_that_stands(
    how: Callable[[Town], Awaitable[None]], sqlite_url: str, vault: Vault
) -> None:
    async with people(sqlite_url, vault) as (town, amina, thoko):
        await joins(town, amina)
        await amina.says("STOP")
        await thoko.says("hello")
        await thoko.taps("Yes, now")
        await thoko.says("17")
        await how(town)
        for _ in range(7):
            await thoko.says("17")
            thoko.hears("We do not ask about these numbers: 17.")
            await thoko.says("0")
        thoko.hears("the class list is complete")

        first, *others = await screened_answers(town)
        assert first == ("screen_hungry", "17")
        assert [value for _, value in others] == ["0"] * 7


def about_17(conn: Connection) -> list[object]:
    """Everything that is known or to be asked about learner 17."""
    child = select(children.c.id).where(children.c.list_number == 17).scalar_subquery()
    found: list[object] = []
    for table in (answers, assignments, profiles, child_state, alerts, tasks):
        found += conn.execute(select(table).where(table.c.child_id == child)).all()
    return found


@pytest.mark.parametrize("url", BOTH)
async def test_the_other_numbers_of_the_same_reply_go_on(
    url: str, vault: Vault, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(url)
    async with people(url, vault, consented=(3, 7)) as (town, amina, thoko):
        await joins(town, amina)
        await thoko.says("hello")
        await thoko.taps("Yes, now")
        await amina.says("take back")
        await amina.says("1")
        before = await town.database.read(about_17)
        for said in ("3 17", "17 and 3", "0", "0", "0", "0", "0", "3 7 17"):
            await thoko.says(said)
        thoko.hears("We do not ask about these numbers: 17.")
        thoko.hears("the class list is complete")

        assert [value for _, value in await screened_answers(town)] == [
            "3", "3", "0", "0", "0", "0", "0", "3 7",
        ]  # fmt: skip

        assert await town.database.read(about_17) == before
