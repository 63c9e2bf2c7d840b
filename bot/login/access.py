"""Getting into the dashboard: by password and code, by password and chat; proving oneself again.

An unknown login costs the same work and gets the same answer as a wrong password. A session's token
lives only in the browser; the database has its digest. A code works once.

Source: OWASP ASVS 5.0, 6.2, 6.3, 6.5, 6.6, 7.2-7.5 (trust-and-dashboard.md §B2, §B5).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from argon2 import PasswordHasher
from sqlalchemy import Connection

from bot.login.brake import FAILURES, WINDOW, Attempt, Brake, network
from bot.login.proofs import (
    NO_SECRET,
    Passwords,
    code_digest,
    decoy,
    digest,
    matching_step,
    new_token,
    strong_hasher,
)
from bot.login.sessions import IDLE, LONGEST, STEP_LIFE, Sessions, SignedIn, note
from flows.routing import LOGIN_LIFE
from storage import scope
from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.staff import logins, users
from storage.staff.logins import Prompt
from storage.staff.users import User
from storage.trail import audit

__all__ = [
    "FAILURES",
    "IDLE",
    "LONGEST",
    "STEP_LIFE",
    "WINDOW",
    "Access",
    "Asked",
    "Proof",
    "SignIn",
    "SignedIn",
    "decoy",
    "digest",
    "matching_step",
    "network",
    "strong_hasher",
]

NUMBERS = range(10, 100)
"""What a browser shows for a sign-in by chat: always two digits, which no menu asks for."""

Outcome = Literal["in", "refused", "wait", "waiting"]
Ask = Callable[[Connection, str, str, datetime], bool]
"""Asks a person (by id) by chat about the sign-in with this id; False where she has no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How an attempt went.

    Attributes:
        outcome: "in", "refused", "wait" after too many failures, "waiting" for a word by chat.
        token: The new session's, only when it is "in".
        how: By which second proof.
        number: What the browser shows while it is "waiting".
    """

    outcome: Outcome
    token: str = ""
    how: Literal["", "totp", "recovery", "chat"] = ""
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A sign-in that may be waiting for a word by chat; right and wrong passwords look the same.

    Attributes:
        outcome: "waiting", or "wait" after too many failures.
        number: What the browser shows.
        token: What the browser keeps; without it nobody can go on with this sign-in.
    """

    outcome: Outcome
    number: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A second proof that looks right and is yet to be used: a time step, or a recovery code."""

    step: int | None = None
    recovery: str = ""

    def use(self, conn: Connection, user_id: str, now: datetime) -> bool:
        """Use it up; False if it was used before."""
        if self.step is not None:
            return users.use_totp(conn, user_id=user_id, step=self.step)
        return logins.use_recovery(conn, user_id=user_id, digest=self.recovery, now=now)


class Access(Sessions):
    """The door of the dashboard: sessions, and how one gets into them.

    Args:
        database: Where users, sessions and attempts are.
        vault: Opens TOTP secrets, blinds what attempts are counted by.
        now: The clock.
        hasher: How passwords are hashed; a hash with other parameters is renewed at login.
        ask: Asks by chat; None where there is no chat, and so no sign-in by it.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        now: Callable[[], datetime],
        hasher: PasswordHasher | None = None,
        *,
        ask: Ask | None = None,
    ) -> None:
        super().__init__(database, now)
        self._vault = vault
        self._ask = ask
        self.passwords = Passwords(hasher or strong_hasher())
        self.brake = Brake(database, vault)

    @property
    def asks_by_chat(self) -> bool:
        """Whether a word by chat can stand in for the authenticator."""
        return self._ask is not None

    async def sign_in(self, *, login: str, password: str, code: str, client: str) -> SignIn:
        """Judge a login attempt.

        Args:
            login: As typed.
            password: As typed.
            code: The six digits of the authenticator, or a recovery code; blanks allowed.
            client: The browser's IP address, or what stands for it.

        Returns:
            "in" with a new token; "refused" whatever was wrong; "wait" after `FAILURES` failures
            of this login or this client within `WINDOW`, or too many of all together.
        """
        now, name = self._now(), tidy(login)
        attempt = await self.brake.begin(login=name, client=client, now=now)
        if attempt is None:
            return SignIn(outcome="wait")
        user, right = await self._known(name, password, now)
        proof = self.proof(user, code, now)
        if user is None or not right or proof is None:
            return await self._refuse(user, name, now)
        renewed = ""
        if self.passwords.outdated(user.password_hash):
            renewed = await self.passwords.hash(password)

        def enter(conn: Connection) -> str:
            if not proof.use(conn, user.id, now):
                return ""
            if renewed:
                users.set_password(conn, user_id=user.id, password_hash=renewed)
            verb = "sign_in" if proof.step is not None else "sign_in_recovery"
            return _admit(conn, user, verb, attempt, now)

        token = await self._database.write(enter)
        if not token:
            return await self._refuse(user, name, now)
        how: Literal["totp", "recovery"] = "totp" if proof.step is not None else "recovery"
        return SignIn(outcome="in", token=token, how=how)

    async def _known(self, name: str, password: str, now: datetime) -> tuple[User | None, bool]:
        """The account of a login and whether the password opens it; the same time in any case."""
        user = await self._database.read(lambda conn: users.by_login(conn, name))
        fits = await self.passwords.fits(user.password_hash if user else "", password)
        return user, fits and user is not None and user.usable(now) and user.waits_for is None

    def proof(self, user: User | None, code: str, now: datetime) -> Proof | None:
        """What a typed code proves, if it looks right; it counts only once it is used."""
        step = matching_step(self._secret(user), code, now)
        if step is not None:
            return Proof(step=step)
        recovery = code_digest(code)
        return Proof(recovery=recovery) if recovery is not None else None

    def _secret(self, user: User | None) -> str:
        if user is None:
            return NO_SECRET
        return self._vault.open(user.totp_secret, table="users", column="totp_secret", row=user.id)

    async def _refuse(self, user: User | None, name: str, now: datetime) -> SignIn:
        """Written down, an unknown login by its blind digest: the same work, the same answer."""
        blinded = self._vault.blind("login", name)
        entry = audit.row(
            scope.system("access"),
            "sign_in_failed",
            "users" if user else "logins",
            user.id if user else blinded,
            id=new_id(now),
            at=now,
        )
        await self._database.write(lambda conn: audit.record(conn, [entry]))
        return SignIn(outcome="refused")

    async def ask(self, *, login: str, password: str, client: str) -> Asked:
        """Begin a sign-in that a word by chat stands in for the authenticator's code in.

        The password still counts: only if it is right somebody is asked. Whether it is shows
        nowhere in the answer. The try counts as failed until she has confirmed, so that nobody is
        asked more than `FAILURES` times within `WINDOW`.

        Args:
            login: As typed.
            password: As typed.
            client: The browser's IP address, or what stands for it.

        Raises:
            LookupError: There is no chat here.
        """
        if self._ask is None:
            raise LookupError("nobody can be asked by chat here")
        ask, now, name = self._ask, self._now(), tidy(login)
        attempt = await self.brake.begin(login=name, client=client, now=now)
        if attempt is None:
            return Asked(outcome="wait")
        user, right = await self._known(name, password, now)
        token, prompt = new_token(), _prompt(user if right else None, attempt, now)

        def begin(conn: Connection) -> None:
            logins.add_prompt(conn, prompt, browser=digest(token), now=now)
            if user is not None and user.person_id is not None and prompt.user_id is not None:
                ask(conn, user.person_id, prompt.id, now)

        await self._database.write(begin)
        if prompt.user_id is None:
            await self._refuse(user, name, now)
        return Asked(outcome="waiting", number=prompt.number, token=token)

    async def confirm(self, token: str) -> SignIn:
        """Go on with a sign-in by chat, in the browser that asked for it.

        Returns:
            "in" once she has sent the number; "waiting" before; "refused" after any other word,
            after `LOGIN_LIFE`, a second time, and in any other browser.
        """
        now, browser = self._now(), digest(token)
        prompt = await self._database.read(lambda conn: logins.prompt_of(conn, browser))
        if prompt is None or prompt.expires_at <= now:
            return SignIn(outcome="refused")
        if prompt.state == "asked":
            return SignIn(outcome="waiting", number=prompt.number)

        def enter(conn: Connection) -> str:
            user = users.by_id(conn, prompt.user_id or "")
            fit = user is not None and user.usable(now) and user.waits_for is None
            if user is None or not fit or not logins.finish_prompt(conn, prompt.id, now=now):
                return ""
            return _admit(conn, user, "sign_in_chat", prompt.attempt, now)

        made = await self._database.write(enter)
        return SignIn(outcome="in", token=made, how="chat") if made else SignIn(outcome="refused")

    async def step_up(
        self, signed_in: SignedIn, *, password: str, code: str, client: str
    ) -> Outcome:
        """Prove oneself again, before something that matters; holds for `STEP_LIFE`.

        Args:
            signed_in: The session it counts for.
            password: As typed.
            code: The six digits of the authenticator, or a recovery code.
            client: The browser's IP address, or what stands for it.
        """
        now, user = self._now(), signed_in.user
        attempt = await self.brake.begin(login=user.login, client=client, now=now)
        if attempt is None:
            return "wait"
        _, right = await self._known(user.login, password, now)
        proof = self.proof(user, code, now)
        if not right or proof is None:
            return (await self._refuse(user, user.login, now)).outcome

        def step(conn: Connection) -> bool:
            if not proof.use(conn, user.id, now):
                return False
            users.attempt_was_good(conn, attempt)
            users.step(conn, digest=signed_in.digest, now=now)
            audit.record(conn, [note(user, "step_up", now)])
            return True

        if await self._database.write(step):
            return "in"
        return (await self._refuse(user, user.login, now)).outcome


def tidy(login: str) -> str:
    """A login as it is stored and counted."""
    return login.strip().lower()[:64]


def _prompt(user: User | None, attempt: Attempt, now: datetime) -> Prompt:
    return Prompt(
        id=new_id(now),
        user_id=user.id if user else None,
        number=str(secrets.choice(NUMBERS)),
        state="asked",
        attempt=attempt,
        expires_at=now + LOGIN_LIFE,
    )


def _admit(conn: Connection, user: User, verb: str, attempt: Attempt, now: datetime) -> str:
    """A new session, whatever there was before. Returns its token."""
    token = new_token()
    users.attempt_was_good(conn, attempt)
    users.open_session(conn, digest=digest(token), user_id=user.id, now=now)
    audit.record(conn, [note(user, verb, now)])
    return token
