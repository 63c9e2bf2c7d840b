"""Keys: a second blind index while one rotates."""

revision = "0006_keys"
down_revision = "0005_care"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
