"""What comes of laboratory results after they were finished: late, corrected, withdrawn, added."""

import re

import pytest
from sqlalchemy import select

from clinic import (
    days,
    lab_afterwards,
    lab_alerts,
    lab_entry,
    lab_reports,
    lab_results,
    queues,
    records,
)
from clinic.record_errors import RecordError
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from models import AuditEntry, LabOrderState, LabOrderTest, LabResult, QueueEntry, Visit
from tests import factories
from tests.pages import post, text_of, words_of
from tests.test_lab_pages import lab_address
from tests.test_laboratory import (
    alerts,
    ask_for_second_person,
    current_of,
    item_of,
    order_of,
    sent,
    typed,
    write,
)


def go_home(there: QueueEntry) -> None:
    """The sender takes the patient back without a result, and ends the visit."""
    sender = next(row for row in there.visit.entries if row.poli.code == "UMUM")
    with transaction():
        sender = db.session.get_one(QueueEntry, sender.id)
        back = queues.act(factories.actor("umum"), sender, "jemput")
    with transaction():
        queues.act(factories.actor("umum"), back, "mulai")
        form = ExaminationInput(assessment="sifilis?", disposition="pulang")
        records.finish(factories.actor("umum"), back, form, 0)
    db.session.expire_all()


def told(code: str = "UMUM") -> list[tuple[str, str]]:
    return sorted((alert.title, alert.text) for alert in alerts(code))


def read(there, code: str, **how) -> None:
    with transaction():
        row = newest(there, code)
        lab_results.mark_read(factories.actor("umum"), row, **how)


def newest(there, code: str) -> LabResult:
    rows = select(LabResult).where(LabResult.test_id == item_of(there, code).test_id)
    return db.session.scalars(rows.order_by(LabResult.id.desc())).first()


def correct(there, code: str, value: str) -> None:
    with transaction():
        row = current_of(item_of(there, code))
        lab_results.correct(factories.actor("lab"), row, value, "tertukar")


def withdraw(there, code: str, reason: str = "salah pasien") -> None:
    with transaction():
        row = current_of(item_of(there, code))
        lab_afterwards.withdraw(factories.actor("lab"), row, reason)


def fill_in(there, code: str, value: str, reason: str = "menyusul", **more) -> None:
    with transaction():
        item = item_of(there, code)
        who = factories.actor("lab")
        lab_afterwards.fill_in(who, item.order, item.public_id, value, reason, **more)


LATE = "Hasil datang sesudah pasien pulang"


# --- Late -------------------------------------------------------------------------------------


def test_what_is_not_normal_and_comes_after_the_patient_left_is_told_until_read(app):
    there = sent("BTA", "SIFILIS", "HBSAG")
    go_home(there)
    write(there, closes=True, BTA="+3", SIFILIS="reaktif", HBSAG="nonreaktif")
    assert [text for _, text in told()] == ["+3", "reaktif"]
    assert lab_alerts.rooms_with_unread() == {factories.poli("UMUM").id: "Hasil lab belum dibaca"}
    with transaction():
        db.session.get_one(Visit, there.visit_id).ended_at = utcnow()
    assert {title for title, _ in told()} == {LATE}
    read(there, "BTA")
    assert [text for _, text in told()] == ["reaktif"]
    with pytest.raises(RecordError, match="sudah dibaca"):
        read(there, "BTA")
    with pytest.raises(RecordError, match="tidak kritis"):
        read(there, "HBSAG")
    assert db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "read_lab_result")
    ).one()


def test_results_after_the_end_of_the_day_are_told(app):
    there = sent("HIV")
    with transaction():
        days.end(days.current_day(), utcnow())
    db.session.expire_all()
    write(there, closes=True, HIV="reaktif")
    assert told() == [(LATE, "reaktif")]


@pytest.mark.engines("sqlite")
def test_results_that_the_patient_brings_back_are_told_by_the_queue(app):
    there = sent("HIV")
    write(there, closes=True, HIV="reaktif")
    assert told() == []


