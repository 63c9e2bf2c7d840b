"""The `users` commands that make accounts and hand out one-time codes."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.app import now
from bot.commands import GOOD, out, with_database
from bot.login import user_codes, users
from bot.login.lifetimes import end_of
from bot.login.user_codes import Coded
from bot.settings import Settings
from bot.turns.world import World

SET_UP = "/dashboard/setup"


def first(settings: Settings) -> int:
    """`users first`: a code for the first account of all."""
    code = with_database(settings, lambda c, w: user_codes.first_code(c, vault=w.vault, now=now()))
    out(code)
    out(f"Open {settings.base_url}{SET_UP}, type it in, choose a login and a password.")
    out("It works once, within 24 hours. It is shown only now.")
    return GOOD


def add(
    settings: Settings,
    login: str,
    *,
    role: str,
    schools: list[str],
    address: str,
    ends: str,
    password_stdin: bool,
) -> int:
    """`users add`: an account and the code with which its owner sets it up."""
    ends_at = end_of(ends, now=now(), zone=ZoneInfo(settings.timezone))
    if password_stdin:
        return _add_ready(
            settings, login, role=role, schools=schools, address=address, ends_at=ends_at
        )
    return _hand_out(
        settings,
        lambda c, w: user_codes.invite_user(
            c,
            login=login,
            role=role,
            schools=schools,
            vault=w.vault,
            now=now(),
            person_address=address,
            accounts=w.accounts,
            ends_at=ends_at,
        ),
        "She chooses her password there and sets up her authenticator.",
    )


def _add_ready(
    settings: Settings,
    login: str,
    *,
    role: str,
    schools: list[str],
    address: str,
    ends_at: datetime,
) -> int:
    password = users.read_password()
    made = with_database(
        settings,
        lambda c, w: users.add_user(
            c,
            login=login,
            role=role,
            schools=schools,
            password=password,
            vault=w.vault,
            now=now(),
            person_address=address,
            accounts=w.accounts,
            ends_at=ends_at,
        ),
    )
    out(made.qr)
    out(f"{made.login}: scan this with an authenticator app, or type in: {made.uri}")
    out("It is shown once. To sign in she needs the password and the app's six digits.")
    return GOOD


def password(settings: Settings, login: str) -> int:
    """`users password`: the password is void; a code to choose a new one."""
    return _hand_out(
        settings,
        lambda c, w: user_codes.new_password(c, login=login, vault=w.vault, now=now()),
        "She chooses a new password there; her authenticator, or a recovery code, is asked for.",
    )


def authenticator(settings: Settings, login: str) -> int:
    """`users authenticator`: the lost phone's is void; a code to set up another one."""
    return _hand_out(
        settings,
        lambda c, w: user_codes.new_authenticator(c, login=login, vault=w.vault, now=now()),
        "She sets up a new authenticator there; her password is asked for.",
    )


def code(settings: Settings, login: str) -> int:
    """`users code`: another code for what an account still waits for."""
    return _hand_out(
        settings,
        lambda c, w: user_codes.new_code(c, login=login, vault=w.vault, now=now()),
        "The code before it is void.",
    )


def reopen(settings: Settings, login: str, *, ends: str) -> int:
    """`users reopen`: a closed account is open again, or an open one ends on another day."""
    zone = ZoneInfo(settings.timezone)
    user = with_database(
        settings,
        lambda c, _w: users.reopen_user(c, login=login, ends=ends, zone=zone, now=now()),
    )
    out(f"{user.login} is open. It ends on {user.ends_at:%Y-%m-%d}, or after 30 idle days.")
    return GOOD


def _hand_out(settings: Settings, make: Callable[[Connection, World], Coded], what: str) -> int:
    made = with_database(settings, make)
    out(f"{made.login}: {made.code}")
    out(f"Give it to {made.login} in person. Page: {settings.base_url}{SET_UP}")
    out(what)
    out("It works once, within 24 hours. It is shown only now. Open sessions ended.")
    return GOOD
