"""Visits of patients who were imported with an old number: none is a first one

Old numbers that looked like one of the clinic's own made their patients new.
"""

from alembic import op

revision = '0025'
down_revision = '0024'


def upgrade() -> None:
    # As clinic/first_visits.py tells them from the numbers that a merge brought.
    op.execute(
        """
        UPDATE visit SET is_new_patient = false
        WHERE is_new_patient AND patient_id IN (
            SELECT alias.patient_id FROM patient_alias AS alias
            WHERE alias.kind = 'mrn' AND alias.ended_at IS NULL AND (
                NOT EXISTS (
                    SELECT 1 FROM patient AS other
                    WHERE other.id = alias.original_patient_id
                    AND other.id <> alias.patient_id AND other.mrn = alias.value
                )
                OR EXISTS (
                    SELECT 1 FROM import_row
                    WHERE import_row.patient_id = alias.original_patient_id
                    AND import_row.fate IN ('created', 'kept')
                )
            )
        )
        """
    )


def downgrade() -> None:
    pass  # what is right stays right
