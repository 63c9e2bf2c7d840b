"""CHANGE 3: an answer given once more, also of a questionnaire that ended in the last two days.

What the new answer makes irrelevant is withdrawn, the child is judged anew, and alerts are revised
(`bot.turns.judge`); the old answers stay in history.
"""

from datetime import timedelta

from bot.turns import gate, talk
from bot.turns.desk import Desk, Live, Sender
from flows.asking import changeable
from flows.consent import FORM, No
from flows.messages import Part, Phrase
from flows.questionnaire import offering
from flows.sessions import Changed, Resumed
from storage.talk.finished import newest_finished

OPEN_FOR = timedelta(hours=48)
"""So long after its end an answer may be changed."""


def change(desk: Desk, sender: Sender, number: str) -> None:
    """Ask that question once more, or say which can be."""
    live = sender.live or _finished(desk, sender)
    if live is None:
        desk.say(sender, Phrase(key="change.none"))
        return
    session = live.session
    questionnaire = offering(desk.world.library.questionnaire(session.version), session.context)
    items = changeable(questionnaire, session, channel=sender.channel, now=desk.now)
    place = int(number) if number else 0
    if 1 <= place <= len(items):
        sender.live = live
        item = items[place - 1]
        talk.carry_on(desk, sender, live, Changed(item=item, channel=sender.channel))
    elif items:
        _ask_again(desk, sender, Phrase(key="change.which", values={"count": str(len(items))}))
    else:
        _ask_again(desk, sender, Phrase(key="change.none"))


def _ask_again(desk: Desk, sender: Sender, said: Part) -> None:
    if sender.live is None:
        desk.say(sender, said)
    else:
        talk.carry_on(desk, sender, sender.live, Resumed(channel=sender.channel), said)


def _finished(desk: Desk, sender: Sender) -> Live | None:
    """What she answered last, if it may still be asked; joining is changed by TAKE BACK, JOIN."""
    person = sender.person
    if person is None:
        return None
    row = newest_finished(desk.conn, person.id, since=desk.now - OPEN_FOR, without=(FORM,))
    if row is None:
        return None
    if gate.is_guarded(row.form_id, row.child_id):
        child = row.child_id or ""
        entries = gate.entries(desk, [child])
        found = gate.may(desk.world, entries, row.form_id, child=child, person=person.id)
        if isinstance(found, No):
            return None
    return desk.open_session(row)
