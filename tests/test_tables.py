"""Each rule of the tables holds in the database itself: what it forbids is refused, by that rule.

The rows are made up of their columns' types, and their keys lead nowhere; none is kept.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    Enum,
    Index,
    LargeBinary,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    literal,
    null,
    text,
)
from sqlalchemy.exc import DatabaseError, IntegrityError

from db import Base, db
from formatting import (
    BPJS_HOME_LABELS,
    CLUSTER_LABELS,
    PAYER_LABELS,
    PREGNANCY_LABELS,
    VISIT_TYPE_LABELS,
)
from tables import people, visits

TABLES = Base.metadata.sorted_tables
NOW, DAY = datetime(2026, 1, 5, 9, tzinfo=UTC), date(2026, 1, 5)
AFAR = 9_000_000  # no row of a prepared database has such a number
ENDED = {"ended_at": NOW, "ended_by_id": 1}
ENDED_WHY = ENDED | {"end_reason": "keliru"}
CANCELLED = {
    "lab_order": {
        "state": "cancelled",
        "cancelled_at": NOW,
        "cancelled_by_id": 1,
        "cancel_reason": "x",
    },
    "prescription": {
        "state": "cancelled",
        "closed_at": NOW,
        "closed_by_id": 1,
        "close_reason": "x",
    },
}
REOPENED = {"reopened_at": NOW, "reopened_by_id": 1, "reopen_reason": "x"}
SENT = {"state": "sent", "number": "R-1", "sent_at": NOW}
REFUSED = {"state": "refused", "decided_at": NOW, "decided_by_id": 1, "decision_reason": "x"}
# What a good row needs beyond its columns' types.
GOOD = {
    "amendment": {"state": "waiting"},
    "amendment_line": {"old_value": "a", "new_value": "b"},
    "household": {"kk_number": "7401010101010101"},
    "lab_reference": {
        "critical_low": 1,
        "low": 2,
        "high": 3,
        "critical_high": 4,
        "age_below_months": 12,
        "sex": "",
        "age_from_months": 0,
    },
    "patient": {"sex": "L", "no_nik_reason": "BAYI"},
    "patient_merge": {"survivor_id": 1, "loser_id": 2},
    "queue_event": {"to_state": "waiting"},
    "stock_batch": {"expires_on": DAY},
    "suspected_pair": {"first_id": 1, "second_id": 2},
    "triage_note": {"seen": "pucat"},
    "visit": {"payer": "UMUM", "cluster": "3", "computed_cluster": "3"},
}


_HERE = ("waiting", "called", "awaiting_result", "skipped")
# By the rule: changes of a good row, each of which it must refuse, it alone.
FORBIDDEN: dict[str, list[dict]] = {
    "ck_amendment_applied": [{"state": "applied"}, {"applied_version": 2}],
    "ck_amendment_decided": [
        {"state": "applied", "applied_version": 2, "decided_at": NOW},
        {"decided_by_id": 1},
    ],
    "ck_amendment_line_differs": [{"old_value": "b"}],
    "ck_amendment_reason": [{"reason": ""}],
    "ck_amendment_refused": [{"state": "refused"}, REFUSED | {"decision_reason": ""}],
    "ck_amendment_two_people": [
        {
            "state": "applied",
            "applied_version": 2,
            "decided_at": NOW,
            "decided_by_id": 1,
            "requested_by_id": 1,
        }
    ],
    "ck_amendment_waiting": [{"decided_at": NOW, "decided_by_id": 1}],
    "ck_backup_copy_reason": [{"state": "bad"}],
    "ck_backup_done": [{"state": "done", "name": "x"}, {"state": "done", "digest": "x"}],
    "ck_complaint_term_weight": [{"weight": 0}, {"weight": 4}],
    "ck_consent_signed": [{"signed_by": ""}],
    "ck_dispensed_line_given": [
        {"asked": 5, "given": -1, "reason": "x"},
        {"asked": 5, "given": 6, "reason": "x"},
    ],
    "ck_dispensed_line_outside": [{"asked": 5, "given": 1, "is_outside": True}],
    "ck_dispensed_line_reason": [{"asked": 5, "given": 4}],
    "ck_dispensing_ended": [{"ended_at": NOW, "end_reason": "x"}, ENDED, {"end_reason": "x"}],
    "ck_dispensing_quantity": [{"quantity": 0}, {"quantity": -1}],
    "ck_drill_problem": [{"is_good": False}],
    "ck_examination_answer_ended": [{"ended_at": NOW}, {"ended_by_id": 1}],
    "ck_examination_answer_value": [{"value": ""}],
    "ck_household_kk_length": [{"kk_number": "7" * 15}, {"kk_number": ""}],
    "ck_immunization_dose": [{"dose": -1}, {"dose": 10}],
    "ck_immunization_ended": [{"ended_at": NOW, "end_reason": "x"}, ENDED, {"end_reason": "x"}],
    "ck_lab_order_cancelled": [
        {"state": "cancelled"},
        *({name: value} for name, value in CANCELLED["lab_order"].items() if name != "state"),
        *(
            CANCELLED["lab_order"] | {name: empty}
            for name, empty in (("cancelled_at", None), ("cancelled_by_id", None))
        ),
        CANCELLED["lab_order"] | {"cancel_reason": ""},
    ],
    "ck_lab_order_resulted": [{"state": "resulted"}, {"state": "validated"}, {"resulted_at": NOW}],
    "ck_lab_order_test_ended": [{"ended_at": NOW}, {"ended_by_id": 1}],
    "ck_lab_order_test_not_done": [{"not_done_reason": "reagen habis"}],
    "ck_lab_order_test_sampled": [{"sampled_at": NOW}, {"sampled_by_id": 1}],
    "ck_lab_reference_age_from": [{"age_from_months": -1}],
    "ck_lab_reference_ages": [{"age_from_months": 12}],
    "ck_lab_reference_critical": [
        {"low": None, "high": None, "critical_low": 4, "critical_high": 4}
    ],
    "ck_lab_reference_critical_high": [{"critical_high": 3}],
    "ck_lab_reference_critical_low": [{"critical_low": 2}],
    "ck_lab_reference_range": [{"low": 4, "high": 3, "critical_low": None, "critical_high": None}],
    "ck_lab_reference_sex": [{"sex": "X"}],
    "ck_lab_result_ended": [{"ended_at": NOW, "end_reason": "x"}, ENDED, {"end_reason": "x"}],
    "ck_lab_result_number": [{"flag": each} for each in ("low", "high", "critical_low")],
    "ck_lab_result_read": [{"read_at": NOW}, {"read_by_id": 1}],
    "ck_lab_result_second_person": [
        {"validated_at": NOW, "validated_by_id": 1, "resulted_by_id": 1}
    ],
    "ck_lab_result_validated": [{"validated_at": NOW}, {"validated_by_id": 1}],
    "ck_lab_result_value": [{"value": ""}],
    "ck_lab_test_choices": [{"kind": "choice"}],
    "ck_lab_test_decimals": [{"decimals": -1}, {"decimals": 5}],
    "ck_medicine_doses_per_unit": [{"doses_per_unit": 0}],
    "ck_medicine_ingredients": [{"ingredients": ""}],
    "ck_medicine_reorder_level": [{"reorder_level": -1}],
    "ck_paper_ended": [
        ENDED_WHY,
        *(
            ENDED_WHY | {"state": state, name: empty}
            for state in ("cancelled", "replaced")
            for name, empty in (("ended_at", None), ("ended_by_id", None), ("end_reason", ""))
        ),
    ],
    "ck_paper_number": [{"number": ""}],
    "ck_patient_bpjs_length": [{"bpjs_number": "0" * 12}, {"bpjs_number": ""}],
    "ck_patient_merge_two_records": [{"loser_id": 1}],
    "ck_patient_merged_elsewhere": [{"merged_into_id": AFAR + 1}],
    "ck_patient_nik_digits": [{"nik": each} for each in ("a" * 16, "7" * 8 + " " + "7" * 7)],
    "ck_patient_nik_length": [{"nik": "7" * 15}, {"nik": ""}],
    "ck_patient_nik_or_reason": [{"no_nik_reason": None}],
    "ck_patient_payer": [{"payer": "BPJS"}, {"payer": ""}],
    "ck_patient_sex": [{"sex": "X"}, {"sex": ""}],
    "ck_poli_cluster_rule": [{"cluster_rule": "5"}, {"cluster_rule": ""}],
    "ck_poli_prefix_one_letter": [{"prefix": ""}],
    "ck_prescription_close_reason": [
        CANCELLED["prescription"] | {"close_reason": ""},
        SENT | {"state": "partial", "closed_at": NOW, "closed_by_id": 1},
    ],
    "ck_prescription_closed": [
        SENT | {"state": "dispensed"},
        SENT | {"state": "dispensed", "closed_at": NOW},
        SENT | {"closed_at": NOW, "closed_by_id": 1},
        {"closed_by_id": 1},
    ],
    "ck_prescription_component_amount": [{"amount": 0}],
    "ck_prescription_line_compound": [{"is_compound": True, "medicine_id": 1}],
    "ck_prescription_line_days": [{"days": 0}, {"days": 366}],
    "ck_prescription_line_dose": [{"dose": 0}],
    "ck_prescription_line_ended": [{"ended_at": NOW}, {"ended_by_id": 1}],
    "ck_prescription_line_quantity": [{"quantity": 0}],
    "ck_prescription_line_replaces": [{"replaces_id": 1}, {"replace_reason": "x"}],
    "ck_prescription_line_times_a_day": [{"times_a_day": 0}, {"times_a_day": 25}],
    "ck_prescription_line_title": [{"title": ""}],
    "ck_prescription_review_problems": [
        {f"is_{each}": False} for each in ("administrative", "pharmaceutical", "clinical")
    ],
    "ck_prescription_reviewed": [{"reviewed_at": NOW}, {"reviewed_by_id": 1}],
    "ck_prescription_sent": [SENT | {"number": None}, SENT | {"sent_at": None}],
    "ck_prescription_warning_reason": [{"reason": ""}],
    "ck_procedure_ended": [{"ended_at": NOW}, {"ended_by_id": 1}],
    "ck_procedure_quantity": [{"quantity": 0}, {"quantity": 100}],
    "ck_procedure_title": [{"title": ""}],
    "ck_queue_entry_ended": [
        *({"state": each, "ended_at": NOW} for each in _HERE),
        {"state": "in_service", "started_at": NOW, "ended_at": NOW},
    ],
    "ck_queue_entry_started": [{"state": "in_service"}],
    "ck_queue_event_to_state": [{"to_state": "entah"}, {"to_state": ""}],
    "ck_report_lock_reopened": [
        {"reopened_at": NOW, "reopen_reason": "x"},
        {"reopened_at": NOW, "reopened_by_id": 1},
        {"reopen_reason": "x"},
    ],
    "ck_stock_batch_expires_on": [{"expires_on": None}],
    "ck_stock_move_never_negative": [{"kind": "out", "quantity": -6, "balance_after": -1}],
    "ck_stock_move_quantity": [{"kind": "correction", "quantity": 0, "reason": "x"}],
    "ck_stock_move_reason": [
        {"kind": "correction"},
        {"kind": "expiry", "quantity": -1},
        {"kind": "return"},
    ],
    "ck_stock_move_sign": [
        {"kind": "in", "quantity": -1},
        {"kind": "out"},
        {"kind": "expiry", "reason": "x"},
        {"kind": "return", "quantity": -1, "reason": "x"},
    ],
    "ck_suspected_pair_decided": [{"decided_at": NOW}, {"state": "merged"}, {"state": "different"}],
    "ck_suspected_pair_older_first": [{"second_id": 1}, {"first_id": 3}],
    "ck_triage_note_content": [{"seen": ""}],
    "ck_visit_bpjs_home": [{"bpjs_home": "x"}],
    "ck_visit_cluster": [{"cluster": "99"}, {"cluster": ""}],
    "ck_visit_computed_cluster": [{"computed_cluster": "KB"}],
    "ck_visit_ended": [{"ended_at": NOW}],
    "ck_visit_payer": [{"payer": "XX"}, {"payer": ""}],
    "ck_visit_pregnant": [{"pregnant": "zz"}],
    "ck_visit_visit_type": [{"visit_type": "zz"}, {"visit_type": ""}],
    "ck_vital_signs_positive": [
        *({each: -5} for each in ("systolic", "diastolic", "pulse", "respiration", "saturation")),
        *({each: 0} for each in ("temperature", "weight", "height")),
        {"systolic": 120, "diastolic": -80},
    ],
}
# The last values that are still good.
PERMITTED: dict[str, list[dict]] = {
    "amendment": [
        REFUSED,
        {"state": "applied", "applied_version": 2},
        {"state": "applied", "applied_version": 2, "decided_at": NOW, "decided_by_id": 1},
    ],
    "complaint_term": [{"weight": 1}, {"weight": 3}],
    "dispensed_line": [
        {"given": 0, "reason": "x"},
        {"given": 0, "is_outside": True},
    ],
    "dispensing": [{"quantity": "0.001"}, ENDED_WHY],
    "immunization": [{"dose": 0}, {"dose": 9}, ENDED_WHY],
    "lab_order": [CANCELLED["lab_order"], {"state": "validated", "resulted_at": NOW}],
    "lab_reference": [
        {"age_from_months": 11},
        {"low": 3},
        {"low": None, "high": None, "critical_low": None, "critical_high": None},
        *({"sex": each} for each in ("L", "P", "H")),
    ],
    "lab_result": [
        ENDED_WHY,
        {"flag": "critical"},
        {"flag": "high", "number": 5},
        {"validated_at": NOW, "validated_by_id": 1},
    ],
    "lab_test": [{"decimals": 0}, {"decimals": 4}, {"kind": "choice", "choices": "a|b"}],
    "medicine": [{"reorder_level": 0}],
    "paper": [ENDED_WHY | {"state": each} for each in ("cancelled", "replaced")],
    "patient": [
        {"sex": "P", "nik": "7" * 16, "no_nik_reason": None},
        {"bpjs_number": "0" * 13},
        {"merged_into_id": 1},
    ],
    "prescription": [
        CANCELLED["prescription"],
        SENT,
        SENT | {"state": "dispensed", "closed_at": NOW, "closed_by_id": 1},
    ],
    "prescription_line": [
        {"days": 365, "times_a_day": 24, "dose": "0.001"},
        {"days": 1, "times_a_day": 1},
        {"is_compound": True},
        {"replaces_id": 1, "replace_reason": "x"},
    ],
    "procedure": [{"quantity": 99}, ENDED],
    "queue_entry": [
        {"state": "in_service", "started_at": NOW},
        {"state": "done", "started_at": NOW, "ended_at": NOW},
        {"state": "left", "ended_at": NOW},
    ],
    "stock_batch": [{"number": "", "expires_on": None}],
    "stock_move": [
        {"balance_after": 0},
        {"kind": "correction", "quantity": -1, "reason": "x"},
        {"kind": "out", "quantity": -6, "balance_after": -1, "reason": "darurat"},
    ],
    "triage_note": [{"seen": "", "priority": "merah"}],
    "visit": [{"status": "finished", "ended_at": NOW}, {"pregnant": "nifas", "cluster": "LINTAS"}],
    "vital_signs": [{"systolic": 120, "diastolic": 80}, {"weight": "0.01"}],
}
_GONE = ("done", "moved", "cancelled", "left", "unfinished")
_NIK = {"nik": "7" * 16}
# Of the rules for some rows: those that they hold for, and the same ones outside of them.
SOME_ROWS: dict[str, tuple[list[dict], list[dict]]] = {
    "uq_amendment_waiting": ([{}], [REFUSED, {"state": "applied", "applied_version": 2}]),
    "uq_diagnosis_primary": (
        [{"is_primary": True}],
        [{}, {"is_primary": True} | ENDED],
    ),
    "uq_dispensing_held": ([{"component_id": 1}], [{"component_id": 1} | ENDED_WHY]),
    "uq_dispensing_line": ([{}], [ENDED_WHY, {"component_id": 1}]),
    "uq_examination_answer_current": ([{}], [ENDED]),
    "uq_immunization_current": ([{}], [ENDED_WHY]),
    "uq_lab_order_entry": ([{}], [CANCELLED["lab_order"]]),
    "uq_lab_order_test_asked": ([{}], [ENDED]),
    "uq_lab_reference_in_force": ([{}], [{"is_active": False}]),
    "uq_lab_result_current": ([{}], [ENDED_WHY]),
    "uq_paper_in_force": ([{}], [ENDED_WHY | {"state": "replaced"}]),
    "uq_patient_merge_in_force": ([{}], [{"undone_at": NOW}]),
    "uq_patient_nik_active": (
        [_NIK],
        [
            _NIK | {"merged_into_id": 1},
            _NIK | {"is_nik_disputed": True},
            _NIK | {"is_active": False},
            {"nik": None},
        ],
    ),
    "uq_pcare_mark_visit": ([{}], [{"ended_at": NOW}]),
    "uq_prescription_examination": ([{}], [CANCELLED["prescription"]]),
    "uq_prescription_warning": ([{}], [{"ended_at": NOW}]),
    "uq_queue_entry_visit_room": (
        [*({"state": each} for each in _HERE), {"state": "in_service", "started_at": NOW}],
        [{"state": each} for each in _GONE],
    ),
    "uq_report_lock_month": ([{}], [REOPENED]),
    "uq_stock_batch_nameless": ([{"number": "", "expires_on": None}], [{"number": "B1"}]),
    "uq_triage_note_current": ([{}], [{"ended_at": NOW}]),
}
NEEDED = {"uq_amendment_examination_id_applied_version": {"state": "applied"}}


# What keeps a state that does not exist within the other rules.
BESIDES: dict[str, dict] = {
    "lab_result.flag": {"number": 5},
    "paper.state": ENDED_WHY,
    "prescription.state": SENT,
    "queue_entry.state": {"ended_at": NOW},
    "stock_move.kind": {"quantity": -1},
    "suspected_pair.state": {"decided_at": NOW},
    "visit.status": {"ended_at": NOW},
}
# What sets a second good row apart from the first, where its columns' types do not.
APART: dict[str, dict] = {
    "household": {"kk_number": "7" * 16},
    "patient_merge": {"loser_id": 3},
    "suspected_pair": {"second_id": 3},
}


def value(column: Column, serial: int):
    """Any value of the column's kind, another one for each serial."""
    kind = column.type
    kind = kind.impl if isinstance(kind, TypeDecorator) else kind
    if isinstance(kind, Enum):
        return kind.enums[0]
    if isinstance(kind, String):
        return f"{serial}{column.name}"[: kind.length or 40]
    simple = {
        Boolean: True,
        DateTime: NOW,
        Date: date(2001, 1, serial),
        LargeBinary: b"x",
        JSON: {},
    }
    kinds = (made for known, made in simple.items() if isinstance(kind, known))
    is_key = column.foreign_keys or column.primary_key
    return next(kinds, AFAR + serial if is_key else serial)


