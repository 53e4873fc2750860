"""Nothing that a form takes in is stored unseen: the check page and the record say it all."""

import gzip
import re
from dataclasses import fields
from datetime import date
from html import unescape

import pytest

from blueprints.registration.forms import RegistrationForm
from clinic.patients import Identity
from db import db
from models import Patient, Visit
from tests import factories
from tests.pages import post
from tests.test_registration import check, confirm

pytestmark = pytest.mark.engines("sqlite")

MOTHERS = "3171015708850001"
# What is typed, and how it is read back.
WOMAN = {
    "nik": ("3171015708900007", "317101••••••0007"),
    "name": ("Siti Aminah", "Siti Aminah"),
    "sex": ("P", "Perempuan"),
    "birth_date": ("17-08-1990", "17-08-1990"),
    "mother_name": ("Sulastri", "Sulastri"),
    "bpjs_number": ("0001113569638", "0001113569638"),
    "kk_number": ("3171010102030004", "317101••••••0004"),
    "address": ("Jalan Kenanga 12", "Jalan Kenanga 12"),
    "village": ("Dasan Baru", "Dasan Baru"),
    "rt": ("7", "RT 007"),
    "rw": ("8", "RW 008"),
    "phone": ("081234567890", "+6281234567890"),
    "phone_owner": ("tetangga", "milik tetangga"),
    "payer": ("JKN_PBI", "JKN PBI"),
    "bpjs_home": ("lain", "Faskes lain"),
    "complaint": ("pusing sejak kemarin", "pusing sejak kemarin"),
    "poli": ("GIGI", "Poli Gigi"),
    "pregnant": ("nifas", "Nifas"),
    "priority": ("DISABILITAS", "Disabilitas"),
    "visit_type": ("SEHAT", "Kunjungan sehat"),
    "cluster": ("4", "Klaster 4"),
}
OF_VISIT = ("bpjs_home", "complaint", "poli", "pregnant", "priority", "visit_type", "cluster")
OTHERS = [
    {
        "no_nik_reason": ("BAYI", "Bayi belum punya NIK"),
        "mother_nik": (MOTHERS, "317101••••••0001"),
        "birth_order": ("2", "Bayi ke- 2"),
    },
    {
        "no_nik_reason": ("ASING", "Warga negara asing"),
        "passport_no": ("x1234567", "X1234567"),
        "no_nik_note": ("Timor-Leste", "Timor-Leste"),
        "birth_date_estimated": ("40", "(perkiraan)"),
    },
    {
        "nik": ("3171018108450001", "317101••••••0001"),
        "nik_as_printed": ("1", "tertulis begitu di kartunya"),
    },
]


