"""Who looked without an assignment: a month of reads, by login and by code."""

from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.trail.looked import WHYS, MonthError, month_before, report, span_of


async def view(visit: Visit) -> Response:
    """Show a month of her schools; of all of them to a role that answers for all."""
    zone = visit.deps.timezone
    last = month_before(visit.now, zone)
    month = visit.request.query_params.get("month", last)
    try:
        start, _ = span_of(month, zone)
    except MonthError:
        return visit.fault(404, "missing")
    scope, everywhere = visit.scope, visit.policy.everywhere()
    made = await visit.deps.database.read(
        lambda conn: report(conn, scope, month, zone=zone, everywhere=everywhere)
    )
    await visit.note("listed", "audit", None, None)
    return visit.page(
        "looked.html",
        report=made,
        whys=WHYS,
        earlier=month_before(start, zone),
        this_month=f"{visit.now.astimezone(zone):%Y-%m}",
    )


PAGE = Page(path="/dashboard/looked", title="looked.title", view=view, menu=7)
