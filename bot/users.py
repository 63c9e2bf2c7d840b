"""The `users` commands: who may sign in to the dashboard.

The second factor is set up when the account is made: the authenticator's secret is shown once, as a
QR code for the terminal, and stored sealed. A new password never replaces the second factor.
"""

import getpass
import io
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

import pyotp
import segno
from argon2 import PasswordHasher
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.access import ISSUER, strong_hasher
from flows.messages import ChannelName
from storage import users
from storage.audit import record, row
from storage.ids import new_id
from storage.people import add_address, add_person, grant_role, person_at
from storage.scope import system
from storage.users import SchoolRef, User
from storage.vault import Vault

ROLES = ("coordinator", "social_worker", "supervisor", "tech")
"""The dashboard's roles; a test compares them with its policy."""
NO_PERSON = "tech"
"""The role that never has a case, and so is nobody of the team's list."""
SHORTEST = 12
LONGEST = 500
FEWEST_DIFFERENT = 6
COMMON = ("password", "qwerty", "123456", "iloveyou", "welcome", "letmein", "admin", "child", "cwb")
"""What guessers try first, and our own context; a password that is little else is refused."""
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")


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


def check_password(password: str, *, login: str) -> None:
    """Refuse what guessers find first (ASVS 5.0, 6.2.1-6.2.12).

    Raises:
        UserError: It is too short or too long, repeats itself, or is a common word with padding.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(
            f"A password needs {SHORTEST} to {LONGEST} characters. Several words are easy to keep."
        )
    lowered = password.lower()
    rest = lowered
    for word in (*COMMON, login.lower()):
        rest = rest.replace(word, "")
    if len(set(lowered)) < FEWEST_DIFFERENT or len(set(rest)) < FEWEST_DIFFERENT:
        raise UserError("This password is among the first that are guessed. Choose other words.")


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
    """Make an account with a password and an authenticator.

    Args:
        conn: Open write transaction.
        login: 2 to 63 of a-z, 0-9, dot, dash, underscore, @; upper case is lowered.
        role: One of `ROLES`.
        schools: Names of the schools she may see; none for `tech`.
        password: At least 12 characters.
        vault: Seals the authenticator's secret.
        now: Aware, UTC.
        person_address: `telegram:123`, `sms:+27...`, `whatsapp:+27...`: whose alerts by chat and
            on the dashboard are the same person's. Empty: a person is made without an address.
        accounts: Our own account by channel; needed with `person_address`.
        ends_at: When the account ends by itself.
        hasher: How passwords are hashed; None for the strong default.

    Raises:
        UserError: A name or the password cannot be taken; the message says why.
    """
    login = login.strip().lower()
    if LOGIN.fullmatch(login) is None:
        raise UserError(
            "A login has 2 to 63 of these: a-z 0-9 . - _ @, and begins with a-z or 0-9."
        )
    if role not in ROLES:
        raise UserError(f"There is no role {role!r}. Roles: {', '.join(ROLES)}.")
    check_password(password, login=login)
    places = _places(conn, schools, role)
    person_id = None
    if role != NO_PERSON:
        person_id = _person(
            conn,
            places,
            role=role,
            address=person_address,
            accounts=accounts or {},
            vault=vault,
            now=now,
        )
    secret = pyotp.random_base32()
    user_id = new_id(now)
    user = User(
        id=user_id,
        login=login,
        person_id=person_id,
        role=role,
        schools=frozenset(place.id for place in places),
        password_hash=(hasher or strong_hasher()).hash(password),
        totp_secret=vault.seal(secret, table="users", column="totp_secret", row=user_id),
        totp_last=0,
        created_at=now,
        ends_at=ends_at,
        disabled_at=None,
    )
    try:
        with conn.begin_nested():
            users.add(conn, user)
    except IntegrityError as error:
        raise UserError(f"There is already a login {login!r}.") from error
    _note(conn, "added", user_id, now)
    return _enrolled(login, secret)


def set_password(
    conn: Connection,
    *,
    login: str,
    password: str,
    now: datetime,
    hasher: PasswordHasher | None = None,
) -> None:
    """Give a user a new password and end her sessions; her authenticator stays.

    Raises:
        UserError: There is no such login, or the password cannot be taken.
    """
    user = _known(conn, login)
    check_password(password, login=user.login)
    made = (hasher or strong_hasher()).hash(password)
    users.set_password(conn, user_id=user.id, password_hash=made)
    users.end_sessions(conn, user_id=user.id, now=now)
    _note(conn, "password_set", user.id, now)


def set_authenticator(conn: Connection, *, login: str, vault: Vault, now: datetime) -> Enrolled:
    """Give a user who lost her phone a new authenticator and end her sessions.

    Raises:
        UserError: There is no such login.
    """
    user = _known(conn, login)
    secret = pyotp.random_base32()
    sealed = vault.seal(secret, table="users", column="totp_secret", row=user.id)
    users.set_totp(conn, user_id=user.id, secret=sealed)
    users.end_sessions(conn, user_id=user.id, now=now)
    _note(conn, "authenticator_set", user.id, now)
    return _enrolled(user.login, secret)


def end_user(conn: Connection, *, login: str, now: datetime) -> bool:
    """End an account and its sessions at once; False if it was ended before.

    Raises:
        UserError: There is no such login.
    """
    user = _known(conn, login)
    ended = users.end(conn, user_id=user.id, now=now)
    _note(conn, "ended", user.id, now)
    return ended


def list_users(conn: Connection, *, now: datetime) -> list[dict[str, str | list[str] | None]]:
    """All accounts as plain values for a table or JSON: login, role, schools, state, ends."""
    return [
        {
            "login": user.login,
            "role": user.role,
            "schools": list(users.school_names(conn, user.schools)),
            "state": "open" if user.usable(now) else "ended",
            "ends": user.ends_at.date().isoformat() if user.ends_at else None,
        }
        for user in users.everyone(conn)
    ]


def _known(conn: Connection, login: str) -> User:
    user = users.by_login(conn, login.strip().lower())
    if user is None:
        raise UserError(f"There is no login {login!r}. See: users list")
    return user


def _places(conn: Connection, names: Sequence[str], role: str) -> list[SchoolRef]:
    """The schools of these names, each found exactly once."""
    if role == NO_PERSON:
        if names:
            raise UserError("The role tech sees no school: leave --school out.")
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
    uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)
    drawn = io.StringIO()
    segno.make(uri, error="m").terminal(out=drawn, compact=True)
    return Enrolled(login=login, uri=uri, qr=drawn.getvalue())


def _note(conn: Connection, verb: str, user_id: str, now: datetime) -> None:
    record(conn, [row(system("users"), verb, "users", user_id, id=new_id(now), at=now)])
