"""Who did or saw what: rows that are appended and linked, never changed, never deleted.

The database itself refuses the rest by triggers. They are no wall against somebody who owns the
database (the chain and its heads are for that); they stop mistakes and injected statements. A later
revision that rebuilds one of these tables on SQLite must make its triggers anew.
"""

from sqlalchemy import DDL, Column, Index, String, event, text

from storage.tables.base import BIGINT, CODE, ID, col, own_id, table
from storage.types import Instant

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
    Column("seq", BIGINT, nullable=True),
    Index(None, "at"),
    Index(None, "seq", unique=True),
    Index(
        "ix_audit_waiting",
        "id",
        sqlite_where=text("seq IS NULL"),
        postgresql_where=text("seq IS NULL"),
    ),
)
"""`seq` and `chain` are written once, by `storage.trail.chaining`, after the row was committed."""
audit_heads = table(
    "audit_heads",
    "intake",
    own_id(),
    col("kind", CODE),
    col("at", Instant),
    col("count", BIGINT),
    col("chain", String(64)),
    col("mark", String(8)),
    col("mac", String(64)),
    Index(None, "at"),
)

SAME = (
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "verb",
    "object_kind",
    "object_id",
    "school_id",
    "purpose",
)
"""What an update of an audit row may not touch."""
GUARDS = (
    "audit_no_update",
    "audit_no_delete",
    "audit_heads_no_update",
    "audit_heads_no_delete",
)
"""The triggers both databases have, by name; PostgreSQL also has two against TRUNCATE."""


def sqlite_guards() -> tuple[str, ...]:
    """The triggers for SQLite."""
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in SAME)
    linked = "OLD.seq IS NOT NULL OR OLD.chain IS NOT NULL OR NEW.seq IS NULL OR NEW.chain IS NULL"
    return (
        _sqlite("audit_no_update", "UPDATE ON audit", f" WHEN {changed} OR {linked}"),
        _sqlite("audit_no_delete", "DELETE ON audit", ""),
        _sqlite("audit_heads_no_update", "UPDATE ON audit_heads", ""),
        _sqlite("audit_heads_no_delete", "DELETE ON audit_heads", ""),
    )


def _sqlite(name: str, what: str, when: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {what}{when} "
        "BEGIN SELECT RAISE(ABORT, 'audit rows are only appended'); END"
    )


def postgresql_guards() -> tuple[str, ...]:
    """The function and the triggers for PostgreSQL."""
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in SAME)
    linked = "OLD.seq IS NOT NULL OR OLD.chain IS NOT NULL OR NEW.seq IS NULL OR NEW.chain IS NULL"
    refuse = "EXECUTE FUNCTION audit_refuse()"
    return (
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit rows are only appended'; END $$",
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit FOR EACH ROW "
        f"WHEN ({changed} OR {linked}) {refuse}",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW {refuse}",
        f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT {refuse}",
        f"CREATE TRIGGER audit_heads_no_update BEFORE UPDATE ON audit_heads FOR EACH ROW {refuse}",
        f"CREATE TRIGGER audit_heads_no_delete BEFORE DELETE ON audit_heads FOR EACH ROW {refuse}",
        "CREATE TRIGGER audit_heads_no_truncate BEFORE TRUNCATE ON audit_heads "
        f"FOR EACH STATEMENT {refuse}",
    )


def _attach() -> None:
    """Tables that are made without a migration, in tests, get the same triggers."""
    by_dialect = {"sqlite": sqlite_guards(), "postgresql": postgresql_guards()}
    for dialect, statements in by_dialect.items():
        for statement in statements:
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(audit.metadata, "after_create", ddl.execute_if(dialect=dialect))


_attach()
