"""What is typed in an examination and not saved yet"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    op.create_table('unsaved_text',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=12), nullable=False),
    sa.Column('step', sa.Integer(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('typed_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['entry_id'], ['queue_entry.id'], name=op.f('fk_unsaved_text_entry_id_queue_entry')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_unsaved_text_user_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unsaved_text')),
    sa.UniqueConstraint('user_id', 'entry_id', 'key', name=op.f('uq_unsaved_text_user_id_entry_id_key'))
    )


def downgrade() -> None:
    op.drop_table("unsaved_text")
