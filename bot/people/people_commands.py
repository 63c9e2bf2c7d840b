"""The `people` commands: what they print; the work is in the modules beside."""

from bot.app import now
from bot.commands import GOOD, err, out, with_database
from bot.people import numbers, second
from bot.settings import Settings
from bot.turns import moving


def second_adult(settings: Settings, child: str) -> int:
    """`people second-adult`: a code with which another adult of a child joins."""
    moment = now()
    issued, shut = with_database(
        settings,
        lambda c, w: (second.issue(c, w, child, now=moment), bool(w.gate(c, w, moment))),
    )
    out(f"JOIN {issued.code}")
    out(f"Works once, until {issued.until}. Hand it to her; it cannot be shown again.")
    if shut:
        err("The launch gate is shut: hand it out after `main.py doctor --live` is good.")
    return GOOD


def number_change(settings: Settings, old: str, new: str) -> int:
    """`people number-change`: the new number is asked; a yes from there moves her."""
    moment = now()
    with_database(settings, lambda c, w: numbers.change(c, w, old, new, now=moment))
    out("The new number is asked whether it is hers. Until it says yes, nothing changes.")
    out(f"It has {moving.LIFE.days} days; after that, run this again.")
    return GOOD


def hand_over(settings: Settings, old: str) -> int:
    """`people hand-over`: a phone that is somebody else's now."""
    moment = now()
    with_database(settings, lambda c, w: numbers.hand_over(c, w, old, now=moment))
    out("Nothing more goes there. Whoever writes from it is somebody we do not know.")
    return GOOD
