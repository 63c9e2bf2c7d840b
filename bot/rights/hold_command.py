"""The `hold` commands: households that nothing may be deleted of, whatever is asked or due."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from bot.app import now as clock
from bot.commands import GOOD, PROBLEM, as_json, err, out, with_database
from bot.dashboard.requests import fault
from bot.policy import shipped
from bot.rights.deciding import RequestError
from bot.rights.erase import EraseRefusedError, by_household
from bot.rights.officer import Prove, prove
from bot.settings import Settings
from bot.trail.acting import acting, roles_for
from bot.turns.world import World
from storage.errors import SealBroken
from storage.ids import new_id
from storage.rights import holds
from storage.schema import children, households
from storage.scope import Scope, system
from storage.staff import users
from storage.trail import audit

HOLD = ("hold", "decide")
"""The row and verb of the policy's commands that names who may hold."""


def add(
    settings: Settings,
    *,
    household: str,
    child: str,
    reason: str,
    by: str,
    until: datetime | None,
    now: datetime | None = None,
    prove: Prove = prove,
) -> int:
    """`hold add`: hold the household of a child, or one by its id, in one's own name."""
    now = now or clock()
    if bool(household) == bool(child) or not reason.strip():
        err("Say whom (--household ID or --child CODE) and why (--reason).")
        return PROBLEM
    if not _is_she(settings, by, prove):
        return PROBLEM

    def work(conn: Connection, world: World) -> str | None:
        target = household.strip() if household else _household_of(conn, child)
        user = acting(conn, world.policy, by, *HOLD, now=now)
        if user is None:
            return None
        by_household(conn, target)
        erased = select(households.c.erased_at).where(households.c.id == target)
        if conn.execute(erased).scalar() is not None:
            raise EraseRefusedError("nobody")
        made = holds.add_hold(
            conn,
            household_id=target,
            reason=reason.strip(),
            by=user.id,
            until_at=None if until is None else _end_of(until, world.zone),
            vault=world.vault,
            now=now,
            new_id=new_id,
        )
        _audit(conn, user.id, "held", target, now)
        return made

    try:
        made = with_database(settings, work)
    except EraseRefusedError:
        err("There is no such household.")
        return PROBLEM
    if made is None:
        err(_not_allowed())
        return PROBLEM
    out(made)
    return GOOD


def _end_of(day: datetime, zone: ZoneInfo) -> datetime:
    """A day that is named is held to its end, in the programme's own time."""
    return datetime.combine(day.date() + timedelta(days=1), time(), tzinfo=zone)


def _not_allowed() -> str:
    return f"--by must name an open account of one of: {', '.join(roles_for(shipped(), *HOLD))}."


def _is_she(settings: Settings, login: str, prove: Prove) -> bool:
    """Whether whoever types has the password and the code of that login; if not, it is said."""
    try:
        prove(settings, login)
    except RequestError as error:
        err(fault(error.codes[0]))
        return False
    return True


def end(
    settings: Settings,
    hold_id: str,
    *,
    by: str,
    now: datetime | None = None,
    prove: Prove = prove,
) -> int:
    """`hold end`: what was held may be erased and let go again; in one's own name."""
    now = now or clock()
    if not _is_she(settings, by, prove):
        return PROBLEM

    def work(conn: Connection, world: World) -> str:
        user = acting(conn, world.policy, by, *HOLD, now=now)
        if user is None:
            return _not_allowed()
        if not holds.end_hold(conn, hold_id.strip(), now=now):
            return "No such hold stands. See: hold list"
        _audit(conn, user.id, "hold_ended", hold_id.strip(), now)
        return ""

    problem = with_database(settings, work)
    if problem:
        err(problem)
        return PROBLEM
    out("Ended.")
    return GOOD


def listed(
    settings: Settings, *, all_: bool, json_wanted: bool, now: datetime | None = None
) -> int:
    """`hold list`: the holds that stand, with codes and reasons."""
    now = now or clock()

    def work(conn: Connection, world: World) -> list[dict[str, object]]:
        found = holds.holds(conn, system("hold list"), now=now, ended=all_)
        logins = {user.id: user.login for user in users.everyone(conn)}
        return [
            {
                "id": hold.id,
                "household": hold.household_id,
                "children": list(hold.children),
                "school": hold.school,
                "reason": _reason(world, hold),
                "by": logins.get(hold.set_by, "?"),
                "from": hold.from_at.isoformat(timespec="seconds"),
                "until": hold.until_at.isoformat(timespec="seconds") if hold.until_at else None,
                "stands": hold.stands(now),
            }
            for hold in found
        ]

    rows = with_database(settings, work)
    if json_wanted:
        as_json(rows)
        return GOOD
    for row in rows:
        codes = ", ".join(map(str, row["children"] or []))  # type: ignore[call-overload]
        until = row["until"] or "until somebody ends it"
        out(f"{row['id']}  {codes}  {row['school']}  {row['from']} to {until}  by {row['by']}")
        out(f"  {row['reason']}")
    if not rows:
        out("No hold stands.")
    return GOOD


def _reason(world: World, hold: holds.Hold) -> str:
    try:
        return world.vault.open(hold.reason, table="legal_holds", column="reason", row=hold.id)
    except SealBroken:
        return "(does not open)"


def _household_of(conn: Connection, code: str) -> str:
    found = conn.execute(
        select(children.c.household_id).where(children.c.code == code.strip().upper())
    ).scalar()
    if found is None:
        raise EraseRefusedError("nobody")
    return str(found)


def _audit(conn: Connection, user_id: str, verb: str, thing: str, now: datetime) -> None:
    scope = Scope(actor_id=user_id, actor_kind="user", schools=frozenset(), purpose="legal_hold")
    audit.record(conn, [audit.row(scope, verb, "legal_holds", thing, id=new_id(now), at=now)])
