"""Everything one batch wants written, written at once."""

from datetime import datetime

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from storage.database import Database
from storage.keyring.vault import Vault
from storage.schema import households, kept, programmes, schools
from storage.talk.writes import ORDER, Writes
from tests.storage.rows import School


def test_tables_are_written_in_an_order_that_satisfies_every_reference() -> None:
    place = {table: number for number, table in enumerate(ORDER)}
    for table in ORDER:
        for key in table.foreign_keys:
            assert key.column.table is table or place[key.column.table] < place[table]


async def test_rows_of_one_kind_are_one_statement(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> int:
        writes = Writes()
        for number in range(30):
            writes.put(kept, name=f"n{number}", value="1", at=now)
            writes.insert(programmes, id=f"p{number}", name="P", created_at=now)
        for number in range(30):
            writes.change(programmes, f"p{number}", name="Q")
        before = len(conn.info.get("bulk", ()))
        writes.flush(conn)
        assert set(conn.execute(select(programmes.c.name)).scalars()) == {"Q"}
        return len(conn.info["bulk"]) - before

    assert await database.write(work) == 3


async def test_parents_go_before_children_however_they_were_collected(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> int:
        writes = Writes()
        writes.insert(
            households, id="h", programme_id="p", school_id="s", created_at=now, erased_at=None
        )
        writes.insert(schools, id="s", programme_id="p", name="North")
        writes.insert(programmes, id="p", name="P", created_at=now)
        writes.flush(conn)
        return len(conn.execute(select(households)).all())

    assert await database.write(work) == 1


async def test_an_offer_is_nothing_where_its_key_is_taken(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> str:
        for value in ("first", "second"):
            writes = Writes()
            writes.offer(kept, name="n", value=value, at=now)
            writes.flush(conn)
        return str(conn.execute(select(kept.c.value)).scalar_one())

    assert await database.write(work) == "first"


async def test_a_put_replaces_and_the_last_word_in_a_batch_counts(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> list[str]:
        writes = Writes()
        for value in ("first", "second"):
            writes.put(kept, name="n", value=value, at=now)
        writes.flush(conn)
        found = list(conn.execute(select(kept.c.value)).scalars())
        writes.put(kept, name="n", value="third", at=now)
        writes.flush(conn)
        return found + list(conn.execute(select(kept.c.value)).scalars())

    assert await database.write(work) == ["second", "third"]


async def test_changes_of_a_row_add_up_and_touch_no_other(
    database: Database, now: datetime, vault: Vault
) -> None:
    def work(conn: Connection) -> list[tuple[str, str]]:
        town = School(conn=conn, vault=vault, now=now)
        other = School(conn=conn, vault=vault, now=now)
        assert town.id == other.id
        writes = Writes()
        writes.insert(schools, id="s2", programme_id=town.programme, name="South")
        writes.change(schools, town.id, name="East")
        writes.change(schools, town.id, name="West")
        writes.flush(conn)
        return [(r.id == town.id, r.name) for r in conn.execute(select(schools))]  # type: ignore[misc]

    assert sorted(await database.write(work)) == [(False, "South"), (True, "West")]


async def test_after_a_flush_nothing_is_written_again(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> int:
        writes = Writes()
        writes.insert(programmes, id="p", name="P", created_at=now)
        writes.flush(conn)
        writes.flush(conn)
        return len(conn.execute(select(programmes)).all())

    assert await database.write(work) == 1


async def test_an_insert_whose_key_is_taken_fails_loudly(database: Database, now: datetime) -> None:
    def work(conn: Connection) -> None:
        writes = Writes()
        writes.insert(programmes, id="p", name="P", created_at=now)
        writes.flush(conn)
        writes.insert(programmes, id="p", name="P", created_at=now)
        writes.flush(conn)

    with pytest.raises(IntegrityError):
        await database.write(work)
