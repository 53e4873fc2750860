"""The pharmacy in the pages: the desk, review, handing out, substitutes, labels, who may what."""

import gzip
import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from clinic import (
    allergies,
    days,
    dispensing_review,
    medicines,
    prescription_changes,
    prescriptions,
    queues,
)
from db import db, transaction, utcnow
from formatting import short_date
from models import (
    DispensedLine,
    EntryState,
    NoNikReason,
    Patient,
    Prescription,
    PrescriptionState,
    PrescriptionWarning,
    QueueEntry,
    Route,
    VitalSigns,
)
from tests import factories, pharmacy
from tests.databases import count_queries
from tests.pages import post
from tests.test_dispensing import called, hand_over, ready, review, rows
from tests.test_hostile_text import BREAKING_OUT
from tests.test_stock_pages import words_of

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")


def reviewed(made: Prescription, *aspects: str, problems: str = "") -> dict[str, str]:
    """What the form says of it when these aspects (all, unless named) were ticked."""
    ticked = {f"{name}-{made.public_id}": "1" for name in aspects or dispensing_review.ASPECTS}
    return ticked | {f"problems-{made.public_id}": problems}


def address(made: Prescription) -> str:
    return f"/kunjungan/{made.visit.public_id}/farmasi"


def whom(made: Prescription) -> dict[str, str]:
    """The hidden fields of a form that was opened just now."""
    fresh = prescriptions.by_ref(made.public_id)
    return {
        "patient": fresh.visit.patient.public_id,
        "version": str(fresh.version),
        "entry": pharmacy.pharmacy_entry(fresh).public_id,
    }


def press(client, made: Prescription, aksi: str = "serahkan", **fields):
    """The form of handing out; l0="5" is the quantity of the first line."""
    refs = [line.public_id for line in prescriptions.active_lines(made)]
    named = {"l": "jumlah", "a": "alasan", "b": "lebih", "g": "alergi"}
    lines = {f"{named[name[0]]}-{refs[int(name[1:])]}": text for name, text in fields.items()}
    url = f"/farmasi/resep/{made.public_id}/serahkan"
    return post(client, url, whom(made) | {"aksi": aksi} | lines)


def state_of(made: Prescription) -> PrescriptionState:
    db.session.rollback()
    return prescriptions.by_ref(made.public_id).state


# --- Who may what -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "status"),
    [("farmasi", 200), ("kepala", 200), ("umum", 404), ("lab", 404), ("loket", 403)],
)
def test_who_may_open_the_pharmacys_pages(sign_in, username, status):
    made, client = pharmacy.prescription(pharmacy.line(pharmacy.medicine())), sign_in(username)
    ref, line = made.public_id, made.lines[0].public_id
    for url in (
        "/farmasi",
        address(made),
        f"/farmasi/resep/{ref}/etiket",
        f"/farmasi/resep/{ref}/salinan",
        f"/farmasi/resep/{ref}/ganti/{line}",
    ):
        assert client.get(url).status_code == status, url
    if status != 200:
        for step in ("telaah", "serahkan", "antre"):
            url = f"/farmasi/resep/{ref}/{step}"
            assert post(client, url, whom(made) | reviewed(made)).status_code == status, url
        assert state_of(made) is PrescriptionState.SENT


def test_a_draft_is_not_the_pharmacys(sign_in):
    made, client = pharmacy.prescription(pharmacy.line(pharmacy.medicine())), sign_in("farmasi")
    with transaction():
        db.session.get_one(Prescription, made.id).state = PrescriptionState.DRAFT
    assert client.get(f"/farmasi/resep/{made.public_id}/etiket").status_code == 404
    assert "Tidak ada resep" in words_of(client.get(address(made)))


def test_a_visit_opens_the_pharmacys_page_for_its_stay_there(sign_in):
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()))
    entry = pharmacy.pharmacy_entry(made)
    answer = sign_in("farmasi").get(f"/kunjungan/{made.visit.public_id}?antrean={entry.public_id}")
    assert (answer.status_code, answer.location) == (303, address(made))
    head, place = sign_in("kepala"), f"/kunjungan/{made.visit.public_id}"
    assert head.get(place).location == address(made)
    with transaction():
        db.session.get_one(QueueEntry, entry.id).state = EntryState.DONE
    assert head.get(place).status_code == 200  # to read what was written in the rooms
    assert head.get(f"{place}?antrean={entry.public_id}").location == address(made)
    # Who came without a prescription is examined as everywhere else.
    other = factories.entry("FARMASI", factories.patient("Tanpa Resep"))
    answer = sign_in("farmasi").get(f"/kunjungan/{other.visit.public_id}")
    assert answer.status_code == 200


