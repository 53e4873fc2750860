"""Critical choices of the laboratory, ranges for pregnant women; open prescriptions; alerts"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'

RULES = {
    'lab_result': {
        "'critical_low', 'critical_high', 'abnormal')": (
            "'critical_low', 'critical_high', 'abnormal', 'critical')"
        ),
        "flag IN ('normal', 'abnormal') OR": "flag IN ('normal', 'abnormal', 'critical') OR",
        "flag IN ('critical_low', 'critical_high')": (
            "flag IN ('critical_low', 'critical_high', 'critical')"
        ),
    },
    'lab_reference': {"sex IN ('', 'L', 'P')": "sex IN ('', 'L', 'P', 'H')"},
}
UNREAD = "ended_at IS NULL AND read_at IS NULL AND flag IN ('critical_low', 'critical_high'"


def upgrade() -> None:
    op.add_column('lab_test', sa.Column('critical', sa.Text(), server_default='', nullable=False))
    op.execute("UPDATE lab_test SET critical = abnormal WHERE code = 'MALARIA'")
    is_alert = sa.Column('is_alert', sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column('allergy', is_alert)
    is_open = sa.text("state IN ('sent', 'reviewed')")
    where = {'sqlite_where': is_open, 'postgresql_where': is_open}
    op.create_index('ix_prescription_open', 'prescription', ['visit_id'], **where)
    if op.get_bind().dialect.name == 'sqlite':
        for table, changes in RULES.items():
            _rebuild(table, changes)
    else:
        _postgresql(", 'critical'", ", 'H'")


def downgrade() -> None:
    op.execute('DELETE FROM allergy WHERE is_alert')
    op.drop_column('allergy', 'is_alert')
    op.drop_index('ix_prescription_open', 'prescription')
    op.execute("UPDATE lab_result SET flag = 'abnormal' WHERE flag = 'critical'")
    op.execute("DELETE FROM lab_reference WHERE sex = 'H'")
    if op.get_bind().dialect.name == 'sqlite':
        for table, changes in RULES.items():
            _rebuild(table, {new: old for old, new in changes.items()})
    else:
        _postgresql('', '')
    op.drop_column('lab_test', 'critical')


def _rebuild(table: str, changes: dict[str, str]) -> None:
    """SQLite changes no rule of a table: no other table refers to these, so a copy takes its place."""
    found = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL")
    parts = [tuple(row) for row in op.get_bind().execute(found, {'name': table})]
    for before, after in changes.items():
        parts = [(kind, sql.replace(before, after)) for kind, sql in parts]
    (made,) = [sql for kind, sql in parts if kind == 'table']
    connection = op.get_bind()
    connection.exec_driver_sql(made.replace(table, f'{table}_new', 1))
    connection.exec_driver_sql(f'INSERT INTO {table}_new SELECT * FROM {table}')
    connection.exec_driver_sql(f'DROP TABLE {table}')
    connection.exec_driver_sql(f'ALTER TABLE {table}_new RENAME TO {table}')
    for kind, sql in parts:
        if kind != 'table':
            connection.exec_driver_sql(sql)


def _postgresql(flag: str, sex: str) -> None:
    kinds = f"'normal', 'low', 'high', 'critical_low', 'critical_high', 'abnormal'{flag}"
    number = f"flag IS NULL OR flag IN ('normal', 'abnormal'{flag}) OR number IS NOT NULL"
    for table, name, rule in (
        ('lab_result', 'labflag', f'flag IN ({kinds})'),
        ('lab_result', 'number', number),
        ('lab_reference', 'sex', f"sex IN ('', 'L', 'P'{sex})"),
    ):
        op.drop_constraint(op.f(f'ck_{table}_{name}'), table)
        op.create_check_constraint(op.f(f'ck_{table}_{name}'), table, rule)
    op.drop_index('ix_lab_result_unread', 'lab_result')
    where = sa.text(f'{UNREAD}{flag})')
    op.create_index('ix_lab_result_unread', 'lab_result', ['order_id'], postgresql_where=where)
