"""Questionnaires nobody answers any more: lapsed, judged by what was answered, never lost."""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.turns.closing import touch
from bot.turns.desk import Desk
from bot.turns.judge import judge
from bot.turns.talk import carry_on_quietly
from bot.turns.world import World
from flows.sessions import Lapsed
from storage.conversations import lock_addresses_by_id, unfinished_sessions
from storage.nudging import to_lapse

MOST = 100


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Lapse what has been quiet for the site's number of days. Returns how many."""
    found = to_lapse(conn, before=now - timedelta(days=world.site.lapse_days), limit=MOST)
    if not found:
        return 0
    by_address: dict[str, set[str]] = defaultdict(set)
    for session_id, address_id in found:
        by_address[address_id].add(session_id)
    desk = Desk(conn=conn, world=world, now=now)
    lock_addresses_by_id(conn, by_address)
    count = 0
    wanted = {session_id for session_id, _ in found}
    for row in unfinished_sessions(conn, (), by_address):
        if row.id in wanted and row.status == "open":
            live = desk.open_session(row)
            if now - live.session.changed_at < timedelta(days=world.site.lapse_days):
                continue
            carry_on_quietly(desk, live, Lapsed())
            touch(desk, live)
            count += 1
    desk.writes.flush(conn)
    judge(desk)
    desk.writes.flush(conn)
    return count
