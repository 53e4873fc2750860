"""An index of what days cut off: the queue page counted them among all entries"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'


def upgrade() -> None:
    of_these = sa.text("state = 'unfinished'")
    op.create_index(
        'ix_queue_entry_unfinished',
        'queue_entry',
        ['poli_id', 'ended_at'],
        sqlite_where=of_these,
        postgresql_where=of_these,
    )


def downgrade() -> None:
    op.drop_index('ix_queue_entry_unfinished', 'queue_entry')
