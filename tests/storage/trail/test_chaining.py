"""The audit chain on real databases: how rows are linked, what the database refuses, heads."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from storage.ids import new_id
from storage.schema import audit as table
from storage.schema import audit_heads
from storage.scope import user
from storage.trail import audit, chaining
from storage.trail.chaining import FIELDS, HeadKey, parse_head

KEY = HeadKey.of(b"a secret of the environment, long enough")


def add(conn: Connection, count: int, now: datetime, *, verb: str = "read") -> list[str]:
    """So many rows, a second apart."""
    rows = []
    for number in range(count):
        at = now + timedelta(seconds=number)
        who = user(f"u{number}", ["s1"], purpose="page")
        rows.append(audit.row(who, verb, "children", f"c{number}", id=new_id(at), at=at))
    audit.record(conn, rows)
    return [row.id for row in rows]


def links(conn: Connection) -> list[tuple[int, str, str]]:
    found = conn.execute(select(table.c.seq, table.c.chain, table.c.id).order_by(table.c.seq))
    return [tuple(row) for row in found]


async def test_committed_rows_are_linked_in_the_order_of_their_ids(
    database: Database, now: datetime
) -> None:
    ids = await database.write(lambda c: add(c, 5, now))
    assert await database.read(chaining.is_waiting)
    assert await database.write(lambda c: chaining.extend(c, most=3)) == 3
    assert await database.write(chaining.extend) == 2
    assert await database.write(chaining.extend) == 0
    assert not await database.read(chaining.is_waiting)
    found = await database.read(links)
    assert [(seq, row) for seq, _, row in found] == list(enumerate(ids, 1))
    rows = await database.read(lambda c: c.execute(select(table)).mappings().all())
    before = chaining.GENESIS
    for row in sorted(rows, key=lambda r: r["seq"]):
        before = chaining.link(before, row["seq"], chaining.fields_of(row))
        assert row["chain"] == before
    assert await database.read(chaining.last) == (5, before)


async def test_a_row_that_was_committed_late_comes_after_those_linked_before(
    database: Database, now: datetime
) -> None:
    await database.write(lambda c: add(c, 2, now))
    await database.write(chaining.extend)
    (late,) = await database.write(lambda c: add(c, 1, now - timedelta(minutes=5)))
    await database.write(chaining.extend)
    found = await database.read(links)
    assert found[2][2] == late
    assert late < found[0][2]


async def test_two_workers_that_link_at_once_link_each_row_once(
    database: Database, now: datetime
) -> None:
    await database.write(lambda c: add(c, 40, now))
    counts = [database.write(lambda c: chaining.extend(c, most=10)) for _ in range(6)]
    assert sorted([await count for count in counts]) == [0, 0, 10, 10, 10, 10]
    assert [seq for seq, _, _ in await database.read(links)] == list(range(1, 41))


def test_what_a_link_covers_is_every_column_but_the_link_itself() -> None:
    assert set(FIELDS) == {column.name for column in table.columns} - {"seq", "chain"}


def test_a_link_never_changes_what_it_is_made_of() -> None:
    """A new program must verify an old chain: this is the form, written down."""
    row = dict.fromkeys(FIELDS) | {
        "id": "a1",
        "at": datetime(2026, 2, 2, tzinfo=UTC),
        "verb": "gelees\n\u00eb",
    }
    assert chaining.canonical(7, row) == (
        b'[7,"a1",1769990400000,null,null,"gelees\\n\\u00eb",null,null,null,null]'
    )
    assert chaining.link(chaining.GENESIS, 7, row) == (
        "711ba7bbcde600d0c77f51eb6ce065688547acf6b4148203ff7ba7cde4e11a60"
    )


@pytest.mark.parametrize(
    "attack",
    [
        update(table).values(verb="nothing"),
        update(table).values(actor_id=None),
        update(table).values(seq=None, chain=None),
        update(table).values(chain="0" * 64),
        delete(table),
        update(audit_heads).values(count=0),
        delete(audit_heads),
    ],
    ids=["verb", "actor", "unlink", "relink", "delete", "head", "head-gone"],
)
async def test_the_database_refuses_to_change_or_delete_rows(
    attack: object, database: Database, now: datetime
) -> None:
    def fill(conn: Connection) -> None:
        add(conn, 2, now)
        chaining.extend(conn)
        chaining.keep_head(conn, chaining.head(conn, KEY, now=now), id=new_id(now))

    await database.write(fill)
    before = await database.read(links)
    with pytest.raises(DBAPIError, match="only appended"):
        await database.write(lambda c: c.execute(attack))
    assert await database.read(links) == before
    assert len(await database.read(chaining.heads)) == 1


async def test_a_row_that_is_not_linked_yet_is_not_changed_either(
    database: Database, now: datetime
) -> None:
    await database.write(lambda c: add(c, 1, now))
    for attack in (
        update(table).values(verb="x"),
        update(table).values(seq=1),
        update(table).values(seq=1, chain="0" * 64, purpose="x"),
        delete(table),
    ):
        with pytest.raises(DBAPIError, match="only appended"):
            await database.write(lambda c, a=attack: c.execute(a))


@pytest.mark.postgres
async def test_truncate_is_refused(postgres_url: str, now: datetime) -> None:
    database = Database.open(postgres_url)
    await database.write(lambda c: add(c, 1, now))
    for name in ("audit", "audit_heads"):
        with pytest.raises(DBAPIError, match="only appended"):
            await database.write(lambda c, n=name: c.execute(text(f"truncate {n}")))
    await database.close()


async def test_a_head_is_a_line_that_reads_back(database: Database, now: datetime) -> None:
    await database.write(lambda c: add(c, 3, now))
    await database.write(chaining.extend)
    made = await database.read(lambda c: chaining.head(c, KEY, now=now))
    assert (made.count, made.kind, made.at) == (3, "head", now)
    assert parse_head(f"  {made}\n") == made
    assert made.is_signed([KEY]) is True
    other = HeadKey.of(b"another")
    assert made.is_signed([other]) is None
    assert made.is_signed([other, KEY]) is True
    for bad in ("", "cwb-audit head", f"{made}x", str(made).replace("2026-02", "2026-13")):
        assert parse_head(bad) is None
    await database.write(lambda c: chaining.keep_head(c, made, id=new_id(now)))
    assert await database.read(chaining.newest_head) == made
    assert await database.read(chaining.heads) == [made]


async def test_what_a_head_says_cannot_be_changed_without_the_key(
    database: Database, now: datetime
) -> None:
    made = await database.read(lambda c: chaining.head(c, KEY, now=now))
    assert (made.count, made.chain) == (0, chaining.GENESIS)
    for old, new in (
        ("count=0", "count=1"),
        ("head 2", "restored 2"),
        (".000Z", ".001Z"),
        (chaining.GENESIS, "0" * 64),
    ):
        forged = parse_head(str(made).replace(old, new))
        assert forged is not None
        assert forged.is_signed([KEY]) is False


async def test_a_chain_set_by_hand_stops_the_linking_openly(
    database: Database, now: datetime
) -> None:
    row = {"id": new_id(now), "at": now, "actor_kind": "system", "verb": "x", "object_kind": "y"}
    await database.write(
        lambda c: c.execute(insert(table).values(**row, purpose="z", chain="0" * 64))
    )
    with pytest.raises(DBAPIError, match="only appended"):
        await database.write(chaining.extend)
