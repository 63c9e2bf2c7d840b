"""Whoever owns the database can do anything to it; each thing done to the audit is named.

Every attack here is done to a real database file, or server, with its triggers taken away.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from storage.database import Database
from storage.ids import new_id
from storage.schema import audit as table
from storage.schema import audit_heads
from storage.tables.audit import GUARDS
from storage.trail import chaining
from storage.trail.chaining import Head, HeadKey, fields_of, link, parse_head
from storage.trail.verifying import Finding, linked_rows, missing_guards, unlinked, verify
from tests.storage.trail.test_chaining import add

KEY = HeadKey.of(b"a secret of the environment, long enough")
OLD = HeadKey.of(b"the secret before that one, long enough")
ROWS = 12

Attack = Callable[[Connection], object]


@pytest.fixture
async def head(database: Database, now: datetime) -> Head:
    """Twelve linked rows, a head after the sixth, one at the end that was kept elsewhere."""

    def fill(conn: Connection) -> Head:
        add(conn, ROWS, now)
        chaining.extend(conn, most=6)
        chaining.keep_head(conn, chaining.head(conn, KEY, now=now), id=new_id(now))
        chaining.extend(conn)
        return chaining.head(conn, KEY, now=now + timedelta(minutes=1))

    return await database.write(fill)


async def found(database: Database, *told: Head, keys: Sequence[HeadKey] = (KEY,)) -> list[Finding]:
    def look(conn: Connection) -> list[Finding]:
        return verify(linked_rows(conn), [*chaining.heads(conn), *told], keys=keys)[1]

    return await database.read(look)


def kinds(findings: Sequence[Finding]) -> list[str]:
    return [finding.kind for finding in findings]


def unguard(conn: Connection) -> None:
    """What an owner of the database does first."""
    for name in GUARDS:
        on = f" ON {name.partition('_no_')[0]}" if conn.dialect.name == "postgresql" else ""
        conn.execute(text(f"DROP TRIGGER {name}{on}"))


async def attacked(database: Database, attack: Attack) -> None:
    def work(conn: Connection) -> None:
        unguard(conn)
        attack(conn)

    await database.write(work)


def _row(conn: Connection, seq: int) -> dict[str, object]:
    return dict(conn.execute(select(table).where(table.c.seq == seq)).mappings().one())


def _put(conn: Connection, row_id: object, **values: object) -> None:
    conn.execute(update(table).where(table.c.id == row_id).values(**values))


def relink(conn: Connection, first: int) -> None:
    """Make every link from this row on anew, as somebody who knows how would."""
    before = chaining.GENESIS if first == 1 else str(_row(conn, first - 1)["chain"])
    rows = conn.execute(select(table).where(table.c.seq >= first).order_by(table.c.seq))
    for row in rows.mappings().all():
        before = link(before, row["seq"], fields_of(row))
        _put(conn, row["id"], chain=before)


def exchange(one: int, other: int, *names: str) -> Attack:
    """Two rows change values of some columns."""

    def work(conn: Connection) -> None:
        a, b = _row(conn, one), _row(conn, other)
        if "seq" in names or "id" in names:  # unique: make room first
            _put(conn, a["id"], seq=-1)
        if "id" in names:
            conn.execute(delete(table).where(table.c.id.in_([a["id"], b["id"]])))
            conn.execute(insert(table).values({**b, "seq": one, "chain": a["chain"]}))
            conn.execute(insert(table).values({**a, "seq": other, "chain": b["chain"]}))
            return
        _put(conn, b["id"], **{name: a[name] for name in names})
        _put(conn, a["id"], **{name: b[name] for name in names})

    return work


def renumber(gone: int) -> Attack:
    """A row is taken out and what follows is numbered anew, links as they were."""

    def work(conn: Connection) -> None:
        conn.execute(delete(table).where(table.c.seq == gone))
        for seq in range(gone + 1, ROWS + 1):
            conn.execute(update(table).where(table.c.seq == seq).values(seq=seq - 1))

    return work


async def test_a_chain_that_nobody_touched_holds(database: Database, head: Head) -> None:
    assert await found(database, head) == []
    assert await database.read(missing_guards) == []


@pytest.mark.parametrize(
    "values", [{"verb": "listed"}, {"actor_id": "u7"}, {"at": 5}, {"object_id": None}]
)
async def test_an_edited_row_is_named(
    database: Database, head: Head, now: datetime, values: dict[str, object]
) -> None:
    if "at" in values:
        values = {"at": now + timedelta(days=1)}
    await attacked(
        database, lambda c: c.execute(update(table).where(table.c.seq == 4).values(values))
    )
    (finding,) = await found(database, head)
    assert finding.kind == "edited"
    assert finding.text.endswith("changed: 4.")


async def test_an_edited_row_with_a_link_made_anew_is_named(database: Database, head: Head) -> None:
    """Its own link fits again; the next row's no longer does."""

    def work(conn: Connection) -> None:
        row = _row(conn, 4) | {"verb": "listed"}
        _put(conn, row["id"], verb="listed", chain=link(str(_row(conn, 3)["chain"]), 4, row))

    await attacked(database, work)
    (finding,) = await found(database, head)
    assert finding.kind == "edited"
    assert finding.text.endswith("or the link just before, were changed: 5.")


async def test_a_deleted_row_is_named(database: Database, head: Head) -> None:
    await attacked(database, lambda c: c.execute(delete(table).where(table.c.seq.in_([3, 8, 9]))))
    (finding,) = await found(database, head)
    assert (finding.kind, finding.text) == ("deleted", "Rows are gone: 3, 8 to 9.")


