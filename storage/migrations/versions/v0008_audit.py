"""The audit chain and its heads."""

revision = "0008_audit"
down_revision = "0007_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
