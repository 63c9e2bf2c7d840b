"""The condition that things of erased households are not there, for reads that a page makes."""

from typing import Any

from sqlalchemy import ColumnElement, and_, select, true

from storage.schema import children, households, persons
from storage.scope import Scope

_ERASED_CHILDREN = (
    select(children.c.id)
    .join(households, households.c.id == children.c.household_id)
    .where(households.c.erased_at.is_not(None))
)
_ERASED_PERSONS = (
    select(persons.c.id)
    .join(households, households.c.id == persons.c.household_id)
    .where(households.c.erased_at.is_not(None))
)


def alive(
    scope: Scope,
    *,
    child: ColumnElement[Any] | None = None,
    person: ColumnElement[Any] | None = None,
) -> ColumnElement[bool]:
    """Whether neither the child nor the person was erased, unless the scope may see those too.

    Args:
        scope: Who reads.
        child: A column with a child's id; rows without one are alive.
        person: A column with a person's id, likewise.
    """
    if scope.erased:
        return true()
    gone = []
    if child is not None:
        gone.append(~_ERASED_CHILDREN.where(children.c.id == child).exists())
    if person is not None:
        gone.append(~_ERASED_PERSONS.where(persons.c.id == person).exists())
    return and_(true(), *gone)
