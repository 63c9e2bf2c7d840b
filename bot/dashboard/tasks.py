"""Work to do: people to call, messages that failed, codes claimed twice. Nothing rests unseen."""

from dataclasses import dataclass

from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from storage import work
from storage.work import TaskRow

PAGE_ROWS = 50


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
    await visit.deps.database.write(
        lambda conn: work.finish(conn, task_id=task.id, person_id=person_id, now=now)
    )
    await visit.note("closed", "tasks", task.id, task.school_id)
    return visit.see("/dashboard/tasks?now=done")


async def _find(visit: Visit) -> TaskRow | None:
    scope, task_id = visit.scope, visit.form.get("task", "")
    return await visit.deps.database.read(lambda conn: work.task(conn, scope, task_id))


async def _show(visit: Visit, *, shown: str | None) -> Response:
    scope = visit.scope
    rows, total = await visit.deps.database.read(
        lambda conn: (
            work.tasks_in(conn, scope, limit=PAGE_ROWS),
            work.count_tasks(conn, scope),
        )
    )
    await visit.note("listed", "tasks", None, None)
    return visit.page(
        "tasks.html",
        rows=[_listed(visit, row, open_it=row.id == shown) for row in rows],
        total=total,
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
