"""Paper slips, and when a registration's form was opened"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    op.create_table(
        'slip_block',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=36), nullable=False),
        sa.Column('form_key', sa.String(length=64), nullable=False),
        sa.Column('first_number', sa.Integer(), nullable=False),
        sa.Column('last_number', sa.Integer(), nullable=False),
        sa.Column('printed_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('printed_by_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['printed_by_id'], ['user_account.id'], name='fk_slip_block_printed_by_id_user_account'
        ),
        sa.PrimaryKeyConstraint('id', name='pk_slip_block'),
        sa.UniqueConstraint('public_id', name='uq_slip_block_public_id'),
        sa.UniqueConstraint('form_key', name='uq_slip_block_form_key'),
        sa.UniqueConstraint('first_number', name='uq_slip_block_first_number'),
        sa.UniqueConstraint('last_number', name='uq_slip_block_last_number'),
    )
    op.create_table(
        'slip',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('block_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('visit_id', sa.Integer(), nullable=True),
        sa.Column('was_served', sa.Boolean(), nullable=False),
        sa.Column('unwritten_since', UtcDateTime(timezone=True), nullable=True),
        sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('ended_by_id', sa.Integer(), nullable=True),
        sa.Column('void_reason', sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(['block_id'], ['slip_block.id'], name='fk_slip_block_id_slip_block'),
        sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name='fk_slip_visit_id_visit'),
        sa.ForeignKeyConstraint(
            ['ended_by_id'], ['user_account.id'], name='fk_slip_ended_by_id_user_account'
        ),
        sa.PrimaryKeyConstraint('id', name='pk_slip'),
        sa.UniqueConstraint('number', name='uq_slip_number'),
        sa.UniqueConstraint('visit_id', name='uq_slip_visit_id'),
    )
    op.create_index('ix_slip_block_id', 'slip', ['block_id'])
    op.create_index(
        'ix_slip_unwritten',
        'slip',
        ['visit_id'],
        sqlite_where=sa.text('unwritten_since IS NOT NULL'),
        postgresql_where=sa.text('unwritten_since IS NOT NULL'),
    )
    op.add_column(
        'registration_draft', sa.Column('paper', sa.JSON(), server_default='{}', nullable=False)
    )
    op.add_column(
        'registration_draft', sa.Column('opened_at', UtcDateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column('registration_draft', 'opened_at')
    op.drop_column('registration_draft', 'paper')
    op.drop_table('slip')
    op.drop_table('slip_block')
