"""Does the chain hold? What was done to the audit is named: edited, deleted, reordered and so on.

The rows are held against each other by their links, and against heads that were kept elsewhere. A
chain alone cannot show that its end was cut off, or that all of it was written anew; a signed head
can. Each kind of damage is a finding of its own, so that nobody has to read one for another.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any, Literal

from sqlalchemy import Connection, func, select, text

from storage.schema import audit
from storage.tables.audit import GUARDS
from storage.trail.chaining import GENESIS, Head, HeadKey, fields_of, link

Damage = Literal[
    "edited",
    "deleted",
    "reordered",
    "truncated",
    "rewritten",
    "forged_head",
    "unknown_key",
    "unguarded",
]
MOST_COMPARED = 40
"""Among so many broken links every order is tried; beyond, only that they are broken is said."""
FARTHEST = 10
"""How many rows taken out in one place are recognised when the rest was numbered anew."""
MOST_NAMED = 10
LOST = "row_lost"
"""The verb of a row that says: this row was committed, and gone before it could be linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of damage, with where it is: numbers and times only."""

    kind: Damage
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A row at its place in the chain."""

    seq: int
    chain: str
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """A row whose link does not follow from it and from the link before."""

    at: Linked
    before: str


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What one pass over the rows found."""

    count: int = 0
    links: dict[int, str] = field(default_factory=lambda: {0: GENESIS})
    gaps: list[tuple[int, int]] = field(default_factory=list)
    broken: list[_Broken] = field(default_factory=list)

    def sound_to(self, count: int) -> bool:
        """Whether nothing is wrong among the rows up to this one."""
        first_gap = min((start for start, _ in self.gaps), default=count + 1)
        first_broken = min((b.at.seq for b in self.broken), default=count + 1)
        return count < min(first_gap, first_broken)


def linked_rows(conn: Connection) -> Iterator[Linked]:
    """Every linked row in the order of the chain."""
    found = conn.execution_options(yield_per=1000).execute(
        select(audit).where(audit.c.seq.is_not(None)).order_by(audit.c.seq)
    )
    for row in found.mappings():
        yield Linked(seq=row["seq"], chain=row["chain"] or "", row=fields_of(row))


def unlinked(conn: Connection, *, before: datetime) -> int:
    """Rows committed before a moment that no tick has linked."""
    waiting = select(func.count()).where(audit.c.seq.is_(None), audit.c.at < before)
    return int(conn.execute(waiting).scalar_one())


def lost_rows(conn: Connection) -> tuple[int, datetime | None]:
    """How many rows were taken out before they were linked, as far as seen, and when first."""
    found = select(func.count(), func.min(audit.c.at)).where(audit.c.verb == LOST)
    count, first = conn.execute(found).one()
    return int(count), first


def missing_guards(conn: Connection) -> list[str]:
    """The triggers that should refuse changes and do not stand, or were switched off."""
    if conn.dialect.name == "postgresql":
        asked = "select tgname from pg_trigger where not tgisinternal and tgenabled <> 'D'"
    else:
        asked = "select name from sqlite_master where type = 'trigger'"
    there = set(conn.execute(text(asked)).scalars())
    return [name for name in GUARDS if name not in there]


def verify(
    rows: Iterable[Linked], heads: Sequence[Head], *, keys: Sequence[HeadKey]
) -> tuple[int, list[Finding]]:
    """Hold the rows against each other and against the heads.

    Args:
        rows: As `linked_rows` gives them.
        heads: From the table, from the file outside, from the command line.
        keys: What heads may be signed with, the present key first.

    Returns:
        How many rows there are, and what is wrong.
    """
    found, signed = _signatures(heads, keys)
    walk = _walk(rows, {head.count for head in signed})
    found += _inside(walk)
    found += _outside(walk, signed)
    return walk.count, found


def _signatures(heads: Sequence[Head], keys: Sequence[HeadKey]) -> tuple[list[Finding], list[Head]]:
    forged = [head for head in heads if head.is_signed(keys) is False]
    foreign = [head for head in heads if head.is_signed(keys) is None]
    found = [
        Finding(kind="forged_head", text=f"The head of {_at(head)} was not signed with our key.")
        for head in forged
    ]
    if foreign:
        marks = ", ".join(sorted({head.mark for head in foreign}))
        said = f"{len(foreign)} heads name a key that is not set here ({marks})."
        found.append(Finding(kind="unknown_key", text=said))
    good = [head for head in heads if head.is_signed(keys)]
    restored = [head for head in good if head.kind == "restored"]
    binding = [
        head for head in good if not any(r.at >= head.at and r.count < head.count for r in restored)
    ]
    return found, sorted(binding, key=lambda head: (head.count, head.at))


def _walk(rows: Iterable[Linked], wanted: Collection[int]) -> _Walk:
    walk = _Walk()
    before = GENESIS
    for row in rows:
        place = walk.count + 1
        if row.seq > place:
            walk.gaps.append((place, row.seq - 1))
        elif row.seq < place or row.chain != link(before, row.seq, row.row):
            walk.broken.append(_Broken(at=row, before=before))
        before = row.chain
        walk.count = max(row.seq, walk.count)
        if row.seq in wanted:
            walk.links[row.seq] = row.chain
    return walk


def _inside(walk: _Walk) -> list[Finding]:
    """What the links show by themselves."""
    found = []
    if walk.gaps:
        spans = _named([f"{a}" if a == b else f"{a} to {b}" for a, b in walk.gaps])
        found.append(Finding(kind="deleted", text=f"Rows are gone: {spans}."))
    shifted = [b for b in walk.broken if _shift(b)]
    if shifted:
        first = shifted[0].at.seq
        said = f"Rows are gone before row {first}, and what follows was numbered anew."
        found.append(Finding(kind="deleted", text=said))
        # The row just before them followed a row that is gone: its own link cannot be judged.
        rest = [b for b in walk.broken if b not in shifted and b.at.seq != first - 1]
    else:
        rest = walk.broken
    moved, edited = _sorted(rest)
    if moved:
        said = f"Rows stand in each other's places: {_named(moved)}."
        found.append(Finding(kind="reordered", text=said))
    if edited:
        said = f"These rows, or the link just before, were changed: {_named(edited)}."
        found.append(Finding(kind="edited", text=said))
    return found


def _shift(broken: _Broken) -> int:
    """By how much the row's number was lowered; 0 if that does not explain it."""
    for step in range(1, FARTHEST + 1):
        if link(broken.before, broken.at.seq + step, broken.at.row) == broken.at.chain:
            return step
    return 0


