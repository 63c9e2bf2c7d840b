"""Messages a provider still holds, to be redacted and deleted there."""

import sqlalchemy as sa
from alembic import op

revision = "0011_redaction"
down_revision = "0010_consent"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "redactions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("address_id", sa.String(length=32), nullable=False),
        sa.Column("provider_id", sa.String(length=100), nullable=False),
        sa.Column("media", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redactions")),
    )
    op.create_index(
        "ix_redactions_due",
        "redactions",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(op.f("ix_redactions_address_id"), "redactions", ["address_id"], unique=False)
    for name in ("inbox", "outbox"):
        op.add_column(
            name,
            sa.Column(
                "redaction_planned", sa.Boolean(), server_default=sa.text("false"), nullable=False
            ),
        )
    op.create_index(
        "ix_inbox_unplanned",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("redaction_planned = 0 AND channel <> 'telegram'"),
        postgresql_where=sa.text("NOT redaction_planned AND channel <> 'telegram'"),
    )
    op.create_index(
        "ix_outbox_unplanned",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text(
            "redaction_planned = 0 AND provider_id IS NOT NULL AND final_at IS NOT NULL"
        ),
        postgresql_where=sa.text(
            "NOT redaction_planned AND provider_id IS NOT NULL AND final_at IS NOT NULL"
        ),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_unplanned", table_name="outbox")
    op.drop_index("ix_inbox_unplanned", table_name="inbox")
    for name in ("inbox", "outbox"):
        op.drop_column(name, "redaction_planned")
    op.drop_table("redactions")
