"""The consent ledger: which words, which partners, who saw it, who wrote it down."""

import sqlalchemy as sa
from alembic import op

revision = "0010_consent"
down_revision = "0009_rights"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW = (
    ("text_digest", sa.String(length=64)),
    ("partners_version", sa.String(length=64)),
    ("witness_name", sa.LargeBinary()),
    ("helper_id", sa.String(length=32)),
    ("recorded_by", sa.String(length=32)),
    ("recorded_at", INSTANT),
)

# Whom staff entered, and who is to be invited still, had agreed on paper that we write to her. The
# assignment's id is free among the ledger's.
AGREED_ON_PAPER = """
    insert into consents
        (id, person_id, child_id, purpose, granted, capacity, text_version, language, channel, mode,
         at, recorded_at)
    select a.id, a.person_id, a.child_id, 'contact', true, 'unknown', 'unknown', p.language, 'none',
           'paper', a.created_at, a.created_at
    from assignments a join persons p on p.id = a.person_id
    where a.form_id = 'enrolment' and a.reason = 'staff_entry' and a.child_id is not null
"""


def upgrade() -> None:
    for name, kind in NEW:
        op.add_column("consents", sa.Column(name, kind, nullable=True))
    op.create_index(op.f("ix_consents_person_id"), "consents", ["person_id"], unique=False)
    op.execute(AGREED_ON_PAPER)


def downgrade() -> None:
    op.execute("delete from consents where purpose = 'contact'")
    op.drop_index(op.f("ix_consents_person_id"), table_name="consents")
    for name, _ in reversed(NEW):
        op.drop_column("consents", name)