def answers(page: str) -> str:
    """The lists of answers alone: the banner and a warning are no answer that can be changed."""
    lists = re.findall(r'<dl class="answers".*?</dl>', page, re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", " ".join(lists))))


def send(clerk, changes):
    typed = WOMAN | changes
    if "no_nik_reason" in changes:
        del typed["nik"]
    if "birth_date_estimated" in changes:
        del typed["birth_date"]
    page, draft = check(
        clerk, **{"nik": "", "birth_date": ""} | {name: text for name, (text, _) in typed.items()}
    )
    return page, draft, {name: shown for name, (_, shown) in typed.items()}


def test_the_cases_are_all_fields_of_the_form(app):
    told = set(WOMAN).union(*OTHERS)
    assert told == {field.name for field in RegistrationForm()} - {"patient_version"}
    stored = {"birth_precision": "birth_date_estimated", "is_nik_as_printed": "nik_as_printed"}
    assert {stored.get(one.name, one.name) for one in fields(Identity)} - {"is_unknown"} <= told


@pytest.mark.parametrize("changes", [{}, *OTHERS])
def test_each_field_is_read_back_and_stands_in_the_record(sign_in, changes):
    clerk = sign_in("loket")
    page, draft, expected = send(clerk, changes)
    read = answers(page)
    for name, shown in expected.items():
        assert shown.lower() in read.lower(), name
    saved = confirm(clerk, draft, override_reason="sudah ditanyakan")
    assert "/tiket/" in saved.location
    patient = db.session.query(Patient).one()
    record = clerk.get(f"/pasien/{patient.public_id}").get_data(as_text=True)
    kept = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", record)))
    for name, shown in expected.items():
        if name not in OF_VISIT and name != "birth_date_estimated":
            shown = {"rt": "007", "rw": "008"}.get(name, shown)
            assert shown.lower() in kept.lower(), name
    assert ("~40 tahun" in kept) == ("birth_date_estimated" in expected)


def test_a_check_page_with_everything_on_it_is_6_kb(sign_in):
    clerk = sign_in("loket")
    _, draft, _ = send(clerk, OTHERS[0])
    clerk.is_checking = False
    page = clerk.get(f"/pendaftaran/periksa/{draft}", headers={"Accept-Encoding": "gzip"})
    assert "NIK ibu" in gzip.decompress(page.data).decode()
    assert len(page.data) <= 6 * 1024


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "(cocok dengan tanggal lahir dan jenis kelamin)"),
        ({"sex": "L"}, "(cocok dengan tanggal lahir)"),
        ({"birth_date": "18-08-1985"}, "(cocok dengan jenis kelamin)"),
        ({"birth_date": "", "birth_date_estimated": "41"}, "(cocok dengan jenis kelamin)"),
        ({"birth_date": "18-08-1985", "sex": "L"}, ""),
    ],
)
def test_the_check_page_says_what_the_nik_confirms(sign_in, changes, said):
    page, _ = check(sign_in("loket"), **changes)
    assert re.findall(r"\(cocok[^)]*\)", page) == ([said] if said else [])


def test_what_is_filled_in_is_never_a_hidden_field(sign_in):
    """A sister's form holds her mother's NIK from the visit before; Ubah must lead to it."""
    clerk = sign_in("loket")
    page, draft = check(clerk, mother_nik="3171015708600003", birth_date="17-08-1985")
    assert 'value="ubah:mother_nik"' in page
    form = clerk.get(post(clerk, f"/pendaftaran/periksa/{draft}", {"aksi": "kembali"}).location)
    text = form.get_data(as_text=True)
    fields = {"mother_nik": "BAYI", "birth_order": "BAYI", "passport_no": "ASING"}
    for name, reason in fields.items():
        assert f'data-show-when="no_nik_reason={reason}|{name}=*"' in text
    assert 'data-show-when="sex=P|pregnant=*"' in text


# --- Of a patient who is known -----------------------------------------------------------------


@pytest.fixture
def known(app) -> Patient:
    return factories.patient("Siti Aminah", nik="3171015708900007", birth_date=date(1990, 8, 17))


def returning(clerk, patient: Patient, **changes) -> tuple[str, str]:
    """The check page and its draft; what is not changed is what the record says."""
    same = {"name": patient.name, "sex": patient.sex, "nik": patient.nik or ""}
    same |= {"birth_date": "17-08-1990", "address": patient.address, "phone": patient.phone or ""}
    same |= {"village": patient.village or "", "mother_name": patient.mother_name or ""}
    return check(clerk, f"/pendaftaran/pasien/{patient.public_id}", **same | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Orang Berbeda Sekali"}, "nama Siti Aminah menjadi Orang Berbeda Sekali"),
        ({"name": "S A Wati"}, "nama Siti Aminah menjadi S A Wati"),
        (
            {"birth_date": "18-08-1990", "nik": "3171015808900001"},
            "tanggal lahir 17-08-1990 menjadi 18-08-1990, NIK 317101••••••0007 menjadi"
            " 317101••••••0001",
        ),
        ({"sex": "L"}, "jenis kelamin perempuan menjadi laki-laki"),
    ],
)
def test_a_record_does_not_become_another_persons_unasked(sign_in, known, changes, said):
    clerk = sign_in("loket")
    page, draft = returning(clerk, known, **changes)
    warned = unescape(
        re.search(r'data-rule="PERSON-1" data-level="error".*?</p>', page, re.DOTALL)[0]
    )
    assert f"RM {known.mrn} akan diganti: {said}. Bila yang datang orang lain" in warned
    assert "semula " in answers(page)
    refused = confirm(clerk, draft)
    assert refused.status_code == 422
    assert db.session.get(Patient, known.id).name == "Siti Aminah"
    saved = confirm(clerk, draft, override_reason="sesuai KTP yang dibawa")
    assert "/tiket/" in saved.location


