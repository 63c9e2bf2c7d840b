"""Providers' words: every one is kept, a state only moves up, early words find their message."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, select

from storage.database import Database
from storage.engines import parse_url, writing_engine
from storage.schema import addresses, delivery_events, outbox
from storage.talk.outbox import RANK, Outcome, StatusRow, claim, note
from storage.talk.receipts import adopt_orphans, note_statuses

WORDS = ("accepted", "sent", "failed", "delivered", "read")
COUNT = itertools.count(1)


def new_id() -> str:
    return f"{next(COUNT):032x}"


def word(state: str | None, at: datetime, **changes: str) -> StatusRow:
    values = {"outbox_id": "", "provider_id": "", "raw": state or "teleported", "error": ""}
    return StatusRow(id=new_id(), state=state, at=at, **{**values, **changes})


def queued(conn: Connection, now: datetime) -> str:
    address, row_id = new_id(), new_id()
    conn.execute(
        insert(addresses).values(
            id=address,
            channel="sms",
            account="+27600000001",
            blind=address,
            value=b"sealed",
            language="en",
            created_at=now,
        )
    )
    conn.execute(
        insert(outbox).values(
            id=row_id,
            address_id=address,
            key=row_id,
            message_class="reply",
            priority=2,
            seq=1,
            state="queued",
            body=b"sealed",
            not_before=now,
            expires_at=now + timedelta(hours=1),
            created_at=now,
        )
    )
    return row_id


def taken(conn: Connection, now: datetime, *, provider_id: str = "") -> str:
    """A message that is being sent; with a provider's id, one that was accepted."""
    row_id = queued(conn, now)
    ((message,), _) = claim(conn, me="one", now=now, most=1)
    if provider_id:
        note(
            conn,
            [Outcome(id=row_id, fence=message.fence, state="accepted", provider_id=provider_id)],
            now=now,
        )
    return row_id


def state(conn: Connection, row_id: str) -> str:
    return str(conn.execute(select(outbox.c.state).where(outbox.c.id == row_id)).scalar_one())


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    made = writing_engine(*parse_url(sqlite_url))
    yield made
    made.dispose()


@given(
    words=st.lists(st.sampled_from([*WORDS, None]), max_size=8),
    cuts=st.sets(st.integers(1, 7)),
    by_path=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_the_order_the_highest_word_stands(
    engine: Engine, now: datetime, words: list[str | None], cuts: set[int], by_path: bool
) -> None:
    with engine.begin() as conn:
        provider_id = f"SM{new_id()}"
        row_id = taken(conn, now, provider_id=provider_id)
        key = {"outbox_id": row_id} if by_path else {"provider_id": provider_id}
        rows = [word(w, now, **key) for w in words]
        edges = [0, *sorted(c for c in cuts if c < len(rows)), len(rows)]
        standing = "accepted"
        for first, last in itertools.pairwise(edges):
            note_statuses(conn, rows[first:last], now=now)
            before, standing = standing, state(conn, row_id)
            assert RANK[standing] >= RANK[before]
        spoken = ["accepted", *(w for w in words if w)]
        assert standing == max(spoken, key=RANK.__getitem__)
        kept = select(delivery_events.c.id).where(delivery_events.c.outbox_id == row_id)
        assert sorted(conn.execute(kept).scalars()) == sorted(r.id for r in rows)


async def test_a_word_before_the_answer_to_the_send_settles_the_row(
    database: Database, now: datetime
) -> None:
    def early(conn: Connection) -> tuple[str, str | None, bytes | None]:
        row_id = queued(conn, now)
        ((message,), _) = claim(conn, me="one", now=now, most=1)
        note_statuses(conn, [word("sent", now, outbox_id=row_id, provider_id="SM1")], now=now)
        note(
            conn,
            [Outcome(id=row_id, fence=message.fence, state="accepted", provider_id="SM1")],
            now=now,
        )
        row = conn.execute(select(outbox).where(outbox.c.id == row_id)).one()
        return row.state, row.provider_id, row.body

    assert await database.write(early) == ("sent", "SM1", None)


@pytest.mark.parametrize(
    ("error", "state", "marked"),
    [
        ("bad_address 30005", "failed", (True, False)),
        ("blocked 63024", "failed", (True, False)),
        ("opted_out 21610", "failed", (False, True)),
        ("handset 30003", "failed", (False, False)),
        ("filtered 30007", "failed", (False, False)),
        ("99999", "failed", (False, False)),
        ("bad_address 30005", "delivered", (False, False)),
    ],
)
async def test_what_a_late_word_says_of_the_address_is_noted_on_it(
    database: Database, now: datetime, error: str, state: str, marked: tuple[bool, bool]
) -> None:
    def late(conn: Connection) -> tuple[bool, bool]:
        row_id = queued(conn, now)
        note_statuses(conn, [word(state, now, outbox_id=row_id, error=error)], now=now)
        row = conn.execute(select(addresses)).one()
        return row.bad_at is not None, row.opted_out_at is not None

    assert await database.write(late) == marked


async def test_a_word_on_a_message_nobody_knows_waits_for_it(
    database: Database, now: datetime
) -> None:
    def late(conn: Connection) -> tuple[list[bool], str, list[bool]]:
        note_statuses(conn, [word("delivered", now, provider_id="SM7")], now=now)
        waiting = list(conn.execute(select(delivery_events.c.matched)).scalars())
        row_id = taken(conn, now, provider_id="SM7")
        assert adopt_orphans(conn, ["SM8"], now=now) == 0
        assert adopt_orphans(conn, [], now=now) == 0
        assert adopt_orphans(conn, ["SM7"], now=now) == 1
        found = list(conn.execute(select(delivery_events.c.matched)).scalars())
        return waiting, state(conn, row_id), found

    assert await database.write(late) == ([False], "delivered", [True])


async def test_the_sweep_finds_what_two_workers_missed(database: Database, now: datetime) -> None:
    def swept(conn: Connection) -> tuple[int, int, str]:
        note_statuses(conn, [word("read", now, provider_id="SM7")], now=now)
        note_statuses(conn, [word("read", now, provider_id="SM9")], now=now)
        row_id = taken(conn, now, provider_id="SM7")
        return adopt_orphans(conn, now=now), adopt_orphans(conn, now=now), state(conn, row_id)

    assert await database.write(swept) == (1, 0, "read")


async def test_a_new_word_of_the_provider_is_kept_and_moves_nothing(
    database: Database, now: datetime
) -> None:
    def strange(conn: Connection) -> tuple[str, list[tuple[str, str | None]]]:
        row_id = taken(conn, now, provider_id="SM1")
        note_statuses(conn, [word(None, now, outbox_id=row_id, provider_id="SM1")], now=now)
        kept = conn.execute(select(delivery_events.c.raw, delivery_events.c.state)).all()
        return state(conn, row_id), [tuple(r) for r in kept]

    assert await database.write(strange) == ("accepted", [("teleported", None)])