def good(table: Table, serial: int = 1, **changes) -> dict:
    """A row that every rule allows: what a column's default does not give, and `changes`."""
    needed = [
        column
        for column in table.columns
        if not (column.nullable or column.default or column.server_default)
    ]
    row = {column.name: value(column, serial) for column in needed}
    row |= {"id": AFAR + serial} if "id" in table.columns else {}
    return row | GOOD.get(table.name, {}) | changes


def refusal(connection: Connection, table: Table, *rows: dict) -> str:
    """What the database says to the last of these rows; '' when it takes them all."""
    point = connection.begin_nested()
    try:
        for row in rows:
            connection.execute(table.insert().values({table.columns[k]: v for k, v in row.items()}))
    except IntegrityError as refused:
        return str(refused.orig)
    finally:
        point.rollback()
    return ""


@pytest.fixture
def tried(app, engine) -> Iterator[Connection]:
    """A connection that looks where no key leads to, and on which nothing is kept."""
    loose = {
        "sqlite": "PRAGMA defer_foreign_keys=ON",
        "postgresql": "SET LOCAL session_replication_role = replica",
    }
    with db.engine.connect() as connection:
        connection.execute(text(loose[engine]))
        yield connection
        connection.rollback()


def checks(table: Table) -> dict[str, CheckConstraint]:
    """The table's rules by name, those of enums too."""
    found = (each for each in table.constraints if isinstance(each, CheckConstraint))
    return {str(each.name): each for each in found}


