"""Corrections of finished examinations"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0005'
down_revision = '0004'

DECIDED = "a decided amendment is never changed"
KEPT = "an amendment is never changed"
SQLITE_GUARDS = [
    f"""
    CREATE TRIGGER amendment_decided_once BEFORE UPDATE ON amendment WHEN OLD.state <> 'waiting'
    BEGIN SELECT RAISE(ABORT, '{DECIDED}'); END
    """,
    f"""
    CREATE TRIGGER amendment_no_delete BEFORE DELETE ON amendment
    BEGIN SELECT RAISE(ABORT, '{KEPT}'); END
    """,
    f"""
    CREATE TRIGGER amendment_line_no_update BEFORE UPDATE ON amendment_line
    BEGIN SELECT RAISE(ABORT, '{KEPT}'); END
    """,
    f"""
    CREATE TRIGGER amendment_line_no_delete BEFORE DELETE ON amendment_line
    BEGIN SELECT RAISE(ABORT, '{KEPT}'); END
    """,
]
POSTGRESQL_GUARDS = [
    f"""
    CREATE FUNCTION amendment_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{KEPT}'; END $$
    """,
    """
    CREATE TRIGGER amendment_decided_once BEFORE UPDATE ON amendment
    FOR EACH ROW WHEN (OLD.state <> 'waiting') EXECUTE FUNCTION amendment_guard()
    """,
    """
    CREATE TRIGGER amendment_no_delete BEFORE DELETE ON amendment
    FOR EACH ROW EXECUTE FUNCTION amendment_guard()
    """,
    """
    CREATE TRIGGER amendment_line_no_change BEFORE UPDATE OR DELETE ON amendment_line
    FOR EACH ROW EXECUTE FUNCTION amendment_guard()
    """,
]


def is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def upgrade() -> None:
    op.create_table('amendment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('examination_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('applied', 'waiting', 'refused', name='amendmentstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('requested_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('requested_by_id', sa.Integer(), nullable=False),
    sa.Column('decided_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decision_reason', sa.String(length=300), nullable=False),
    sa.Column('base_version', sa.Integer(), nullable=False),
    sa.Column('applied_version', sa.Integer(), nullable=True),
    sa.CheckConstraint('length(reason) > 0', name=op.f('ck_amendment_reason')),
    sa.CheckConstraint('(decided_at IS NULL) = (decided_by_id IS NULL)', name=op.f('ck_amendment_decided')),
    sa.CheckConstraint("(state = 'applied') = (applied_version IS NOT NULL)", name=op.f('ck_amendment_applied')),
    sa.CheckConstraint("state <> 'waiting' OR decided_at IS NULL", name=op.f('ck_amendment_waiting')),
    sa.CheckConstraint("state <> 'refused' OR (decided_at IS NOT NULL AND length(decision_reason) > 0)", name=op.f('ck_amendment_refused')),
    sa.CheckConstraint("state <> 'applied' OR decided_by_id IS NULL OR decided_by_id <> requested_by_id", name=op.f('ck_amendment_two_people')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['user_account.id'], name=op.f('fk_amendment_decided_by_id_user_account')),
    sa.ForeignKeyConstraint(['examination_id'], ['examination.id'], name=op.f('fk_amendment_examination_id_examination')),
    sa.ForeignKeyConstraint(['requested_by_id'], ['user_account.id'], name=op.f('fk_amendment_requested_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_amendment')),
    sa.UniqueConstraint('examination_id', 'applied_version', name=op.f('uq_amendment_examination_id_applied_version')),
    sa.UniqueConstraint('public_id', name=op.f('uq_amendment_public_id'))
    )
    op.create_index('ix_amendment_examination_id', 'amendment', ['examination_id'], unique=False)
    op.create_index('ix_amendment_state', 'amendment', ['state', 'id'], unique=False)
    op.create_index('uq_amendment_waiting', 'amendment', ['examination_id', 'requested_by_id'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('amendment_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('amendment_id', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(length=24), nullable=False),
    sa.Column('subject_ref', sa.String(length=36), nullable=False),
    sa.Column('result_ref', sa.String(length=36), nullable=False),
    sa.Column('old_value', sa.Text(), nullable=False),
    sa.Column('new_value', sa.Text(), nullable=False),
    sa.CheckConstraint('old_value <> new_value', name=op.f('ck_amendment_line_differs')),
    sa.ForeignKeyConstraint(['amendment_id'], ['amendment.id'], name=op.f('fk_amendment_line_amendment_id_amendment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_amendment_line')),
    sa.UniqueConstraint('amendment_id', 'field', 'subject_ref', name=op.f('uq_amendment_line_amendment_id_field_subject_ref'))
    )
    op.create_index('ix_amendment_line_amendment_id', 'amendment_line', ['amendment_id'], unique=False)
    for statement in SQLITE_GUARDS if is_sqlite() else POSTGRESQL_GUARDS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table('amendment_line')
    op.drop_table('amendment')
    if not is_sqlite():
        op.execute("DROP FUNCTION amendment_guard()")
