"""Keeping the audit chain: the tick that links rows and makes heads, and the look at both.

A head goes to three places: beside the rows, to a file outside the database, and to the log. Keep a
copy of the file's last line where the database's owner cannot change it: in an auditor's mail, on
paper. `audit verify --head LINE` holds the rows against it.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection

from bot.settings import Settings
from storage.database import Database
from storage.ids import new_id
from storage.scope import system
from storage.trail import audit, chaining
from storage.trail.chaining import Head, HeadKey, parse_head
from storage.trail.verifying import (
    LOST,
    Finding,
    linked_rows,
    lost_rows,
    missing_guards,
    unlinked,
    verify,
)

EVERY = timedelta(hours=1)
"""A head is made so often while rows are added."""
AT_LEAST = timedelta(days=1)
"""A head is made so often in any case: a day without a line is a day to ask about."""
LATE = timedelta(minutes=10)
"""Rows that wait longer for their link show that no bot is running, or its tick fails."""
MODE = 0o600
log = structlog.get_logger(__name__)


def head_keys(settings: Settings) -> tuple[HeadKey, ...]:
    """What heads are signed with: the present key, then the one before."""
    return tuple(HeadKey.of(secret) for secret in settings.audit_secrets)


def append_head(path: Path, head: Head) -> None:
    """Add a head's line to the file outside. Raises OSError where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
    try:
        os.write(handle, f"{head}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def read_heads(path: Path) -> tuple[list[Head], int]:
    """The heads of the file outside, and how many of its lines hold none."""
    if not path.exists():
        return [], 0
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    heads = [head for head in map(parse_head, lines) if head is not None]
    return heads, len(lines) - len(heads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """What the clock calls: links new rows, and makes a head when one is due."""

    database: Database
    key: HeadKey
    path: Path
    now: Callable[[], datetime]

    async def tick(self) -> int:
        """Link what was committed; returns how many rows. Costs one look where nothing was."""
        count = 0
        while await self.database.read(chaining.is_waiting):
            done = await self.database.write(chaining.extend)
            count += done
            if done == 0:  # another worker was faster
                break
        now = self.now()
        await self.look_for(now)
        made = await self.database.read(lambda c: due_head(c, self.key, now=now))
        if made is not None:
            # Outside first: should the row's COMMIT fail, the line still tells the truth.
            append_head(self.path, made)
            await self.database.write(lambda c: chaining.keep_head(c, made, id=new_id(now)))
            log.info("audit_head", count=made.count, head=str(made))
        return count

    async def look_for(self, now: datetime) -> None:
        """Note rows this process committed that are gone: the chain cannot show those."""
        written = self.database.written
        ids = [written.popleft() for _ in range(len(written))]
        if not ids:
            return
        try:
            lost = await self.database.read(lambda c: chaining.missing(c, ids))
            rows = [
                audit.row(system("audit"), LOST, "audit", row, id=new_id(now), at=now)
                for row in lost
            ]
            if rows:
                await self.database.write(lambda c: audit.record(c, rows))
        except BaseException:
            written.extend(ids)
            raise
        if lost:
            log.error("audit_rows_lost", count=len(lost))


def due_head(conn: Connection, key: HeadKey, *, now: datetime) -> Head | None:
    """A new head where one is due: hourly while rows are added, daily in any case."""
    before = chaining.newest_head(conn)
    if before is not None and now - before.at < EVERY:
        return None
    made = chaining.head(conn, key, now=now)
    if before is not None and now - before.at < AT_LEAST and made.count == before.count:
        return None
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a look at the chain found.

    Attributes:
        count: Rows in the chain.
        findings: Damage, each kind by its name.
        waiting: Rows that wait for their link for too long.
        outside: Heads in the file outside.
        unreadable: Lines there that hold no head.
        stored: Heads in the database.
    """

    count: int
    findings: Sequence[Finding]
    waiting: int
    outside: int
    unreadable: int
    stored: int

    @property
    def good(self) -> bool:
        """Whether nothing was done to the audit."""
        return not self.findings and not self.unreadable


def look(
    conn: Connection, settings: Settings, *, now: datetime, told: Sequence[Head] = ()
) -> Report:
    """Hold the rows against each other, the stored heads, the file outside, and heads told."""
    outside, unreadable = read_heads(settings.audit_heads)
    stored = chaining.heads(conn)
    unique = list({str(head): head for head in (*stored, *outside, *told)}.values())
    count, findings = verify(linked_rows(conn), unique, keys=head_keys(settings))
    lost, first = lost_rows(conn)
    if lost and first is not None:
        said = f"{lost} rows were taken out before they were linked, first seen on {first:%Y-%m-%d}"
        findings = [*findings, Finding(kind="deleted", text=f"{said} at {first:%H:%M} UTC.")]
    missing = missing_guards(conn)
    if missing:
        said = f"The database no longer refuses changes: {', '.join(missing)} missing."
        findings = [*findings, Finding(kind="unguarded", text=said)]
    return Report(
        count=count,
        findings=findings,
        waiting=unlinked(conn, before=now - LATE),
        outside=len(outside),
        unreadable=unreadable,
        stored=len(stored),
    )


def note_restored(database: Database, settings: Settings, *, now: datetime) -> Head:
    """Note that a backup was restored: earlier heads that say more rows no longer bind.

    The line stands in the file outside for whoever audits; so does every head before it.
    """

    def make(conn: Connection) -> Head:
        entry = audit.row(system("restore"), "restored", "audit", id=new_id(now), at=now)
        while chaining.extend(conn):
            pass
        made = chaining.head(conn, head_keys(settings)[0], now=now, kind="restored")
        append_head(settings.audit_heads, made)
        chaining.keep_head(conn, made, id=new_id(now))
        audit.record(conn, [entry])
        return made

    return database.write_sync(make)
