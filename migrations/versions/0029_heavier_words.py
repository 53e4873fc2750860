"""Wound care weighs more, more is an injury of W1: where the clinic has not changed them

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

# Words that spare a child W1's question: as they were shipped, and what is added.
INJURIES = (
    'luka, jatuh, terjatuh, terkilir, keseleo, memar, benturan, terbentur, tabrakan, kecelakaan, '
    'digigit, gigitan, luka bakar, kena pisau, kena paku, robek, patah, terjepit, kemasukan'
)
MORE_INJURIES = (
    ', lecet, kesandung, tersandung, kepentok, benjol, kena kaca, kena duri, kena knalpot, '
    'tersayat, teriris, terbakar'
)


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
    rule = sa.table('routing_rule', *map(sa.column, ('rule', 'unless_words', 'revision')))
    pair = (INJURIES, INJURIES + MORE_INJURIES)
    shipped, now = pair if is_newer else pair[::-1]
    row = rule.update().where(rule.c.rule == 'W1', rule.c.unless_words == shipped)
    op.execute(row.values(revision=rule.c.revision + 1, unless_words=now))
