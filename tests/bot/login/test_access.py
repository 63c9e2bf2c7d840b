"""What the door of the dashboard is made of: codes, client networks, hashes that are renewed."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

import pyotp
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Connection, select

from bot.login.access import (
    FAILURES,
    STEP_LIFE,
    Access,
    SignIn,
    decoy,
    digest,
    matching_step,
    network,
    strong_hasher,
)
from bot.login.brake import ALL_FAILURES
from bot.login.enrolling import RECOVERY_CODES, new_recovery
from bot.login.sessions import session_name
from bot.login.user_codes import new_password
from bot.login.users import add_user, end_user
from flows.routing import LOGIN_LIFE
from storage.database import Database
from storage.families import people
from storage.keyring.vault import Vault
from storage.schema import audit
from storage.staff import logins, users

SECRET = "JBSWY3DPEHPK3PXP" * 2
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WORDS = "seven green bicycles"
OTHER_WORDS = "eleven tall giraffes"


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_client_is_counted_by_its_network(client: str, counted_as: str) -> None:
    assert network(client) == counted_as


@pytest.mark.parametrize(
    ("seconds", "step"), [(-60, None), (-30, 58), (0, 59), (29, 59), (30, 60), (60, None)]
)
def test_a_code_is_good_one_step_around_the_clock(seconds: int, step: int | None) -> None:
    now = datetime.fromtimestamp(59 * 30, UTC)
    code = pyotp.TOTP(SECRET).at(now + timedelta(seconds=seconds))

    assert matching_step(SECRET, code, now) == step


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "é" * 6])
def test_anything_else_is_no_code(code: str, now: datetime) -> None:
    assert matching_step(SECRET, code, now) is None


def test_blanks_in_a_code_do_not_matter(now: datetime) -> None:
    code = pyotp.TOTP(SECRET).at(now)

    assert matching_step(SECRET, f" {code[:3]} {code[3:]} ", now) is not None


def test_the_default_hash_is_argon2id_above_the_floor() -> None:
    hasher = strong_hasher()

    assert hasher.type.name == "ID"
    assert hasher.memory_cost >= 19 * 1024
    assert hasher.time_cost >= 2


@pytest.mark.parametrize("hasher", [QUICK, strong_hasher()])
def test_the_decoy_costs_what_a_real_password_costs(hasher: PasswordHasher) -> None:
    made, real = decoy(hasher), hasher.hash(WORDS)

    assert extract_parameters(made) == extract_parameters(real)
    with pytest.raises(VerifyMismatchError):  # compared in full, not refused as no hash at all
        hasher.verify(made, WORDS)


def test_the_database_never_sees_a_token() -> None:
    assert digest("token") != "token"
    assert len(digest("token")) == 64


@pytest.fixture
async def door(sqlite_url: str, vault: Vault, now: datetime):  # type: ignore[no-untyped-def]
    """A database with one user, and the secret of her authenticator."""
    database = Database.open(sqlite_url)

    def build(conn: Connection) -> str:
        programme = people.ensure_programme(conn, name="P", now=now)
        people.ensure_school(conn, programme_id=programme, name="S", now=now)
        made = add_user(
            conn,
            login="nomsa",
            role="supervisor",
            schools=["S"],
            password=WORDS,
            vault=vault,
            now=now,
            hasher=QUICK,
        )
        return str(pyotp.parse_uri(made.uri).secret)

    yield database, await database.write(build)
    await database.close()


async def enter(
    access: Access, secret: str, now: datetime, *, password: str = WORDS, login: str = "nomsa"
) -> str:
    code = pyotp.TOTP(secret).at(now)
    result = await access.sign_in(login=login, password=password, code=code, client="::1")
    return result.token


async def test_a_login_is_taken_in_any_case(door, vault: Vault, now: datetime) -> None:
    database, secret = door
    access = Access(database, vault, lambda: now, QUICK)

    assert await enter(access, secret, now, login=" Nomsa ")


async def test_a_hash_with_old_settings_is_renewed_at_login(
    door, vault: Vault, now: datetime
) -> None:
    database, secret = door
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)

    assert await enter(Access(database, vault, lambda: now, stronger), secret, now)

    user = await database.read(lambda conn: users.by_login(conn, "nomsa"))
    assert not stronger.check_needs_rehash(user.password_hash)
    later = now + timedelta(minutes=1)
    assert await enter(Access(database, vault, lambda: later, stronger), secret, later)


async def test_an_account_ends_on_its_day(door, vault: Vault, now: datetime) -> None:
    database, secret = door
    token = await enter(Access(database, vault, lambda: now, QUICK), secret, now)
    await database.write(lambda conn: end_user(conn, login="nomsa", now=now))
    access = Access(database, vault, lambda: now, QUICK)

    assert await access.who(token) is None
    later = now + timedelta(minutes=1)
    assert await enter(Access(database, vault, lambda: later, QUICK), secret, later) == ""


async def test_a_void_password_opens_nothing_and_a_waiting_account_neither(
    door, vault: Vault, now: datetime
) -> None:
    database, secret = door
    access = Access(database, vault, lambda: now, QUICK)
    await database.write(lambda conn: new_password(conn, login="nomsa", vault=vault, now=now))

    for password in (WORDS, ""):
        assert await enter(access, secret, now, password=password) == ""
    later = now + timedelta(minutes=1)
    access = Access(database, vault, lambda: later, QUICK)
    user = await database.read(lambda conn: users.by_login(conn, "nomsa"))
    await database.write(
        lambda conn: users.set_password(conn, user_id=user.id, password_hash=QUICK.hash(WORDS))
    )
    assert await enter(access, secret, later) == ""
    await database.write(lambda conn: users.wait_for(conn, user_id=user.id, what=None))
    assert await enter(access, secret, later)


async def recovery_codes(database: Database, now: datetime) -> tuple[str, ...]:
    def make(conn: Connection) -> tuple[str, ...]:
        user = users.by_login(conn, "nomsa")
        assert user is not None
        return new_recovery(conn, user.id, now)

    return await database.write(make)


async def test_a_recovery_code_stands_in_for_the_app_once_and_only_with_the_password(
    door, vault: Vault, now: datetime
) -> None:
    database, _ = door
    first, second, *_ = await recovery_codes(database, now)
    access = Access(database, vault, lambda: now, QUICK)

    async def enter_with(code: str, password: str = WORDS) -> SignIn:
        return await access.sign_in(login="nomsa", password=password, code=code, client="::1")

    wrong = await enter_with(first, OTHER_WORDS)
    right = await enter_with(first.lower().replace("-", " "))
    again = await enter_with(first)
    assert [r.outcome for r in (wrong, right, again)] == ["refused", "in", "refused"]
    assert right.how == "recovery"
    assert await access.who(right.token) is not None
    assert (await enter_with(second)).outcome == "in"
    user = await database.read(lambda conn: users.by_login(conn, "nomsa"))
    left = await database.read(lambda conn: logins.recovery_left(conn, user.id))
    assert left == RECOVERY_CODES - 2
    assert (await verbs(database)).count("sign_in_recovery") == 2


async def test_new_recovery_codes_void_the_old_ones(door, vault: Vault, now: datetime) -> None:
    database, _ = door
    old, *_ = await recovery_codes(database, now)
    new, *_ = await recovery_codes(database, now)
    access = Access(database, vault, lambda: now, QUICK)

    outcomes = [
        (await access.sign_in(login="nomsa", password=WORDS, code=code, client="::1")).outcome
        for code in (old, new)
    ]
    assert outcomes == ["refused", "in"]


async def verbs(database: Database) -> list[str]:
    return list(
        await database.read(
            lambda conn: conn.execute(select(audit.c.verb).order_by(audit.c.id)).scalars().all()
        )
    )


async def test_failures_are_written_down_for_known_and_unknown_logins_alike(
    door, vault: Vault, now: datetime
) -> None:
    database, secret = door
    access = Access(database, vault, lambda: now, QUICK)
    await enter(access, secret, now, login="nobody")
    await enter(access, secret, now, password=OTHER_WORDS)

    rows = await database.read(
        lambda conn: conn.execute(
            select(audit.c.actor_kind, audit.c.object_id).where(audit.c.verb == "sign_in_failed")
        ).all()
    )
    user = await database.read(lambda conn: users.by_login(conn, "nomsa"))
    blinded = vault.blind("login", "nobody")
    assert {tuple(row) for row in rows} == {("system", blinded), ("system", user.id)}


class Chat:
    """Notes who was asked about which sign-in."""

    def __init__(self, *, reaches: bool = True) -> None:
        self.asked: list[tuple[str, str]] = []
        self.reaches = reaches

    def __call__(self, conn: Connection, person_id: str, login: str, now: datetime) -> bool:
        self.asked.append((person_id, login))
        return self.reaches


async def say(database: Database, chat: Chat, number: str, now: datetime) -> str:
    person, login = chat.asked[-1]
    answer = partial(
        logins.answer_prompt, prompt_id=login, person_id=person, number=number, now=now
    )
    return (await database.write(answer))[0]


class Watched(PasswordHasher):
    """Counts what it is asked to compare, and with which settings the hash was made."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.compared: list[tuple[int, int, int]] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        made = extract_parameters(str(hash))
        self.compared.append((made.time_cost, made.memory_cost, made.hash_len))
        return super().verify(hash, password)


