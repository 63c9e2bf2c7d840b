"""DATA and DELETE: a request for the data officer, and the same words to whoever asks."""

from bot.rights.clock import due
from bot.turns.desk import Desk, Sender
from bot.turns.talk import DAY_FORMAT, add_task
from flows.messages import Phrase
from storage.rights.request_steps import open_until, row_of
from storage.rights.requests import TASK, Asker
from storage.schema import requests


def received(desk: Desk, sender: Sender, *, kind: str) -> None:
    """Note what she asks for. Nothing is said of what we keep, or that we keep anything at all.

    What is open stays open: her next answer still belongs to it. Asked again, it is the same
    request with the same day.
    """
    world, person = desk.world, sender.person
    asker = Asker(
        person_id=sender.address.person_id,
        address_id=sender.address.id,
        household_id=person.household_id if person else None,
        school_id=person.school_id if person else None,
    )
    due_at = open_until(desk.conn, kind, asker)
    if due_at is None:
        due_at = due(desk.now, world.site)
        request_id = desk.new_id()
        row = row_of(request_id, kind=kind, asker=asker, way="chat", due_at=due_at, now=desk.now)
        desk.writes.offer(requests, **row)
        # The moment is in the key: twice in one batch is one task, a year later is another.
        key = f"{TASK}:{row['key']}:{desk.now:%Y%m%dT%H%M%S}"
        add_task(desk, sender, TASK, key=key, ref=request_id, due_at=due_at)
    # A day that has passed is no promise: staff see that it is late, she hears "today".
    day = max(due_at, desk.now).astimezone(world.zone).strftime(DAY_FORMAT)
    desk.say(sender, Phrase(key="request.received", values={"day": day}))
