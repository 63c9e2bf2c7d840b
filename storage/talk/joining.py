"""JOIN codes as a turn meets them: looked up, claimed by whoever sends one first, freed by a no."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from storage.schema import children, join_codes, programmes, schools
from storage.talk.conversations import ChildRow


@dataclass(slots=True)
class JoinRow:
    """A JOIN code with the child it opens the door for; `claimed_by` changes while folding."""

    id: str
    blind: str
    expires_at: datetime
    claimed_by: str | None
    child: ChildRow
    programme: str
    school: str


_NAMED = join_codes.alias("named")
_JOINS = (
    select(
        join_codes.c.id,
        join_codes.c.blind,
        join_codes.c.issued_at,
        join_codes.c.expires_at,
        join_codes.c.claimed_at,
        join_codes.c.claimed_by,
        programmes.c.name.label("programme"),
        schools.c.name.label("school"),
        *(children.c[f.name].label(f"child_{f.name}") for f in fields(ChildRow)),
    )
    .join(children, children.c.id == join_codes.c.child_id)
    .join(programmes, programmes.c.id == children.c.programme_id)
    .join(schools, schools.c.id == children.c.school_id)
    .where(
        # All codes of the child: whichever slip is used first closes the others.
        join_codes.c.child_id.in_(
            select(_NAMED.c.child_id).where(_NAMED.c.blind.in_(bindparam("blinds", expanding=True)))
        )
    )
    .order_by(join_codes.c.id)
    .with_for_update(of=join_codes, key_share=True)
)


def joins(conn: Connection, blinds: Collection[str]) -> dict[str, JoinRow]:
    """JOIN codes by blind index, with child, programme and school; locked.

    A code that nobody used counts as used by whoever used another one of the same child after it
    was issued. One issued later is for another adult who cares for the child.
    """
    if not blinds:
        return {}
    rows = conn.execute(_JOINS, {"blinds": sorted(set(blinds))}).mappings().all()
    claims = [row for row in rows if row["claimed_by"] is not None]
    out = {}
    for row in rows:
        if row["blind"] not in blinds:
            continue
        closing = (
            other["claimed_by"]
            for other in claims
            if other["child_id"] == row["child_id"] and other["claimed_at"] >= row["issued_at"]
        )
        child = ChildRow(*(row[f"child_{f.name}"] for f in fields(ChildRow)))
        out[row["blind"]] = JoinRow(
            row["id"],
            row["blind"],
            row["expires_at"],
            row["claimed_by"] or next(closing, None),
            child,
            row["programme"],
            row["school"],
        )
    return out


def release_codes(conn: Connection, *, address_id: str, child_id: str) -> None:
    """Make a child's code free again: she who claimed it said no."""
    conn.execute(
        update(join_codes)
        .where(join_codes.c.claimed_by == address_id, join_codes.c.child_id == child_id)
        .values(claimed_at=None, claimed_by=None)
    )
