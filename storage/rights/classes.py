"""What each column says about whom: the one place where a data class is declared (ASVS 14.1.1).

Every column of a table that hangs on a household is named in `COLUMNS` on purpose, sealed or not; a
new one without a name fails a test. A column of another table has the class of its table, unless it
is named.
"""

from collections.abc import Mapping
from typing import Literal, get_args

DataClass = Literal["public", "internal", "personal", "child-sensitive"]
"""public: anybody may know it. internal: about the programme or the machine, about nobody.
personal: about somebody, or leads to her. child-sensitive: about a child's or a family's life, or
what was said of it."""
CLASSES: tuple[DataClass, ...] = get_args(DataClass)

TABLES: Mapping[str, DataClass] = {
    "addresses": "personal",
    "audit": "personal",
    "audit_heads": "internal",
    "break_glass": "personal",
    "classes": "internal",
    "content_versions": "public",
    "delivery_events": "personal",
    "dialogs": "personal",
    "inbox": "personal",
    "inbox_seen": "internal",
    "kept": "internal",
    "login_attempts": "personal",
    "login_prompts": "personal",
    "outbox": "personal",
    "person_roles": "personal",
    "programmes": "public",
    "redactions": "personal",
    "schools": "public",
    "text_revisions": "public",
    "timers": "personal",
    "user_codes": "personal",
    "user_sessions": "personal",
    "users": "personal",
    "waves": "internal",
}
"""Tables that hang on no household, each as a whole."""

_PERSONAL = {
    "alert_events": "id alert_id actor_id at",
    "alerts": "id key code child_id school_id wave_id rules owner_id opened_at accepted_at "
    "closed_at round report_due_at authority",
    "answers": "session_id revision child_id household_id wave_id version language text_revision "
    "mode helper_id at",
    "assignments": "id key person_id child_id class_id wave_id form_id state priority created_at "
    "offered_at ended_at",
    "child_caregiver": "child_id person_id capacity from_at until_at",
    "child_state": "child_id wave_id rules as_of",
    "children": "id programme_id school_id household_id class_id code list_number sex birth_month "
    "name created_at left_at",
    "consents": "id person_id child_id purpose granted capacity text_version text_digest "
    "partners_version language channel mode witness_id witness_name witness_role proof helper_id "
    "recorded_by recorded_at at withdrawn_at",
    "disputes": "id session_id child_id request_id at ended_at",
    "events": "session_id rev kind at",
    "exports": "id kind request_id household_id person_id school_id made_by purpose made_at "
    "expires_at gone_at",
    "households": "id programme_id school_id created_at erased_at",
    "join_codes": "id child_id blind issued_at expires_at claimed_at claimed_by",
    "legal_holds": "id household_id set_by from_at until_at",
    "person_address": "person_id address_id from_at until_at key_id",
    "persons": "id programme_id school_id household_id kind name language shared_phone safe_hour "
    "created_at",
    "profiles": "child_id wave_id school_id rules as_of",
    "requests": "id key kind household_id person_id child_id school_id address_id way received_at "
    "due_at state identity_how identity_by identity_at decided_by second_by decided_at",
    "sessions": "id address_id person_id assignment_id child_id class_id household_id wave_id "
    "form_id version status rev started_at changed_at ended_at cut_at",
    "tasks": "id key school_id child_id person_id address_id owner_id ref state opened_at due_at "
    "closed_at",
}
_CHILD_SENSITIVE = {
    "alert_events": "kind",
    "alerts": "level rule state outcome reason reportable reported_at report_ref",
    "answers": "item form_id informant state value text",
    "assignments": "reason",
    "child_state": "domain band points disagree",
    "dialogs": "body",
    "disputes": "item",
    "events": "body",
    "inbox": "body",
    "legal_holds": "reason",
    "outbox": "body",
    "profiles": "level urgent body",
    "requests": "ground decision note",
    "sessions": "state",
    "tasks": "kind",
}


def _spread(words: Mapping[str, str], name: DataClass) -> dict[str, DataClass]:
    return {f"{table}.{column}": name for table, own in words.items() for column in own.split()}


COLUMNS: Mapping[str, DataClass] = {
    **_spread(_PERSONAL, "personal"),
    **_spread(_CHILD_SENSITIVE, "child-sensitive"),
}
"""The class of a column by `table.column`."""


def class_of(table: str, column: str) -> DataClass:
    """The class of a column. Raises KeyError for one that was never declared."""
    named = COLUMNS.get(f"{table}.{column}")
    return named if named is not None else TABLES[table]
