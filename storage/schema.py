"""The schema, for SQLite and PostgreSQL alike: every table, gathered.

The tables stand in `storage.tables`, by subject; this is the one name other modules import.
"""

from storage.tables.audit import (
    audit,
    audit_heads,
)
from storage.tables.base import KEEPING, metadata
from storage.tables.care import (
    alert_events,
    alerts,
    child_state,
    profiles,
    tasks,
)
from storage.tables.conversations import (
    answers,
    assignments,
    content_versions,
    events,
    sessions,
    text_revisions,
)
from storage.tables.messages import (
    delivery_events,
    dialogs,
    inbox,
    inbox_seen,
    outbox,
    redactions,
    timers,
)
from storage.tables.people import (
    addresses,
    child_caregiver,
    children,
    classes,
    consents,
    households,
    join_codes,
    person_address,
    person_roles,
    persons,
    programmes,
    schools,
    waves,
)
from storage.tables.rights import (
    disputes,
    exports,
    legal_holds,
    requests,
)
from storage.tables.staff import (
    break_glass,
    kept,
    login_attempts,
    login_prompts,
    user_codes,
    user_sessions,
    users,
)

__all__ = [
    "KEEPING",
    "addresses",
    "alert_events",
    "alerts",
    "answers",
    "assignments",
    "audit",
    "audit_heads",
    "break_glass",
    "child_caregiver",
    "child_state",
    "children",
    "classes",
    "consents",
    "content_versions",
    "delivery_events",
    "dialogs",
    "disputes",
    "events",
    "exports",
    "households",
    "inbox",
    "inbox_seen",
    "join_codes",
    "kept",
    "legal_holds",
    "login_attempts",
    "login_prompts",
    "metadata",
    "outbox",
    "person_address",
    "person_roles",
    "persons",
    "profiles",
    "programmes",
    "redactions",
    "requests",
    "schools",
    "sessions",
    "tasks",
    "text_revisions",
    "timers",
    "user_codes",
    "user_sessions",
    "users",
    "waves",
]
