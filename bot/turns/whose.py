"""Who is this about: a caregiver of several children chooses the child, and goes on where she was.

Each child has a questionnaire of its own, and several may be under way. In the list a child is a
class and a number, never a name: others read the phone too.
"""

from collections.abc import Sequence

from bot.content.spoken import lexicon_on
from bot.turns import gate, starting, talk
from bot.turns.desk import Desk, Live, Sender
from flows.keywords import Action
from flows.messages import Menu, Part, Phrase
from flows.routing import AnswerTo, Command, Intent, MenuReply, OfferReply, Opened
from flows.sessions import Resumed
from storage.talk.conversations import AssignmentRow, ChildRow, PersonRow
from storage.talk.starts import classes_by_id

KIND = "child"
MOST = 8
"""Children in one list; the others follow when some are done."""
MENU: Action = "menu"


def begun(desk: Desk, person: PersonRow | None) -> dict[str, Live]:
    """Her questionnaires about children that are under way, by assignment."""
    return {
        live.row.assignment_id: live
        for live in desk.live.values()
        if person is not None
        and live.row.person_id == person.id
        and live.row.form_id == gate.CAREGIVER
        and live.row.status in ("open", "lapsed")
        and live.row.assignment_id
    }


def is_unclear(desk: Desk, sender: Sender, intent: Intent) -> bool:
    """Whether her words may be about one child or another: no answer may go to the wrong one."""
    if not isinstance(intent, AnswerTo | Opened) or sender.letter.inbound.token:
        return False
    kind = (sender.address.open_prompt or {}).get("kind", "")
    return kind == KIND or (kind != "question" and len(begun(desk, sender.person)) > 1)


def matters(desk: Desk, sender: Sender, intent: Intent) -> bool:
    """Whether what she is to answer must be known, though a questionnaire is under way."""
    kind = (sender.address.open_prompt or {}).get("kind", "")
    chooses = isinstance(intent, MenuReply | OfferReply) or intent == Command(action=MENU)
    return chooses or kind in (KIND, "menu") or is_unclear(desk, sender, intent)


def about(desk: Desk, sender: Sender, children: Sequence[ChildRow]) -> dict[str, str]:
    """What each of these children is called in her language: a class and a number."""
    lexicon = lexicon_on(desk.world.library, sender.channel, sender.language, "")
    rooms = classes_by_id(desk.conn, [child.class_id for child in children if child.class_id])
    called = {}
    for child in children:
        room = rooms.get(child.class_id or "")
        key = "child.none" if room is None else "child.class"
        key = "child.listed" if room is not None and child.list_number is not None else key
        name = starting.class_name(room) if room is not None else ""
        values = {"class_name": name, "list_number": str(child.list_number or "")}
        called[child.id] = lexicon.say(key, values)
    return called


def ask(desk: Desk, sender: Sender, rows: Sequence[AssignmentRow], *before: Part) -> None:
    """Show her the children she may answer about now, and "later"."""
    shown = sorted(rows, key=lambda row: _place(desk.children[row.child_id or ""]))[:MOST]
    children = [desk.children[row.child_id or ""] for row in shown]
    called = about(desk, sender, children)
    lexicon = lexicon_on(desk.world.library, sender.channel, sender.language, "")
    options = [(row.id, called[row.child_id or ""]) for row in shown]
    options.append(("later", lexicon.say("offer.later", {})))
    ref = desk.new_id()  # a button of an older list names nobody in this one
    desk.ask_menu(sender, KIND, ref, [code for code, _ in options])
    menu = Menu(ref=f"m.{ref}", options=tuple(options), literal=True)
    desk.say(sender, *before, Phrase(key="child.ask"), menu)


def named(desk: Desk, sender: Sender, child: ChildRow) -> Phrase:
    """About whom the next questions are."""
    return Phrase(key="child.about", values={"child": about(desk, sender, [child])[child.id]})


def _place(child: ChildRow) -> tuple[str, int]:
    """Where a child stands in the list: at the same place each time it is shown."""
    return child.class_id or "", child.list_number or 0


def pick(desk: Desk, sender: Sender, assignment: str) -> Live | None:
    """Take what is under way about the child she chose into hand; None if nothing is."""
    live = begun(desk, sender.person).get(assignment)
    if live is None or live.row.child_id not in desk.children:
        return None
    sender.live = live
    return live


def go_on(desk: Desk, sender: Sender, live: Live) -> None:
    """Ask once more what was open about this child, and say first who is meant."""
    first = named(desk, sender, desk.children[live.row.child_id or ""])
    talk.carry_on(desk, sender, live, Resumed(channel=sender.channel), first)


def progress(desk: Desk, sender: Sender, wave_id: str | None) -> tuple[Phrase, ...]:
    """How far she is with her children in this wave; nothing where there is only one."""
    given = [
        row
        for row in desk.assignments.get(sender.address.person_id or "", [])
        if row.form_id == gate.CAREGIVER and row.wave_id == wave_id and row.state != "withdrawn"
    ]
    if len(given) < 2:  # noqa: PLR2004 - one child needs no count
        return ()
    done = sum(row.state == "done" for row in given)
    return (Phrase(key="progress.children", values={"done": str(done), "of": str(len(given))}),)