def test_a_twins_medicines_are_told_from_the_others(sign_in):
    baby = {"birth_date": days.clinic_date(), "no_nik_reason": NoNikReason.NEWBORN}
    twin = factories.patient("By Ny Sulistiani", **baby, birth_order=2)
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()), person=twin)
    staff = sign_in("farmasi")
    for page in ("/farmasi", f"/farmasi/resep/{made.public_id}/etiket"):
        assert "By Ny Sulistiani (bayi ke-2)" in staff.get(page).text, page


# --- The desk ---------------------------------------------------------------------------------


def test_the_desk_shows_what_a_pharmacist_must_know(sign_in):
    person = factories.patient("Alergi Sekali")
    with transaction():
        whom_ = db.session.get_one(Patient, person.id)
        allergies.add_allergy(factories.actor("umum"), whom_, "Udang", "biduran")
    of, empty = pharmacy.medicine(), pharmacy.medicine()
    pharmacy.receive(of, 250)
    made = pharmacy.prescription(pharmacy.line(of), pharmacy.line(empty), person=person)
    with transaction():
        db.session.add(
            VitalSigns(
                visit_id=made.visit_id, recorded_by_id=factories.user("umum").id, weight="12.3"
            )
        )
        db.session.add(
            PrescriptionWarning(
                prescription_id=made.id,
                rule="GANDA",
                subject="x",
                message="Zat yang sama dua kali.",
                reason="dosis dinaikkan bertahap",
                answered_by_id=factories.user("umum").id,
            )
        )
    page = words_of(sign_in("farmasi").get(address(made)))
    for text in (
        "Alergi: Udang (biduran)",
        "BB 12,3 kg",
        "dr. Bagus Prasetyo, Poli Umum",
        "batuk pilek",
        "sesudah makan",
        "Stok 250 tablet",
        "Stok 0 tablet kurang",
        "dosis dinaikkan bertahap (dr. Bagus Prasetyo)",
    ):
        assert text in page, text


def test_an_allergy_recorded_meanwhile_stands_in_red_on_its_line(sign_in):
    of, client = pharmacy.medicine(ingredients="kromafin"), sign_in("farmasi")
    pharmacy.receive(of, 12)
    made = pharmacy.prescription(pharmacy.line(of, 10))
    with transaction():
        person = db.session.get_one(Patient, made.visit.patient_id)
        allergies.add_allergy(factories.actor("umum"), person, "kromafin", "sesak")
    red = 'class="warn warn-error" data-rule="ALERGI"'
    assert red in client.get(address(made)).get_data(as_text=True)  # at the review already
    review(made)
    called(made)
    answer = press(client, made, l0="10")
    assert answer.status_code == 422
    assert "Pasien alergi kromafin (sesak)" in words_of(answer)
    (name,) = re.findall('name="(alergi-[^"]+)"', answer.get_data(as_text=True))
    assert state_of(made) is PrescriptionState.REVIEWED
    assert press(client, made, l0="10", g0="sudah ditanyakan, boleh").status_code == 303
    page = words_of(client.get(address(made)))
    assert "Jawaban: sudah ditanyakan, boleh (apt. Dewi Anggraini" in page
    assert name not in page


def test_from_the_review_to_the_hand(sign_in):
    of, client = pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 12)
    made = pharmacy.prescription(pharmacy.line(of, 10))
    url = f"/farmasi/resep/{made.public_id}/telaah"
    answer = post(client, url, whom(made) | reviewed(made, "administrative"))
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "Centang ketiga hal" in page
    assert f'name="administrative-{made.public_id}" value="1" checked' in page
    before = whom(made) | reviewed(made)
    assert [post(client, url, before).status_code for _ in range(2)] == [303, 303]
    answer = post(sign_in("kepala"), url, before)
    assert answer.status_code == 409
    assert "baru saja diubah" in words_of(answer)
    page = words_of(client.get(address(made)))
    assert "Ditelaah apt. Dewi Anggraini" in page
    assert "Belum dipanggil" in page
    assert "Serahkan obat" not in page
    called(made)
    assert "Serahkan obat" in words_of(client.get(address(made)))
    answer = press(client, made, l0="10")
    assert (answer.status_code, answer.location) == (303, "/poli/FARMASI")
    assert "diserahkan. Pasien pulang." in words_of(client.get(answer.location))
    page = words_of(client.get(address(made)))
    assert "diserahkan 10 tablet" in page
    assert "Cetak ulang etiket" in page
    assert pharmacy.balance(of) == 2


