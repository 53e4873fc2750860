"""Reasons that were typed on a check page stay in its draft"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.add_column(
        "registration_draft",
        sa.Column("reasons", sa.JSON(), server_default="{}", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("registration_draft", "reasons")
