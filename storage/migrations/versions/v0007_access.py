"""Accounts, codes, break-glass."""

import sqlalchemy as sa
from alembic import op

revision = "0007_access"
down_revision = "0006_keys"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("waits_for", sa.String(length=64), nullable=True))
    op.add_column("user_sessions", sa.Column("stepped_at", INSTANT, nullable=True))
    op.create_table(
        "user_codes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_codes")),
        sa.UniqueConstraint("digest", name=op.f("uq_user_codes_digest")),
    )
    op.create_index(
        op.f("ix_user_codes_user_id_kind"), "user_codes", ["user_id", "kind"], unique=False
    )
    op.create_table(
        "login_prompts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_prompts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_prompts")),
        sa.UniqueConstraint("browser", name=op.f("uq_login_prompts_browser")),
    )
    op.add_column("users", sa.Column("reopened_at", INSTANT, nullable=True))
    op.create_table(
        "break_glass",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("school_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("reviewed_at", INSTANT, nullable=True),
        sa.Column("reviewed_by", sa.String(length=32), nullable=True),
        sa.Column("finding", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["users.id"], name=op.f("fk_break_glass_reviewed_by")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_break_glass_school_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_break_glass_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
        sa.UniqueConstraint("code", name=op.f("uq_break_glass_code")),
    )
    op.create_index(op.f("ix_break_glass_user_id"), "break_glass", ["user_id"], unique=False)
    op.create_index(op.f("ix_break_glass_school_id"), "break_glass", ["school_id"], unique=False)


def downgrade() -> None:
    op.drop_table("break_glass")
    op.drop_column("users", "reopened_at")
    op.drop_table("login_prompts")
    op.drop_table("user_codes")
    op.drop_column("user_sessions", "stepped_at")
    op.drop_column("users", "waits_for")