def test_the_batch_and_its_expiry_stand_on_the_page_before_it_is_given(sign_in):
    of, client = pharmacy.medicine(), sign_in("farmasi")
    soon = days.clinic_date() + timedelta(days=1)
    pharmacy.receive(of, 30, "B-77", soon)
    made = ready(pharmacy.line(of, 9))
    page = words_of(client.get(address(made)))
    assert f"Ambil 9 batch B-77 ED {short_date(soon)} ED sebelum obatnya habis" in page


def test_enter_in_a_field_hands_nothing_out(sign_in):
    of, client = pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 12)
    made = ready(pharmacy.line(of, 10))
    page = client.get(address(made)).get_data(as_text=True)
    form = page[page.index(f'action="{address(made)}"') :]
    assert re.search(r'<button[^>]*value="(\w+)"', form)[1] == "periksa"
    line = made.lines[0].public_id
    typed = {"aksi": "periksa", f"jumlah-{line}": "7", f"alasan-{line}": "menolak"}
    for answer in (
        post(client, address(made), whom(made) | typed),
        press(client, made, "periksa", l0="7", a0="menolak"),
    ):
        assert answer.status_code == 200
        assert 'value="7"' in answer.get_data(as_text=True)
    other = whom(made) | typed | {"patient": factories.patient("Orang Lain").public_id}
    assert post(client, address(made), other).status_code == 409
    assert state_of(made) is PrescriptionState.REVIEWED


def test_what_is_refused_stands_beside_its_line_with_all_that_was_typed(sign_in):
    of, short, client = pharmacy.medicine(), pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 12)
    made = ready(pharmacy.line(of, 10), pharmacy.line(short, 5))
    answer = press(client, made, l0="8", l1="5")
    assert answer.status_code == 422
    page = html.unescape(answer.get_data(as_text=True))
    assert "tulis mengapa kurang" in page
    assert "hanya ada 0 tablet, perlu 5" in page
    assert 'value="8"' in page
    assert page.count("field-error") == 2
    answer = press(client, made, l0="abc", l1="0", a1="Stok kosong")
    assert f"{made.lines[0].title}: Tulis jumlah dengan angka" in words_of(answer)
    answer = press(client, made, l0="", l1="0", a1="Stok kosong")  # emptied, not "all of it"
    assert answer.status_code == 422
    assert f"{made.lines[0].title}: tulis jumlah yang diserahkan; 0 bila" in words_of(answer)
    assert not rows(made)
    answer = press(client, made, l0="8", a0="Pasien menolak", l1="5", b1="kiriman belum dicatat")
    assert answer.status_code == 303
    assert state_of(made) is PrescriptionState.PARTIAL
    assert pharmacy.balance(short) == -5


def test_the_keys_are_for_the_only_one_that_can_be_meant(sign_in):
    """With two of them on a page the browser would press the last: the wrong prescription."""
    of, client = pharmacy.medicine(), sign_in("farmasi")
    made = pharmacy.prescription(pharmacy.line(of, 10))
    second = pharmacy.second_prescription(made, pharmacy.line(of, 5))
    called(made)

    def keys() -> list[str]:
        page = client.get(address(made)).get_data(as_text=True)
        marked = re.findall(r"<kbd[^>]*>Alt\+([ET])<", page)
        assert re.findall(r'accesskey="([et])"', page) == [key.lower() for key in marked]
        return marked

    with transaction():
        entry = db.session.get_one(QueueEntry, pharmacy.pharmacy_entry(made).id)
        queues.act(factories.actor("farmasi"), entry, "mulai")
    assert keys() == []
    review(made)
    assert sorted(keys()) == ["E", "T"]
    review(second)
    assert keys() == []


