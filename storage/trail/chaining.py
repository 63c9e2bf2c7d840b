"""The chain over the audit: what it is made of, how rows are taken into it, how heads are signed.

A row gets its place (`seq`, from 1) and its link (`chain`, SHA-256 of the link before and of the
row) after its transaction committed, by one worker at a time. The order of the chain is the order
of `seq`: a row whose transaction took long is linked later than its id says. A head says how many
rows there are and what the last link is, signed with a key that is not in the database, so that a
copy kept elsewhere shows what was cut off or written anew.

Source: trust-and-dashboard.md §B4.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, insert, select, update
from typing_extensions import override

from storage.schema import audit, audit_heads
from storage.types import to_ms

LOCK = 0x43574241
"""The key of our advisory lock on PostgreSQL: any number, as long as it never changes."""
GENESIS = hashlib.sha256(b"cwb audit chain 1").hexdigest()
"""What the first row is linked to."""
MOST = 1000
"""Rows linked in one transaction, so that nobody waits long for it."""
FIELDS = (
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "verb",
    "object_kind",
    "object_id",
    "school_id",
    "purpose",
)
"""What a link covers, in this order. It never changes: a new column would start a chain 2."""
LABEL = b"cwb audit head 1"
MARK_DIGITS = 8

HeadKind = Literal["head", "restored"]


def canonical(seq: int, row: Mapping[str, Any]) -> bytes:
    """A row as the one sequence of bytes that its link is made from."""
    values = [to_ms(row[name]) if name == "at" else row[name] for name in FIELDS]
    return json.dumps([seq, *values], ensure_ascii=True, separators=(",", ":")).encode()


def fields_of(row: Any) -> dict[str, Any]:
    """What a link covers, of a row as the database gave it."""
    return {name: row[name] for name in FIELDS}


def link(before: str, seq: int, row: Mapping[str, Any]) -> str:
    """The link of a row to the one before it, as 64 hex digits."""
    return hashlib.sha256(before.encode() + b"\n" + canonical(seq, row)).hexdigest()


_LAST = select(audit.c.seq, audit.c.chain).where(audit.c.seq.is_not(None))
_WAITING = select(audit).where(audit.c.seq.is_(None)).order_by(audit.c.id)
_SET = (
    update(audit)
    .where(audit.c.id == bindparam("row_id"), audit.c.seq.is_(None))
    .values(seq=bindparam("row_seq"), chain=bindparam("row_chain"))
)


def last(conn: Connection) -> tuple[int, str]:
    """How many rows are linked, and the last link."""
    found = conn.execute(_LAST.order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    return (found.seq, found.chain) if found else (0, GENESIS)


def is_waiting(conn: Connection) -> bool:
    """Whether rows were committed that are not linked yet; one look at an index."""
    return conn.execute(_WAITING.limit(1)).first() is not None


def missing(conn: Connection, ids: Sequence[str]) -> list[str]:
    """Those of these rows that are not there: nothing deletes one but who owns the database."""
    there: set[str] = set()
    for start in range(0, len(ids), MOST):
        part = select(audit.c.id).where(audit.c.id.in_(ids[start : start + MOST]))
        there |= set(conn.execute(part).scalars())
    return [row for row in ids if row not in there]


def extend(conn: Connection, *, most: int = MOST) -> int:
    """Link the committed rows that are not linked yet, in the order of their ids.

    Args:
        conn: Open write transaction. One worker links at a time: SQLite has one writer, on
            PostgreSQL a lock is held until the transaction ends.
        most: Rows at once; a caller with more to link calls again.

    Returns:
        How many rows were linked.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(LOCK)))
    rows = conn.execute(_WAITING.limit(most)).mappings().all()
    if not rows:
        return 0
    seq, chain = last(conn)
    steps = []
    for row in rows:
        seq += 1
        chain = link(chain, seq, fields_of(row))
        steps.append({"row_id": row["id"], "row_seq": seq, "row_chain": chain})
    conn.execute(_SET, steps)
    return len(steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadKey:
    """What signs heads; never in the database.

    Attributes:
        secret: The key.
        mark: What tells it from another key without giving it away.
    """

    secret: bytes
    mark: str

    @classmethod
    def of(cls, secret: bytes) -> "HeadKey":
        """The signing key that follows from a secret of the environment."""
        key = hmac.digest(secret, LABEL, "sha256")
        return cls(secret=key, mark=hashlib.sha256(b"mark" + key).hexdigest()[:MARK_DIGITS])

    def sign(self, kind: HeadKind, count: int, chain: str, at: datetime) -> str:
        """The signature of a head, 64 hex digits."""
        said = f"{kind}|{count}|{chain}|{to_ms(at)}".encode()
        return hmac.digest(self.secret, said, "sha256").hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far the chain had come at a moment, signed.

    Attributes:
        kind: "head"; or "restored", which says that a backup was restored at this place, so that
            earlier heads that say more no longer bind.
        at: When (aware, UTC).
        count: Rows linked by then.
        chain: The last link.
        mark: Which key signed it.
        mac: The signature.
    """

    kind: HeadKind
    at: datetime
    count: int
    chain: str
    mark: str
    mac: str

    @override
    def __str__(self) -> str:
        """The line that is kept elsewhere."""
        at = self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return (
            f"cwb-audit {self.kind} {at} count={self.count} chain={self.chain} "
            f"key={self.mark} mac={self.mac}"
        )

    def is_signed(self, keys: Sequence[HeadKey]) -> bool | None:
        """Whether a key of ours signed it; None where it names a key we do not have."""
        mine = [key for key in keys if key.mark == self.mark]
        if not mine:
            return None
        said = mine[0].sign(self.kind, self.count, self.chain, self.at)
        return hmac.compare_digest(said, self.mac)


_LINE = re.compile(
    r"cwb-audit (?P<kind>head|restored) (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) "
    r"count=(?P<count>\d{1,18}) chain=(?P<chain>[0-9a-f]{64}) key=(?P<mark>[0-9a-f]{8}) "
    r"mac=(?P<mac>[0-9a-f]{64})"
)


def parse_head(line: str) -> Head | None:
    """The head a line holds, None where it holds none."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found["at"])
    except ValueError:
        return None
    return Head(
        kind="restored" if found["kind"] == "restored" else "head",
        at=at,
        count=int(found["count"]),
        chain=found["chain"],
        mark=found["mark"],
        mac=found["mac"],
    )


def head(conn: Connection, key: HeadKey, *, now: datetime, kind: HeadKind = "head") -> Head:
    """The head of the chain as it stands, signed."""
    count, chain = last(conn)
    mac = key.sign(kind, count, chain, now)
    return Head(kind=kind, at=now, count=count, chain=chain, mark=key.mark, mac=mac)


def keep_head(conn: Connection, made: Head, *, id: str) -> None:  # noqa: A002 - the column's name
    """Store a head beside the rows."""
    conn.execute(
        insert(audit_heads).values(
            id=id,
            kind=made.kind,
            at=made.at,
            count=made.count,
            chain=made.chain,
            mark=made.mark,
            mac=made.mac,
        )
    )


def heads(conn: Connection) -> list[Head]:
    """Every stored head, oldest first."""
    found = conn.execute(select(audit_heads).order_by(audit_heads.c.at, audit_heads.c.id))
    return [_head(row) for row in found]


def newest_head(conn: Connection) -> Head | None:
    """The head stored last."""
    newest = select(audit_heads).order_by(audit_heads.c.at.desc(), audit_heads.c.id.desc())
    found = conn.execute(newest.limit(1)).one_or_none()
    return None if found is None else _head(found)


def _head(row: Any) -> Head:
    return Head(
        kind=row.kind, at=row.at, count=row.count, chain=row.chain, mark=row.mark, mac=row.mac
    )
