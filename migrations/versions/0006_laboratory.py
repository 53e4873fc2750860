"""Laboratory: tests with their ranges, orders, results"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('lab_test',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('group_name', sa.String(length=40), nullable=False),
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('kind', sa.Enum('numeric', 'choice', 'text', name='labkind', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('decimals', sa.Integer(), nullable=False),
    sa.Column('choices', sa.Text(), nullable=False),
    sa.Column('abnormal', sa.Text(), nullable=False),
    sa.Column('plausible_low', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('plausible_high', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('loinc', sa.String(length=12), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind <> 'choice' OR choices <> ''", name=op.f('ck_lab_test_choices')),
    sa.CheckConstraint('decimals BETWEEN 0 AND 4', name=op.f('ck_lab_test_decimals')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lab_test')),
    sa.UniqueConstraint('code', name=op.f('uq_lab_test_code'))
    )
    op.create_table('lab_reference',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('test_id', sa.Integer(), nullable=False),
    sa.Column('sex', sa.String(length=1), nullable=False),
    sa.Column('age_from_months', sa.Integer(), nullable=False),
    sa.Column('age_below_months', sa.Integer(), nullable=True),
    sa.Column('low', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('high', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('critical_low', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('critical_high', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.CheckConstraint("sex IN ('', 'L', 'P')", name=op.f('ck_lab_reference_sex')),
    sa.CheckConstraint('age_below_months > age_from_months', name=op.f('ck_lab_reference_ages')),
    sa.CheckConstraint('age_from_months >= 0', name=op.f('ck_lab_reference_age_from')),
    sa.CheckConstraint('critical_high > high', name=op.f('ck_lab_reference_critical_high')),
    sa.CheckConstraint('critical_low < critical_high', name=op.f('ck_lab_reference_critical')),
    sa.CheckConstraint('critical_low < low', name=op.f('ck_lab_reference_critical_low')),
    sa.CheckConstraint('low <= high', name=op.f('ck_lab_reference_range')),
    sa.ForeignKeyConstraint(['test_id'], ['lab_test.id'], name=op.f('fk_lab_reference_test_id_lab_test')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lab_reference'))
    )
    op.create_index('uq_lab_reference_in_force', 'lab_reference', ['test_id', 'sex', 'age_from_months'], unique=True, sqlite_where=sa.text('is_active'), postgresql_where=sa.text('is_active'))
    op.create_table('lab_order',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('ordered', 'sampled', 'resulted', 'validated', 'cancelled', name='laborderstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('needs_validation', sa.Boolean(), nullable=False),
    sa.Column('ordered_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('ordered_by_id', sa.Integer(), nullable=False),
    sa.Column('resulted_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('cancelled_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('cancelled_by_id', sa.Integer(), nullable=True),
    sa.Column('cancel_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL) AND (state = 'cancelled') = (cancelled_by_id IS NOT NULL) AND (state = 'cancelled') = (cancel_reason <> '')", name=op.f('ck_lab_order_cancelled')),
    sa.CheckConstraint("(state IN ('resulted', 'validated')) = (resulted_at IS NOT NULL)", name=op.f('ck_lab_order_resulted')),
    sa.ForeignKeyConstraint(['cancelled_by_id'], ['user_account.id'], name=op.f('fk_lab_order_cancelled_by_id_user_account')),
    sa.ForeignKeyConstraint(['entry_id'], ['queue_entry.id'], name=op.f('fk_lab_order_entry_id_queue_entry')),
    sa.ForeignKeyConstraint(['ordered_by_id'], ['user_account.id'], name=op.f('fk_lab_order_ordered_by_id_user_account')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_lab_order_visit_id_visit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lab_order')),
    sa.UniqueConstraint('public_id', name=op.f('uq_lab_order_public_id'))
    )
    op.create_index(op.f('ix_lab_order_visit_id'), 'lab_order', ['visit_id'], unique=False)
    op.create_index('uq_lab_order_entry', 'lab_order', ['entry_id'], unique=True, sqlite_where=sa.text("state <> 'cancelled'"), postgresql_where=sa.text("state <> 'cancelled'"))
    op.create_table('lab_order_test',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('test_id', sa.Integer(), nullable=False),
    sa.Column('sampled_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('sampled_by_id', sa.Integer(), nullable=True),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.Column('not_done_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("ended_at IS NOT NULL OR not_done_reason = ''", name=op.f('ck_lab_order_test_not_done')),
    sa.CheckConstraint('(ended_at IS NULL) = (ended_by_id IS NULL)', name=op.f('ck_lab_order_test_ended')),
    sa.CheckConstraint('(sampled_at IS NULL) = (sampled_by_id IS NULL)', name=op.f('ck_lab_order_test_sampled')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_lab_order_test_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['order_id'], ['lab_order.id'], name=op.f('fk_lab_order_test_order_id_lab_order')),
    sa.ForeignKeyConstraint(['sampled_by_id'], ['user_account.id'], name=op.f('fk_lab_order_test_sampled_by_id_user_account')),
    sa.ForeignKeyConstraint(['test_id'], ['lab_test.id'], name=op.f('fk_lab_order_test_test_id_lab_test')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lab_order_test')),
    sa.UniqueConstraint('public_id', name=op.f('uq_lab_order_test_public_id'))
    )
    op.create_index(op.f('ix_lab_order_test_order_id'), 'lab_order_test', ['order_id'], unique=False)
    op.create_index('uq_lab_order_test_asked', 'lab_order_test', ['order_id', 'test_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table('lab_result',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('test_id', sa.Integer(), nullable=False),
    sa.Column('value', sa.String(length=500), nullable=False),
    sa.Column('number', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('flag', sa.Enum('normal', 'low', 'high', 'critical_low', 'critical_high', 'abnormal', name='labflag', native_enum=False, create_constraint=True, length=24), nullable=True),
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('low', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('high', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('critical_low', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('critical_high', sa.Numeric(precision=12, scale=4), nullable=True),
    sa.Column('sampled_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('sampled_by_id', sa.Integer(), nullable=False),
    sa.Column('resulted_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('resulted_by_id', sa.Integer(), nullable=False),
    sa.Column('validated_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('validated_by_id', sa.Integer(), nullable=True),
    sa.Column('read_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('read_by_id', sa.Integer(), nullable=True),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.Column('end_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL) AND (ended_at IS NULL) = (end_reason = '')", name=op.f('ck_lab_result_ended')),
    sa.CheckConstraint("flag IS NULL OR flag IN ('normal', 'abnormal') OR number IS NOT NULL", name=op.f('ck_lab_result_number')),
    sa.CheckConstraint("value <> ''", name=op.f('ck_lab_result_value')),
    sa.CheckConstraint('(read_at IS NULL) = (read_by_id IS NULL)', name=op.f('ck_lab_result_read')),
    sa.CheckConstraint('(validated_at IS NULL) = (validated_by_id IS NULL)', name=op.f('ck_lab_result_validated')),
    sa.CheckConstraint('validated_by_id <> resulted_by_id', name=op.f('ck_lab_result_second_person')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_lab_result_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['order_id'], ['lab_order.id'], name=op.f('fk_lab_result_order_id_lab_order')),
    sa.ForeignKeyConstraint(['read_by_id'], ['user_account.id'], name=op.f('fk_lab_result_read_by_id_user_account')),
    sa.ForeignKeyConstraint(['resulted_by_id'], ['user_account.id'], name=op.f('fk_lab_result_resulted_by_id_user_account')),
    sa.ForeignKeyConstraint(['sampled_by_id'], ['user_account.id'], name=op.f('fk_lab_result_sampled_by_id_user_account')),
    sa.ForeignKeyConstraint(['test_id'], ['lab_test.id'], name=op.f('fk_lab_result_test_id_lab_test')),
    sa.ForeignKeyConstraint(['validated_by_id'], ['user_account.id'], name=op.f('fk_lab_result_validated_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lab_result')),
    sa.UniqueConstraint('public_id', name=op.f('uq_lab_result_public_id'))
    )
    op.create_index('ix_lab_result_order', 'lab_result', ['order_id'], unique=False)
    op.create_index('ix_lab_result_unread', 'lab_result', ['order_id'], unique=False, sqlite_where=sa.text("ended_at IS NULL AND read_at IS NULL AND flag IN ('critical_low', 'critical_high')"), postgresql_where=sa.text("ended_at IS NULL AND read_at IS NULL AND flag IN ('critical_low', 'critical_high')"))
    op.create_index('uq_lab_result_current', 'lab_result', ['order_id', 'test_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))


def downgrade() -> None:
    op.drop_table("lab_result")
    op.drop_table("lab_order_test")
    op.drop_table("lab_order")
    op.drop_table("lab_reference")
    op.drop_table("lab_test")

