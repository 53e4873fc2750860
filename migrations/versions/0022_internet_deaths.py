"""When the internet was there; where a JKN member is registered; deaths"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0022'
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
    op.add_column('examination', sa.Column('death', sa.String(length=12), server_default='', nullable=False))
    op.add_column('examination', sa.Column('death_time', sa.String(length=5), server_default='', nullable=False))
    told = {'sqlite_where': sa.text("death <> ''"), 'postgresql_where': sa.text("death <> ''")}
    op.create_index('ix_examination_death', 'examination', ['visit_id'], **told)
    op.add_column('visit', sa.Column('bpjs_home', sa.String(length=4), server_default='', nullable=False))


def downgrade() -> None:
    op.drop_index('ix_examination_death', 'examination')
    op.drop_column('examination', 'death_time')
    op.drop_column('examination', 'death')
    op.drop_column('visit', 'bpjs_home')
    op.drop_table('internet_span')
