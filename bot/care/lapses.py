"""Questionnaires nobody answers any more: lapsed, judged by what was answered, never lost."""

from collections import defaultdict
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from bot.turns.closing import touch
from bot.turns.desk import Desk
from bot.turns.judge import judge
from bot.turns.talk import carry_on_quietly
from bot.turns.world import World
from flows.sessions import Lapsed, Stopped
from storage.errors import SealBroken
from storage.talk.conversations import SessionRow, lock_addresses_by_id, unfinished_sessions
from storage.talk.nudging import to_lapse

MOST = 100

log = structlog.get_logger(__name__)


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
            count += _lapse(desk, row)
    desk.writes.flush(conn)
    judge(desk)
    desk.writes.flush(conn)
    return count


def _lapse(desk: Desk, row: SessionRow) -> int:
    """Lapse one session; one that cannot be read must not hold up the others."""
    try:
        live = desk.open_session(row)
        if desk.now - live.session.changed_at < timedelta(days=desk.world.site.lapse_days):
            return 0
        learning = desk.world.library.questionnaire(row.version).is_learning
        # Practice or a lesson that was left must not stand before what she is to answer.
        carry_on_quietly(desk, live, Stopped() if learning else Lapsed())
    except (KeyError, ValueError, SealBroken):
        log.exception("session_not_readable")
        return 0
    touch(desk, live)
    return 1
