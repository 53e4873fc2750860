"""One person, one record: pairs, merges, imports, folder numbers"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0002'
down_revision = '0001'


# Before and from here on: a record that an import took back holds no NIK either.
NIK_COUNTED = "nik IS NOT NULL AND merged_into_id IS NULL AND NOT is_nik_disputed"
NIK_COUNTS = f"{NIK_COUNTED} AND is_active"


def index_nik(counts: str) -> None:
    condition = sa.text(counts)
    op.create_index(
        "uq_patient_nik_active",
        "patient",
        ["nik"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def keep_mrn_length() -> None:
    """The template takes the place of the number of digits."""
    setting = sa.table("setting", sa.column("key", sa.String), sa.column("value", sa.JSON))
    bind = op.get_bind()
    is_length = setting.c.key == "mrn_digits"
    digits = bind.execute(sa.select(setting.c.value).where(is_length)).scalar()
    if digits:
        template = {"key": "mrn_template", "value": f"{{urut:{digits}}}"}
        bind.execute(sa.update(setting).where(is_length).values(template))


def upgrade() -> None:
    op.create_table('import_batch',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('file_name', sa.String(length=120), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('headings', sa.JSON(), nullable=False),
    sa.Column('mapping', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('uploaded', 'checking', 'checked', 'importing', 'done', 'undoing', 'undone', 'cancelled', 'failed', name='importstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('rows_done', sa.Integer(), nullable=False),
    sa.Column('problem', sa.String(length=300), nullable=False),
    sa.Column('uploaded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('uploaded_by_id', sa.Integer(), nullable=False),
    sa.Column('imported_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('undone_at', UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['uploaded_by_id'], ['user_account.id'], name=op.f('fk_import_batch_uploaded_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_batch')),
    sa.UniqueConstraint('public_id', name=op.f('uq_import_batch_public_id'))
    )
    op.create_table('import_row',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('fate', sa.Enum('new', 'known', 'alike', 'broken', 'created', 'removed', 'kept', name='rowfate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['batch_id'], ['import_batch.id'], name=op.f('fk_import_row_batch_id_import_batch')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_import_row_patient_id_patient')),
    sa.PrimaryKeyConstraint('batch_id', 'number', name=op.f('pk_import_row'))
    )
    op.create_index('ix_import_row_fate', 'import_row', ['batch_id', 'fate', 'number'], unique=False)
    op.create_index('ix_import_row_patient_id', 'import_row', ['patient_id'], unique=False)

    op.create_table('suspected_pair',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('first_id', sa.Integer(), nullable=False),
    sa.Column('second_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('open', 'different', 'merged', name='pairstate', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('source', sa.Enum('counter', 'records', 'import', 'scan', name='pairsource', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('level', sa.String(length=8), nullable=False),
    sa.Column('points', sa.Float(), nullable=False),
    sa.Column('reasons', sa.Text(), nullable=False),
    sa.Column('raised_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('raised_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('note', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f('ck_suspected_pair_decided')),
    sa.CheckConstraint('first_id < second_id', name=op.f('ck_suspected_pair_older_first')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['user_account.id'], name=op.f('fk_suspected_pair_decided_by_id_user_account')),
    sa.ForeignKeyConstraint(['first_id'], ['patient.id'], name=op.f('fk_suspected_pair_first_id_patient')),
    sa.ForeignKeyConstraint(['raised_by_id'], ['user_account.id'], name=op.f('fk_suspected_pair_raised_by_id_user_account')),
    sa.ForeignKeyConstraint(['second_id'], ['patient.id'], name=op.f('fk_suspected_pair_second_id_patient')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suspected_pair')),
    sa.UniqueConstraint('first_id', 'second_id', name=op.f('uq_suspected_pair_first_id_second_id')),
    sa.UniqueConstraint('public_id', name=op.f('uq_suspected_pair_public_id'))
    )
    op.create_index('ix_suspected_pair_first_id', 'suspected_pair', ['first_id'], unique=False)
    op.create_index('ix_suspected_pair_second_id', 'suspected_pair', ['second_id'], unique=False)
    op.create_index('ix_suspected_pair_state', 'suspected_pair', ['state'], unique=False)

    op.create_table('patient_merge',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('survivor_id', sa.Integer(), nullable=False),
    sa.Column('loser_id', sa.Integer(), nullable=False),
    sa.Column('pair_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('moved', sa.JSON(), nullable=False),
    sa.Column('merged_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('merged_by_id', sa.Integer(), nullable=True),
    sa.Column('undone_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('undone_by_id', sa.Integer(), nullable=True),
    sa.Column('undo_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint('survivor_id <> loser_id', name=op.f('ck_patient_merge_two_records')),
    sa.ForeignKeyConstraint(['loser_id'], ['patient.id'], name=op.f('fk_patient_merge_loser_id_patient')),
    sa.ForeignKeyConstraint(['merged_by_id'], ['user_account.id'], name=op.f('fk_patient_merge_merged_by_id_user_account')),
    sa.ForeignKeyConstraint(['pair_id'], ['suspected_pair.id'], name=op.f('fk_patient_merge_pair_id_suspected_pair')),
    sa.ForeignKeyConstraint(['survivor_id'], ['patient.id'], name=op.f('fk_patient_merge_survivor_id_patient')),
    sa.ForeignKeyConstraint(['undone_by_id'], ['user_account.id'], name=op.f('fk_patient_merge_undone_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_patient_merge')),
    sa.UniqueConstraint('public_id', name=op.f('uq_patient_merge_public_id'))
    )
    op.create_index('ix_patient_merge_loser_id', 'patient_merge', ['loser_id'], unique=False)
    op.create_index('ix_patient_merge_survivor_id', 'patient_merge', ['survivor_id'], unique=False)
    op.create_index('uq_patient_merge_in_force', 'patient_merge', ['loser_id'], unique=True, sqlite_where=sa.text('undone_at IS NULL'), postgresql_where=sa.text('undone_at IS NULL'))

    # Plain ADD COLUMN: rebuilding a table that others point to would lose its checks on SQLite.
    op.add_column("household", sa.Column("folder_no", sa.String(length=20), nullable=True))
    op.create_index("uq_household_folder_no", "household", ["folder_no"], unique=True)
    op.add_column(
        "registration_draft",
        sa.Column("answers", sa.JSON(), server_default="{}", nullable=False),
    )
    op.add_column("village", sa.Column("short_code", sa.String(length=4), nullable=True))
    op.drop_index("uq_patient_nik_active", "patient")
    index_nik(NIK_COUNTS)
    keep_mrn_length()


def downgrade() -> None:
    op.drop_index("uq_patient_nik_active", "patient")
    index_nik(NIK_COUNTED)
    op.drop_column("village", "short_code")
    op.drop_column("registration_draft", "answers")
    op.drop_index("uq_household_folder_no", "household")
    op.drop_column("household", "folder_no")
    op.drop_table("patient_merge")
    op.drop_table("suspected_pair")
    op.drop_table("import_row")
    op.drop_table("import_batch")
