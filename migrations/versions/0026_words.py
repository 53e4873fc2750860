"""Shipped words that a newer version knows better: where the clinic has not changed them

Seeding only adds. The start that follows folds what stands there anew and adds the new words.
"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'

FIELDS = ('weight', 'is_red_flag', 'age_from_months', 'age_below_months', 'needs_pregnant', 'is_active')
# Phrase and room: these fields as they were shipped, and as they are now.
TERMS = {
    ('keluar darah banyak', 'UGD'): ((3, True, None, None, True, True), (3, True, None, None, False, True)),
    ('dpt', 'IMUN'): ((3, False, None, None, False, True), (2, False, None, 84, False, True)),
    ('td', 'IMUN'): ((2, False, None, None, False, True), (2, False, None, None, False, False)),
    ('timbang', 'IMUN'): ((2, False, None, None, False, True), (2, False, None, 73, False, True)),
    ('campak', 'IMUN'): ((1, False, None, None, False, True), (1, False, None, 60, False, True)),
    ('flek', 'TB'): ((3, False, None, None, False, True), (3, False, None, 144, False, True)),
    ('konsultasi gizi', 'GIZI'): ((2, False, None, None, False, True), (3, False, None, None, False, True)),
    ('konsul gizi', 'GIZI'): ((2, False, None, None, False, True), (3, False, None, None, False, True)),
}
# Synonyms by code: as they were shipped, and what is added.
ACTIONS = {
    'CABUT-TETAP': ('ekstraksi gigi dewasa cabut', 'exo'),
    'PSA': ('root canal psa', 'devitalisasi'),
    'TREPANASI': ('drainase pulpa', 'open bur'),
    'AFF-HECTING': ('aff hecting angkat jahitan', 'up buka'),
    'GANTI-VERBAN': ('ganti balut medikasi gv rawat luka', 'perban'),
    'CUCI-LUKA': ('irigasi luka gigitan rabies', 'wound toilet'),
    'INSISI-ABSES': ('bisul furunkel', 'cross'),
    'EKST-KUKU': ('ekstraksi kuku cantengan roser', 'cabut roserplasty'),
    'BENDA-KULIT': ('corpus alienum kail duri peluru gotri', 'ekstraksi'),
    'INJEKSI': ('suntik im iv sc', 'vitamin'),
    'BENDA-TELINGA': ('corpus alienum serangga', 'ekstraksi'),
    'BENDA-HIDUNG': ('corpus alienum manik', 'ekstraksi'),
    'BENDA-MATA': ('corpus alienum gram kelilipan', 'ekstraksi'),
    'VISUS': ('visus snellen mata', 'cek tes buta warna ishihara'),
    'HB0': ('hb0 uniject vaksin', 'hb 0'),
    'KONSELING-GIZI': ('diet penyuluhan', 'konsul konsultasi edukasi'),
}
MEDICINES = {
    'PCT500': ('paracetamol pct asetaminofen panadol sanmol', 'pamol'),
    'OAT-FDC4': ('rifampicin tb tbc kategori 1', '4fdc'),
    'OMEP20': ('omeprazole', 'omz'),
    'HYOS': ('hyoscine buscopan', 'scopamin'),
    'ATTAP': ('attapulgite diare', 'diatab newdiatab'),
    'METPR4': ('methylprednisolone', 'mp'),
    'TTD': ('ttd fe sulfas ferosus iron folat', 'sf'),
    'VITK-I': ('vitamin k1', 'vitamin k'),
    'HALO5': ('', 'haldol'),
    'BETAH6': ('betahistine vertigo', 'mesilat'),
    'PERME': ('permethrin skabies kudis', 'scabimite'),
    'S24': ('salep belerang', '24'),
}


def upgrade() -> None:
    _change(is_newer=True)


def downgrade() -> None:
    _change(is_newer=False)


def _change(*, is_newer: bool) -> None:
    flags = {'is_red_flag', 'needs_pregnant', 'is_active'}
    fields = [sa.column(name, sa.Boolean() if name in flags else sa.Integer()) for name in FIELDS]
    term = sa.table('complaint_term', *map(sa.column, ('phrase', 'poli_code', 'revision')), *fields)
    for (phrase, room), (shipped, now) in TERMS.items():
        old, new = (shipped, now) if is_newer else (now, shipped)
        is_unchanged = [term.c[name].is_not_distinct_from(value) for name, value in zip(FIELDS, old)]
        row = term.update().where(term.c.phrase == phrase, term.c.poli_code == room, *is_unchanged)
        op.execute(row.values(revision=term.c.revision + 1, **dict(zip(FIELDS, new))))
    for name, synonyms in (('action_term', ACTIONS), ('medicine', MEDICINES)):
        table = sa.table(name, sa.column('code'), sa.column('synonyms'))
        for code, (shipped, added) in synonyms.items():
            pair = (shipped, f'{shipped} {added}'.strip())
            old, new = pair if is_newer else pair[::-1]
            row = table.update().where(table.c.code == code, table.c.synonyms == old)
            op.execute(row.values(synonyms=new))
