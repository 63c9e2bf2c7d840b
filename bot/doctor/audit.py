"""Does the audit chain hold, is it held against heads kept elsewhere, do new rows get linked?"""

from bot.doctor.base import Ctx, Verdict, ok, red, warn
from bot.trail.auditing import AT_LEAST, look
from storage.trail.chaining import newest_head

WORSE = {
    "edited": "Rows of the audit were changed by somebody who owns the database.",
    "deleted": "Rows of the audit were taken out by somebody who owns the database.",
    "reordered": "Rows of the audit were put in another order.",
    "truncated": "If a backup was restored: main.py audit restored. Else rows were taken out.",
    "rewritten": "The audit was made anew. Ask who could write to the database.",
    "forged_head": "Somebody made up a head. Ask who could write there.",
    "unknown_key": "If the key was changed: AUDIT_KEY_OLD names the one before.",
    "unguarded": "Ask who dropped them; main.py migrate on a copy shows how they read.",
}
"""What each kind of damage means for whoever reads it."""


def checks(ctx: Ctx) -> list[Verdict]:
    """One verdict for each kind of damage; one for the linking, one for the heads outside."""
    report = ctx.read(lambda c: look(c, ctx.settings, now=ctx.now))
    head = ctx.read(newest_head)
    found = [red(f"audit: {f.kind}", f.text, WORSE[f.kind]) for f in report.findings]
    if not report.findings:
        found.append(ok("audit: chain", f"{report.count} rows, each linked to the one before."))
    if report.waiting:
        said = f"{report.waiting} rows wait for their link for more than ten minutes."
        found.append(warn("audit: waiting", said, "Start the bot; if it runs, read its log."))
    path = ctx.settings.audit_heads
    if report.unreadable:
        said = f"{report.unreadable} lines of {path.name} hold no head."
        found.append(red("audit: outside", said, "Ask who wrote to AUDIT_HEAD_FILE."))
    elif head is not None and not report.outside:
        said = f"There are heads, but {path.name} is not there or empty."
        fix = "Put it back from a copy; ask who took it away. main.py audit head begins a new one."
        found.append(red("audit: outside", said, fix))
    elif head is None or ctx.now - head.at > 2 * AT_LEAST:
        when = f"the last is of {head.at:%Y-%m-%d}" if head else "there is none yet"
        fix = "Start the bot, or main.py audit head."
        found.append(warn("audit: outside", f"No head of the last two days: {when}.", fix))
    else:
        said = f"{report.outside} heads in {path.name}, the last of {head.at:%Y-%m-%d %H:%M} UTC."
        found.append(ok("audit: outside", said))
    return found
