"""Why a triage note was corrected"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    op.add_column(
        'triage_note',
        sa.Column('end_reason', sa.String(length=300), server_default='', nullable=False),
    )


def downgrade() -> None:
    op.drop_column('triage_note', 'end_reason')
