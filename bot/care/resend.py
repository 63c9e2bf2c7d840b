"""Alerts that nobody has yet: sent again on their clock until a named person accepts."""

from datetime import datetime

from sqlalchemy import Connection

from bot.care.alerts import send, unreachable
from bot.care.recipients import on_call
from bot.turns.world import World
from storage.care.raising import due_alerts, note_sent_again, passed_by
from storage.talk.writes import Writes

MOST = 100


def sweep(conn: Connection, world: World, now: datetime) -> int:
    """Send every alert whose clock has come to everybody on call again."""
    found = due_alerts(conn, now, limit=MOST)
    if not found:
        return 0
    members = on_call(conn, world.policy, {a.school_id for a in found}, now=now)
    passed = passed_by(conn, [a.id for a in found])
    writes = Writes()
    for alert in found:
        sent = send(
            writes,
            world,
            alert_id=alert.id,
            code=alert.code,
            level=alert.level,
            round_number=alert.round + 1,
            members=members[alert.school_id],
            passed=passed.get(alert.id, frozenset()),
            now=now,
        )
        if not sent:
            unreachable(writes, world, alert_id=alert.id, school_id=alert.school_id, now=now)
        note_sent_again(conn, alert, now + world.site.resend_after(alert.level))
    writes.flush(conn)
    return len(found)