def unique_sets(table: Table) -> Iterator[tuple[str, list[Column], str]]:
    """Name, columns and condition of what may stand there once."""
    for each in (*table.constraints, *table.indexes):
        if isinstance(each, UniqueConstraint) or (isinstance(each, Index) and each.unique):
            yield str(each.name), list(each.columns), each.info.get("where", "")
    yield f"pk_{table.name}", list(table.primary_key.columns), ""


def test_a_good_row_is_taken_by_every_table(tried):
    for table in TABLES:
        for changes in [{}, *PERMITTED.get(table.name, [])]:
            rows = [good(table, 1, **changes)]
            assert refusal(tried, table, *rows) == "", (table.name, changes)


def test_what_a_rule_forbids_is_refused_by_it(tried):
    known = set()
    for table in TABLES:
        for name, rule in checks(table).items():
            if rule._type_bound:  # an enum's, see below
                continue
            known.add(name)
            for changes in FORBIDDEN.get(name, []):
                said = refusal(tried, table, good(table, 1, **changes))
                assert name in said, (name, changes, said)
    assert known == set(FORBIDDEN), "each rule has its examples"


def test_what_the_tables_hold_has_words():
    """Tables import no words, so the lists stand twice."""
    assert [*people.PAYERS] == [*PAYER_LABELS]
    assert [*visits.VISIT_TYPES] == [*VISIT_TYPE_LABELS]
    assert [*visits.BPJS_HOMES] == ["", *BPJS_HOME_LABELS]
    assert [*visits.PREGNANCIES] == ["", *PREGNANCY_LABELS]
    assert [*visits.CLUSTERS] == [*CLUSTER_LABELS]


