"""Logins, audit, and small facts of this deployment."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Text

from storage.tables.base import CODE, ID, col, own_id, ref, sealed, table
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
)
user_sessions = table(
    "user_sessions",
    "reference",
    Column("digest", String(64), primary_key=True),
    ref("user_id", "users"),
    col("created_at", Instant),
    col("seen_at", Instant),
    col("ended_at", Instant, null=True),
    Index(None, "user_id"),
)
login_attempts = table(
    "login_attempts",
    "intake",
    own_id(),
    col("subject", String(64)),
    col("at", Instant),
    col("good", Boolean),
    Index(None, "subject", "at"),
)
audit = table(
    "audit",
    "intake",
    own_id(),
    col("at", Instant),
    col("actor_kind", CODE),
    col("actor_id", ID, null=True),
    col("verb", CODE),
    col("object_kind", CODE),
    col("object_id", ID, null=True),
    col("school_id", ID, null=True),
    col("purpose", CODE),
    col("chain", String(64), null=True),
)
kept = table(
    "kept",
    "reference",
    Column("name", CODE, primary_key=True),
    col("value", Text),
    col("at", Instant),
)
"""Small facts of this deployment: content SIDs at Twilio, the demo mark, the blind-index check."""
