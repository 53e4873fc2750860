"""A note on who has no NIK: the country, a letter, the place where they were found"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'


def upgrade() -> None:
    op.add_column('patient', sa.Column('no_nik_note', sa.String(length=100), nullable=True))


def downgrade() -> None:
    op.drop_column('patient', 'no_nik_note')
