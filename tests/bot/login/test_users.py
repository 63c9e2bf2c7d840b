"""Accounts: what is taken, what is refused and why, whose person a user is."""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, select

from bot.login import users as commands
from bot.login.user_codes import new_password
from bot.login.users import UserError, add_user, end_user, list_users, reopen_user
from storage.engines import parse_url, writing_engine
from storage.families import people
from storage.keyring.vault import Vault
from storage.schema import audit
from storage.scope import system
from storage.staff import users

ZONE = ZoneInfo("Africa/Johannesburg")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WORDS = "seven green bicycles"
ACCOUNTS = {"telegram": "1000", "sms": "+27000000000"}


@pytest.fixture
def conn(sqlite_url: str, now: datetime) -> Iterator[Connection]:
    """An open transaction with two schools."""
    engine = writing_engine(*parse_url(sqlite_url))
    with engine.begin() as connection:
        programme = people.ensure_programme(connection, name="P", now=now)
        for name in ("Hill", "River"):
            people.ensure_school(connection, programme_id=programme, name=name, now=now)
        yield connection
    engine.dispose()


def add(conn: Connection, vault: Vault, now: datetime, **changes: object) -> commands.Enrolled:
    wanted: dict[str, object] = {
        "login": "nomsa",
        "role": "coordinator",
        "schools": ["Hill"],
        "password": WORDS,
        "accounts": ACCOUNTS,
    }
    return add_user(conn, vault=vault, now=now, hasher=QUICK, **(wanted | changes))  # type: ignore[arg-type]


