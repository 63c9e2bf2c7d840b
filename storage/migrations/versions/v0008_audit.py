"""The audit chain and its heads; triggers that keep both append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0008_audit"
down_revision = "0007_access"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

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
LINKED = "OLD.seq IS NOT NULL OR OLD.chain IS NOT NULL OR NEW.seq IS NULL OR NEW.chain IS NULL"
TRIGGERS = (
    ("audit", "update"),
    ("audit", "delete"),
    ("audit_heads", "update"),
    ("audit_heads", "delete"),
)


def upgrade() -> None:
    op.add_column("audit", sa.Column("seq", INSTANT, nullable=True))
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_seq"), "audit", ["seq"], unique=True)
    op.create_index(
        "ix_audit_waiting",
        "audit",
        ["id"],
        unique=False,
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("count", INSTANT, nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=8), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_heads")),
    )
    op.create_index(op.f("ix_audit_heads_at"), "audit_heads", ["at"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in SAME)
    for table, what in TRIGGERS:
        when = f" WHEN {changed} OR {LINKED}" if (table, what) == ("audit", "update") else ""
        op.execute(
            f"CREATE TRIGGER {table}_no_{what} BEFORE {what.upper()} ON {table}{when} "
            "BEGIN SELECT RAISE(ABORT, 'audit rows are only appended'); END"
        )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit rows are only appended'; END $$"
    )
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in SAME)
    for table, what in (*TRIGGERS, ("audit", "truncate"), ("audit_heads", "truncate")):
        when = f" WHEN ({changed} OR {LINKED})" if (table, what) == ("audit", "update") else ""
        each = "STATEMENT" if what == "truncate" else "ROW"
        op.execute(
            f"CREATE TRIGGER {table}_no_{what} BEFORE {what.upper()} ON {table} "
            f"FOR EACH {each}{when} EXECUTE FUNCTION audit_refuse()"
        )


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table, what in TRIGGERS[:2]:
        op.execute(f"DROP TRIGGER {table}_no_{what}" + (f" ON {table}" if postgresql else ""))
    if postgresql:
        op.execute("DROP TRIGGER audit_no_truncate ON audit")
    op.drop_table("audit_heads")
    if postgresql:
        op.execute("DROP FUNCTION audit_refuse()")
    op.drop_index("ix_audit_waiting", table_name="audit")
    op.drop_index(op.f("ix_audit_seq"), table_name="audit")
    op.drop_index(op.f("ix_audit_at"), table_name="audit")
    op.drop_column("audit", "seq")
