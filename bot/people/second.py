"""A code for another adult who cares for a child: it works once, as the first one did."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.turns.world import World
from storage.families.learners import JOIN_CODE_LIFE, add_join_codes
from storage.ids import new_id
from storage.scope import system
from storage.talk import consents
from storage.trail import audit

SCOPE = system("people")
DAY = "%d/%m/%Y"


class PeopleError(Exception):
    """Something about a person cannot be changed; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A code to hand over now: it cannot be read again. `until` is its last day."""

    code: str
    until: str


def issue(conn: Connection, world: World, child_code: str, *, now: datetime) -> Issued:
    """Make a JOIN code for one more adult of a child, in the caller's transaction.

    Whoever joined before keeps her place, and neither hears what the other said.

    Args:
        conn: Open transaction.
        world: Keys and the zone.
        child_code: The public code of the child.
        now: Aware, UTC.

    Raises:
        PeopleError: There is no such child, or nobody has joined for it yet.
    """
    child = consents.child_by_code(conn, SCOPE, child_code)
    if child is None:
        raise PeopleError(
            f"There is no child {child_code!r}. Fix: write the code of the child's page."
        )
    if not consents.carers(conn, child.id):
        raise PeopleError("Nobody has joined for this child yet. Fix: hand out its slip (slips).")
    codes = add_join_codes(conn, [child.id], vault=world.vault, now=now)
    entry = audit.row(
        SCOPE, "issued", "join_codes", child.id, id=new_id(now), at=now, school_id=child.school_id
    )
    audit.record(conn, [entry])
    until = (now + JOIN_CODE_LIFE).astimezone(world.zone).strftime(DAY)
    return Issued(code=codes[child.id], until=until)
