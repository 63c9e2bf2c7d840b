"""Codes an operator hands out: what each makes void, and that none replaces both halves."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, select

from bot.login.proofs import code_digest
from bot.login.user_codes import first_code, invite_user, new_authenticator, new_code, new_password
from bot.login.users import UserError, add_user, end_user, list_users
from storage.engines import parse_url, writing_engine
from storage.families import people
from storage.keyring.vault import Vault
from storage.schema import user_codes
from storage.staff import logins, users
from storage.staff.logins import Code
from storage.staff.users import User

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
DAY = timedelta(hours=24)


@pytest.fixture
def conn(sqlite_url: str, now: datetime) -> Iterator[Connection]:
    """An open transaction with a school."""
    engine = writing_engine(*parse_url(sqlite_url))
    with engine.begin() as connection:
        programme = people.ensure_programme(connection, name="P", now=now)
        people.ensure_school(connection, programme_id=programme, name="Hill", now=now)
        yield connection
    engine.dispose()


def add(conn: Connection, vault: Vault, now: datetime) -> User:
    """An account that is ready, with a session and a recovery code."""
    add_user(
        conn,
        login="nomsa",
        role="tech",
        schools=[],
        password="seven green bicycles",  # noqa: S106
        vault=vault,
        now=now,
        hasher=QUICK,
    )
    user = hers(conn)
    users.open_session(conn, digest="s", user_id=user.id, now=now)
    code = Code(
        id="1" * 32,
        user_id=user.id,
        kind="recovery",
        digest="r",
        secret=None,
        expires_at=None,
    )
    logins.add_codes(conn, [code], now=now)
    return user


def hers(conn: Connection) -> User:
    user = users.by_login(conn, "nomsa")
    assert user is not None
    return user


def live(conn: Connection, typed: str, now: datetime) -> Code | None:
    return logins.live_code(conn, code_digest(typed) or "", now=now)


def test_an_invited_account_has_no_password_until_its_owner_sets_one(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    made = invite_user(
        conn, login="Nomsa", role="coordinator", schools=["Hill"], vault=vault, now=now
    )

    user, code = hers(conn), live(conn, made.code, now)
    assert (made.login, user.password_hash, user.waits_for) == ("nomsa", "", "invite")
    assert code is not None
    assert (code.kind, code.user_id) == ("invite", user.id)
    assert live(conn, made.code, now + DAY) is None
    assert list_users(conn, now=now)[0]["state"] == "waits for invite"
    stored = conn.execute(select(user_codes.c.digest)).scalars().all()
    assert made.code not in "".join(stored)


def test_the_first_code_is_for_an_empty_house(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    old, new = (first_code(conn, vault=vault, now=now) for _ in range(2))

    found = live(conn, new, now)
    assert found is not None
    assert (found.kind, found.user_id) == ("first", None)
    assert live(conn, old, now) is None
    add(conn, vault, now)
    with pytest.raises(UserError, match="already"):
        first_code(conn, vault=vault, now=now)
    end_user(conn, login="nomsa", now=now)
    assert first_code(conn, vault=vault, now=now)


def test_a_password_code_voids_the_password_and_keeps_the_rest(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    before = add(conn, vault, now)
    made = new_password(conn, login="nomsa", vault=vault, now=now)

    after, code = hers(conn), live(conn, made.code, now)
    assert (after.password_hash, after.waits_for) == ("", "password")
    assert after.totp_secret == before.totp_secret
    assert logins.recovery_left(conn, after.id) == 1
    assert users.session(conn, "s") is None
    assert code is not None
    assert code.secret is None


def test_an_authenticator_code_voids_it_with_its_recovery_codes(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    before = add(conn, vault, now)
    made = new_authenticator(conn, login="nomsa", vault=vault, now=now)

    after, code = hers(conn), live(conn, made.code, now)
    assert (after.password_hash, after.waits_for) == (before.password_hash, "authenticator")
    assert logins.recovery_left(conn, after.id) == 0
    assert users.session(conn, "s") is None
    assert code is not None
    secrets = {
        vault.open(before.totp_secret, table="users", column="totp_secret", row=before.id),
        vault.open(after.totp_secret, table="users", column="totp_secret", row=after.id),
        vault.open(code.secret or b"", table="user_codes", column="secret", row=code.id),
    }
    assert len(secrets) == 3


def test_both_halves_are_never_open_at_once(conn: Connection, vault: Vault, now: datetime) -> None:
    add(conn, vault, now)
    new_password(conn, login="nomsa", vault=vault, now=now)

    with pytest.raises(UserError, match="users code"):
        new_authenticator(conn, login="nomsa", vault=vault, now=now)
    assert hers(conn).waits_for == "password"


def test_another_code_voids_the_one_before(conn: Connection, vault: Vault, now: datetime) -> None:
    add(conn, vault, now)
    first = new_authenticator(conn, login="nomsa", vault=vault, now=now)
    second = new_code(conn, login="Nomsa ", vault=vault, now=now)

    found = live(conn, second.code, now)
    assert found is not None
    assert found.kind == "authenticator"
    assert live(conn, first.code, now) is None


def test_no_code_for_what_waits_for_nothing_or_is_over(
    conn: Connection, vault: Vault, now: datetime
) -> None:
    add(conn, vault, now)
    with pytest.raises(UserError, match="waits for no code"):
        new_code(conn, login="nomsa", vault=vault, now=now)
    end_user(conn, login="nomsa", now=now)
    with pytest.raises(UserError, match="is ended"):
        new_password(conn, login="nomsa", vault=vault, now=now)
    with pytest.raises(UserError, match="no login"):
        new_authenticator(conn, login="other", vault=vault, now=now)
