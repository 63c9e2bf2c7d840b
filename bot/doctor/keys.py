"""The keys: whether they open what is stored, are written down, and old copies open nothing."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from bot.doctor.base import Ctx, Verdict, ok, red, warn
from bot.keyring.masters import OTHERS
from storage.engines import parse_url
from storage.errors import KeyGone, SealBroken
from storage.keyring.keys import KeyStore
from storage.schema import addresses

SAMPLE = 200
"""Addresses that are opened to see whether keys and values fit."""
OLD = timedelta(days=365)
"""A master key is replaced once a year."""


def checks(ctx: Ctx) -> list[Verdict]:
    """Everything about keys."""
    store = ctx.keys
    if store is None:
        return [red("keys", "There is no key store.", "Set KEYS_URL, or leave it empty.")]
    found = [*_files(ctx), _values(ctx), *_erased(store), _index(store)]
    return found if ctx.settings.is_demo else [*found, _sheet(store), _age(ctx, store)]


def _files(ctx: Ctx) -> list[Verdict]:
    dialect, url = parse_url(ctx.settings.key_store)
    if dialect != "sqlite":
        return []
    path = Path(url.database or "")
    if path.stat().st_mode & OTHERS:
        return [red("key store", f"Others may read {path.name}.", f"chmod 600 {path}")]
    return [ok("key store", f"{path.name} is readable by the bot alone.")]


def _values(ctx: Ctx) -> Verdict:
    rows = ctx.read(_newest)
    closed = 0
    for row_id, blob in rows:
        try:
            ctx.vault.open(blob, table="addresses", column="value", row=row_id)
        except KeyGone:
            continue
        except SealBroken:
            closed += 1
    if closed:
        return red(
            "keys and values",
            f"{closed} of the newest {len(rows)} addresses do not open.",
            "KEYS_URL must be the key store this database was used with.",
        )
    return ok("keys and values", f"The newest {len(rows)} addresses open.")


def _newest(conn: Connection) -> list[tuple[str, bytes]]:
    found = select(addresses.c.id, addresses.c.value).order_by(addresses.c.id.desc()).limit(SAMPLE)
    return [(row.id, row.value) for row in conn.execute(found)]


def _erased(store: KeyStore) -> list[Verdict]:
    """Erased households: their keys are gone, and old copies of the key store are useless."""
    ids, ledger = store.ids(), store.erasures()
    left = sum(e.household_id in ids and ids[e.household_id] is None for e in ledger)
    if left:
        return [
            red(
                "erased keys",
                f"{left} keys of erased households are still there: old backups of them open.",
                "Run the erasure again: main.py erase",
            )
        ]
    owed = store.state().owed_at
    if owed is not None:
        return [
            red(
                "erased keys",
                f"A household was erased on {owed:%Y-%m-%d}; old copies of the key store still "
                "open with the present master key.",
                "Stop the bot; main.py keys rotate",
            )
        ]
    return [
        ok("erased keys", f"{len(ledger)} keys erased; no old copy of the key store opens them.")
    ]


def _index(store: KeyStore) -> Verdict:
    state = store.state()
    if state.index_next is not None:
        return warn(
            "address index",
            f"Its key is being replaced ({state.index_id}, {state.index_next}).",
            "If nobody is at it: main.py keys rotate-blind goes on where it was.",
        )
    return ok("address index", f"Addresses are found by key {state.index_id}.")


def _sheet(store: KeyStore) -> Verdict:
    master = store.master()
    if master.sheet_at is None:
        return red(
            "recovery sheet",
            f"The master key of {master.made_at:%Y-%m-%d} stands on no paper: without it "
            "everything is lost.",
            "main.py keys sheet, then main.py keys confirm",
        )
    if master.confirmed_at is None:
        return red(
            "recovery sheet",
            f"Printed on {master.sheet_at:%Y-%m-%d}, but nobody has typed two groups of it back.",
            "main.py keys confirm",
        )
    return ok("recovery sheet", f"Confirmed on {master.confirmed_at:%Y-%m-%d}.")


def _age(ctx: Ctx, store: KeyStore) -> Verdict:
    made = store.master().made_at
    if ctx.now - made > OLD:
        return warn("master key", f"In use since {made:%Y-%m-%d}.", "main.py keys rotate")
    where = "a file" if ctx.settings.master_key_file else "the environment"
    return ok("master key", f"In {where}, in use since {made:%Y-%m-%d}.")
