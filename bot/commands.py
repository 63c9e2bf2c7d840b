"""The work behind the command line. Each function prints for its reader and returns the exit code.

0 good, 1 a problem was found, 2 wrong usage (typer's own).
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection

from bot import loops
from bot.app import make_world, now, site_of
from bot.consent.consent_people import ConsentError
from bot.content.library import LibraryError, load
from bot.keyring.masters import BackupError, MasterFileError
from bot.lists.csvs import as_csv
from bot.lists.sheets import ImportRefusedError, SlipError
from bot.login import users
from bot.login.lifetimes import EndError
from bot.login.users import UserError
from bot.logs import set_up
from bot.memory import lasting
from bot.people.second import PeopleError
from bot.settings import Settings, SettingsError, problems_of
from bot.trail.looked import MonthError
from bot.trail.noting import note_command
from bot.turns.world import World
from flows.sms import segments
from storage.database import Database
from storage.errors import StorageError
from storage.ids import new_id
from storage.kept import TELEGRAM_NAME, keep
from storage.keyring.binding import bind
from storage.migrate import pending, upgrade
from storage.scope import system
from storage.talk.content import keep_content_sids
from storage.trail import audit

GOOD = 0
PROBLEM = 1
T = TypeVar("T")


def out(text: str) -> None:
    """A line for the reader, on stdout."""
    sys.stdout.write(f"{text}\n")


def err(text: str) -> None:
    """A line about a problem, on stderr."""
    sys.stderr.write(f"{text}\n")


def as_json(document: object) -> None:
    """One JSON document on stdout."""
    out(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def settings(**told: object) -> Settings:
    """The environment, with what the command line says over it."""
    return Settings(**told)  # type: ignore[arg-type]


MENDABLE = (
    SettingsError,
    ValidationError,
    LibraryError,
    StorageError,
    ImportRefusedError,
    UserError,
    ConsentError,
    PeopleError,
    EndError,
    SlipError,
    MonthError,
    MasterFileError,
    BackupError,
    OSError,
    UnicodeDecodeError,
)


def guarded(work: Callable[[], int], *, noted: tuple[str, str] | None = None) -> int:
    """Run a command; what an operator can mend is said in her words, without a stack.

    Args:
        work: The command; it returns the exit code.
        noted: Verb and kind of the audit row that is written before it, for commands that show or
            change something of somebody and write no row themselves.
    """
    try:
        if noted is not None:
            note_command(Settings(), *noted, now=now())
        return work()
    except MENDABLE as error:
        for line in _told(error):
            err(line)
        return PROBLEM


def _told(error: Exception) -> list[str]:
    match error:
        case ImportRefusedError():
            return [*map(str, error.problems), "Nothing was imported."]
        case ValidationError():
            return [
                f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}. "
                "Fix: set it in the environment or in .env."
                for fault in error.errors()
            ]
        case UnicodeDecodeError():
            return ["The file is not UTF-8 text. Fix: save it as UTF-8."]
        case OSError():
            name = error.filename or "file"
            return [f"{name}: {error.strerror}. Fix: check the name and the rights."]
        case _:
            return [str(error)]


def read_csv(path: Path) -> str:
    """A spreadsheet's CSV: UTF-8, or what Excel on Windows writes."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def serve(settings: Settings) -> int:
    """`run`: webhooks, dashboard, delivery and clock in one process."""
    import uvicorn  # noqa: PLC0415 - no other command needs a server

    from bot.app import application, start  # noqa: PLC0415 - as above
    from bot.keyring.keys import first_sheet  # noqa: PLC0415 - it needs this module

    set_up()

    async def main() -> None:
        with lasting():
            bot = await start(settings)
        store = bot.world.vault.store
        if store is not None and not settings.is_demo:
            # In a thread: it writes its audit row with an event loop of its own.
            shown = partial(first_sheet, settings, store, now=now(), terminal=sys.stdout.isatty())
            await asyncio.to_thread(shown)
        where = f"http://{settings.host}:{settings.port}/"
        err(f"{'Demo' if settings.is_demo else 'Live'}: {where}  (Ctrl-C stops)")
        config = uvicorn.Config(
            application(bot),
            host=settings.host,
            port=settings.port,
            # Its own way to tell of an error is the traceback, words of families and all.
            log_config=None,
            access_log=False,
            server_header=False,
            # Only from 127.0.0.1, or what uvicorn's own FORWARDED_ALLOW_IPS names: behind a
            # proxy every browser would otherwise share one address, and one login throttle.
            proxy_headers=True,
        )
        await uvicorn.Server(config).serve()

    loops.run(main())
    return GOOD


def check(settings: Settings, *, json_wanted: bool) -> int:
    """`check`: every questionnaire x language x channel, rules, site; all problems listed."""
    from bot.content.checking import everything  # noqa: PLC0415 - reads all content

    report = everything(settings)
    if json_wanted:
        as_json({"found": report.found, "notes": report.notes, "problems": report.problems})
        return PROBLEM if report.problems else GOOD
    for line in report.found:
        out(line)
    for line in report.notes:
        out(f"note: {line}")
    for problem in report.problems:
        out(problem)
    out(f"{len(report.problems)} problems" if report.problems else "All good.")
    return PROBLEM if report.problems else GOOD


def sms(text: str) -> int:
    """`sms`: what a text costs as SMS."""
    counted = segments(text)
    as_json({"encoding": counted.encoding, "units": counted.units, "segments": counted.segments})
    return GOOD


