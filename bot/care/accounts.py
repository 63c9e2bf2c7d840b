"""Accounts come to an end by themselves: at their date, and after 30 days without use.

The date is when somebody's work here ends: she leaves the team's list, and what she had accepted
goes back to the others. Idle days only close the login; alerts still reach her by chat.
"""

from datetime import datetime

from sqlalchemy import Connection

from bot.login.lifetimes import IDLE, LIFETIME
from bot.turns.world import World
from storage.scope import system
from storage.staff import accounts
from storage.staff.accounts import Account
from storage.trail.audit import record, row


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Close what has ended or was idle for too long. Returns how many."""
    return sum(_judge(conn, world, account, now) for account in accounts.open_accounts(conn))


def _judge(conn: Connection, world: World, account: Account, now: datetime) -> bool:
    if account.ends_at is None:
        accounts.give_end(conn, account.id, ends_at=now + LIFETIME)
        _note(conn, world, "end_set", account.id, now)
    elif account.ends_at <= now:
        accounts.close(conn, account.id, now=now)
        accounts.hand_over(
            conn, account.person_id, now=now, new_id=world.new_id, purpose="account_ended"
        )
        _note(conn, world, "ended_by_date", account.id, now)
        return True
    if now - account.used_at < IDLE:
        return False
    accounts.close(conn, account.id, now=now)
    _note(conn, world, "closed_idle", account.id, now)
    return True


def _note(conn: Connection, world: World, verb: str, user_id: str, now: datetime) -> None:
    entry = row(system("accounts"), verb, "users", user_id, id=world.new_id(now), at=now)
    record(conn, [entry])
