"""Legal holds: households whose rows must stay, whatever is asked or due.

A hold has a reason, sealed, and somebody who set it; it lasts until the moment it names, or until
somebody ends it. Only the system and whoever sees all schools may read holds without a school.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from storage.keyring.vault import Vault
from storage.schema import children, households, legal_holds, schools
from storage.scope import Scope

NewId = Callable[[datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold as a list shows it.

    Attributes:
        reason: Sealed (legal_holds.reason, row = id).
        children: Public codes of the household's children.
    """

    id: str
    household_id: str
    school: str
    children: tuple[str, ...]
    reason: bytes
    set_by: str
    from_at: datetime
    until_at: datetime | None

    def stands(self, now: datetime) -> bool:
        """Whether it forbids anything at `now`."""
        return self.until_at is None or self.until_at > now


def standing(now: datetime) -> ColumnElement[bool]:
    """The condition that a row of `legal_holds` stands."""
    return or_(legal_holds.c.until_at.is_(None), legal_holds.c.until_at > now)


def add_hold(
    conn: Connection,
    *,
    household_id: str,
    reason: str,
    by: str,
    until_at: datetime | None,
    vault: Vault,
    now: datetime,
    new_id: NewId,
) -> str:
    """Hold a household; gives back the hold's id.

    Args:
        conn: Open write transaction.
        household_id: Which; it must stand and not be erased.
        reason: Why; sealed with the household's key, and gone with it.
        by: The user who holds.
        until_at: Until when; None until somebody ends it.
        vault: Seals the reason.
        now: Aware, UTC.
        new_id: Makes the row's id.
    """
    row = new_id(now)
    sealed = vault.seal(
        reason, table="legal_holds", column="reason", row=row, key=vault.key_for(household_id)
    )
    conn.execute(
        insert(legal_holds).values(
            id=row,
            household_id=household_id,
            reason=sealed,
            set_by=by,
            from_at=now,
            until_at=until_at,
        )
    )
    return row


def end_hold(conn: Connection, hold_id: str, *, now: datetime) -> bool:
    """End a hold; False if it does not stand."""
    done = conn.execute(
        update(legal_holds).where(legal_holds.c.id == hold_id, standing(now)).values(until_at=now)
    )
    return done.rowcount == 1


def holds(conn: Connection, scope: Scope, *, now: datetime, ended: bool = False) -> list[Hold]:
    """Holds in scope, oldest first: those that stand, with `ended` also the others."""
    asked = (
        select(legal_holds, schools.c.name.label("school"))
        .join(households, households.c.id == legal_holds.c.household_id)
        .join(schools, schools.c.id == households.c.school_id)
        .where(scope.within(households.c.school_id))
        .order_by(legal_holds.c.from_at, legal_holds.c.id)
    )
    rows = conn.execute(asked if ended else asked.where(standing(now))).all()
    codes = conn.execute(
        select(children.c.household_id, children.c.code)
        .where(children.c.household_id.in_(sorted({row.household_id for row in rows})))
        .order_by(children.c.code)
    ).all()
    return [
        Hold(
            id=row.id,
            household_id=row.household_id,
            school=row.school,
            children=tuple(c.code for c in codes if c.household_id == row.household_id),
            reason=row.reason,
            set_by=row.set_by,
            from_at=row.from_at,
            until_at=row.until_at,
        )
        for row in rows
    ]


def is_held(conn: Connection, household_id: str, *, now: datetime) -> bool:
    """Whether a hold on this household stands."""
    asked = select(legal_holds.c.id).where(
        legal_holds.c.household_id == household_id, standing(now)
    )
    return conn.execute(asked.limit(1)).first() is not None
