"""Setting an account up, or one half of its login anew, with a one-time code."""

from starlette.responses import Response

from bot.dashboard.login import RETRY_AFTER_S, STATUS
from bot.dashboard.page import Page, Visit
from bot.login.enrolling import NEW_AUTHENTICATOR, NEW_PASSWORD, Opened, Typed

BAD = 422
GROUP = 4


async def view(visit: Visit) -> Response:
    """Ask for the code."""
    return _ask(visit)


async def open_code(visit: Visit) -> Response:
    """Show what the code opens."""
    opened = await visit.enrolment.open(visit.form.get("code", ""), client=visit.client)
    if opened.outcome != "open":
        return _ask(visit, fault=opened.outcome)
    return _form(visit, opened)


async def save(visit: Visit) -> Response:
    """Set it; then the recovery codes, if there are new ones, are shown once."""
    names = ("code", "login", "password", "again", "proof")
    typed = Typed(**{name: visit.form.get(name, "") for name in names})
    done = await visit.enrolment.finish(typed, client=visit.client)
    if done.outcome == "done":
        return visit.page("setup_done.html", codes=done.recovery, back="/dashboard/login")
    if done.outcome == "wait":
        return _ask(visit, fault="wait")
    opened = await visit.enrolment.open(typed.code, client=visit.client)
    if opened.outcome != "open":
        return _ask(visit, fault=opened.outcome)
    return _form(visit, opened, status=BAD, fault=done.fault or "proof")


def _ask(visit: Visit, *, fault: str = "") -> Response:
    answer = visit.form_for_anyone("setup.html", status=STATUS.get(fault, 200), fault=fault)
    if fault == "wait":
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _form(visit: Visit, opened: Opened, *, status: int = 200, fault: str = "") -> Response:
    import segno  # noqa: PLC0415 - it loads slowly: not at every start

    secret = opened.secret
    return visit.form_for_anyone(
        "setup_form.html",
        status=status,
        fault=fault,
        opened=opened,
        code=visit.form.get("code", ""),
        login=opened.login or visit.form.get("login", ""),
        new_password=opened.kind in NEW_PASSWORD,
        new_authenticator=opened.kind in NEW_AUTHENTICATOR,
        # An image as data: the policy of the page allows no inline style, which inline SVG needs.
        picture=segno.make(opened.uri, error="m").svg_data_uri(scale=4) if opened.uri else "",
        groups=" ".join(secret[at : at + GROUP] for at in range(0, len(secret), GROUP)),
    )


PAGE = Page(
    path="/dashboard/setup",
    title="setup.title",
    view=view,
    actions={"open": open_code, "save": save},
)
