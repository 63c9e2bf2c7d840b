"""Alerts whose answers changed: which of them rest on a reason that is gone, or came back."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from scoring.triage import BACK, CHANGED
from storage.schema import alert_events, alerts, profiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert about a child, as far as it may have to be revised.

    Attributes:
        note: `CHANGED` or `BACK`, whichever was written last; empty where neither was.
    """

    id: str
    key: str
    child_id: str
    wave_id: str
    rule: str
    state: str
    note: str


_LAST = (
    select(alert_events.c.kind)
    .where(alert_events.c.alert_id == alerts.c.id, alert_events.c.kind.in_((CHANGED, BACK)))
    .order_by(alert_events.c.at.desc(), alert_events.c.id.desc())
    .limit(1)
    .correlate(alerts)
    .scalar_subquery()
)


def raised_about(conn: Connection, child_ids: Collection[str]) -> list[Raised]:
    """Every alert about these children, open or closed, oldest first. The children are locked."""
    if not child_ids:
        return []
    found = conn.execute(
        select(
            alerts.c.id,
            alerts.c.key,
            alerts.c.child_id,
            alerts.c.wave_id,
            alerts.c.rule,
            alerts.c.state,
            _LAST.label("note"),
        )
        .where(alerts.c.child_id.in_(sorted(set(child_ids))))
        .order_by(alerts.c.opened_at, alerts.c.id)
    )
    return [
        Raised(
            id=row.id,
            key=row.key,
            child_id=row.child_id,
            wave_id=row.wave_id,
            rule=row.rule,
            state=row.state,
            note=row.note or "",
        )
        for row in found
    ]


def judged_before(conn: Connection, child_ids: Collection[str], wave_id: str) -> set[str]:
    """Which of these children have a profile in a wave already."""
    found = conn.execute(
        select(profiles.c.child_id).where(
            profiles.c.child_id.in_(sorted(set(child_ids))), profiles.c.wave_id == wave_id
        )
    )
    return set(found.scalars())
