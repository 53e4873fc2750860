"""The tables refuse values that there are not, and an end of what goes on

SQLite adds no rule to a table in use, and a copy can't take the place of one that others refer to.
So the rule is written into the table's own text, as its makers describe it for changes that leave
the stored rows as they are (https://www.sqlite.org/lang_altertable.html, section 7).
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'

PAYERS = "('UMUM','JKN_PBI','JKN_NON_PBI','JAMKESDA','GRATIS_PROGRAM','ASURANSI_LAIN')"
CLUSTERS = "('1','2','3','4','LINTAS')"
HERE = "('waiting','called','in_service','awaiting_result','skipped')"
STATES = (
    "('waiting','called','in_service','awaiting_result','done','skipped','moved','cancelled','left','unfinished')"
)
RULES = {
    'patient': {
        'payer': f'payer IN {PAYERS}',
        'nik_digits': "trim(nik, '0123456789') = ''",
        'merged_elsewhere': 'merged_into_id <> id',
    },
    'visit': {
        'payer': f'payer IN {PAYERS}',
        'visit_type': "visit_type IN ('SAKIT','SEHAT')",
        'bpjs_home': "bpjs_home IN ('','sini','lain')",
        'pregnant': "pregnant IN ('','ya','tidak','nifas')",
        'cluster': f'cluster IN {CLUSTERS}',
        'computed_cluster': f'computed_cluster IN {CLUSTERS}',
        'ended': "status <> 'open' OR ended_at IS NULL",
    },
    'queue_entry': {
        'ended': f'NOT (state IN {HERE}) OR ended_at IS NULL',
        'started': "state <> 'in_service' OR started_at IS NOT NULL",
    },
    'queue_event': {'to_state': f'to_state IN {STATES}'},
    'vital_signs': {
        'positive': 'systolic > 0 AND diastolic > 0 AND pulse > 0 AND respiration > 0'
        ' AND temperature > 0 AND weight > 0 AND height > 0 AND saturation > 0',
    },
}
log = logging.getLogger(__name__)


def upgrade() -> None:
    connection = op.get_bind()
    for table, rules in RULES.items():
        kept = {f'ck_{table}_{name}': rule for name, rule in rules.items() if _holds(table, rule)}
        if connection.dialect.name == 'sqlite':
            _rewrite(table, lambda made, kept=kept: _with(made, kept))
        else:
            for name, rule in kept.items():
                op.create_check_constraint(op.f(name), table, rule)


def downgrade() -> None:
    for table, rules in RULES.items():
        names = {f'ck_{table}_{name}': rule for name, rule in rules.items()}
        if op.get_bind().dialect.name == 'sqlite':
            _rewrite(table, lambda made, names=names: _without(made, names))
        else:
            for name in names:
                op.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}')


def _holds(table: str, rule: str) -> bool:
    """Whether all rows keep it; if not, the clinic opens all the same, and without this rule."""
    broken = op.get_bind().scalar(sa.text(f'SELECT count(*) FROM {table} WHERE NOT ({rule})'))
    if broken:
        log.warning('%s: %s rows against the rule "%s", which is left out', table, broken, rule)
    return not broken


def _with(made: str, rules: dict[str, str]) -> str:
    written = ''.join(f', \n\tCONSTRAINT {name} CHECK ({rule})' for name, rule in rules.items())
    body, end, rest = made.rpartition(')')
    return body.rstrip() + written + '\n' + end + rest


def _without(made: str, rules: dict[str, str]) -> str:
    for name, rule in rules.items():
        made = made.replace(f', \n\tCONSTRAINT {name} CHECK ({rule})', '')
    return made


def _rewrite(table: str, change) -> None:
    connection = op.get_bind()
    where = "WHERE type = 'table' AND name = :table"
    made = connection.scalar(sa.text(f'SELECT sql FROM sqlite_master {where}'), {'table': table})
    version = connection.exec_driver_sql('PRAGMA schema_version').scalar()
    connection.exec_driver_sql('PRAGMA writable_schema = ON')
    values = {'table': table, 'sql': change(made)}
    connection.execute(sa.text(f'UPDATE sqlite_master SET sql = :sql {where}'), values)
    # Other connections read the tables anew, and this one at once.
    connection.exec_driver_sql(f'PRAGMA schema_version = {version + 1}')
    connection.exec_driver_sql('PRAGMA writable_schema = RESET')
