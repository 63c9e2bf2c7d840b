"""Logins and small facts of this deployment."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Text

from storage.tables.base import CODE, col, own_id, ref, sealed, table
from storage.types import Instant

users = table(
    "users",
    "reference",
    own_id(),
    Column("login", CODE, nullable=False, unique=True),
    ref("person_id", "persons", null=True),
    col("role", CODE),
    col("schools", JSON),
    col("password_hash", Text),
    sealed("totp_secret", null=False),
    col("totp_last", Integer),
    col("created_at", Instant),
    col("ends_at", Instant, null=True),
    col("disabled_at", Instant, null=True),
    col("waits_for", CODE, null=True),
    # Idle days count from here as well as from the last use: a login opened again gets its time.
    col("reopened_at", Instant, null=True),
)
user_sessions = table(
    "user_sessions",
    "reference",
    Column("digest", String(64), primary_key=True),
    ref("user_id", "users"),
    col("created_at", Instant),
    col("seen_at", Instant),
    col("ended_at", Instant, null=True),
    col("stepped_at", Instant, null=True),
    Index(None, "user_id"),
)
user_codes = table(
    "user_codes",
    "reference",
    own_id(),
    ref("user_id", "users", null=True),
    col("kind", CODE),
    Column("digest", String(64), nullable=False, unique=True),
    sealed("secret"),
    col("created_at", Instant),
    col("expires_at", Instant, null=True),
    col("used_at", Instant, null=True),
    Index(None, "user_id", "kind"),
)
"""One-time codes: to set an account up, to reset one half of a login, to recover."""
login_prompts = table(
    "login_prompts",
    "intake",
    own_id(),
    ref("user_id", "users", null=True),
    Column("browser", String(64), nullable=False, unique=True),
    Column("number", String(2), nullable=False),
    col("state", CODE),
    col("attempt", JSON),
    col("created_at", Instant),
    col("expires_at", Instant),
)
"""Sign-ins that wait for a word by chat; one without a user never comes true and looks the same."""
login_attempts = table(
    "login_attempts",
    "intake",
    own_id(),
    col("subject", String(64)),
    col("at", Instant),
    col("good", Boolean),
    Index(None, "subject", "at"),
)
break_glass = table(
    "break_glass",
    "reference",
    own_id(),
    Column("code", CODE, nullable=False, unique=True),
    ref("user_id", "users"),
    ref("school_id", "schools"),
    sealed("reason", null=False),
    col("opened_at", Instant),
    col("ends_at", Instant),
    col("reviewed_at", Instant, null=True),
    ref("reviewed_by", "users", null=True),
    col("finding", CODE, null=True),
    Index(None, "user_id"),
    Index(None, "school_id"),
)
"""Looks into a school that is not one's own: for an hour, with a reason, reviewed afterwards."""
kept = table(
    "kept",
    "reference",
    Column("name", CODE, primary_key=True),
    col("value", Text),
    col("at", Instant),
)
"""Small facts of this deployment: content SIDs at Twilio, the demo mark, the blind-index check."""