def migrate(settings: Settings) -> int:
    """`migrate`: bring the database to this version's schema."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    applied = upgrade(settings.url)
    out(f"Applied: {', '.join(applied)}" if applied else "Nothing to apply.")
    return GOOD


def with_database(settings: Settings, work: Callable[[Connection, World], T]) -> T:
    """Run a write beside (or without) a running bot.

    Raises:
        SettingsError: The settings forbid it.
        StorageError: The database is behind, locked or unreachable.
    """
    problems = problems_of(settings)
    if problems:
        raise SettingsError(problems)
    site = site_of(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if pending(settings.url):
        upgrade(settings.url)
    library = load(languages=site.languages, rules=site.rules, drafts=settings.is_demo)
    world = make_world(settings, site, library)
    database = Database.open(settings.url, exclusive=False)
    try:
        database.write_sync(lambda c: bind(c, world.vault, now=now()))
        return database.write_sync(lambda c: work(c, world))
    finally:
        asyncio.run(database.close())
        world.vault.close()


def _import(settings: Settings, read_in: Callable[..., T]) -> T:
    """Run an import of people, with what every such import needs to know of this site."""
    return with_database(
        settings,
        lambda c, w: read_in(c, vault=w.vault, accounts=w.accounts, programme=w.site.programme),
    )


def import_roster(settings: Settings, path: Path, *, codes_to: Path | None) -> int:
    """`import-roster`: schools, classes, learners and their JOIN codes from a CSV."""
    from bot.lists.rosters import import_roster as read_in  # noqa: PLC0415

    text = read_csv(path)
    if codes_to is not None:
        codes_to.touch(mode=0o600)  # before the import: codes that cannot be written are lost
    report = _import(settings, partial(read_in, text=text, file=str(path), now=now()))
    for problem in report.warnings:
        err(str(problem))
    table = as_csv(
        ("school", "class", "number", "code"),
        ((c.school, f"{c.grade}{c.class_name}", c.number, c.code) for c in report.codes),
        end="\n",
    )
    if codes_to is not None:
        codes_to.write_text(table, encoding="utf-8")
    else:
        out(table.rstrip())
    err(
        f"{report.classes} classes: {report.added} learners added, {report.corrected} corrected, "
        f"{report.unchanged} unchanged; {report.teachers} teachers, {report.invited} invitations. "
        "Codes are shown once: print the slips now."
    )
    if with_database(settings, lambda c, w: w.gate(c, w, now())):
        err("The launch gate is shut: hand out no slips before `main.py doctor --live` is good.")
    return GOOD


def import_staff(settings: Settings, path: Path) -> int:
    """`import-staff`: coordinators, social workers and others with their addresses."""
    from bot.lists.staff_lists import import_staff as read_in  # noqa: PLC0415

    text = read_csv(path)
    report = _import(settings, partial(read_in, text=text, file=str(path), now=now()))
    for problem in report.warnings:
        err(str(problem))
    out(f"{report.added} people added, {report.granted} roles given, {report.unchanged} unchanged.")
    return GOOD


def webhooks_set(settings: Settings) -> int:
    """`webhooks set`: tell the providers where we are, make the generic contents."""
    from bot.webhooks import set_webhooks  # noqa: PLC0415

    problems = problems_of(settings)
    if problems:
        raise SettingsError(problems)
    site = site_of(settings)
    library = load(languages=site.languages, drafts=settings.is_demo)
    words = {
        tag: {
            "help": library.lexicons[tag].phrases["command.help"],
            "language": library.lexicons[tag].phrases["command.language"],
            "stop": library.lexicons[tag].phrases["command.stop"],
        }
        for tag in library.offered
    }

    async def store(sids: Mapping[str, str]) -> None:
        # In a thread: it closes its database with an event loop of its own.
        await asyncio.to_thread(
            with_database, settings, lambda c, _w: keep_content_sids(c, sids, now=now())
        )

    async def name(username: str) -> None:
        await asyncio.to_thread(
            with_database, settings, lambda c, _w: keep(c, TELEGRAM_NAME, username, now=now())
        )

    steps = _await(
        set_webhooks(
            settings,
            commands={"": words["en"], **words},
            store=store,
            templates=site.templates.values(),
            name=name,
        )
    )
    with_database(settings, lambda c, _w: _note(c, "webhooks_set", "settings"))
    for step in steps:
        out(f"{'ok ' if step.ok else 'FIX'} {step.text}")
    return GOOD if all(step.ok for step in steps) else PROBLEM


def _note(conn: Connection, verb: str, kind: str) -> None:
    """Write down that somebody at this machine did or saw something."""
    moment = now()
    entry = audit.row(system("commands"), verb, kind, id=new_id(moment), at=moment)
    audit.record(conn, [entry])


def _await(work: Awaitable[T]) -> T:
    async def main() -> T:
        return await work

    return asyncio.run(main())


def users_list(settings: Settings, *, json_wanted: bool) -> int:
    """`users list`: every account, its role, schools and state."""

    def listed(conn: Connection) -> list[dict[str, str | list[str] | None]]:
        _note(conn, "listed", "users")
        return users.list_users(conn, now=now())

    rows = with_database(settings, lambda c, _w: listed(c))
    if json_wanted:
        as_json(rows)
        return GOOD
    for account in rows:
        places = ", ".join(account["schools"] or []) or "-"
        life = (f"ends {account['ends'] or '-'}", f"used {account['used'] or '-'}")
        cells = (account["login"], account["role"], places, account["state"], *life)
        out("  ".join(map(str, cells)).rstrip())
    if not rows:
        out("No accounts yet. Make the first one with: users first")
    return GOOD


def users_end(settings: Settings, login: str) -> int:
    """`users end`: close an account and its sessions at once."""
    ended = with_database(settings, lambda c, _w: users.end_user(c, login=login, now=now()))
    out(f"{login} is ended." if ended else f"{login} was ended before.")
    return GOOD
