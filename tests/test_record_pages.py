"""All that was written of a visit stands on each page that shows a record, with who and when."""

import re
from decimal import Decimal
from html import unescape

import pytest
from sqlalchemy import select

from clinic import (
    allergies,
    days,
    measurements,
    queues,
    records,
    settings,
    triage,
)
from clinic.diagnoses import DiagnosisInput
from clinic.procedures import ProcedureInput
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from formatting import clock_time, short_date
from models import (
    Allergy,
    Amendment,
    Diagnosis,
    Examination,
    Immunization,
    Patient,
    Source,
    TriagePriority,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests import factories, long_history
from tests.pages import words_of

# What a page says is the same whichever database kept what it tells.
pytestmark = pytest.mark.engines("sqlite")
# Each word of it once, so that a line which shows another field is found out.
FORM = ExaminationInput(
    subjective="anamnesis merah",
    objective="pemeriksaan putih",
    assessment="penilaian hijau",
    plan="rencana kuning",
    therapy="terapi biru",
    disposition="rujuk_eksternal",
    refer_to="RSUD Ungu",
    diagnoses=[
        DiagnosisInput("J11", "lama"),
        DiagnosisInput("C61", "baru", {"": "salinan surat nila"}),
        DiagnosisInput("keluhan jingga", "baru"),
    ],
    procedures=[
        ProcedureInput("NEBUL", "2", "masker perak"),
        ProcedureInput("EKG", "1", "sadapan emas"),
    ],
    vitals={
        "systolic": 131,
        "diastolic": 83,
        "pulse": 77,
        "respiration": 19,
        "temperature": Decimal("37.2"),
        "weight": Decimal("61.5"),
        "height": Decimal(158),
        "saturation": 96,
    },
)
MEASURED = "TD 131/83 · Nadi 77 · Napas 19 · Suhu 37,2 °C · BB 61,5 kg · TB 158 cm · SpO₂ 96%"
DIAGNOSES = ("J11", "(lama)", "C61", "(baru) alasan: salinan surat nila", "keluhan jingga (baru)")
PROCEDURES = ("Nebulizer 93.94 2x: masker perak", "Elektrokardiografi (EKG) 89.52 : sadapan emas")


@pytest.fixture
def person(app) -> Patient:
    made = factories.patient(payer="JKN_PBI", bpjs_number="0001234567890")
    with transaction():
        allergies.add_allergy(factories.actor("umum"), made, "Amoksisilin", "gatal")
        allergies.add_allergy(factories.actor("kia"), made, "Udang", "bengkak")
    return made


@pytest.fixture
def examined(person) -> Examination:
    """Seen at the screening desk, examined in UMUM, with a word added by the head."""
    entry = factories.entry(person=person, complaint="keluhan abu-abu")
    with transaction():
        desk = factories.actor("kia")
        triage.write(desk, entry.visit, "dilihat coklat", TriagePriority.YELLOW)
        measurements.measure(desk, entry.visit, None, {"pulse": 101})
        measurements.measure(desk, entry.visit, None, {"pulse": 99})
        queues.act(factories.actor("umum"), entry, "mulai")
    with transaction():
        found = records.finish(factories.actor("umum"), entry, FORM, 0)
    with transaction():
        records.add_addendum(factories.actor("kepala"), db.session.merge(found), "tambahan hitam")
    return found


def of_visit(examined: Examination) -> list[str]:
    """What each whole text of the visit must say."""
    name = {each: factories.user(each).display_name for each in ("umum", "kia", "kepala")}
    on, zone = short_date(days.clinic_date()), settings.value("time_zone")
    return [
        "Keluhan: keluhan abu-abu",
        f"Triase kuning dilihat coklat {name['kia']}, ",
        f"{MEASURED} {name['umum']}, Poli Umum, ",
        f"Nadi 99 {name['kia']}, meja skrining, ",
        "Nadi 101 ",
        f", dibetulkan {on} ",
        "IMT 24,6, normal",
        f"Poli Umum {name['umum']}, {clock_time(examined.finished_at, zone)} Anamnesis anamnesis",
        "Anamnesis anamnesis merah",
        "Pemeriksaan pemeriksaan putih",
        "Penilaian penilaian hijau",
        "Rencana rencana kuning",
        "Terapi terapi biru",
        "Tindak lanjut Rujuk ke luar ke RSUD Ungu",
        f"Tambahan: tambahan hitam {name['kepala']}, {on} ",
        *DIAGNOSES,
        *PROCEDURES,
    ]


@pytest.mark.parametrize("tail", ["", "/kunjungan/{}", "/cetak", "room"])
def test_a_visit_is_told_in_full(sign_in, person, examined, tail):
    visit = examined.visit.public_id
    client = sign_in("umum")
    url = f"/kunjungan/{visit}" if tail == "room" else f"/pasien/{person.public_id}{tail}"
    said = words_of(client.get(url.format(visit)))
    for words in of_visit(examined):
        assert words in said, words
    if tail != "room":
        assert f"{examined.visit.label}, JKN PBI (" in said
    for words in ("Siti Aminah", "14-05-1985", "Perempuan", person.mrn, "Amoksisilin", "Udang"):
        assert words in said, words


def test_the_next_doctor_reads_it_at_a_glance(sign_in, person, examined):
    entry = factories.entry(person=person)
    with transaction():
        queues.act(factories.actor("umum"), entry, "mulai")
    page = words_of(sign_in("umum").get(f"/kunjungan/{entry.visit.public_id}"))
    seen = page.partition("Kunjungan sebelumnya")[2].partition("Anamnesis")[0]
    on = short_date(days.clinic_date())
    for words in (
        f"{on} Poli Umum keluhan abu-abu {MEASURED}",
        "terapi biru",
        "Tambahan: tambahan hitam",
        *DIAGNOSES,
        *PROCEDURES,
    ):
        assert words in seen, words


# --- What a line and a row say of a visit -----------------------------------------------------

TAGS = ("lab", "dicatat belakangan", "Tidak selesai", "pembetulan menunggu", "dan 1 lagi")


@pytest.fixture
def visits(app) -> list[Visit]:
    """Six earlier visits of one person, the newest first, each another kind of exception."""
    person = factories.patient()
    long_history.add(person, 6)
    with transaction() as session:
        found = list(session.scalars(select(Visit).order_by(Visit.occurred_at.desc())))
        _whole, cut_off, late, long, bare, cancelled = found
        notes = {note.visit_id: note for note in session.scalars(select(Examination))}
        by = {"recorded_by_id": factories.user("umum").id}
        cut_off.status, cancelled.status = VisitStatus.UNFINISHED, VisitStatus.CANCELLED
        late.source = Source.PAPER
        for place, code in enumerate(("J00", "R05", "R50.9"), 1):
            about = {"code": code, "title": f"judul {code}", "case_type": "baru", "position": place}
            session.add(Diagnosis(examination_id=notes[long.id].id, **about, **by))
        for row in notes[bare.id].diagnoses:
            row.ended_at, row.ended_by_id = utcnow(), row.recorded_by_id
        asks = {"state": "waiting", "reason": "keliru", "base_version": 1}
        asks["requested_by_id"] = factories.user("umum").id
        session.add(Amendment(examination_id=notes[cut_off.id].id, **asks))
        given = {"vaccine": "BCG", "dose": 1, "given_on": days.clinic_date()}
        session.add(Immunization(visit_id=cancelled.id, **given, **by))
        for row in session.scalars(select(VitalSigns).filter_by(visit_id=late.id)):
            row.systolic = 190
    return found


def test_the_line_of_a_visit_says_what_is_in_it(sign_in, visits):
    client, person = sign_in("kepala"), visits[0].patient
    page = unescape(client.get(f"/pasien/{person.public_id}").get_data(as_text=True))
    lines = re.findall(r'<summary><span class="num">(.*?)</summary>', page, re.DOTALL)
    lines = [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in lines]
    assert [{tag for tag in TAGS if tag in line} for line in lines] == [
        {"lab"},
        {"Tidak selesai", "pembetulan menunggu"},
        {"lab", "dicatat belakangan"},
        {"dan 1 lagi"},
        {"lab"},
        set(),
    ]
    assert "I10 Hipertensi" in lines[0] and "judul J00" in lines[3]
    assert lines[4].endswith("keluhan 4 lab") and "keluhan 0" not in lines[0]
    assert lines[5].endswith("dibatalkan, ada imunisasi")
    gone = words_of(client.get(f"/pasien/{person.public_id}/kunjungan/{visits[5].public_id}"))
    assert "Kunjungan dibatalkan. BCG" in gone and "keluhan 5" not in gone


@pytest.mark.parametrize("tail", ["", "/kunjungan/{}", "/cetak"])
def test_medicines_and_results_stand_with_their_visit(sign_in, visits, tail):
    whole, client = visits[0], sign_in("kepala")
    tail = tail.format(whole.public_id)
    said = words_of(client.get(f"/pasien/{whole.patient.public_id}{tail}"))
    told = said[said.rindex("Keluhan: keluhan 0") :]
    assert "Metformin 500 mg tablet" in told and "Hemoglobin 10 g/dL" in told


def test_a_room_reads_of_each_earlier_visit_what_there_is_to_know(sign_in, visits):
    client, person = sign_in("umum"), visits[0].patient

    def rows(*others: Visit) -> str:
        """Above the form, when these visits never were."""
        with transaction() as session:
            for row in others:
                session.merge(row).patient_id = factories.patient("Budi").id
        entry = factories.entry(person=person)
        with transaction():
            queues.act(factories.actor("umum"), entry, "mulai")
        page = words_of(client.get(f"/kunjungan/{entry.visit.public_id}"))
        return page.partition("Kunjungan sebelumnya")[2].partition("Sistolik")[0]

    newest = rows()
    assert "Metformin 500 mg tablet" in newest and "Lab: Hemoglobin 10" in newest
    assert "TD 190/82" in newest and "TD sangat tinggi" in newest
    rest = rows(*visits[:4])
    assert "penilaian 4" in rest and "keluhan 5" not in rest
    assert "Kunjungan dibatalkan. Imunisasi: BCG" in rest
    assert rest.count("belum diperiksa") == 1, "the visit that the first page was opened from"


def test_a_room_is_told_too_that_there_is_nothing_to_know(sign_in, app):
    entry = factories.entry(pregnant="nifas")
    with transaction():
        queues.act(factories.actor("umum"), entry, "mulai")
    said = words_of(sign_in("umum").get(f"/kunjungan/{entry.visit.public_id}"))
    assert f"{entry.visit.label} Siti Aminah" in said and "Nifas" in said
    assert "Tidak ada alergi yang tercatat" in said
    assert "Belum ada kunjungan sebelumnya." in said


def test_an_allergy_says_who_wrote_it_down_and_who_ended_it_why(sign_in, person):
    on, by = short_date(days.clinic_date()), factories.user("kia").display_name
    url, client = f"/pasien/{person.public_id}", sign_in("kepala")
    assert f"Udang : bengkak {by}, {on}" in words_of(client.get(url))
    with transaction() as session:
        row = session.scalars(select(Allergy).filter_by(substance="Udang")).one()
        allergies.end_allergy(factories.actor("umum"), row, "salah pasien")
    other = factories.user("umum").display_name
    said = words_of(client.get(url))
    assert f"Udang {by}, {on}; diakhiri {other}, {on}: salah pasien" in said
