"""Stock and dispensing"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0012'
down_revision = '0011'


SQLITE_GUARDS = [
    """
    CREATE TRIGGER stock_move_no_update BEFORE UPDATE ON stock_move
    BEGIN SELECT RAISE(ABORT, 'a move of stock is never changed'); END
    """,
    """
    CREATE TRIGGER stock_move_no_delete BEFORE DELETE ON stock_move
    BEGIN SELECT RAISE(ABORT, 'a move of stock is never changed'); END
    """,
]
POSTGRESQL_GUARDS = [
    """
    CREATE FUNCTION stock_move_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a move of stock is never changed'; END $$
    """,
    """
    CREATE TRIGGER stock_move_no_change BEFORE UPDATE OR DELETE ON stock_move
    FOR EACH ROW EXECUTE FUNCTION stock_move_guard()
    """,
    """
    CREATE TRIGGER stock_move_no_truncate BEFORE TRUNCATE ON stock_move
    FOR EACH STATEMENT EXECUTE FUNCTION stock_move_guard()
    """,
]


def upgrade() -> None:
    op.create_table('stock_batch',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('medicine_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('balance', sa.Numeric(precision=12, scale=3), nullable=False),
    sa.Column('recorded_at', UtcDateTime(), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("number = '' OR expires_on IS NOT NULL", name=op.f('ck_stock_batch_expires_on')),
    sa.ForeignKeyConstraint(['medicine_id'], ['medicine.id'], name=op.f('fk_stock_batch_medicine_id_medicine')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['user_account.id'], name=op.f('fk_stock_batch_recorded_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_batch')),
    sa.UniqueConstraint('medicine_id', 'number', 'expires_on', name=op.f('uq_stock_batch_medicine_id_number_expires_on')),
    sa.UniqueConstraint('public_id', name=op.f('uq_stock_batch_public_id'))
    )
    op.create_index('uq_stock_batch_nameless', 'stock_batch', ['medicine_id'], unique=True, sqlite_where=sa.text("number = ''"), postgresql_where=sa.text("number = ''"))
    op.create_table('prescription_review',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('prescription_id', sa.Integer(), nullable=False),
    sa.Column('is_administrative', sa.Boolean(), nullable=False),
    sa.Column('is_pharmaceutical', sa.Boolean(), nullable=False),
    sa.Column('is_clinical', sa.Boolean(), nullable=False),
    sa.Column('problems', sa.String(length=500), nullable=False),
    sa.Column('reviewed_at', UtcDateTime(), nullable=False),
    sa.Column('reviewed_by_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("(is_administrative AND is_pharmaceutical AND is_clinical) OR problems <> ''", name=op.f('ck_prescription_review_problems')),
    sa.ForeignKeyConstraint(['prescription_id'], ['prescription.id'], name=op.f('fk_prescription_review_prescription_id_prescription')),
    sa.ForeignKeyConstraint(['reviewed_by_id'], ['user_account.id'], name=op.f('fk_prescription_review_reviewed_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prescription_review'))
    )
    op.create_index(op.f('ix_prescription_review_prescription_id'), 'prescription_review', ['prescription_id'], unique=False)
    op.create_table('dispensed_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('line_id', sa.Integer(), nullable=False),
    sa.Column('asked', sa.Numeric(precision=10, scale=3), nullable=False),
    sa.Column('given', sa.Numeric(precision=10, scale=3), nullable=False),
    sa.Column('is_outside', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('closed_at', UtcDateTime(), nullable=False),
    sa.Column('closed_by_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("given = asked OR is_outside OR reason <> ''", name=op.f('ck_dispensed_line_reason')),
    sa.CheckConstraint('NOT is_outside OR given = 0', name=op.f('ck_dispensed_line_outside')),
    sa.CheckConstraint('given >= 0 AND given <= asked', name=op.f('ck_dispensed_line_given')),
    sa.ForeignKeyConstraint(['closed_by_id'], ['user_account.id'], name=op.f('fk_dispensed_line_closed_by_id_user_account')),
    sa.ForeignKeyConstraint(['line_id'], ['prescription_line.id'], name=op.f('fk_dispensed_line_line_id_prescription_line')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispensed_line')),
    sa.UniqueConstraint('line_id', name=op.f('uq_dispensed_line_line_id'))
    )
    op.create_table('dispensing',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('line_id', sa.Integer(), nullable=False),
    sa.Column('component_id', sa.Integer(), nullable=True),
    sa.Column('medicine_id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=10, scale=3), nullable=False),
    sa.Column('given_at', UtcDateTime(), nullable=False),
    sa.Column('given_by_id', sa.Integer(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.Column('end_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL) AND (ended_at IS NULL) = (end_reason = '')", name=op.f('ck_dispensing_ended')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_dispensing_quantity')),
    sa.ForeignKeyConstraint(['batch_id'], ['stock_batch.id'], name=op.f('fk_dispensing_batch_id_stock_batch')),
    sa.ForeignKeyConstraint(['component_id'], ['prescription_component.id'], name=op.f('fk_dispensing_component_id_prescription_component')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_dispensing_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['given_by_id'], ['user_account.id'], name=op.f('fk_dispensing_given_by_id_user_account')),
    sa.ForeignKeyConstraint(['line_id'], ['prescription_line.id'], name=op.f('fk_dispensing_line_id_prescription_line')),
    sa.ForeignKeyConstraint(['medicine_id'], ['medicine.id'], name=op.f('fk_dispensing_medicine_id_medicine')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispensing')),
    sa.UniqueConstraint('public_id', name=op.f('uq_dispensing_public_id'))
    )
    op.create_index(op.f('ix_dispensing_line_id'), 'dispensing', ['line_id'], unique=False)
    op.create_index('uq_dispensing_held', 'dispensing', ['line_id', 'component_id', 'batch_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL AND component_id IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND component_id IS NOT NULL'))
    op.create_index('uq_dispensing_line', 'dispensing', ['line_id', 'batch_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL AND component_id IS NULL'), postgresql_where=sa.text('ended_at IS NULL AND component_id IS NULL'))
    op.create_table('stock_move',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('in', 'out', 'correction', 'expiry', 'return', name='stockmovekind', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=12, scale=3), nullable=False),
    sa.Column('balance_after', sa.Numeric(precision=12, scale=3), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('dispensing_id', sa.Integer(), nullable=True),
    sa.Column('key', sa.String(length=80), nullable=True),
    sa.Column('moved_at', UtcDateTime(), nullable=False),
    sa.Column('moved_by_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("balance_after >= 0 OR reason <> ''", name=op.f('ck_stock_move_never_negative')),
    sa.CheckConstraint("kind = 'correction' OR (quantity > 0) = (kind IN ('in', 'return'))", name=op.f('ck_stock_move_sign')),
    sa.CheckConstraint("kind NOT IN ('correction', 'expiry', 'return') OR reason <> ''", name=op.f('ck_stock_move_reason')),
    sa.CheckConstraint('quantity <> 0', name=op.f('ck_stock_move_quantity')),
    sa.ForeignKeyConstraint(['batch_id'], ['stock_batch.id'], name=op.f('fk_stock_move_batch_id_stock_batch')),
    sa.ForeignKeyConstraint(['dispensing_id'], ['dispensing.id'], name=op.f('fk_stock_move_dispensing_id_dispensing')),
    sa.ForeignKeyConstraint(['moved_by_id'], ['user_account.id'], name=op.f('fk_stock_move_moved_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_move')),
    sa.UniqueConstraint('key', name=op.f('uq_stock_move_key')),
    sa.UniqueConstraint('public_id', name=op.f('uq_stock_move_public_id'))
    )
    op.create_index(op.f('ix_stock_move_batch_id'), 'stock_move', ['batch_id'], unique=False)
    op.create_index(op.f('ix_stock_move_dispensing_id'), 'stock_move', ['dispensing_id'], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_GUARDS if is_sqlite else POSTGRESQL_GUARDS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("stock_move")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION stock_move_guard()")
    op.drop_table("dispensing")
    op.drop_table("dispensed_line")
    op.drop_table("prescription_review")
    op.drop_table("stock_batch")
