"""The call list: who asked to be phoned (CALL ME, a missed call, an answer); one task at a time.

Whoever is on it already stays on it with her day; once somebody called her she may ask again.
"""

from datetime import datetime
from typing import cast

from bot.turns.desk import Desk, Sender
from flows.calendar import add_working_days
from flows.questionnaire import Questionnaire
from storage.schema import tasks
from storage.talk.calling import listed_until

TASK = "call_me"
"""The kind of task that stands on the list of people to call."""
WANTS_CALL = ("want_call", "yes")
"""The item of a questionnaire that asks whether somebody shall call, and its yes."""


def add(desk: Desk, sender: Sender, person_id: str, *, school_id: str | None) -> None:
    """Somebody is to call her within the site's working days, unless that stands already."""
    if due(desk, person_id) is not None:
        return
    world, now = desk.world, desk.now
    days = world.site.working_days_to_call
    desk.writes.offer(
        tasks,
        id=desk.new_id(),
        key=f"{TASK}:{person_id}:{now:%Y%m%dT%H%M%S%f}",
        kind=TASK,
        school_id=school_id,
        child_id=sender.live.row.child_id if sender.live else None,
        person_id=person_id,
        address_id=sender.address.id,
        owner_id=None,
        ref=None,
        state="open",
        opened_at=now,
        due_at=add_working_days(now, days, zone=world.zone, hours=world.hours(now)),
        closed_at=None,
    )


def due(desk: Desk, person_id: str) -> datetime | None:
    """By when somebody is to call her; None where she is not on the list."""
    for row in desk.writes.offers.get(tasks, ()):  # of this batch, not written yet
        if row["kind"] == TASK and row["person_id"] == person_id:
            return cast("datetime", row["due_at"])
    return listed_until(desk.conn, person_id, TASK)


def asked(desk: Desk, sender: Sender, questionnaire: Questionnaire) -> None:
    """She answered that somebody shall call her; in practice and lessons that is only tried."""
    if sender.person is not None and not questionnaire.is_learning:
        add(desk, sender, sender.person.id, school_id=sender.person.school_id)
