"""`backup` and `restore`: a sealed copy made beside a running bot, and the drill that proves it.

A backup never holds keys. The key store has its own copy in its own place, which is always the
newest one: without it nothing opens, and whoever was erased since has no key in it. A restore
erases them from the restored rows as well, before anybody is served.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.app import site_of
from bot.commands import GOOD, err, out
from bot.content.library import load as load_library
from bot.keyring.masters import BackupError
from bot.keyring.vaults import open_store
from bot.settings import Settings, SettingsError, problems_of
from scoring.ruleset import Rules
from storage.engines import Dialect, parse_url, plain_reading_engine, sqlite_file, writing_engine
from storage.errors import (
    BadUrl,
    ForeignKeys,
    KeyGone,
    MasterRefused,
    SealBroken,
    StorageError,
)
from storage.kept import keep
from storage.keyring import snapshots
from storage.keyring.binding import bind
from storage.keyring.keycopies import copy_into, copy_to_file, newest
from storage.keyring.keys import KeyStore, State
from storage.keyring.sealedfile import open_file, read_header, seal_file
from storage.keyring.vault import Vault
from storage.migrate import current, upgrade
from storage.rights.erasing import forget_strangers, replay

BACKUP_KEY = "backup"
"""The id of the key that seals backups; it is in the key store like every other."""
LAST = "last_backup"
RESTORED = "restored_backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore found.

    Attributes:
        made_at: When the backup was made.
        erased: How many households of the backup were erased again.
        opened: Sealed values that were opened as a sample.
        problems: What is wrong with it; empty where all is well.
    """

    made_at: str
    erased: int
    opened: int
    problems: tuple[str, ...]


def backup(settings: Settings, *, to: Path, keys_to: Path | None, now: datetime) -> int:
    """`backup`: copy, check by reading back, seal, put in place; then the key store's copy.

    Args:
        settings: The environment.
        to: The backup's file, or a folder in which it is named by its time.
        keys_to: The key store's copy, or its folder; None to make none.
        now: Aware, UTC.
    """
    _refuse(settings)
    target = to / f"cwb-{now:%Y%m%d-%H%M%S}.backup" if to.is_dir() else to
    keys = keys_to / "cwb-keys.db" if keys_to is not None and keys_to.is_dir() else keys_to
    if keys is not None and keys.parent.resolve() == target.parent.resolve():
        raise BackupError(
            ["--keys-to: a backup with its keys beside it protects nobody. Fix: another place."]
        )
    store = open_store(settings)
    try:
        _make(settings, store, target, now=now)
        if keys is not None:  # after the data: every key its values need is there by now
            with _replacing(keys) as partial:
                copy_to_file(store, partial)
    finally:
        store.close()
    out(f"{target}: {target.stat().st_size} bytes, checked by reading it back.")
    out(
        f"{keys}: the keys, wrapped by the master key." if keys else "The key store was not copied."
    )
    return GOOD


def _make(settings: Settings, store: KeyStore, target: Path, *, now: datetime) -> None:
    key = store.ensure((BACKUP_KEY,))[BACKUP_KEY]
    with _room(settings) as room:
        plain, again = room / "plain.db", room / "again.db"
        revision = snapshots.snapshot(settings.url, plain)
        header = {
            "made_at": now.isoformat(),
            "store_id": store.state().store_id,
            "revision": revision,
        }
        with _replacing(target) as partial:
            seal_file(plain, partial, key=key, header=header)
            plain.unlink()
            open_file(partial, again, key=key)
            faults = snapshots.problems(again, rules=_rules(settings), now=now)
            if faults:
                raise BackupError([*faults, "No backup was written."])
    _note(settings.url, LAST, {"made_at": now.isoformat(), "name": target.name}, now=now)


def restore(
    settings: Settings, *, source: Path, keys: Path | None, to: str, drill: bool, now: datetime
) -> int:
    """`restore`: open a backup, erase again whoever was erased since, check, put it in place.

    Args:
        settings: The environment; its master key opens the key store.
        source: The backup's file.
        keys: A copy of the key store; the newer of it and the one at KEYS_URL is used.
        to: The URL of a database that does not exist or is empty; for a drill, may be empty.
        drill: Do everything but put it in place, and note it for the launch gate.
        now: Aware, UTC.
    """
    _refuse(settings)
    if not drill and not to:
        raise BackupError(["--to: name the database to restore to, or make it a --drill."])
    if not drill:
        _free(to)
    with _room(settings) as room:
        store = _key_store(settings, keys, room)
        try:
            found = _restored(settings, store, source, room, now=now)
            if found.problems:
                raise BackupError([*found.problems, "Nothing was put in place."])
            if not drill:
                _install(room / "plain.db", to, store, settings)
        finally:
            store.close()
    fact = {"made_at": found.made_at, "name": source.name, "drill": drill, "erased": found.erased}
    _note(to if not drill else settings.url, RESTORED, fact, now=now)
    out(
        f"Backup of {found.made_at}: whole, {found.opened} sealed values opened, "
        f"{found.erased} households erased again."
    )
    if drill:
        out("It was a drill: nothing was put in place.")
    else:
        out(f"It stands at {parse_url(to)[1].render_as_string()}. Set DATABASE_URL to it, then:")
        out("main.py audit restored, and main.py doctor, before the bot is started.")
    return GOOD


