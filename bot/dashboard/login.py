"""Signing in: login, password and a one-time code."""

import secrets

from starlette.responses import Response

from bot.dashboard.guard import cookie_name
from bot.dashboard.page import Page, Visit

START = "/dashboard"
STATUS = {"refused": 401, "wait": 429}
RETRY_AFTER_S = 15 * 60


async def view(visit: Visit) -> Response:
    """Show the form; somebody signed in goes on."""
    if visit.signed_in is not None:
        return visit.see(START)
    return _form(visit, where=visit.request.query_params.get("next", ""))


async def enter(visit: Visit) -> Response:
    """Judge the form: a new session, or the form again with the same words for every fault."""
    client = visit.request.client
    result = await visit.access.sign_in(
        login=visit.form.get("login", ""),
        password=visit.form.get("password", ""),
        code=visit.form.get("code", ""),
        client=client.host if client else "",
    )
    where = visit.form.get("next", "")
    if result.outcome != "in":
        answer = _form(visit, where=where, status=STATUS[result.outcome], fault=result.outcome)
        if result.outcome == "wait":
            answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer
    if visit.signed_in is not None:  # a new login is a new session, never the old one going on
        await visit.access.end(visit.signed_in)
    answer = visit.see(_inside(where))
    visit.cookie(answer, "session", result.token)
    answer.delete_cookie(cookie_name("form", https=visit.deps.https), secure=visit.deps.https)
    return answer


def _form(visit: Visit, *, where: str, status: int = 200, fault: str = "") -> Response:
    seed = visit.seed or secrets.token_urlsafe(32)
    answer = visit.with_seed(seed).page(
        "login.html",
        status=status,
        fault=fault,
        login=visit.form.get("login", ""),
        where=_inside(where),
    )
    visit.cookie(answer, "form", seed)
    return answer


def _inside(path: str) -> str:
    """The page to go on to: only a path of the dashboard, so that no link leads elsewhere."""
    safe = path.startswith("/dashboard/") and not set(path) & set("\\\r\n") and "//" not in path
    return path if safe else START


PAGE = Page(path="/dashboard/login", title="login.title", view=view, actions={"enter": enter})
