"""Papers that were handed out"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0008'
down_revision = '0007'

# What was printed stays as it was, whoever writes to the database.
_KEPT = "kind, number, visit_id, examination_id, subject, form_key, fields, content, issued_at, issued_by_id"
SQLITE_GUARDS = [
    f"""
    CREATE TRIGGER paper_no_rewrite BEFORE UPDATE OF {_KEPT} ON paper
    BEGIN SELECT RAISE(ABORT, 'a paper is cancelled or replaced, never changed'); END
    """,
]
POSTGRESQL_GUARDS = [
    """
    CREATE FUNCTION paper_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a paper is cancelled or replaced, never changed'; END $$
    """,
    f"""
    CREATE TRIGGER paper_no_rewrite BEFORE UPDATE OF {_KEPT} ON paper
    FOR EACH ROW EXECUTE FUNCTION paper_guard()
    """,
]


def upgrade() -> None:
    op.create_table('paper',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.Enum('ringkasan', 'sakit', 'sehat', 'rujukan', 'rujukan-internal', 'lab', name='paperkind', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('number', sa.String(length=60), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('examination_id', sa.Integer(), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('form_key', sa.String(length=64), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('issued_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('issued_by_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('issued', 'replaced', 'cancelled', name='paperstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('replaces_id', sa.Integer(), nullable=True),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.Column('end_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(state = 'issued') = (ended_at IS NULL) AND (state = 'issued') = (ended_by_id IS NULL) AND (state = 'issued') = (end_reason = '')", name=op.f('ck_paper_ended')),
    sa.CheckConstraint("number <> ''", name=op.f('ck_paper_number')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_paper_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['examination_id'], ['examination.id'], name=op.f('fk_paper_examination_id_examination')),
    sa.ForeignKeyConstraint(['issued_by_id'], ['user_account.id'], name=op.f('fk_paper_issued_by_id_user_account')),
    sa.ForeignKeyConstraint(['replaces_id'], ['paper.id'], name=op.f('fk_paper_replaces_id_paper')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_paper_visit_id_visit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper')),
    sa.UniqueConstraint('form_key', name=op.f('uq_paper_form_key')),
    sa.UniqueConstraint('number', name=op.f('uq_paper_number')),
    sa.UniqueConstraint('public_id', name=op.f('uq_paper_public_id')),
    sa.UniqueConstraint('replaces_id', name=op.f('uq_paper_replaces_id'))
    )
    op.create_index(op.f('ix_paper_visit_id'), 'paper', ['visit_id'], unique=False)
    op.create_index('uq_paper_in_force', 'paper', ['examination_id', 'kind', 'subject'], unique=True, sqlite_where=sa.text("state = 'issued'"), postgresql_where=sa.text("state = 'issued'"))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_GUARDS if is_sqlite else POSTGRESQL_GUARDS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table('paper')
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION paper_guard()")