def completed(clerk, patient: Patient, **changes) -> tuple[str, str]:
    """The check page of the identity that is completed at a visit of this patient."""
    url = f"/pendaftaran/kunjungan/{factories.visit(patient).public_id}/identitas"
    return check(clerk, url, **changes)


OTHER = {"name": "Budi Hartono", "sex": "L", "nik": "3171010101800001", "birth_date": "01-01-1980"}


def test_a_visits_identity_does_not_become_another_persons_unasked(sign_in, known):
    clerk = sign_in("loket")
    page, draft = completed(clerk, known, **OTHER)
    warned = unescape(
        re.search(r'data-rule="PERSON-1" data-level="error".*?</p>', page, re.DOTALL)[0]
    )
    for part in ("nama Siti", "tanggal lahir", "jenis kelamin", "NIK 317101", "Ganti pasien"):
        assert part in warned
    assert f"{known.mrn} akan diganti" in warned and "/ubah#pindah" in page
    assert confirm(clerk, draft).status_code == 422
    assert db.session.get(Patient, known.id).name == "Siti Aminah"
    saved = confirm(clerk, draft, override_reason="sesuai KTP yang dibawa")
    assert "/tiket/" in saved.location


@pytest.mark.parametrize(
    ("name", "was"),
    [
        ("Pak Nur", {"birth_precision": "year", "is_unknown": True}),
        ("Ibu Tini", {"is_unknown": True}),
        ("Budi Hartono", {"sex": "L", "birth_precision": "year"}),
    ],
)
def test_what_was_only_told_is_completed_without_a_reason(sign_in, name, was):
    born = date(1978, 7, 1)
    told = factories.patient(name, birth_date=born, no_nik_reason="TIDAK_DIKENAL", **was)
    clerk = sign_in("loket")
    page, draft = completed(clerk, told, **OTHER)
    assert "PERSON-1" not in page
    assert "/tiket/" in confirm(clerk, draft).location


@pytest.mark.parametrize(
    "changes",
    [{"name": "Siti Aminah Wati"}, {"name": "Sitti Aminnah"}, {"address": "Jalan Baru 5"}],
)
def test_another_spelling_and_another_address_are_read_back_and_need_no_reason(
    sign_in, known, changes
):
    page, draft = returning(clerk := sign_in("loket"), known, **changes)
    assert "PERSON-1" not in page
    assert "semula " in answers(page)
    assert confirm(clerk, draft).status_code == 303


KEPT = {
    "mother_name": ("Nama ibu", "Sulastri"),
    "mother_nik": ("NIK ibu", "317101••••••0001"),
    "birth_order": ("Bayi ke-", "2"),
    "passport_no": ("Nomor paspor", "X1234567"),
    "no_nik_note": ("Keterangan", "Timor-Leste"),
    "phone": ("Nomor HP", "+6281234567890 (tetangga)"),
    "bpjs_number": ("Nomor BPJS", "0001113569638"),
    "kk_number": ("Nomor KK", "317101••••••0004"),
}


def test_what_is_emptied_or_changed_stands_beside_what_the_record_says(sign_in):
    stored = {"mother_name": "Sulastri", "mother_nik": MOTHERS, "birth_order": 2}
    stored |= {"passport_no": "X1234567", "no_nik_note": "Timor-Leste", "phone": "+6281234567890"}
    stored |= {"phone_owner": "tetangga", "bpjs_number": "0001113569638"}
    stored |= {"kk_number": "3171010102030004", "nik": "3171015708900007"}
    known = factories.patient("Siti Aminah", birth_date=date(1990, 8, 17), **stored)
    emptied = dict.fromkeys(KEPT, "") | {"nik": "", "no_nik_reason": "LUPA_KARTU", "sex": "L"}
    page, draft = returning(sign_in("loket"), known, **emptied, birth_date="18-08-1990")
    read = answers(page)
    for label, said in KEPT.values():
        assert f"{label} belum diisi semula {said}" in read
    assert "18-08-1990, laki-laki semula 17-08-1990, perempuan" in read
    assert "Lupa membawa kartu hari ini semula 317101••••••0007" in read


