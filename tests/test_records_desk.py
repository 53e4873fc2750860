"""The desk of the records staff: pairs side by side, merged or told apart, and undone."""

import gzip
import re
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from blueprints.records import incomplete
from clinic import data_quality, matching, pairs, patients
from clinic.audit import SYSTEM
from db import db, transaction
from models import (
    AuditEntry,
    DatePrecision,
    NoNikReason,
    PairSource,
    PairState,
    Patient,
    PatientMerge,
    SuspectedPair,
    Visit,
)
from tests import factories
from tests.databases import count_queries
from tests.pages import post

OLD_NIK, BORN = "6472015708850001", date(1985, 8, 17)


@pytest.fixture
def staff(sign_in):
    return sign_in("rekammedis")


def two(**more) -> tuple[Patient, Patient]:
    older = factories.patient("Siti Aminah", nik=OLD_NIK, birth_date=BORN, phone="081234567890")
    newer = factories.patient(
        "Sitti Aminah", nik=None, no_nik_reason=NoNikReason.FORGOT_CARD, birth_date=BORN, **more
    )
    return older, newer


def pair_of(one: Patient, other: Patient, source=PairSource.COUNTER) -> SuspectedPair:
    match = matching.Match(11.0, "strong", ("nama beda ejaan", "tanggal lahir sama"))
    with transaction():
        return pairs.note(SYSTEM, one, other, PairState.OPEN, source=source, match=match)


def address(pair: SuspectedPair, end: str = "") -> str:
    return f"/rekam-medis/pasangan/{pair.public_id}{end}"


