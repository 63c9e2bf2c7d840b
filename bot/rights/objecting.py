"""An objection that is granted stops what was objected to, in the transaction that grants it.

It is a withdrawal in the consent ledger, mode "objection": what reads the ledger (questions,
partners, research, what we send first) stops by itself, and what waited to go out is withheld.

Source: POPIA s11(3) (objection to processing, and to direct approaches).
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from bot.consent import consents as saying
from bot.rights.deciding import RequestError
from bot.turns import gate
from bot.turns.desk import Desk
from bot.turns.world import World
from flows.consent import Purpose, Word
from storage.rights import subjects
from storage.rights.requests import RequestRow
from storage.scope import Scope
from storage.talk import underway
from storage.talk.consents import NOWHERE, Given

MODE = "objection"
STOPS: Mapping[str, tuple[Purpose, ...]] = {
    "messages": ("contact",),
    "partners": ("partners",),
    "research": ("research",),
    "everything": ("help", "partners", "research", "contact"),
}
"""What can be objected to, and the purposes of consent that end with it. Messages: invitations and
reminders, everything that we start; what she begins herself is still answered."""


def stop(
    conn: Connection, world: World, scope: Scope, row: RequestRow, against: str, *, now: datetime
) -> int:
    """Stop it, for each child she cares for (or the one the request is about).

    Args:
        conn: The write transaction that grants the objection.
        world: What a turn may know.
        scope: The officer's; she stands in the ledger as who wrote it down.
        row: The request.
        against: One of `STOPS`.
        now: When (aware, UTC).

    Returns:
        How many rows of the ledger that made.

    Raises:
        RequestError: "against" no such thing; "nobody" we do not know who asks; "no_child" she
            cares for no child here, so that nothing rests on a word of hers.
    """
    if against not in STOPS:
        raise RequestError("against")
    if row.person_id is None:
        raise RequestError("nobody")
    cared = subjects.cared_for(conn, scope, row.person_id)
    children = [child for child in cared if row.child_id in (None, child.id)]
    if not children:
        raise RequestError("no_child")
    said: dict[Purpose, Word] = dict.fromkeys(STOPS[against], "withdrawn")
    for child in children:
        how = Given(
            person_id=row.person_id,
            capacity=child.capacity,
            version=world.library.current["enrolment"],
            texts={},
            language=row.language,
            channel=NOWHERE,
            mode=MODE,
            partners=gate.words(world).partners,
            at=now,
            now=now,
            recorded_by=scope.actor_id,
        )
        saying.apply(Desk(conn=conn, world=world, now=now), child.id, row.person_id, how, said)
    if "contact" in said:
        underway.withhold_first_words(conn, person_id=row.person_id, now=now)
    return len(children) * len(said)
