"""Who reads, of which schools, and what for. Every repository read takes a Scope."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, false, true

ActorKind = Literal["person", "user", "system"]

BREAK_GLASS = "break_glass"
"""The purpose of a read outside one's own schools, for which the reader gave a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The bounds of a read.

    Attributes:
        actor_id: The person or user who reads; None for the system.
        actor_kind: What `actor_id` is.
        schools: Ids of the schools in bounds. None means all, and only `system` makes such a one.
        purpose: Why, as a short code; it stands in the audit row.
        opened: Ids of more schools, in bounds for now because she broke the glass.
        erased: Whether things of erased households are in bounds.
    """

    actor_id: str | None
    actor_kind: ActorKind
    schools: frozenset[str] | None
    purpose: str
    opened: frozenset[str] = frozenset()
    erased: bool = False

    def __post_init__(self) -> None:
        """Refuse a reader without a name or a purpose, and bounds that only jobs may have."""
        if not self.purpose:
            raise ValueError("a scope needs a purpose")
        if (self.actor_kind == "system") != (self.actor_id is None):
            raise ValueError("a scope needs an actor's id; only the system has none")
        if self.schools is None and self.actor_kind != "system":
            raise ValueError("only the system may read all schools")

    def sees(self, school_id: str | None) -> bool:
        """Whether rows of this school are in bounds; rows of no school are the system's alone."""
        return self.schools is None or school_id in self.schools or school_id in self.opened

    def within(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition that keeps a query in bounds; `column` holds a school's id."""
        if self.schools is None:
            return true()
        seen = self.schools | self.opened
        return column.in_(sorted(seen)) if seen else false()

    def purpose_at(self, school_id: str | None) -> str:
        """Why she reads a row of this school: the purpose, or that she broke the glass."""
        if self.schools is None or school_id in self.schools or school_id not in self.opened:
            return self.purpose
        return BREAK_GLASS


def system(purpose: str) -> Scope:
    """The scope of a job of ours (the clock, a migration, an import), named by its purpose."""
    return Scope(actor_id=None, actor_kind="system", schools=None, purpose=purpose, erased=True)


def person(person_id: str, schools: Iterable[str], *, purpose: str) -> Scope:
    """The scope of somebody who writes to the bot, e.g. a coordinator accepting an alert."""
    return Scope(
        actor_id=person_id, actor_kind="person", schools=frozenset(schools), purpose=purpose
    )


def user(
    user_id: str,
    schools: Iterable[str],
    *,
    purpose: str,
    opened: Iterable[str] = (),
    erased: bool = False,
) -> Scope:
    """The scope of somebody who signed in."""
    return Scope(
        actor_id=user_id,
        actor_kind="user",
        schools=frozenset(schools),
        purpose=purpose,
        opened=frozenset(opened),
        erased=erased,
    )
