from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update

from storage.bulk import prepared
from storage.database import Database
from storage.schema import delivery_events, kept

STATE = (
    update(kept)
    .where(kept.c.name == bindparam("b_name"))
    .values(value="done", at=bindparam("v_at", type_=kept.c.at.type))
)


def rows(now: datetime, count: int) -> list[dict[str, object]]:
    return [
        {"name": f"n{n}", "value": str(n), "at": now + timedelta(hours=n)} for n in range(count)
    ]


async def test_rows_arrive_as_sqlalchemy_would_have_written_them(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        given = rows(now, 3)
        prepared(conn, "keep", lambda: insert(kept), given[0]).run(conn, given)
        found = conn.execute(select(kept).order_by(kept.c.name)).mappings()
        assert [dict(row) for row in found] == given

    await database.write(work)


async def test_the_same_moment_in_many_rows_and_another_between_them(
    database: Database, now: datetime
) -> None:
    later = now + timedelta(days=1)

    def work(conn: Connection) -> None:
        given = [
            {"name": str(n), "value": "", "at": at} for n, at in enumerate((now, now, later, now))
        ]
        prepared(conn, "keep", lambda: insert(kept), given[0]).run(conn, given)
        found = conn.execute(select(kept.c.at).order_by(kept.c.name)).scalars().all()
        assert found == [now, now, later, now]

    await database.write(work)


async def test_what_a_statement_says_itself_stands_in_every_row(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        given = rows(now, 2)
        prepared(conn, "keep", lambda: insert(kept), given[0]).run(conn, given)
        changes = [{"b_name": "n1", "v_at": now}, {"b_name": "nobody", "v_at": now}]
        prepared(conn, "change", lambda: STATE, changes[0]).run(conn, changes)
        found = conn.execute(select(kept).order_by(kept.c.name)).mappings().all()
        assert [row["value"] for row in found] == ["0", "done"]
        assert found[1]["at"] == now

    await database.write(work)


async def test_a_column_left_out_keeps_its_default(database: Database, now: datetime) -> None:
    row = {"id": "e1", "provider_id": "p", "raw": "sent", "error": "", "at": now}

    def work(conn: Connection) -> bool:
        prepared(conn, "words", delivery_events.insert, row).run(conn, [row])
        return bool(conn.execute(select(delivery_events.c.matched)).scalar_one())

    assert await database.write(work) is False


async def test_no_rows_are_no_statement(database: Database) -> None:
    def work(conn: Connection) -> int:
        prepared(conn, "keep", lambda: insert(kept), ("name", "value", "at")).run(conn, [])
        return len(conn.execute(select(kept)).all())

    assert await database.write(work) == 0


async def test_a_statement_is_compiled_once_a_connection(database: Database) -> None:
    made = []

    def work(conn: Connection) -> bool:
        def make() -> object:
            made.append(1)
            return insert(kept)

        keys = ("name", "value", "at")
        first = prepared(conn, "keep", make, keys)  # type: ignore[arg-type]
        return first is prepared(conn, "keep", make, keys)  # type: ignore[arg-type]

    assert await database.write(work)
    assert made == [1]


async def test_rows_of_other_columns_are_another_statement(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        whole = {"id": "e1", "provider_id": "p", "raw": "r", "error": "", "at": now}
        named = {**whole, "id": "e2", "state": "sent"}
        prepared(conn, "words", delivery_events.insert, whole).run(conn, [whole])
        prepared(conn, "words", delivery_events.insert, named).run(conn, [named])
        states = select(delivery_events.c.state).order_by(delivery_events.c.id)
        assert conn.execute(states).scalars().all() == [None, "sent"]

    await database.write(work)


async def test_a_row_that_lacks_a_column_is_refused(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        given = rows(now, 2)
        del given[1]["value"]
        prepared(conn, "keep", lambda: insert(kept), given[0]).run(conn, given)

    with pytest.raises(KeyError):
        await database.write(work)
