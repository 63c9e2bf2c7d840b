"""Another school: opened for an hour with a reason. Supervisors are told, and review it.

Nobody reviews her own.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.dashboard.words import say
from bot.policy import Place, may
from storage.ids import new_code, new_id
from storage.scope import BREAK_GLASS
from storage.trail import audit, glass
from storage.trail.audit import AuditRow
from storage.trail.glass import FINDINGS, Opening, Seen

PATH = "/dashboard/glass"
LASTS = timedelta(minutes=60)
FEWEST_WORDS = 3
SHORTEST = 15
LONGEST = 500
CODE_LENGTH = 6
SAID = ("opened", "busy", "ended", "reviewed", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An opening to review: why, and what was done under it."""

    opening: Opening
    reason: str
    seen: list[Seen]
    runs: bool


async def view(visit: Visit) -> Response:
    """Show what is open, what can be opened, and to a supervisor what waits for her review."""
    return await _show(visit)


async def open_school(visit: Visit) -> Response:
    """Open one school of others, once she proved herself again; else the form as she filled it."""
    if not visit.stepped_up(visit.now):
        return visit.prove_again(PATH)
    school_id = visit.form.get("school", "")
    reason = " ".join(visit.form.get("reason", "").split())
    mine = visit.user.user.schools
    others = await visit.deps.database.read(lambda conn: glass.other_schools(conn, mine))
    faults = _faults(reason) if school_id in dict(others) else (say("glass.bad.school"),)
    if faults:
        return await _show(visit, status=422, faults=faults)

    def opening(conn: Connection) -> bool:
        made_id = new_id(visit.now)
        made = glass.open_school(
            conn,
            id=made_id,
            code=new_code(CODE_LENGTH),
            user_id=visit.user.user.id,
            school_id=school_id,
            reason=visit.deps.vault.seal(reason, table="break_glass", column="reason", row=made_id),
            now=visit.now,
            ends_at=visit.now + LASTS,
        )
        if made is not None:
            audit.record(conn, [_entry(visit, "opened", made)])
            visit.deps.tell_glass(conn, made, visit.now)
        return made is not None

    return _back("opened" if await visit.deps.database.write(opening) else "busy", visit)


async def end(visit: Visit) -> Response:
    """End one before its time: her own, or as a supervisor one that she has to review."""
    found = next((o for o in visit.openings if o.id == visit.form.get("opening")), None)
    found = found or await _to_review(visit)
    if found is None:
        return visit.fault(404, "missing")

    def ending(conn: Connection) -> bool:
        done = glass.end_now(conn, found, visit.now)
        if done:
            audit.record(conn, [_entry(visit, "ended", found)])
        return done

    return _back("ended" if await visit.deps.database.write(ending) else "gone", visit)


async def review(visit: Visit) -> Response:
    """Note what a supervisor found about somebody else's opening that has ended."""
    found = await _to_review(visit)
    finding = visit.form.get("finding", "")
    if found is None or finding not in FINDINGS:
        return visit.fault(404, "missing")

    def reviewing(conn: Connection) -> bool:
        done = glass.review(
            conn,
            found,
            user_id=visit.user.user.id,
            finding=finding,
            now=visit.now,
        )
        if done:
            audit.record(conn, [_entry(visit, f"reviewed_{finding}", found)])
        return done

    return _back("reviewed" if await visit.deps.database.write(reviewing) else "gone", visit)


def _faults(reason: str) -> tuple[str, ...]:
    found = []
    if len(reason) < SHORTEST or len(reason.split()) < FEWEST_WORDS:
        found.append(say("glass.bad.reason"))
    if len(reason) > LONGEST:
        found.append(say("alert.bad.long", most=LONGEST, count=len(reason)))
    return tuple(found)


def _entry(visit: Visit, verb: str, opening: Opening) -> AuditRow:
    return AuditRow(
        id=new_id(visit.now),
        at=visit.now,
        actor_kind="user",
        actor_id=visit.user.user.id,
        verb=verb,
        object_kind="break_glass",
        object_id=opening.id,
        school_id=opening.school_id,
        purpose=BREAK_GLASS,
    )


def _back(said: str, visit: Visit) -> Response:
    return visit.see(f"{PATH}?now={said}")


def _reviews(visit: Visit) -> bool:
    place = Place(section="pages", name="glass")
    return may(visit.policy, visit.who, "review", place) == "allow"


async def _to_review(visit: Visit) -> Opening | None:
    if not _reviews(visit):
        return None
    scope, wanted = visit.scope, visit.form.get("opening", "")
    waiting = await visit.deps.database.read(lambda conn: glass.unreviewed(conn, scope))
    return next((opening for opening in waiting if opening.id == wanted), None)


async def _show(visit: Visit, *, status: int = 200, faults: tuple[str, ...] = ()) -> Response:
    mine, scope, reviews = visit.user.user.schools, visit.scope, _reviews(visit)
    others, waiting, seen = await visit.deps.database.read(
        lambda conn: _read(conn, mine, glass.unreviewed(conn, scope) if reviews else [])
    )
    if waiting:  # reasons, in which a family may stand
        await visit.note("listed", "break_glass", None, None)
    vault, said = visit.deps.vault, visit.request.query_params.get("now", "")
    return visit.page(
        "glass.html",
        status=status,
        others=others,
        reviews=reviews,
        waiting=[
            Listed(
                opening=opening,
                reason=vault.open(
                    opening.reason, table="break_glass", column="reason", row=opening.id
                ),
                seen=seen[opening.id],
                runs=opening.ends_at > visit.now,
            )
            for opening in waiting
        ],
        findings=FINDINGS,
        longest=LONGEST,
        form=visit.form,
        faults=faults,
        proved=visit.stepped_up(visit.now),
        said=said if said in SAID else "",
    )


def _read(
    conn: Connection, mine: frozenset[str], waiting: list[Opening]
) -> tuple[list[tuple[str, str]], list[Opening], dict[str, list[Seen]]]:
    return glass.other_schools(conn, mine), waiting, glass.done_under(conn, waiting)


PAGE = Page(
    path=PATH,
    title="glass.title",
    view=view,
    actions={"open": open_school, "end": end, "review": review},
    menu=6,
)
