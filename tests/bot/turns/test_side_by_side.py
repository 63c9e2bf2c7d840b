"""Two workers, one child: both informants count, one alert is raised, nobody deadlocks."""

import json
import threading
from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import Connection, func, select

from bot.turns.batch import Work, run
from bot.turns.desk import Letter
from scoring.model import Submission
from scoring.plans import suggest
from scoring.profile import profile
from scoring.report import to_document
from storage.care.assessments import sheets_about_children
from storage.care.cases import profile_row
from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import alerts, outbox, profiles, sessions
from tests.bot.turns.crowd import Pair, Pen, all_but_the_last, make_world, pairs

HOME = ("4 4 4", "1 1 1", "1 1 1", "1 1 1")
DESK = ("3",) * 12
ROUNDS = {"postgresql": 50, "sqlite": 10}
"""In each round two workers end two children's questionnaires, crosswise."""


async def test_two_informants_who_finish_at_the_same_moment_are_both_in_the_profile(
    database: Database, now: datetime, vault: Vault
) -> None:
    world = make_world(vault)
    pen = Pen(world, now)
    rounds = ROUNDS[database.dialect]
    made = await database.write(lambda c: pairs(c, pen, 2 * rounds))
    await database.write(lambda c: all_but_the_last(c, pen, made, home=HOME, desk=DESK))
    tries = []
    for first, second in zip(made[::2], made[1::2], strict=True):
        at_once(
            database,
            pen,
            tries,
            [last_of_caregiver(pen, first), last_of_teacher(pen, second)],
            [last_of_caregiver(pen, second), last_of_teacher(pen, first)],
        )
    assert len(tries) == 2 * rounds, "a transaction lost a race and was run again"
    await database.read(lambda c: check(c, pen, made))


def last_of_caregiver(pen: Pen, pair: Pair) -> Letter:
    return pen.letter("sms", pair.caregiver, HOME[-1])


def last_of_teacher(pen: Pen, pair: Pair) -> Letter:
    return pen.letter("telegram", pair.teacher, DESK[-1])


def at_once(database: Database, pen: Pen, tries: list[int], *batches: Sequence[Letter]) -> None:
    """Each batch in a transaction of its own; on PostgreSQL they are open at the same time."""
    start = threading.Barrier(len(batches))
    failed: list[BaseException] = []

    def work(conn: Connection, letters: Sequence[Letter]) -> None:
        tries.append(1)
        if conn.dialect.name == "postgresql":
            start.wait(10)
        # Not through the pen: the threads must not share its counter.
        run(conn, Work(letters=letters, me="test"), world=pen.world, now=pen.now)

    def worker(letters: Sequence[Letter]) -> None:
        if database.dialect == "sqlite":
            start.wait(10)
        try:
            database.write_sync(lambda c: work(c, letters))
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            failed.append(error)

    threads = [threading.Thread(target=worker, args=(letters,)) for letters in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


def check(conn: Connection, pen: Pen, made: Sequence[Pair]) -> None:
    open_ones = select(func.count()).select_from(sessions).where(sessions.c.status == "open")
    assert conn.execute(open_ones).scalar_one() == 0
    rules, vault = pen.world.library.rules, pen.world.vault
    for pair in made:
        sheets = sheets_about_children(conn, [pair.child])[pair.child, pair.wave]
        assert {sheet.informant for sheet in sheets} == {"caregiver", "teacher"}
        stored = conn.execute(
            select(profiles.c.body, profiles.c.level).where(profiles.c.child_id == pair.child)
        ).one()
        row = profile_row(pair.child, pair.wave)
        document = json.loads(vault.open(stored.body, table="profiles", column="body", row=row))
        submissions = [
            Submission(
                informant=sheet.informant,  # type: ignore[arg-type]
                questionnaire=sheet.form_id,
                submitted_at=sheet.at,
                answers=sheet.answers,
            )
            for sheet in sheets
        ]
        whole = profile(rules, submissions, as_of=pen.now)
        told = to_document(whole, suggest(rules, whole))
        assert document == json.loads(json.dumps(told))
        assert stored.level == whole.level
    raised = conn.execute(select(alerts.c.child_id, alerts.c.rule)).all()
    assert sorted(r.child_id for r in raised) == sorted(pair.child for pair in made)
    assert {r.rule for r in raised} == {"high"}
    # One message an alert: whoever came second found it raised.
    sent = select(func.count()).select_from(outbox).where(outbox.c.message_class == "alert")
    assert conn.execute(sent).scalar_one() == len(made)


@pytest.mark.parametrize("copies", [8])
async def test_the_same_letter_in_many_workers_has_one_effect(
    database: Database, now: datetime, vault: Vault, copies: int
) -> None:
    pen = Pen(make_world(vault), now)
    (pair,) = await database.write(lambda c: pairs(c, pen, 1))
    await database.write(lambda c: all_but_the_last(c, pen, [pair], home=HOME, desk=DESK))
    letter = last_of_caregiver(pen, pair)
    before = await database.read(_replies)
    start = threading.Barrier(copies)

    def worker() -> None:
        start.wait(10)
        database.write_sync(lambda c: pen.send(c, letter))

    threads = [threading.Thread(target=worker) for _ in range(copies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert await database.read(_replies) == before + 1


def _replies(conn: Connection) -> int:
    found = select(func.count()).select_from(outbox).where(outbox.c.message_class == "reply")
    return int(conn.execute(found).scalar_one())