def versions(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(versi_\w+)" value="(\d+)"', page))


def merge(staff, pair, **fields):
    page = staff.get(address(pair)).get_data(as_text=True)
    typed = {"alasan": "Orang yang sama, KTP diperlihatkan", "utama": "satu"}
    return post(staff, address(pair, "/gabung"), versions(page) | typed | fields)


def test_the_worklist_tells_who_why_and_since_when(staff):
    older, newer = two()
    pair_of(older, newer)
    page = staff.get("/rekam-medis").get_data(as_text=True)
    assert page.index(older.public_id) < page.index(newer.public_id)
    assert "nama beda ejaan; tanggal lahir sama" in page
    assert 'data-level="strong"' in page
    assert OLD_NIK not in page


def test_one_nik_that_the_counter_gave_to_two_people_comes_with_the_clerks_reason(staff):
    older, newer = two()
    with transaction():
        other = db.session.get(Patient, newer.id)
        other.nik, other.no_nik_reason, other.is_nik_disputed = OLD_NIK, None, True
    pair = pair_of(older, newer)
    assert "Loket: bukan orang yang sama, NIK sama" in staff.get("/rekam-medis").text
    with transaction():
        db.session.get(SuspectedPair, pair.id).note = "Alasan di loket: KTP asli milik Siti"
    assert "Alasan di loket: KTP asli milik Siti" in staff.get(address(pair)).text
    stranger = pair_of(factories.patient("Budi"), factories.patient("Budhi"))
    assert stranger and "Loket ragu" in staff.get("/rekam-medis").text


def test_an_empty_worklist_says_so(staff):
    assert "Tidak ada pasangan yang menunggu" in staff.get("/rekam-medis").get_data(as_text=True)


def test_a_long_worklist_has_further_pages(staff):
    first = factories.patient("Siti Aminah")
    for number in range(32):
        pair_of(first, factories.patient(f"Siti Aminah {number}"))
    page = staff.get("/rekam-medis").get_data(as_text=True)
    assert page.count("Bandingkan<span") == 30
    (more,) = re.findall(r'href="(/rekam-medis\?sesudah=[^"]+)"', page)
    assert staff.get(more).get_data(as_text=True).count("Bandingkan<span") == 2


def test_both_records_stand_side_by_side(staff):
    older, newer = two(mother_name="Halimah")
    factories.visit(newer)
    page = staff.get(address(pair_of(older, newer))).get_data(as_text=True)
    for text in (older.mrn, newer.mrn, "Siti Aminah", "Sitti Aminah", "Halimah", "Poli Umum"):
        assert text in page
    assert set(re.findall(r'data-differs="(\w+)"', page)) == {"name", "nik", "mother_name", "phone"}
    assert OLD_NIK not in page


def test_merging_takes_what_was_picked_and_keeps_the_other_number(staff):
    older, newer = two(mother_name="Halimah", phone="081299998888")
    visit = factories.visit(newer)
    with transaction():
        db.session.get(Visit, visit.id).entries[0].state = "done"
    pair = pair_of(older, newer)
    response = merge(staff, pair, **{"ambil-name": "dua", "ambil-phone": "satu"})
    assert response.status_code == 303
    db.session.expire_all()
    assert (older.name, older.nik, older.mother_name) == ("Sitti Aminah", OLD_NIK, "Halimah")
    assert older.phone.endswith("81234567890")
    assert newer.merged_into_id == older.id
    assert db.session.get(Visit, visit.id).patient_id == older.id
    page = staff.get(response.location).get_data(as_text=True)
    assert "1 kunjungan" in page and "Nama ibu" in page
    found = post(staff, "/pasien", {"q": newer.mrn})
    assert older.public_id in staff.get(found.location).get_data(as_text=True)
    assert "Tidak ada pasangan" in staff.get("/rekam-medis").get_data(as_text=True)


def test_the_number_of_the_exchange_is_shown_and_goes_over(staff):
    older, newer = two()
    with transaction():
        db.session.get(Patient, newer.id).ihs_number = "P00000000002"
    pair = pair_of(older, newer)
    page = staff.get(address(pair)).get_data(as_text=True)
    assert 'data-differs="ihs_number"' in page and "P00000000002" in page
    done = merge(staff, pair).location
    db.session.expire_all()
    assert older.ihs_number == "P00000000002", "nothing stood there"
    assert "Nomor IHS" in staff.get(done).get_data(as_text=True)
    post(staff, f"{done}/batal", {"alasan": "ternyata dua orang"})
    db.session.expire_all()
    assert (older.ihs_number, newer.ihs_number) == (None, "P00000000002")


def test_the_newer_record_may_go_on(staff):
    older, newer = two()
    merge(staff, pair_of(older, newer), utama="dua")
    db.session.expire_all()
    assert older.merged_into_id == newer.id
    assert newer.nik == OLD_NIK  # nothing stood there


def test_a_merge_needs_a_reason_and_keeps_what_was_picked(staff):
    older, newer = two()
    response = merge(staff, pair_of(older, newer), alasan=" ", **{"ambil-name": "dua"})
    page = response.get_data(as_text=True)
    assert response.status_code == 422 and "Tulis alasannya" in page
    assert re.search(r'id="ambil-name-dua" value="dua" checked', page)
    assert db.session.scalars(select(PatientMerge)).first() is None


def test_who_waits_in_a_queue_is_not_merged(staff):
    older, newer = two()
    factories.visit(newer)
    response = merge(staff, pair_of(older, newer))
    assert response.status_code == 422
    assert "Selesaikan atau batalkan dahulu antrean" in response.get_data(as_text=True)


def test_a_record_that_changed_meanwhile_is_looked_at_again(staff):
    older, newer = two()
    pair = pair_of(older, newer)
    page = staff.get(address(pair)).get_data(as_text=True)
    with transaction():
        identity = patients.identity_of(newer)
        patients.update(SYSTEM, newer, vars_with(identity, name="Sitti Aminah Baru"), "KTP")
    fields = versions(page) | {"alasan": "Orang yang sama", "utama": "satu"}
    assert post(staff, address(pair, "/gabung"), fields).status_code == 409


def vars_with(identity, **changes):
    return patients.Identity(**(vars(identity) | changes))


def test_two_people_are_never_asked_about_again(staff):
    older, newer = two()
    pair = pair_of(older, newer)
    fields = {"alasan": "Kembar, ibunya hadir"}
    assert post(staff, address(pair, "/beda"), fields).status_code == 303
    assert "Tidak ada pasangan" in staff.get("/rekam-medis").get_data(as_text=True)
    db.session.expire_all()
    again = pair_of(older, newer)
    assert again.state == PairState.DIFFERENT
    page = staff.get(address(pair)).get_data(as_text=True)
    assert "dua orang yang berbeda" in page and "Kembar, ibunya hadir" in page


@pytest.mark.parametrize("owner", ["satu", "dua", ""])
def test_one_nik_on_two_records_is_given_to_its_owner(staff, owner):
    older = factories.patient("Siti Aminah", nik=OLD_NIK, birth_date=BORN)
    with transaction():
        identity = vars_with(patients.identity_of(older), name="Dewi Lestari")
        newer = patients.create(SYSTEM, identity, nik_disputed=True)
    pair = pair_of(older, newer)
    assert "milik siapa NIK ini" in staff.get(address(pair)).get_data(as_text=True)
    fields = {"alasan": "KTP keduanya dilihat", "pemilik": owner}
    assert post(staff, address(pair, "/beda"), fields).status_code == 303
    db.session.expire_all()
    held = {"satu": (OLD_NIK, None), "dua": (None, OLD_NIK), "": (OLD_NIK, OLD_NIK)}[owner]
    assert (older.nik, newer.nik) == held
    assert newer.is_nik_disputed == (owner == "")
    assert pair.state == PairState.DIFFERENT
    if owner:
        loser = newer if owner == "satu" else older
        assert loser.no_nik_reason == NoNikReason.NOT_BROUGHT and not loser.is_nik_disputed


def test_a_nik_that_a_third_record_holds_is_decided_there_first(staff):
    owner = factories.patient("Siti Aminah", nik=OLD_NIK, birth_date=BORN)
    with transaction():
        first, second = (
            patients.create(
                SYSTEM, vars_with(patients.identity_of(owner), name=name), nik_disputed=True
            )
            for name in ("Dewi Lestari", "Tuti Wulandari")
        )
    pair = pair_of(first, second)
    fields = {"alasan": "KTP dilihat", "pemilik": "satu"}
    refused = post(staff, address(pair, "/beda"), fields)
    assert refused.status_code == 409
    assert f"milik No. RM {owner.mrn}" in refused.text and "KTP dilihat" in refused.text
    assert pair.state == PairState.OPEN
    fields["pemilik"] = ""
    assert post(staff, address(pair, "/beda"), fields).status_code == 303
    page = staff.get("/rekam-medis/lengkapi").text
    for one in (first, second):
        assert f'data-patient="{one.public_id}"' in page
    assert "NIK-nya juga di rekam lain" in page and f'data-patient="{owner.public_id}"' not in page


def test_enter_in_the_reason_decides_nothing(staff):
    pair = pair_of(*two())
    page = staff.get(address(pair)).text
    first = re.search(r"<button[^>]*>", page[page.index(address(pair, "/gabung")) :])[0]
    assert 'name="aksi" value="enter"' in first
    fields = versions(page) | {"alasan": "dua orang, kakak adik", "aksi": "enter"}
    answer = post(staff, address(pair, "/gabung"), fields)
    assert answer.status_code == 422 and "Belum ada yang dicatat" in answer.text
    assert "dua orang, kakak adik" in answer.text and pair.state == PairState.OPEN


def test_two_niks_that_differ_by_a_slip_can_be_told_apart(staff):
    one = factories.patient("Abdul Karim", nik="5299010905880002", birth_date=BORN)
    other = factories.patient("Abdul Karim", nik="5299011905880002", birth_date=BORN)
    page = staff.get(address(pair_of(one, other))).text
    assert "529901•" not in page.replace("529901••0588", "")
    assert "529901<" not in page and "0905880002" not in page
    row = page[page.index('data-differs="nik"') :][:900]
    assert "529901" in row and row.count("0002") == 2 and row.count("1•••••0002") == 1


def test_two_people_are_not_noted_of_one_record(staff):
    older, newer = two()
    pair = pair_of(older, newer)
    assert merge(staff, pair).status_code == 303
    late = post(staff, address(pair, "/beda"), {"alasan": "kakak adik"})
    assert late.status_code == 409 and "baru saja digabung" in late.text
    assert "dua orang yang berbeda" not in staff.get("/rekam-medis").text


def test_a_merge_is_undone_with_a_reason(staff):
    older, newer = two()
    response = merge(staff, pair_of(older, newer))
    undo = f"{response.location}/batal"
    assert post(staff, undo, {"alasan": ""}).status_code == 422
    assert post(staff, undo, {"alasan": "Ternyata saudaranya"}).status_code == 303
    db.session.expire_all()
    assert newer.merged_into_id is None
    page = staff.get(response.location).get_data(as_text=True)
    assert "Ternyata saudaranya" in page and "Urungkan penggabungan" not in page
    assert post(staff, undo, {"alasan": "lagi"}).status_code == 422
    assert "Diurungkan" in staff.get("/rekam-medis/gabung").get_data(as_text=True)


def test_any_two_records_can_be_compared_by_their_numbers(staff):
    older, newer = two()
    fields = {"satu": newer.mrn, "dua": f" {older.mrn} "}
    response = post(staff, "/rekam-medis/banding", fields)
    page = staff.get(response.location).get_data(as_text=True)
    assert page.index(older.mrn) < page.index(newer.mrn)
    assert post(staff, "/rekam-medis/banding", {"satu": "9", "dua": older.mrn}).status_code == 422
    same = {"satu": older.mrn, "dua": older.mrn}
    assert post(staff, "/rekam-medis/banding", same).status_code == 422


@pytest.mark.parametrize("written", ["RM {}", "No. RM: {}", "no rm {}", "rm{}", "{} "])
def test_a_number_may_be_typed_as_it_is_printed(staff, written):
    older, newer = two()
    fields = {"satu": newer.mrn.lstrip("0"), "dua": written.format(older.mrn)}
    assert post(staff, "/rekam-medis/banding", fields).status_code == 303


def test_a_number_without_its_zeros_must_be_one_persons(staff):
    older, newer = two()
    with transaction():
        db.session.merge(older).mrn = f"00{newer.mrn}"
    fields = {"satu": newer.mrn.lstrip("0"), "dua": f"00{newer.mrn}"}
    assert post(staff, "/rekam-medis/banding", fields).status_code == 422


def test_who_lacks_something_is_listed_those_here_first(staff):
    complete, without = two()
    here = factories.patient("Rahmat", sex="L", nik=None, no_nik_reason=NoNikReason.NO_PAPERS)
    factories.visit(here)
    page = staff.get("/rekam-medis/lengkapi").get_data(as_text=True)
    assert page.index(here.public_id) < page.index(without.public_id)
    assert complete.public_id not in page
    assert "NIK: Tidak punya dokumen" in page and "Ada di sini" in page


def test_what_each_lacks_is_said_over_all_pages_of_the_list(staff, monkeypatch):
    monkeypatch.setattr(incomplete, "PAGE", 2)
    unknown = {"is_unknown": True, "nik": None, "no_nik_reason": NoNikReason.UNKNOWN}
    people = [factories.patient("Ny. X", **unknown, birth_date=None), two()[1]]
    people += [factories.patient("Wayan", birth_precision=DatePrecision.YEAR)]
    with transaction():
        claim = replace(patients.identity_of(factories.patient("Dewi")), name="Dewi Lestari")
        people += [patients.create(SYSTEM, claim, nik_disputed=True)]
    url, found = "/rekam-medis/lengkapi", []
    while url:
        page = staff.get(url).get_data(as_text=True)
        found += re.findall(r'<tr data-patient="([^"]+)">.*?"Yang kurang">(.*?)<a', page, re.S)
        further = re.search(r'href="([^"]+)">Berikutnya', page)
        url = further and further[1]
    words = [
        "Belum dikenal. NIK: Tidak dikenal atau tidak sadar. Tanggal lahir pasti.",
        "NIK: Lupa membawa kartu hari ini.",
        "Tanggal lahir pasti.",
        "NIK-nya juga di rekam lain: minta KTP asli.",
    ]
    told = [(one.public_id, said) for one, said in zip(people, words, strict=True)]
    assert [(ref, said.strip()) for ref, said in found] == told[::-1]


def test_quality_shows_the_figures(staff, monkeypatch):
    older, newer = two()
    pair = pair_of(older, newer)
    page = staff.get("/rekam-medis/mutu").get_data(as_text=True)
    assert "Lupa membawa kartu hari ini" in page and "50,0%" in page
    merge(staff, pair)
    monkeypatch.setattr(data_quality, "median", lambda _days: 2.5)
    for period in ("tahun", "bulan", "semua", "lain"):
        page = staff.get(f"/rekam-medis/mutu?masa={period}")
        assert page.status_code == 200
    assert re.search(r"nilai tengah</dt>\s*<dd[^>]*>2,5</dd>", page.get_data(as_text=True))


def test_quality_writes_its_numbers_as_every_page(staff, monkeypatch):
    figures = data_quality.figures()
    register = replace(figures.register, patients=2017)
    figures = replace(figures, register=register, pairs=replace(figures.pairs, median_days=2.5))
    monkeypatch.setattr(data_quality, "figures", lambda _begin: figures)
    page = staff.get("/rekam-medis/mutu").get_data(as_text=True)
    assert "<dd>2.017</dd>" in page and "<dd>2,5</dd>" in page


@pytest.mark.parametrize("end", ["", "/gabung", "/beda"])
def test_an_unknown_pair_does_not_exist(staff, end):
    call = staff.get if not end else lambda url: post(staff, url, {})
    assert call(f"/rekam-medis/pasangan/tidak-ada{end}").status_code == 404


@pytest.mark.parametrize("account", ["loket", "umum", "ti"])
def test_the_desk_is_for_records_staff_and_the_head(sign_in, account):
    assert sign_in(account).get("/rekam-medis").status_code == 403


# --- What an identity was before ----------------------------------------------------------------


def corrected(patient: Patient, reason: str = "Salah ketik", **fields) -> None:
    with transaction():
        patient = db.session.get(Patient, patient.id)
        identity = replace(patients.identity_of(patient), **fields)
        patients.update(factories.actor("rekammedis"), patient, identity, reason)


def test_the_history_of_an_identity_tells_when_who_why_and_what(staff, sign_in):
    siti = factories.patient("Siti Aminah", nik=OLD_NIK, birth_date=BORN, phone="081234567890")
    page = f"/pasien/{siti.public_id}/identitas/riwayat"
    assert "belum pernah diubah" in staff.get(page).text
    corrected(siti, "KTP diperlihatkan", birth_date=date(1985, 7, 18), address="Jalan Melati 3")
    corrected(siti, nik=OLD_NIK[:-1] + "2", phone=None, phone_owner=None)
    text = staff.get(page).text
    assert "Tanggal lahir: <s>17-08-1985</s> menjadi <b>18-07-1985</b>" in text
    assert "Alamat: <s>" in text and "menjadi <b>Jalan Melati 3" in text
    assert "KTP diperlihatkan" in text and factories.user("rekammedis").display_name in text
    assert "081234567890</s> menjadi <b>kosong</b>" in text
    assert "NIK: <s>6472" in text
    assert OLD_NIK not in text and OLD_NIK[:-1] not in text, "masked as everywhere"
    assert text.index("Salah ketik") < text.index("KTP diperlihatkan"), "the newest first"
    db.session.rollback()
    last = db.session.query(AuditEntry).order_by(AuditEntry.seq.desc()).first()
    assert (last.action, last.patient_ref) == ("view_identity_history", siti.public_id)
    assert f'href="{page}"' in staff.get(f"/pasien/{siti.public_id}").text
    clerk = sign_in("loket")
    assert clerk.get(page).status_code == 403
    assert page not in clerk.get(f"/pasien/{siti.public_id}").text
    assert sign_in("umum").get(page).status_code == 403
    assert sign_in("kepala").get(page).status_code == 200


@pytest.mark.engines("sqlite")
def test_a_long_history_of_an_identity_needs_no_more_queries_and_stays_within_6_kb(staff):
    siti = factories.patient("Siti Aminah", nik=OLD_NIK, birth_date=BORN)
    page = f"/pasien/{siti.public_id}/identitas/riwayat"
    corrected(siti, address="Jalan Melati 0")
    staff.get(page)
    with count_queries() as few:
        staff.get(page)
    for number in range(1, 55):
        corrected(siti, f"Alasan nomor {number}", address=f"Jalan Melati {number}")
    with count_queries() as many:
        response = staff.get(page)
    assert len(many) == len(few)
    assert "Yang lebih lama" in response.text
    assert len(gzip.compress(response.get_data())) <= 6 * 1024
