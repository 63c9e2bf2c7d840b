"""Keys: a second blind index of addresses while its key rotates."""

import sqlalchemy as sa
from alembic import op

revision = "0006_keys"
down_revision = "0005_care"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("addresses", sa.Column("blind2", sa.String(length=32), nullable=True))
    op.create_index(
        "ix_addresses_blind2",
        "addresses",
        ["channel", "account", "blind2"],
        unique=True,
        sqlite_where=sa.text("blind2 IS NOT NULL"),
        postgresql_where=sa.text("blind2 IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_addresses_blind2", table_name="addresses")
    op.drop_column("addresses", "blind2")
