"""Which practice and lessons a person has been through: her finished sessions say it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select

from storage.schema import sessions


def learned(conn: Connection, person_id: str, form_ids: Collection[str]) -> dict[str, datetime]:
    """When she last came to the end of each of these questionnaires; those she never did are out.

    Args:
        conn: Open transaction.
        person_id: Who.
        form_ids: Of practice and lessons.
    """
    found = conn.execute(
        select(sessions.c.form_id, func.max(sessions.c.ended_at).label("at"))
        .where(
            sessions.c.person_id == person_id,
            sessions.c.status == "completed",
            sessions.c.form_id.in_(sorted(form_ids)),
        )
        .group_by(sessions.c.form_id)
    )
    return {row.form_id: row.at for row in found}
