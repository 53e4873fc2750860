"""Nothing of a patient is written or read without its line in the audit trail.

Both go over the routes of the application, so that a new one is looked at too; whatever belongs
to a patient is found by the tables' foreign keys, so that a new table is too.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import event, select

from clinic import prescriptions
from clinic.dispensing_review import ASPECTS
from db import db
from models import (
    Amendment,
    AmendmentState,
    AuditEntry,
    Consent,
    LabOrder,
    LabOrderTest,
    LabResult,
    Patient,
)
from tests import factories, pharmacy, whole_record
from tests.pages import post
from tests.test_patient_forms import account_for, address, form_for, refs_for, routes_of
from tests.whole_record import Whole

pytestmark = pytest.mark.engines("sqlite")

NAME = "Siti Aminah"
VACCINE = {"vaccine": "MR-1", "given_on": "", "batch": "B1", "site": "lengan kiri"}
VACCINE |= {"given_by": "Bdn. Nurhayati", "override_reason": "belum pernah"}
SUBSTITUTE = {"aksi": "ganti", "what": "PCT500", "sig": "3x1", "days": "3", "quantity": "9"}
SUBSTITUTE |= {"dose_asked": "PCT500"}  # the other dose was read
SIGNED = {"decision": "setuju", "signer": "pasien"}
WRITES = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
# Of a patient by their foreign keys, and yet no part of a record.
NO_RECORD = {
    "patient_token": "the words that a search finds the patient by",
    "unsaved_text": "kept while somebody types, until it is saved or dropped",
}
# These forms store nothing of a record here.
DRAFT = "a draft, which its check page saves"
NOT_STORED = {
    "registration.correct_identity_post": DRAFT,
    "registration.returning_post": DRAFT,
    "registration.identity_post": DRAFT,
    "registration.room_post": DRAFT,
    "examination.keep_typed": NO_RECORD["unsaved_text"],
    "examination.drop_typed": NO_RECORD["unsaved_text"],
    "examination.write_prescription": "read back before it is sent",
    "papers.issue": "read back before it is issued",
    "examination.validate_lab_order": "only where a second person looks at the results",
    "examination.correct_triage": "its author's, of a visit that is over",
    "records.refuse_amendment": "the only one that waits is approved",
    "pharmacy.look": "shows the page again",
    "pharmacy.put_in_line": "who stands in line already",
    "pharmacy.close": "of an earlier day",
    "reports.mark_pcare": "of a visit that JKN pays for",
}
# Pages with the name that leave no line.
NOT_NOTED = {
    "pharmacy.substitution": "a step of the pharmacy's page of the visit, which was noted",
}
REFUSED_WITHOUT = {
    "pharmacy.substitute": NOT_NOTED["pharmacy.substitution"],
    "patients.open_record": "asks for the reason to open it",
}
REASONS = ("alasan", "reason", "why", "text", "substance")
# Sent in this order at the end: what they end the others need.
ENDING = ["pharmacy.give_back", "pharmacy.review", "pharmacy.substitute", "poli.step"]
ENDING += ["pharmacy.hand_over", "examination.correct_lab_result", "records.approve_amendment"]
ENDING += ["examination.fill_lab_result", "examination.withdraw_lab_result"]
ENDING += ["examination.read_withdrawn_result", "examination.cancel_lab_order"]


@dataclass
class Stored:
    """One transaction that was committed."""

    tables: set[str] = field(default_factory=set)
    noted: list[str] = field(default_factory=list)  # the patients of its audit entries


@pytest.fixture
def whole(app) -> Whole:
    return whole_record.write("biasa saja", NAME)


def of_a_patient() -> set[str]:
    """The tables whose rows lead to a patient."""
    tables, found = db.metadata.sorted_tables, {"patient"}  # each behind those that it leads to
    for table in tables:
        leads = any(key.column.table.name in found for key in table.foreign_keys)
        if leads or "patient_ref" in table.columns:
            found.add(table.name)
    return found - NO_RECORD.keys() - {AuditEntry.__tablename__}


@contextmanager
def heard() -> Iterator[list[Stored]]:
    """The transactions that are committed inside."""
    stored, open_one = [], Stored()

    def write(_connection, cursor, statement, _values, context, _many):
        found = WRITES.match(statement)
        if found and found[1] == AuditEntry.__tablename__:
            open_one.noted += [each["patient_ref"] for each in context.compiled_parameters]
        elif found and cursor.rowcount:
            open_one.tables.add(found[1])

    def end(_connection, keeps: bool):
        if keeps:
            stored.append(Stored(set(open_one.tables), list(open_one.noted)))
        open_one.tables.clear()
        open_one.noted.clear()

    listeners: dict[str, Callable] = {
        "after_cursor_execute": write,
        "commit": lambda connection: end(connection, True),
        "rollback": lambda connection: end(connection, False),
    }
    for name, listener in listeners.items():
        event.listen(db.engine, name, listener)
    try:
        yield stored
    finally:
        for name, listener in listeners.items():
            event.remove(db.engine, name, listener)


def last(model, **where):
    db.session.rollback()
    return db.session.scalars(select(model).filter_by(**where).order_by(model.id.desc())).first()


def further(whole: Whole) -> dict[str, dict[str, str]]:
    """What some forms act on, where it is not what the others act on."""
    person = db.session.get_one(Patient, whole.draft.visit.patient_id)
    lines = [pharmacy.line(pharmacy.medicine()) for _ in range(2)]
    first, second = (pharmacy.prescription(line, person=person) for line in lines)
    rows = {
        "poli.step": {"entry": whole.at_pharmacy},
        "examination.cancel_prescription": {"prescription": first},
        "examination.cancel_prescription_line": {"line": second.lines[0]},
    }
    found = {endpoint: {k: row.public_id for k, row in of.items()} for endpoint, of in rows.items()}
    found["poli.step"]["action"] = "mulai"
    return found


def newest(endpoint: str) -> dict[str, str]:
    """What an earlier form has made, and these act on."""
    if endpoint == "records.approve_amendment":
        return {"amendment": last(Amendment, state=AmendmentState.WAITING).public_id}
    if endpoint == "examination.fill_lab_result":
        return {"order": not_done().order.public_id}
    if endpoint in ("examination.withdraw_lab_result", "examination.read_withdrawn_result"):
        return {"result": last(LabResult, test_id=not_done().test_id).public_id}
    if endpoint == "examination.cancel_lab_order":
        return {"order": last(LabOrder).public_id}
    return {}


def not_done() -> LabOrderTest:
    rows = select(LabOrderTest).where(LabOrderTest.not_done_reason != "")
    return db.session.scalars(rows.order_by(LabOrderTest.id)).first()


def typed_for(whole: Whole, endpoint: str) -> dict:
    """What more of a form is needed to store something; of the few that need more."""
    ref, given = whole.refs["prescription"], whole.refs["dispensing_ref"]
    version = {"version": str(prescriptions.by_ref(ref).version)}
    reviewed = {f"{aspect}-{ref}": "1" for aspect in ASPECTS} | {f"problems-{ref}": ""}
    found = {
        "registration.correct_post": {"payer": "UMUM", "complaint": "pusing"},
        "examination.record": {"subjective": "demam"},
        "examination.measure": {"systolic": "120", "diastolic": "80"},
        "examination.amend": {"plan": "kontrol", "version": str(whole.finished.version)},
        "examination.add_immunizations": VACCINE,
        "examination.enter_results": {f"hasil-{last(LabOrderTest).public_id}": "12,1"},
        "examination.add_lab_tests": {"lab": ["GDS"], "lab_note": "dr. Ani"},
        "examination.correct_lab_result": {"value": "12,0"},
        "examination.fill_lab_result": {"pemeriksaan": not_done().public_id, "value": "O 1/80"},
        "consents.record": SIGNED | {"seen": last(Consent).public_id},
        "pharmacy.review": version | reviewed,
        "pharmacy.give_back": {f"quantity-{given}": "1", f"reason-{given}": "jatuh"},
        "pharmacy.substitute": SUBSTITUTE | version,
        "pharmacy.hand_over": handed_over(whole),
    }
    return found.get(endpoint, {})


def handed_over(whole: Whole) -> dict[str, str]:
    made = prescriptions.by_ref(whole.refs["prescription"])
    refs = [line.public_id for line in prescriptions.active_lines(made)]
    lines = {f"jumlah-{ref}": "0" for ref in refs} | {f"alasan-{ref}": "kosong" for ref in refs}
    return lines | {"aksi": "serahkan", "version": str(made.version)}


def place(rule) -> int:
    return ENDING.index(rule.endpoint) + 1 if rule.endpoint in ENDING else 0


def test_what_is_stored_of_a_patient_is_in_the_trail_of_the_same_transaction(app, whole, sign_in):
    clients = {name: sign_in(name) for name in ("kepala", "umum", "rekammedis")}
    owner, records, seen = whole.refs["patient"], of_a_patient(), set()
    others = further(whole)
    rules = sorted(routes_of(app, "POST"), key=place)
    for rule in rules:
        is_decision = rule.endpoint.startswith("records.")  # not the author's own
        client = clients["rekammedis" if is_decision else account_for(app, rule)]
        here = refs_for(whole, rule.endpoint) | others.get(rule.endpoint, {})
        here |= newest(rule.endpoint)
        fields = form_for(whole, rule.endpoint) | {"patient": owner}
        with heard() as stored:
            post(client, address(rule, here), fields | typed_for(whole, rule.endpoint))
        for each in stored:
            if each.tables & records:
                seen.add(rule.endpoint)
                assert owner in each.noted, (rule.rule, each.tables & records)
    assert {rule.endpoint for rule in rules} - seen == set(NOT_STORED)


def test_who_is_shown_a_patient_is_in_the_trail(app, whole, sign_in):
    clients = {name: sign_in(name) for name in ("kepala", "umum")}
    owner, without = whole.refs["patient"], set()
    for rule in routes_of(app, "GET"):
        query = {"pemeriksaan": whole.finished.public_id}
        url = address(rule, refs_for(whole, rule.endpoint))
        with heard() as stored:
            answer = clients[account_for(app, rule)].get(url, query_string=query)
        shows = NAME in answer.get_data(as_text=True)
        if shows and not any(owner in each.noted for each in stored):
            without.add(rule.endpoint)
    assert without == set(NOT_NOTED)


def test_who_is_shown_a_patient_by_a_refused_form_is_in_the_trail(app, whole, sign_in):
    """Incomplete, only looked up, or another patient's: the page comes back with all it shows."""
    clients = {name: sign_in(name) for name in ("kepala", "umum", "rekammedis")}
    owner, other = whole.refs["patient"], factories.patient("Orang Lain").public_id
    shown, without = set(), set()
    for rule in routes_of(app, "POST"):
        is_decision = rule.endpoint.startswith("records.")  # not the author's own
        client = clients["rekammedis" if is_decision else account_for(app, rule)]
        here = refs_for(whole, rule.endpoint)
        if rule.endpoint == "poli.step":
            here |= {"entry": whole.at_pharmacy.public_id}
        url = address(rule, here)
        said = form_for(whole, rule.endpoint) | dict.fromkeys(REASONS, "")
        for more in ({}, {"aksi": "cari"}, {"patient": other}):
            with heard() as stored:
                answer = post(client, url, said | {"patient": owner} | more)
            if answer.status_code == 303:
                client.get("/bantuan")  # what it tells of the patient is told there
            elif NAME in answer.get_data(as_text=True):
                shown.add(rule.endpoint)
                if not any(owner in each.noted for each in stored):
                    without.add(rule.endpoint)
    assert len(shown) > 25
    assert without == set(REFUSED_WITHOUT)
