"""Who is buzzed for an alert: whom the policy lets be told of it, at its school, now."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection

from bot.policy import Place, Policy, Thing, Who, may
from storage.families.people import StaffMember, staff
from storage.scope import system

ALERTS, TOLD = "alerts", "told"
"""The row and verb of the policy's chat section that names who is told of an alert."""


def told_roles(policy: Policy, verb: str = TOLD) -> frozenset[str]:
    """The roles that the policy names for a verb of alerts by chat."""
    return policy.rule("chat", ALERTS, verb).roles or frozenset()


def on_call(
    conn: Connection, policy: Policy, school_ids: Collection[str], *, now: datetime
) -> Mapping[str, list[StaffMember]]:
    """Whom an alert of each school goes to, the longest in office first.

    Args:
        conn: Open transaction.
        policy: The table; it is asked about each person in each role she has at that school.
        school_ids: Schools with an alert.
        now: Aware, UTC.

    Returns:
        Every one of these schools, each person once; an empty list where nobody may be told.
    """
    schools = sorted(set(school_ids))
    team = staff(conn, schools, scope=system("alert"), roles=told_roles(policy), now=now)
    return {school_id: _told(policy, team, school_id) for school_id in schools}


def _told(policy: Policy, team: Collection[StaffMember], school_id: str) -> list[StaffMember]:
    place = Place(section="chat", name=ALERTS, thing=Thing(school_id=school_id))
    found: dict[str, StaffMember] = {}
    for member in team:
        who = Who(role=member.role, schools=frozenset({member.school_id}))
        if may(policy, who, TOLD, place) == "allow":
            found.setdefault(member.person_id, member)
    return list(found.values())
