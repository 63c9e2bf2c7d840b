"""Signing in: login, password and a one-time code, or a word by chat instead of the code."""

from starlette.responses import Response

from bot.dashboard.guard import inside
from bot.dashboard.page import Page, Visit
from bot.login.access import SignIn

START = "/dashboard"
RECOVERED = "/dashboard/account?done=recovered"
STATUS = {"refused": 401, "wait": 429}
RETRY_AFTER_S = 15 * 60


async def view(visit: Visit) -> Response:
    """Show the form; somebody signed in goes on."""
    if visit.signed_in is not None:
        return visit.see(START)
    return _form(visit, where=visit.request.query_params.get("next", ""))


async def enter(visit: Visit) -> Response:
    """Judge the form: a new session, or the form again with the same words for every fault."""
    if visit.form.get("how") == "chat" and visit.access.asks_by_chat:
        return await _ask(visit)
    result = await visit.access.sign_in(
        login=visit.form.get("login", ""),
        password=visit.form.get("password", ""),
        code=visit.form.get("code", ""),
        client=visit.client,
    )
    if result.outcome != "in":
        return _refused(visit, result.outcome)
    return await _in(visit, result)


async def _ask(visit: Visit) -> Response:
    """Ask by chat. The page is the same whether login and password were right or not."""
    asked = await visit.access.ask(
        login=visit.form.get("login", ""),
        password=visit.form.get("password", ""),
        client=visit.client,
    )
    if asked.outcome == "wait":
        return _refused(visit, asked.outcome)
    answer = _waiting(visit, asked.number)
    visit.cookie(answer, "ask", asked.token)
    return answer


async def confirm(visit: Visit) -> Response:
    """Go on after the word by chat, in the browser that asked for it."""
    result = await visit.access.confirm(visit.cookie_of("ask"))
    if result.outcome == "waiting":
        return _waiting(visit, result.number, early=True)
    if result.outcome != "in":
        answer = _refused(visit, "refused", fault="over")
        visit.forget(answer, "ask")
        return answer
    return await _in(visit, result)


async def _in(visit: Visit, result: SignIn) -> Response:
    if visit.signed_in is not None:  # a new login is a new session, never the old one going on
        await visit.access.end(visit.signed_in)
    where = RECOVERED if result.how == "recovery" else inside(visit.form.get("next", ""))
    answer = visit.see(where)
    visit.cookie(answer, "session", result.token)
    visit.forget(answer, "form")
    visit.forget(answer, "ask")
    return answer


def _refused(visit: Visit, outcome: str, *, fault: str = "") -> Response:
    where = visit.form.get("next", "")
    answer = _form(visit, where=where, status=STATUS[outcome], fault=fault or outcome)
    if outcome == "wait":
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _form(visit: Visit, *, where: str, status: int = 200, fault: str = "") -> Response:
    return visit.form_for_anyone(
        "login.html",
        status=status,
        fault=fault,
        login=visit.form.get("login", ""),
        where=inside(where),
        by_chat=visit.access.asks_by_chat,
    )


def _waiting(visit: Visit, number: str, *, early: bool = False) -> Response:
    return visit.form_for_anyone(
        "login_chat.html", number=number, early=early, where=inside(visit.form.get("next", ""))
    )


PAGE = Page(
    path="/dashboard/login",
    title="login.title",
    view=view,
    actions={"enter": enter, "confirm": confirm},
)
