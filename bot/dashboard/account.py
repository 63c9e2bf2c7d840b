"""My account: role and schools, where I am signed in, password and recovery codes, signing out."""

from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.login.sessions import session_name
from storage.staff.logins import recovery_left
from storage.staff.users import school_names

HERE = "/dashboard/account"
SAID = ("ended", "changed", "recovered", "gone")
FEW = 3
BAD = 422


async def view(visit: Visit) -> Response:
    """Show it."""
    return await _page(visit)


async def _page(visit: Visit, *, status: int = 200, fault: str = "") -> Response:
    user, said = visit.user.user, visit.request.query_params.get("done", "")
    names, left = await visit.deps.database.read(
        lambda conn: (school_names(conn, user.schools), recovery_left(conn, user.id))
    )
    found = await visit.access.sessions(user)
    return visit.page(
        "account.html",
        status=status,
        fault=fault,
        user=user,
        role=visit.policy.roles[user.role].what,
        schools=names,
        sessions=[(s, session_name(s), s.digest == visit.user.digest) for s in found],
        said=said if said in SAID else "",
        left=left,
        few=left <= FEW,
        stepped=visit.stepped_up(visit.now),
    )


async def sign_out(visit: Visit) -> Response:
    """End this session and forget what the browser keeps of it."""
    await visit.access.end(visit.user)
    answer = visit.see("/dashboard/login")
    visit.forget(answer, "session")
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


async def end_one(visit: Visit) -> Response:
    """End one other session of this user."""
    ended = await visit.access.end_one(visit.user, visit.form.get("session", ""))
    return visit.see(f"{HERE}?done={'ended' if ended else 'gone'}")


async def end_others(visit: Visit) -> Response:
    """End every other session of this user."""
    await visit.access.end_others(visit.user)
    return visit.see(f"{HERE}?done=ended")


async def password(visit: Visit) -> Response:
    """A new password of her own choice, after a step-up."""
    if not visit.stepped_up(visit.now):
        return visit.prove_again(HERE)
    fault = await visit.enrolment.change_password(
        visit.user,
        password=visit.form.get("password", ""),
        again=visit.form.get("again", ""),
    )
    if fault:
        return await _page(visit, status=BAD, fault=fault)
    return visit.see(f"{HERE}?done=changed")


async def recovery(visit: Visit) -> Response:
    """New recovery codes, shown once, after a step-up."""
    if not visit.stepped_up(visit.now):
        return visit.prove_again(HERE)
    codes = await visit.enrolment.new_recovery(visit.user)
    return visit.page("setup_done.html", codes=codes, back=HERE)


PAGE = Page(
    path=HERE,
    title="account.title",
    view=view,
    actions={
        "sign_out": sign_out,
        "end_one": end_one,
        "end_others": end_others,
        "password": password,
        "recovery": recovery,
    },
    menu=9,
)
