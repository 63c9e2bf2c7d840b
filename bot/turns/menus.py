"""MENU: what whoever writes can do here, as a short numbered list; `acts` does what is chosen.

A digit belongs to the menu that was just shown; the question behind it waits. While a questionnaire
is open the menu carries its id, so that it is this one that goes on.
"""

from bot.turns import learning, upnext
from bot.turns.desk import Desk, Sender
from bot.turns.gate import CAREGIVER
from flows.messages import Menu, Phrase

KIND = "menu"


def rows(desk: Desk, sender: Sender) -> tuple[str, ...]:
    """What stands in her menu, by code: at most seven rows."""
    person, live = sender.person, sender.live
    kind = person.kind if person is not None else ""
    own: list[str] = ["go_on"] if live is not None or _is_due(desk, sender) else []
    if live is not None and live.row.form_id == CAREGIVER and upnext.has_choice(desk, sender):
        own.append("child")
    if kind == "staff":
        own = ["alerts", *own]
    elif kind == "teacher" and live is None:
        own = ["class"]
    if person is not None and learning.fitting(desk.world.library, kind, sender.language):
        own.append("learn")
    own.append("language")
    if person is not None and kind != "staff":
        own.append("call")
    return (*own, *(() if kind == "staff" else ("data",)), "stop")


def show(desk: Desk, sender: Sender) -> None:
    """Show it; the next digit picks from it. Somebody we do not know hears how to join as well."""
    known = sender.person is not None or sender.live is not None
    before = () if known else (Phrase(key="idle.welcome"),)
    options = rows(desk, sender)
    ref = sender.live.row.id if sender.live is not None else KIND
    desk.ask_menu(sender, KIND, ref, options)
    menu = Menu(ref=f"m.{ref}", options=tuple((code, f"menu.{code}") for code in options))
    desk.say(sender, *before, Phrase(key="menu.ask"), menu)


def close(desk: Desk, sender: Sender) -> None:
    """The menu is answered: a digit belongs to the open question again."""
    live = sender.live
    if live is not None and live.row.status == "open":
        desk.ask_menu(sender, "question", live.row.id, ())
    else:
        sender.address.open_prompt = None


def _is_due(desk: Desk, sender: Sender) -> bool:
    """Whether she was given something to answer; whether it may be asked is looked up then."""
    given = desk.assignments.get(sender.address.person_id or "", [])
    return any(row.state == "due" for row in given)
