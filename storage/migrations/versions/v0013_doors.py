"""More doors into enrolment: where proof of consent is kept, several JOIN codes a child."""

import sqlalchemy as sa
from alembic import op

revision = "0013_doors"
down_revision = "0012_own_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("witness_role", "proof"):
        op.add_column("consents", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.create_index(op.f("ix_join_codes_child_id"), "join_codes", ["child_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_join_codes_child_id"), table_name="join_codes")
    for name in ("proof", "witness_role"):
        op.drop_column("consents", name)
