"""What stands on a phone's screen in a USSD session."""

import sqlalchemy as sa
from alembic import op

revision = "0014_dialogs"
down_revision = "0013_doors"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dialogs",
        sa.Column("address_id", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["address_id"], ["addresses.id"], name=op.f("fk_dialogs_address_id")
        ),
        sa.PrimaryKeyConstraint("address_id", name=op.f("pk_dialogs")),
    )
    op.create_index(op.f("ix_dialogs_at"), "dialogs", ["at"], unique=False)


def downgrade() -> None:
    op.drop_table("dialogs")
