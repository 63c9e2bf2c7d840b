"""What people asked about their data, how it was decided, and the files made for them."""

from sqlalchemy import Column, Index, String

from storage.tables.base import CODE, ID, col, own_id, ref, sealed, table
from storage.types import Instant

requests = table(
    "requests",
    "household",
    own_id(),
    # One open request a person and kind: the key holds it until it is decided.
    Column("key", String(160), nullable=False, unique=True),
    col("kind", CODE),
    ref("household_id", "households", null=True),
    ref("person_id", "persons", null=True),
    ref("child_id", "children", null=True),
    ref("school_id", "schools", null=True),
    # Where she asked from; no reference, so that a stranger's address can still be forgotten.
    col("address_id", ID, null=True),
    col("way", CODE),
    col("received_at", Instant),
    col("due_at", Instant),
    col("state", CODE),
    col("identity_how", CODE, null=True),
    col("identity_by", ID, null=True),
    col("identity_at", Instant, null=True),
    col("decided_by", ID, null=True),
    col("second_by", ID, null=True),
    col("decided_at", Instant, null=True),
    col("ground", CODE, null=True),
    sealed("decision"),
    sealed("note"),
    Index(None, "state", "due_at"),
    Index(None, "person_id"),
    Index(None, "household_id"),
)
exports = table(
    "exports",
    "household",
    own_id(),
    col("kind", CODE),
    ref("request_id", "requests", null=True),
    ref("household_id", "households", null=True),
    ref("person_id", "persons", null=True),
    ref("school_id", "schools", null=True),
    col("made_by", ID, null=True),
    col("purpose", CODE),
    col("made_at", Instant),
    col("expires_at", Instant),
    col("gone_at", Instant, null=True),
    Index(None, "expires_at"),
    Index(None, "household_id"),
)
"""Files made for one reader, sealed under DATA_DIR/exports, gone within a day."""
disputes = table(
    "disputes",
    "household",
    own_id(),
    ref("session_id", "sessions"),
    col("item", CODE),
    ref("child_id", "children", null=True),
    ref("request_id", "requests", null=True),
    col("at", Instant),
    col("ended_at", Instant, null=True),
    Index(None, "session_id"),
    Index(None, "child_id"),
)
"""Answers somebody says are wrong: shown beside them wherever they are read (POPIA s24(2)(d))."""
legal_holds = table(
    "legal_holds",
    "household",
    own_id(),
    ref("household_id", "households"),
    sealed("reason", null=False),
    col("set_by", ID),
    col("from_at", Instant),
    col("until_at", Instant, null=True),
    Index(None, "household_id"),
)
"""Households whose rows must stay, whatever is asked or due; open-ended until somebody ends it."""
