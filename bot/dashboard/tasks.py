"""Work to do: people to call, messages that failed, codes claimed twice. Nothing rests unseen."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.policy import Place, may
from storage.care import work
from storage.care.assisting import KINDS
from storage.care.work import TaskRow
from storage.trail import audit

PAGE_ROWS = 50
DONE_ON: Mapping[str, str] = {"who_looked": "looked", "inbox": "inbox"}
"""Kinds of task that are done on a page of their own: only for the roles that may open it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A task in the list; `number` is whom to call, once she asked to see it."""

    task: TaskRow
    late: bool
    number: str


async def view(visit: Visit) -> Response:
    """Show the open tasks of her schools."""
    return await _show(visit, shown=None)


async def show(visit: Visit) -> Response:
    """Show the number of one task's person: a read of an identity, noted as such."""
    task = await _find(visit)
    if task is None:
        return visit.fault(404, "missing")
    await visit.note("read", "addresses", task.address_id, task.school_id)
    return await _show(visit, shown=task.id)


async def done(visit: Visit) -> Response:
    """Close a task."""
    task = await _find(visit)
    if task is None:
        return visit.fault(404, "missing")
    person_id, now = visit.user.user.person_id, visit.now
    entries = visit.entries("closed", "tasks", task.id, task.school_id)

    def finishing(conn: Connection) -> None:
        if work.finish(conn, task_id=task.id, person_id=person_id, now=now):
            audit.record(conn, entries)

    await visit.deps.database.write(finishing)
    return visit.see("/dashboard/tasks?now=done")


async def _find(visit: Visit) -> TaskRow | None:
    scope, task_id, without = visit.scope, visit.form.get("task", ""), _not_hers(visit)
    return await visit.deps.database.read(
        lambda conn: work.task(conn, scope, task_id, without=without)
    )


def _not_hers(visit: Visit) -> list[str]:
    """Kinds of task for other roles, by the policy of the pages they are done on."""
    return [
        kind
        for kind, page in DONE_ON.items()
        if may(visit.policy, visit.who, "view", Place(section="pages", name=page)) != "allow"
    ]


async def _show(visit: Visit, *, shown: str | None) -> Response:
    scope, without = visit.scope, _not_hers(visit)
    rows, total = await visit.deps.database.read(
        lambda conn: (
            work.tasks_in(conn, scope, limit=PAGE_ROWS, without=without),
            work.count_tasks(conn, scope, without=without),
        )
    )
    await visit.note("listed", "tasks", None, None)
    return visit.page(
        "tasks.html",
        rows=[_listed(visit, row, open_it=row.id == shown) for row in rows],
        total=total,
        done_on=DONE_ON,
        helped=KINDS,
        saved=visit.request.query_params.get("now") == "done",
    )


def _listed(visit: Visit, row: TaskRow, *, open_it: bool) -> Listed:
    number = ""
    if open_it and row.value is not None and row.address_id is not None:
        value = visit.deps.vault.open(
            row.value, table="addresses", column="value", row=row.address_id
        )
        number = f"{row.channel}: {value}"
    return Listed(task=row, late=row.due_at < visit.now, number=number)


PAGE = Page(
    path="/dashboard/tasks",
    title="tasks.title",
    view=view,
    actions={"show": show, "done": done},
    menu=2,
)
