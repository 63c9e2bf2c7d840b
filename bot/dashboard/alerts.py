"""The list of alerts: what is open, how late it is, who has it."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.dashboard.people import names_of
from storage.care import cases
from storage.care.cases import AlertRow, Filter

PAGE_ROWS = 50
MOST_PAGES = 100_000
SHOWN: tuple[Filter, ...] = ("open", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An alert in the list, with its owner's name and its clock."""

    alert: AlertRow
    owner: str
    late: bool


async def view(visit: Visit) -> Response:
    """Show one page of open or closed alerts of her schools."""
    state: Filter = "closed" if visit.request.query_params.get("state") == "closed" else "open"
    number = _page_number(visit.request.query_params.get("page", ""))
    skip = (number - 1) * PAGE_ROWS
    scope = visit.scope
    everything, rows, counts = await visit.deps.database.read(
        lambda conn: (
            cases.alerts_in(conn, scope, state="open"),
            cases.alerts_in(conn, scope, state=state, limit=PAGE_ROWS, skip=skip),
            {shown: cases.count_alerts(conn, scope, state=shown) for shown in SHOWN},
        )
    )
    await visit.note("listed", "alerts", None, None)
    return visit.page(
        "alerts.html",
        state=state,
        rows=[
            Listed(alert=row, owner=name, late=_late(row, visit.now))
            for row, name in zip(rows, names_of(visit, [row.owner for row in rows]), strict=True)
        ],
        counts=counts,
        urgent=sum(row.level == "urgent" for row in everything),
        nobody=sum(row.owner is None for row in everything),
        late=sum(_late(row, visit.now) for row in everything),
        number=number,
        first=skip + 1,
        last=skip + len(rows),
    )


def _page_number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and 0 < int(text) < MOST_PAGES else 1


def _late(row: AlertRow, now: datetime) -> bool:
    return row.state in cases.UNOWNED and row.next_at is not None and row.next_at < now


PAGE = Page(path="/dashboard/alerts", title="alerts.title", view=view, menu=1)