def test_a_column_of_few_values_takes_no_other(tried):
    columns = [each for t in TABLES for each in t.columns if isinstance(each.type, Enum)]
    assert len(columns) > 40
    for column in columns:
        wrong = BESIDES.get(str(column), {}) | {column.name: literal("entah", String)}
        said = refusal(tried, column.table, good(column.table, 1, **wrong))
        assert f"ck_{column.table.name}_{column.type.name}" in said, (column, said)


def test_what_is_needed_is_never_missing(tried, engine):
    words = {"sqlite": "NOT NULL constraint failed: {}", "postgresql": 'null value in column "{}"'}
    for table in TABLES:
        for column in table.columns:
            if not column.nullable and [column] != list(table.primary_key):
                said = refusal(tried, table, good(table, 1, **{column.name: null()}))
                named = str(column) if engine == "sqlite" else column.name
                assert words[engine].format(named) in said, (column, said)


def test_what_may_stand_there_once_stands_there_once(tried, engine):
    in_part = set()
    for table in TABLES:
        for name, columns, condition in unique_sets(table):
            held, released = SOME_ROWS[name] if condition else ([NEEDED.get(name, {})], [])
            in_part |= {name} if condition else set()
            known = {column.name: value(column, 1) for column in columns}
            same = known | {k: v for k, v in GOOD.get(table.name, {}).items() if k in known}
            names = [str(column) if engine == "sqlite" else column.name for column in columns]
            words = {"sqlite": "UNIQUE constraint failed: {}", "postgresql": "Key ({})="}
            for changes in held:
                first = good(table, 1, **(same | changes))
                second = good(table, 2, **(APART.get(table.name, {}) | same | changes))
                said = refusal(tried, table, first, second)
                assert words[engine].format(", ".join(names)) in said, (name, changes, said)
                for others in released:
                    freed = good(table, 2, **(APART.get(table.name, {}) | same | others))
                    assert refusal(tried, table, first, freed) == "", (name, others)
    assert in_part == set(SOME_ROWS)


