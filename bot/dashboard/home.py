"""The start: on to the first page of the menu that the role may open."""

from starlette.responses import Response

from bot.dashboard.page import Page, Visit


async def view(visit: Visit) -> Response:
    """Go on to where this role's work begins."""
    return visit.see(visit.links[0][0])


PAGE = Page(path="/dashboard", title="home.title", view=view)
