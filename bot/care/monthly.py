"""Once a month: a task for supervisors to read who looked at their children's cases, and why."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.trail.looked import month_before, span_of
from bot.turns.world import World
from storage.kept import keep, kept_value
from storage.schema import tasks
from storage.talk.writes import Writes
from storage.trail.looked import schools_looked_at

KIND = "who_looked"
TO_READ = timedelta(days=7)
DONE = "who_looked_month"
"""The name under which the last month that was handled is kept."""


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """On the first of a month, or as soon after as we run, one task a school. Returns how many."""
    month = month_before(now, world.zone)
    if kept_value(conn, DONE) == month:
        return 0
    writes = Writes()
    found = schools_looked_at(conn, *span_of(month, world.zone))
    for school_id in found:
        writes.offer(
            tasks,
            id=world.new_id(now),
            key=f"{KIND}:{month}:{school_id}",
            kind=KIND,
            school_id=school_id,
            child_id=None,
            person_id=None,
            address_id=None,
            owner_id=None,
            ref=None,
            state="open",
            opened_at=now,
            due_at=now + TO_READ,
            closed_at=None,
        )
    writes.flush(conn)
    keep(conn, DONE, month, now=now)
    return len(found)
