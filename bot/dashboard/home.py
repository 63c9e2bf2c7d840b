"""The start: on to the first page of the menu that the role may open.

Whoever can do something about it first learns that families are not invited yet, and why, and whose
accounts end soon.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard.page import DAY, Page, Visit
from bot.login.lifetimes import ends_soon, last_day
from storage.staff.users import User, everyone
from storage.talk.inviting import count_to_invite

TOLD = ("supervisor", "tech")
"""The roles that are told: that the launch gate is shut, and which accounts end soon (tech of all,
a supervisor of those that share a school of hers). Nothing of it is about a child or a family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An account that ends within two weeks."""

    login: str
    role: str
    day: str


async def view(visit: Visit) -> Response:
    """Go on to where this role's work begins."""
    onward = visit.links[0][0]
    if visit.user.user.role not in TOLD:
        return visit.see(onward)

    def look(conn: Connection) -> tuple[tuple[str, ...], int, list[User]]:
        missing = tuple(item.found for item in visit.deps.gate(conn, visit.now))
        return missing, count_to_invite(conn) if missing else 0, everyone(conn)

    missing, waiting, team = await visit.deps.database.read(look)
    ending = _ending(visit, team)
    if not missing and not ending:
        return visit.see(onward)
    return visit.page("home.html", missing=missing, waiting=waiting, ending=ending, onward=onward)


def _ending(visit: Visit, team: Iterable[User]) -> list[Ending]:
    """Accounts that end soon, the soonest first: of everybody, or of a supervisor's schools."""
    me, zone = visit.user.user, visit.deps.timezone
    soon = [
        (user.ends_at, user)
        for user in team
        if user.ends_at is not None
        and user.usable(visit.now)
        and ends_soon(user.ends_at, now=visit.now)
        and user.id != me.id  # she reads of her own on every page
        and (me.role == "tech" or me.schools & user.schools)
    ]
    soon.sort(key=lambda pair: (pair[0], pair[1].login))
    return [
        Ending(login=user.login, role=user.role, day=f"{last_day(ends_at, zone):{DAY}}")
        for ends_at, user in soon
    ]


PAGE = Page(path="/dashboard", title="home.title", view=view)
