"""Logins of the dashboard: users, their sessions, and the attempts that throttle guessing.

A session's token never reaches the database, only its digest. A login attempt is counted as a
failure before it is judged and made good afterwards, so that many guesses at once cannot slip by.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, insert, select, update

from storage.schema import login_attempts, schools, user_sessions, users

NewId = Callable[[datetime], str]

KEPT = timedelta(days=30)
"""How long attempts are remembered: for the windows, and for which clients signed in of late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in.

    Attributes:
        id: 128-bit hex.
        login: Lower case, unique.
        person_id: The staff member she is; None for roles that never own an alert.
        role: A role of the dashboard's policy.
        schools: Ids of the schools she may see.
        password_hash: argon2id, with its parameters.
        totp_secret: Sealed (users.totp_secret, row = id).
        totp_last: Time step of the last code used; older ones and this one are refused.
        ends_at: When the account ends by itself.
        disabled_at: When somebody ended it, or it had been idle for too long.
        reopened_at: When it was last opened again.
        waits_for: What must be set with a one-time code before she may sign in: "invite" (all),
            "password" or "authenticator"; None where nothing is missing.
    """

    id: str
    login: str
    person_id: str | None
    role: str
    schools: frozenset[str]
    password_hash: str
    totp_secret: bytes
    totp_last: int
    created_at: datetime
    ends_at: datetime | None
    disabled_at: datetime | None
    reopened_at: datetime | None = None
    waits_for: str | None = None

    def usable(self, now: datetime) -> bool:
        """Whether the account is open at `now`."""
        return self.disabled_at is None and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSession:
    """A browser in which a user is signed in; `stepped_at`: when she last proved herself again."""

    digest: str
    user_id: str
    created_at: datetime
    seen_at: datetime
    stepped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SchoolRef:
    """A school, as far as an account needs it."""

    id: str
    programme_id: str
    name: str


def add(conn: Connection, user: User) -> None:
    """Store a new user. Raises IntegrityError where the login is taken."""
    values = {field.name: getattr(user, field.name) for field in fields(User)}
    conn.execute(insert(users).values(values | {"schools": sorted(user.schools)}))


def by_login(conn: Connection, login: str) -> User | None:
    """The user with this login (lower case), ended accounts included."""
    return _one(conn, select(users).where(users.c.login == login))


def person_of(conn: Connection, user_id: str) -> str | None:
    """The staff member a user is; None for roles outside the team."""
    return conn.execute(select(users.c.person_id).where(users.c.id == user_id)).scalar()


def by_id(conn: Connection, user_id: str) -> User | None:
    """The user with this id, ended accounts included."""
    return _one(conn, select(users).where(users.c.id == user_id))


def everyone(conn: Connection) -> list[User]:
    """All users, by login."""
    return [_user(row) for row in conn.execute(select(users).order_by(users.c.login))]


def set_password(conn: Connection, *, user_id: str, password_hash: str) -> None:
    """Replace the password's hash; an empty one is no password at all."""
    conn.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))


def wait_for(conn: Connection, *, user_id: str, what: str | None) -> None:
    """Nobody signs in to the account until this is set (see `User.waits_for`); None: all is set."""
    conn.execute(update(users).where(users.c.id == user_id).values(waits_for=what))


def set_totp(conn: Connection, *, user_id: str, secret: bytes) -> None:
    """Replace the sealed TOTP secret; codes of the old one are refused at once."""
    conn.execute(update(users).where(users.c.id == user_id).values(totp_secret=secret, totp_last=0))


def use_totp(conn: Connection, *, user_id: str, step: int) -> bool:
    """Mark the code of time step `step` as used; False if it, or a later one, was used before."""
    done = conn.execute(
        update(users).where(users.c.id == user_id, users.c.totp_last < step).values(totp_last=step)
    )
    return done.rowcount == 1


def end(conn: Connection, *, user_id: str, now: datetime) -> bool:
    """End an account and its sessions; False if it was ended before."""
    done = conn.execute(
        update(users)
        .where(users.c.id == user_id, users.c.disabled_at.is_(None))
        .values(disabled_at=now)
    )
    end_sessions(conn, user_id=user_id, now=now)
    return done.rowcount == 1


def open_session(conn: Connection, *, digest: str, user_id: str, now: datetime) -> None:
    """Store a new session by the digest of its token."""
    conn.execute(
        insert(user_sessions).values(digest=digest, user_id=user_id, created_at=now, seen_at=now)
    )


