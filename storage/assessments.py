"""The stored answers as scoring wants them, and the profile as pages want it.

Read after the batch's own answers are written and the children are locked, so that a caregiver and
a teacher who finish at the same moment give a profile that knows both.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from storage.schema import answers, sessions

_ABOUT_CHILD = (
    select(
        answers.c.child_id.label("subject"),
        answers.c.wave_id,
        answers.c.session_id,
        answers.c.form_id,
        answers.c.informant,
        answers.c.item,
        answers.c.value,
        answers.c.at,
    )
    .where(answers.c.child_id.in_(bindparam("ids", expanding=True)))
    .order_by(answers.c.session_id, answers.c.revision)
)
_ABOUT_CLASS = (
    select(
        sessions.c.class_id.label("subject"),
        answers.c.wave_id,
        answers.c.session_id,
        answers.c.form_id,
        answers.c.informant,
        answers.c.item,
        answers.c.value,
        answers.c.at,
    )
    .join(sessions, sessions.c.id == answers.c.session_id)
    .where(sessions.c.class_id.in_(bindparam("ids", expanding=True)))
    .order_by(answers.c.session_id, answers.c.revision)
)


@dataclass(slots=True)
class Sheet:
    """The current answers of one session about a child or a class.

    Attributes:
        answers: Item to value; None where skipped or withdrawn.
        at: When the newest of them was given.
    """

    subject: str
    wave_id: str
    session_id: str
    form_id: str
    informant: str
    answers: dict[str, str | None]
    at: datetime


def sheets_about_children(
    conn: Connection, ids: Collection[str]
) -> dict[tuple[str, str], list[Sheet]]:
    """Sheets by (child, wave)."""
    return _sheets(conn, _ABOUT_CHILD, ids)


def sheets_about_classes(
    conn: Connection, ids: Collection[str]
) -> dict[tuple[str, str], list[Sheet]]:
    """Class-screen sheets by (class, wave)."""
    return _sheets(conn, _ABOUT_CLASS, ids)


def _sheets(
    conn: Connection, statement: Select[Any], ids: Collection[str]
) -> dict[tuple[str, str], list[Sheet]]:
    by_session: dict[str, Sheet] = {}
    if ids:
        for row in conn.execute(statement, {"ids": sorted(set(ids))}):
            sheet = by_session.get(row.session_id)
            if sheet is None:
                sheet = by_session[row.session_id] = Sheet(
                    row.subject, row.wave_id, row.session_id, row.form_id, row.informant, {}, row.at
                )
            sheet.answers[row.item] = row.value
            sheet.at = max(sheet.at, row.at)
    out: dict[tuple[str, str], list[Sheet]] = {}
    for sheet in by_session.values():
        out.setdefault((sheet.subject, sheet.wave_id), []).append(sheet)
    return out
