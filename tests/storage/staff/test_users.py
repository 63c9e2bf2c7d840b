"""Logins on both databases: codes once, sessions by digest, attempts that cannot slip by."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storage.database import Database
from storage.ids import new_id
from storage.schema import login_attempts
from storage.staff import users

WINDOW = timedelta(minutes=15)


def user(now: datetime, login: str = "nomsa", **changes: object) -> users.User:
    values: dict[str, object] = {
        "id": new_id(now),
        "login": login,
        "person_id": None,
        "role": "tech",
        "schools": frozenset({"b", "a"}),
        "password_hash": "hash",
        "totp_secret": b"sealed",
        "totp_last": 0,
        "created_at": now,
        "ends_at": None,
        "disabled_at": None,
    }
    return users.User(**(values | changes))  # type: ignore[arg-type]


async def test_a_user_comes_back_as_she_was_stored(database: Database, now: datetime) -> None:
    made = user(now, ends_at=now + timedelta(days=1))
    await database.write(lambda conn: users.add(conn, made))

    assert await database.read(lambda conn: users.by_login(conn, "nomsa")) == made
    assert await database.read(lambda conn: users.by_login(conn, "Nomsa")) is None
    assert await database.read(users.everyone) == [made]


async def test_a_login_is_unique(database: Database, now: datetime) -> None:
    await database.write(lambda conn: users.add(conn, user(now)))

    with pytest.raises(IntegrityError):
        await database.write(lambda conn: users.add(conn, user(now)))


def test_an_account_is_usable_until_it_ends(now: datetime) -> None:
    assert user(now).usable(now)
    assert user(now, ends_at=now + timedelta(seconds=1)).usable(now)
    assert not user(now, ends_at=now).usable(now)
    assert not user(now, disabled_at=now).usable(now)


async def test_a_code_of_one_step_is_used_once_even_at_the_same_moment(
    database: Database, now: datetime
) -> None:
    made = user(now)
    await database.write(lambda conn: users.add(conn, made))
    use = partial(users.use_totp, user_id=made.id, step=7)

    at_once = await asyncio.gather(*(database.write(use) for _ in range(4)))
    older = await database.write(partial(users.use_totp, user_id=made.id, step=6))
    newer = await database.write(partial(users.use_totp, user_id=made.id, step=8))

    assert sorted(at_once) == [False, False, False, True]
    assert (older, newer) == (False, True)


async def test_sessions_open_are_seen_and_end(database: Database, now: datetime) -> None:
    made, later = user(now), now + timedelta(minutes=5)
    await database.write(lambda conn: users.add(conn, made))
    for digest in ("one", "two", "three"):
        await database.write(partial(users.open_session, digest=digest, user_id=made.id, now=now))
    await database.write(partial(users.touch, digest="two", now=later))
    await database.write(partial(users.end_session, digest="one", now=now))

    found = await database.read(lambda conn: users.session(conn, "two"))
    assert found is not None
    assert (found[0].created_at, found[0].seen_at, found[1]) == (now, later, made)
    assert await database.read(lambda conn: users.session(conn, "one")) is None
    assert await database.read(lambda conn: users.session(conn, "none")) is None
    ended = await database.write(partial(users.end_sessions, user_id=made.id, now=now, but="two"))
    open_now = await database.read(
        lambda conn: users.sessions_of(conn, made.id, since=now - WINDOW)
    )
    assert (ended, [s.digest for s in open_now]) == (1, ["two"])
    assert await database.read(lambda conn: users.sessions_of(conn, made.id, since=now)) == []


async def test_ending_an_account_ends_its_sessions(database: Database, now: datetime) -> None:
    made = user(now)
    await database.write(lambda conn: users.add(conn, made))
    await database.write(partial(users.open_session, digest="d", user_id=made.id, now=now))

    assert await database.write(partial(users.end, user_id=made.id, now=now))
    assert not await database.write(partial(users.end, user_id=made.id, now=now))
    assert await database.read(lambda conn: users.session(conn, "d")) is None


def budgets(*names: str, failures: int = 5, **changes: object) -> users.Budgets:
    made = users.Budgets(each=dict.fromkeys(names, failures), window=WINDOW)
    return replace(made, **changes)  # type: ignore[arg-type]


async def attempt(
    database: Database, counted: users.Budgets, at: datetime
) -> tuple[str, ...] | None:
    begin = partial(users.begin_attempt, budgets=counted, now=at, new_id=new_id)
    return await database.write(begin)


async def count(database: Database) -> int:
    every = select(func.count()).select_from(login_attempts)
    return await database.read(lambda conn: conn.execute(every).scalar_one())


async def test_attempts_at_once_are_counted_before_they_are_judged(
    database: Database, now: datetime
) -> None:
    results = await asyncio.gather(
        *(attempt(database, budgets("login", f"c{n}"), now) for n in range(12))
    )

    assert sum(result is not None for result in results) == 5
    assert await count(database) == 10


async def test_a_good_attempt_does_not_count_and_old_ones_fade(
    database: Database, now: datetime
) -> None:
    two = budgets("login", failures=2)
    first = await attempt(database, two, now)
    assert first is not None
    await database.write(lambda conn: users.attempt_was_good(conn, first))

    assert await attempt(database, two, now) is not None
    assert await attempt(database, two, now) is not None
    assert await attempt(database, two, now) is None
    assert await attempt(database, two, now + WINDOW) is not None


async def test_each_subject_has_a_budget_of_its_own(database: Database, now: datetime) -> None:
    uneven = users.Budgets(each={"login": 3, "client": 1}, window=WINDOW)

    assert await attempt(database, uneven, now) is not None
    assert await attempt(database, uneven, now) is None
    assert await attempt(database, budgets("login", failures=3), now) is not None


async def test_all_together_have_a_budget_that_spares_known_clients(
    database: Database, now: datetime
) -> None:
    def of(client: str) -> users.Budgets:
        return budgets(client, shared="*", shared_failures=3, known=client)

    good = await attempt(database, of("office"), now)
    assert good is not None
    await database.write(lambda conn: users.attempt_was_good(conn, good))
    for number in range(3):
        assert await attempt(database, of(f"bot{number}"), now) is not None

    assert await attempt(database, of("bot9"), now) is None
    assert await attempt(database, of("office"), now) is not None
    assert await attempt(database, of("bot9"), now + WINDOW) is not None


async def test_attempts_are_forgotten_after_a_month(database: Database, now: datetime) -> None:
    await attempt(database, budgets("login", "client"), now)
    await attempt(database, budgets("other"), now + users.KEPT)

    assert await count(database) == 1


async def test_a_session_remembers_when_she_proved_herself_again(
    database: Database, now: datetime
) -> None:
    made, later = user(now), now + timedelta(minutes=5)
    await database.write(lambda conn: users.add(conn, made))
    for digest in ("one", "two"):
        await database.write(partial(users.open_session, digest=digest, user_id=made.id, now=now))
    await database.write(partial(users.step, digest="two", now=later))

    stepped = {}
    for digest in ("one", "two"):
        found = await database.read(partial(users.session, digest=digest))
        assert found is not None
        stepped[digest] = found[0].stepped_at
    assert stepped == {"one": None, "two": later}


async def test_an_account_waits_for_what_must_be_set(database: Database, now: datetime) -> None:
    made = user(now)
    await database.write(lambda conn: users.add(conn, made))
    await database.write(partial(users.wait_for, user_id=made.id, what="password"))

    waiting = await database.read(lambda conn: users.by_id(conn, made.id))
    assert waiting is not None
    assert waiting.waits_for == "password"
    await database.write(partial(users.wait_for, user_id=made.id, what=None))
    assert await database.read(lambda conn: users.by_id(conn, made.id)) == made
    assert await database.read(lambda conn: users.by_id(conn, "nobody")) is None
