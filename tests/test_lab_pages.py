"""The laboratory in the pages: boxes, LAB's form, banners on the queue, who may what."""

import gzip
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic import days, lab_results, queues, settings
from db import db, transaction, utcnow
from models import EntryState, Examination, LabOrder, LabResult, LabTest, QueueEntry, ServiceDay
from tests import factories
from tests.databases import count_queries
from tests.pages import post, text_of, words_of
from tests.test_examination import hidden
from tests.test_hostile_text import BREAKING_OUT
from tests.test_laboratory import current_of, item_of, order_of, sent, served, write

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")


def lab_address(there) -> str:
    return f"/kunjungan/{there.visit.public_id}/laboratorium"


def examine(client, entry, aksi="simpan", lab=(), version=0, **fields):
    data = {"aksi": aksi, "entry": entry.public_id, "version": str(version), "lab_sent": "1"}
    return post(client, f"/kunjungan/{entry.visit.public_id}", data | {"lab": list(lab)} | fields)


def send(client, there, aksi="simpan", seen=None, **values):
    """The laboratory's form, as it stands when it was opened just now."""
    data = {
        "aksi": aksi,
        "entry": there.public_id,
        "patient": there.visit.patient.public_id,
        "version": "0",
        "note": "",
    }
    for code, value in values.items():
        item = item_of(there, code)
        current = current_of(item)
        data[f"hasil-{item.public_id}"] = value
        data[f"lihat-{item.public_id}"] = current.public_id if current and seen is None else ""
    return post(client, lab_address(there), data)


def version_of(page: str) -> str:
    return re.search(r'data-version="([^"]+)"', page)[1]


def test_enter_in_a_result_publishes_nothing(sign_in):
    # It presses the first button of the form; a dead one sends nothing, with scripts or without.
    there = sent("HB")
    page = text_of(sign_in("lab").get(lab_address(there)))
    first = re.search(r'<form [^>]*id="isian".*?(<button[^>]*>)', page, re.DOTALL)[1]
    assert " disabled" in first


# --- The order --------------------------------------------------------------------------------


def test_the_form_offers_the_list_and_keeps_what_was_ticked(sign_in):
    umum, entry = sign_in("umum"), served()
    page = text_of(umum.get(f"/kunjungan/{entry.visit.public_id}"))
    assert 'name="lab" value="HB">' in page
    assert "Hematologi" in page
    assert examine(umum, entry, lab=["HB", "GDS"], lab_note="puasa").status_code == 303
    page = text_of(umum.get(f"/kunjungan/{entry.visit.public_id}"))
    assert 'value="HB" checked' in page
    assert 'value="WIDAL" checked' not in page
    assert 'name="lab_note" value="puasa"' in page
    # What is asked for leads there, by itself.
    assert re.search(r'value="rujuk_internal" checked', page)
    assert re.search(r'value="LAB" selected', page)


def test_a_form_without_the_section_changes_no_order(sign_in):
    umum, entry = sign_in("umum"), served()
    examine(umum, entry, lab=["HB"])
    old = {"aksi": "simpan", "entry": entry.public_id, "version": "1", "subjective": "lemas"}
    assert post(umum, f"/kunjungan/{entry.visit.public_id}", old).status_code == 303
    assert order_of(entry).state == "ordered"


def test_a_refused_order_keeps_everything_typed(sign_in):
    umum, entry = sign_in("umum"), served()
    answer = examine(umum, entry, "selesai", lab=["HB"], assessment="anemia", disposition="pulang")
    assert answer.status_code == 422
    page = text_of(answer)
    assert "masih terbuka" in page
    assert 'value="HB" checked' in page
    assert "anemia" in page
    assert not list(db.session.scalars(select(LabOrder)))


