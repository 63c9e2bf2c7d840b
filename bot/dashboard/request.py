"""One request: who asks, what would be given and what is kept back, the decision, the file."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard import folders
from bot.dashboard.page import Page, Visit
from bot.dashboard.requests import fault
from bot.rights import correction, deciding, export, objecting, settling
from bot.rights.correction import FIELDS, Correction
from bot.rights.deciding import HOW, LONGEST_NOTE, Decision, RequestError
from bot.rights.file import Folder, gather
from bot.rights.withholding import (
    CHOICES,
    CLASSES,
    FOR_OUTCOME,
    GROUNDS,
    OUTCOMES,
    TO_GIVE,
    TO_KEEP,
    Ruling,
    Withheld,
    by_default,
)
from bot.turns.world import World
from storage.errors import SealBroken
from storage.rights import requests
from storage.rights.exports import ExportRow, find, of_request
from storage.rights.requests import RequestRow
from storage.staff.users import everyone
from storage.trail.audit import record

SAID = (
    "identified",
    "decided",
    "confirmed",
    "built",
    "corrected",
    "disputed",
    "settled",
    "informed",
    "noted",
)
KINDS = {"html": "text/html; charset=utf-8", "json": "application/json"}
EXPORTS = ("subject", "breach")
"""The kinds of files that `hand_out` hands out."""


async def view(visit: Visit) -> Response:
    """Show it; a request out of scope is not found."""
    row = await _find(visit)
    return visit.fault(404, "missing") if row is None else await _show(visit, row)


async def identify(visit: Visit) -> Response:
    """Who asks was proved: how, and by whom."""
    how, note = visit.form.get("how", ""), visit.form.get("note", "")
    return await _step(
        visit,
        lambda conn, row, world: deciding.identify(
            conn, visit.scope, world.vault, row, how=how, note=note, now=visit.now
        ),
        said="identified",
    )


async def decide(visit: Visit) -> Response:
    """Decide it."""

    def step(conn: Connection, row: RequestRow, world: World) -> None:
        present = _present(conn, visit, world, row)
        decision = Decision(
            outcome=visit.form.get("outcome", ""),
            ground=visit.form.get("ground", ""),
            rulings=deciding.rulings_of(visit.form, list(present)),
            against=visit.form.get("against", ""),
            note=visit.form.get("note", ""),
        )
        deciding.decide(
            conn,
            visit.scope,
            world.vault,
            row,
            decision,
            present=list(present),
            now=visit.now,
            stop=lambda what: objecting.stop(conn, world, visit.scope, row, what, now=visit.now),
        )

    return await _step(visit, step, said="decided", step_up=True)


async def confirm(visit: Visit) -> Response:
    """The second person's word on an erasure."""
    agrees = visit.form.get("agrees") == "yes"
    return await _step(
        visit,
        lambda conn, row, world: deciding.confirm(
            conn, visit.scope, world.vault, row, agrees=agrees, now=visit.now
        ),
        said="confirmed",
        step_up=True,
    )


async def note(visit: Visit) -> Response:
    """Add to the sealed note."""

    def step(conn: Connection, row: RequestRow, world: World) -> None:
        text = visit.form.get("note", "")
        if not text.strip() or len(text) > LONGEST_NOTE:
            raise RequestError("note" if not text.strip() else "long")
        deciding.add_note(conn, world.vault, row, text, by=visit.user.user.id, now=visit.now)
        record(conn, visit.entries("noted", "requests", row.id, row.school_id))

    return await _step(visit, step, said="noted")


async def informed(visit: Visit) -> Response:
    """She was told what was decided or corrected."""
    return await _step(
        visit,
        lambda conn, row, _: deciding.informed(conn, visit.scope, row, now=visit.now),
        said="informed",
    )


async def correct(visit: Visit) -> Response:
    """Correct one value."""
    form = visit.form
    asked = Correction(
        field=form.get("field", ""),
        value=form.get("value", ""),
        child=form.get("child", ""),
        before=form.get("before", ""),
    )
    return await _step(
        visit,
        lambda conn, row, world: correction.correct(
            conn, world, visit.scope, row, asked, now=visit.now
        ),
        said="corrected",
    )


