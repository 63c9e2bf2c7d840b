"""Subject access: the file of one person as a page in her language and as JSON.

It is made for one request, sealed at rest under `DATA_DIR/exports` with the household's key, gone
after 24 hours, and handed over by a data officer only: never attached to a message. Whoever
downloads it stands on it, with the moment and the purpose.

Source: trust-and-dashboard.md §B1 (a mailed report; limits re-checked at download), §B4.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection

from bot.rights.file import Folder, document
from bot.rights.withholding import Ruling, Withheld
from bot.turns.world import World
from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.rights import exports
from storage.rights.exports import ExportRow
from storage.types import EPOCH

LIFE = timedelta(hours=24)
ORPHAN_AFTER = timedelta(minutes=10)
"""A file without a row this long after it was written belongs to nobody any more."""
SUFFIX = ".sealed"
PURPOSES = ("answer_request", "inform_people", "inform_regulator")
MARK = "<!-- who -->"
HERE = Path(__file__).parent


def render(paper: Mapping[str, Any], world: World) -> str:
    """The document as a page in the person's language; `MARK` stands where the reader is put."""
    lexicon = world.library.lexicon(paper["language"])
    texts = lexicon.texts

    def say(key: str, **values: str) -> str:
        return lexicon.say(f"paper.{key}", values)

    def choice(list_name: str, code: str) -> str:
        return texts.get(f"enrolment/{list_name}/{code}:label", code.replace("_", " "))

    def known(key: str, otherwise: str) -> str:
        return lexicon.phrases.get(f"paper.{key}", otherwise.replace("_", " "))

    def day(moment: str) -> str:
        return f"{datetime.fromisoformat(moment).astimezone(world.zone):%d/%m/%Y}"

    return (
        _templates()
        .get_template("paper.html")
        .render(
            paper=paper,
            t=say,
            choice=choice,
            known=known,
            day=day,
            lang=lexicon.language,
            name=world.library.lexicons[lexicon.language].name,
            draft=lexicon.draft,
            who=world.site.who_calls,
            mark=MARK,
        )
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def prepare(
    folder: Folder, rulings: Mapping[Withheld, Ruling], world: World, *, now: datetime
) -> str:
    """The file's content: page and document together, to be sealed."""
    paper = document(folder, rulings, programme=world.site.programme, now=now)
    return json.dumps({"html": render(paper, world), "document": paper}, ensure_ascii=False)


def store(
    place: Path, vault: Vault, content: str, *, household_id: str | None, now: datetime
) -> str:
    """Seal a file and write it, for the bot's user alone; gives back its id.

    The row is written after it (`note`): a file without a row is swept away.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    export_id = new_id(now)
    sealed = vault.seal(
        content, table="exports", column="file", row=export_id, key=vault.key_for(household_id)
    )
    handle = os.open(place / f"{export_id}{SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    return export_id


def note(conn: Connection, row: ExportRow) -> None:
    """The row of a file that was written."""
    exports.add(conn, row)


def read(place: Path, vault: Vault, export_id: str) -> dict[str, Any]:
    """The content of a file.

    Raises:
        OSError: The file is gone.
        SealBroken: It does not open: damaged, or the household was erased.
    """
    sealed = (place / f"{export_id}{SUFFIX}").read_bytes()
    content = vault.open(sealed, table="exports", column="file", row=export_id)
    found: dict[str, Any] = json.loads(content)
    return found


def marked(content: Mapping[str, Any], kind: str, who: Mapping[str, str]) -> str:
    """The file for one reader: her login, the moment and the purpose stand in it."""
    if kind == "json":
        return json.dumps({"handed_out": who, **content["document"]}, ensure_ascii=False, indent=2)
    line = ", ".join(f"{name}: {value}" for name, value in who.items())
    page: str = content["html"]
    return page.replace(MARK, escape(line))


async def sweep(database: Database, place: Path, now: Callable[[], datetime]) -> int:
    """Delete files that have expired or belong to nobody; returns how many went."""
    moment = now()
    await database.write(lambda conn: exports.expire(conn, now=moment))
    live = await database.read(exports.live)
    return await asyncio.to_thread(_clear, place, live, moment)


def _clear(place: Path, live: set[str], now: datetime) -> int:
    gone = 0
    for path in sorted(place.glob(f"*{SUFFIX}")):
        if path.stem not in live and now - made_at(path.stem) > ORPHAN_AFTER:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def made_at(export_id: str) -> datetime:
    """When a file was made: its id says so."""
    return EPOCH + timedelta(milliseconds=int(export_id[:12], 16))
