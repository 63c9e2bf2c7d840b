"""What the door of the dashboard is made of: codes, client networks, hashes that are renewed."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection

from bot.access import Access, decoy, digest, matching_step, network, strong_hasher
from bot.users import add_user, end_user, set_authenticator, set_password
from storage import people, users
from storage.database import Database
from storage.vault import Vault

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


def test_the_decoy_costs_what_a_real_password_costs() -> None:
    assert not QUICK.check_needs_rehash(decoy(QUICK))
    assert decoy(QUICK) is decoy(QUICK)


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


async def test_a_new_password_ends_sessions_and_keeps_the_authenticator(
    door, vault: Vault, now: datetime
) -> None:
    database, secret = door
    access = Access(database, vault, lambda: now, QUICK)
    token = await enter(access, secret, now)
    await database.write(
        lambda conn: set_password(conn, login="nomsa", password=OTHER_WORDS, now=now, hasher=QUICK)
    )

    assert await access.who(token) is None
    later = now + timedelta(minutes=1)
    access = Access(database, vault, lambda: later, QUICK)
    assert await enter(access, secret, later) == ""
    assert await enter(access, secret, later, password=OTHER_WORDS)


async def test_a_new_authenticator_replaces_the_old_one(door, vault: Vault, now: datetime) -> None:
    database, old = door
    made = await database.write(
        lambda conn: set_authenticator(conn, login="nomsa", vault=vault, now=now)
    )
    access = Access(database, vault, lambda: now, QUICK)

    assert await enter(access, old, now) == ""
    assert await enter(access, pyotp.parse_uri(made.uri).secret, now)


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