@pytest.mark.engines("sqlite")
def test_a_late_result_that_nobody_read_is_told_in_its_corrected_spelling(app):
    there = sent("HB")
    go_home(there)
    write(there, closes=True, HB="10,1")
    correct(there, "HB", "10,2")
    assert [text for _, text in told()] == ["10,2 g/dL"]
    correct(there, "HB", "6,0")
    assert [alert.is_critical for alert in alerts()] == [True]


@pytest.mark.engines("sqlite")
def test_a_late_result_stands_in_the_queue_page(sign_in):
    umum, there = sign_in("umum"), sent("HIV")
    go_home(there)
    write(there, closes=True, HIV="reaktif")
    page = text_of(umum.get("/poli/UMUM"))
    assert f"{LATE} {there.visit.label} Siti Aminah" in page and "Nilai kritis" not in page
    assert "Hasil lab belum dibaca di antrean Poli Umum" in text_of(umum.get("/poli/LANSIA"))
    post(umum, re.search(r'formaction="(/laboratorium/kritis/[^"]+)"', page)[1])
    assert 'data-critical="' not in text_of(umum.get("/poli/UMUM"))


# --- Corrections ------------------------------------------------------------------------------


def test_a_correction_that_means_something_else_is_told(app):
    there = sent("HIV", "GOLDAR", "HB")
    go_home(there)
    write(there, closes=True, HIV="reaktif", GOLDAR="A", HB="12,1")
    read(there, "HIV")
    assert told() == []
    correct(there, "HB", "12,2")
    assert told() == [], "normal as before"
    correct(there, "HIV", "nonreaktif")
    correct(there, "GOLDAR", "B")
    said = sorted((alert.before, alert.text, alert.title) for alert in alerts())
    assert said == [
        ("A", "B", "Hasil dikoreksi"),
        ("reaktif (tidak normal)", "nonreaktif", "Hasil dikoreksi"),
    ]
    read(there, "HIV")
    read(there, "GOLDAR")
    assert told() == []


@pytest.mark.engines("sqlite")
def test_a_correction_of_a_choice_is_chosen_from_its_list(sign_in):
    there, lab = sent("HIV"), sign_in("lab")
    write(there, closes=True, HIV="reaktif")
    ref = current_of(item_of(there, "HIV")).public_id
    page = text_of(lab.get(lab_address(there)))
    assert f'<select id="f-value-{ref}" name="value">' in page
    assert "<option>nonreaktif</option>" in page
    address = f"/laboratorium/hasil/{ref}/koreksi"
    page = text_of(post(lab, address, {"value": "nonreaktif", "reason": ""}))
    assert "<option selected>nonreaktif</option>" in page
    assert post(lab, address, {"value": "nonreaktif", "reason": "tertukar"}).status_code == 303


# --- Withdrawn --------------------------------------------------------------------------------


def test_a_result_of_the_wrong_patient_is_withdrawn_and_told(app):
    there = sent("HIV", "HB")
    go_home(there)
    write(there, closes=True, HIV="reaktif", HB="12,1")
    read(there, "HIV")
    with pytest.raises(RecordError, match="alasan"):
        withdraw(there, "HIV", " ")
    stale = current_of(item_of(there, "HIV"))
    withdraw(there, "HIV")
    (alert,) = alerts()
    assert (alert.title, alert.text, alert.withdrawn) == (
        "Hasil ditarik",
        "reaktif",
        "salah pasien",
    )
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    line = next(each for each in report.lines if each.code == "HIV")
    assert (line.value, line.not_done) == (None, "hasil ditarik, salah pasien")
    assert [old.text for old in line.earlier] == ["reaktif"]
    with pytest.raises(RecordError, match="sudah dikoreksi"), transaction():
        lab_afterwards.withdraw(factories.actor("lab"), stale, "lagi")
    with pytest.raises(RecordError, match="sudah dikoreksi"):
        read(there, "HIV")  # pressed on the box of the value itself
    read(there, "HIV", is_withdrawn=True)
    assert told() == []
    withdraw(there, "HB")
    assert [title for title, _ in told()] == ["Hasil ditarik"], "normal, but acted upon"