def _restored(
    settings: Settings, store: KeyStore, source: Path, room: Path, *, now: datetime
) -> Restored:
    header = read_header(source)
    if header.get("store_id") != store.state().store_id:
        raise ForeignKeys(
            f"{source.name} was made with another key store ({header.get('store_id', '')[:8]}). "
            "Fix: name the newest copy of that one with --keys."
        )
    plain = room / "plain.db"
    header = open_file(source, plain, key=store.key(BACKUP_KEY))
    url = f"sqlite:///{plain}"
    upgrade(url)
    vault = Vault.over(store)
    engine = writing_engine(*parse_url(url))
    try:
        with engine.begin() as conn:
            bind(conn, vault, now=now)
            ledger = {each.household_id: each.at for each in store.erasures()}
            erased = replay(conn, ledger, vault=vault)
            gone = {key for key, destroyed in store.ids().items() if destroyed is not None}
            forget_strangers(conn, gone, at=now)
    finally:
        engine.dispose()
    snapshots.compact(plain)
    faults = snapshots.problems(plain, rules=_rules(settings), now=now)
    opened, closed = _opened(url, vault)
    if closed:
        faults.append(f"{closed} sealed values do not open: the key file is older than the backup.")
    return Restored(
        made_at=header["made_at"], erased=len(erased), opened=opened, problems=tuple(faults)
    )


def _opened(url: str, vault: Vault) -> tuple[int, int]:
    """How many sealed values of a sample open, and how many do not."""
    engine = plain_reading_engine(*parse_url(url))
    try:
        with engine.connect() as conn:
            values = snapshots.sample(conn)
    finally:
        engine.dispose()
    opened = closed = 0
    for table, column, row, blob in values:
        try:
            vault.open(blob, table=table, column=column, row=row)
        except KeyGone:
            continue  # left by an erasure on purpose, with what it was sealed with
        except SealBroken:
            closed += 1
        else:
            opened += 1
    return opened, closed


def _key_store(settings: Settings, keys: Path | None, room: Path) -> KeyStore:
    """The newest copy of the key store at hand."""
    stores: list[KeyStore] = []
    troubles: list[StorageError] = []
    opens: list[Callable[[], KeyStore]] = [lambda: open_store(settings, create=False)]
    if keys is not None:
        copy = room / "keys.db"
        shutil.copyfile(keys, copy)  # a stick may be read-only, and SQLite makes a log
        copy.chmod(0o600)
        opens.append(lambda: _open_copy(settings, copy))
    for each in opens:
        try:
            stores.append(each())
        except (BadUrl, MasterRefused) as error:
            troubles.append(error)
    if not stores:
        raise troubles[-1]
    for trouble in troubles:
        err(f"Left aside: {trouble}")
    best = newest(stores)
    for other in stores:
        if other is not best:
            other.close()
    return best


def _open_copy(settings: Settings, copy: Path) -> KeyStore:
    url = f"sqlite:///{copy}"
    return KeyStore.open(url, settings.master, masters=settings.masters, create=False)


def _free(url: str) -> None:
    """Refuse to restore over anything."""
    dialect, parsed = parse_url(url)
    if dialect == "sqlite" and sqlite_file(parsed).exists():
        raise BadUrl(f"{parsed.database} is there already. Fix: move it away, or name another.")
    if dialect == "postgresql" and current(url) is not None:
        raise BadUrl("The database to restore to is not empty. Fix: name a new one.")


def _install(plain: Path, to: str, store: KeyStore, settings: Settings) -> None:
    """Keys first: a database without its keys must never be served."""
    try:
        there = open_store(settings, create=False)
        state: State | None = there.state()
        there.close()
    except (BadUrl, MasterRefused):
        state = None
    if state != store.state():
        copy_into(store, settings.key_store)
    dialect, parsed = parse_url(to)
    if dialect == "postgresql":
        snapshots.load(plain, to)
        return
    with _replacing(sqlite_file(parsed)) as partial:
        partial.touch(mode=0o600)
        shutil.copyfile(plain, partial)


def _note(url: str, name: str, fact: dict[str, object], *, now: datetime) -> None:
    """Keep a fact in a database, if there is one."""
    dialect, parsed = parse_url(url)
    if not _is_there(dialect, url) or current(url) is None:
        return
    engine = writing_engine(dialect, parsed)
    try:
        with engine.begin() as conn:
            keep(conn, name, json.dumps(fact), now=now)
    finally:
        engine.dispose()


def _is_there(dialect: Dialect, url: str) -> bool:
    return dialect == "postgresql" or sqlite_file(parse_url(url)[1]).exists()


def _rules(settings: Settings) -> Rules:
    return load_library(languages=("en",), rules=site_of(settings).rules).rules


def _refuse(settings: Settings) -> None:
    problems = problems_of(settings)
    if problems:
        raise SettingsError(problems)


@contextmanager
def _room(settings: Settings) -> Iterator[Path]:
    """A folder for what is not sealed, beside the database and as private; gone at the end."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=".backup-") as folder:
        yield Path(folder)


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A file that takes the target's place when it is whole, and never half."""
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    handle = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
