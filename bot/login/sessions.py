"""Sessions of the dashboard: who is there, for how long, and how they end.

Source: OWASP ASVS 5.0, 7.2-7.5 (trust-and-dashboard.md §B2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.login.proofs import digest
from storage.database import Database
from storage.ids import new_id
from storage.staff import users
from storage.staff.users import User, UserSession
from storage.trail import audit
from storage.trail.audit import AuditRow

IDLE = timedelta(minutes=20)
LONGEST = timedelta(hours=10)
STEP_LIFE = timedelta(minutes=5)
"""How long a second proof of oneself (step-up) holds."""
SEEN_EVERY = timedelta(minutes=1)
"""How stale `seen_at` may get, so that not every page is a write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A user in a live session.

    Attributes:
        user: Who.
        digest: Names the session, and is what form tokens hang on.
        stepped_at: When she last proved herself again in this session.
    """

    user: User
    digest: str
    stepped_at: datetime | None = None

    def stepped_up(self, now: datetime) -> bool:
        """Whether she proved herself again within `STEP_LIFE`."""
        return self.stepped_at is not None and now - self.stepped_at <= STEP_LIFE


class Sessions:
    """The sessions of all users.

    Args:
        database: Where they are.
        now: The clock.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

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
        return SignedIn(user=found[1], digest=key, stepped_at=found[0].stepped_at)

    async def end(self, signed_in: SignedIn) -> None:
        """End this session."""
        await self._leave(
            signed_in.user, "sign_out", partial(users.end_session, digest=signed_in.digest)
        )

    async def end_one(self, signed_in: SignedIn, name: str) -> bool:
        """End one of her other sessions, by the `session_name` its list shows; False for none."""
        found = [s for s in await self.sessions(signed_in.user) if session_name(s) == name]
        for session in found:
            await self._leave(
                signed_in.user, "session_ended", partial(users.end_session, digest=session.digest)
            )
        return bool(found)

    async def end_others(self, signed_in: SignedIn) -> None:
        """End all of the user's sessions except this one."""
        end = partial(users.end_sessions, user_id=signed_in.user.id, but=signed_in.digest)
        await self._leave(signed_in.user, "sessions_ended", end)

    async def _leave(self, user: User, verb: str, end: Callable[..., object]) -> None:
        now = self._now()

        def leave(conn: Connection) -> None:
            end(conn, now=now)
            audit.record(conn, [note(user, verb, now)])

        await self._database.write(leave)

    async def sessions(self, user: User) -> list[UserSession]:
        """The user's live sessions, newest first."""
        now = self._now()
        since = now - LONGEST
        found = await self._database.read(
            lambda conn: users.sessions_of(conn, user.id, since=since)
        )
        return [session for session in found if _live(session, now)]


def session_name(session: UserSession) -> str:
    """How a list names a session: it opens nothing, and is not what form tokens are made of."""
    return digest(session.digest)[:16]


def note(user: User, verb: str, now: datetime) -> AuditRow:
    """The audit row of what a user did with her own account."""
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


def _live(session: UserSession, now: datetime) -> bool:
    return now - session.seen_at <= IDLE and now - session.created_at <= LONGEST
