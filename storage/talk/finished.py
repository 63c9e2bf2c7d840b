"""The questionnaire somebody came to the end of last."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from storage.schema import sessions
from storage.talk.conversations import SessionRow, columns


def newest_finished(
    conn: Connection, person_id: str, *, since: datetime, without: Collection[str]
) -> SessionRow | None:
    """Her newest completed session that ended at `since` or later; None where there is none.

    Args:
        conn: Open transaction.
        person_id: Who answered.
        since: Aware.
        without: Questionnaires that do not count.
    """
    found = conn.execute(
        select(*columns(sessions, SessionRow))
        .where(
            sessions.c.person_id == person_id,
            sessions.c.status == "completed",
            sessions.c.ended_at >= since,
            sessions.c.form_id.not_in(sorted(without)),
        )
        .order_by(sessions.c.ended_at.desc(), sessions.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else SessionRow(*found)
