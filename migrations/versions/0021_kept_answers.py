"""Pages that answered a form which was not stored"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0021'
down_revision = '0020'


def upgrade() -> None:
    op.create_table('kept_answer',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=12), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('page', sa.LargeBinary(), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_kept_answer_user_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kept_answer')),
    sa.UniqueConstraint('key', name=op.f('uq_kept_answer_key'))
    )


def downgrade() -> None:
    op.drop_table('kept_answer')