def _sorted(broken: Sequence[_Broken]) -> tuple[list[int], list[int]]:
    """The broken rows that fit at another's place, and those that were changed."""
    if len(broken) > MOST_COMPARED:
        return [], [b.at.seq for b in broken]
    before = {b.at.seq: b.before for b in broken}
    chains = {b.at.seq: b.at.chain for b in broken}
    known = {*before.values(), *chains.values(), GENESIS}
    moved, edited = [], []
    for b in broken:
        made = {(p, place): link(p, place, b.at.row) for p, place in product(known, before)}
        elsewhere = any(
            place != b.at.seq
            and (said == b.at.chain or (p, said) == (before[place], chains[place]))
            for (p, place), said in made.items()
        )
        at_home = any(place == b.at.seq and said == b.at.chain for (_, place), said in made.items())
        if elsewhere:
            moved.append(b.at.seq)
        elif not at_home:  # at home it only follows a row that was moved
            edited.append(b.at.seq)
    return moved, edited


def _outside(walk: _Walk, heads: Sequence[Head]) -> list[Finding]:
    """What heads that were kept elsewhere show."""
    found = []
    cut = [head for head in heads if head.count > walk.count]
    if cut:
        most = cut[-1]
        said = f"The head of {_at(most)} says {most.count} rows; there are {walk.count}."
        found.append(Finding(kind="truncated", text=f"The end is gone. {said}"))
    matching = 0
    for head in heads:
        if head.count > walk.count or (head.count > 0 and not walk.sound_to(head.count)):
            continue
        if walk.links.get(head.count) == head.chain:
            matching = max(matching, head.count)
            continue
        since = f"after row {matching}" if matching else "from the first row"
        said = f"The chain was written anew {since}: it does not match the head of {_at(head)}."
        found.append(Finding(kind="rewritten", text=said))
        break
    return found


def _named(items: Sequence[object]) -> str:
    shown = ", ".join(map(str, items[:MOST_NAMED]))
    return f"{shown} and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else shown


def _at(head: Head) -> str:
    return f"{head.at:%Y-%m-%d %H:%M} UTC"
