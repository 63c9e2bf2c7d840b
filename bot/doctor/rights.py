"""Are people who ask about their data answered in time, and are the files made for them gone?"""

from bot.doctor.base import Ctx, Verdict, ok, red, warn
from bot.rights.export import LIFE, ORPHAN_AFTER, SUFFIX, made_at
from storage.rights import requests
from storage.scope import system


def checks(ctx: Ctx) -> list[Verdict]:
    """One verdict on requests, one on the number of days, one on files."""
    scope = system("doctor")
    late = ctx.read(lambda c: requests.count_late(c, scope, now=ctx.now))
    waiting = ctx.read(lambda c: requests.count(c, scope, waiting=True))
    if late:
        fix = "A data officer answers them: page Requests, or main.py requests list."
        found = [red("rights: requests", f"{late} of {waiting} requests are past their day.", fix)]
    else:
        found = [ok("rights: requests", f"{waiting} requests wait, none past its day.")]
    days = ctx.site.request_days
    if ctx.site.request_days_confirmed_on is None:
        fix = "Ask your lawyer, then write request_days_confirmed_on into site.yaml."
        found.append(warn("rights: days", f"{days} days to answer, confirmed by nobody.", fix))
    else:
        found.append(ok("rights: days", f"{days} days to answer."))
    place = ctx.settings.data_dir / "exports"
    old = [
        path
        for path in place.glob(f"*{SUFFIX}")
        if ctx.now - made_at(path.stem) > LIFE + ORPHAN_AFTER
    ]
    if old:
        fix = "Start the bot: its clock deletes them. If it runs, read its log."
        found.append(red("rights: files", f"{len(old)} files in {place} are past their day.", fix))
    else:
        found.append(ok("rights: files", "No file made for anybody is older than a day."))
    return found