async def dispute(visit: Visit) -> Response:
    """Mark an answer as disputed."""
    session_id, _, item = visit.form.get("answer", "").partition(":")
    return await _step(
        visit,
        lambda conn, row, world: correction.dispute(
            conn, world, visit.scope, row, session_id=session_id, item=item, now=visit.now
        ),
        said="disputed",
    )


async def settle(visit: Visit) -> Response:
    """Take the mark off a disputed answer."""
    mark, outcome, reason = (visit.form.get(name, "") for name in ("mark", "outcome", "reason"))
    return await _step(
        visit,
        lambda conn, row, world: settling.settle(
            conn, world, visit.scope, row, mark=mark, outcome=outcome, reason=reason, now=visit.now
        ),
        said="settled",
    )


async def build(visit: Visit) -> Response:
    """Make the file of a granted request."""
    row, world = await _find(visit), visit.deps.world
    if row is None or world is None or row.person_id is None:
        return visit.fault(404, "missing")
    if row.kind != "access" or row.state not in ("granted", "part"):
        return await _show(visit, row, status=422, faults=(fault("not_granted"),))
    if not visit.stepped_up(visit.now):
        return visit.prove_again(_path(row))
    scope, person_id, vault = visit.scope, row.person_id, visit.deps.vault
    folder = await visit.deps.database.read(lambda conn: gather(conn, scope, world, person_id))
    if folder is None:
        return visit.fault(404, "missing")
    _, rulings = deciding.decided(vault, row)
    content = export.prepare(folder, rulings, world, now=visit.now)
    made = await asyncio.to_thread(
        partial(
            export.store,
            visit.deps.exports,
            vault,
            content,
            household_id=row.household_id,
            now=visit.now,
        )
    )
    kept = ExportRow(
        id=made,
        kind="subject",
        request_id=row.id,
        household_id=row.household_id,
        person_id=person_id,
        school_id=row.school_id,
        made_by=visit.user.user.id,
        purpose="answer_request",
        made_at=visit.now,
        expires_at=visit.now + export.LIFE,
    )
    await visit.deps.database.write(lambda conn: export.note(conn, kept))
    await visit.note("exported", "persons", person_id, row.school_id)
    return visit.see(f"{_path(row)}?now=built")


async def download(visit: Visit) -> Response:
    """Hand the file to her who asks for it now: proved again, in scope, marked, noted."""
    row = await _find(visit)
    if row is None:
        return visit.fault(404, "missing")
    scope, export_id, now = visit.scope, visit.form.get("export", ""), visit.now
    if not visit.stepped_up(now):
        return visit.prove_again(_path(row))
    found = await visit.deps.database.read(lambda conn: find(conn, scope, export_id, now=now))
    if found is None or found.request_id != row.id:
        return visit.fault(404, "missing")
    return await hand_out(visit, found, kind=visit.form.get("format", "html"))


