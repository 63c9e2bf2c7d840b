"""The launch gate: what must be on record before the first real family is invited."""

from zoneinfo import ZoneInfo

from bot.app import accounts_of
from bot.doctor.base import Ctx, Verdict, ok, red, warn
from bot.launch import RESTORED, Standing, items
from storage.kept import kept_since
from storage.talk.inviting import count_to_invite


def checks(ctx: Ctx) -> list[Verdict]:
    """With `--live` every item of the gate; else one line that says whether invitations wait."""
    if ctx.live and ctx.settings.is_demo:
        return [red("launch", "This is the demo: it invites nobody real.", "Set up a live start.")]
    if ctx.settings.is_demo:
        return []
    found = items(
        Standing(
            site=ctx.site,
            library=ctx.library,
            channels=tuple(accounts_of(ctx.settings)),
            restored_at=ctx.read(lambda c: kept_since(c, RESTORED)),
            today=ctx.now.astimezone(ZoneInfo(ctx.settings.timezone)).date(),
        )
    )
    if ctx.live:
        return [
            ok(f"launch: {item.name}", item.found)
            if item.good
            else red(f"launch: {item.name}", item.found, item.fix)
            for item in found
        ]
    missing = [item.name for item in found if not item.good]
    if not missing:
        return [ok("launch", "Everything is on record: invitations go out.")]
    said = f"{ctx.read(count_to_invite)} invitations wait. Not on record: {', '.join(missing)}."
    return [warn("launch", said, "main.py doctor --live says what to do about each.")]
