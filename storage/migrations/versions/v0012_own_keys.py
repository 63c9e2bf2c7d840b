"""Senders of whom we know no household yet get a data key of their own: its id."""

import sqlalchemy as sa
from alembic import op

revision = "0012_own_keys"
down_revision = "0011_redaction"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("addresses", "person_address"):
        op.add_column(name, sa.Column("key_id", sa.String(length=32), nullable=True))


def downgrade() -> None:
    for name in ("person_address", "addresses"):
        op.drop_column(name, "key_id")
