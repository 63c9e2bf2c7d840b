"""What people ask about their data: the data officer's list, and entering what came by letter."""

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.dashboard.words import say
from bot.rights.deciding import RequestError, receive
from bot.rights.withholding import KINDS
from storage.rights import requests
from storage.rights.exports import ExportRow, annexes
from storage.rights.requests import RequestRow

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A request in the list; `inform` where she must still be told what was decided."""

    request: RequestRow
    late: bool
    inform: bool


async def view(visit: Visit) -> Response:
    """Show what waits for an answer, or what was decided."""
    return await _show(visit)


async def add(visit: Visit) -> Response:
    """Enter a request; else the form again, as she filled it."""
    world, scope, form = visit.deps.world, visit.scope, visit.form
    if world is None:
        return visit.fault(404, "missing")

    def adding(conn: Connection) -> str:
        return receive(
            conn,
            scope,
            world,
            kind=form.get("kind", ""),
            address=form.get("address", ""),
            child=form.get("child", ""),
            note=form.get("note", ""),
            now=visit.now,
        )[0]

    try:
        made = await visit.deps.database.write(adding)
    except RequestError as error:
        return await _show(visit, status=422, faults=tuple(map(fault, error.codes)))
    return visit.see(f"/dashboard/requests/{made}")


def fault(code: str) -> str:
    """What is wrong, in words; `others:ground` names the class it is wrong in."""
    name, _, what = code.partition(":")
    if not what:
        return say(f"requests.bad.{code}")
    return f"{say(f'requests.class.{name}')}: {say(f'requests.bad.{what}')}"


async def _show(visit: Visit, *, status: int = 200, faults: tuple[str, ...] = ()) -> Response:
    now = visit.now
    waiting = visit.request.query_params.get("state") != "decided"
    rows, counts, late, lists, inform = await visit.deps.database.read(
        lambda conn: _read(conn, visit, waiting=waiting)
    )
    await visit.note("listed", "requests", None, None)
    site = visit.deps.world.site if visit.deps.world is not None else None
    return visit.page(
        "requests.html",
        status=status,
        rows=[Listed(request=row, late=row.late(now), inform=row.id in inform) for row in rows],
        waiting=waiting,
        counts=counts,
        late=late,
        annexes=lists,
        days=site.request_days if site else None,
        confirmed=site.request_days_confirmed_on if site else None,
        kinds=KINDS,
        form=visit.form,
        faults=faults,
        most=PAGE_ROWS,
    )


def _read(
    conn: Connection, visit: Visit, *, waiting: bool
) -> tuple[list[RequestRow], dict[bool, int], int, list[ExportRow], set[str]]:
    scope, now = visit.scope, visit.now
    rows = requests.requests_in(conn, scope, waiting=waiting, limit=PAGE_ROWS)
    return (
        rows,
        {state: requests.count(conn, scope, waiting=state) for state in (True, False)},
        requests.count_late(conn, scope, now=now),
        annexes(conn, scope, now=now),
        set(requests.inform_tasks(conn, scope, [row.id for row in rows])),
    )


PAGE = Page(
    path="/dashboard/requests",
    title="requests.title",
    view=view,
    actions={"add": add},
    menu=4,
)