def session(conn: Connection, digest: str) -> tuple[UserSession, User] | None:
    """The open session with this digest and its user, or None."""
    found = conn.execute(
        select(
            user_sessions.c.created_at.label("since"),
            user_sessions.c.seen_at,
            user_sessions.c.stepped_at,
            users,
        )
        .join(users, users.c.id == user_sessions.c.user_id)
        .where(user_sessions.c.digest == digest, user_sessions.c.ended_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    user = _user(found)
    return UserSession(
        digest=digest,
        user_id=user.id,
        created_at=found.since,
        seen_at=found.seen_at,
        stepped_at=found.stepped_at,
    ), user


def sessions_of(conn: Connection, user_id: str, *, since: datetime) -> list[UserSession]:
    """A user's open sessions that began after `since`, newest first."""
    found = conn.execute(
        select(user_sessions)
        .where(
            user_sessions.c.user_id == user_id,
            user_sessions.c.ended_at.is_(None),
            user_sessions.c.created_at > since,
        )
        .order_by(user_sessions.c.created_at.desc())
    )
    return [
        UserSession(
            digest=row.digest,
            user_id=user_id,
            created_at=row.created_at,
            seen_at=row.seen_at,
            stepped_at=row.stepped_at,
        )
        for row in found
    ]


def touch(conn: Connection, *, digest: str, now: datetime) -> None:
    """Note that a session was used."""
    conn.execute(update(user_sessions).where(user_sessions.c.digest == digest).values(seen_at=now))


def step(conn: Connection, *, digest: str, now: datetime) -> None:
    """Note that she proved herself again in this session."""
    conn.execute(
        update(user_sessions).where(user_sessions.c.digest == digest).values(stepped_at=now)
    )


def end_session(conn: Connection, *, digest: str, now: datetime) -> None:
    """End one session."""
    conn.execute(
        update(user_sessions)
        .where(user_sessions.c.digest == digest, user_sessions.c.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_sessions(conn: Connection, *, user_id: str, now: datetime, but: str = "") -> int:
    """End a user's sessions, except the one with digest `but`. Returns how many."""
    return conn.execute(
        update(user_sessions)
        .where(
            user_sessions.c.user_id == user_id,
            user_sessions.c.ended_at.is_(None),
            user_sessions.c.digest != but,
        )
        .values(ended_at=now)
    ).rowcount


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """How many failed tries there may be within a window, by what they are counted against.

    Attributes:
        each: Subjects (keyed hashes of the login, of the client) with the failures each may have.
        shared: The subject everybody counts against; empty for none.
        shared_failures: What all together may have. Spent, it stops only clients without a good
            try of late, so that a flood of guesses from elsewhere does not lock the team out.
        known: The subject (of `each`) whose good tries speak for the client.
        window: How far back failures count.
    """

    each: Mapping[str, int]
    shared: str = ""
    shared_failures: int = 0
    known: str = ""
    window: timedelta


def begin_attempt(
    conn: Connection, budgets: Budgets, *, now: datetime, new_id: NewId
) -> tuple[str, ...] | None:
    """Count an attempt against its subjects, as failed until `attempt_was_good`.

    Args:
        conn: Open write transaction.
        budgets: What it counts against.
        now: Time of the attempt (aware, UTC).
        new_id: Makes row ids.

    Returns:
        Ids of the attempt's rows, or None where a subject is out of attempts; then nothing is
        written, so that a wait of one window always helps.
    """
    names = sorted({*budgets.each, budgets.shared} - {""})
    if conn.dialect.name == "postgresql":
        for name in names:  # SQLite has one writer anyway
            conn.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))
    conn.execute(delete(login_attempts).where(login_attempts.c.at <= now - KEPT))
    failed = _failures(conn, names, since=now - budgets.window)
    if any(failed.get(name, 0) >= most for name, most in budgets.each.items()):
        return None
    spent = budgets.shared and failed.get(budgets.shared, 0) >= budgets.shared_failures
    if spent and not _was_good(conn, budgets.known):
        return None
    ids = {name: new_id(now) for name in names}
    rows = [{"id": ids[name], "subject": name, "at": now, "good": False} for name in names]
    conn.execute(insert(login_attempts), rows)
    return tuple(ids.values())


def _failures(conn: Connection, names: Sequence[str], *, since: datetime) -> dict[str, int]:
    found = conn.execute(
        select(login_attempts.c.subject, func.count())
        .where(
            and_(
                login_attempts.c.subject.in_(names),
                login_attempts.c.at > since,
                login_attempts.c.good.is_(False),
            )
        )
        .group_by(login_attempts.c.subject)
    )
    return {row[0]: row[1] for row in found}


def _was_good(conn: Connection, subject: str) -> bool:
    """Whether this subject had a good attempt of late (older ones are forgotten)."""
    good = select(login_attempts.c.id).where(
        login_attempts.c.subject == subject, login_attempts.c.good.is_(True)
    )
    return conn.execute(good.limit(1)).first() is not None


def attempt_was_good(conn: Connection, attempt: Sequence[str]) -> None:
    """The attempt succeeded and no longer counts as a failure."""
    conn.execute(update(login_attempts).where(login_attempts.c.id.in_(attempt)).values(good=True))


def _one(conn: Connection, statement: Select[Any]) -> User | None:
    row = conn.execute(statement).one_or_none()
    return None if row is None else _user(row)


def _user(row: Any) -> User:
    values = {field.name: getattr(row, field.name) for field in fields(User)}
    return User(**(values | {"schools": frozenset(row.schools)}))


def school_names(conn: Connection, ids: Collection[str]) -> list[str]:
    """The names of these schools, in order: what an account may see."""
    found = conn.execute(
        select(schools.c.name).where(schools.c.id.in_(sorted(ids))).order_by(schools.c.name)
    )
    return list(found.scalars())


def schools_named(conn: Connection, names: Collection[str]) -> list[SchoolRef]:
    """The schools with these names; one name may stand in several programmes."""
    found = conn.execute(
        select(schools.c.id, schools.c.programme_id, schools.c.name)
        .where(schools.c.name.in_(sorted(names)))
        .order_by(schools.c.id)
    )
    return [SchoolRef(*row) for row in found]