@pytest.mark.parametrize("way", ["code", "chat"])
async def test_every_try_costs_one_comparison_of_the_same_cost(
    door, vault: Vault, now: datetime, way: str
) -> None:
    """Known, unknown, ended, or without a password: the work, and so the time, is the same."""
    database, secret = door
    costs, writes = [], []
    for number, case in enumerate(("right", "wrong", "unknown", "void", "ended")):
        at = now + timedelta(hours=number)
        if case == "void":
            await database.write(
                lambda c, at=at: new_password(c, login="nomsa", vault=vault, now=at)
            )
        if case == "ended":
            await database.write(lambda c, at=at: end_user(c, login="nomsa", now=at))
        hasher = Watched()
        access = Access(database, vault, lambda at=at: at, hasher, ask=Chat())
        login = "nobody" if case == "unknown" else "nomsa"
        password = WORDS if case == "right" else OTHER_WORDS
        if way == "chat":
            await access.ask(login=login, password=password, client="::1")
        else:
            await enter(access, secret, at, login=login, password=password)
        costs.append(hasher.compared)
        writes.append(len(await verbs(database)))

    assert costs == [[(1, 8, 32)]] * 5
    right, wrong, unknown, *_ = writes
    assert unknown - wrong == wrong - right == 1  # one row in the audit, whoever it was


