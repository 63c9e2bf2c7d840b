"""The `doctor` command: the ground everything stands on first, then every area."""

import asyncio
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime

import structlog

from bot import doctor as folder
from bot.app import now
from bot.content.library import Library, LibraryError, load
from bot.doctor.base import Checks, Ctx, Verdict, ok, red
from bot.keyring.vaults import open_store
from bot.logs import set_up
from bot.settings import Settings, SettingsError, problems_of
from bot.site import Site, read_site
from storage.database import Database
from storage.engines import parse_url, sqlite_file
from storage.errors import StorageError
from storage.keyring.vault import Vault
from storage.migrate import current, pending

MARKS: Mapping[str, str] = {"ok": "ok  ", "warn": "LOOK", "red": "FIX "}
log = structlog.get_logger(__name__)


def areas() -> dict[str, Checks]:
    """Every module of this folder that declares `checks`, by its name."""
    found = {}
    for module in pkgutil.iter_modules(folder.__path__):
        loaded = importlib.import_module(f"bot.doctor.{module.name}")
        checks = getattr(loaded, "checks", None)
        if checks is not None:
            found[module.name] = checks
    return found


def examine(ctx: Ctx, checks: Mapping[str, Checks]) -> list[Verdict]:
    """Run every area's checks. One that raises is red by its name and its fault's kind.

    The fault's own words are left out: they may hold a value, an address or a key.
    """
    found: list[Verdict] = []
    for name, check in checks.items():
        try:
            found += check(ctx)
        except Exception as error:
            log.exception("check_failed", where=name)
            kind = type(error).__name__
            found.append(
                red(name, f"The check itself failed ({kind}).", "Report it with this name.")
            )
    return found


def doctor(settings: Settings, *, live: bool, online: bool, json_wanted: bool) -> int:
    """`doctor`: print what was found; 0 where nothing is red, else 1."""
    set_up()
    verdicts = look(settings, live=live, online=online, moment=now())
    if json_wanted:
        document = {"good": good(verdicts), "verdicts": [asdict(v) for v in verdicts]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in table(verdicts))
    return 0 if good(verdicts) else 1


def good(verdicts: Iterable[Verdict]) -> bool:
    """Whether nothing must be mended."""
    return all(verdict.state != "red" for verdict in verdicts)


def table(verdicts: Iterable[Verdict]) -> list[str]:
    """The verdicts as lines: mark, name, what was found; the fix below."""
    shown = list(verdicts)
    width = max((len(verdict.name) for verdict in shown), default=0)
    lines = []
    for verdict in shown:
        lines.append(f"{MARKS[verdict.state]} {verdict.name:<{width}}  {verdict.found}")
        if verdict.fix:
            lines.append(f"{'':>{width + 5}}  Fix: {verdict.fix}")
    reds = sum(verdict.state == "red" for verdict in shown)
    looks = sum(verdict.state == "warn" for verdict in shown)
    return [*lines, f"{reds} to fix, {looks} to look at, {len(shown) - reds - looks} good."]


def look(settings: Settings, *, live: bool, online: bool, moment: datetime) -> list[Verdict]:
    """All verdicts about a deployment. What cannot be stood on ends the look with what it is."""
    faults = [red("settings", problem, "") for problem in problems_of(settings)]
    site, problems = read_site(settings.site_file)
    faults += [red("site", problem, "") for problem in problems]
    if faults or site is None:
        return faults
    try:
        library = load(languages=site.languages, rules=site.rules, drafts=settings.is_demo)
    except LibraryError as error:
        return [red("content", str(problem), "main.py check") for problem in error.problems]
    faults = ground(settings)
    if faults:
        return faults
    return _inside(settings, site, library, live=live, online=online, moment=moment)


def ground(settings: Settings) -> list[Verdict]:
    """Why the database cannot be looked into; none where it can."""
    name = "database"
    try:
        dialect, url = parse_url(settings.url)
        if dialect == "sqlite" and not sqlite_file(url).exists():
            return [red(name, "There is no database yet.", "main.py migrate")]
        behind = pending(settings.url)
    except StorageError as error:
        return [red(name, str(error), "Check DATABASE_URL, the server and the disk.")]
    if behind:
        return [red(name, f"It lacks {len(behind)} revisions.", "Stop the bot; main.py migrate")]
    return []


def _inside(
    settings: Settings, site: Site, library: Library, *, live: bool, online: bool, moment: datetime
) -> list[Verdict]:
    try:
        store = open_store(settings, create=False)
    except (StorageError, SettingsError) as error:
        return [red("keys", str(error), "See the recovery sheet and docs/operators.md.")]
    vault = Vault.over(store)
    database = Database.open(settings.url, exclusive=False)
    try:
        ctx = Ctx(
            settings=settings,
            site=site,
            library=library,
            database=database,
            keys=store,
            vault=vault,
            now=moment,
            online=online,
            live=live,
        )
        at = ok("database", f"Reachable, at revision {current(settings.url)}.")
        return [at, *examine(ctx, areas())]
    finally:
        asyncio.run(database.close())
        vault.close()
