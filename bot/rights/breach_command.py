"""The work of `breach worksheet`: find who is affected, seal the annex, write the folder."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from bot.app import now
from bot.commands import GOOD, PROBLEM, err, out, with_database
from bot.rights import breach
from bot.rights.breach import BreachError, Question, Worksheet
from bot.settings import Settings
from bot.turns.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line said; times are local and may be without a zone."""

    start: datetime
    end: datetime
    found: datetime | None = None
    school: str = ""
    login: str = ""
    session: str = ""
    whole: bool = False


def worksheet(settings: Settings, asked: Asked, folder: Path) -> int:
    """Write worksheet, affected list and drafts into a new folder."""
    if asked.end < asked.start:
        err("--to lies before --from. Fix: turn them round.")
        return PROBLEM
    if folder.exists() and any(folder.iterdir()):
        err(f"{folder}: is not empty. Fix: name a new folder.")
        return PROBLEM
    moment = now()

    def work(conn: Connection, world: World) -> tuple[Worksheet, dict[str, str], str]:
        def local(time: datetime) -> datetime:
            return time.replace(tzinfo=world.zone)

        sheet = breach.find(
            conn,
            Question(
                start=local(asked.start),
                end=local(asked.end),
                found_at=local(asked.found) if asked.found else moment,
                school=asked.school,
                login=asked.login,
                session=asked.session,
                whole=asked.whole,
            ),
        )
        annex = breach.seal(sheet, world, settings.data_dir / "exports", now=moment)
        breach.keep(conn, annex, now=moment)
        return sheet, breach.papers(sheet, world, annex_id=annex), annex

    try:
        sheet, papers, annex = with_database(settings, work)
    except BreachError as error:
        err(str(error))
        return PROBLEM
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in papers.items():
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    out(f"{len(sheet.children)} children, {len(sheet.people)} people to be told: {folder}")
    out(
        f"Names and numbers: page Breach lists, list {annex[-6:]}, for 24 hours, by a data officer."
    )
    return GOOD
