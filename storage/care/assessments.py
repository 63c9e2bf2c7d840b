"""The stored answers as scoring wants them, and the profile as pages want it.

Read after the batch's own answers are written and the children are locked, so that a caregiver and
a teacher who finish at the same moment give a profile that knows both.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, select

from storage.fetch import Among, fetch
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
    .where(Among(answers.c.child_id, "ids"))
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
    .where(Among(sessions.c.class_id, "ids"))
    .order_by(answers.c.session_id, answers.c.revision)
)


class Sheet(Struct):
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
        for row in fetch(conn, statement, ids=sorted(set(ids))):
            subject, wave_id, session_id, form_id, informant, item, value, at = row
            sheet = by_session.get(session_id)
            if sheet is None:
                sheet = by_session[session_id] = Sheet(
                    subject, wave_id, session_id, form_id, informant, {}, at
                )
            sheet.answers[item] = value
            sheet.at = max(sheet.at, at)
    out: dict[tuple[str, str], list[Sheet]] = {}
    for sheet in by_session.values():
        out.setdefault((sheet.subject, sheet.wave_id), []).append(sheet)
    return out
