"""Who may carry out a command of the command line in her own name, by the policy.

Whoever has this machine's shell has its keys; what commands show her is bound by the policy's role
`operator`. What only certain people may decide names its login, and asks here.
"""

from datetime import datetime

from sqlalchemy import Connection

from bot.policy import Place, Policy, Who, may
from storage.staff import users
from storage.staff.users import User


def acting(
    conn: Connection, policy: Policy, login: str, command: str, verb: str, *, now: datetime
) -> User | None:
    """The open account of a login that may use a verb of a command; None for any other."""
    user = users.by_login(conn, login.strip().lower())
    if user is None or not user.usable(now):
        return None
    return user if allowed(policy, user, command, verb) else None


def allowed(policy: Policy, user: User, command: str, verb: str) -> bool:
    """Whether the policy lets somebody with her role."""
    who = Who(role=user.role, schools=user.schools)
    return may(policy, who, verb, Place(section="commands", name=command)) == "allow"


def roles_for(policy: Policy, command: str, verb: str) -> tuple[str, ...]:
    """The roles that may, for a message that says so."""
    return tuple(sorted(policy.rule("commands", command, verb).roles or ()))
