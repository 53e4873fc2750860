"""General consent"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('consent',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=36), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('original_patient_id', sa.Integer(), nullable=False),
    sa.Column('decision', sa.Enum('setuju', 'menolak', name='consentdecision', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('signer', sa.Enum('pasien', 'orang_tua', 'suami_istri', 'anak', 'wali', name='signer', native_enum=False, create_constraint=True, length=24), nullable=False),
    sa.Column('signed_by', sa.String(length=100), nullable=False),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=False),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('length(signed_by) > 0', name=op.f('ck_consent_signed')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['user_account.id'], name=op.f('fk_consent_ended_by_id_user_account')),
    sa.ForeignKeyConstraint(['original_patient_id'], ['patient.id'], name=op.f('fk_consent_original_patient_id_patient')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_consent_patient_id_patient')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['user_account.id'], name=op.f('fk_consent_recorded_by_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent')),
    sa.UniqueConstraint('public_id', name=op.f('uq_consent_public_id'))
    )
    op.create_index(op.f('ix_consent_patient_id'), 'consent', ['patient_id'], unique=False)


def downgrade() -> None:
    op.drop_table('consent')
