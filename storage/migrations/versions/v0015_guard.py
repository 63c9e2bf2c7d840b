"""What the guards count of an address, and which letters staff read."""

import sqlalchemy as sa
from alembic import op

revision = "0015_guard"
down_revision = "0014_dialogs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("addresses", sa.Column("guard", sa.JSON(none_as_null=True), nullable=True))
    op.add_column(
        "inbox",
        sa.Column("for_staff", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )


def downgrade() -> None:
    op.drop_column("inbox", "for_staff")
    op.drop_column("addresses", "guard")