def test_the_button_of_one_prescription_keeps_what_was_typed_for_another(sign_in):
    """Else it would stand at its full amounts again, and the next press would hand all over."""
    of, client = pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 30)
    made = pharmacy.prescription(pharmacy.line(of, 10))
    second = pharmacy.second_prescription(made, pharmacy.line(of, 6))
    third = pharmacy.second_prescription(made, pharmacy.line(of, 4))
    for each in (made, second):
        review(each)
    called(made)
    line = second.lines[0].public_id
    typed = {f"jumlah-{line}": "2", f"alasan-{line}": "Pasien masih punya"}
    typed |= reviewed(third, "clinical", problems="tanya dosisnya")

    def is_kept(answer) -> bool:
        page = answer.get_data(as_text=True)
        fields = [rf'name="jumlah-{line}" value="2"', 'value="Pasien masih punya"']
        fields += [f'name="clinical-{third.public_id}" value="1" checked', "\ntanya dosisnya<"]
        return all(field in page for field in fields)

    def step(one: Prescription, name: str, **fields):
        version = {f"version-{one.public_id}": prescriptions.by_ref(one.public_id).version}
        form = whom(made) | typed | {"aksi": name, "version": ""} | version | fields
        return post(client, f"/farmasi/resep/{one.public_id}/{name}", form)

    first = f"jumlah-{made.lines[0].public_id}"
    answer = step(made, "serahkan", **{first: "3"})
    assert answer.status_code == 422 and is_kept(answer)
    answer = step(made, "serahkan", **{first: "10"})
    assert answer.status_code == 200 and is_kept(answer) and "diserahkan." in words_of(answer)
    assert state_of(made) is PrescriptionState.DISPENSED
    ref = rows(made)[0].public_id
    back = whom(made) | typed | {f"quantity-{ref}": "1", f"reason-{ref}": "jatuh"}
    answer = post(client, f"/farmasi/penyerahan/{ref}/kembali", back)
    assert is_kept(answer) and "dicatat kembali" in words_of(answer)
    answer = step(third, "telaah")
    assert answer.status_code == 200 and 'value="2"' in answer.get_data(as_text=True)
    assert step(third, "serahkan").status_code == 200
    assert step(second, "serahkan").location == "/poli/FARMASI"
    assert [row.quantity for row in rows(second)] == [2]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("10", "5"), "Obat {whose} diserahkan. Pasien pulang."),
        (("10", "0"), "Obat {whose} diserahkan sebagian. Pasien pulang."),
        (("0", "0"), "{whose} ditutup, tidak ada obat yang diserahkan. Pasien pulang."),
    ],
)
def test_it_is_told_how_much_was_handed_over(sign_in, given, told):
    of, client = pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 15)
    made = ready(pharmacy.line(of, 10), pharmacy.line(of, 5))
    why = "Pasien menolak"
    answer = press(client, made, l0=given[0], a0=why, l1=given[1], a1=why)
    whose = f"{made.visit.label} {made.visit.patient.name}"
    assert told.format(whose=whose) in words_of(client.get(answer.location))


def test_a_second_press_is_harmless_and_another_pharmacist_is_told(sign_in):
    of = pharmacy.medicine()
    pharmacy.receive(of, 30)
    made = ready(pharmacy.line(of, 10))
    client, head = sign_in("farmasi"), sign_in("kepala")
    before = whom(made) | {"aksi": "serahkan"}
    url = f"/farmasi/resep/{made.public_id}/serahkan"
    for _ in range(2):
        assert post(client, url, before).status_code == 303
    answer = post(head, url, before)
    assert answer.status_code == 409
    assert "sudah diserahkan oleh apt. Dewi Anggraini pukul" in words_of(answer)
    assert pharmacy.balance(of) == 20


def test_a_page_of_before_the_substitution_hands_nothing_out(sign_in):
    of, other, client = pharmacy.medicine(), pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 30)
    made = ready(pharmacy.line(of, 10))
    old = whom(made) | {"aksi": "serahkan"}
    change = {"what": other.code, "sig": "3x1", "days": "3", "reason": "stok", "aksi": "ganti"}
    change["dose_asked"] = other.code
    line = made.lines[0].public_id
    answer = post(client, f"/farmasi/resep/{made.public_id}/ganti/{line}", whom(made) | change)
    assert answer.status_code == 303
    answer = post(client, f"/farmasi/resep/{made.public_id}/serahkan", old)
    assert answer.status_code == 409
    assert "baru saja diubah" in words_of(answer)
    page = words_of(client.get(address(made)))
    assert f"{of.label} diganti: stok" in page


def test_what_the_doctor_took_back_is_said_with_who_and_why(sign_in):
    of, other, third, client = (*(pharmacy.medicine() for _ in range(3)), sign_in("farmasi"))
    made = ready(pharmacy.line(of, 10), pharmacy.line(other, 9), pharmacy.line(third, 9))
    with transaction():
        line = prescription_changes.line_by_ref(made.lines[0].public_id)
        prescription_changes.cancel_line(factories.actor("umum"), line, "alergi baru")
    page = words_of(client.get(address(made)))
    assert f"jangan diserahkan: {of.label}, 10 tablet . alergi baru (dr. Bagus" in page
    ref, line = made.public_id, prescriptions.active_lines(prescriptions.by_ref(made.public_id))[0]
    change = {"what": of.code, "sig": "3x1", "days": "3", "reason": "stok", "aksi": "ganti"}
    url = f"/farmasi/resep/{ref}/ganti/{line.public_id}"
    assert post(client, url, whom(made) | change | {"dose_asked": of.code}).status_code == 303
    assert words_of(client.get(address(made))).count("jangan diserahkan") == 1
    with transaction():
        found = prescriptions.by_ref(made.public_id)
        prescription_changes.cancel(factories.actor("umum"), found, "salah pasien")
    page = words_of(client.get(address(made)))
    assert f"Resep {made.number} dibatalkan, jangan diserahkan. salah pasien (dr. Bagus" in page
    assert f"{third.label}, 9 tablet" in page
    assert "Tidak ada resep yang dikirim" not in page


