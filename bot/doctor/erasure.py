"""Erasures and retention: what the ledger says is gone is gone; what is due is let go in time."""

from datetime import timedelta

from bot.doctor.base import Ctx, Verdict, ok, red, warn
from bot.rights import retention
from bot.rights.retention import BY_HAND
from storage.rights.erasing import erased_households, leftovers

LATE = timedelta(days=2)
"""By how much the daily job may be behind before somebody should look."""


def checks(ctx: Ctx) -> list[Verdict]:
    """The verdicts of this area."""
    return [_ledger(ctx), _keys(ctx), *_retention(ctx)]


def _ledger(ctx: Ctx) -> Verdict:
    name = "erased households"
    ledger = [entry.household_id for entry in ctx.keys.erasures()]
    left = {
        household: found
        for household in ledger
        if (found := ctx.read(lambda c, h=household: leftovers(c, h)))  # type: ignore[misc]
    }
    if not left:
        return ok(name, f"{len(ledger)} keys in the ledger, no row of theirs in the database.")
    household, tables = next(iter(left.items()))
    return red(
        name,
        f"{len(left)} of {len(ledger)} erased households still have rows, first {household} "
        f"in {', '.join(tables)}.",
        "Run the same erase again. After a restore: main.py restore replays the ledger.",
    )


def _keys(ctx: Ctx) -> Verdict:
    name = "keys of erased households"
    erased = ctx.read(erased_households)
    if ctx.keys is None:
        return ok(name, f"{len(erased)} erased households, no key store.")
    ids = ctx.keys.ids()
    alive = sorted(household for household in erased if ids.get(household, ctx.now) is None)
    if alive:
        return red(
            name,
            f"{len(alive)} erased households still have their key, first {alive[0]}: old backups "
            "of them open.",
            "Run the same erase again: it finishes what broke off.",
        )
    return ok(name, f"{len(erased)} erased households, no key of them is left.")


def _retention(ctx: Ctx) -> list[Verdict]:
    name = "retention"
    lines = ctx.read(lambda c: retention.report(c, ctx.site, now=ctx.now))
    late = [
        line
        for line in lines
        if line.due and line.ends and line.name not in BY_HAND and _is_late(ctx, line)
    ]
    unsigned = [line for line in lines if line.due and not line.ends]
    hand = [line for line in lines if line.due and line.ends and line.name in BY_HAND]
    found = []
    if late:
        told = ", ".join(f"{line.name} ({line.due})" for line in late)
        found.append(
            warn(name, f"Kept for too long: {told}.", "Is the bot running? main.py retention")
        )
    if unsigned:
        told = ", ".join(f"{line.name} ({line.due})" for line in unsigned)
        found.append(
            warn(
                f"{name}, unsigned",
                f"Due, but nobody has signed for it: {told}.",
                "Sign the table: launch.retention_table in site.yaml.",
            )
        )
    if hand:
        told = ", ".join(f"{line.name} ({line.due})" for line in hand)
        found.append(
            warn(f"{name}, by hand", f"Due for erasure: {told}.", "main.py retention --apply")
        )
    return found or [ok(name, "Nothing is kept for longer than the table says.")]


def _is_late(ctx: Ctx, line: retention.Line) -> bool:
    if line.oldest is None or line.keep_days is None:
        return False
    return line.oldest + timedelta(days=line.keep_days) + LATE < ctx.now
