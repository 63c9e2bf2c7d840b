"""The `retention` command: the table with what is due; with `--apply`, what is due is let go."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.app import now as clock
from bot.commands import GOOD, PROBLEM, as_json, err, out, with_database
from bot.keyring.keys import OWED, rotate_after_erasure
from bot.keyring.vaults import open_store
from bot.rights import erase
from bot.rights.erase import Target
from bot.rights.keeping import Class, Keep, may_end
from bot.rights.retention import BY_HAND, Line, end_class, report, signer, table_of
from bot.settings import Settings
from bot.site import Site
from bot.turns.world import World
from storage.keyring.keys import KeyStore
from storage.rights.erasing_rules import RULES
from storage.rights.retention_waves import departed
from storage.rights.scrubbing import scrub

GROUND = "retention"
ROUNDS = 1000
"""Transactions of one class in one command; whatever is left then stands in the report."""


def run(settings: Settings, *, apply: bool, json_wanted: bool, now: datetime | None = None) -> int:
    """`retention`: the table with what is due; with `apply` it is let go first."""
    now = now or clock()
    site = with_database(settings, lambda _c, w: w.site)
    deleted = _apply(settings, site, now) if apply else {}
    lines = with_database(settings, lambda c, w: report(c, w.site, now=now))
    lines = [replace(line, deleted=deleted.get(line.name, 0)) for line in lines]
    if json_wanted:
        as_json({"at": now.isoformat(), "applied": apply, "classes": [asdict(x) for x in lines]})
    else:
        _print(lines, applied=apply)
    owed = apply and _owed(settings)
    for line in OWED if owed else ():
        err(line)
    return PROBLEM if owed else GOOD


def _owed(settings: Settings) -> bool:
    """Whether a household was erased and the master key has not been replaced since."""
    store = open_store(settings)
    try:
        return store.state().owed_at is not None and not settings.is_demo
    finally:
        store.close()


def _apply(settings: Settings, site: Site, now: datetime) -> dict[Class, int]:
    counts: dict[Class, int] = {}
    for name, keep in table_of(site).items():
        if not may_end(name, keep, table_signed_by=signer(site)):
            continue
        if name in BY_HAND:
            counts[name] = _erase_departed(settings, keep, now)
            continue
        for _ in range(ROUNDS):
            count = _end_one(settings, name, keep, now)
            counts[name] = counts.get(name, 0) + count
            if not count:
                break
    if any(counts.values()):
        scrub(settings.url, RULES)
    return counts


def _end_one(settings: Settings, name: Class, keep: Keep, now: datetime) -> int:
    return with_database(settings, lambda c, w: end_class(c, name, keep, now=now, vault=w.vault))


def _erase_departed(settings: Settings, keep: Keep, now: datetime) -> int:
    """Erase households of which every child has left, each with its own ledger entry."""
    if keep.days is None:
        return 0
    before = now - timedelta(days=keep.days)
    ids = with_database(settings, lambda c, _w: departed(c, before=before, now=now))
    if not ids:
        return 0
    store = open_store(settings)
    try:
        count = sum(_erase_one(settings, store, household, now) for household in ids)
        rotate_after_erasure(settings, store, now=now)
    finally:
        store.close()
    return count


def _erase_one(settings: Settings, store: KeyStore, household: str, now: datetime) -> bool:
    def work(conn: Connection, world: World) -> erase.Done | None:
        if erase.forbidden(conn, household, now=now):
            return None
        return erase.carry_out(
            conn,
            world,
            Target(household_id=household),
            people=(),
            request_id="",
            now=now,
            note=lambda gone: store.note_erasure(gone, at=now, ground=GROUND),
        )

    done = with_database(settings, work)
    if done is None:
        return False
    erase.finish(store, done, settings.data_dir / "exports", now=now)
    return True


def _print(lines: Sequence[Line], *, applied: bool) -> None:
    for line in lines:
        keep = f"{line.keep_days} days" if line.keep_days is not None else "kept for ever"
        signed = f"signed by {line.signed_by}" if line.signed_by else "ours, unsigned"
        out(f"{line.name}: {line.what}")
        out(f"  {keep}; {line.ground} ({signed})")
        if applied and line.deleted:
            out(f"  let go: {line.deleted}")
        if line.due:
            oldest = f"{line.oldest:%Y-%m-%d}" if line.oldest else "unknown"
            state = "due" if line.ends else "due, but nobody has signed: nothing is deleted"
            out(f"  {line.due} {state}; the oldest ended on {oldest}")
    if not applied:
        out("Nothing was deleted. To let go of what is due: main.py retention --apply")
