"""What the policy has to know when staff write to the bot: their roles, an alert's place."""

from datetime import datetime

from sqlalchemy import Connection, or_, select

from storage.schema import alerts, children, households, person_roles


def roles_of(conn: Connection, person_id: str, now: datetime) -> dict[str, frozenset[str]]:
    """The roles somebody has now, each with the ids of its schools."""
    found = conn.execute(
        select(person_roles.c.role, person_roles.c.school_id).where(
            person_roles.c.person_id == person_id,
            person_roles.c.from_at <= now,
            or_(person_roles.c.until_at.is_(None), person_roles.c.until_at > now),
        )
    )
    out: dict[str, set[str]] = {}
    for role, school_id in found:
        out.setdefault(role, set()).add(school_id)
    return {role: frozenset(schools) for role, schools in out.items()}


def place_of_alert(conn: Connection, alert_id: str) -> tuple[str, bool] | None:
    """The school of an alert, and whether its household was erased; None where there is none."""
    found = conn.execute(
        select(alerts.c.school_id, households.c.erased_at)
        .join(children, children.c.id == alerts.c.child_id)
        .join(households, households.c.id == children.c.household_id)
        .where(alerts.c.id == alert_id)
    ).first()
    return None if found is None else (found.school_id, found.erased_at is not None)
