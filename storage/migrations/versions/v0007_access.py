"""Accounts, codes, break-glass."""

revision = "0007_access"
down_revision = "0006_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
