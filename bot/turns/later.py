"""The private questions she put off: offered again by the clock, taken up when she says so."""

from bot.turns import gate, talk
from bot.turns.desk import Desk, Live, Sender
from flows.consent import No
from flows.later import ITEM, OPTIONS, another_day, put_off
from flows.messages import Menu, Phrase
from flows.sessions import AskedAgain
from storage.schema import timers
from storage.talk.later import note_word, session_row, timer

SAID_LATER = "said_later"


def schedule(desk: Desk, sender: Sender, live: Live) -> None:
    """Note that they are to be offered again; a second "later" only keeps her word."""
    if not put_off(live.session):
        return
    world = desk.world
    note_word(desk.conn, live.row.id, SAID_LATER)
    row = timer(
        live.row.id,
        1,
        address_id=sender.address.id,
        since=desk.now,
        due_at=another_day(
            desk.now,
            zone=world.zone,
            hours=world.hours(desk.now),
            safe_hour=sender.person.safe_hour if sender.person else None,
        ),
    )
    desk.writes.offer(timers, **row)


def answer(desk: Desk, sender: Sender, session_id: str, choice: str) -> None:
    """Her word on the offer: the gate is asked again, or nothing more is said today."""
    sender.address.open_prompt = None
    if choice != "now":
        note_word(desk.conn, session_id, SAID_LATER)
        desk.say(sender, Phrase(key="later.deferred"))
        return
    live = _taken_up(desk, sender, session_id)
    if live is None:
        who = {"who": desk.world.site.who_calls}
        desk.say(sender, Phrase(key="over.caregiver", values=who))
        return
    sender.live = live
    talk.carry_on(desk, sender, live, AskedAgain(item=ITEM, channel=sender.channel))


def offer_again(desk: Desk, sender: Sender) -> None:
    """The offer that stands is put once more, with its buttons."""
    ref = (sender.address.open_prompt or {}).get("ref", "")
    desk.say(sender, Phrase(key="later.offer"), Menu(ref=f"m.{ref}", options=OPTIONS))


def _taken_up(desk: Desk, sender: Sender, session_id: str) -> Live | None:
    """Her questionnaire, if its private questions may still be asked; else nothing."""
    row, person = session_row(desk.conn, session_id), sender.person
    if row is None or person is None or row.person_id != person.id or row.child_id is None:
        return None
    if row.status != "completed" or not desk.world.site.duty_officer:
        return None
    entries = gate.entries(desk, [row.child_id])
    found = gate.may(desk.world, entries, row.form_id, child=row.child_id, person=person.id)
    if isinstance(found, No):
        return None
    live = desk.open_session(row)
    return live if put_off(live.session) else None
