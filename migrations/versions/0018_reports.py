"""Locked months, recaps of closed days, and what was typed into P-Care"""

import sqlalchemy as sa
from alembic import op

from db import UtcDateTime

revision = '0018'
down_revision = '0017'

# What was locked or kept stays as it was, whoever writes to the database.
KEPT = ("locked_report", "day_recap")
# Whole texts: a restore holds the triggers of a backup against them (clinic/restore_reading.py).
SQLITE_GUARDS = [
    f"CREATE TRIGGER {name}_no_rewrite BEFORE UPDATE ON {name}"
    " BEGIN SELECT RAISE(ABORT, 'kept figures are never changed'); END"
    for name in KEPT
]
POSTGRESQL_GUARDS = [
    f"CREATE TRIGGER {name}_no_rewrite BEFORE UPDATE ON {name}"
    " FOR EACH ROW EXECUTE FUNCTION report_guard()"
    for name in KEPT
]
POSTGRESQL_FUNCTION = """
    CREATE FUNCTION report_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'kept figures are never changed'; END $$
"""
STILL = sa.text("reopened_at IS NULL")
HELD = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "report_lock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("locked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("locked_by_id", sa.Integer(), nullable=False),
        sa.Column("reopened_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("reopened_by_id", sa.Integer(), nullable=True),
        sa.Column("reopen_reason", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "(reopened_at IS NULL) = (reopened_by_id IS NULL)"
            " AND (reopened_at IS NULL) = (reopen_reason = '')",
            name=op.f("ck_report_lock_reopened"),
        ),
        sa.ForeignKeyConstraint(
            ["locked_by_id"],
            ["user_account.id"],
            name=op.f("fk_report_lock_locked_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["reopened_by_id"],
            ["user_account.id"],
            name=op.f("fk_report_lock_reopened_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_lock")),
        sa.UniqueConstraint("public_id", name=op.f("uq_report_lock_public_id")),
    )
    op.create_index(
        "uq_report_lock_month",
        "report_lock",
        ["month"],
        unique=True,
        sqlite_where=STILL,
        postgresql_where=STILL,
    )
    op.create_table(
        "locked_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lock_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["lock_id"], ["report_lock.id"], name=op.f("fk_locked_report_lock_id_report_lock")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locked_report")),
        sa.UniqueConstraint("lock_id", "code", name=op.f("uq_locked_report_lock_id_code")),
    )
    op.create_table(
        "day_recap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("service_day_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user_account.id"], name=op.f("fk_day_recap_made_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["service_day_id"],
            ["service_day.id"],
            name=op.f("fk_day_recap_service_day_id_service_day"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_recap")),
        sa.UniqueConstraint("public_id", name=op.f("uq_day_recap_public_id")),
        sa.UniqueConstraint("service_day_id", "version", name=op.f("uq_day_recap_service_day_id_version")),
    )
    op.create_table(
        "pcare_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("typed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("typed_by_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ended_by_id"],
            ["user_account.id"],
            name=op.f("fk_pcare_mark_ended_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["typed_by_id"],
            ["user_account.id"],
            name=op.f("fk_pcare_mark_typed_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_pcare_mark_visit_id_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pcare_mark")),
    )
    op.create_index(op.f("ix_pcare_mark_visit_id"), "pcare_mark", ["visit_id"])
    op.create_index(
        "uq_pcare_mark_visit",
        "pcare_mark",
        ["visit_id"],
        unique=True,
        sqlite_where=HELD,
        postgresql_where=HELD,
    )


    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute(POSTGRESQL_FUNCTION)
    for guard in POSTGRESQL_GUARDS if is_postgresql else SQLITE_GUARDS:
        op.execute(guard)


def downgrade() -> None:
    for table in ("pcare_mark", "day_recap", "locked_report", "report_lock"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION report_guard()")
