"""The start: on to the first page of the menu that the role may open.

Whoever can do something about it first learns that families are not invited yet, and why.
"""

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from storage.talk.inviting import count_to_invite

TOLD = ("supervisor", "tech")
"""The roles that are told that the launch gate is shut. It says nothing about anybody."""


async def view(visit: Visit) -> Response:
    """Go on to where this role's work begins."""
    onward = visit.links[0][0]
    if visit.user.user.role not in TOLD:
        return visit.see(onward)

    def look(conn: Connection) -> tuple[tuple[str, ...], int]:
        missing = tuple(item.found for item in visit.deps.gate(conn, visit.now))
        return missing, count_to_invite(conn) if missing else 0

    missing, waiting = await visit.deps.database.read(look)
    if not missing:
        return visit.see(onward)
    return visit.page("home.html", missing=missing, waiting=waiting, onward=onward)


PAGE = Page(path="/dashboard", title="home.title", view=view)
