"""Backups, their copies, drills"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0019'
down_revision = '0018'

KINDS = ('periodic', 'close', 'before_upgrade', 'manual')
STATES = ('waiting', 'running', 'done', 'doubtful', 'failed')


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table('backup',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('kind', one_of('backupkind', *KINDS), nullable=False),
    sa.Column('state', one_of('backupstate', *STATES), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('taken_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('patients', sa.Integer(), nullable=False),
    sa.Column('visits', sa.Integer(), nullable=False),
    sa.Column('audit_seq', sa.Integer(), nullable=False),
    sa.Column('problem', sa.String(length=500), nullable=False),
    sa.CheckConstraint("state <> 'done' OR (name <> '' AND digest <> '')", name=op.f('ck_backup_done')),
    sa.ForeignKeyConstraint(['asked_by_id'], ['user_account.id'], name=op.f('fk_backup_asked_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backup')),
    sa.UniqueConstraint('public_id', name=op.f('uq_backup_public_id'))
    )
    op.create_index(op.f('ix_backup_state'), 'backup', ['state'])
    op.create_table('backup_copy',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('backup_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(length=300), nullable=False),
    sa.Column('state', one_of('copystate', 'good', 'bad', 'rotated'), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('tried_at', UtcDateTime(), nullable=False),
    sa.Column('reread_at', UtcDateTime(), nullable=True),
    sa.CheckConstraint("state <> 'bad' OR reason <> ''", name=op.f('ck_backup_copy_reason')),
    sa.ForeignKeyConstraint(['backup_id'], ['backup.id'], name=op.f('fk_backup_copy_backup_id_backup')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backup_copy')),
    sa.UniqueConstraint('backup_id', 'place', name=op.f('uq_backup_copy_backup_id_place'))
    )
    op.create_index('ix_backup_copy_place', 'backup_copy', ['place', 'id'])
    op.create_table('drill',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('kind', one_of('drillkind', 'nightly', 'paper'), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('is_good', sa.Boolean(), nullable=False),
    sa.Column('patients', sa.Integer(), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('problem', sa.String(length=500), nullable=False),
    sa.CheckConstraint("is_good OR problem <> ''", name=op.f('ck_drill_problem')),
    sa.ForeignKeyConstraint(['by_id'], ['user_account.id'], name=op.f('fk_drill_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drill')),
    sa.UniqueConstraint('public_id', name=op.f('uq_drill_public_id'))
    )
    op.create_index('ix_drill_newest', 'drill', ['kind', 'at'])


def downgrade() -> None:
    op.drop_table('drill')
    op.drop_table('backup_copy')
    op.drop_table('backup')
