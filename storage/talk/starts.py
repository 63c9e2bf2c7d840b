"""Facts that a questionnaire needs when it starts: class, wave, consent, what is known already."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select

from storage.fetch import Among, fetch
from storage.schema import (
    answers,
    child_caregiver,
    classes,
    schools,
    sessions,
    waves,
)
from storage.talk.consents import listed_children
from storage.talk.conversations import ChildRow
from storage.types import Instant

_WAVES = (
    select(waves.c.programme_id, waves.c.id)
    .where(
        Among(waves.c.programme_id, "programmes"),
        waves.c.opens_at <= bindparam("now", type_=Instant()),
        or_(waves.c.closes_at.is_(None), waves.c.closes_at > bindparam("now", type_=Instant())),
    )
    .order_by(waves.c.number)
)
_KNOWN = (
    select(answers.c.item, answers.c.value, answers.c.state)
    .join(sessions, sessions.c.id == answers.c.session_id)
    .where(
        sessions.c.person_id == bindparam("person"),
        sessions.c.wave_id == bindparam("wave"),
        answers.c.form_id == bindparam("form"),
    )
    .order_by(answers.c.at, answers.c.revision)
)


@dataclass(slots=True)
class ClassRow:
    """A class with its school and programme."""

    id: str
    school_id: str
    programme_id: str
    grade: str
    name: str
    teacher_id: str | None


def classes_of(conn: Connection, teacher_ids: Collection[str]) -> list[ClassRow]:
    """The classes these teachers have."""
    found = conn.execute(_CLASSES.where(classes.c.teacher_id.in_(sorted(set(teacher_ids)))))
    return [ClassRow(*row) for row in found]


def classes_by_id(conn: Connection, ids: Collection[str]) -> dict[str, ClassRow]:
    """These classes by id."""
    found = conn.execute(_CLASSES.where(classes.c.id.in_(sorted(set(ids)))))
    return {row.id: row for row in (ClassRow(*r) for r in found)}


def school_name(conn: Connection, school_id: str) -> str:
    """What a school is called."""
    return str(conn.execute(select(schools.c.name).where(schools.c.id == school_id)).scalar_one())


def cares_for(conn: Connection, *, person_id: str, child_id: str) -> bool:
    """Whether she is written down already as somebody who cares for this child."""
    found = conn.execute(
        select(child_caregiver.c.child_id).where(
            child_caregiver.c.person_id == person_id,
            child_caregiver.c.child_id == child_id,
            child_caregiver.c.until_at.is_(None),
        )
    )
    return found.first() is not None


_CLASSES = select(
    classes.c.id,
    classes.c.school_id,
    schools.c.programme_id,
    classes.c.grade,
    classes.c.name,
    classes.c.teacher_id,
).join(schools, schools.c.id == classes.c.school_id)


def current_waves(
    conn: Connection, programme_ids: Collection[str], now: datetime
) -> dict[str, str]:
    """The id of the newest wave that is open, by programme."""
    return dict(fetch(conn, _WAVES, programmes=sorted(set(programme_ids)), now=now))


def consented_children(conn: Connection, class_id: str) -> dict[int, ChildRow]:
    """Children of a class whose family's consent to help stands, by list number."""
    return listed_children(conn, class_id)


def known_answers(
    conn: Connection, *, person_id: str, wave_id: str, form_id: str
) -> Mapping[str, str]:
    """What she answered this wave in this questionnaire for any child, newest value an item."""
    found = fetch(conn, _KNOWN, person=person_id, wave=wave_id, form=form_id)
    latest = {item: value for item, value, state in found if state != "skipped"}
    return {item: value for item, value in latest.items() if value is not None}


def known_at_home(
    conn: Connection,
    *,
    child_id: str,
    others: Collection[str],
    wave_id: str,
    form_id: str,
    items: Collection[str],
) -> Mapping[str, str]:
    """What others who care for a child said of its home this wave, newest value an item.

    Args:
        conn: Open transaction.
        child_id: Whose home.
        others: Whose answers may be read for it.
        wave_id: Which wave.
        form_id: Which questionnaire.
        items: Only these.
    """
    if not others:
        return {}
    found = conn.execute(
        select(answers.c.item, answers.c.value, answers.c.state)
        .join(sessions, sessions.c.id == answers.c.session_id)
        .where(
            sessions.c.person_id.in_(sorted(others)),
            sessions.c.child_id == child_id,
            sessions.c.wave_id == wave_id,
            sessions.c.status != "stopped",
            answers.c.form_id == form_id,
            answers.c.item.in_(sorted(items)),
        )
        .order_by(answers.c.at, answers.c.revision)
    )
    latest = {item: value for item, value, state in found if state != "skipped"}
    return {item: value for item, value in latest.items() if value is not None}
