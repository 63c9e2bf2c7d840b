"""After a breach: the sealed lists of numbers of people to be told, opened by a data officer."""

from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.dashboard.request import hand_out
from storage.rights.exports import annexes, find

PATH = "/dashboard/annexes"


async def view(visit: Visit) -> Response:
    """Show which lists can still be opened."""
    scope, now = visit.scope, visit.now
    files = await visit.deps.database.read(lambda conn: annexes(conn, scope, now=now))
    await visit.note("listed", "exports", None, None)
    return visit.page("annexes.html", files=files)


async def download(visit: Visit) -> Response:
    """Hand one out: proved again, marked, written down."""
    if not visit.stepped_up(visit.now):
        return visit.prove_again(PATH)
    scope, export_id, now = visit.scope, visit.form.get("export", ""), visit.now
    found = await visit.deps.database.read(lambda conn: find(conn, scope, export_id, now=now))
    if found is None or found.kind != "breach":
        return visit.fault(404, "missing")
    return await hand_out(visit, found, kind=visit.form.get("format", "html"))


PAGE = Page(path=PATH, title="annexes.title", view=view, actions={"download": download})
