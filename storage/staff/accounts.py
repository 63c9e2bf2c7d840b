"""The life of accounts: when each was last used, which have ended, what a leaver leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from storage.care.cases import pass_on
from storage.schema import alerts, person_roles, user_sessions, users
from storage.staff.users import end_sessions

NewId = Callable[[datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An open account; `used_at` is its last use, or when it was made or opened again."""

    id: str
    login: str
    person_id: str | None
    ends_at: datetime | None
    used_at: datetime


def open_accounts(conn: Connection) -> list[Account]:
    """Every account that nobody and nothing has ended yet, by login."""
    used = (
        select(user_sessions.c.user_id, func.max(user_sessions.c.seen_at).label("at"))
        .group_by(user_sessions.c.user_id)
        .subquery()
    )
    found = conn.execute(
        select(users, used.c.at)
        .outerjoin(used, used.c.user_id == users.c.id)
        .where(users.c.disabled_at.is_(None))
        .order_by(users.c.login)
    )
    return [
        Account(
            id=row.id,
            login=row.login,
            person_id=row.person_id,
            ends_at=row.ends_at,
            used_at=max(t for t in (row.created_at, row.reopened_at, row.at) if t is not None),
        )
        for row in found
    ]


def close(conn: Connection, account_id: str, *, now: datetime) -> bool:
    """Close an account and its sessions; False if that happened before."""
    done = conn.execute(
        update(users)
        .where(users.c.id == account_id, users.c.disabled_at.is_(None))
        .values(disabled_at=now)
    )
    end_sessions(conn, user_id=account_id, now=now)
    return done.rowcount == 1


def reopen(conn: Connection, account_id: str, *, ends_at: datetime, now: datetime) -> None:
    """Open an account again, or give it a new end; its idle days begin anew."""
    conn.execute(
        update(users)
        .where(users.c.id == account_id)
        .values(disabled_at=None, reopened_at=now, ends_at=ends_at)
    )


def give_end(conn: Connection, account_id: str, *, ends_at: datetime) -> None:
    """Give an account that has no end date one."""
    conn.execute(update(users).where(users.c.id == account_id).values(ends_at=ends_at))


def hand_over(
    conn: Connection, person_id: str | None, *, now: datetime, new_id: NewId, purpose: str
) -> int:
    """Take a leaver off the team, and give what she has accepted back to the others.

    Nothing happens while she has another open account.

    Args:
        conn: Open write transaction.
        person_id: The staff member; None for an account that is nobody of the team.
        now: When (aware, UTC).
        new_id: Makes row ids.
        purpose: Why; it stands in the audit rows.

    Returns:
        How many alerts are open to the others again.
    """
    again = select(users.c.id).where(users.c.person_id == person_id, users.c.disabled_at.is_(None))
    if person_id is None or conn.execute(again).first() is not None:
        return 0
    conn.execute(
        update(person_roles)
        .where(person_roles.c.person_id == person_id, person_roles.c.until_at.is_(None))
        .values(until_at=now)
    )
    hers = select(alerts.c.id).where(alerts.c.owner_id == person_id, alerts.c.state == "accepted")
    return sum(
        pass_on(
            conn, alert_id=alert_id, person_id=person_id, now=now, new_id=new_id, purpose=purpose
        )
        for alert_id in conn.execute(hers.order_by(alerts.c.id)).scalars().all()
    )
