"""Questionnaire versions, assignments, sessions, answers and events."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Text, text

from storage.tables.base import CODE, ID, col, own_id, ref, sealed, table
from storage.types import Instant

content_versions = table(
    "content_versions",
    "reference",
    Column("version", CODE, primary_key=True),
    col("form_id", CODE),
    col("definition", Text),
    col("published_at", Instant),
)
text_revisions = table(
    "text_revisions",
    "reference",
    Column("version", CODE, primary_key=True),
    Column("language", CODE, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    col("texts", JSON),
    col("state", CODE),
    col("digest", CODE),
    col("published_at", Instant),
)
assignments = table(
    "assignments",
    "household",
    own_id(),
    Column("key", String(160), nullable=False, unique=True),
    ref("person_id", "persons"),
    ref("child_id", "children", null=True),
    ref("class_id", "classes", null=True),
    ref("wave_id", "waves"),
    col("form_id", CODE),
    col("state", CODE),
    col("reason", CODE, null=True),
    col("priority", Integer),
    col("created_at", Instant),
    col("offered_at", Instant, null=True),
    col("ended_at", Instant, null=True),
    Index(None, "person_id", "state"),
)
sessions = table(
    "sessions",
    "household",
    own_id(),
    ref("address_id", "addresses"),
    ref("person_id", "persons", null=True),
    ref("assignment_id", "assignments", null=True),
    ref("child_id", "children", null=True),
    ref("class_id", "classes", null=True),
    ref("household_id", "households", null=True),
    ref("wave_id", "waves", null=True),
    col("form_id", CODE),
    col("version", CODE),
    col("status", CODE),
    sealed("state", null=False),
    col("rev", Integer),
    col("started_at", Instant),
    col("changed_at", Instant),
    col("ended_at", Instant, null=True),
    # Its events were let go: somebody named in them was erased, or their time had come.
    col("cut_at", Instant, null=True),
    Index("ix_sessions_open", "address_id", "status"),
    Index(None, "person_id", "status"),
    Index(None, "child_id", "wave_id"),
    Index(None, "class_id", "wave_id"),
    Index(
        "ix_sessions_quiet",
        "changed_at",
        sqlite_where=text("status = 'open'"),
        postgresql_where=text("status = 'open'"),
    ),
)
answers = table(
    "answers",
    "household",
    Column("session_id", ID, ForeignKey("sessions.id"), primary_key=True),
    Column("item", CODE, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    ref("child_id", "children", null=True),
    ref("household_id", "households", null=True),
    ref("wave_id", "waves", null=True),
    col("form_id", CODE),
    col("informant", CODE),
    col("state", CODE),
    col("value", Text, null=True),
    sealed("text"),
    col("version", CODE),
    col("language", CODE),
    col("text_revision", Integer),
    col("mode", CODE),
    col("helper_id", ID, null=True),
    col("at", Instant),
    Index(None, "child_id", "wave_id"),
    rowid=False,
)
events = table(
    "events",
    "household",
    Column("session_id", ID, ForeignKey("sessions.id"), primary_key=True),
    Column("rev", Integer, primary_key=True, autoincrement=False),
    col("kind", CODE),
    sealed("body", null=False),
    col("at", Instant),
    rowid=False,
)
