"""The limit: the rows of a finished round written again, bare, as many a commit as the turns wrote.

Nothing is read, decided, sealed or checked: prepared `executemany` and one commit a batch. Inserts
are the very rows; changes touch the very rows as often as a turn does (an address and a session a
turn, an outgoing message when it is leased, accepted and delivered).
"""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from storage.engines import CACHE_KIB
from storage.schema import (
    answers,
    child_state,
    delivery_events,
    events,
    inbox,
    inbox_seen,
    outbox,
    profiles,
    sessions,
)

INSERTED = (
    inbox_seen,
    inbox,
    sessions,
    events,
    answers,
    outbox,
    delivery_events,
    child_state,
    profiles,
)
CHANGES = (
    (
        "update outbox set state='sending', lease_owner='x', lease_until=1, attempts=1, fence=1, "
        "tried_at=1 where id=?",
        "outbox",
    ),
    (
        "update outbox set state='accepted', lease_owner=null, lease_until=null, provider_id=id, "
        "final_at=1, body=null where id=?",
        "outbox",
    ),
    ("update outbox set state='delivered' where id=?", "outbox"),
    ("update sessions set state=?, rev=rev+1, changed_at=changed_at+1 where id=?", "sessions"),
    ("update addresses set last_inbound_at=1, open_prompt=? where id=?", "addresses"),
)
PROMPT = '{"kind": "question", "ref": "%s", "options": [], "asked_at": "2026-11-22T10:00:00+00:00"}'


@dataclass(frozen=True, slots=True)
class Job:
    """One statement with everything to be written by it in a round."""

    sql: str
    rows: Sequence[tuple[Any, ...]]


def settle(url: str) -> None:
    """Bring a closed SQLite file's log into the file, so that it can be copied alone."""
    conn = sqlite3.connect(make_url(url).database or "")
    conn.execute("pragma wal_checkpoint(truncate)")
    conn.close()


def collect(url: str) -> list[Job]:
    """What a finished round wrote, as statements and rows."""
    parsed = make_url(url)
    postgres = parsed.get_backend_name() == "postgresql"
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg") if postgres else parsed, poolclass=NullPool
    )
    jobs = []
    with engine.connect() as conn:
        raw = conn.connection.cursor()
        for table in INSERTED:
            names = [c.name for c in table.columns]
            key = ", ".join(c.name for c in table.primary_key.columns)
            raw.execute(f"select {', '.join(names)} from {table.name} order by {key}")  # noqa: S608
            marks = ", ".join("?" * len(names))
            sql = f"insert into {table.name} ({', '.join(names)}) values ({marks})"  # noqa: S608
            jobs.append(Job(sql, raw.fetchall()))
        sent = [(i,) for (i,) in conn.execute(select(outbox.c.id).order_by(outbox.c.id))]
        open_ones = conn.execute(select(sessions.c.id, sessions.c.state).order_by(sessions.c.id))
        states = {row.id: row.state for row in open_ones}
        begun = conn.execute(select(events.c.session_id).where(events.c.rev > 1)).scalars()
        wrote = conn.execute(
            select(inbox.c.address_id).order_by(inbox.c.received_at, inbox.c.id)
        ).scalars()
        rows = {
            "outbox": sent,
            "sessions": [(states[i], i) for i in sorted(begun)],
            "addresses": [(PROMPT % i, i) for i in wrote],
        }
    jobs += [Job(sql, rows[name]) for sql, name in CHANGES]
    if postgres:
        jobs = [Job(job.sql.replace("?", "%s"), job.rows) for job in jobs]
    engine.dispose()
    return jobs


def drive(url: str, jobs: Sequence[Job], *, turns: int, size: int) -> float:
    """Write the rows in as many commits as the turns took; turns a second."""
    parsed = make_url(url)
    commits = max(1, turns // size)
    parts = [[_part(job.rows, n, commits) for job in jobs] for n in range(commits)]
    if parsed.get_backend_name() == "postgresql":
        import psycopg  # noqa: PLC0415 - only where it is measured

        conn: Any = psycopg.connect(
            parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        )
        conn.execute("set session_replication_role = replica")
        conn.commit()
    else:
        conn = sqlite3.connect(parsed.database or "", isolation_level=None)
        for pragma in ("journal_mode=wal", "synchronous=full", f"cache_size=-{CACHE_KIB}"):
            conn.execute(f"pragma {pragma}")
    cursor = conn.cursor()
    began = time.perf_counter()
    for part in parts:
        cursor.execute("begin")
        for job, rows in zip(jobs, part, strict=True):
            if rows:
                cursor.executemany(job.sql, rows)
        cursor.execute("commit")
    wall = time.perf_counter() - began
    conn.close()
    return turns / wall


def _part(rows: Sequence[tuple[Any, ...]], number: int, of: int) -> Sequence[tuple[Any, ...]]:
    return rows[len(rows) * number // of : len(rows) * (number + 1) // of]
