"""Practice and lessons: whom they are for, how one begins, what follows its end.

They are about nobody, so they need no child, no consent and no wave; nothing of them is kept as an
answer (`bot.turns.talk`), judged or reminded of. That somebody came to the end is known from her
session alone.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.content.library import Library
from bot.content.spoken import lexicon_on
from bot.turns import consenting, talk, upnext
from bot.turns.desk import Desk, Live, Sender
from bot.turns.promising import helplines
from flows.forms import TITLE
from flows.messages import LIMITS, Menu, Part, Phrase
from flows.roster import PRETEND
from flows.routing import MenuReply
from flows.sessions import Resumed, Stopped
from storage.talk.learned import learned

MANY = 2
KIND = "lessons"
"""The menu in which they are chosen (`flows.routing.PromptKind`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One that fits a person.

    Attributes:
        form_id: The questionnaire.
        title: Its name as she reads it.
        done_at: When she last came to its end; None if never.
    """

    form_id: str
    title: str
    done_at: datetime | None


def fitting(library: Library, kind: str, language: str) -> tuple[str, ...]:
    """The practice and lessons for a kind of person, by form id.

    Teachers and staff may have them in English where their language lacks them; a caregiver is not
    shown what she may not be able to read.

    Args:
        library: All questionnaires.
        kind: caregiver, teacher or staff.
        language: What she reads.
    """
    hidden = library.in_english.get(language, frozenset()) if kind == "caregiver" else frozenset()
    return tuple(
        form_id
        for form_id, version in sorted(library.current.items())
        if kind in library.forms[version].audience and form_id not in hidden
    )


def listed(desk: Desk, sender: Sender) -> tuple[Lesson, ...]:
    """What she may choose from, with what she has done; nothing for people we do not know."""
    person, library = sender.person, desk.world.library
    if person is None:
        return ()
    forms = fitting(library, person.kind, sender.language)
    done = learned(desk.conn, person.id, forms) if forms else {}
    return tuple(
        Lesson(form_id=form, title=_title(desk, sender, form), done_at=done.get(form))
        for form in forms
    )


def show(desk: Desk, sender: Sender) -> bool:
    """Ask her which one she wants, or begin the only one there is.

    Returns:
        False, with nothing said, where there is none for her.
    """
    found = listed(desk, sender)
    if len(found) < MANY:
        return any(start(desk, sender, each.form_id) for each in found)
    lexicon = lexicon_on(desk.world.library, sender.channel, sender.language)
    names = [
        lexicon.say("learn.done", {"title": each.title}) if each.done_at else each.title
        for each in found
    ]
    desk.ask_menu(sender, KIND, KIND, [each.form_id for each in found])
    desk.say(
        sender,
        Phrase(key="learn.choose"),
        Menu(
            ref=f"m.{KIND}",
            options=tuple((e.form_id, name) for e, name in zip(found, names, strict=True)),
            literal=True,
        ),
    )
    return True


def start(desk: Desk, sender: Sender, form_id: str) -> bool:
    """Begin one; False (and nothing said) if it is not among hers.

    One that is open already is left for it. Other questions of hers wait, and are asked again when
    this one has ended.
    """
    person = sender.person
    if person is None:
        return False
    if form_id not in fitting(desk.world.library, person.kind, sender.language):
        return False
    leave(desk, sender)
    talk.start(
        desk,
        sender,
        form_id,
        context={"channel": sender.channel, "roster": " ".join(PRETEND)},
        household_id=person.household_id,
    )
    return True


def leave(desk: Desk, sender: Sender) -> None:
    """End the practice or lesson she is in, if she is in one: something else begins."""
    live = sender.live
    if live is None or not is_one(desk, live):
        return
    talk.carry_on_quietly(desk, live, Stopped())
    sender.live, sender.address.open_prompt = _set_aside(desk, sender), None


def finish(desk: Desk, sender: Sender, live: Live) -> None:
    """She came to the end: kind words, then what she had left for it, or what is due."""
    informant = desk.world.library.questionnaire(live.row.version).informant
    closing: tuple[Part, ...] = (Phrase(key=f"done.{informant}"), *helplines(desk.world.site))
    sender.live = _set_aside(desk, sender)
    if sender.live is None:
        if not upnext.offer(desk, sender, *closing):
            desk.say(sender, *closing)
        return
    desk.say(sender, *closing)
    if not consenting.held_back(desk, sender, MenuReply(kind="menu", choice="go_on")):
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel))


def is_one(desk: Desk, live: Live) -> bool:
    """Whether a session is of practice or a lesson."""
    return desk.world.library.questionnaire(live.row.version).is_learning


def _set_aside(desk: Desk, sender: Sender) -> Live | None:
    """Her newest questionnaire that is not finished."""
    mine = [
        live
        for live in desk.live.values()
        if live.row.status in ("open", "lapsed") and live.row.person_id == sender.address.person_id
    ]
    return max(mine, key=lambda live: live.row.id, default=None)


def _title(desk: Desk, sender: Sender, form_id: str) -> str:
    """Its name in her language, spelled as her channel does."""
    library = desk.world.library
    lexicon = lexicon_on(library, sender.channel, sender.language, library.current[form_id])
    words = lexicon if LIMITS[sender.channel].unit == "chars" else lexicon.plain
    return words.texts[f"{form_id}/{TITLE}"]
