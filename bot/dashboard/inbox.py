"""The inbox: messages no question waited for, and what only a person can read.

The list says when something came and of what kind. The words are shown one pile at a time, each
read noted in the audit.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.responses import Response

from bot.dashboard.page import Page, Visit
from bot.dashboard.words import WORDS
from bot.sending.envelopes import load_inbound
from storage.care import letters, work
from storage.care.letters import Kept, Pile
from storage.trail import audit

PAGE_ROWS = 50
TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message: `kinds` are words of the page, `text` is empty until she asked to see it."""

    at: datetime
    kinds: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A pile as the page shows it."""

    pile: Pile
    late: bool
    open: bool
    lines: tuple[Line, ...]


async def view(visit: Visit) -> Response:
    """Show what waits in the inbox of her schools."""
    return await _show(visit, shown="")


async def show(visit: Visit) -> Response:
    """Show the words of one pile: a read of what somebody wrote, noted as such."""
    pile = await _find(visit)
    if pile is None:
        return visit.fault(404, "missing")
    await visit.note("read", "inbox", pile.address_id, pile.school_id)
    return await _show(visit, shown=pile.task_id)


async def done(visit: Visit) -> Response:
    """Somebody has seen to it."""
    pile = await _find(visit)
    if pile is None:
        return visit.fault(404, "missing")
    person_id, now, task_id = visit.user.user.person_id, visit.now, pile.task_id
    entries = visit.entries("closed", "tasks", task_id, pile.school_id)

    def finishing(conn: Connection) -> None:
        if work.finish(conn, task_id=task_id, person_id=person_id, now=now):
            audit.record(conn, entries)

    await visit.deps.database.write(finishing)
    return visit.see("/dashboard/inbox?now=done")


async def _find(visit: Visit) -> Pile | None:
    scope, task_id = visit.scope, visit.form.get("task", "")
    return await visit.deps.database.read(lambda conn: letters.pile(conn, scope, task_id))


async def _show(visit: Visit, *, shown: str) -> Response:
    scope = visit.scope
    piles = await visit.deps.database.read(
        lambda conn: letters.piles_in(conn, scope, limit=PAGE_ROWS)
    )
    await visit.note("listed", "inbox", None, None)
    return visit.page(
        "inbox.html",
        piles=[_shown(visit, pile, is_open=pile.task_id == shown) for pile in piles],
        saved=visit.request.query_params.get("now") == "done",
    )


def _shown(visit: Visit, pile: Pile, *, is_open: bool) -> Shown:
    lines = tuple(_line(visit, kept, is_open=is_open) for kept in pile.letters)
    return Shown(pile=pile, late=pile.due_at < visit.now, open=is_open, lines=lines)


def _line(visit: Visit, kept: Kept, *, is_open: bool) -> Line:
    if kept.body is None:
        return Line(at=kept.received_at, kinds=("gone",), text="")
    body = visit.deps.vault.open(kept.body, table="inbox", column="body", row=kept.id)
    inbound = load_inbound(body)
    kinds = (*inbound.media, *(("forwarded",) if inbound.forwarded else ()))
    kinds = tuple(kind if f"inbox.kind.{kind}" in WORDS else "other" for kind in kinds)
    return Line(
        at=kept.received_at,
        kinds=kinds or (TEXT,),
        text=inbound.text if is_open else "",
    )


PAGE = Page(
    path="/dashboard/inbox",
    title="inbox.title",
    view=view,
    actions={"show": show, "done": done},
    menu=3,
)
