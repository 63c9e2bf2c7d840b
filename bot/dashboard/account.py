"""My account: role and schools, where I am signed in, signing out."""

from starlette.responses import Response

from bot.dashboard.guard import cookie_name
from bot.dashboard.page import Page, Visit
from storage.users import school_names


async def view(visit: Visit) -> Response:
    """Show it."""
    user = visit.user.user
    names = await visit.deps.database.read(lambda conn: school_names(conn, user.schools))
    return visit.page(
        "account.html",
        user=user,
        role=visit.policy.roles[user.role],
        schools=names,
        sessions=await visit.access.sessions(user),
        here=visit.user.digest,
        ended=visit.request.query_params.get("done") == "ended",
    )


async def sign_out(visit: Visit) -> Response:
    """End this session and forget what the browser keeps of it."""
    https = visit.deps.https
    name = cookie_name("session", https=https)
    await visit.access.end(visit.user)
    answer = visit.see("/dashboard/login")
    answer.delete_cookie(name, secure=https, httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


async def end_others(visit: Visit) -> Response:
    """End every other session of this user."""
    await visit.access.end_others(visit.user)
    return visit.see("/dashboard/account?done=ended")


PAGE = Page(
    path="/dashboard/account",
    title="account.title",
    view=view,
    actions={"sign_out": sign_out, "end_others": end_others},
    menu=9,
)
