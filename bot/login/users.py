"""Accounts of the dashboard: who may sign in.

An account is made with a one-time code (`user_codes`): its owner chooses her password and sets up
her authenticator on the dashboard's set-up page. `add_user` makes one that is ready at once, for
the demo, for tests, and for `users add --password-stdin`.
"""

import getpass
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

import pyotp
from argon2 import PasswordHasher
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.login.enrolling import LOGIN
from bot.login.lifetimes import LIFETIME, EndError, end_of
from bot.login.passwords import SHORTEST, fault_of
from bot.login.proofs import authenticator_uri, strong_hasher
from flows.messages import ChannelName
from storage.families.people import add_address, add_person, grant_role, person_at
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.scope import system
from storage.staff import accounts as account_rows
from storage.staff import logins, users
from storage.staff.users import SchoolRef, User
from storage.trail.audit import record, row

TEAM = ("coordinator", "social_worker", "supervisor")
"""The roles that work with families of named schools, and so stand on the team's list."""
ROLES = (*TEAM, "manager", "data_officer", "researcher", "auditor", "tech")
"""The roles that sign in; a test compares them with the policy."""


class UserError(Exception):
    """An account cannot be made or changed; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What the operator shows the new user once.

    Attributes:
        login: Her login.
        uri: `otpauth://` address for an authenticator app.
        qr: The same as a QR code in terminal characters.
    """

    login: str
    uri: str
    qr: str


def read_password(source: TextIO | None = None, ask: Callable[[str], str] = getpass.getpass) -> str:
    """A password: asked twice at a terminal, else the first line of the source.

    Args:
        source: Where it comes from; None for standard input.
        ask: Asks without showing what is typed.

    Raises:
        UserError: The two differ.
    """
    source = source or sys.stdin
    if not source.isatty():
        return source.readline().rstrip("\r\n")
    password = ask(f"Password (at least {SHORTEST} characters): ")
    if ask("The same again: ") != password:
        raise UserError("The two passwords differ. Try again.")
    return password


def add_user(
    conn: Connection,
    *,
    login: str,
    role: str,
    schools: Sequence[str],
    password: str,
    vault: Vault,
    now: datetime,
    person_address: str = "",
    accounts: Mapping[ChannelName, str] | None = None,
    ends_at: datetime | None = None,
    hasher: PasswordHasher | None = None,
) -> Enrolled:
    """Make an account that is ready, with a password somebody else has chosen.

    Args:
        conn: Open write transaction.
        login: 2 to 63 of a-z, 0-9, dot, dash, underscore, @; upper case is lowered.
        role: One of `ROLES`.
        schools: Names of the schools she works for; none for a role outside the team.
        password: At least 12 characters.
        vault: Seals the authenticator's secret.
        now: Aware, UTC.
        person_address: `telegram:123`, `sms:+27...`, `whatsapp:+27...`: whose alerts by chat and
            on the dashboard are the same person's. Empty: a person is made without an address.
        accounts: Our own account by channel; needed with `person_address`.
        ends_at: When the account ends by itself; in a year unless told.
        hasher: How passwords are hashed; None for the strong default.

    Raises:
        UserError: A name or the password cannot be taken; the message says why.
    """
    fault = fault_of(
        password, login=login.strip().lower(), context=[*schools, *logins.context_names(conn, ())]
    )
    if fault:
        raise UserError(fault)
    secret = pyotp.random_base32()
    user = make_account(
        conn,
        login=login,
        role=role,
        schools=schools,
        vault=vault,
        now=now,
        secret=secret,
        person_address=person_address,
        accounts=accounts,
        ends_at=ends_at,
    )
    made = (hasher or strong_hasher()).hash(password)
    users.set_password(conn, user_id=user.id, password_hash=made)
    return _enrolled(user.login, secret)


def make_account(
    conn: Connection,
    *,
    login: str,
    role: str,
    schools: Sequence[str],
    vault: Vault,
    now: datetime,
    secret: str,
    person_address: str,
    accounts: Mapping[ChannelName, str] | None,
    ends_at: datetime | None,
) -> User:
    """An account without a password, and the member of staff it belongs to; see `add_user`.

    Raises:
        UserError: A name cannot be taken; the message says why.
    """
    login = login.strip().lower()
    if LOGIN.fullmatch(login) is None:
        raise UserError(
            "A login has 2 to 63 of these: a-z 0-9 . - _ @, and begins with a-z or 0-9."
        )
    if role not in ROLES:
        raise UserError(f"There is no role {role!r}. Roles: {', '.join(ROLES)}.")
    places = _places(conn, schools, role)
    person_id = None
    if role in TEAM:
        person_id = _person(
            conn,
            places,
            role=role,
            address=person_address,
            accounts=accounts or {},
            vault=vault,
            now=now,
        )
    user_id = new_id(now)
    user = User(
        id=user_id,
        login=login,
        person_id=person_id,
        role=role,
        schools=frozenset(place.id for place in places),
        password_hash="",  # empty: it fits nothing  # nosec B106
        totp_secret=vault.seal(secret, table="users", column="totp_secret", row=user_id),
        totp_last=0,
        created_at=now,
        ends_at=ends_at or now + LIFETIME,
        disabled_at=None,
    )
    try:
        with conn.begin_nested():
            users.add(conn, user)
    except IntegrityError as error:
        raise UserError(f"There is already a login {login!r}.") from error
    _note(conn, "added", user_id, now)
    return user


