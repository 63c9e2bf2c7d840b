"""Writing down what somebody did or saw at the command line, before it is done."""

import asyncio
from datetime import datetime

from bot.settings import Settings, problems_of
from storage.database import Database
from storage.engines import parse_url, sqlite_file
from storage.ids import new_id
from storage.migrate import current
from storage.scope import system
from storage.trail import audit


def note_command(settings: Settings, verb: str, kind: str, *, now: datetime) -> bool:
    """Write the row into this deployment's database; False where there is none yet.

    Args:
        settings: Which database.
        verb: What is done, e.g. "exported".
        kind: To what, e.g. "database".
        now: Aware, UTC.

    Raises:
        StorageError: The database is there and cannot be written: then nothing is done either.
    """
    if problems_of(settings):
        return False
    dialect, url = parse_url(settings.url)
    if dialect == "sqlite" and not sqlite_file(url).exists():
        return False
    if current(settings.url) is None:
        return False
    entry = audit.row(system("commands"), verb, kind, id=new_id(now), at=now)
    database = Database.open(settings.url, exclusive=False)
    try:
        database.write_sync(lambda c: audit.record(c, [entry]))
    finally:
        asyncio.run(database.close())
    return True
