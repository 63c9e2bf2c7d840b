"""What no question waits for, and what only a person can read: for the inbox that staff read.

It answers nothing and moves nothing. She hears once an hour that a person reads it; staff have one
open task for each address, which shows the words on a page of its own.
"""

from bot.turns import talk
from bot.turns.desk import Desk, Sender
from flows.calendar import add_working_days
from flows.guard import kindly, read, stored
from flows.messages import Part, Phrase
from flows.sessions import Resumed
from storage.talk.for_staff import TASK, waits_for_staff

WORKING_DAYS = 2


def keep(desk: Desk, sender: Sender) -> bool:
    """Put her message into the staff inbox; False for people we do not know, and for staff.

    Of a stranger only what she sends while joining a child is somebody's to read: its school's.
    """
    person, live = sender.person, sender.live
    child_id = live.row.child_id if live is not None else None
    if (person is None and child_id is None) or (person is not None and person.kind == "staff"):
        return False
    sender.for_staff = True
    if waits_for_staff(desk.conn, sender.address.id):
        return True
    world = desk.world
    talk.add_task(
        desk,
        sender,
        TASK,
        key=f"{TASK}:{sender.letter.inbox_id}",
        ref=sender.letter.inbox_id,
        due_at=add_working_days(
            desk.now, WORKING_DAYS, zone=world.zone, hours=world.hours(desk.now)
        ),
    )
    return True


def unreadable(desk: Desk, sender: Sender) -> None:
    """A voice note, a picture, an edit: a kind word and what was open, once an hour."""
    kept = keep(desk, sender)
    if not _may_tell(desk, sender):
        return
    said = Phrase(key="inbox.unread" if kept else "reject.media")
    if sender.live is not None:
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel), said)
    else:
        desk.say(sender, said, *_welcome(sender))


def told(desk: Desk, sender: Sender) -> bool:
    """Words of somebody for whom nothing is due: a person reads them. False as `keep`."""
    kept = keep(desk, sender)
    if kept and _may_tell(desk, sender):
        desk.say(sender, Phrase(key="inbox.told"))
    return kept


def _may_tell(desk: Desk, sender: Sender) -> bool:
    guard = kindly(read(sender.address.guard), desk.now)
    if guard is None:
        return False
    sender.address.guard = stored(guard)
    return True


def _welcome(sender: Sender) -> tuple[Part, ...]:
    """How to join, for somebody we do not know."""
    return () if sender.person is not None else (Phrase(key="idle.welcome"),)
