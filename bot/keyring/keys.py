"""The `keys` commands: the recovery sheet, replacing the master key, the state of the keys."""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from bot.commands import GOOD, PROBLEM, as_json, err, out
from bot.keyring import masters
from bot.keyring.vaults import finish_rotation, open_store
from bot.settings import Settings, SettingsError, problems_of
from bot.trail.noting import note_command
from storage.database import Database
from storage.errors import BadUrl
from storage.keyring.binding import bind
from storage.keyring.keys import CONFIRMED_BY, KeyStore, Master
from storage.keyring.reindex import rotate_index
from storage.keyring.vault import Vault
from storage.keyring.wrapping import GROUPS, KEY_BYTES, fingerprint, from_groups, to_groups
from storage.migrate import upgrade

COLUMNS = 7
OWED = (
    "NOT DONE YET: MASTER_KEY stands in the environment, where only you can replace it, and old "
    "copies of the key store still open with it what was erased.",
    "Next: stop the bot; main.py keys rotate; set the MASTER_KEY it prints; start the bot; "
    "main.py keys confirm. Until then doctor is red and erasing ends with exit code 1.",
)
"""What is said after an erasure that could not replace the master key by itself."""
Step = Callable[[], object]


def sheet(settings: Settings, *, now: datetime) -> int:
    """`keys sheet`: print the recovery sheet of the master key in force."""
    store = _opened(settings)
    try:
        groups, master = store.printed(at=now), store.master()
        _print_sheet(groups, master.made_at, master.fingerprint)
    finally:
        store.close()
    err("Next: main.py keys confirm")
    return GOOD


def first_sheet(settings: Settings, store: KeyStore, *, now: datetime, terminal: bool) -> bool:
    """What `run` says while no sheet of the master key exists; whether it printed one.

    Args:
        settings: A live deployment's.
        store: Its key store, perhaps made just now.
        now: Aware, UTC.
        terminal: Whether somebody reads stdout. A service manager keeps it in a log, and a log
            must not hold the key.
    """
    if store.master().sheet_at is not None:
        return False
    if not terminal:
        name = "MASTER_KEY_FILE" if settings.master_key_file else "MASTER_KEY"
        err(
            f"{name}: this master key stands on no paper yet, and without it everything is lost. "
            "On a terminal: main.py keys sheet, then main.py keys confirm"
        )
        return False
    note_command(settings, "sheet_printed", "keys", now=now)
    _print_sheet(store.printed(at=now), store.master().made_at, store.master().fingerprint)
    sys.stdout.flush()
    err("Shown once; again with main.py keys sheet. Next, beside the bot: main.py keys confirm")
    return True


def confirm(settings: Settings, *, now: datetime, ask: Callable[[str], str] | None = None) -> int:
    """`keys confirm`: two groups of the sheet are typed back, so that one surely exists."""
    ask = ask or _ask
    store = _opened(settings)
    try:
        numbers = sorted(secrets.SystemRandom().sample(range(1, GROUPS + 2), CONFIRMED_BY))
        typed = {number: ask(f"Group {number} of the recovery sheet: ") for number in numbers}
        if store.confirm(typed, at=now):
            out("They fit: the sheet is confirmed.")
            return GOOD
        err(f"They do not fit. Take the sheet with fingerprint {store.master().fingerprint}.")
        return PROBLEM
    finally:
        store.close()


def rotate(settings: Settings, *, now: datetime) -> int:
    """`keys rotate`: a new master key; every data key is wrapped anew, the old master is gone."""
    store = _opened(settings)
    try:
        new = os.urandom(KEY_BYTES)
        path = settings.master_key_file
        if path is None:
            # Shown before it is used: a key that nobody has seen must never be the only one.
            out(f"MASTER_KEY={masters.write_out(new)}")
            _print_sheet(to_groups(new), now, fingerprint(new))
            sys.stdout.flush()
            store.rewrap(new, at=now)
            store.printed(at=now)
            err("Set this MASTER_KEY, then start the bot: the old one opens nothing any more.")
        else:
            replace_file(path, settings, store, new, now=now)
            _print_sheet(store.printed(at=now), now, fingerprint(new))
            err(f"{path} holds the new master key. Running processes go on with it.")
    finally:
        store.close()
    err("Destroy the old recovery sheet and old copies of the key store: they open old backups.")
    err("Next: main.py keys confirm")
    return GOOD


def replace_file(
    path: Path, settings: Settings, store: KeyStore, new: bytes, *, now: datetime
) -> Master:
    """Replace the master key and its file; whichever step fails, one of two files opens the store.

    Raises:
        StorageError: The store could not be switched; the old master key holds.
        OSError: A file could not be written.
    """
    with masters.alone(path):
        pass  # whoever was at it has finished
    finish_rotation(settings, store)
    with masters.alone(path):
        prepare, *rest = steps(path, store, new, now=now)
        prepare()
        try:
            rest.pop(0)()
        finally:
            if store.opens_with(new):
                for step in rest:
                    step()
            else:
                masters.drop(path)
    return store.master()