def test_the_room_to_which_the_patient_was_moved_cancels_the_order(sign_in):
    entry = served()
    examine(sign_in("umum"), entry, lab=["HB"])
    with transaction():
        moved = queues.move(
            factories.actor("umum"), entry, factories.poli("GIGI"), "salah ruang", utcnow()
        )
    address = f"/laboratorium/permintaan/{order_of(moved).public_id}/batal"
    gigi = sign_in("gigi")
    assert post(gigi, address, {"alasan": "x"}).status_code == 404  # not begun there
    with transaction():
        queues.act(factories.actor("gigi"), moved, "mulai")
    assert f'action="{address}"' in text_of(gigi.get(f"/kunjungan/{entry.visit.public_id}"))
    answer = post(gigi, address, {"alasan": "tidak perlu"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "dibatalkan" in text_of(answer)
    assert order_of(moved).state == "cancelled"


def test_the_order_is_cancelled_by_its_room_alone(sign_in):
    there = sent("HB")
    with transaction():
        queues.act(factories.actor("lab"), there, "urungkan")
    address = f"/laboratorium/permintaan/{order_of(there).public_id}/batal"
    page = text_of(sign_in("umum").get(f"/kunjungan/{there.visit.public_id}"))
    assert f'action="{address}"' in page
    assert post(sign_in("lab"), address, {"alasan": "x"}).status_code == 404
    assert post(sign_in("gigi"), address, {"alasan": "x"}).status_code == 404
    assert post(sign_in("rekammedis"), address, {"alasan": "x"}).status_code == 403
    umum = sign_in("umum")
    answer = post(umum, address, {"alasan": ""})
    assert "Tulis alasan" in text_of(umum.get(answer.location))
    answer = post(umum, address, {"alasan": "pasien menolak"})
    page = words_of(umum.get(answer.location))
    assert "dibatalkan" in page
    assert "Dibatalkan: pasien menolak" in page


# --- LAB's page -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "status"),
    [("lab", 200), ("kepala", 200), ("umum", 404), ("gigi", 404), ("loket", 403)],
)
def test_who_may_open_the_laboratorys_page(sign_in, username, status):
    there = sent("HB")
    assert sign_in(username).get(lab_address(there)).status_code == status


def test_the_visit_leads_lab_staff_to_their_page(sign_in):
    there = sent("HB")
    answer = sign_in("lab").get(f"/kunjungan/{there.visit.public_id}?antrean={there.public_id}")
    assert (answer.status_code, answer.location) == (303, lab_address(there))


def test_the_queue_of_lab_says_how_many_tests(sign_in):
    there = sent("HB", "GDS", "WIDAL")
    page = words_of(sign_in("lab").get("/poli/LAB"))
    assert "3 pemeriksaan" in page
    assert there.visit.label in page


def test_from_sample_to_the_return(sign_in):
    there, lab = sent("HB", "MALARIA"), sign_in("lab")
    page = words_of(lab.get(lab_address(there)))
    assert "g/dL, rujukan 12-15,5" in page
    assert "Diminta Poli Umum" in page
    answer = send(lab, there, "sampel", HB="", MALARIA="")
    assert answer.status_code == 303
    assert "Yusuf Hidayat" in words_of(lab.get(answer.location))
    send(lab, there, HB="10,4", MALARIA="P. vivax")
    page = words_of(lab.get(lab_address(there)))
    assert "10,4 rendah" in page
    assert "P. vivax kritis" in page
    answer = send(lab, there, "selesai", HB="10,4", MALARIA="P. vivax")
    assert (answer.status_code, answer.location) == (303, "/poli/LAB")
    umum = sign_in("umum")
    queue = words_of(umum.get("/poli/UMUM"))
    assert "Kembali dari Laboratorium" in queue
    page = words_of(umum.get(f"/kunjungan/{there.visit.public_id}"))
    assert "10,4 g/dL rendah 12-15,5" in page
    assert "P. vivax kritis" in page
    record = words_of(umum.get(f"/pasien/{there.visit.patient.public_id}"))
    assert "10,4 g/dL rendah" in record


def test_wrong_values_stand_beside_their_fields_with_all_that_was_typed(sign_in):
    there, lab = sent("HB", "GDS"), sign_in("lab")
    answer = send(lab, there, HB="12,345", GDS="95")
    assert answer.status_code == 422
    page = text_of(answer)
    assert 'value="12,345"' in page
    assert 'value="95"' in page
    assert "paling banyak 1 angka" in page
    answer = send(lab, there, HB="125", GDS="95")
    page = text_of(answer)
    ref = item_of(there, "HB").public_id
    assert f'name="yakin-{ref}"' in page
    assert not list(db.session.scalars(select(LabResult)))


def add(client, there, *codes, note="dr. Bagus per telepon"):
    fields = {"entry": there.public_id, "patient": there.visit.patient.public_id}
    address = f"{lab_address(there)}/tambah"
    return post(client, address, fields | {"lab": list(codes), "lab_note": note})


TO_LAB = {"assessment": "x", "disposition": "rujuk_internal", "refer_to": "LAB"}
NOTHING_ASKED = "Belum ada pemeriksaan laboratorium yang diminta."


def test_a_patient_sent_to_the_laboratory_for_nothing_is_asked_about_once(sign_in):
    umum, entry = sign_in("umum"), served()
    # A form that is opened again has asked nothing yet.
    examine(umum, entry, **TO_LAB)
    opened = hidden(umum.get(f"/kunjungan/{entry.visit.public_id}"), "vitals_seen")
    asked = examine(umum, entry, "selesai", version=1, vitals_seen=opened, **TO_LAB)
    page = text_of(asked)
    assert asked.status_code == 422 and "bila diminta lisan." in page
    assert f'<a href="#f-lab_note">{NOTHING_ASKED}' in page and "angkanya benar" not in page
    assert re.search(r'id="permintaan-lab" open', page), "its tests are there to be ticked"
    seen = hidden(asked, "vitals_seen")
    again = examine(umum, entry, "selesai", version=1, vitals_seen=seen, **TO_LAB)
    assert again.status_code == 303


def test_who_is_sent_for_something_or_elsewhere_is_not_asked_about(sign_in):
    umum, gizi = sign_in("umum"), {"refer_to": "GIZI"}
    for more in ({"lab": ["HB"]}, gizi, {"disposition": "pulang"}):
        assert examine(umum, served(), "selesai", **TO_LAB | more).status_code == 303, more
    other = served()  # what another room has asked for is still to be done
    there = sent("HB")
    with transaction():
        order = db.session.get_one(LabOrder, order_of(there).id)
        order.visit_id = other.visit_id
    assert examine(umum, other, "selesai", **TO_LAB).status_code == 303


def test_the_laboratory_adds_what_a_sender_did_not_tick(sign_in):
    umum, lab, entry = sign_in("umum"), sign_in("lab"), served()
    asked = examine(umum, entry, "selesai", **TO_LAB)
    examine(umum, entry, "selesai", vitals_seen=hidden(asked, "vitals_seen"), **TO_LAB)
    there = next(row for row in entry.visit.entries if row.poli.code == "LAB")
    with transaction():
        queues.act(factories.actor("lab"), db.session.merge(there), "mulai")
    page = text_of(lab.get(f"/kunjungan/{there.visit.public_id}"))
    assert f"{lab_address(there)}#tambah" in page
    for codes, note, sentence in (((), "x", "Centang"), (("HB",), " ", "siapa yang memintanya")):
        answer = add(lab, there, *codes, note=note)
        assert answer.status_code == 422
        assert sentence in text_of(answer)
    assert 'value="HB" checked' in text_of(answer)
    assert add(lab, there, "HB").status_code == 303
    assert add(lab, there, "GDS", note="sekalian").status_code == 303
    send(lab, there, "selesai", HB="6,1", GDS="100")
    first, own = db.session.scalars(select(LabOrder).order_by(LabOrder.id))
    assert (first.entry_id, first.ordered_by.username) == (entry.id, "lab")
    assert (first.note, own.note) == ("dr. Bagus per telepon", "sekalian")
    assert own.entry_id == there.id
    assert "Hemoglobin 6,1 g/dL" in text_of(umum.get("/poli/UMUM"))


def test_whom_the_counter_sent_straight_here_gets_results_too(sign_in):
    lab, there = sign_in("lab"), served("LAB", "lab")
    assert add(sign_in("umum"), there, "HB").status_code == 404
    assert add(lab, there, "HB", "GDS").status_code == 303
    send(lab, there, "selesai", HB="12,1", GDS="100")
    db.session.expire_all()
    assert current_of(item_of(there, "HB")).value == "12,1"
    assert db.session.get_one(QueueEntry, there.id).state is EntryState.DONE


@pytest.mark.parametrize(
    ("state", "advice"),
    [(EntryState.SKIPPED, "kembalikan ke antrean"), (EntryState.DONE, "Minta pengirim merujuk")],
)
def test_what_was_asked_of_somebody_who_left_is_still_named(sign_in, state, advice):
    there = sent("HB", "GDS")
    with transaction():
        again = db.session.get_one(QueueEntry, there.id)
        again.state = state
        again.ended_at = utcnow() if state is EntryState.DONE else None
    page = words_of(sign_in("lab").get(lab_address(there)))
    assert "Poli Umum meminta Hemoglobin, Gula darah sewaktu" in page
    assert advice in page
    assert "Tidak ada permintaan" not in page


def test_the_second_to_write_is_told_and_loses_nothing(sign_in):
    there, lab, head = sent("HB", "GDS"), sign_in("lab"), sign_in("kepala")
    send(lab, there, HB="12,1", GDS="")
    answer = send(head, there, seen="", HB="9,9", GDS="")
    assert answer.status_code == 422
    page = text_of(answer)
    assert "sementara itu diisi 12,1 oleh Yusuf Hidayat" in page
    assert 'value="9,9"' in page
    assert current_of(item_of(there, "HB")).value == "12,1"


def test_a_form_of_another_patient_is_refused(sign_in):
    there, other, lab = sent("HB"), factories.patient("Orang Lain"), sign_in("lab")
    data = {"aksi": "simpan", "entry": there.public_id, "patient": other.public_id}
    ref = item_of(there, "HB").public_id
    answer = post(lab, lab_address(there), data | {f"hasil-{ref}": "12,1"})
    assert answer.status_code == 409
    assert "bukan untuk pasien atau kunjungan ini" in text_of(answer)
    assert 'value="12,1"' in text_of(answer)
    assert not list(db.session.scalars(select(LabResult)))


def test_results_after_the_patient_was_moved_on_are_refused(sign_in):
    there, lab = sent("HB"), sign_in("lab")
    with transaction():
        queues.act(factories.actor("lab"), there, "batal", "salah kirim")
    answer = send(lab, there, HB="12,1")
    assert answer.status_code == 409
    assert "tidak sedang dilayani" in text_of(answer)


def test_who_presses_selesai_second_is_told_and_sees_both(sign_in):
    there, lab, head = sent("HB"), sign_in("lab"), sign_in("kepala")
    data = {"entry": there.public_id, "patient": there.visit.patient.public_id, "aksi": "selesai"}
    ref = item_of(there, "HB").public_id
    first = post(lab, lab_address(there), data | {f"hasil-{ref}": "12,1"})
    assert first.status_code == 303
    second = post(head, lab_address(there), data | {f"hasil-{ref}": "9,9", "note": "hemolisis"})
    assert second.status_code == 409
    page = words_of(second)
    assert "tidak sedang dilayani" in page
    assert "Tulisan Anda yang belum tersimpan Hemoglobin 9,9" in page
    assert "hemolisis" in page
    assert "12,1 g/dL" in page


def test_what_was_typed_is_given_back_when_access_has_ended(sign_in):
    there, lab = sent("HB"), sign_in("lab")
    ref = item_of(there, "HB").public_id
    with transaction():
        day = db.session.get_one(ServiceDay, there.service_day_id)
        day.on -= timedelta(days=2)
    data = {"entry": there.public_id, "patient": there.visit.patient.public_id}
    answer = post(lab, lab_address(there), data | {f"hasil-{ref}": "12,1", "aksi": "simpan"})
    assert answer.status_code == 409
    page = words_of(answer)
    assert "Hemoglobin 12,1" in page
    assert there.visit.patient.name not in page


def test_the_record_says_to_whom_the_laboratory_sent_the_patient_back(sign_in):
    there = sent("HB")
    write(there, closes=True, HB="12,9")
    umum = sign_in("umum")
    for page in ("", "/cetak"):
        told = words_of(umum.get(f"/pasien/{there.visit.patient.public_id}{page}"))
        assert "Tindak lanjut Kembali ke Poli Umum" in told
        assert "Tindak lanjut Pulang" not in told


# --- Validation and correction ----------------------------------------------------------------


def test_validation_by_another_person(sign_in):
    with transaction():
        settings.set_value("lab_second_person", "ya")
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    address = f"/laboratorium/permintaan/{order_of(there).public_id}/validasi"
    lab, head, umum = sign_in("lab"), sign_in("kepala"), sign_in("umum")
    assert "sementara" in words_of(umum.get(f"/kunjungan/{there.visit.public_id}"))
    assert "1 permintaan menunggu validasi" in words_of(lab.get("/poli/LAB"))
    assert there.visit.label in words_of(lab.get("/laboratorium/validasi"))
    assert umum.get("/laboratorium/validasi").status_code == 404
    assert post(umum, address).status_code == 404
    answer = post(lab, address)
    assert "Anda isi sendiri" in text_of(lab.get(answer.location))
    answer = post(head, address)
    assert "divalidasi dr. Indah Lestari" in words_of(head.get(answer.location))
    assert "menunggu validasi" not in words_of(lab.get("/poli/LAB"))


def test_the_head_asks_for_validation_in_the_settings(sign_in):
    head = sign_in("kepala")
    page = text_of(head.get("/sistem/pengaturan"))
    assert "Hasil lab divalidasi orang kedua" in page
    shown = re.findall(r'<(?:input|textarea)[^>]* name="(\w+)"(?: value="([^"]*)")?', page)
    fields = {name: value for name, value in shown if name != "csrf_token"}
    fields |= {"time_zone": "Asia/Makassar", "kb_cluster": "2", "lab_second_person": "ya"}
    fields |= {key: settings.value(key) for key in ("board_networks",)}
    assert post(head, "/sistem/pengaturan", fields).status_code == 303
    db.session.rollback()
    assert settings.value("lab_second_person") == "ya"
    del fields["shown"]  # that page is stale by now
    assert post(head, "/sistem/pengaturan", fields | {"lab_second_person": "x"}).status_code == 422


def test_a_correction_shows_both_values(sign_in):
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    ref = current_of(item_of(there, "HB")).public_id
    address, lab = f"/laboratorium/hasil/{ref}/koreksi", sign_in("lab")
    answer = post(lab, address, {"value": "99", "reason": "tertukar"})
    assert answer.status_code == 422
    assert 'name="yakin"' in text_of(answer)
    assert 'value="tertukar"' in text_of(answer)
    assert post(sign_in("umum"), address, {"value": "9", "reason": "x"}).status_code == 404
    answer = post(lab, address, {"value": "9,2", "reason": "tabung tertukar"})
    assert answer.status_code == 303
    page = words_of(sign_in("umum").get(f"/kunjungan/{there.visit.public_id}"))
    assert "9,2 g/dL rendah" in page
    assert "12,1 g/dL sampai dikoreksi: tabung tertukar" in page


def test_the_way_to_a_correction_after_the_end_is_the_laboratorys(sign_in):
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    link, lab = f'href="{lab_address(there)}"', sign_in("lab")
    opened = lab.get(f"/antrean/{there.public_id}/buka", follow_redirects=True)
    assert f"{link}>Koreksi hasil</a>" in text_of(opened)
    assert "Koreksi Hemoglobin" in words_of(lab.get(lab_address(there)))
    written = db.session.scalars(select(Examination).where(Examination.entry_id == there.id)).one()
    amend = text_of(lab.get(f"/pemeriksaan/{written.public_id}/pembetulan"))
    assert f"dikoreksi di <a {link}" in amend
    assert link in text_of(sign_in("kepala").get(f"/kunjungan/{there.visit.public_id}"))
    assert link not in text_of(sign_in("umum").get(f"/kunjungan/{there.visit.public_id}"))


# --- Critical values --------------------------------------------------------------------------


def test_the_poll_brings_a_critical_value_and_it_goes_when_read(sign_in):
    umum, there = sign_in("umum"), sent("HB", person=factories.patient(birth_order=2))
    version = version_of(text_of(umum.get("/poli/UMUM")))
    assert umum.get(f"/poli/UMUM/baris?v={version}").status_code == 204
    lab = sign_in("lab")
    saved = text_of(lab.get(send(lab, there, HB="6,1").location))
    assert "Sudah tampil di antrean Poli Umum" in saved
    assert "Hasil lain dilihat pengirim setelah Selesai" in saved
    answer = umum.get(f"/poli/UMUM/baris?v={version}")
    assert answer.status_code == 200
    page = text_of(answer)
    assert f"Nilai kritis {there.visit.label} Siti Aminah (bayi ke-2)" in page
    assert "Hemoglobin 6,1 g/dL" in page
    assert "hasil sementara" in page
    address = re.search(r'formaction="(/laboratorium/kritis/[^"]+)"', page)[1]
    for username, status in (("gigi", 404), ("lab", 404), ("loket", 403)):
        assert post(sign_in(username), address).status_code == status
    assert post(umum, address).location == "/poli/UMUM"
    page = text_of(umum.get("/poli/UMUM"))
    assert "dicatat sudah dibaca" in page
    assert 'data-critical="' not in page
    answer = post(umum, address)
    assert "sudah dibaca dr. Bagus Prasetyo" in text_of(umum.get(answer.location))


def test_a_correction_of_a_critical_value_stands_in_the_queue_until_read(sign_in):
    umum, there = sign_in("umum"), sent("HB")
    lab = sign_in("lab")
    send(lab, there, "selesai", HB="6,1")
    version = version_of(text_of(umum.get("/poli/UMUM")))
    with transaction():
        result = db.session.scalars(select(LabResult)).one()
        lab_results.correct(factories.actor("lab"), result, "16,1", "salah ketik")
    page = text_of(umum.get(f"/poli/UMUM/baris?v={version}"))
    assert f"Hasil dikoreksi {there.visit.label} Siti Aminah" in page
    assert "Hemoglobin 6,1 (kritis rendah) → 16,1 g/dL" in page and "Nilai kritis" not in page
    post(umum, re.search(r'formaction="(/laboratorium/kritis/[^"]+)"', page)[1])
    page = text_of(umum.get("/poli/UMUM"))
    assert "dicatat sudah dibaca" in page and 'data-critical="' not in page


def test_a_critical_value_is_seen_in_the_other_rooms_of_who_works_there(sign_in):
    umum, there = sign_in("umum"), sent("HB")
    version = version_of(text_of(umum.get("/poli/LANSIA")))
    send(sign_in("lab"), there, HB="6,1")
    answer = umum.get(f"/poli/LANSIA/baris?v={version}")
    assert "Nilai kritis di antrean Poli Umum" in text_of(answer)
    assert "Siti Aminah" not in text_of(answer), "a number and a name only in the sender's room"
    assert "Nilai kritis" not in text_of(sign_in("gigi").get("/poli/GIGI"))
    here = text_of(umum.get("/poli/UMUM"))
    assert "di antrean Poli Umum" not in here
    post(umum, re.search(r'formaction="(/laboratorium/kritis/[^"]+)"', here)[1])
    answer = umum.get(f"/poli/LANSIA/baris?v={version_of(text_of(answer))}")
    assert answer.status_code == 200 and "Nilai kritis" not in text_of(answer)


def test_a_critical_value_is_said_once_not_at_each_change_of_the_list(sign_in):
    umum, there = sign_in("umum"), sent("HB")
    send(sign_in("lab"), there, HB="6,1")
    section = re.search(r"<section [^>]*data-critical[^>]*>", text_of(umum.get("/poli/UMUM")))[0]
    assert "aria-label" in section and "role=" not in section  # polling.js says what is new


def test_the_poll_brings_a_critical_value_after_the_day_was_closed(sign_in):
    umum, there = sign_in("umum"), sent("HB", "LEUKOSIT")
    with transaction():
        days.end(days.current_day(), utcnow())
    version = version_of(text_of(umum.get("/poli/UMUM")))
    assert umum.get(f"/poli/UMUM/baris?v={version}").status_code == 204
    lab = sign_in("lab")
    send(lab, there, HB="6,1")
    answer = umum.get(f"/poli/UMUM/baris?v={version}")
    assert answer.status_code == 200
    page = text_of(answer)
    assert "Hemoglobin 6,1 g/dL" in page
    assert "hasil sementara" in page
    send(lab, there, "selesai", HB="6,1", LEUKOSIT="7.200")
    page = text_of(umum.get("/poli/UMUM"))
    assert "hasil sementara" not in page, "drawn in the same minute"
    address = re.search(r'formaction="(/laboratorium/kritis/[^"]+)"', page)[1]
    assert post(umum, address).location == "/poli/UMUM"
    version = version_of(text_of(umum.get("/poli/UMUM")))
    assert umum.get(f"/poli/UMUM/baris?v={version}").status_code == 204
    assert 'data-critical="' not in text_of(umum.get("/poli/UMUM"))
    factories.entry(person=factories.patient("Pagi Sekali"))
    assert "Pagi Sekali" in text_of(umum.get(f"/poli/UMUM/baris?v={version}"))


def test_it_shows_wherever_the_patient_is_by_then(sign_in):
    there = sent("HB")
    write(there, closes=True, HB="6,1")
    back = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
    with transaction():
        queues.act(factories.actor("umum"), back, "pindah", "sesak", factories.poli("UGD"))
    head = sign_in("kepala")
    assert 'data-critical="' in text_of(head.get("/poli/UMUM"))
    overview = text_of(head.get("/poli"))
    tiles = re.findall(r'<a class="tile[^>]* href="/poli/(\w+)">(.*?)</a>', overview)
    assert [code for code, tile in tiles if "Nilai kritis" in tile] == ["UMUM"]
    db.session.refresh(back)
    assert back.state is EntryState.MOVED


@pytest.mark.parametrize("code", ["UMUM", "LAB"])
def test_the_queue_asks_as_much_with_many_orders(app, sign_in, code):
    head, counts = sign_in("kepala"), []
    for size in (2, 6):
        for _ in range(size):
            there = sent("HB", "GDS")
            write(there, HB="6,1")
        head.get(f"/poli/{code}")
        app.extensions.pop("drawn_queues")
        with count_queries() as queries:
            head.get(f"/poli/{code}")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_pages_stay_small_with_many_tests(app, sign_in):
    codes = list(db.session.scalars(select(LabTest.code)))
    entry = served()
    umum = sign_in("umum")
    umum.is_checking = False
    page = umum.get(f"/kunjungan/{entry.visit.public_id}")
    assert len(gzip.compress(page.data, 6)) <= 6 * 1024
    there, lab = sent(*codes), sign_in("lab")
    lab.is_checking = False
    assert len(gzip.compress(lab.get(lab_address(there)).data, 6)) <= 6 * 1024


# --- Hostile text -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_is_shown_as_it_was_typed(sign_in, text):
    person = factories.patient(text)
    entry, umum, lab = served(person=person), sign_in("umum"), sign_in("lab")
    fields = {"assessment": "x", "disposition": "rujuk_internal", "refer_to": "LAB"}
    answer = examine(umum, entry, "selesai", ["U-SEDIMEN", "HB"], lab_note=text, **fields)
    assert answer.status_code == 303
    there = next(row for row in entry.visit.entries if row.poli.code == "LAB")
    with transaction():
        queues.act(factories.actor("lab"), there, "mulai")
    sediment, hb = item_of(there, "U-SEDIMEN").public_id, item_of(there, "HB").public_id
    data = {"entry": there.public_id, "patient": person.public_id, "version": "0", "note": text}
    data |= {f"hasil-{sediment}": text, f"hasil-{hb}": text}
    refused = post(lab, lab_address(there), data | {"aksi": "simpan"})
    assert refused.status_code == 422
    data[f"hasil-{hb}"] = "6,1"
    assert post(lab, lab_address(there), data | {"aksi": "simpan"}).status_code == 303
    pages = [refused, lab.get(lab_address(there)), umum.get("/poli/UMUM")]
    data |= {f"lihat-{sediment}": current_of(item_of(there, "U-SEDIMEN")).public_id}
    data |= {f"lihat-{hb}": current_of(item_of(there, "HB")).public_id, "version": "1"}
    assert post(lab, lab_address(there), data | {"aksi": "selesai"}).status_code == 303
    ref = current_of(item_of(there, "U-SEDIMEN")).public_id
    post(lab, f"/laboratorium/hasil/{ref}/koreksi", {"value": "normal", "reason": text})
    pages += [
        umum.get(f"/kunjungan/{there.visit.public_id}"),
        umum.get(f"/pasien/{person.public_id}"),
        lab.get(lab_address(there)),
    ]
    shown = " ".join(text.replace("\u202e", "").split())
    for page in pages:
        assert shown in text_of(page) or text in text_of(page)
        for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
            assert piece not in page.get_data(as_text=True)
