"""Whom a slip to join with is printed for: learners of a class whom nobody has joined for yet."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from storage.schema import child_caregiver, children, classes, join_codes, schools
from storage.scope import Scope


@dataclass(frozen=True, slots=True)
class Room:
    """A class and its school."""

    id: str
    school_id: str
    school: str
    grade: str
    name: str

    @property
    def called(self) -> str:
        """What people call it: 1A."""
        return f"{self.grade}{self.name}"


@dataclass(frozen=True, slots=True)
class Open:
    """A learner without a caregiver; `begun`: somebody is joining for her with a slip right now."""

    id: str
    code: str
    list_number: int | None
    begun: bool


def rooms(conn: Connection, scope: Scope) -> list[Room]:
    """Every class in scope, by school, grade and name."""
    found = conn.execute(
        select(classes.c.id, schools.c.id, schools.c.name, classes.c.grade, classes.c.name)
        .join(schools, schools.c.id == classes.c.school_id)
        .where(scope.within(schools.c.id))
        .order_by(schools.c.name, classes.c.grade, classes.c.name)
    )
    return [Room(*row) for row in found]


def count_learners(conn: Connection, scope: Scope, class_id: str) -> int:
    """How many learners a class has."""
    listed = select(func.count()).where(
        children.c.class_id == class_id,
        children.c.left_at.is_(None),
        scope.within(children.c.school_id),
    )
    return int(conn.execute(listed).scalar_one())


def without_caregiver(conn: Connection, scope: Scope, class_id: str) -> list[Open]:
    """The learners of a class nobody has joined for, in the order of its list."""
    cared_for = select(child_caregiver.c.child_id).where(
        child_caregiver.c.child_id == children.c.id, child_caregiver.c.until_at.is_(None)
    )
    begun = select(join_codes.c.id).where(
        and_(join_codes.c.child_id == children.c.id, join_codes.c.claimed_at.is_not(None))
    )
    found = conn.execute(
        select(children.c.id, children.c.code, children.c.list_number, begun.exists())
        .where(
            children.c.class_id == class_id,
            children.c.left_at.is_(None),
            scope.within(children.c.school_id),
            ~cared_for.exists(),
        )
        .order_by(children.c.list_number, children.c.id)
    )
    return [Open(row[0], row[1], row[2], bool(row[3])) for row in found]
