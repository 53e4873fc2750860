"""Actions of an examination; reasons for unusual diagnoses; what finds a room's favourites"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0009'
down_revision = '0008'

PRIMARY_NOW = "is_primary AND ended_at IS NULL"


def upgrade() -> None:
    op.create_table('action_term',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('synonyms', sa.String(length=200), nullable=False),
    sa.Column('icd9_code', sa.String(length=8), nullable=False),
    sa.Column('rooms', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_action_term')),
    sa.UniqueConstraint('code', name=op.f('uq_action_term_code'))
    )
    op.create_table('procedure',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('examination_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('icd9_code', sa.String(length=8), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('recorded_at', UtcDateTime(), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('(ended_at IS NULL) = (ended_by_id IS NULL)', name=op.f('ck_procedure_ended')),
    sa.CheckConstraint('quantity BETWEEN 1 AND 99', name=op.f('ck_procedure_quantity')),
    sa.CheckConstraint("title <> ''", name=op.f('ck_procedure_title')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_procedure_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['examination_id'], ['examination.id'], name=op.f('fk_procedure_examination_id_examination')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['user_account.id'], name=op.f('fk_procedure_recorded_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_procedure')),
    sa.UniqueConstraint('public_id', name=op.f('uq_procedure_public_id'))
    )
    op.create_index(op.f('ix_procedure_examination_id'), 'procedure', ['examination_id'])
    op.add_column('diagnosis', sa.Column('warned_by', sa.String(length=16), server_default='', nullable=False))
    op.add_column('diagnosis', sa.Column('override_reason', sa.String(length=300), server_default='', nullable=False))
    op.create_index('uq_diagnosis_primary', 'diagnosis', ['examination_id'], unique=True,
                    sqlite_where=sa.text(PRIMARY_NOW), postgresql_where=sa.text(PRIMARY_NOW))
    op.create_index('ix_queue_entry_room', 'queue_entry', ['poli_id', 'id'])


def downgrade() -> None:
    op.drop_index('ix_queue_entry_room', 'queue_entry')
    op.drop_index('uq_diagnosis_primary', 'diagnosis')
    op.drop_column('diagnosis', 'override_reason')
    op.drop_column('diagnosis', 'warned_by')
    op.drop_table('procedure')
    op.drop_table('action_term')