def end_user(conn: Connection, *, login: str, now: datetime) -> bool:
    """End an account and its sessions at once; False if it was ended before.

    She leaves the team's list, and what she had accepted goes back to the others.

    Raises:
        UserError: There is no such login.
    """
    user = known(conn, login)
    ended = users.end(conn, user_id=user.id, now=now)
    account_rows.hand_over(conn, user.person_id, now=now, new_id=new_id, purpose="account_ended")
    _note(conn, "ended", user.id, now)
    return ended


def reopen_user(conn: Connection, *, login: str, ends: str, zone: ZoneInfo, now: datetime) -> User:
    """Open an account again, or give it another last day; her password stays what it was.

    A member of the team is put back on the list of her schools.

    Args:
        conn: Open write transaction.
        login: Whose.
        ends: The last day, as 2027-06-30; a year from now if empty.
        zone: Where days end.
        now: Aware, UTC.

    Raises:
        UserError: There is no such login, or an account cannot end then.
    """
    user = known(conn, login)
    try:
        ends_at = end_of(ends, now=now, zone=zone)
    except EndError as error:
        raise UserError(str(error)) from error
    account_rows.reopen(conn, user.id, ends_at=ends_at, now=now)
    for school_id in sorted(user.schools) if user.person_id else ():
        grant_role(
            conn, person_id=str(user.person_id), school_id=school_id, role=user.role, now=now
        )
    _note(conn, "reopened", user.id, now)
    return replace(user, ends_at=ends_at, disabled_at=None, reopened_at=now)


def list_users(conn: Connection, *, now: datetime) -> list[dict[str, str | list[str] | None]]:
    """All accounts as plain values for a table or JSON.

    They are login, role, schools, state, the day it ends, and for open ones the day of last use.
    """
    used = {account.id: account.used_at for account in account_rows.open_accounts(conn)}
    return [
        {
            "login": user.login,
            "role": user.role,
            "schools": list(users.school_names(conn, user.schools)),
            "state": _state(user, now),
            "ends": user.ends_at.date().isoformat() if user.ends_at else None,
            "used": used[user.id].date().isoformat() if user.id in used else None,
        }
        for user in users.everyone(conn)
    ]


def _state(user: User, now: datetime) -> str:
    if not user.usable(now):
        return "ended"
    return f"waits for {user.waits_for}" if user.waits_for else "open"


def known(conn: Connection, login: str) -> User:
    """The account of a login. Raises UserError where there is none."""
    user = users.by_login(conn, login.strip().lower())
    if user is None:
        raise UserError(f"There is no login {login!r}. See: users list")
    return user


def _places(conn: Connection, names: Sequence[str], role: str) -> list[SchoolRef]:
    """The schools of these names, each found exactly once."""
    if role not in TEAM:
        if names:
            raise UserError(f"The role {role} is for no school of its own: leave --school out.")
        return []
    if not names:
        raise UserError(f"The role {role} needs at least one --school.")
    found = users.schools_named(conn, names)
    for name in names:
        times = sum(place.name == name for place in found)
        if times != 1:
            problem = "no school" if times == 0 else "more than one school"
            raise UserError(f"There is {problem} called {name!r}. Check the class list's spelling.")
    return found


def _person(
    conn: Connection,
    places: Sequence[SchoolRef],
    *,
    role: str,
    address: str,
    accounts: Mapping[ChannelName, str],
    vault: Vault,
    now: datetime,
) -> str:
    """The member of staff she is: who answers at the address, or somebody new."""
    channel, value = _address(address) if address else (None, "")
    person_id = None
    if channel is not None:
        if channel not in accounts:
            raise UserError(f"{channel} is not set up here, so {address!r} means nobody yet.")
        at = person_at(
            conn,
            system("users"),
            channel=channel,
            account=accounts[channel],
            value=value,
            vault=vault,
        )
        if at is not None and at.kind != "staff":
            raise UserError(f"{address!r} belongs to somebody who is not staff.")
        person_id = at.id if at else None
    if person_id is None:
        person_id = add_person(
            conn,
            kind="staff",
            programme_id=places[0].programme_id,
            school_id=places[0].id,
            now=now,
            vault=vault,
        )
        if channel is not None:
            add_address(
                conn,
                person_id=person_id,
                channel=channel,
                account=accounts[channel],
                value=value,
                vault=vault,
                now=now,
            )
    for place in places:
        grant_role(conn, person_id=person_id, school_id=place.id, role=role, now=now)
    return person_id


def _address(text: str) -> tuple[ChannelName, str]:
    kind, _, value = text.partition(":")
    if kind not in ("sms", "whatsapp", "telegram") or not value:
        raise UserError(
            f"{text!r} is no address. Write telegram:123456, sms:+27... or whatsapp:+27..."
        )
    return kind, value  # type: ignore[return-value]


def _enrolled(login: str, secret: str) -> Enrolled:
    import segno  # noqa: PLC0415 - ten milliseconds that only whoever shows a code waits for

    uri = authenticator_uri(login, secret)
    drawn = io.StringIO()
    segno.make(uri, error="m").terminal(out=drawn, compact=True)
    return Enrolled(login=login, uri=uri, qr=drawn.getvalue())


def _note(conn: Connection, verb: str, user_id: str, now: datetime) -> None:
    record(conn, [row(system("users"), verb, "users", user_id, id=new_id(now), at=now)])
