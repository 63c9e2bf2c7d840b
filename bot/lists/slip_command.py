"""The `slips` command: a class's slips to join with, as a page to print."""

import re
from pathlib import Path

from sqlalchemy import Connection

from bot.app import accounts_of, now
from bot.commands import GOOD, err, out, with_database
from bot.lists.sheets import SlipError
from bot.lists.slips import Doors, Printed, print_slips
from bot.settings import Settings
from bot.turns.world import World
from storage.errors import StorageError
from storage.kept import TELEGRAM_NAME, kept_value

_NAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{4,31})")
"""A user name on Telegram."""


def slips(
    settings: Settings,
    class_name: str,
    *,
    school: str,
    languages: str,
    to: Path,
    telegram_name: str,
) -> int:
    """`slips`: one tear-off a learner without a caregiver, seven on a page."""
    tags = [tag.strip() for tag in languages.split(",") if tag.strip()]
    told = _told(telegram_name)

    def work(conn: Connection, world: World) -> tuple[Printed, Doors, bool]:
        doors = _doors(conn, settings, told)
        moment = now()
        done = print_slips(
            conn, world, class_name, school=school, languages=tags, doors=doors, now=moment
        )
        # Before the commit: codes that could not be written down must not be made.
        to.touch(mode=0o600)
        to.write_text(done.page, encoding="utf-8")
        return done, doors, bool(world.gate(conn, world, moment))

    try:
        done, doors, shut = with_database(settings, work)
    except StorageError:
        to.unlink(missing_ok=True)  # the codes on it are nobody's
        raise
    _report(done, to)
    if settings.telegram_bot_token and not doors.telegram:
        err("Telegram is not on the slips: its user name is not known. Run: webhooks set")
    if shut:
        err("The launch gate is shut: hand out no slips before `main.py doctor --live` is good.")
    return GOOD


def _told(name: str) -> str:
    found = _NAME.fullmatch(name)
    if name and found is None:
        raise SlipError("--telegram-name: write the bot's user name, like our_school_bot.")
    return found[1] if found else ""


def _doors(conn: Connection, settings: Settings, told: str) -> Doors:
    accounts = accounts_of(settings)
    telegram = told or kept_value(conn, TELEGRAM_NAME) or ""
    return Doors(
        sms=accounts.get("sms", ""),
        whatsapp=accounts.get("whatsapp", ""),
        telegram=telegram if "telegram" in accounts else "",
    )


def _report(done: Printed, to: Path) -> None:
    room = done.room
    out(
        f"{to}: {done.slips} slips for class {room.called} of {room.school}, with {done.slips} new "
        f"codes, good until {done.until}."
    )
    out("Slips printed earlier still work; the first that is used closes the learner's others.")
    if done.joined:
        out(f"{done.joined} learners have a caregiver already and get none.")
    if done.begun:
        out(f"{done.begun} more are being joined for with an earlier slip right now.")
    for language in done.drafts:
        err(f"The words in {language} are a machine draft, marked so: hand none of these out.")
