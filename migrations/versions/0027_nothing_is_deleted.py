"""Rows about patients are ended, corrected or withdrawn, never deleted: the tables refuse it

Others had that already: audit_entry, amendment, amendment_line and stock_move.
"""

from alembic import op

revision = '0027'
down_revision = '0026'

KEPT = (
    'household', 'patient', 'patient_version', 'patient_alias', 'patient_merge', 'suspected_pair', 'record_access',
    'service_day', 'visit', 'override', 'visit_correction', 'slip', 'queue_entry', 'queue_event',
    'examination', 'examination_answer', 'addendum', 'vital_signs', 'triage_note', 'diagnosis', 'allergy',
    'immunization', 'procedure', 'consent', 'prescription', 'prescription_line', 'prescription_component',
    'prescription_review', 'prescription_warning', 'dispensing', 'dispensed_line',
    'lab_order', 'lab_order_test', 'lab_result', 'paper', 'day_recap', 'report_lock', 'locked_report', 'pcare_mark',
    'user_account', 'outbox_entry',
)
SAID = 'what was recorded is never deleted'
SQLITE_GUARDS = [
    f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
    for name in KEPT
]
POSTGRESQL_FUNCTION = f"""
    CREATE FUNCTION kept_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{SAID}'; END $$
"""
POSTGRESQL_GUARDS = [
    f"CREATE TRIGGER {name}_no_{what} BEFORE {what} ON {name} FOR EACH {each} EXECUTE FUNCTION kept_guard()"
    for name in KEPT
    for what, each in (('delete', 'ROW'), ('truncate', 'STATEMENT'))
]


def upgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        guards = SQLITE_GUARDS
    else:
        op.execute(POSTGRESQL_FUNCTION)
        guards = POSTGRESQL_GUARDS
    for guard in guards:
        op.execute(guard)


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    for name in KEPT:
        for what in ('delete',) if is_sqlite else ('delete', 'truncate'):
            op.execute(f'DROP TRIGGER {name}_no_{what}' + ('' if is_sqlite else f' ON {name}'))
    if not is_sqlite:
        op.execute('DROP FUNCTION kept_guard()')
