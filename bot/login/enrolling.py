"""Setting an account up, or one half of its login anew, with a one-time code.

Nobody chooses a password for somebody else: the operator's command prints a code, the page takes it
once within a day. A code replaces one half of a login at most, and only against the other half: a
new password needs the authenticator, a new authenticator the password. Only a new account sets
both.

Source: OWASP ASVS 5.0, 6.4.1-6.4.4, 6.5.1-6.5.4 (trust-and-dashboard.md §B1, §B2).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import pyotp
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.login.access import Access, Proof
from bot.login.brake import Attempt
from bot.login.lifetimes import LIFETIME
from bot.login.passwords import GUESSED, TOO_SHORT, fault_of
from bot.login.proofs import authenticator_uri, code_digest, matching_step, one_time_code
from bot.login.sessions import SignedIn, note
from storage import scope
from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.staff import logins, users
from storage.staff.logins import Code, CodeKind
from storage.staff.users import User
from storage.trail import audit

SetUp = Literal["first", "invite", "password", "authenticator"]
SET_UPS: tuple[SetUp, ...] = get_args(SetUp)
NEW_AUTHENTICATOR: tuple[SetUp, ...] = ("first", "invite", "authenticator")
NEW_PASSWORD: tuple[SetUp, ...] = ("first", "invite", "password")
CODE_LIFE = timedelta(hours=24)
RECOVERY_CODES = 10
FIRST_ROLE = "tech"
"""The first account keeps the machine running; it sees no child."""
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")

Fault = Literal["", "login", "taken", "different", "short", "guessed", "app"]
_FAULTS: dict[str, Fault] = {"": "", TOO_SHORT: "short", GUESSED: "guessed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a code opens.

    Attributes:
        outcome: "open"; "refused" whatever is wrong with the code; "wait" after too many.
        kind: What is to be set.
        login: Whose it is; empty for the first account, which chooses one.
        secret: The new authenticator's secret, empty where it stays as it is.
        uri: The same as an `otpauth://` address.
    """

    outcome: Literal["open", "refused", "wait"]
    kind: SetUp = "invite"
    login: str = ""
    secret: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The form of the set-up page.

    Attributes:
        code: The one-time code.
        login: Only for the first account.
        password: The new password; for a new authenticator the present one.
        again: The new password once more.
        proof: A code of the (new) authenticator; for a new password also a recovery code.
    """

    code: str
    login: str
    password: str
    again: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How it went: "done" with the new recovery codes, if any; "fault" with what to mend."""

    outcome: Literal["done", "fault", "refused", "wait"]
    fault: Fault = ""
    recovery: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A code in hand, whose it is, and the form."""

    code: Code
    kind: SetUp
    user: User | None
    typed: Typed
    now: datetime
    attempt: Attempt


class _TakenError(Exception):
    """The code or the login was taken in the meantime; the transaction is undone."""


class Enrolment:
    """The work of the set-up page and of the account page's own changes.

    Args:
        database: Where accounts and codes are.
        vault: Seals authenticator secrets.
        now: The clock.
        access: Hashes passwords, judges codes, counts failed tries.
    """

    def __init__(
        self, database: Database, vault: Vault, now: Callable[[], datetime], access: Access
    ) -> None:
        self._database = database
        self._vault = vault
        self._now = now
        self._access = access

    async def open(self, typed: str, *, client: str) -> Opened:
        """What a code opens; every wrong one is refused with the same answer."""
        now = self._now()
        attempt = await self._access.brake.begin(client=client, now=now)
        if attempt is None:
            return Opened(outcome="wait")
        found = await self._find(typed, now)
        if found is None:
            return Opened(outcome="refused")
        await self._database.write(lambda conn: users.attempt_was_good(conn, attempt))
        code, kind, user = found
        login = user.login if user else ""
        secret = self._secret(code)
        uri = authenticator_uri(login or "dashboard", secret) if secret else ""
        return Opened(outcome="open", kind=kind, login=login, secret=secret, uri=uri)

    async def _find(self, typed: str, now: datetime) -> tuple[Code, SetUp, User | None] | None:
        digest = code_digest(typed)
        if digest is None:
            return None

        def look(conn: Connection) -> tuple[Code, SetUp, User | None] | None:
            code = logins.live_code(conn, digest, now=now)
            kind = next((k for k in SET_UPS if code is not None and k == code.kind), None)
            if code is None or kind is None:
                return None
            if code.user_id is None:
                return code, kind, None
            user = users.by_id(conn, code.user_id)
            usable = user is not None and user.usable(now) and user.waits_for == kind
            return (code, kind, user) if usable else None

        return await self._database.read(look)

    def _secret(self, code: Code) -> str:
        if code.secret is None:
            return ""
        return self._vault.open(code.secret, table="user_codes", column="secret", row=code.id)

    async def finish(self, typed: Typed, *, client: str) -> Done:
        """Set what the code is for; the code is used up only if all of it went well."""
        now = self._now()
        found = await self._find(typed.code, now)
        login = found[2].login if found and found[2] else ""
        attempt = await self._access.brake.begin(login=login, client=client, now=now)
        if attempt is None:
            return Done(outcome="wait")
        if found is None:
            return Done(outcome="refused")
        code, kind, user = found
        case = _Case(code=code, kind=kind, user=user, typed=typed, now=now, attempt=attempt)
        fault = await self._fault(case)
        if fault:
            await self._database.write(lambda conn: users.attempt_was_good(conn, attempt))
            return Done(outcome="fault", fault=fault)
        return await self._judged(case)

    async def _fault(self, case: _Case) -> Fault:
        """What of the form must be mended: nothing that a guess could learn from."""
        typed, kind = case.typed, case.kind
        login = case.user.login if case.user else typed.login.strip().lower()
        if kind == "first" and LOGIN.fullmatch(login) is None:
            return "login"
        if kind in NEW_PASSWORD:
            schools = case.user.schools if case.user else frozenset[str]()
            names = await self._database.read(lambda conn: logins.context_names(conn, schools))
            told = fault_of(typed.password, login=login, context=names)
            if told:
                return _FAULTS[told]
            if typed.password != typed.again:  # both typed by her just now: nothing to guess
                return "different"
        if kind in NEW_AUTHENTICATOR and self._step(case) is None:
            return "app"
        return ""

    def _step(self, case: _Case) -> int | None:
        return matching_step(self._secret(case.code), case.typed.proof, case.now)

    async def _judged(self, case: _Case) -> Done:
        """The half of the login that stays is asked for before the other one is replaced."""
        right, proof = await self._stays(case)
        if not right:
            return Done(outcome="refused")
        hashed = ""
        if case.kind in NEW_PASSWORD:
            hashed = await self._access.passwords.hash(case.typed.password)

        def keep(conn: Connection) -> tuple[str, ...]:
            if not logins.use_code(conn, case.code.id, now=case.now):
                raise _TakenError
            mine = case.user or self._first(conn, case, hashed)
            if proof is not None and not proof.use(conn, mine.id, case.now):
                raise _TakenError
            return self._set(conn, case, mine, hashed)

        try:
            recovery = await self._database.write(keep)
        except _TakenError:
            return Done(outcome="refused")
        except IntegrityError:
            return Done(outcome="fault", fault="taken")
        return Done(outcome="done", recovery=recovery)

    async def _stays(self, case: _Case) -> tuple[bool, Proof | None]:
        """Whether the other half of the login is right, and the proof of it that is to be used."""
        if case.kind == "password":
            proof = self._access.proof(case.user, case.typed.proof, case.now)
            return proof is not None, proof
        if case.kind == "authenticator":
            stored = case.user.password_hash if case.user else ""
            return await self._access.passwords.fits(stored, case.typed.password), None
        return True, None

    def _first(self, conn: Connection, case: _Case, hashed: str) -> User:
        """The first account; a second one cannot come about by a second code."""
        if logins.any_user(conn, now=case.now):
            raise _TakenError
        user_id = new_id(case.now)
        user = User(
            id=user_id,
            login=case.typed.login.strip().lower(),
            person_id=None,
            role=FIRST_ROLE,
            schools=frozenset(),
            password_hash=hashed,
            totp_secret=self._vault.seal(
                self._secret(case.code), table="users", column="totp_secret", row=user_id
            ),
            totp_last=0,
            created_at=case.now,
            ends_at=case.now + LIFETIME,
            disabled_at=None,
        )
        users.add(conn, user)
        return user

    def _set(self, conn: Connection, case: _Case, user: User, hashed: str) -> tuple[str, ...]:
        users.attempt_was_good(conn, case.attempt)
        if hashed:
            users.set_password(conn, user_id=user.id, password_hash=hashed)
        recovery: tuple[str, ...] = ()
        if case.kind in NEW_AUTHENTICATOR:
            sealed = self._vault.seal(
                self._secret(case.code), table="users", column="totp_secret", row=user.id
            )
            users.set_totp(conn, user_id=user.id, secret=sealed)
            users.use_totp(conn, user_id=user.id, step=self._step(case) or 0)
            recovery = new_recovery(conn, user.id, case.now)
        users.wait_for(conn, user_id=user.id, what=None)
        users.end_sessions(conn, user_id=user.id, now=case.now)
        audit.record(conn, [note(user, f"set_up_{case.kind}", case.now)])
        return recovery

    async def new_recovery(self, signed_in: SignedIn) -> tuple[str, ...]:
        """New recovery codes instead of all she has left. The page asks for a step-up first."""
        now, user = self._now(), signed_in.user

        def make(conn: Connection) -> tuple[str, ...]:
            audit.record(conn, [note(user, "recovery_codes_made", now)])
            return new_recovery(conn, user.id, now)

        return await self._database.write(make)

    async def change_password(self, signed_in: SignedIn, *, password: str, again: str) -> Fault:
        """A new password of her own choice; all her other sessions end. After a step-up."""
        now, user = self._now(), signed_in.user
        names = await self._database.read(lambda conn: logins.context_names(conn, user.schools))
        told = fault_of(password, login=user.login, context=names)
        if told:
            return _FAULTS[told]
        if password != again:  # both typed by her just now: nothing to guess
            return "different"
        hashed = await self._access.passwords.hash(password)

        def change(conn: Connection) -> None:
            users.set_password(conn, user_id=user.id, password_hash=hashed)
            users.end_sessions(conn, user_id=user.id, now=now, but=signed_in.digest)
            audit.record(conn, [note(user, "password_changed", now)])

        await self._database.write(change)
        return ""


def issue(
    conn: Connection, kind: SetUp, *, user_id: str | None, vault: Vault, now: datetime
) -> str:
    """Make a set-up code; earlier ones that were not used are void.

    Args:
        conn: Open write transaction.
        kind: What it is for.
        user_id: Whose; None for the first account.
        vault: Seals a new authenticator's secret, which waits with the code.
        now: Aware, UTC.

    Returns:
        The code, to be shown once: the database keeps its digest.
    """
    code, code_id = one_time_code(), new_id(now)
    secret = pyotp.random_base32() if kind in NEW_AUTHENTICATOR else ""
    sealed = (
        vault.seal(secret, table="user_codes", column="secret", row=code_id) if secret else None
    )
    logins.drop_codes(conn, user_id, SET_UPS)
    made = _stored(kind, code, code_id, user_id=user_id, secret=sealed, until=now + CODE_LIFE)
    logins.add_codes(conn, [made], now=now)
    entry = audit.row(
        scope.system("users"), f"code_{kind}", "users", user_id, id=new_id(now), at=now
    )
    audit.record(conn, [entry])
    return code


def new_recovery(conn: Connection, user_id: str, now: datetime) -> tuple[str, ...]:
    """Ten new recovery codes, to be shown once; what was left of the old ones is void."""
    codes = tuple(one_time_code() for _ in range(RECOVERY_CODES))
    logins.drop_codes(conn, user_id, ("recovery",))
    stored = [_stored("recovery", code, new_id(now), user_id=user_id) for code in codes]
    logins.add_codes(conn, stored, now=now)
    return codes


def _stored(
    kind: CodeKind,
    code: str,
    code_id: str,
    *,
    user_id: str | None,
    secret: bytes | None = None,
    until: datetime | None = None,
) -> Code:
    return Code(
        id=code_id,
        user_id=user_id,
        kind=kind,
        digest=code_digest(code) or "",
        secret=secret,
        expires_at=until,
    )
