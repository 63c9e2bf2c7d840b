"""Somebody says that we have the wrong number: nothing more goes there, and the school learns it.

Whoever was only invited is taken off her number at once, and the list of the school was wrong.
Whoever has joined may mean something else (a wrong answer): she is asked, and staff look into it.
"""

from bot.turns import talk
from bot.turns.desk import Desk, Sender
from bot.turns.ending import release
from flows.consent import ASKED
from flows.messages import Menu, Phrase
from flows.sessions import Stopped
from storage.schema import addresses, assignments
from storage.talk import consents
from storage.talk.conversations import AssignmentRow, PersonRow, assignments_of

TASK = "wrong_number"


def say_so(desk: Desk, sender: Sender) -> None:
    """End it, or ask whether it is to end."""
    person = sender.person
    if person is not None and _has_joined(desk, person):
        _doubt(desk, sender)
        return
    invited = _invited(desk, person) if person is not None else []
    child = next((row.child_id for row in invited), None)
    if sender.live is not None:
        talk.carry_on_quietly(desk, sender.live, Stopped())
        sender.live = None
    for row in invited:
        desk.writes.change(assignments, row.id, state="withdrawn", ended_at=desk.now)
    if person is not None:
        _tell_staff(desk, sender, child)
    sender.address.opted_out_at = desk.now
    sender.address.open_prompt = None
    desk.writes.change(addresses, sender.address.id, opted_out_at=desk.now)
    desk.say(sender, Phrase(key="wrong.done"))
    if person is not None:
        release(desk, sender.address, person.id)


def _has_joined(desk: Desk, person: PersonRow) -> bool:
    """Whether she is more to us than somebody the school entered."""
    said = consents.said_by(desk.conn, [person.id])
    return person.kind != "caregiver" or any(entry.purpose in ASKED for entry in said)


def _invited(desk: Desk, person: PersonRow) -> list[AssignmentRow]:
    """What she was invited to and has not done."""
    given = assignments_of(desk.conn, [person.id])
    return [row for row in given if row.state in ("due", "open")]


def _doubt(desk: Desk, sender: Sender) -> None:
    _tell_staff(desk, sender, None)
    desk.ask_menu(sender, "stop", "stop", ("yes", "no"))
    options = (("yes", "stop.yes"), ("no", "stop.no"))
    desk.say(sender, Phrase(key="stop.ask"), Menu(ref="m.stop", options=options))


def _tell_staff(desk: Desk, sender: Sender, child_id: str | None) -> None:
    today = desk.now.astimezone(desk.world.zone).date()
    talk.add_task(desk, sender, TASK, key=f"{TASK}:{sender.address.id}:{today}", child_id=child_id)