def steps(path: Path, store: KeyStore, new: bytes, *, now: datetime) -> tuple[Step, ...]:
    """The steps of a replacement, in order; the power may fail between any two."""
    return (
        lambda: masters.prepare(path, new),
        lambda: store.rewrap(new, at=now),
        lambda: masters.overwrite(path),
        lambda: masters.take_over(path),
    )


def rotate_after_erasure(settings: Settings, store: KeyStore, *, now: datetime) -> bool:
    """Make old copies of the key store useless after an erasure; whether that is done.

    With MASTER_KEY_FILE the master key is replaced at once. A key in the environment only an
    operator can replace: then it is noted as owed, and `doctor` is red until `keys rotate`.
    """
    path = settings.master_key_file
    if path is None or settings.is_demo:
        store.owe_rotation(at=now)
        return False
    replace_file(path, settings, store, os.urandom(KEY_BYTES), now=now)
    return True


def rotate_blind(
    settings: Settings, *, now: datetime, wait: Callable[[float], None] = time.sleep
) -> int:
    """`keys rotate-blind`: a new key for the index addresses are found by, beside a running bot."""
    store = _opened(settings)
    upgrade(settings.url)
    database = Database.open(settings.url, exclusive=False)
    try:
        vault = Vault.over(store)
        database.write_sync(lambda c: bind(c, vault, now=now))
        done = rotate_index(store, vault, database.write_sync, at=now, wait=wait, told=err)
    finally:
        asyncio.run(database.close())
        store.close()
    out(f"{done.changed} index columns were written; {done.closed} addresses do not open.")
    err("Done. Destroy old backups of the key store: they have the old index key.")
    return GOOD


def show(settings: Settings, *, json_wanted: bool) -> int:
    """`keys list`: how many keys there are, the master key's age, the sheet, what is under way."""
    store = _opened(settings)
    try:
        ids, state, master = store.ids(), store.state(), store.master()
    finally:
        store.close()
    document = {
        "store": state.store_id,
        "keys": sum(at is None for at in ids.values()),
        "destroyed": sum(at is not None for at in ids.values()),
        "generation": master.generation,
        "fingerprint": master.fingerprint,
        "made": master.made_at.isoformat(),
        "sheet_printed": master.sheet_at.isoformat() if master.sheet_at else None,
        "sheet_confirmed": master.confirmed_at.isoformat() if master.confirmed_at else None,
        "rotation_owed_since": state.owed_at.isoformat() if state.owed_at else None,
        "address_index": state.index_id,
        "address_index_rotating": state.index_next is not None,
    }
    if json_wanted:
        as_json(document)
    else:
        for name, value in document.items():
            out(f"{name.replace('_', ' ')}: {'-' if value is None else value}")
    return GOOD


def recover(settings: Settings, *, ask: Callable[[str], str] | None = None) -> int:
    """`keys recover`: the master key from the recovery sheet, into its file or on the screen.

    Raises:
        MasterRefused: It is not the sheet of the key store's present master key.
    """
    ask = ask or _ask
    try:
        master = from_groups([ask(f"Group {n}: ") for n in range(1, GROUPS + 2)])
    except ValueError as error:
        err(str(error))
        return PROBLEM
    path = settings.master_key_file
    try:
        KeyStore.open(settings.key_store, master, create=False).close()
    except BadUrl:
        err("There is no key store here yet, so nobody can say whether the sheet is the newest.")
    if path is None:
        out(f"MASTER_KEY={masters.write_out(master)}")
    else:
        with masters.alone(path):
            masters.prepare(path, master)
            masters.take_over(path)
        err(f"{path} holds the master key with fingerprint {fingerprint(master)}.")
    return GOOD


def _opened(settings: Settings) -> KeyStore:
    problems = problems_of(settings)
    if problems:
        raise SettingsError(problems)
    return open_store(settings)


def _print_sheet(groups: Sequence[str], made: datetime, mark: str) -> None:
    out(f"RECOVERY SHEET of the master key made on {made:%Y-%m-%d}, fingerprint {mark}")
    cells = [f"{number:>2} {group}" for number, group in enumerate(groups, 1)]
    for start in range(0, len(cells), COLUMNS):
        out("   ".join(cells[start : start + COLUMNS]))
    out("Print it or write it down; keep it under lock and key, away from this machine.")
    out("Whoever has it and a copy of the key store can read everything.")


def _ask(question: str) -> str:
    """A line of standard input; at a terminal the question is shown."""
    if sys.stdin.isatty():
        return input(question)
    err(question.strip())
    return sys.stdin.readline().strip()
