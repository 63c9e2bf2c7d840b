"""The consent ledger."""

revision = "0010_consent"
down_revision = "0009_rights"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