@pytest.mark.engines("sqlite")
def test_the_page_withdraws_and_the_queue_says_so(sign_in):
    there, lab, umum = sent("HB"), sign_in("lab"), sign_in("umum")
    write(there, closes=True, HB="6,1")
    ref = current_of(item_of(there, "HB")).public_id
    address = f"/laboratorium/hasil/{ref}/tarik"
    assert f'formaction="{address}"' in text_of(lab.get(lab_address(there)))
    assert post(umum, address, {"reason": "x"}).status_code == 404
    assert post(lab, address, {"reason": ""}).status_code == 422
    assert post(lab, address, {"value": "", "reason": "milik K003"}).status_code == 303
    page = text_of(umum.get("/poli/UMUM"))
    assert "Hasil ditarik" in page and "tidak berlaku lagi: milik K003" in page
    post(umum, re.search(r'formaction="(/laboratorium/tarikan/[^"]+)"', page)[1])
    assert 'data-critical="' not in text_of(umum.get("/poli/UMUM"))
    assert "tidak dikerjakan: hasil ditarik, milik K003" in words_of(lab.get(lab_address(there)))


# --- Later ------------------------------------------------------------------------------------


def finished_without(there, code: str, **values) -> None:
    """The order is finished, and this test was not done."""
    entered = typed(there, **values)
    entered[item_of(there, code).public_id] = lab_entry.Entered(not_done="menyusul")
    with transaction():
        lab_entry.finish(factories.actor("lab"), there, entered, "", 0)
    db.session.expire_all()


def test_a_test_that_was_not_done_gets_its_result_later(app):
    ask_for_second_person()
    there = sent("HB", "TCM")
    finished_without(there, "TCM", HB="10,1")
    with transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    with pytest.raises(RecordError, match="Tulis"):
        fill_in(there, "TCM", "MTB terdeteksi, rifampisin sensitif", " ")
    with pytest.raises(lab_results.Refused):
        fill_in(there, "TCM", "entah")
    stale = item_of(there, "TCM")
    choice = stale.test.abnormal_list[0]
    fill_in(there, "TCM", choice)
    assert order_of(there).state is LabOrderState.RESULTED, "to be validated as well"
    assert [(alert.title, alert.text) for alert in alerts()] == [("Hasil lab menyusul", choice)]
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    assert [(line.code, line.value.text) for line in report.lines] == [
        ("HB", "10,1 g/dL"),
        ("TCM", choice),
    ]
    lines = select(LabOrderTest).where(LabOrderTest.test_id == stale.test_id)
    assert [row.not_done_reason for row in db.session.scalars(lines)] == ["menyusul", ""]
    with pytest.raises(RecordError, match="sudah diisi"), transaction():
        again = (stale.order, stale.public_id, choice, "lagi")
        lab_afterwards.fill_in(factories.actor("lab"), *again)
    read(there, "TCM")
    assert told() == []
    withdraw(there, "TCM")
    fill_in(there, "TCM", choice)
    assert len(told()) == 1


@pytest.mark.engines("sqlite")
def test_the_page_has_a_way_to_a_later_result_and_says_so(sign_in):
    there, lab = sent("HB", "GDS"), sign_in("lab")
    with pytest.raises(lab_results.Refused) as refused:
        write(there, closes=True, GDS="90")
    assert "menyusul" in refused.value.problems[item_of(there, "HB").public_id]
    finished_without(there, "HB", GDS="90")
    page = text_of(lab.get(lab_address(there)))
    assert "Isi hasil Hemoglobin" in page
    address = f"/laboratorium/permintaan/{order_of(there).public_id}/isi"
    data = {"pemeriksaan": item_of(there, "HB").public_id, "value": "99", "reason": "alat rusak"}
    page = text_of(post(lab, address, data))
    assert 'name="yakin"' in page and 'value="alat rusak"' in page
    assert post(sign_in("umum"), address, data).status_code == 404
    assert post(lab, address, data | {"value": "12,1"}).status_code == 303
    page = words_of(post(lab, address, data | {"value": "12,3"}))
    assert "sudah diisi orang lain" in page and "Nilai 12,3 Alasan alat rusak" in page
    assert "12,1 g/dL" in words_of(sign_in("umum").get(f"/kunjungan/{there.visit.public_id}"))
