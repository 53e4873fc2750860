"""The steps that close a service day"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    op.create_table('closing_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service_day_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.Enum('visits', 'backup', 'report', 'outbox', name='stepname', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'running', 'done', 'failed', 'outdated', name='stepstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=300), nullable=False),
    sa.Column('asked_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=True),
    sa.Column('started_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['asked_by_id'], ['user_account.id'], name=op.f('fk_closing_step_asked_by_id_user_account')),
    sa.ForeignKeyConstraint(['service_day_id'], ['service_day.id'], name=op.f('fk_closing_step_service_day_id_service_day')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closing_step')),
    sa.UniqueConstraint('service_day_id', 'name', name=op.f('uq_closing_step_service_day_id_name'))
    )


def downgrade() -> None:
    op.drop_table("closing_step")
