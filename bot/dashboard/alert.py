"""One alert: why this child is flagged, who has it, what to do now."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard.explain import Explanation, explain
from bot.dashboard.page import Page, Visit
from bot.dashboard.people import name_of
from bot.dashboard.words import say
from scoring.ruleset import CRISIS_RULE, UNREAD_RULE
from storage.care import cases
from storage.care.cases import OUTCOMES, AlertRow, AlertStep, Outcome, StoredProfile
from storage.families.learners import household_of
from storage.ids import new_id
from storage.rights.correcting import disputed_items

SHORTEST_REASON = 3
LONGEST_REASON = 2000
DONE = ("done", "gone")
TOLD = (CRISIS_RULE, UNREAD_RULE)
"""Rules that rest on no answer a profile could show: the page says what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the alert's story, with its author's name; empty where a clock did it."""

    kind: str
    name: str
    step: AlertStep


async def view(visit: Visit) -> Response:
    """Show it; a code of another school is not found."""
    alert = await _find(visit)
    return visit.fault(404, "missing") if alert is None else await _show(visit, alert)


async def accept(visit: Visit) -> Response:
    """She takes it, if nobody has it yet."""
    return await _act(visit, cases.accept)


async def pass_on(visit: Visit) -> Response:
    """She does not take it, or gives it back."""
    return await _act(visit, cases.pass_on)


async def close(visit: Visit) -> Response:
    """Close it with an outcome and a reason; else the form again, as she filled it."""
    alert = await _find(visit)
    person_id = visit.user.user.person_id
    if alert is None:
        return visit.fault(404, "missing")
    if person_id is None:
        return visit.fault(403, "forbidden")
    outcome = visit.form.get("outcome", "")
    reason = visit.form.get("reason", "").strip()
    faults = _faults(outcome, reason)
    if faults:
        return await _show(visit, alert, status=422, faults=faults)
    vault = visit.deps.vault

    def closing(conn: Connection) -> bool:
        key = vault.key_for(household_of(conn, visit.scope, alert.child_id))
        sealed = vault.seal(reason, table="alerts", column="reason", row=alert.id, key=key)
        return cases.close(
            conn,
            alert_id=alert.id,
            person_id=person_id,
            outcome=cast("Outcome", outcome),
            reason_sealed=sealed,
            now=visit.now,
            new_id=new_id,
            purpose=visit.scope.purpose_at(alert.school_id),
        )

    return _back(visit, alert, done=await visit.deps.database.write(closing))


def _faults(outcome: str, reason: str) -> tuple[str, ...]:
    found = []
    if outcome not in OUTCOMES:
        found.append(say("alert.bad.outcome"))
    if len(reason) < SHORTEST_REASON:
        found.append(say("alert.bad.reason"))
    if len(reason) > LONGEST_REASON:
        found.append(say("alert.bad.long", most=LONGEST_REASON, count=len(reason)))
    return tuple(found)


async def _act(visit: Visit, step: cases.Step) -> Response:
    alert = await _find(visit)
    person_id = visit.user.user.person_id
    if alert is None:
        return visit.fault(404, "missing")
    if person_id is None:
        return visit.fault(403, "forbidden")
    done = await visit.deps.database.write(
        lambda conn: step(
            conn,
            alert_id=alert.id,
            person_id=person_id,
            now=visit.now,
            new_id=new_id,
            purpose=visit.scope.purpose_at(alert.school_id),
        )
    )
    return _back(visit, alert, done=done)


def _back(visit: Visit, alert: AlertRow, *, done: bool) -> Response:
    return visit.see(f"/dashboard/alerts/{alert.code}?now={'done' if done else 'gone'}")


async def _find(visit: Visit) -> AlertRow | None:
    scope, code = visit.scope, visit.request.path_params["code"].upper()
    return await visit.deps.database.read(lambda conn: cases.alert(conn, scope, code))


async def _show(
    visit: Visit, alert: AlertRow, *, status: int = 200, faults: tuple[str, ...] = ()
) -> Response:
    scope = visit.scope
    steps, profile, disputed = await visit.deps.database.read(
        lambda conn: (
            cases.steps_of(conn, scope, alert.id),
            cases.profile_of(conn, scope, alert.child_id, alert.wave_id),
            disputed_items(conn, scope, [alert.child_id]),
        )
    )
    await visit.note("read", "alerts", alert.id, alert.school_id)
    vault = visit.deps.vault
    now = visit.request.query_params.get("now", "")
    return visit.page(
        "alert.html",
        status=status,
        alert=alert,
        owner=name_of(visit, alert.owner),
        mine=alert.owner is not None and alert.owner.id == visit.user.user.person_id,
        steps=[
            Step(kind=step.kind, name=name_of(visit, step.who) if step.who else "", step=step)
            for step in steps
        ],
        why=None if profile is None else _explained(visit, alert, profile),
        told=say(f"alert.rule.{alert.rule}") if alert.rule in TOLD else "",
        disputed=sorted(visit.deps.describe(item, "")[0] for _, item in disputed),
        reason=vault.open(alert.reason, table="alerts", column="reason", row=alert.id)
        if alert.reason
        else "",
        outcomes=OUTCOMES,
        longest=LONGEST_REASON,
        form=visit.form,
        faults=faults,
        result=now if now in DONE else "",
    )


def _explained(visit: Visit, alert: AlertRow, profile: StoredProfile) -> Explanation:
    body = visit.deps.vault.open(
        profile.body,
        table="profiles",
        column="body",
        row=cases.profile_row(alert.child_id, alert.wave_id),
    )
    number = "..." if alert.list_number is None else str(alert.list_number)
    return explain(body, visit.deps.describe, {"list_number": number})


PAGE = Page(
    path="/dashboard/alerts/{code}",
    title="alert.title",
    view=view,
    actions={"accept": accept, "pass_on": pass_on, "close": close},
)
