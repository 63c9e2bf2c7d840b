"""Slips to join with: one tear-off a learner without a caregiver, seven on a page of paper.

A slip bears the school, the class, the number on the class list, a code that works once, and how to
join by each channel that is set up, in two languages. No name stands on it. The page needs nothing
but itself: the QR codes are drawn inside it.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import phonenumbers
import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from phonenumbers import PhoneNumberFormat
from sqlalchemy import Connection

from bot.lists.sheets import COUNTRY, SlipError
from bot.turns.world import World
from flows.lexicon import Lexicon
from storage.families.learners import JOIN_CODE_LIFE, add_join_codes
from storage.families.slips import Room, count_learners, rooms, without_caregiver
from storage.ids import new_id
from storage.scope import system
from storage.trail import audit

SCOPE = system("slips")
A_PAGE = 7
MOST_LANGUAGES = 2
HALF = 4
"""A code is written in two halves, which are easier to copy."""
DAY = "%d/%m/%Y"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where somebody may join; empty what is not set up.

    Attributes:
        sms: Our number for SMS, E.164.
        whatsapp: Our number on WhatsApp, E.164.
        telegram: Our bot's user name there, without @.
    """

    sms: str = ""
    whatsapp: str = ""
    telegram: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One tear-off."""

    number: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What was made.

    Attributes:
        page: The HTML.
        room: Whose class it is.
        slips: How many slips, each with a new code.
        joined: Learners of the class who have a caregiver already.
        begun: Learners somebody is joining for right now.
        until: The last day on which the codes work.
        drafts: Languages on the slips whose words nobody has approved.
    """

    page: str
    room: Room
    slips: int
    joined: int
    begun: int
    until: str
    drafts: tuple[str, ...]


def print_slips(
    conn: Connection,
    world: World,
    class_name: str,
    *,
    school: str,
    languages: Sequence[str],
    doors: Doors,
    now: datetime,
) -> Printed:
    """Make a class's slips, in the caller's transaction; the print is written down.

    Args:
        conn: Open transaction.
        world: Words, keys, the zone.
        class_name: As people say it: "1A".
        school: The school's name; empty where only one has such a class.
        languages: One or two tags; none for the first two the site offers.
        doors: Our own numbers and names.
        now: Aware, UTC.

    Raises:
        SlipError: There is no such class, language or door, or nobody to print for.
    """
    room = _room(conn, class_name, school)
    lexicons = _lexicons(world, languages)
    if doors == Doors():
        raise SlipError("No channel is set up. Fix: set TWILIO_SMS_FROM or another, see docs.")
    open_to = without_caregiver(conn, SCOPE, room.id)
    wanted = [learner for learner in open_to if not learner.begun]
    if not wanted:
        raise SlipError(f"Class {room.called} of {room.school}: every learner has a caregiver.")
    codes = add_join_codes(conn, [one.id for one in wanted], vault=world.vault, now=now)
    until = (now + JOIN_CODE_LIFE).astimezone(world.zone).strftime(DAY)
    slips = [Slip(number=str(one.list_number or one.code), code=codes[one.id]) for one in wanted]
    entry = audit.row(
        SCOPE, "printed", "classes", room.id, id=new_id(now), at=now, school_id=room.school_id
    )
    audit.record(conn, [entry])
    return Printed(
        page=page(slips, lexicons, room, doors, programme=world.site.programme, until=until),
        room=room,
        slips=len(slips),
        joined=count_learners(conn, SCOPE, room.id) - len(open_to),
        begun=len(open_to) - len(wanted),
        until=until,
        drafts=tuple(lexicon.name for lexicon in lexicons if lexicon.draft),
    )


def page(
    slips: Sequence[Slip],
    lexicons: Sequence[Lexicon],
    room: Room,
    doors: Doors,
    *,
    programme: str,
    until: str,
) -> str:
    """The slips as one HTML page that asks nobody for anything."""

    def shown(slip: Slip) -> dict[str, object]:
        values = {
            "programme": programme,
            "class_name": room.called,
            "number": slip.number,
            "code": halves(slip.code),
            "until": until,
        }
        return {
            **values,
            "columns": [_column(lexicon, values, doors) for lexicon in lexicons],
            "codes": [(name, _drawn(link)) for name, link in links(slip.code, doors)],
        }

    return (
        _templates()
        .get_template("slips.html")
        .render(
            pages=[
                [shown(slip) for slip in slips[first : first + A_PAGE]]
                for first in range(0, len(slips), A_PAGE)
            ],
            room=room,
            columns=len(lexicons),
            language=lexicons[0].language,
            drafts=[lexicon.name for lexicon in lexicons if lexicon.draft],
        )
    )


