"""What hangs on a child's consent: questionnaires under way, given, and on their way out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, literal_column, or_, select, update

from flows.consent import FORM
from storage.fetch import Among, fetch
from storage.schema import addresses, assignments, outbox, sessions
from storage.talk.conversations import AssignmentRow, SessionRow, columns

WITHHELD = "withdrawn"
"""Why a message that was about to go out did not, as its row says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """What is asked, or about to be asked, about some children.

    Attributes:
        sessions: Unfinished ones, joining left out.
        assignments: Due and open ones, joining included.
    """

    sessions: tuple[SessionRow, ...]
    assignments: tuple[AssignmentRow, ...]


_UNFINISHED = (
    select(*columns(sessions, SessionRow))
    .where(
        Among(sessions.c.child_id, "children"),
        or_(
            sessions.c.status == literal_column("'open'"),
            sessions.c.status == literal_column("'lapsed'"),
        ),
    )
    .order_by(sessions.c.id)
)
_GIVEN = (
    select(*columns(assignments, AssignmentRow))
    .where(
        Among(assignments.c.child_id, "children"),
        or_(
            assignments.c.state == literal_column("'due'"),
            assignments.c.state == literal_column("'open'"),
        ),
    )
    .order_by(assignments.c.id)
)
_REACHED = select(addresses.c.id).where(Among(addresses.c.person_id, "people"))


def waiting_addresses(conn: Connection, child_ids: Collection[str]) -> set[str]:
    """Addresses at which somebody is asked, or may start to be asked, about these children.

    To be locked before `under_way` is read: whoever is answering there has then had her say.
    """
    wanted = sorted(set(child_ids))
    found = fetch(conn, _GIVEN, children=wanted)
    people = {AssignmentRow(*one).person_id for one in found}
    begun = {SessionRow(*one).address_id for one in fetch(conn, _UNFINISHED, children=wanted)}
    reached = {one for (one,) in fetch(conn, _REACHED, people=sorted(people))} if people else set()
    return begun | reached


def under_way(conn: Connection, child_ids: Collection[str]) -> UnderWay:
    """What is asked, or about to be asked, about these children."""
    wanted = sorted(set(child_ids))
    begun = tuple(SessionRow(*one) for one in fetch(conn, _UNFINISHED, children=wanted))
    given = tuple(AssignmentRow(*one) for one in fetch(conn, _GIVEN, children=wanted))
    return UnderWay(sessions=begun, assignments=given)


def withhold(
    conn: Connection,
    *,
    address_ids: Collection[str],
    keys: Collection[str],
    now: datetime,
) -> int:
    """Take back messages that have not left: questions at these addresses, and these keys.

    What is about to be read out by a provider cannot be taken back; safety messages, alerts and
    notices stay.

    Args:
        conn: Open transaction.
        address_ids: Where a question about the child was being asked.
        keys: Keys of nudges and invitations.
        now: Aware, UTC.
    """
    asked = outbox.c.address_id.in_(sorted(address_ids)) & (outbox.c.message_class == "reply")
    gone = conn.execute(
        update(outbox)
        .where(outbox.c.state == "queued", or_(asked, outbox.c.key.in_(sorted(keys))))
        .values(state="expired", error=WITHHELD, final_at=now, body=None)
    )
    return int(gone.rowcount)


def withhold_first_words(conn: Connection, *, person_id: str, now: datetime) -> int:
    """Take back what we were to write to somebody first: reminders and invitations of hers."""
    gone = conn.execute(
        update(outbox)
        .where(
            outbox.c.state == "queued",
            outbox.c.person_id == person_id,
            outbox.c.message_class.in_(("reminder", "invitation")),
        )
        .values(state="expired", error=WITHHELD, final_at=now, body=None)
    )
    return int(gone.rowcount)


_DROPPED = (
    select(assignments.c.id)
    .where(
        Among(assignments.c.child_id, "children"),
        assignments.c.state == literal_column("'withdrawn'"),
        assignments.c.form_id != FORM,
    )
    .order_by(assignments.c.id)
)


def dropped(conn: Connection, child_ids: Collection[str]) -> list[str]:
    """What people were to answer about these children until consent ended, joining left out."""
    return [one for (one,) in fetch(conn, _DROPPED, children=sorted(set(child_ids)))]
