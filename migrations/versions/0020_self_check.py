"""What the daily self-check found"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0020'
down_revision = '0019'


def upgrade() -> None:
    op.create_table('self_check',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('checked_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('figures', sa.String(length=120), nullable=False),
    sa.Column('sentence', sa.String(length=300), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_self_check'))
    )
    op.create_index('ix_self_check_name', 'self_check', ['name', 'checked_at'])


def downgrade() -> None:
    op.drop_table('self_check')
