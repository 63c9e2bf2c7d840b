"""Replies that go at once: written as leased already, not first as waiting and then claimed."""

from bot.turns.desk import Desk
from storage.schema import outbox
from storage.talk.leases import busy_lines, lease_columns, leased
from storage.talk.outbox import Claimed


def lease_replies(desk: Desk, *, me: str, most: int) -> list[Claimed]:
    """Lease the replies among the desk's writes that may be sent now.

    Those are replies to addresses to which nothing is on its way or waits: the line of an address
    is kept. The rest waits for a claim, as everything else does.

    Args:
        desk: Its writes are not flushed yet.
        me: This worker's name on leases.
        most: How many may be leased.
    """
    rows = [row for row in desk.writes.inserts.get(outbox, ()) if row["id"] in desk.replies]
    busy = busy_lines(desk.conn, {row["address_id"] for row in rows}) if most else set()
    mine: list[Claimed] = []
    for row in rows:
        to = desk.replies[row["id"]]
        if len(mine) < most and to.id not in busy and to.bad_at is None:
            row.update(lease_columns(me, desk.now))
            mine.append(leased(row, to, now=desk.now))
        busy.add(to.id)
    return mine
