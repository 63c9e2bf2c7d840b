"""What the answers mean and who acts: profiles, alerts, tasks."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String

from storage.tables.base import CODE, ID, col, count, flag, own_id, ref, sealed, table
from storage.types import Instant

child_state = table(
    "child_state",
    "household",
    Column("child_id", ID, ForeignKey("children.id"), primary_key=True),
    Column("wave_id", ID, ForeignKey("waves.id"), primary_key=True),
    Column("domain", CODE, primary_key=True),
    col("band", CODE),
    col("points", Integer, null=True),
    flag("disagree"),
    col("rules", CODE),
    col("as_of", Instant),
    rowid=False,
)
profiles = table(
    "profiles",
    "household",
    Column("child_id", ID, ForeignKey("children.id"), primary_key=True),
    Column("wave_id", ID, ForeignKey("waves.id"), primary_key=True),
    ref("school_id", "schools"),
    col("level", CODE),
    flag("urgent"),
    col("rules", CODE),
    sealed("body", null=False),
    col("as_of", Instant),
    Index(None, "school_id", "level"),
)
alerts = table(
    "alerts",
    "household",
    own_id(),
    Column("key", String(160), nullable=False, unique=True),
    Column("code", CODE, nullable=False, unique=True),
    ref("child_id", "children"),
    ref("school_id", "schools"),
    ref("wave_id", "waves"),
    col("level", CODE),
    col("rule", CODE),
    col("rules", CODE),
    col("state", CODE),
    ref("owner_id", "persons", null=True),
    col("opened_at", Instant),
    col("accepted_at", Instant, null=True),
    col("closed_at", Instant, null=True),
    col("outcome", CODE, null=True),
    sealed("reason"),
    count("round"),
    # Children's Act s110: whether it must be reported (yes, no; null: nobody has said yet), by
    # when, and the proof that it was.
    col("reportable", CODE, null=True),
    col("report_due_at", Instant, null=True),
    col("reported_at", Instant, null=True),
    col("authority", CODE, null=True),
    sealed("report_ref"),
    Index(None, "school_id", "state"),
    Index(None, "child_id"),
)
alert_events = table(
    "alert_events",
    "household",
    own_id(),
    ref("alert_id", "alerts"),
    col("kind", CODE),
    col("actor_id", ID, null=True),
    col("at", Instant),
    Index(None, "alert_id"),
)
tasks = table(
    "tasks",
    "household",
    own_id(),
    Column("key", String(160), nullable=False, unique=True),
    col("kind", CODE),
    ref("school_id", "schools", null=True),
    ref("child_id", "children", null=True),
    ref("person_id", "persons", null=True),
    ref("address_id", "addresses", null=True),
    ref("owner_id", "persons", null=True),
    col("ref", ID, null=True),
    col("state", CODE),
    col("opened_at", Instant),
    col("due_at", Instant),
    col("closed_at", Instant, null=True),
    Index(None, "school_id", "state"),
)
