"""Taking the mark off an answer that somebody called wrong, with an outcome and a reason.

The answer itself is never edited. Why the mark came off stays sealed in the notes of the request it
was made for, and she is to be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.rights.deciding import LONGEST_NOTE, RequestError, add_note, inform
from bot.rights.file import PLACEHOLDER
from bot.turns.world import World
from storage.ids import new_id
from storage.rights import correcting
from storage.rights.correcting import Mark
from storage.rights.requests import RequestRow
from storage.scope import Scope
from storage.trail import audit

SETTLED = ("right", "asked_again", "taken_back")
"""How a dispute ends: checked and right as it was given; asked anew, and the newer answer stands;
taken back by who called it wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """An answer that is marked now, as an officer reads it."""

    id: str
    answer: str
    question: str
    child: str | None
    at: datetime


def disputed(conn: Connection, scope: Scope, world: World, row: RequestRow) -> list[Disputed]:
    """The marks of a request that stand, oldest first; what was answered is not said."""
    return [_shown(world, mark) for mark in correcting.marks(conn, scope, row.id)]


def _shown(world: World, mark: Mark) -> Disputed:
    answer = f"{mark.form_id}/{mark.item}"
    texts = world.library.lexicon("en", mark.version).texts
    question = PLACEHOLDER.sub("...", texts.get(f"{answer}:label", mark.item))
    return Disputed(id=mark.id, answer=answer, question=question, child=mark.child, at=mark.at)


def settle(
    conn: Connection,
    world: World,
    scope: Scope,
    row: RequestRow,
    *,
    mark: str,
    outcome: str,
    reason: str,
    now: datetime,
) -> None:
    """Take a mark off.

    Args:
        conn: Open write transaction.
        world: Its vault seals the note.
        scope: Who settles it.
        row: The request the mark was made for, whatever was decided on it.
        mark: Which one, by its id.
        outcome: One of `SETTLED`.
        reason: Her own words, sealed; at least one.
        now: When (aware, UTC).

    Raises:
        RequestError: "settle" no such outcome; "note" or "long" the reason; "mark" no such mark
            of this request stands.
    """
    if scope.actor_id is None:
        raise RequestError("nobody")
    if outcome not in SETTLED:
        raise RequestError("settle")
    if not reason.strip() or len(reason) > LONGEST_NOTE:
        raise RequestError("long" if reason.strip() else "note")
    found = _one(correcting.marks(conn, scope, row.id), mark.strip())
    if not correcting.settle(conn, mark_id=found.id, now=now):
        raise RequestError("mark")
    text = f"answer {found.item}: no longer disputed ({outcome}). {reason.strip()}"
    add_note(conn, world.vault, row, text, by=scope.actor_id, now=now)
    entry = audit.row(
        scope,
        f"settled_{outcome}",
        "requests",
        row.id,
        id=new_id(now),
        at=now,
        school_id=row.school_id,
    )
    audit.record(conn, [entry])
    inform(conn, row, what=f"settled:{found.id}", now=now)


def _one(marks: Sequence[Mark], mark_id: str) -> Mark:
    for mark in marks:
        if mark.id == mark_id:
            return mark
    raise RequestError("mark")
