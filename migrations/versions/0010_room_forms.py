"""Room forms: their answers, immunisations, triage notes, and which room uses which form"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0010'
down_revision = '0009'
FORMS = {'GIGI': 'gigi', 'KIA': 'hamil anak', 'IMUN': 'anak', 'MTBS': 'mtbs'}


def upgrade() -> None:
    op.add_column('poli', sa.Column('room_forms', sa.String(length=60), server_default='', nullable=False))
    poli = sa.table('poli', sa.column('code'), sa.column('room_forms'))
    for code, forms in FORMS.items():
        op.execute(poli.update().where(poli.c.code == code).values(room_forms=forms))
    op.create_table('examination_answer',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('examination_id', sa.Integer(), nullable=False),
    sa.Column('form', sa.String(length=12), nullable=False),
    sa.Column('code', sa.String(length=24), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=False),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint("value <> ''", name=op.f('ck_examination_answer_value')),
    sa.CheckConstraint('(ended_at IS NULL) = (ended_by_id IS NULL)', name=op.f('ck_examination_answer_ended')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_examination_answer_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['examination_id'], ['examination.id'], name=op.f('fk_examination_answer_examination_id_examination')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['user_account.id'], name=op.f('fk_examination_answer_recorded_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_examination_answer')),
    sa.UniqueConstraint('public_id', name=op.f('uq_examination_answer_public_id'))
    )
    op.create_index(op.f('ix_examination_answer_examination_id'), 'examination_answer', ['examination_id'], unique=False)
    op.create_index('uq_examination_answer_current', 'examination_answer', ['examination_id', 'code'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table('immunization',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('vaccine', sa.String(length=16), nullable=False),
    sa.Column('dose', sa.Integer(), nullable=False),
    sa.Column('given_on', sa.Date(), nullable=False),
    sa.Column('batch', sa.String(length=40), nullable=False),
    sa.Column('site', sa.String(length=40), nullable=False),
    sa.Column('given_by', sa.String(length=80), nullable=False),
    sa.Column('override_reason', sa.String(length=300), nullable=False),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=False),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.Column('end_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL) AND (ended_at IS NULL) = (end_reason = '')", name=op.f('ck_immunization_ended')),
    sa.CheckConstraint('dose BETWEEN 0 AND 9', name=op.f('ck_immunization_dose')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_immunization_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['user_account.id'], name=op.f('fk_immunization_recorded_by_id_user_account')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_immunization_visit_id_visit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_immunization')),
    sa.UniqueConstraint('public_id', name=op.f('uq_immunization_public_id'))
    )
    op.create_index(op.f('ix_immunization_visit_id'), 'immunization', ['visit_id'], unique=False)
    op.create_index('uq_immunization_current', 'immunization', ['visit_id', 'vaccine', 'dose'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table('triage_note',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('seen', sa.String(length=300), nullable=False),
    sa.Column('priority', sa.Enum('merah', 'kuning', 'hijau', name='triagepriority', native_enum=False, create_constraint=True, length=24), nullable=True),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=False),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("seen <> '' OR priority IS NOT NULL", name=op.f('ck_triage_note_content')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['user_account.id'], name=op.f('fk_triage_note_recorded_by_id_user_account')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_triage_note_visit_id_visit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_triage_note')),
    sa.UniqueConstraint('public_id', name=op.f('uq_triage_note_public_id'))
    )
    op.create_index(op.f('ix_triage_note_visit_id'), 'triage_note', ['visit_id'], unique=False)
    op.create_index('uq_triage_note_current', 'triage_note', ['visit_id', 'recorded_by_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))


def downgrade() -> None:
    op.drop_table('triage_note')
    op.drop_table('immunization')
    op.drop_table('examination_answer')
    op.drop_column('poli', 'room_forms')
