"""Whether somebody's messages wait in the inbox that staff read: one open task for each address."""

from sqlalchemy import Connection, select

from storage.schema import tasks

TASK = "inbox"
"""The kind of the task that stands for what waits at one address."""


def waits_for_staff(conn: Connection, address_id: str) -> bool:
    """Whether an open task stands for what waits at this address."""
    found = conn.execute(
        select(tasks.c.id)
        .where(tasks.c.address_id == address_id, tasks.c.kind == TASK, tasks.c.state == "open")
        .limit(1)
    )
    return found.first() is not None
