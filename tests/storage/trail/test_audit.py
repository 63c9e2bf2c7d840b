from datetime import datetime

import pytest
from sqlalchemy import Connection, select

from storage.database import Database
from storage.ids import new_id
from storage.schema import audit as table
from storage.scope import system, user
from storage.trail import audit


async def test_what_was_done_is_kept_with_who_and_why(database: Database, now: datetime) -> None:
    first = audit.row(
        user("u1", ["s1"], purpose="page"), "read", "children", "c1",
        id=new_id(now), at=now, school_id="s1",
    )  # fmt: skip
    second = audit.row(system("escalation"), "raised", "alerts", id=new_id(now), at=now)
    await database.write(lambda conn: audit.record(conn, [first, second]))
    found = await database.read(lambda conn: conn.execute(select(table)).mappings().all())
    by_verb = {row["verb"]: row for row in found}
    assert by_verb["read"] == {
        "id": first.id,
        "at": now,
        "actor_kind": "user",
        "actor_id": "u1",
        "verb": "read",
        "object_kind": "children",
        "object_id": "c1",
        "school_id": "s1",
        "purpose": "page",
        "chain": None,
        "seq": None,
    }
    raised = by_verb["raised"]
    assert (raised["actor_kind"], raised["actor_id"], raised["purpose"]) == (
        "system", None, "escalation",
    )  # fmt: skip


async def test_nothing_to_record_is_no_statement(database: Database) -> None:
    await database.read(lambda conn: audit.record(conn, []))  # a reader could not write


async def test_what_is_rolled_back_was_not_done(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        audit.record(conn, [audit.row(system("x"), "read", "y", id=new_id(now), at=now)])
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    assert await database.read(lambda conn: conn.execute(select(table)).all()) == []
