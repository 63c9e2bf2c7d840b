"""Who is at the dashboard: password and one-time code, sessions, and the brake on guessing.

An unknown login costs the same work and gets the same answer as a wrong password. A session's token
lives only in the browser; the database has its digest. A one-time code works once.

Source: OWASP ASVS 5.0, 6.2, 6.3, 6.5, 7.2-7.4, 11.4.2 (trust-and-dashboard.md §B2, §B5).
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Literal

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from storage import users
from storage.audit import AuditRow, record
from storage.database import Database
from storage.ids import new_id
from storage.users import User, UserSession
from storage.vault import Vault

IDLE = timedelta(minutes=20)
LONGEST = timedelta(hours=10)
FAILURES = 5
WINDOW = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=1)
"""How stale `seen_at` may get, so that not every page is a write."""
STEP_S = 30
DRIFT_STEPS = 1
"""A code of the step before or after the server's clock is taken (RFC 6238 §5.2)."""
TOKEN_BYTES = 32
HASHES_AT_ONCE = 2
"""Each hash takes tens of MiB: a flood of logins must not take the memory of the turns."""
NO_CODE = "A" * 32
"""The TOTP secret that a login without an account is compared with."""
ISSUER = "CWB"

Outcome = Literal["in", "refused", "wait"]


def strong_hasher() -> PasswordHasher:
    """argon2id with t=2, m=46 MiB, p=1: above OWASP's floor (ASVS 5.0 appendix C)."""
    return PasswordHasher(time_cost=2, memory_cost=47104, parallelism=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How a login attempt went; `token` is set only when it is "in"."""

    outcome: Outcome
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A user in a live session. `digest` names the session, and is what form tokens hang on."""

    user: User
    digest: str


class Access:
    """The door of the dashboard.

    Args:
        database: Where users, sessions and attempts are.
        vault: Opens TOTP secrets, blinds what attempts are counted by.
        now: The clock.
        hasher: How passwords are hashed; a hash with other parameters is renewed at login.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        now: Callable[[], datetime],
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._database = database
        self._vault = vault
        self._now = now
        self._hasher = hasher or strong_hasher()
        self._turn = asyncio.Semaphore(HASHES_AT_ONCE)

    async def sign_in(self, *, login: str, password: str, code: str, client: str) -> SignIn:
        """Judge a login attempt.

        Args:
            login: As typed.
            password: As typed.
            code: The six digits of the authenticator, blanks allowed.
            client: The browser's IP address, or what stands for it.

        Returns:
            "in" with a new token; "refused" whatever was wrong; "wait" after `FAILURES` failures
            of this login or this client within `WINDOW`.
        """
        now = self._now()
        name = login.strip().lower()[:64]
        subjects = (
            self._vault.blind("login", name),
            self._vault.blind("client", network(client)),
        )
        attempt = await self._database.write(
            partial(
                users.begin_attempt,
                subjects=subjects,
                now=now,
                limit=FAILURES,
                window=WINDOW,
                new_id=new_id,
            )
        )
        if attempt is None:
            return SignIn(outcome="wait")
        user = await self._database.read(lambda conn: users.by_login(conn, name))
        right = await self._password_is(user, password)
        step = matching_step(self._secret(user), code, now)
        if user is None or not right or step is None or not user.usable(now):
            return SignIn(outcome="refused")
        return await self._enter(user, password, step, attempt, now)

    async def _password_is(self, user: User | None, password: str) -> bool:
        async with self._turn:
            stored = await asyncio.to_thread(decoy, self._hasher)
            if user is not None:
                stored = user.password_hash
            return await asyncio.to_thread(_verify, self._hasher, stored, password)

    def _secret(self, user: User | None) -> str:
        if user is None:
            return NO_CODE
        return self._vault.open(user.totp_secret, table="users", column="totp_secret", row=user.id)

    async def _enter(
        self, user: User, password: str, step: int, attempt: tuple[str, ...], now: datetime
    ) -> SignIn:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        renewed = ""
        if self._hasher.check_needs_rehash(user.password_hash):
            renewed = await asyncio.to_thread(self._hasher.hash, password)

        def enter(conn: Connection) -> bool:
            if not users.use_totp(conn, user_id=user.id, step=step):
                return False
            users.attempt_was_good(conn, attempt)
            if renewed:
                users.set_password(conn, user_id=user.id, password_hash=renewed)
            users.open_session(conn, digest=digest(token), user_id=user.id, now=now)
            record(conn, [_note(user, "sign_in", now)])
            return True

        if not await self._database.write(enter):
            return SignIn(outcome="refused")
        return SignIn(outcome="in", token=token)

    async def who(self, token: str) -> SignedIn | None:
        """The user of a live session: not ended, not idle, not too old, account still open."""
        if not token:
            return None
        now = self._now()
        key = digest(token)
        found = await self._database.read(lambda conn: users.session(conn, key))
        if found is None or not _live(found[0], now) or not found[1].usable(now):
            return None
        if now - found[0].seen_at > SEEN_EVERY:
            await self._database.write(lambda conn: users.touch(conn, digest=key, now=now))
        return SignedIn(user=found[1], digest=key)

    async def end(self, signed_in: SignedIn) -> None:
        """End this session."""
        now = self._now()

        def leave(conn: Connection) -> None:
            users.end_session(conn, digest=signed_in.digest, now=now)
            record(conn, [_note(signed_in.user, "sign_out", now)])

        await self._database.write(leave)

    async def sessions(self, user: User) -> list[UserSession]:
        """The user's live sessions, newest first."""
        now = self._now()
        since = now - LONGEST
        found = await self._database.read(
            lambda conn: users.sessions_of(conn, user.id, since=since)
        )
        return [session for session in found if _live(session, now)]

    async def end_others(self, signed_in: SignedIn) -> None:
        """End all of the user's sessions except this one."""
        now = self._now()

        def leave(conn: Connection) -> None:
            users.end_sessions(conn, user_id=signed_in.user.id, now=now, but=signed_in.digest)
            record(conn, [_note(signed_in.user, "sessions_ended", now)])

        await self._database.write(leave)


def digest(token: str) -> str:
    """What the database keeps of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def network(client: str) -> str:
    """What attempts of one client are counted by: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, within the drift allowed; None if there is none.

    Source: RFC 6238 §4-5.
    """
    totp = pyotp.TOTP(secret, interval=STEP_S)
    typed = "".join(code.split())
    current = int(now.timestamp()) // STEP_S
    matching = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), typed.encode()):
            matching = step
    return matching


@cache
def decoy(hasher: PasswordHasher) -> str:
    """A hash nobody has the password of: what an unknown login is compared with."""
    return hasher.hash(secrets.token_urlsafe())


def _verify(hasher: PasswordHasher, stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _live(session: UserSession, now: datetime) -> bool:
    return now - session.seen_at <= IDLE and now - session.created_at <= LONGEST


def _note(user: User, verb: str, now: datetime) -> AuditRow:
    return AuditRow(
        id=new_id(now),
        at=now,
        actor_kind="user",
        actor_id=user.id,
        verb=verb,
        object_kind="users",
        object_id=user.id,
        school_id=None,
        purpose="access",
    )
