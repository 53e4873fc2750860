"""Which page of a visit something is typed on"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    op.add_column(
        'unsaved_text',
        sa.Column('page', sa.String(length=12), server_default='', nullable=False),
    )


def downgrade() -> None:
    op.drop_column('unsaved_text', 'page')
