"""When the internet was there"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = 'facts'
down_revision = '0021'


def upgrade() -> None:
    op.create_table('internet_span',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('target', sa.String(length=100), nullable=False),
    sa.Column('is_there', sa.Boolean(), nullable=False),
    sa.Column('began_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('failed_at', UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_internet_span'))
    )
    op.create_index('ix_internet_span_ended_at', 'internet_span', ['ended_at'])


def downgrade() -> None:
    op.drop_table('internet_span')