async def hand_out(visit: Visit, found: ExportRow, *, kind: str) -> Response:
    """A file as a download, with who, when and why in it; written down before it leaves."""
    if not visit.may_export(found.kind, found.school_id):
        return visit.fault(404, "missing")
    kind = kind if kind in KINDS else "html"
    try:
        content = await asyncio.to_thread(
            export.read, visit.deps.exports, visit.deps.vault, found.id
        )
    except (OSError, SealBroken):
        return visit.fault(404, "missing")
    await visit.note("downloaded", "exports", found.id, found.school_id)
    local = visit.now.astimezone(visit.deps.timezone)
    who = {"for": visit.user.user.login, "at": f"{local:%Y-%m-%d %H:%M}", "purpose": found.purpose}
    name = f"{found.kind}-{found.id[-6:]}.{kind}"
    return Response(
        export.marked(content, kind, who),
        media_type=KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


Step = Callable[[Connection, RequestRow, World], object]


async def _step(visit: Visit, step: Step, *, said: str, step_up: bool = False) -> Response:
    """One step in one transaction, on the request as it stands then; else what is wrong with it."""
    row, world = await _find(visit), visit.deps.world
    if row is None or world is None:
        return visit.fault(404, "missing")
    if step_up and not visit.stepped_up(visit.now):
        return visit.prove_again(_path(row))

    def doing(conn: Connection) -> bool:
        fresh = requests.request(conn, visit.scope, row.id)
        if fresh is None:
            return False
        step(conn, fresh, world)
        return True

    try:
        done = await visit.deps.database.write(doing)
    except RequestError as error:
        fresh = await _find(visit)
        if fresh is None:
            return visit.fault(404, "missing")
        return await _show(visit, fresh, status=422, faults=tuple(map(fault, error.codes)))
    return visit.see(f"{_path(row)}?now={said}") if done else visit.fault(404, "missing")


async def _find(visit: Visit) -> RequestRow | None:
    scope, request_id = visit.scope, visit.request.path_params["code"]
    return await visit.deps.database.read(lambda conn: requests.request(conn, scope, request_id))


def _path(row: RequestRow) -> str:
    return f"/dashboard/requests/{row.id}"


def _present(conn: Connection, visit: Visit, world: World, row: RequestRow) -> dict[Withheld, int]:
    """The classes her file has, for a request on access."""
    if row.kind != "access" or row.person_id is None:
        return {}
    folder = gather(conn, visit.scope, world, row.person_id)
    return {} if folder is None else folder.classes()


async def _show(
    visit: Visit, row: RequestRow, *, status: int = 200, faults: tuple[str, ...] = ()
) -> Response:
    scope, now, world, vault = visit.scope, visit.now, visit.deps.world, visit.deps.vault
    needs_file = row.person_id is not None and row.kind in ("access", "correction")

    def reading(conn: Connection) -> tuple[Folder | None, list[ExportRow], dict[str, Any]]:
        folder = None
        if needs_file and world is not None:
            folder = gather(conn, scope, world, row.person_id or "")
        return (
            folder,
            of_request(conn, scope, row.id, now=now),
            {
                "inform": requests.inform_tasks(conn, scope, [row.id]).get(row.id),
                "logins": {user.id: user.login for user in everyone(conn)},
                "disputed": settling.disputed(conn, scope, world, row) if world else [],
            },
        )

    folder, files, more = await visit.deps.database.read(reading)
    await visit.note("read", "requests", row.id, row.school_id)
    logins = more["logins"]
    outcome, rulings = deciding.decided(vault, row)
    classes = folder.classes() if folder else {}
    value = row.value and vault.open(
        row.value, table="addresses", column="value", row=row.address_id or ""
    )
    name = row.name and vault.open(
        row.name, table="persons", column="name", row=row.person_id or ""
    )
    said = visit.request.query_params.get("now", "")
    return visit.page(
        "request.html",
        status=status,
        row=row,
        late=row.late(now),
        value=value,
        name=name,
        login=lambda user_id: logins.get(user_id, ""),
        folder=folder,
        classes=classes,
        order=CLASSES,
        rulings=rulings or _asked(visit, by_default(classes)),
        outcome=outcome,
        sections=folders.sections(folder),
        answers=folders.answers(folder) if row.kind == "correction" and row.waiting else [],
        notes=folders.notes(vault, row, logins),
        files=files,
        inform=more["inform"],
        disputed=more["disputed"],
        settled=settling.SETTLED,
        stops=tuple(objecting.STOPS),
        mine=row.decided_by == visit.user.user.id,
        how=HOW,
        outcomes=OUTCOMES,
        for_outcome=FOR_OUTCOME,
        choices=CHOICES,
        to_keep=TO_KEEP,
        to_give=TO_GIVE,
        grounds=GROUNDS,
        fields=tuple(FIELDS),
        longest=LONGEST_NOTE,
        form=visit.form,
        faults=faults,
        said=said if said in SAID else "",
    )


def _asked(visit: Visit, defaults: dict[Withheld, Ruling]) -> dict[Withheld, Ruling]:
    return deciding.rulings_of(visit.form, list(defaults))


PAGE = Page(
    path="/dashboard/requests/{code}",
    title="requests.one",
    view=view,
    actions={
        "identify": identify,
        "decide": decide,
        "confirm": confirm,
        "note": note,
        "informed": informed,
        "correct": correct,
        "dispute": dispute,
        "settle": settle,
        "build": build,
        "download": download,
    },
)
