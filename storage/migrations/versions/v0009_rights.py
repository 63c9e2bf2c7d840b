"""Requests of people about their data, legal holds."""

revision = "0009_rights"
down_revision = "0008_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
