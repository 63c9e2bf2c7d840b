"""LATER at an open question: nothing is lost, and she is reminded once, on a later day.

The reminder stands in the place of a nudge, so that two of them are the most she ever gets.
"""

from bot.turns.desk import Desk, Sender
from bot.turns.talk import DAY_FORMAT
from flows.later import another_day
from flows.messages import Phrase
from storage.schema import timers
from storage.talk.nudging import key_of, used_keys
from storage.talk.pausing import pause

NUDGES = (1, 2)


def put_off(desk: Desk, sender: Sender, session_id: str) -> None:
    """Say when we write again: on the next day we may, in her safe hour."""
    sender.address.open_prompt = None
    keys = {key_of(session_id, number): number for number in NUDGES}
    left = sorted(set(keys) - used_keys(desk.conn, keys))
    if not left:
        desk.say(sender, Phrase(key="offer.deferred"))
        return
    world, person = desk.world, sender.person
    due_at = another_day(
        desk.now,
        zone=world.zone,
        hours=world.hours(desk.now),
        safe_hour=person.safe_hour if person is not None else None,
    )
    desk.writes.offer(timers, **pause(session_id, left[0], since=desk.now, due_at=due_at))
    day = due_at.astimezone(world.zone).strftime(DAY_FORMAT)
    desk.say(sender, Phrase(key="pause.told", values={"day": day}))