@pytest.mark.parametrize("step", ["telaah", "serahkan", "ganti"])
def test_a_form_of_another_patient_is_refused(sign_in, step):
    of, client = pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 30)
    made = ready(pharmacy.line(of, 10))
    other = pharmacy.prescription(pharmacy.line(of, 10), person=factories.patient("Orang Lain"))
    line = made.lines[0].public_id
    url = f"/farmasi/resep/{made.public_id}/{step}" + (f"/{line}" if step == "ganti" else "")
    mixed = whom(made) | {"patient": whom(other)["patient"], "aksi": "serahkan"} | reviewed(made)
    answer = post(client, url, mixed | {"what": of.code, "reason": "x"})
    assert answer.status_code == 409
    assert "bukan untuk pasien atau kunjungan ini" in words_of(answer)
    if step == "serahkan":  # this patient's form with another one's stay
        mixed = whom(made) | {"entry": whom(other)["entry"], "aksi": "serahkan"}
        assert post(client, url, mixed).status_code == 409
    assert pharmacy.balance(of) == 30


def test_nobody_is_handed_anything_by_a_form_without_its_fields(sign_in):
    of, client = pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 30)
    made = ready(pharmacy.line(of, 10))
    url = f"/farmasi/resep/{made.public_id}/serahkan"
    for broken in ({"version": ""}, {"version": "9" * 30}, {"version": "١"}):
        answer = post(client, url, whom(made) | {"aksi": "serahkan"} | broken)
        assert answer.status_code == 409
    assert not rows(made)


# --- Substitutes ------------------------------------------------------------------------------


def test_the_search_for_a_substitute_keeps_what_was_typed(sign_in):
    client = sign_in("farmasi")
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine(), 9))
    url = f"/farmasi/resep/{made.public_id}/ganti/{made.lines[0].public_id}"
    page = client.get(url).get_data(as_text=True)
    assert 'name="sig" value="3x1"' in page
    typed = whom(made) | {"aksi": "cari", "q": "paracetamol", "sig": "4x1", "reason": "kosong"}
    answer = post(client, url, typed)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert 'value="PCT500"' in page
    assert 'name="sig" value="4x1"' in page
    answer = post(client, url, typed | {"aksi": "ganti"})
    assert answer.status_code == 422
    assert "Pilih obat penggantinya" in words_of(answer)


def test_another_dose_is_shown_once_with_what_would_be_the_same(sign_in):
    client = sign_in("farmasi")
    made = pharmacy.prescription(pharmacy.line(medicines.by_code("PCT-S"), 2, dose=Decimal(5)))
    url = f"/farmasi/resep/{made.public_id}/ganti/{made.lines[0].public_id}"
    typed = {"what": "PCT-D", "sig": "3x5 mL", "days": "3", "reason": "kosong", "aksi": "ganti"}
    answer = post(client, url, whom(made) | typed)
    assert answer.status_code == 422
    assert "dosis semula 3 x sehari 120 mg, kini 3 x sehari 500 mg" in words_of(answer)
    page = answer.get_data(as_text=True)
    assert 'name="sig" value="3x1,2 mL"' in page
    assert 'name="dose_asked" value="PCT-D"' in page
    assert 'name="reason" value="kosong"' in page
    shown = {"sig": "3x1,2 mL", "dose_asked": "PCT-D"}
    assert post(client, url, whom(made) | typed | shown).status_code == 303
    db.session.rollback()
    (line,) = prescriptions.active_lines(prescriptions.by_ref(made.public_id))
    assert line.dose == Decimal("1.2")


