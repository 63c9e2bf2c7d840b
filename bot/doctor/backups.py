"""Backups: whether there is a fresh one."""

from datetime import timedelta

from bot.doctor.base import Ctx, Verdict, ok, red, warn
from bot.keyring.backups import LAST
from storage.kept import kept_since

FRESH = timedelta(days=2)
LATE = timedelta(days=7)
FIX = "main.py backup --to PLACE --keys-to ANOTHER, every night"


def checks(ctx: Ctx) -> list[Verdict]:
    """How old the newest backup is. The restore drill stands in the launch gate."""
    if ctx.settings.is_demo:
        return []
    made_at = ctx.read(lambda conn: kept_since(conn, LAST))
    if made_at is None:
        return [red("backup", "There is none.", FIX)]
    said = f"The newest is of {made_at:%Y-%m-%d %H:%M} UTC."
    age = ctx.now - made_at
    if age > LATE:
        return [red("backup", said, FIX)]
    return [warn("backup", said, FIX) if age > FRESH else ok("backup", said)]