def test_a_user_gets_a_password_and_an_authenticator(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    made = add(conn, vault, now, login=" Nomsa@hill ")

    user = users.by_login(conn, "nomsa@hill")
    assert user is not None
    secret = vault.open(user.totp_secret, table="users", column="totp_secret", row=user.id)
    assert pyotp.parse_uri(made.uri).secret == secret
    assert QUICK.verify(user.password_hash, WORDS)
    assert len(made.qr.splitlines()) > 10
    assert WORDS not in user.password_hash


def test_a_coordinator_is_on_the_team_of_her_school(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    add(conn, vault, now, person_address="telegram:55")

    user = users.by_login(conn, "nomsa")
    assert user is not None
    team = people.staff(conn, user.schools, scope=system("test"), roles=["coordinator"], now=now)
    assert [(m.person_id, m.addresses[0].channel) for m in team] == [(user.person_id, "telegram")]


def test_an_address_on_the_staff_list_is_the_same_person(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    add(conn, vault, now, person_address="telegram:55")
    add(conn, vault, now, login="second", schools=["River"], person_address="telegram:55")

    first, second = users.by_login(conn, "nomsa"), users.by_login(conn, "second")
    assert first is not None
    assert second is not None
    assert first.person_id == second.person_id


def test_tech_is_nobody_with_a_case(conn: Connection, vault: Vault, now: datetime) -> None:
    add(conn, vault, now, role="tech", schools=[])

    user = users.by_login(conn, "nomsa")
    assert user is not None
    assert (user.person_id, user.schools) == (None, frozenset())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"login": "n"}, "2 to 63"),
        ({"login": "no msa"}, "2 to 63"),
        ({"role": "boss"}, "no role 'boss'"),
        ({"schools": []}, "at least one --school"),
        ({"schools": ["Hill", "Lake"]}, "no school called 'Lake'"),
        ({"role": "tech"}, "for no school of its own"),
        ({"password": "short words"}, "12 to 500"),
        ({"password": "x" * 501}, "12 to 500"),
        ({"password": "aaaaaaaabbbb"}, "first that are guessed"),
        ({"password": "Password1234"}, "first that are guessed"),
        ({"password": "nomsanomsa12"}, "first that are guessed"),
        ({"person_address": "55"}, "is no address"),
        ({"person_address": "pigeon:55"}, "is no address"),
        ({"person_address": "telegram:"}, "is no address"),
        ({"person_address": "whatsapp:+27000000009"}, "whatsapp is not set up"),
    ],
)
def test_what_is_refused_says_why(
    conn: Connection, vault: Vault, now: datetime, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        add(conn, vault, now, **changes)

    assert users.everyone(conn) == []


def test_a_login_is_given_once(conn: Connection, vault: Vault, now: datetime) -> None:
    add(conn, vault, now)

    with pytest.raises(UserError, match="already a login"):
        add(conn, vault, now, login="NOMSA")


def test_a_school_name_in_two_programmes_is_not_guessed(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    other = people.ensure_programme(conn, name="Q", now=now)
    people.ensure_school(conn, programme_id=other, name="Hill", now=now)

    with pytest.raises(UserError, match="more than one school"):
        add(conn, vault, now)


def test_a_familys_address_is_not_a_users(conn: Connection, vault: Vault, now: datetime) -> None:
    programme = people.ensure_programme(conn, name="P", now=now)
    caregiver = people.add_person(
        conn, kind="caregiver", programme_id=programme, now=now, vault=vault
    )
    people.add_address(
        conn,
        person_id=caregiver,
        channel="sms",
        account="+27000000000",
        value="+27000000005",
        vault=vault,
        now=now,
    )

    with pytest.raises(UserError, match="not staff"):
        add(conn, vault, now, person_address="sms:+27000000005")


def test_accounts_are_listed_and_end(conn: Connection, vault: Vault, now: datetime) -> None:
    add(conn, vault, now, schools=["Hill", "River"], ends_at=now + timedelta(days=1))
    add(conn, vault, now, login="other")

    assert end_user(conn, login="Other", now=now)
    assert not end_user(conn, login="other", now=now)

    listed = list_users(conn, now=now)
    assert [(u["login"], u["state"], u["ends"]) for u in listed] == [
        ("nomsa", "open", "2026-02-03"),
        ("other", "ended", "2027-02-02"),
    ]
    assert listed[0]["schools"] == ["Hill", "River"]
    assert list_users(conn, now=now + timedelta(days=1))[0]["state"] == "ended"


def test_an_unknown_login_is_named(conn: Connection, now: datetime) -> None:
    with pytest.raises(UserError, match="no login 'nobody'"):
        end_user(conn, login="nobody", now=now)


def test_what_an_operator_does_is_written_down(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    add(conn, vault, now)
    new_password(conn, login="nomsa", vault=vault, now=now)
    end_user(conn, login="nomsa", now=now)

    verbs = conn.execute(select(audit.c.verb).order_by(audit.c.id)).scalars().all()
    assert sorted(verbs) == ["added", "code_password", "ended"]


class Terminal(io.StringIO):
    """Standard input that is, or is not, somebody's keyboard."""

    def __init__(self, text: str, *, keyboard: bool) -> None:
        super().__init__(text)
        self.keyboard = keyboard

    def isatty(self) -> bool:
        return self.keyboard


def test_a_piped_password_is_the_first_line() -> None:
    piped = Terminal("seven green bicycles \r\nmore\n", keyboard=False)

    assert commands.read_password(piped) == "seven green bicycles "


def test_a_typed_password_is_asked_twice() -> None:
    typed = iter(["one", "two", "same", "same"])
    keyboard = Terminal("", keyboard=True)

    with pytest.raises(UserError, match="differ"):
        commands.read_password(keyboard, ask=lambda _: next(typed))
    assert commands.read_password(keyboard, ask=lambda _: next(typed)) == "same"


def test_an_account_lasts_a_year_unless_told(conn: Connection, vault: Vault, now: datetime) -> None:
    add(conn, vault, now)

    user = users.by_login(conn, "nomsa")
    assert user is not None
    assert user.ends_at == now + timedelta(days=365)
    assert (user.usable(now + timedelta(days=364)), user.usable(user.ends_at)) == (True, False)


def test_who_is_ended_leaves_the_team_and_may_come_back(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    add(conn, vault, now, person_address="telegram:55")
    user = users.by_login(conn, "nomsa")
    assert user is not None
    later = now + timedelta(days=2)

    def team(at: datetime) -> int:
        found = people.staff(
            conn, user.schools, scope=system("test"), roles=["coordinator"], now=at
        )
        return len(found)

    before = team(now)
    end_user(conn, login="nomsa", now=now)
    between = team(now + timedelta(seconds=1))
    opened = reopen_user(conn, login="nomsa", ends="2026-06-30", zone=ZONE, now=later)

    assert (before, between, team(later)) == (1, 0, 1)
    assert opened.usable(later)
    assert list_users(conn, now=later)[0] | {"schools": []} == {
        "login": "nomsa",
        "role": "coordinator",
        "schools": [],
        "state": "open",
        "ends": "2026-06-30",
        "used": "2026-02-04",
    }


@pytest.mark.parametrize(("ends", "said"), [("2026-02-01", "is past"), ("soon", "is no day")])
def test_an_account_is_not_opened_until_a_day_that_does_not_do(
    conn: Connection, vault: Vault, now: datetime, ends: str, said: str
) -> None:
    add(conn, vault, now)

    with pytest.raises(UserError, match=said):
        reopen_user(conn, login="nomsa", ends=ends, zone=ZONE, now=now)
