"""Critical results that were corrected are found at once, for the room that may have acted on them"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'

CORRECTED = sa.text("ended_at IS NOT NULL AND flag IN ('critical_low', 'critical_high', 'critical')")


def upgrade() -> None:
    op.create_index(
        'ix_lab_result_corrected', 'lab_result', ['order_id'],
        sqlite_where=CORRECTED, postgresql_where=CORRECTED,
    )


def downgrade() -> None:
    op.drop_index('ix_lab_result_corrected', 'lab_result')
