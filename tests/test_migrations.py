"""The migrations build exactly the tables that the models describe, on both engines."""

import importlib.util
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

import cli
from clinic import action_list, audit, belongings, medicines, reference, restore_reading
from db import Base, db, transaction
from models import ActionTerm, AuditEntry, ComplaintTerm, Medicine, Patient, RoutingRule
from tests import factories

MIGRATIONS = Path(__file__).parent.parent / "migrations" / "versions"
LITERAL = {"compile_kwargs": {"literal_binds": True}}


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


def test_what_the_models_forbid_stands_in_the_tables_word_for_word(app, engine):
    """The comparison above looks at no CHECK; tests/test_tables.py tries each on both engines."""
    if engine != "sqlite":
        return
    looked = inspect(db.engine)
    for table in Base.metadata.sorted_tables:
        rules = [each for each in table.constraints if isinstance(each, CheckConstraint)]
        told = {str(rule.name): str(rule.sqltext.compile(**LITERAL)) for rule in rules}
        told = {name: words.replace(f"{table.name}.", "") for name, words in told.items()}
        made = looked.get_check_constraints(table.name)
        assert {rule["name"]: rule["sqltext"] for rule in made} == told, table.name


def test_the_migrations_are_one_line_that_ends_at_the_highest_number():
    scripts = ScriptDirectory(str(MIGRATIONS.parent))
    assert scripts.get_heads() == [max(restore_reading.known_revisions())]


def test_setting_up_again_changes_nothing_and_does_not_load_alembic(app, monkeypatch):
    def load(_app):
        raise AssertionError("half a second for nothing")

    monkeypatch.setattr(cli, "use_migrations", load)
    before = db.session.execute(text("SELECT count(*) FROM poli")).scalar()
    db.session.rollback()
    cli.prepare_database()
    assert db.session.execute(text("SELECT count(*) FROM poli")).scalar() == before


def migrate(name: str, step: str) -> None:
    """One step of a migration by itself, on the tables as they are."""
    path = MIGRATIONS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    db.session.rollback()
    with (
        db.engine.begin() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        getattr(module, step)()


def term(phrase: str, room: str) -> ComplaintTerm:
    return db.session.query(ComplaintTerm).filter_by(phrase=phrase, poli_code=room).one()


def test_shipped_words_follow_a_newer_version_but_for_those_that_the_head_changed(app):
    migrate("0026_words", "downgrade")
    assert term("keluar darah banyak", "UGD").needs_pregnant
    revision = db.session.scalar(select(func.sum(ComplaintTerm.revision)))
    with transaction() as session:
        term("dpt", "IMUN").weight = 1
        db.session.query(Medicine).filter_by(code="OMEP20").one().synonyms = "obat maag"
        session.add(ComplaintTerm(phrase="td", folded="td", poli_code="IMUN", weight=2))
        session.add(ComplaintTerm(phrase="Obat 3 bln", folded="obat 3 bln", poli_code="KB"))
    migrate("0026_words", "upgrade")
    with transaction():
        reference.seed()

    assert not term("td", "IMUN").is_active
    assert not term("keluar darah banyak", "UGD").needs_pregnant
    assert (term("flek", "TB").age_below_months, term("campak", "IMUN").age_below_months) == (
        144,
        60,
    )
    assert (term("dpt", "IMUN").weight, term("dpt", "IMUN").age_below_months) == (1, None)
    assert db.session.scalar(select(func.sum(ComplaintTerm.revision))) > revision
    assert term("Obat 3 bln", "KB").folded == "obat 3 bulan"
    assert [each.code for each in action_list.search("up hecting")] == ["AFF-HECTING"]
    assert [each.code for each in medicines.search("haldol")] == ["HALO5"]
    assert medicines.search("omz") == []


def test_a_weight_that_the_head_changed_stays(app):
    migrate("0029_heavier_words", "downgrade")
    with transaction():
        term("rawat luka", "UGD").weight = 1
    migrate("0029_heavier_words", "upgrade")
    assert (term("rawat luka", "UGD").weight, term("jahit luka", "UGD").weight) == (1, 3)


@pytest.mark.parametrize("version", ["0026_words", "0029_heavier_words"])
def test_words_of_a_new_clinic_are_those_that_an_older_one_gets(app, version):
    shown = "phrase poli_code weight is_red_flag age_from_months age_below_months needs_pregnant"
    columns = [getattr(ComplaintTerm, name) for name in shown.split()]

    def all_words() -> list[set[tuple]]:
        db.session.rollback()
        terms = select(*columns).where(ComplaintTerm.is_active)
        actions = select(ActionTerm.code, ActionTerm.synonyms, ActionTerm.words)
        listed = select(Medicine.code, Medicine.synonyms)
        spared = select(RoutingRule.rule, RoutingRule.position, RoutingRule.unless_words)
        asked = (terms, actions, listed, spared)
        return [set(db.session.execute(rows).tuples()) for rows in asked]

    new = all_words()
    migrate(version, "downgrade")
    assert all_words() != new
    migrate(version, "upgrade")
    with transaction():
        reference.seed()
    assert all_words() == new


def made_of(table: str) -> set[str]:
    """The text of the table, its indexes and its triggers on SQLite; its rules on PostgreSQL."""
    if db.engine.dialect.name == "sqlite":
        rows = "SELECT sql FROM sqlite_master WHERE tbl_name = :name"
    else:
        rows = "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass)"
    found = set(db.session.scalars(text(rows), {"name": table}))
    db.session.rollback()
    return found


def test_rules_come_to_a_database_in_use_and_all_else_of_its_tables_stays(app):
    rules = "0030_values_that_exist"
    tables = ("patient", "visit", "queue_entry", "queue_event", "vital_signs")
    whole = {table: made_of(table) for table in tables}
    factories.entry()
    migrate(rules, "downgrade")
    assert all(made_of(table) != whole[table] for table in tables)
    migrate(rules, "upgrade")
    assert {table: made_of(table) for table in tables} == whole
    factories.entry()
    with pytest.raises(DatabaseError, match="ck_visit_payer"), transaction() as session:
        session.execute(text("UPDATE visit SET payer = 'XX'"))


def test_a_rule_that_old_rows_break_keeps_no_clinic_closed(app, caplog):
    rules = "0030_values_that_exist"
    patient = factories.patient()
    migrate(rules, "downgrade")
    with transaction() as session:
        session.execute(text("UPDATE patient SET payer = 'XX'"))
    migrate(rules, "upgrade")
    assert "patient: 1 rows against the rule" in caplog.text
    with transaction() as session:
        session.execute(text("UPDATE patient SET address = 'Jalan Baru'"))
    with (
        pytest.raises(DatabaseError, match="ck_patient_merged_elsewhere"),
        transaction() as session,
    ):
        session.execute(text("UPDATE patient SET merged_into_id = id"))
    assert db.session.get(Patient, patient.id).merged_into_id is None
    # PostgreSQL's tables are those of the tests after this one.
    migrate(rules, "downgrade")
    with transaction() as session:
        session.execute(text("UPDATE patient SET payer = 'UMUM'"))
    migrate(rules, "upgrade")


def test_a_database_of_a_newer_version_is_told_and_left_alone(app):
    with transaction() as session:
        before = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        done = app.test_cli_runner().invoke(args=["setup"])
        assert done.exit_code == 1
        assert "dari versi Alur yang lebih baru" in done.output
    finally:
        with transaction() as session:
            session.execute(
                text("UPDATE alembic_version SET version_num = :before"), {"before": before}
            )


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