def test_a_warning_of_the_substitute_is_asked_on_the_page(sign_in):
    client, person = sign_in("farmasi"), factories.patient("Alergi Obat")
    with transaction():
        whom_ = db.session.get_one(Patient, person.id)
        allergies.add_allergy(factories.actor("umum"), whom_, "Amoksisilin", "gatal")
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine(), 9), person=person)
    url = f"/farmasi/resep/{made.public_id}/ganti/{made.lines[0].public_id}"
    typed = {"what": "AMOX500", "sig": "3x1", "days": "3", "reason": "kosong", "aksi": "ganti"}
    typed["dose_asked"] = "AMOX500"
    answer = post(client, url, whom(made) | typed)
    assert answer.status_code == 422
    name = re.search(r'name="(peringatan-\w+)"', answer.get_data(as_text=True))[1]
    answer = post(client, url, whom(made) | typed | {name: "pernah minum tanpa keluhan"})
    assert answer.status_code == 303
    assert "pernah minum tanpa keluhan" in words_of(client.get(answer.location))


# --- Back -------------------------------------------------------------------------------------


def test_a_return_is_written_from_the_page(sign_in):
    of, client = pharmacy.medicine(), sign_in("farmasi")
    pharmacy.receive(of, 10)
    made = ready(pharmacy.line(of, 10))
    hand_over(made)
    url = f"/farmasi/penyerahan/{rows(made)[0].public_id}/kembali"
    ref = rows(made)[0].public_id

    def back(quantity: str, reason: str) -> dict[str, str]:
        return whom(made) | {f"quantity-{ref}": quantity, f"reason-{ref}": reason}

    answer = post(client, url, back("4", ""))
    assert answer.status_code == 422
    assert 'value="4"' in answer.get_data(as_text=True)
    answer = post(client, url, back("", "timbul gatal"))
    assert "Tulis jumlah yang kembali." in words_of(answer)
    mixed = back("4", "alergi") | {"patient": "x"}
    assert post(client, url, mixed).status_code == 409
    answer = post(client, url, back("4", "timbul gatal"))
    assert answer.status_code == 303
    assert "4 tablet, batch B1, kembali: timbul gatal" in words_of(client.get(answer.location))
    assert pharmacy.balance(of) == 4
    again = post(client, url, back("4", "timbul gatal"))
    assert again.status_code == 422
    assert "sudah dicatat kembali" in words_of(again)


# --- Labels and copies ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reviewer", "printer", "is_named"),
    [("farmasi", "kepala", True), ("", "farmasi", True), ("kepala", "farmasi", True)]
    + [("", "kepala", False), ("kepala", "kepala", False)],
)
def test_a_label_names_the_pharmacist(sign_in, reviewer, printer, is_named):
    of = pharmacy.medicine()
    pharmacy.receive(of, 20)
    made = pharmacy.prescription(pharmacy.line(of))
    if reviewer:
        review(made, by=reviewer)
    page = words_of(sign_in(printer).get(f"/farmasi/resep/{made.public_id}/etiket"))
    assert ("Tirta Alur · apt. Dewi Anggraini" in page) is is_named
    assert "· dr." not in page


def test_labels_say_how_to_use_it_and_what_is_not_swallowed(sign_in):
    tablet = pharmacy.medicine()
    salve = pharmacy.medicine(form="salep 5 g", unit="tube", route=Route.TOPICAL)
    syrup = pharmacy.medicine(form="suspensi 60 mL", unit="botol")
    for of in (tablet, salve, syrup):
        pharmacy.receive(of, 20)
    made = pharmacy.prescription(
        pharmacy.line(tablet, instruction="3 x sehari 1 tablet, sesudah makan"),
        pharmacy.line(salve, 1, instruction="2 x sehari, oleskan tipis"),
        pharmacy.line(syrup, 1, instruction="3 x sehari 5 mL"),
        pharmacy.compound((tablet, "0.5", "tablet")),
        pharmacy.line(None, 5, title="Obat luar daftar"),
    )
    client = sign_in("farmasi")
    answer = client.get(f"/farmasi/resep/{made.public_id}/etiket")
    page = answer.get_data(as_text=True)
    found = [words_of_text(each) for each in page.split('<section class="etiket')[1:]]
    assert len(found) == 4
    assert all("Puskesmas Tirta Alur" in each and made.number in each for each in found)
    assert all("Siti Aminah , lahir 14-05-1985" in each for each in found)
    assert page.count('lahir <span class="one-line">14-05-1985</span>') == 4
    assert ["OBAT LUAR" in each for each in found] == [False, True, False, False]
    assert ["Kocok dahulu" in each for each in found] == [False, False, True, False]
    assert "3 x sehari 1 tablet, sesudah makan" in found[0]
    assert "ED 31-12-2099" in found[0]
    assert "Gunakan sebelum" in found[3]
    assert "belum ditelaah" in words_of(answer)
    assert "etikets-lembar" in client.get(
        f"/farmasi/resep/{made.public_id}/etiket?ukuran=lembar"
    ).get_data(as_text=True)


