"""Messages that will not arrive, given to staff: never a silent drop."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.schema import outbox, persons, tasks


def give_to_staff(conn: Connection, lost: Mapping[str, str], *, now: datetime) -> None:
    """A task for each dead letter and refused alert: never a silent drop, once a message."""
    if not lost:
        return
    rows = conn.execute(
        select(
            outbox.c.id,
            outbox.c.address_id,
            outbox.c.person_id,
            outbox.c.message_class,
            persons.c.school_id,
        )
        .outerjoin(persons, persons.c.id == outbox.c.person_id)
        .where(outbox.c.id.in_(sorted(lost)))
        .order_by(outbox.c.id)
    ).all()
    kinds = {row.id: _kind(lost[row.id], row.message_class) for row in rows}
    rows = [row for row in rows if kinds[row.id]]
    if not rows:
        return
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    conn.execute(
        make(tasks).on_conflict_do_nothing(),
        [
            {
                "id": row.id,
                "key": f"{kinds[row.id]}:{row.id}",
                "kind": kinds[row.id],
                "school_id": row.school_id,
                "person_id": row.person_id,
                "address_id": row.address_id,
                "ref": row.id,
                "state": "open",
                "opened_at": now,
                "due_at": now,
            }
            for row in rows
        ],
    )


def _kind(state: str, message_class: str) -> str:
    """What a lost message is to staff; empty where a refusal needs nobody."""
    if state == "dead":
        return "dead_letter"
    return "alert_unreachable" if message_class == "alert" else ""
