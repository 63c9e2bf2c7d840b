"""Codes an operator hands out: for a new account, and for one half of a login that was lost.

What a code is for is void at once and the account's sessions end. The half of a login that stays is
asked for on the set-up page, so that a code alone opens nothing (`bot.login.enrolling`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import Connection

from bot.login.enrolling import SetUp, issue
from bot.login.users import UserError, known, make_account
from flows.messages import ChannelName
from storage.keyring.vault import Vault
from storage.staff import logins, users
from storage.staff.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """What the operator hands the user: a code that the set-up page takes once within a day."""

    login: str
    code: str


def invite_user(
    conn: Connection,
    *,
    login: str,
    role: str,
    schools: Sequence[str],
    vault: Vault,
    now: datetime,
    person_address: str = "",
    accounts: Mapping[ChannelName, str] | None = None,
    ends_at: datetime | None = None,
) -> Coded:
    """Make an account that its owner sets up herself with the code. Arguments as `add_user`.

    Raises:
        UserError: A name cannot be taken; the message says why.
    """
    user = make_account(
        conn,
        login=login,
        role=role,
        schools=schools,
        vault=vault,
        now=now,
        secret=pyotp.random_base32(),  # nobody sees it; the set-up page makes the one she uses
        person_address=person_address,
        accounts=accounts,
        ends_at=ends_at,
    )
    return _coded(conn, user, "invite", vault=vault, now=now)


def first_code(conn: Connection, *, vault: Vault, now: datetime) -> str:
    """The code with which the first account is made on the set-up page.

    Raises:
        UserError: There is an account already.
    """
    if logins.any_user(conn, now=now):
        raise UserError("There is an account already. Make the next one with: users add")
    return issue(conn, "first", user_id=None, vault=vault, now=now)


def new_password(conn: Connection, *, login: str, vault: Vault, now: datetime) -> Coded:
    """Void a user's password and end her sessions; with her authenticator she sets a new one.

    Raises:
        UserError: There is no such login, or it waits for something else.
    """
    user = _settled(conn, login, "password", now)
    users.set_password(conn, user_id=user.id, password_hash="")  # empty: it fits nothing  # nosec B106
    return _coded(conn, user, "password", vault=vault, now=now)


def new_authenticator(conn: Connection, *, login: str, vault: Vault, now: datetime) -> Coded:
    """Void the authenticator of a lost phone, with its recovery codes, and end her sessions.

    With her password she sets up a new one.

    Raises:
        UserError: There is no such login, or it waits for something else.
    """
    user = _settled(conn, login, "authenticator", now)
    unseen = vault.seal(pyotp.random_base32(), table="users", column="totp_secret", row=user.id)
    users.set_totp(conn, user_id=user.id, secret=unseen)
    logins.drop_codes(conn, user.id, ("recovery",))
    return _coded(conn, user, "authenticator", vault=vault, now=now)


def new_code(conn: Connection, *, login: str, vault: Vault, now: datetime) -> Coded:
    """Another code for what an account still waits for, when the first one was lost or too old.

    Raises:
        UserError: There is no such login, or it waits for nothing.
    """
    user = known(conn, login)
    kinds: dict[str, SetUp] = {k: k for k in ("invite", "password", "authenticator")}
    kind = kinds.get(user.waits_for or "")
    if kind is None or not user.usable(now):
        raise UserError(f"{user.login} waits for no code. See: users list")
    return _coded(conn, user, kind, vault=vault, now=now)


def _settled(conn: Connection, login: str, kind: SetUp, now: datetime) -> User:
    """An open account that waits for nothing, or for just this: never both halves at once."""
    user = known(conn, login)
    if not user.usable(now):
        raise UserError(f"{user.login} is ended.")
    if user.waits_for not in (None, kind):
        raise UserError(
            f"{user.login} has yet to set up: {user.waits_for}. Another code: users code "
            f"{user.login}. Who lost both halves of a login gets a new account: users end, users "
            "add."
        )
    return user


def _coded(conn: Connection, user: User, kind: SetUp, *, vault: Vault, now: datetime) -> Coded:
    users.wait_for(conn, user_id=user.id, what=kind)
    users.end_sessions(conn, user_id=user.id, now=now)
    code = issue(conn, kind, user_id=user.id, vault=vault, now=now)
    return Coded(login=user.login, code=code)