def test_a_baby_gets_its_name_without_a_reason(sign_in):
    baby = factories.patient("By Ny Sulastri", birth_date=date(1990, 8, 17))
    page, _ = returning(sign_in("loket"), baby, name="Ahmad Fauzi")
    assert "PERSON-1" not in page and "semula By Ny Sulastri" in answers(page)


def test_a_birth_date_in_place_of_an_age_needs_no_reason(sign_in):
    told = factories.patient("Wayan Sudra", birth_date=date(1985, 7, 1), birth_precision="year")
    page, _ = returning(sign_in("loket"), told, name="Wayan Sudra", birth_date="03-02-1986")
    assert "PERSON-1" not in page and "03-02-1986" in answers(page)


def test_nothing_is_said_of_what_stays_and_no_relative_is_asked_about(sign_in, known):
    card = "3171010102030004"
    factories.patient("Budi Hartono", sex="L", kk_number=card)
    factories.patient("Siti Rahmah", kk_number=card, birth_date=known.birth_date)
    clerk = sign_in("loket")
    _, draft = returning(clerk, known, kk_number=card)
    confirm(clerk, draft)
    page, _ = returning(clerk, known, kk_number=card)
    assert "semula" not in answers(page)
    assert "Hamil tidak ditanyakan" in answers(page)
    assert "Satu keluarga" not in page


def test_who_is_here_already_keeps_the_number(sign_in, known):
    """Enter leads to the ticket of the visit that goes on, not to a second number."""
    clerk = sign_in("loket")
    _, draft = returning(clerk, known)
    confirm(clerk, draft)
    page, draft = returning(clerk, known, poli="GIGI", complaint="sakit gigi")
    assert "Masih dilayani hari ini dengan nomor U001" in page
    focused = re.findall(r"<(\w+) [^>]*autofocus", page)
    assert focused == ["button"]
    assert re.search(r'value="tiket:[^"]+" autofocus>Buka tiket U001', page)
    assert not re.search(r'accesskey="s" autofocus', page)
    saved = confirm(clerk, draft)
    assert "/tiket/" in saved.location, "it may be meant"


def test_a_pregnancy_that_is_told_for_a_further_room_counts(sign_in):
    clerk = sign_in("loket")
    _, draft = check(clerk, poli="GIGI", complaint="sakit gigi", birth_date="17-08-1985")
    first = confirm(clerk, draft)
    visit = db.session.query(Visit).one()
    assert visit.pregnant == ""
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ruang"
    page, draft = check(clerk, url, poli="KIA", complaint="periksa hamil", pregnant="ya")
    assert "Hamil Hamil" in answers(page)
    assert confirm(clerk, draft).location == first.location
    db.session.refresh(visit)
    assert (visit.pregnant, visit.priority) == ("ya", "HAMIL")
    assert all(entry.is_priority for entry in visit.entries)


def test_an_identity_that_is_completed_reads_back_how_it_is_paid(sign_in):
    clerk = sign_in("loket")
    first = confirm(clerk, check(clerk)[1])
    visit = db.session.query(Visit).one()
    url = f"/pendaftaran/kunjungan/{visit.public_id}/identitas"
    paid = {"payer": "JKN_PBI", "bpjs_number": "0001113569638", "bpjs_home": "lain"}
    page, draft = check(clerk, url, **paid)
    read = answers(page)
    for shown in ("JKN PBI", "0001113569638", "Faskes lain", "semula Umum"):
        assert shown in read
    assert confirm(clerk, draft).location == first.location
    db.session.refresh(visit)
    assert {name: getattr(visit, name) for name in paid} == paid
