"""Logins of the dashboard: users, their sessions, and the attempts that throttle guessing.

A session's token never reaches the database, only its digest. A login attempt is counted as a
failure before it is judged and made good afterwards, so that many guesses at once cannot slip by.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, select, update

from storage.schema import login_attempts, schools, user_sessions, users

NewId = Callable[[datetime], str]


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
        disabled_at: When somebody ended it.
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

    def usable(self, now: datetime) -> bool:
        """Whether the account is open at `now`."""
        return self.disabled_at is None and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSession:
    """One browser in which a user is signed in."""

    digest: str
    user_id: str
    created_at: datetime
    seen_at: datetime


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


def everyone(conn: Connection) -> list[User]:
    """All users, by login."""
    return [_user(row) for row in conn.execute(select(users).order_by(users.c.login))]


def set_password(conn: Connection, *, user_id: str, password_hash: str) -> None:
    """Replace the password's hash."""
    conn.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))


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
        select(user_sessions.c.created_at.label("since"), user_sessions.c.seen_at, users)
        .join(users, users.c.id == user_sessions.c.user_id)
        .where(user_sessions.c.digest == digest, user_sessions.c.ended_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    user = _user(found)
    return UserSession(
        digest=digest, user_id=user.id, created_at=found.since, seen_at=found.seen_at
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
            digest=row.digest, user_id=user_id, created_at=row.created_at, seen_at=row.seen_at
        )
        for row in found
    ]


def touch(conn: Connection, *, digest: str, now: datetime) -> None:
    """Note that a session was used."""
    conn.execute(update(user_sessions).where(user_sessions.c.digest == digest).values(seen_at=now))


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


def begin_attempt(
    conn: Connection,
    subjects: Sequence[str],
    *,
    now: datetime,
    limit: int,
    window: timedelta,
    new_id: NewId,
) -> tuple[str, ...] | None:
    """Count a login attempt against its subjects, as failed until `good`.

    Args:
        conn: Open write transaction.
        subjects: Keyed hashes of the login and of the client's address.
        now: Time of the attempt (aware, UTC).
        limit: Failures a subject may have within `window`.
        window: How far back failures count.
        new_id: Makes row ids.

    Returns:
        Ids of the attempt's rows, or None where a subject is out of attempts; then nothing is
        written, so that a wait of one window always helps.
    """
    names = sorted(set(subjects))
    if conn.dialect.name == "postgresql":
        for name in names:  # SQLite has one writer anyway
            conn.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))
    spent = conn.execute(
        select(login_attempts.c.subject)
        .where(
            and_(
                login_attempts.c.subject.in_(names),
                login_attempts.c.at > now - window,
                login_attempts.c.good.is_(False),
            )
        )
        .group_by(login_attempts.c.subject)
        .having(func.count() >= limit)
    ).first()
    if spent is not None:
        return None
    ids = {name: new_id(now) for name in names}
    rows = [{"id": ids[name], "subject": name, "at": now, "good": False} for name in names]
    conn.execute(insert(login_attempts), rows)
    return tuple(ids.values())


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