def test_a_label_with_much_to_say_has_smaller_letters_so_that_it_stays_one_label(sign_in):
    of, person = pharmacy.medicine(), "Ida Bagus Putu Gede Ngurah Wiranata Kusumawardhana Adiputra"
    pharmacy.receive(of, 20)
    made = pharmacy.prescription(
        pharmacy.line(of, instruction="1 x 1"),
        pharmacy.line(
            of, instruction="minum bila demam, paling cepat setiap enam jam, sesudah makan"
        ),
    )
    with transaction():
        made.visit.patient.name = person
    page = sign_in("farmasi").get(f"/farmasi/resep/{made.public_id}/etiket").text
    assert re.findall(r'class="etiket( etiket-long)?"', page) == ["", " etiket-long"]


def words_of_text(text: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def test_the_copy_holds_what_was_not_given(sign_in):
    full, part = pharmacy.medicine(), pharmacy.medicine()
    for of in (full, part):
        pharmacy.receive(of, 10)
    made = ready(
        pharmacy.line(full, 10),
        pharmacy.line(part, 10),
        pharmacy.line(None, 5, title="Obat dari luar"),
    )
    refs = [line.public_id for line in made.lines]
    client = sign_in("farmasi")
    press(client, made, l0="10", l1="4", a1="Stok kosong")
    assert len(list(db.session.scalars(select(DispensedLine)))) == len(refs)
    page = words_of(client.get(f"/farmasi/resep/{made.public_id}/salinan"))
    assert full.label not in page
    assert f"R/ {part.label} No. 10 tablet" in page
    assert "sudah diserahkan 4, sisa 6 tablet" in page
    assert "R/ Obat dari luar No. 5 tablet" in page
    assert "ne det" in page
    # The labels of what was handed out can be printed again.
    page = words_of(client.get(f"/farmasi/resep/{made.public_id}/etiket"))
    assert f"{part.label}, 4 tablet" in page
    assert "Obat dari luar" not in page


# --- The queue --------------------------------------------------------------------------------


def test_the_worklist_brings_a_forgotten_patient_into_the_queue(sign_in):
    client = sign_in("farmasi")
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()), queued=False)
    assert "1 belum di antrean" in words_of(client.get("/poli/FARMASI"))
    page = words_of(client.get("/farmasi"))
    assert "Belum di antrean farmasi 1" in page
    assert "target 30" in page
    url = f"/farmasi/resep/{made.public_id}/antre"
    answer = post(client, url)
    page = words_of(client.get(answer.location))
    assert "masuk antrean farmasi" in page
    assert "Di antrean farmasi 1" in page
    answer = post(client, url)
    assert "dua kali" in words_of(client.get(answer.location))
    with transaction():
        entry = pharmacy.pharmacy_entry(made)
        assert queues.act(factories.actor("farmasi"), entry, "panggil").calls == 1


def test_the_queues_button_does_not_end_a_stay_with_an_open_prescription(sign_in):
    made, client = pharmacy.prescription(pharmacy.line(pharmacy.medicine())), sign_in("farmasi")
    entry = called(made)
    with transaction():
        queues.act(factories.actor("farmasi"), db.session.get(QueueEntry, entry.id), "mulai")
    answer = post(client, f"/antrean/{entry.public_id}/selesai")
    assert answer.status_code == 409
    assert "belum diserahkan" in words_of(answer)
    form = {"aksi": "selesai", "entry": entry.public_id, "version": "0", "plan": "x"}
    form |= {"disposition": "pulang", "patient": made.visit.patient.public_id}
    answer = post(client, f"/kunjungan/{made.visit.public_id}", form)
    assert answer.status_code == 409
    assert "belum diserahkan" in words_of(answer)


# --- Hostile text, bytes, queries -------------------------------------------------------------


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_in_the_pharmacy_is_shown_as_typed(sign_in, text):
    person, client = factories.patient(text), sign_in("farmasi")
    of = pharmacy.medicine(name=text[:80])
    pharmacy.receive(of, 10, text[:40])
    made = pharmacy.prescription(
        pharmacy.line(of, 10, instruction=text), pharmacy.line(None, 1, title=text), person=person
    )
    url = f"/farmasi/resep/{made.public_id}"
    post(client, f"{url}/telaah", whom(made) | reviewed(made, "clinical", problems=text))
    called(made)
    pages = [client.get(address(made)), client.get(f"{url}/ganti/{made.lines[0].public_id}")]
    pages.append(press(client, made, l0=text, a0=text))
    pages.append(post(client, f"{url}/ganti/{made.lines[0].public_id}", whom(made) | {"q": text}))
    press(client, made, l0="9", a0=text)
    assert state_of(made) is PrescriptionState.PARTIAL
    pages += [client.get(each) for each in (address(made), f"{url}/etiket", f"{url}/salinan")]
    pages.append(client.get("/farmasi"))
    for answer in pages:
        page = answer.get_data(as_text=True)
        for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
            assert piece not in page
    shown = " ".join(text.replace("\u202e", "").split())
    assert html.unescape(pages[4].get_data(as_text=True)).count(shown) >= 3