def links(code: str, doors: Doors) -> list[tuple[str, str]]:
    """What the QR codes lead to: a message that is written already, a chat that begins by itself.

    Source: faq.whatsapp.com (click to chat), core.telegram.org/bots/features (deep linking).
    """
    found = []
    if doors.whatsapp:
        number = doors.whatsapp.removeprefix("+")
        found.append(("WhatsApp", f"https://wa.me/{number}?text={quote(f'JOIN {code}')}"))
    if doors.telegram:
        found.append(("Telegram", f"https://t.me/{quote(doors.telegram)}?start={code}"))
    return found


def halves(code: str) -> str:
    """A code as it is printed: 7KQ4 M2XY. A space in it does not matter when it is sent."""
    return f"{code[:HALF]} {code[HALF:]}"


def readable(number: str) -> str:
    """A number as people of this country write it: 060 000 0001."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed):
        return number
    here = parsed.country_code == COUNTRY
    form = PhoneNumberFormat.NATIONAL if here else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, form)


def _column(
    lexicon: Lexicon, values: Mapping[str, str], doors: Doors
) -> dict[str, str | list[str]]:
    """What stands on a slip in one language: only the doors that are there."""
    number = {"code": values["code"], "number": readable(doors.sms)}
    names = ", ".join(name for name, _ in links("", doors))
    ways = [
        ("slip.sms", number, doors.sms),
        ("slip.call", number, doors.sms),
        ("slip.scan", {"names": names}, names),
    ]
    return {
        "language": lexicon.language,
        "draft": lexicon.name if lexicon.draft else "",
        "learner": lexicon.say("slip.learner", {**values, "day": values["until"]}),
        "lead": lexicon.say("slip.lead", values),
        "ways": [lexicon.say(key, filled) for key, filled, door in ways if door],
    }


def _drawn(link: str) -> str:
    """The picture itself as an address, so that the page needs no other file and no raw HTML."""
    return str(segno.make(link, error="m", micro=False).svg_data_uri(border=2))


def _room(conn: Connection, class_name: str, school: str) -> Room:
    said = class_name.casefold().replace("grade", "").replace(" ", "")
    known = rooms(conn, SCOPE)
    of_school = [r for r in known if not school or r.school.casefold() == school.casefold()]
    if school and not of_school:
        names = ", ".join(sorted({r.school for r in known})) or "none yet"
        raise SlipError(f"--school: there is no school {school!r}. There are: {names}")
    found = [r for r in of_school if r.called.casefold() == said]
    if not found:
        names = ", ".join(sorted({r.called for r in of_school})) or "none: import-roster first"
        raise SlipError(f"There is no class {class_name!r}. There are: {names}")
    if len(found) > 1:
        names = ", ".join(r.school for r in found)
        raise SlipError(f"Several schools have a class {class_name}. Add --school: {names}")
    return found[0]


def _lexicons(world: World, languages: Sequence[str]) -> list[Lexicon]:
    library = world.library
    wanted = languages or library.offered[:MOST_LANGUAGES]
    if len(set(wanted)) != len(wanted) or len(wanted) > MOST_LANGUAGES:
        raise SlipError("--languages: name one language or two different ones, like en,zu.")
    lacking = {gap.language for gap in library.gaps if gap.catalog not in library.learning}
    for tag in wanted:
        if tag not in library.lexicons or tag in lacking:
            whole = ", ".join(t for t in library.lexicons if t not in lacking)
            raise SlipError(f"--languages: {tag!r} is not there, or not whole. There are: {whole}")
    return [library.lexicons[tag] for tag in wanted]


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["sha256"] = _sha256
    return made


def _sha256(text: str) -> str:
    # How a Content-Security-Policy names the one style that it lets through.
    return b64encode(sha256(text.encode()).digest()).decode()