async def test_a_word_by_chat_stands_in_for_the_app(door, vault: Vault, now: datetime) -> None:
    database, _ = door
    chat = Chat()
    access = Access(database, vault, lambda: now, QUICK, ask=chat)

    asked = await access.ask(login="nomsa", password=WORDS, client="::1")
    early = await access.confirm(asked.token)
    assert await say(database, chat, asked.number, now) == "confirmed"
    elsewhere = await access.confirm("another browser's token")
    done = await access.confirm(asked.token)
    twice = await access.confirm(asked.token)

    assert (early.outcome, early.number) == ("waiting", asked.number)
    assert (elsewhere.outcome, done.outcome, twice.outcome) == ("refused", "in", "refused")
    assert done.how == "chat"
    signed_in = await access.who(done.token)
    assert signed_in is not None
    assert not signed_in.stepped_up(now)
    assert asked.number.isdecimal()
    assert len(asked.number) == 2
    assert "sign_in_chat" in await verbs(database)


async def test_chat_alone_is_never_enough_and_nothing_tells_that(
    door, vault: Vault, now: datetime
) -> None:
    database, _ = door
    chat = Chat()
    access = Access(database, vault, lambda: now, QUICK, ask=chat)

    for login, password in (("nomsa", OTHER_WORDS), ("nobody", WORDS), ("nomsa", "")):
        asked = await access.ask(login=login, password=password, client="::1")
        assert asked.outcome == "waiting"
        assert (await access.confirm(asked.token)).outcome == "waiting"

    assert chat.asked == []


async def test_another_number_or_too_long_a_wait_refuses(door, vault: Vault, now: datetime) -> None:
    database, _ = door
    chat, at = Chat(), [now]
    access = Access(database, vault, lambda: at[0], QUICK, ask=chat)

    asked = await access.ask(login="nomsa", password=WORDS, client="::1")
    wrong = "10" if asked.number != "10" else "11"
    assert await say(database, chat, wrong, now) == "refused"
    assert (await access.confirm(asked.token)).outcome == "refused"
    asked = await access.ask(login="nomsa", password=WORDS, client="::1")
    assert await say(database, chat, asked.number, now) == "confirmed"
    at[0] = now + LOGIN_LIFE
    assert (await access.confirm(asked.token)).outcome == "refused"


async def test_an_account_that_ended_meanwhile_does_not_go_on(
    door, vault: Vault, now: datetime
) -> None:
    database, _ = door
    chat = Chat()
    access = Access(database, vault, lambda: now, QUICK, ask=chat)
    asked = await access.ask(login="nomsa", password=WORDS, client="::1")
    await say(database, chat, asked.number, now)
    await database.write(lambda conn: end_user(conn, login="nomsa", now=now))

    assert (await access.confirm(asked.token)).outcome == "refused"


async def test_nobody_is_asked_again_and_again(door, vault: Vault, now: datetime) -> None:
    database, _ = door
    chat = Chat()
    access = Access(database, vault, lambda: now, QUICK, ask=chat)

    outcomes = [
        (await access.ask(login="nomsa", password=WORDS, client=f"10.0.0.{n}")).outcome
        for n in range(FAILURES + 1)
    ]

    assert outcomes == ["waiting"] * FAILURES + ["wait"]
    assert len(chat.asked) == FAILURES