def test_the_pharmacys_pages_are_6_kb_and_ask_no_more_for_many_lines(sign_in):
    client, counts = sign_in("farmasi"), []
    of = [pharmacy.medicine() for _ in range(10)]
    for each in of:
        pharmacy.receive(each, 500)
    made = [ready(*(pharmacy.line(each, 5) for each in of[:n])) for n in (1, 10)]
    for each in made:
        client.get(address(each))
        with count_queries() as asked:
            assert client.get(address(each)).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
    for _ in range(20):
        pharmacy.prescription(pharmacy.line(of[0], 5))
    client.is_checking = False
    ref = made[1].public_id
    urls = [address(made[1]), "/farmasi", f"/farmasi/resep/{ref}/etiket"]
    urls += [f"/farmasi/resep/{ref}/ganti/{made[1].lines[0].public_id}"]
    for url in urls:
        answer = client.get(url, headers={"Accept-Encoding": "gzip"})
        gzip.decompress(answer.data)
        assert len(answer.data) <= 6 * 1024, (url, len(answer.data))


def test_the_time_of_waiting_is_that_since_selesai(sign_in):
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()))
    with transaction():
        row = db.session.get_one(Prescription, made.id)
        row.sent_at = utcnow() - timedelta(minutes=31)
    page = sign_in("farmasi").get("/farmasi").get_data(as_text=True)
    assert 'class="minutes band-late"' in page
    assert "terlambat" in page
    review(made)
    assert "ditelaah" in words_of(sign_in("kepala").get("/farmasi"))


# --- The queue's own page ---------------------------------------------------------------------


def farmasi_row(client, made: Prescription) -> str:
    page = client.get("/poli/FARMASI").get_data(as_text=True)
    ref = pharmacy.pharmacy_entry(made).public_id
    return next(row for row in page.split("<li ") if f'data-entry="{ref}"' in row)


@pytest.mark.parametrize(
    ("minutes", "plain", "made"),
    [(5, "ok", "ok"), (25, "warn", "ok"), (35, "late", "ok"), (65, "late", "late")],
)
def test_the_queue_counts_from_selesai_to_the_goal(sign_in, minutes, plain, made):
    of = pharmacy.medicine()
    tablets = pharmacy.prescription(pharmacy.line(of))
    puyer = pharmacy.prescription(pharmacy.line(of), pharmacy.compound((of, 1, "tablet")))
    with transaction():
        for each in (tablets, puyer):
            row = db.session.get_one(Prescription, each.id)
            row.sent_at -= timedelta(minutes=minutes)
    client = sign_in("farmasi")
    row = farmasi_row(client, tablets)
    assert f"band-{plain}" in row and f">{minutes} menit<" in row and "racikan" not in row
    row = farmasi_row(client, puyer)
    # The page's script counts on by the row's own goal.
    assert f"band-{made}" in row and "racikan" in row and 'data-late-min="60"' in row


def test_who_came_without_a_prescription_waits_since_he_stands_there(sign_in):
    factories.entry("FARMASI", factories.patient("Tanpa Resep"))
    page = sign_in("farmasi").get("/poli/FARMASI").get_data(as_text=True)
    assert "Tanpa Resep" in page and 'data-late-min="30"' in page
    page = sign_in("umum").get("/poli/UMUM").get_data(as_text=True)
    assert "sejak Selesai" not in page and 'data-late-min="30"' not in page


@pytest.mark.engines("sqlite")
def test_the_pharmacys_queue_stays_small_and_asks_as_often(sign_in):
    of, client, counts = pharmacy.medicine(), sign_in("farmasi"), []
    for number in (2, 38):
        for _ in range(number // 2):
            pharmacy.prescription(pharmacy.line(of))
            pharmacy.prescription(pharmacy.compound((of, 1, "tablet")))
        with count_queries() as asked:
            page = client.get("/poli/FARMASI")
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert len(gzip.compress(page.data, 6)) <= 6 * 1024
    rows = client.get("/poli/FARMASI/baris")
    assert rows.get_data(as_text=True).count("racikan</span>") == 20
    assert len(gzip.compress(rows.data, 6)) <= 4 * 1024
