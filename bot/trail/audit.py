"""The `audit` commands: print the chain's head, look whether it holds, note a restored backup."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from bot.app import now
from bot.settings import Settings, SettingsError, problems_of
from bot.trail.auditing import append_head, head_keys, look, note_restored
from storage.database import Database
from storage.engines import parse_url, sqlite_file
from storage.errors import SchemaMismatch
from storage.ids import new_id
from storage.migrate import pending
from storage.trail import chaining
from storage.trail.chaining import Head, parse_head

T = TypeVar("T")


def show_head(settings: Settings) -> int:
    """`audit head`: link what waits, make a head now, keep it everywhere and print its line."""
    moment = now()

    def make(conn: Connection) -> Head:
        while chaining.extend(conn):
            pass
        made = chaining.head(conn, head_keys(settings)[0], now=moment)
        append_head(settings.audit_heads, made)
        chaining.keep_head(conn, made, id=new_id(moment))
        return made

    _print(str(_with_database(settings, lambda database: database.write_sync(make))))
    return 0


def show_restored(settings: Settings) -> int:
    """`audit restored`: say, signed, that the chain goes on from a restored backup."""
    made = _with_database(settings, lambda database: note_restored(database, settings, now=now()))
    _print(str(made))
    return 0


def show_verdict(settings: Settings, *, lines: Sequence[str]) -> int:
    """`audit verify`: print what was found; 0 where the chain holds, else 1."""
    told = [(line, parse_head(line)) for line in lines]
    bad = [line for line, head in told if head is None]
    heads = [head for _, head in told if head is not None]
    report = _with_database(
        settings,
        lambda database: database.read_sync(lambda c: look(c, settings, now=now(), told=heads)),
    )
    for finding in report.findings:
        _print(f"{finding.kind}: {finding.text}")
    for line in bad:
        _print(f"unreadable: {line[:40]!r} is no head. Fix: give the whole line in quotes.")
    if report.unreadable:
        _print(f"unreadable: {report.unreadable} lines of {settings.audit_heads} hold no head.")
    if report.waiting:
        _print(f"waiting: {report.waiting} rows are not linked yet. Is the bot running?")
    good = report.good and not bad
    held = f"{report.stored} heads here, {report.outside} outside, {len(heads)} told"
    _print(f"{report.count} rows in the chain; held against {held}.")
    _print("The chain holds." if good else "The chain does not hold.")
    return 0 if good else 1


def _with_database(settings: Settings, work: Callable[[Database], T]) -> T:
    """Work beside a running bot, on a database that stands and is at the newest revision."""
    problems = problems_of(settings)
    if problems:
        raise SettingsError(problems)
    dialect, url = parse_url(settings.url)
    if (dialect == "sqlite" and not sqlite_file(url).exists()) or pending(settings.url):
        raise SchemaMismatch
    database = Database.open(settings.url, exclusive=False)
    try:
        return work(database)
    finally:
        asyncio.run(database.close())


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