async def test_a_confirmed_sign_in_is_no_failure(door, vault: Vault, now: datetime) -> None:
    database, _ = door
    chat = Chat()
    access = Access(database, vault, lambda: now, QUICK, ask=chat)

    for _ in range(FAILURES * 2):
        asked = await access.ask(login="nomsa", password=WORDS, client="::1")
        await say(database, chat, asked.number, now)
        assert (await access.confirm(asked.token)).outcome == "in"


async def test_where_there_is_no_chat_nobody_is_asked(door, vault: Vault, now: datetime) -> None:
    database, _ = door
    access = Access(database, vault, lambda: now, QUICK)

    assert not access.asks_by_chat
    with pytest.raises(LookupError):
        await access.ask(login="nomsa", password=WORDS, client="::1")


async def test_a_step_up_holds_five_minutes_in_its_own_session(
    door, vault: Vault, now: datetime
) -> None:
    database, secret = door
    at = [now]
    access = Access(database, vault, lambda: at[0], QUICK)
    here, there = await enter(access, secret, now), ""
    at[0] += timedelta(minutes=1)
    there = await enter(access, secret, at[0])
    at[0] += timedelta(minutes=1)
    signed_in = await access.who(here)
    assert signed_in is not None
    assert not signed_in.stepped_up(at[0])  # signing in is not proving oneself again

    code = pyotp.TOTP(secret).at(at[0])
    assert await access.step_up(signed_in, password=WORDS, code=code, client="::1") == "in"

    for token, moment, stands in (
        (here, at[0], True),
        (there, at[0], False),
        (here, at[0] + STEP_LIFE, True),
        (here, at[0] + STEP_LIFE + timedelta(seconds=1), False),
    ):
        found = await access.who(token)
        assert found is not None
        assert found.stepped_up(moment) is stands
    assert (await verbs(database)).count("step_up") == 1


async def test_a_step_up_needs_both_halves_and_a_fresh_code(
    door, vault: Vault, now: datetime
) -> None:
    database, secret = door
    access = Access(database, vault, lambda: now, QUICK)
    code = pyotp.TOTP(secret).at(now)
    signed_in = await access.who(await enter(access, secret, now))
    assert signed_in is not None

    tries = [(WORDS, code), (OTHER_WORDS, code), (WORDS, "000000"), ("", ""), (WORDS, "")]
    outcomes = [
        await access.step_up(signed_in, password=password, code=typed, client="::1")
        for password, typed in [*tries, (WORDS, code)]
    ]

    assert outcomes == ["refused"] * FAILURES + ["wait"]


async def test_one_session_is_ended_by_its_name(door, vault: Vault, now: datetime) -> None:
    database, secret = door
    at = [now]
    access = Access(database, vault, lambda: at[0], QUICK)
    tokens = []
    for _ in range(3):
        tokens.append(await enter(access, secret, at[0]))
        at[0] += timedelta(minutes=1)
    here = await access.who(tokens[2])
    assert here is not None
    listed = await access.sessions(here.user)
    name = next(session_name(s) for s in listed if s.digest == digest(tokens[0]))

    assert await access.end_one(here, name)
    assert not await access.end_one(here, name)
    assert not await access.end_one(here, "no name")

    alive = [await access.who(token) is not None for token in tokens]
    assert alive == [False, True, True]
    assert (await verbs(database)).count("session_ended") == 1


async def test_a_flood_from_everywhere_does_not_lock_out_who_was_here_before(
    door, vault: Vault, now: datetime
) -> None:
    database, secret = door
    at = [now]
    access = Access(database, vault, lambda: at[0], QUICK)
    assert await enter(access, secret, now)
    at[0] += timedelta(days=1)

    async def guess(number: int) -> str:
        result = await access.sign_in(
            login=f"nobody{number}", password=WORDS, code="1", client=f"10.0.{number}.1"
        )
        return result.outcome

    outcomes = [await guess(number) for number in range(ALL_FAILURES + 1)]

    assert outcomes == ["refused"] * ALL_FAILURES + ["wait"]
    assert await enter(access, secret, at[0])


async def test_many_guesses_at_once_are_counted_one_by_one(
    door, vault: Vault, now: datetime
) -> None:
    import asyncio  # noqa: PLC0415

    database, _ = door
    access = Access(database, vault, lambda: now, QUICK)

    results = await asyncio.gather(
        *(
            access.sign_in(login="nomsa", password=OTHER_WORDS, code="1", client=f"10.0.0.{n}")
            for n in range(20)
        )
    )

    assert sorted(r.outcome for r in results) == ["refused"] * 5 + ["wait"] * 15