async def test_the_first_row_deleted_is_named(database: Database, head: Head) -> None:
    await attacked(database, lambda c: c.execute(delete(table).where(table.c.seq == 1)))
    assert kinds(await found(database, head)) == ["deleted"]


async def test_a_row_deleted_and_the_rest_numbered_anew_is_named(
    database: Database, head: Head
) -> None:
    await attacked(database, renumber(5))
    findings = await found(database, head)
    assert kinds(findings) == ["deleted", "truncated"]
    assert "before row 6" in findings[0].text


@pytest.mark.parametrize(
    "names", [("seq",), ("seq", "chain"), ("id",)], ids=["places", "links-stay", "contents"]
)
@pytest.mark.parametrize(("one", "other"), [(3, 4), (2, 9), (1, 12), (7, 10)])
async def test_reordered_rows_are_named(
    database: Database, head: Head, names: tuple[str, ...], one: int, other: int
) -> None:
    await attacked(database, exchange(one, other, *names))
    (finding,) = await found(database, head)
    assert finding.kind == "reordered"
    assert finding.text.endswith(f"places: {one}, {other}.")


async def test_a_chain_cut_at_its_end_is_named_by_a_head_from_elsewhere(
    database: Database, head: Head
) -> None:
    await attacked(database, lambda c: c.execute(delete(table).where(table.c.seq > 9)))
    assert await found(database) == []  # by itself a shorter chain is a chain
    (finding,) = await found(database, head)
    assert finding.kind == "truncated"
    assert "says 12 rows; there are 9" in finding.text


async def test_everything_deleted_is_named(database: Database, head: Head) -> None:
    await attacked(database, lambda c: (c.execute(delete(table)), c.execute(delete(audit_heads))))
    assert kinds(await found(database, head)) == ["truncated"]


async def test_a_chain_written_anew_from_its_first_row_is_named(
    database: Database, head: Head
) -> None:
    def work(conn: Connection) -> None:
        conn.execute(update(table).where(table.c.seq == 1).values(actor_id="u9"))
        relink(conn, 1)
        conn.execute(delete(audit_heads))

    await attacked(database, work)
    assert await found(database) == []
    (finding,) = await found(database, head)
    assert finding.kind == "rewritten"
    assert "from the first row" in finding.text


async def test_a_chain_written_anew_after_a_head_says_after_which_row(
    database: Database, head: Head
) -> None:
    def work(conn: Connection) -> None:
        conn.execute(update(table).where(table.c.seq == 8).values(verb="listed"))
        relink(conn, 8)

    await attacked(database, work)
    (finding,) = await found(database, head)
    assert finding.kind == "rewritten"
    assert "after row 6" in finding.text


async def test_a_row_deleted_and_all_written_anew_is_named(database: Database, head: Head) -> None:
    def work(conn: Connection) -> None:
        renumber(2)(conn)
        relink(conn, 1)

    await attacked(database, work)
    assert set(kinds(await found(database, head))) == {"rewritten", "truncated"}


async def test_a_forged_head_is_named(database: Database, head: Head) -> None:
    forged = parse_head(str(head).replace("count=12", "count=9"))
    assert forged is not None
    assert kinds(await found(database, forged)) == ["forged_head"]


async def test_a_stored_head_that_was_changed_is_named(database: Database, head: Head) -> None:
    await attacked(database, lambda c: c.execute(update(audit_heads).values(count=5)))
    assert kinds(await found(database, head)) == ["forged_head"]


async def test_a_head_of_a_key_that_is_not_set_is_named_and_one_of_the_old_key_is_taken(
    database: Database, head: Head, now: datetime
) -> None:
    old = await database.read(lambda c: chaining.head(c, OLD, now=now))
    assert kinds(await found(database, head, old)) == ["unknown_key"]
    assert await found(database, head, old, keys=(KEY, OLD)) == []


async def test_each_of_several_kinds_of_damage_is_named(database: Database, head: Head) -> None:
    def work(conn: Connection) -> None:
        exchange(2, 3, "seq")(conn)
        conn.execute(update(table).where(table.c.seq == 5).values(verb="x"))
        conn.execute(delete(table).where(table.c.seq.in_([8, 12])))

    await attacked(database, work)
    assert kinds(await found(database, head)) == ["deleted", "reordered", "edited", "truncated"]


async def test_very_many_changed_rows_are_counted_not_listed(
    database: Database, now: datetime
) -> None:
    await database.write(lambda c: (add(c, 60, now), chaining.extend(c)))
    await attacked(database, lambda c: c.execute(update(table).values(verb="x")))
    (finding,) = await found(database)
    assert finding.kind == "edited"
    assert finding.text.endswith("9, 10 and 50 more.")


async def test_after_a_restore_only_heads_up_to_it_bind(
    database: Database, head: Head, now: datetime
) -> None:
    await attacked(database, lambda c: c.execute(delete(table).where(table.c.seq > 9)))
    later = now + timedelta(hours=1)
    restored = await database.read(lambda c: chaining.head(c, KEY, now=later, kind="restored"))
    assert await found(database, head, restored) == []
    await database.write(lambda c: (add(c, 5, later), chaining.extend(c)))
    assert await found(database, head, restored) == []
    faked = parse_head(str(head).replace("audit head", "audit restored").replace("=12", "=9"))
    assert faked is not None
    assert kinds(await found(database, head, faked)) == ["forged_head", "rewritten"]


async def test_triggers_that_are_gone_are_named(database: Database, now: datetime) -> None:
    await database.write(unguard)
    assert await database.read(missing_guards) == list(GUARDS)


async def test_rows_that_no_tick_linked_are_counted(database: Database, now: datetime) -> None:
    await database.write(lambda c: add(c, 3, now))
    assert await database.read(lambda c: unlinked(c, before=now + timedelta(seconds=2))) == 2
