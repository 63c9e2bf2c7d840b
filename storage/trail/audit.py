"""Who did or saw what. Rows are appended, never changed; personal values are ids and codes.

The chain over committed rows is a later tick's work, so that no turn waits for another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from storage.database import WRITTEN
from storage.schema import audit
from storage.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One thing somebody did or saw.

    Attributes:
        id: From `storage.ids.new_id`.
        at: When (aware, UTC).
        actor_kind: "person", "user" or "system".
        actor_id: Who; None for the system.
        verb: What, e.g. "read", "accepted", "imported".
        object_kind: The table or page it was done to, e.g. "children".
        object_id: The row; None where it was a list.
        school_id: The school it belongs to, if one.
        purpose: Why, the scope's code.
    """

    id: str
    at: datetime
    actor_kind: str
    actor_id: str | None
    verb: str
    object_kind: str
    object_id: str | None
    school_id: str | None
    purpose: str


_INSERT = insert(audit)


def row(
    scope: Scope,
    verb: str,
    object_kind: str,
    object_id: str | None = None,
    *,
    id: str,  # noqa: A002 - the column's name
    at: datetime,
    school_id: str | None = None,
) -> AuditRow:
    """The row saying that the scope's actor did `verb` to an object."""
    return AuditRow(
        id=id,
        at=at,
        actor_kind=scope.actor_kind,
        actor_id=scope.actor_id,
        verb=verb,
        object_kind=object_kind,
        object_id=object_id,
        school_id=school_id,
        purpose=scope.purpose_at(school_id),
    )


def record(conn: Connection, rows: Sequence[AuditRow]) -> None:
    """Append the rows with one statement; they stand or fall with the caller's transaction.

    Their ids are left for `Database.written`: the tick looks whether they are still there.
    """
    if rows:
        conn.info.setdefault(WRITTEN, []).extend(entry.id for entry in rows)
        conn.execute(
            _INSERT,
            [
                {
                    "id": entry.id,
                    "at": entry.at,
                    "actor_kind": entry.actor_kind,
                    "actor_id": entry.actor_id,
                    "verb": entry.verb,
                    "object_kind": entry.object_kind,
                    "object_id": entry.object_id,
                    "school_id": entry.school_id,
                    "purpose": entry.purpose,
                }
                for entry in rows
            ],
        )
