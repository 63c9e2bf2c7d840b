"""The files made for one reader: for whom, why, until when. The files themselves are sealed."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from storage.schema import exports, requests
from storage.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """A file somebody made.

    Attributes:
        kind: "subject" (a person's own file) or "breach" (numbers of people to be told).
        made_by: The user; None for the command line.
        purpose: Why, as a code.
    """

    id: str
    kind: str
    request_id: str | None
    household_id: str | None
    person_id: str | None
    school_id: str | None
    made_by: str | None
    purpose: str
    made_at: datetime
    expires_at: datetime


_LIVE = select(*(exports.c[f.name] for f in fields(ExportRow))).where(exports.c.gone_at.is_(None))


def add(conn: Connection, row: ExportRow) -> None:
    """Note a file that was written."""
    conn.execute(insert(exports).values({f.name: getattr(row, f.name) for f in fields(ExportRow)}))


def of_request(
    conn: Connection, scope: Scope, request_id: str, *, now: datetime
) -> list[ExportRow]:
    """Files of a request that can still be downloaded, newest first."""
    asked = _LIVE.where(
        exports.c.request_id == request_id,
        exports.c.expires_at > now,
        scope.within(exports.c.school_id),
    )
    found = conn.execute(asked.order_by(exports.c.made_at.desc())).mappings()
    return [ExportRow(**row) for row in found]


def annexes(conn: Connection, scope: Scope, *, now: datetime) -> list[ExportRow]:
    """Lists of people to be told after a breach that can still be opened, newest first.

    They belong to no school: whoever may see no school at all sees none of them.
    """
    if scope.schools == frozenset():
        return []
    asked = _LIVE.where(exports.c.kind == "breach", exports.c.expires_at > now)
    found = conn.execute(asked.order_by(exports.c.made_at.desc())).mappings()
    return [ExportRow(**row) for row in found]


def find(conn: Connection, scope: Scope, export_id: str, *, now: datetime) -> ExportRow | None:
    """A file that may be downloaded now: the scope is asked again, and its request still stands."""
    if scope.schools == frozenset():
        return None
    breach = exports.c.kind == "breach"
    asked = _LIVE.outerjoin_from(exports, requests, requests.c.id == exports.c.request_id).where(
        exports.c.id == export_id,
        exports.c.expires_at > now,
        or_(breach, scope.within(exports.c.school_id)),
        or_(breach, requests.c.state.in_(("granted", "part"))),
    )
    row = conn.execute(asked).mappings().one_or_none()
    return None if row is None else ExportRow(**row)


def expire(conn: Connection, *, now: datetime) -> int:
    """Note that files past their time are gone; returns how many."""
    done = conn.execute(
        update(exports)
        .where(exports.c.gone_at.is_(None), exports.c.expires_at <= now)
        .values(gone_at=now)
    )
    return int(done.rowcount)


def live(conn: Connection) -> set[str]:
    """Ids of the files that are still there."""
    return set(conn.execute(_LIVE.with_only_columns(exports.c.id)).scalars())
