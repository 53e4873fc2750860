"""The migrations build exactly the tables that the models describe, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

import cli
from clinic import audit, belongings
from db import Base, db, transaction
from models import AuditEntry, Patient


def test_migrations_and_models_agree(app):
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_indexes_of_some_rows_hold_for_the_rows_the_models_say(app, engine):
    """The comparison above looks at an index's columns only."""
    if engine != "sqlite":
        return  # PostgreSQL keeps a condition in its own words; the migrations give both the same
    made = dict(db.session.execute(text("SELECT name, sql FROM sqlite_master")).tuples().all())
    told = {
        index.name: index.info["where"]
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if "where" in index.info
    }
    assert len(told) > 20
    for name, condition in told.items():
        assert " ".join(made[name].split()).endswith(f"WHERE {' '.join(condition.split())}"), name


def test_setting_up_again_changes_nothing(app):
    before = db.session.execute(text("SELECT count(*) FROM poli")).scalar()
    db.session.rollback()
    cli.prepare_database()
    assert db.session.execute(text("SELECT count(*) FROM poli")).scalar() == before


def test_every_key_to_a_patient_is_known():
    """A merge moves what belongs to the person; a new table must say which it is."""
    moves = {table.__tablename__ for table in belongings.MOVES}
    stays = {table.__tablename__ for table in belongings.STAYS}
    found = {
        key.parent.table.name
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table is Patient.__table__
    }
    assert found == moves | stays
    assert not moves & stays
    for name in moves:
        assert "original_patient_id" in Base.metadata.tables[name].columns


# --- The audit trail --------------------------------------------------------------------------


@pytest.fixture
def trail(app):
    with transaction():
        for number in range(5):
            audit.record(audit.SYSTEM, "test", details=f"catatan {number}")
    return app


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET reason = 'lain'",
        "DELETE FROM audit_entry",
        "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE seq = 1",
        "TRUNCATE audit_entry",
    ],
)
def test_the_trail_cannot_be_changed(trail, engine, statement):
    only = {"INSERT OR": "sqlite", "TRUNCATE ": "postgresql"}.get(statement[:9], engine)
    if only != engine:
        return  # a statement that this engine does not know
    with pytest.raises(DatabaseError), transaction() as session:
        session.execute(text(statement))


def test_a_changed_entry_breaks_the_chain(trail, engine):
    assert audit.broken_link() is None
    first = db.session.query(AuditEntry).order_by(AuditEntry.seq.desc()).first().seq - 2
    db.session.rollback()
    off, on = {
        "sqlite": ("DROP TRIGGER audit_entry_no_update", "SELECT 1"),
        "postgresql": ("ALTER TABLE audit_entry DISABLE TRIGGER USER", "SELECT 1"),
    }[engine]
    with transaction() as session:
        session.execute(text(off))
        session.execute(
            text("UPDATE audit_entry SET details = 'dipalsukan' WHERE seq = :seq"), {"seq": first}
        )
        session.execute(text(on))
    try:
        assert audit.broken_link() == first
    finally:
        if engine == "postgresql":
            with transaction() as session:
                session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
