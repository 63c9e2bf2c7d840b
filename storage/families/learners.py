"""The children of a class list: adding, finding, inviting whoever cares for them."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from storage.ids import new_code, new_id
from storage.keyring.vault import Vault
from storage.schema import assignments, children, households, join_codes
from storage.scope import Scope

CHILD_CODE_LENGTH = 6
JOIN_CODE_LENGTH = 8
JOIN_CODE_LIFE = timedelta(days=90)
"""A school term and a half: a letter that is found late still works."""
ENROLMENT = "enrolment"
"""The form by which a caregiver joins, asked before anything else."""
FIRST = 0
"""Priority of what is asked before anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChild:
    """A learner to add.

    Attributes:
        list_number: The number on the class list, from 1; None where there is no list.
        sex: "m" or "f".
        birth_month: "YYYY-MM".
    """

    list_number: int | None
    sex: str
    birth_month: str


@dataclass(frozen=True, slots=True)
class Learner:
    """A child on a class list; no name."""

    id: str
    household_id: str
    code: str
    list_number: int | None
    sex: str
    birth_month: str


_LEARNERS = select(
    children.c.id,
    children.c.household_id,
    children.c.code,
    children.c.list_number,
    children.c.sex,
    children.c.birth_month,
).order_by(children.c.list_number, children.c.id)


def learners(conn: Connection, scope: Scope, *, class_id: str) -> list[Learner]:
    """The children of a class who have not left, in the order of its list."""
    found = conn.execute(
        _LEARNERS.where(
            children.c.class_id == class_id,
            children.c.left_at.is_(None),
            scope.within(children.c.school_id),
        )
    )
    return [Learner(*row) for row in found]


def add_children(
    conn: Connection,
    new: Sequence[NewChild],
    *,
    programme_id: str,
    school_id: str,
    class_id: str | None,
    now: datetime,
) -> list[Learner]:
    """Add children, each in a household of her own and with a random public code, in order.

    A list number that a child who left had is free again.
    """
    if not new:
        return []
    conn.execute(
        update(children)
        .where(
            children.c.class_id == class_id,
            children.c.left_at.is_not(None),
            children.c.list_number.in_([child.list_number for child in new]),
        )
        .values(list_number=None)
    )
    codes = _fresh_codes(conn, len(new))
    made = [
        Learner(new_id(now), new_id(now), code, child.list_number, child.sex, child.birth_month)
        for child, code in zip(new, codes, strict=True)
    ]
    place = {"programme_id": programme_id, "school_id": school_id, "created_at": now}
    conn.execute(insert(households), [{"id": each.household_id, **place} for each in made])
    conn.execute(
        insert(children),
        [
            {
                "id": each.id,
                "household_id": each.household_id,
                "class_id": class_id,
                "code": each.code,
                "list_number": each.list_number,
                "sex": each.sex,
                "birth_month": each.birth_month,
                **place,
            }
            for each in made
        ],
    )
    return made


def household_of(conn: Connection, scope: Scope, child_id: str) -> str | None:
    """The household a child belongs to; None for one that is not there or out of scope."""
    mine = scope.within(children.c.school_id)
    found = select(children.c.household_id).where(children.c.id == child_id, mine)
    return conn.execute(found).scalar()


def correct_child(conn: Connection, child_id: str, *, sex: str, birth_month: str) -> None:
    """Put right what a class list had wrong about a child."""
    conn.execute(
        update(children).where(children.c.id == child_id).values(sex=sex, birth_month=birth_month)
    )


def _fresh_codes(conn: Connection, count: int) -> list[str]:
    """Codes that no child has, all different."""
    codes: set[str] = set()
    while len(codes) < count:
        wanted = {_mixed_code(CHILD_CODE_LENGTH) for _ in range(count - len(codes))}
        taken = conn.execute(select(children.c.code).where(children.c.code.in_(sorted(wanted))))
        codes |= wanted - set(taken.scalars())
    return sorted(codes, key=lambda _: secrets.randbits(32))


def _mixed_code(length: int) -> str:
    """A random code with a digit and a letter, so that it is never taken for a word or a number.

    It does not contain the letters of the project, which on a shared phone would say too much.
    """
    while True:
        code = new_code(length)
        if not code.isdigit() and not code.isalpha() and "CWB" not in code:
            return code


def issue_join_codes(
    conn: Connection,
    child_ids: Collection[str],
    *,
    vault: Vault,
    now: datetime,
    again: bool = False,
    life: timedelta = JOIN_CODE_LIFE,
) -> dict[str, str]:
    """New JOIN codes by child id, to be printed now: only their blind index is kept.

    A child whose code was used, or can still be used, gets none.

    Args:
        conn: Open transaction.
        child_ids: For whom.
        vault: Makes the blind index.
        now: Aware, UTC.
        again: Replace codes that can still be used: their letters were lost, or seen by others.
        life: How long a code opens the door.
    """
    wanted = sorted(set(child_ids))
    mine = join_codes.c.child_id.in_(wanted)
    kept = (
        join_codes.c.claimed_at.is_not(None)
        if again
        else join_codes.c.claimed_at.is_not(None) | (join_codes.c.expires_at > now)
    )
    served = set(conn.execute(select(join_codes.c.child_id).where(mine, kept)).scalars())
    conn.execute(delete(join_codes).where(mine, ~kept))
    return _new_codes(conn, sorted(set(wanted) - served), vault=vault, now=now, life=life)


def add_join_codes(
    conn: Connection,
    child_ids: Collection[str],
    *,
    vault: Vault,
    now: datetime,
    life: timedelta = JOIN_CODE_LIFE,
) -> dict[str, str]:
    """One more JOIN code for each child, by child id, to be printed now.

    Codes on earlier slips go on working: only their blind index is kept, so they cannot be printed
    once more. The first that is used closes the others (`storage.talk.joining.joins`).
    """
    return _new_codes(conn, sorted(set(child_ids)), vault=vault, now=now, life=life)


def _new_codes(
    conn: Connection,
    child_ids: Sequence[str],
    *,
    vault: Vault,
    now: datetime,
    life: timedelta,
) -> dict[str, str]:
    codes = {child_id: _mixed_code(JOIN_CODE_LENGTH) for child_id in child_ids}
    rows = [
        {
            "id": new_id(now),
            "child_id": child_id,
            "blind": vault.blind("join", code),
            "issued_at": now,
            "expires_at": now + life,
        }
        for child_id, code in codes.items()
    ]
    if rows:
        conn.execute(insert(join_codes), rows)
    return codes


def invite_caregiver(
    conn: Connection, *, child_id: str, person_id: str, wave_id: str, now: datetime
) -> bool:
    """Mark that staff entered a caregiver who is to be invited; whether that is new."""
    key = f"{ENROLMENT}:{child_id}:{person_id}"
    if conn.execute(select(assignments.c.id).where(assignments.c.key == key)).first():
        return False
    conn.execute(
        insert(assignments).values(
            id=new_id(now),
            key=key,
            person_id=person_id,
            child_id=child_id,
            wave_id=wave_id,
            form_id=ENROLMENT,
            state="due",
            reason="staff_entry",
            priority=FIRST,
            created_at=now,
        )
    )
    return True