def test_a_key_that_leads_nowhere_is_refused(app):
    with db.engine.connect() as connection:
        for table in TABLES:
            if table.foreign_keys and any(not key.parent.nullable for key in table.foreign_keys):
                said = refusal(connection, table, good(table))
                assert "foreign key" in said.lower(), (table.name, said)


# --- What is kept as it was written -----------------------------------------------------------

ENDS = {"state", "ended_at", "ended_by_id", "end_reason"}
# By table: the columns that may change after all.
KEPT = {
    "amendment_line": set(),
    "audit_entry": set(),
    "day_recap": set(),
    "locked_report": set(),
    "paper": ENDS | {"id", "public_id", "replaces_id"},
    "stock_move": set(),
}
# What the clinic sets up, and what its machine keeps for itself; all else is about patients.
SET_UP = {
    *("setting", "poli", "routing_rule", "complaint_term", "icd10_term", "village", "action_term"),
    *("lab_test", "lab_reference", "medicine", "stock_batch", "practitioner", "user_poli"),
}
OWN = {
    *("backup", "backup_copy", "drill", "self_check", "worker_beat", "internet_span", "counter"),
    *("closing_step", "login_session", "queue_state", "patient_token", "slip_block"),
    *("import_batch", "import_row", "registration_draft", "unsaved_text", "kept_answer"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_was_written_for_good_is_not_changed(tried, engine, name):
    table = Base.metadata.tables[name]
    tried.execute(table.insert().values(good(table)))
    if engine == "postgresql":
        tried.execute(text("SET LOCAL session_replication_role = origin"))
    statements = {
        column.name: f"UPDATE {name} SET {column.name} = {column.name}"  # noqa: S608
        for column in table.columns
    }
    taken = set()
    for what, statement in statements.items():
        point = tried.begin_nested()
        try:
            tried.execute(text(statement))
            taken.add(what)
        except DatabaseError as refused:
            if "changed" not in str(refused.orig):  # a key that leads nowhere, on PostgreSQL
                taken.add(what)
        finally:
            point.rollback()
    assert taken == KEPT[name]


def test_nothing_about_a_patient_is_deleted(tried, engine):
    refused = set()
    for table in TABLES:
        tried.execute(table.insert().values(good(table)))
        if engine == "postgresql":
            tried.execute(text("SET LOCAL session_replication_role = origin"))
        point = tried.begin_nested()
        try:
            tried.execute(table.delete())
        except DatabaseError as problem:
            if "never" in str(problem.orig):  # else a row that others point at
                refused.add(table.name)
        finally:
            point.rollback()
        if engine == "postgresql":
            tried.execute(text("SET LOCAL session_replication_role = replica"))
    assert refused == {table.name for table in TABLES} - SET_UP - OWN
