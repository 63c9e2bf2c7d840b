"""Addresses' letters in and out, delivery, timers."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, text

from storage.tables.base import BIGINT, CODE, ID, col, count, flag, own_id, ref, sealed, table
from storage.types import Instant

inbox_seen = table(
    "inbox_seen",
    "intake",
    Column("channel", CODE, primary_key=True),
    Column("account", CODE, primary_key=True),
    Column("digest", String(32), primary_key=True),
    rowid=False,
)
inbox = table(
    "inbox",
    "intake",
    own_id(),
    ref("address_id", "addresses"),
    col("channel", CODE),
    col("account", CODE),
    col("status", CODE),
    count("attempts"),
    sealed("body"),
    col("error", CODE, null=True),
    col("sent_at", Instant, null=True),
    col("received_at", Instant),
    col("retry_at", Instant, null=True),
    col("done_at", Instant, null=True),
    flag("redaction_planned"),
    # No question waited for it, or nobody but a person can read it.
    flag("for_staff"),
    Index(
        "ix_inbox_waiting",
        "address_id",
        sqlite_where=text("status = 'waiting'"),
        postgresql_where=text("status = 'waiting'"),
    ),
    Index(
        "ix_inbox_unplanned",
        "id",
        sqlite_where=text("redaction_planned = 0 AND channel <> 'telegram'"),
        postgresql_where=text("NOT redaction_planned AND channel <> 'telegram'"),
    ),
)
outbox = table(
    "outbox",
    "intake",
    own_id(),
    ref("address_id", "addresses"),
    ref("person_id", "persons", null=True),
    Column("key", String(200), nullable=False, unique=True),
    col("message_class", CODE),
    col("priority", Integer),
    col("seq", BIGINT),
    col("state", CODE),
    sealed("body"),
    col("not_before", Instant),
    col("expires_at", Instant),
    count("attempts"),
    count("fence"),
    col("lease_owner", CODE, null=True),
    col("lease_until", Instant, null=True),
    col("tried_at", Instant, null=True),
    col("provider_id", String(100), null=True),
    col("error", CODE, null=True),
    col("created_at", Instant),
    col("final_at", Instant, null=True),
    flag("redaction_planned"),
    Index(
        "ix_outbox_due",
        "priority",
        "not_before",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_outbox_leased",
        "lease_until",
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
    Index(
        "ix_outbox_line",
        "address_id",
        "seq",
        sqlite_where=text("final_at IS NULL"),
        postgresql_where=text("final_at IS NULL"),
    ),
    Index(None, "provider_id"),
    Index(
        "ix_outbox_unplanned",
        "id",
        sqlite_where=text(
            "redaction_planned = 0 AND provider_id IS NOT NULL AND final_at IS NOT NULL"
        ),
        postgresql_where=text(
            "NOT redaction_planned AND provider_id IS NOT NULL AND final_at IS NOT NULL"
        ),
    ),
)
dialogs = table(
    "dialogs",
    "intake",
    Column("address_id", ID, ForeignKey("addresses.id"), primary_key=True),
    sealed("body"),
    col("at", Instant),
    Index(None, "at"),
)
"""What stands on a phone's screen in a USSD session; gone some minutes after its last step."""
redactions = table(
    "redactions",
    "intake",
    own_id(),
    col("address_id", ID),
    col("provider_id", String(100)),
    count("media"),
    col("step", CODE),
    col("state", CODE),
    count("attempts"),
    col("due_at", Instant),
    col("error", CODE, null=True),
    Index(
        "ix_redactions_due",
        "due_at",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
    Index(None, "address_id"),
)
"""Messages a provider still holds, by the id of their inbox or outbox row; gone when it is done.

Nothing refers to the other tables, so a household can be erased while its messages are still being
taken away at the provider. A provider's id is a random name of its own (Twilio: `SM...`).
"""
delivery_events = table(
    "delivery_events",
    "intake",
    own_id(),
    col("outbox_id", ID, null=True),
    col("provider_id", String(100)),
    col("state", CODE, null=True),
    col("raw", CODE),
    col("error", CODE),
    col("at", Instant),
    flag("matched"),
    Index(
        "ix_delivery_events_orphan",
        "provider_id",
        sqlite_where=text("matched = 0"),
        postgresql_where=text("NOT matched"),
    ),
)
timers = table(
    "timers",
    "intake",
    Column("key", String(160), primary_key=True),
    col("kind", CODE),
    col("ref", ID),
    col("due_at", Instant),
    col("data", JSON),
    col("state", CODE),
    col("reason", CODE, null=True),
    col("done_at", Instant, null=True),
    Index(
        "ix_timers_due",
        "due_at",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
    Index(None, "ref"),
)
