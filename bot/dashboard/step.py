"""Proving oneself again before something that matters: password and code, good for five minutes."""

from starlette.responses import Response

from bot.dashboard.guard import inside
from bot.dashboard.login import RETRY_AFTER_S, STATUS
from bot.dashboard.page import Page, Visit

ACCOUNT = "/dashboard/account"


async def view(visit: Visit) -> Response:
    """Show the form; whoever did so a moment ago goes on."""
    where = inside(visit.request.query_params.get("next", ""), ACCOUNT)
    return visit.see(where) if visit.stepped_up(visit.now) else _form(visit, where)


async def prove(visit: Visit) -> Response:
    """Judge the form, and go on to the page that asked for it."""
    where = inside(visit.form.get("next", ""), ACCOUNT)
    outcome = await visit.access.step_up(
        visit.user,
        password=visit.form.get("password", ""),
        code=visit.form.get("code", ""),
        client=visit.client,
    )
    if outcome == "in":
        return visit.see(where)
    answer = _form(visit, where, fault=outcome)
    if outcome == "wait":
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _form(visit: Visit, where: str, *, fault: str = "") -> Response:
    return visit.page("step.html", status=STATUS.get(fault, 200), where=where, fault=fault)


PAGE = Page(path="/dashboard/step", title="step.title", view=view, actions={"prove": prove})
