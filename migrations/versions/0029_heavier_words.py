"""Wound care weighs more, a blue infant is one until a year: where the clinic has not changed them

Seeding only adds: a shipped word that changes goes to an older clinic here.
"""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'

CARE = (
    'jahit luka', 'rawat luka', 'perawatan luka', 'kontrol luka', 'lepas jahitan', 'angkat jahitan',
    'buka jahitan', 'ganti perban', 'ganti verban', 'aff hecting', 'up hecting', 'suntik rabies',
    'vaksin rabies',
)
BLUE = ('bayi biru', 'badan biru', 'tampak biru')
# Phrases of UGD, the column, what was shipped and what is now.
TERMS = ((CARE, 'weight', (2, 3)), (BLUE, 'age_below_months', (2, 12)))


def upgrade() -> None:
    _change(is_newer=True)


def downgrade() -> None:
    _change(is_newer=False)


def _change(*, is_newer: bool) -> None:
    names = ('phrase', 'poli_code', 'revision', 'weight', 'age_below_months')
    term = sa.table('complaint_term', *map(sa.column, names))
    for phrases, name, pair in TERMS:
        shipped, now = pair if is_newer else pair[::-1]
        is_unchanged = (term.c.poli_code == 'UGD', term.c.phrase.in_(phrases), term.c[name] == shipped)
        row = term.update().where(*is_unchanged)
        op.execute(row.values({'revision': term.c.revision + 1, name: now}))
