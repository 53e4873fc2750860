"""Papers: what stands on each, who signs, that nothing printed changes, and their numbers."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from clinic import (
    amendment_decisions,
    amendments,
    barcode,
    days,
    immunizations,
    lab_results,
    merging,
    paper_content,
    paper_doubts,
    paper_facts,
    paper_number,
    papers,
    prescription_changes,
    prescriptions,
    queues,
    records,
    settings,
)
from clinic.allergies import add_allergy, end_allergy
from clinic.diagnoses import DiagnosisInput
from clinic.dispensing import Given
from clinic.immunizations import Entered
from clinic.lab_entry import Entered as Undone
from clinic.paper_number import TemplateError
from clinic.papers import AlreadyIssued, Changed, Order
from clinic.record_errors import RecordError
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from formatting import age_text, clock_time, letter_date, long_date, number_words, short_date
from models import (
    AuditEntry,
    DatePrecision,
    EntryState,
    Examination,
    Paper,
    PaperKind,
    PaperState,
    QueueEntry,
    VisitStatus,
)
from tests import factories, pharmacy
from tests.amending import amend, nurse
from tests.test_dispensing import hand_over, ready
from tests.test_laboratory import (
    ask_for_second_person,
    current_of,
    item_of,
    mend_identity,
    order_of,
    sent,
    write,
)
from validators import parse_date

REFERRED = {"to_whom": "RSUD", "reason": "rawat inap", "diagnosis": "ISPA"}
TODAY = date(2026, 11, 25)
VITALS = {"systolic": 120, "diastolic": 80, "pulse": 88, "weight": Decimal("54.5"), "height": 158}


def examined(person=None, finishes: bool = True, **said) -> Examination:
    """An examination in UMUM by dr. Bagus: influenza."""
    entry = factories.entry("UMUM", person)
    with transaction():
        queues.act(factories.actor("umum"), entry, "mulai")
    form = ExaminationInput(
        **{
            "subjective": "catatan dalam: curiga masalah rumah",
            "assessment": "ISPA ringan",
            "plan": "Minum air hangat, istirahat.",
            "therapy": "Parasetamol 3x500 mg",
            "disposition": "pulang",
            "diagnoses": [DiagnosisInput("J11")],
            "vitals": VITALS,
        }
        | said
    )
    with transaction():
        do = records.finish if finishes else records.save
        return do(factories.actor("umum"), entry, form, 0)


def order(examination, kind=PaperKind.SICK, by="umum", seen=None, key="", **said) -> Order:
    """What the form sends after the paper was read back."""
    replaces, reason = said.pop("replaces", None), said.pop("why", "")
    if kind is PaperKind.SICK:
        first = days.clinic_date()
        said = {"from_on": first, "until_on": first + timedelta(days=1)} | said
    if seen is None:
        content = papers.drafted(factories.actor(by), examination, kind, said)
        seen = paper_content.digest(content)
    return Order(kind, said, {}, key or papers.new_form_key(), seen, replaces, reason)


def issue(examination, kind=PaperKind.SICK, by="umum", **said) -> Paper:
    wanted = order(examination, kind, by, **said)
    with transaction():
        return papers.issue(factories.actor(by), examination, wanted)


def words(content) -> str:
    """All that is printed, as one text."""
    if isinstance(content, dict):
        return " ".join(words(value) for value in content.values())
    if isinstance(content, list):
        return " ".join(words(value) for value in content)
    return str(content)


# What a paper says is the same whichever database kept what it tells.
says = pytest.mark.engines("sqlite")

# --- Numbers ----------------------------------------------------------------------------------


def test_each_kind_counts_by_itself_in_the_clinics_form(app):
    year, month = days.clinic_date().year, days.clinic_date().month
    roman = paper_number.written("{bulan_romawi}", 1, PaperKind.SICK, "", days.clinic_date())
    first, second = examined(), examined(factories.patient("Budi", sex="L"))
    assert issue(first).number == f"001/SKS/PTA/{roman}/{year}"
    assert issue(second).number == f"002/SKS/PTA/{roman}/{year}"
    assert issue(first, PaperKind.SUMMARY).number == f"001/RKM/PTA/{roman}/{year}"
    with transaction():
        settings.set_value("paper_number", "{jenis}-{tahun}{bulan}-{urut:5}")
    made = issue(first, PaperKind.HEALTH, purpose="kerja", result="sehat")
    assert made.number == f"SKBS-{year}{month:02}-00001"


def test_each_year_counts_from_one(app, monkeypatch):
    next_year = days.clinic_date().replace(month=12, day=31) + timedelta(days=1)
    issue(examined())
    monkeypatch.setattr(days, "clinic_date", lambda *_at: next_year)
    assert issue(examined(factories.patient("Budi", sex="L"))).number.startswith("001/")


def test_the_head_of_a_paper_is_the_settings(app):
    with transaction():
        settings.set_value("clinic_office", "Dinas Kesehatan Uji")
        settings.set_value("clinic_phone", "")
    head = issue(examined()).content["head"]
    assert head["office"] == "Dinas Kesehatan Uji"
    assert (head["name"], head["phone"]) == ("Puskesmas Tirta Alur", ""), (
        "what is empty is left out"
    )


def test_a_number_that_an_earlier_form_gave_out_is_left_out(app):
    examination = examined()
    taken = issue(examination).number
    with transaction():  # as if the counter had begun anew
        db.session.execute(text("UPDATE counter SET value = 0 WHERE name LIKE 'paper:%'"))
    other = issue(examined(factories.patient("Budi", sex="L")))
    assert other.number != taken


def test_a_refused_paper_gives_its_number_back(app):
    examination = examined()
    with pytest.raises(AlreadyIssued):
        issue(examination) and issue(examination)
    assert issue(examined(factories.patient("Budi", sex="L"))).number.startswith("002/")


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{urut:3}/{kode}/{tahun}", "harus memuat"),
        ("{jenis}/{tahun}", "harus memuat"),
        ("{urut:3}/{jenis}", "harus memuat"),
        ("{urut:3}/{urut:3}/{jenis}/{tahun}", "hanya boleh sekali"),
        ("{urut:3}/{jenis}/{tahun}/{poli}", "Pakai"),
        ("{urut:3}<b>{jenis}/{tahun}", "Pakai"),
        ("{urut:3}/{jenis}/{tahun}" + "X" * 50, "paling panjang"),
    ],
)
def test_a_form_that_gives_no_number_of_its_own_is_refused(template, sentence):
    with pytest.raises(TemplateError, match=sentence):
        paper_number.checked(template)


def test_the_form_of_the_number():
    written = paper_number.written(paper_number.DEFAULT, 7, PaperKind.SICK, "PTA", TODAY)
    assert written == "007/SKS/PTA/XI/2026"
    assert paper_number.checked_code(" PKM-T.2 ") == "PKM-T.2"
    for refused in ("<script>", "a b/", "a/b", "a b", "-", "", "x" * 21):
        with pytest.raises(TemplateError, match="tanpa spasi"):
            paper_number.checked_code(refused)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "satu"),
        (11, "sebelas"),
        (14, "empat belas"),
        (30, "tiga puluh"),
        (121, "seratus dua puluh satu"),
    ],
)
def test_days_are_written_out(number, said):
    assert number_words(number) == said


# --- Sick note --------------------------------------------------------------------------------


@says
def test_a_sick_note_says_who_how_long_and_who_signs(app):
    paper = issue(examined(), purpose="izin kerja")
    said = words(paper.content)
    first = days.clinic_date()
    assert "Siti Aminah" in said and "14 Mei 1985" in said and "Jalan Kenanga 12" in said
    assert "selama 2 (dua) hari" in said and "izin kerja" in said
    assert letter_date(first) in said and letter_date(first + timedelta(days=1)) in said
    assert "Puskesmas Tirta Alur" in said and "Dinas Kesehatan Kota Tirta" in said
    signer = paper.content["signer"]
    assert (signer["name"], signer["profession"]) == ("dr. Bagus Prasetyo", "Dokter")
    assert signer["licence"].startswith("SIP ")


@says
def test_the_diagnosis_stands_on_it_only_when_the_patient_agreed(app):
    without = issue(examined())
    title = "influenza"
    kept = json.dumps([without.content, without.fields]).lower()
    assert title not in kept and "j11" not in kept and "ispa" not in kept
    person = factories.patient("Budi", sex="L")
    agreed = issue(examined(person), shows_diagnosis=True)
    assert title in words(agreed.content).lower()
    assert "atas persetujuan pasien" in words(agreed.content)


@says
@pytest.mark.parametrize(
    ("first", "last", "more", "field"),
    [
        (0, -1, {}, "until_on"),
        (0, 1, {"days": 3}, "days"),
        (0, 3, {}, "reason"),
        (-1, 0, {}, "reason"),
        (0, 180, {"reason": "operasi"}, "until_on"),
        (0, None, {}, "until_on"),
        (2, 3, {}, "reason"),
        (31, 33, {"reason": "operasi"}, "from_on"),
        (365, 367, {}, "from_on"),
    ],
)
def test_a_sick_note_that_cannot_be_right_is_refused(app, first, last, more, field):
    today = days.clinic_date()
    until = today + timedelta(days=last) if last is not None else ""
    dates = {"from_on": today + timedelta(days=first), "until_on": until}
    with pytest.raises(RecordError) as refused:
        issue(examined(), **dates | more)
    assert refused.value.field == field


@says
def test_a_longer_one_needs_a_reason_that_is_not_printed(app):
    longest = days.clinic_date() + timedelta(days=179)
    assert "180 (" in words(issue(examined(), until_on=longest, reason="patah tulang").content)
    until = days.clinic_date() + timedelta(days=6)
    paper = issue(examined(), until_on=until, reason="patah tulang lengan")
    assert "7 (tujuh) hari" in words(paper.content)
    assert "patah tulang" not in words(paper.content)


@says
@pytest.mark.parametrize(("first", "reason"), [(1, ""), (2, "dinas malam"), (30, "operasi")])
def test_a_later_start_is_taken_where_the_reason_is_told(app, first, reason):
    start = days.clinic_date() + timedelta(days=first)
    paper = issue(examined(), from_on=start, until_on=start, reason=reason)
    assert letter_date(start) in words(paper.content)


# --- Health certificate -----------------------------------------------------------------------


@says
def test_a_health_certificate_says_what_was_found(app):
    said = {"purpose": "melamar kerja", "result": "sehat", "colour": "parsial"}
    measures = {"height": 158, "weight": Decimal("54.5"), "systolic": 120, "diastolic": 80}
    paper = issue(examined(), PaperKind.HEALTH, **said, **measures)
    printed = words(paper.content)
    for piece in ("158 cm", "54,5 kg", "120/80 mmHg", "Buta warna parsial", "SEHAT", "melamar"):
        assert piece in printed


@says
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"result": "sehat"}, "purpose"),
        ({"purpose": "kerja"}, "result"),
        ({"purpose": "kerja", "result": "mungkin"}, "result"),
        ({"purpose": "kerja", "result": "sehat", "systolic": 120}, "diastolic"),
        ({"purpose": "kerja", "result": "sehat", "colour": "hijau"}, "colour"),
    ],
)
def test_a_certificate_that_says_too_little_is_refused(app, said, field):
    with pytest.raises(RecordError) as refused:
        issue(examined(), PaperKind.HEALTH, **said)
    assert refused.value.field == field


def test_two_certificates_for_two_purposes_one_for_each(app):
    examination, said = examined(), {"result": "sehat"}
    issue(examination, PaperKind.HEALTH, purpose="kerja", **said)
    issue(examination, PaperKind.HEALTH, purpose="sekolah", **said)
    with pytest.raises(AlreadyIssued, match="sudah terbit dengan nomor"):
        issue(examination, PaperKind.HEALTH, purpose="kerja", **said)


# --- Referrals --------------------------------------------------------------------------------


@says
def test_the_record_proposes_the_referral(app):
    person = factories.patient()
    with transaction():
        add_allergy(factories.actor("umum"), db.session.merge(person), "Amoksisilin")
    examination = examined(person, disposition="rujuk_eksternal", refer_to="RSUD Tirta")
    facts = paper_facts.load(examination, days.clinic_date())
    said = paper_facts.defaults(PaperKind.REFERRAL, facts)
    assert said["to_whom"] == "RSUD Tirta" and "(J11)" in said["diagnosis"]
    assert "ekanan darah 120/80 mmHg" in said["findings"]
    assert said["therapy"] == "Parasetamol 3x500 mg"
    printed = words(issue(examination, PaperKind.REFERRAL, **said, to_poli="Paru").content)
    assert "Kepada Yth.\nPoli Paru\nRSUD Tirta" in printed
    assert "Amoksisilin" in printed and person.mrn in printed


@says
def test_a_referral_says_what_the_patient_is_to_be_watched_for_a_summary_does_not(app):
    person = factories.patient()
    with transaction():
        actor = factories.actor("umum")
        add_allergy(actor, db.session.merge(person), "warfarin", "pengencer darah", is_alert=True)
    examination = examined(person)
    for kind in (PaperKind.REFERRAL, PaperKind.INTERNAL):
        paper = issue(examination, kind, **REFERRED, to_room="GIGI", to_room_name="Poli Gigi")
        assert "Perlu diwaspadai warfarin (pengencer darah)" in words(paper.content)
        assert "Alergi tidak ada yang tercatat" in words(paper.content)
    assert "warfarin" not in words(issue(examination, PaperKind.SUMMARY).content)


@says
@pytest.mark.parametrize(
    ("name", "printed"), [("By Ny Ratna", "By Ny Ratna (bayi ke-2)"), ("Andi", "Andi")]
)
def test_twins_without_a_name_are_told_apart_on_paper(app, name, printed):
    baby = {"birth_order": 2, "no_nik_reason": "BAYI", "birth_date": date(2026, 11, 20)}
    where = {"address": "Dusun Tirta", "village": "Dusun Tirta"}  # a hamlet without streets
    paper = issue(examined(factories.patient(name, **baby, **where)))
    assert ["Nama", printed] in paper.content["parts"][1]["rows"]
    assert ["Alamat", "Dusun Tirta"] in paper.content["parts"][1]["rows"]


@says
def test_an_internal_referral_goes_where_the_patient_was_sent(app):
    examination = examined(disposition="rujuk_internal", refer_to="GIGI")
    facts = paper_facts.load(examination, days.clinic_date())
    said = paper_facts.defaults(PaperKind.INTERNAL, facts)
    assert said["to_room"] == "GIGI"
    paper = issue(examination, PaperKind.INTERNAL, **said, to_room_name="Poli Gigi")
    assert "Petugas Poli Gigi" in words(paper.content)
    assert paper.content["size"] == "a4", "with the findings it does not fit A5"


@says
@pytest.mark.parametrize(
    ("kind", "wrong", "value"),
    [
        (PaperKind.REFERRAL, "to_whom", ""),
        (PaperKind.REFERRAL, "reason", ""),
        (PaperKind.REFERRAL, "diagnosis", ""),
        (PaperKind.INTERNAL, "to_room", ""),
        (PaperKind.INTERNAL, "to_room", "UMUM"),  # where it was written
    ],
)
def test_a_referral_that_leads_nowhere_or_says_too_little_is_refused(app, kind, wrong, value):
    whole = {"to_whom": "RSUD", "to_room": "GIGI", "to_room_name": "Gigi", "reason": "perlu foto"}
    said = whole | {"diagnosis": "curiga TB"} | {wrong: value}
    with pytest.raises(RecordError) as refused:
        issue(examined(), kind, **said)
    assert refused.value.field == wrong


# --- Summary ----------------------------------------------------------------------------------


@says
def test_a_summary_tells_the_patient_and_keeps_inner_notes_inside(app):
    examination = examined(disposition="kontrol")
    facts = paper_facts.load(examination, days.clinic_date())
    said = paper_facts.defaults(PaperKind.SUMMARY, facts)
    assert said["control_on"]
    said["control_on"] = days.clinic_date() + timedelta(days=3)
    printed = words(issue(examination, PaperKind.SUMMARY, **said).content)
    for piece in ("demam dan batuk", "120/80 mmHg", "Parasetamol", "Minum air hangat", "nfluenza"):
        assert piece in printed, piece
    assert letter_date(said["control_on"]) in printed
    assert "masalah rumah" not in printed and "J11" not in printed


@says
@pytest.mark.parametrize(("issued_after", "weekday"), [(0, None), (10, None), (0, 3)])
def test_the_control_that_is_proposed_is_to_come_and_on_no_sunday(app, issued_after, weekday):
    examination = examined(disposition="kontrol")
    with transaction():
        day = examination.visit.service_day
        if weekday is not None:  # a Thursday: three days on is a Sunday
            day.on -= timedelta(days=(day.on.weekday() - weekday) % 7)
    on = day.on + timedelta(days=issued_after)
    facts = paper_facts.load(examination, on)
    proposed = parse_date(paper_facts.defaults(PaperKind.SUMMARY, facts)["control_on"])
    assert proposed.weekday() < 6 and timedelta(3) <= proposed - on <= timedelta(4)


def in_three_stays() -> tuple[Examination, Examination]:
    """The first and last of a visit that went from UMUM to GIGI and back."""
    first = examined(
        subjective="lemas sejak sebulan",
        plan="mohon periksa gigi 36",
        therapy="injeksi metoklopramid",
        diagnoses=[DiagnosisInput("R53")],
        disposition="rujuk_internal",
        refer_to="GIGI",
    )
    with transaction():
        there = select(QueueEntry).where(QueueEntry.previous_entry_id == first.entry_id)
        there = db.session.scalars(there).one()
        queues.act(factories.actor("gigi"), there, "mulai")
        form = ExaminationInput(
            plan="sikat gigi 2x", diagnoses=[DiagnosisInput("K02.1")], disposition="pulang"
        )
        records.finish(factories.actor("gigi"), there, form, 0)
    with transaction():
        back = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
        queues.act(factories.actor("umum"), back, "mulai")
        form = ExaminationInput(
            objective="nistagmus",
            assessment="vertigo perifer",
            plan="kontrol",
            disposition="pulang",
        )
        return first, records.finish(factories.actor("umum"), back, form, 0)


@says
def test_a_referral_tells_what_the_visits_earlier_stays_wrote_and_did(app):
    _, last = in_three_stays()
    said = proposed(last, PaperKind.REFERRAL)
    assert said["findings"].startswith("Poli Umum: lemas sejak sebulan\nnistagmus\n")
    assert said["therapy"] == "injeksi metoklopramid"
    assert said["diagnosis"] == "vertigo perifer"


@says
def test_a_summary_tells_each_stays_finding_and_no_note_to_a_colleague(app):
    first, last = in_three_stays()
    said = proposed(last)
    found = said["diagnosis"].splitlines()
    assert "vertigo perifer" in found and len(found) == 3
    assert said["advice"] == "sikat gigi 2x\nkontrol"
    assert proposed(first)["diagnosis"] == said["diagnosis"]


@says
def test_a_thought_without_a_diagnosis_gives_way_to_what_its_room_found_later(app):
    entry = factories.entry()
    with transaction():
        queues.act(factories.actor("umum"), entry, "mulai")
    back = factories.sent_to_laboratory_and_back(entry, "umum")
    form = ExaminationInput(diagnoses=[DiagnosisInput("D64.9")], disposition="pulang")
    with transaction():
        last = records.finish(factories.actor("umum"), db.session.get(QueueEntry, back.id), form, 0)
    (found,) = proposed(last)["diagnosis"].splitlines()
    assert "nemia" in found, "and no word of the thought that led to the laboratory"


@says
def test_a_control_before_the_visit_is_refused(app):
    with pytest.raises(RecordError, match="lebih awal"):
        issue(examined(), PaperKind.SUMMARY, control_on=days.clinic_date() - timedelta(days=1))
    again = issue(examined(), PaperKind.SUMMARY, control_on=days.clinic_date())
    assert f"Kontrol kembali {long_date(days.clinic_date())}" in words(again.content), (
        "this evening"
    )


# --- What the rooms' other parts say ----------------------------------------------------------


def proposed(examination, kind=PaperKind.SUMMARY) -> dict:
    db.session.rollback()
    facts = paper_facts.load(examination, days.clinic_date())
    return paper_facts.defaults(kind, facts)


@says
def test_medicines_are_proposed_as_prescribed_and_as_given_without_inner_reasons(app):
    of, short, syrup = pharmacy.medicine(), pharmacy.medicine(), pharmacy.medicine()
    pharmacy.receive(of, 50)
    pharmacy.receive(short, 2)
    lines = [pharmacy.line(of, 9), pharmacy.line(short, 6), pharmacy.line(None, 3)]
    for line in lines:
        line.instruction = "3 x sehari 1 tablet sesudah makan"
    made = ready(*lines, pharmacy.compound((syrup, 1, "tablet")))
    examination, before = made.examination, [f"{line.title}, " for line in lines]
    words_of = "3 x sehari 1 tablet sesudah makan"
    text = proposed(examination)["therapy"]
    assert f"{of.label}, {words_of} (9 tablet, diresepkan)\n" in text
    assert f"Puyer batuk ({syrup.label} = 1 tablet), sesudah makan (10 bungkus, diresepkan)" in text
    assert all(start in text for start in before)
    hand_over(made, l1=Given("2", "rahasia dalam"), l3=Given("0", "rahasia dalam"))
    for kind in (PaperKind.SUMMARY, PaperKind.REFERRAL, PaperKind.INTERNAL):
        text = proposed(examination, kind)["therapy"]
        assert f"{of.label}, {words_of} (9 tablet, diserahkan)" in text
        assert f"{short.label}, {words_of} (6 tablet, diserahkan 2 tablet)" in text
        assert "(3 tablet, resep luar)" in text and "(10 bungkus, tidak diserahkan)" in text
        assert "rahasia" not in text


def test_what_was_cancelled_is_proposed_no_more_and_what_was_printed_stays(app):
    made = ready(pharmacy.line(pharmacy.medicine(), 9))
    examination, title = made.examination, made.lines[0].title
    paper = issue(examination, PaperKind.SUMMARY, **proposed(examination))
    with transaction():
        found = prescriptions.by_ref(made.public_id)
        prescription_changes.cancel(factories.actor("umum"), found, "salah obat")
    assert title not in proposed(examination)["therapy"]
    assert title in words(db.session.get(Paper, paper.id).content)


@says
def test_pregnancy_and_vaccines_stand_in_summary_and_referral(app):
    on = days.clinic_date()
    lmp = (on - timedelta(days=200)).isoformat()
    examination = examined(forms={"hamil": {"lmp": lmp, "risk_note": "rahasia"}})
    card = Entered("TD", 1, on - timedelta(days=40))
    with transaction():
        doses = [Entered("TD", 2, on), card]
        immunizations.add(factories.actor("umum"), examination.visit, doses, "", "menurut kartu")
    told = "Usia kehamilan 28 minggu 4 hari, HPL "
    vaccines = f"Td 2, Td 1 ({short_date(card.given_on)})"
    printed = words(issue(examination, PaperKind.SUMMARY, **proposed(examination)).content)
    assert told in printed and vaccines in printed and "rahasia" not in printed
    findings = proposed(examination, PaperKind.REFERRAL)["findings"]
    assert told in findings and f"Imunisasi: {vaccines}" in findings


SICK_CHILD = {
    "danger": "kejang letargis",
    "danger_reason": "keluarga menunggu mobil",
    "dehydration": "letargis mata",
    "muac": "11.2",
    "mtbs_note": "ibu ikut",
}


@says
def test_the_rooms_form_stands_in_summary_and_referral_without_inner_words(app):
    forms = {"mtbs": SICK_CHILD, "gigi": {"tooth36": "sisa_akar", "act36": "dicabut"}}
    examination = examined(forms=forms)
    printed = words(issue(examination, PaperKind.SUMMARY, **proposed(examination)).content)
    findings = proposed(examination, PaperKind.REFERRAL)["findings"]
    told = (
        "Tanda bahaya umum: Kejang, Letargis atau tidak sadar; Diare dehidrasi berat; Gizi buruk",
        "LILA balita: 11,2 cm",
        "36 Sisa akar (dicabut)",
    )
    for piece in told:
        assert piece in findings and piece in printed, piece
    assert "ibu ikut" in findings and "ibu ikut" not in printed
    assert "menunggu mobil" not in findings + printed
    assert findings.count("Kejang") == 1


@says
def test_the_rooms_form_gives_way_where_a_letter_would_be_too_long(app):
    long = {"mtbs": SICK_CHILD | {"mtbs_note": "x" * 990}}
    examination = examined(forms=long, subjective="s" * 3_500)
    findings = proposed(examination, PaperKind.REFERRAL)["findings"]
    assert len(findings) <= paper_facts.LONGEST_TEXT
    assert "Tanda bahaya umum: Kejang" in findings and "selengkapnya di rekam medis" in findings
    assert "xx" not in findings


@says
def test_a_second_stay_adds_to_what_the_first_one_told(app):
    entry = factories.entry("UMUM")
    with transaction():
        queues.act(factories.actor("umum"), entry, "mulai")
    told = {"danger": "kejang", "muac": "11.2"}
    back = factories.sent_to_laboratory_and_back(entry, "umum", mtbs=told)
    with transaction():
        form = ExaminationInput(
            assessment="baik", disposition="kontrol", forms={"mtbs": {"danger": "tidak_ada"}}
        )
        again = records.finish(
            factories.actor("umum"), db.session.get(QueueEntry, back.id), form, 0
        )
    findings = proposed(again, PaperKind.REFERRAL)["findings"]
    assert "Tidak ada tanda bahaya" in findings and "Kejang" not in findings
    assert "LILA balita: 11,2 cm" in findings


# --- Laboratory -------------------------------------------------------------------------------


def reported(**values):
    there = sent(*values)
    write(there, closes=True, **values)
    return there, db.session.scalars(
        select(Examination).where(Examination.entry_id == order_of(there).entry_id)
    ).one()


def lab_paper(there, examination, by="lab") -> Paper:
    return issue(examination, PaperKind.LAB, by, order=order_of(there).public_id)


@says
def test_a_lab_paper_prints_value_range_flag_and_who_did_it(app):
    there, examination = reported(HB="9,1", GDS="100")
    paper = lab_paper(there, examination)
    lines = next(part for part in paper.content["parts"] if "lines" in part)["lines"]
    hb = next(line for line in lines if "9,1" in line[1])
    assert "g/dL" in hb[1] and hb[2] != "-" and hb[3] == "rendah"
    row, zone = current_of(item_of(there, "HB")), settings.value("time_zone")
    at = f"{short_date(days.clinic_date())} {clock_time(row.resulted_at, zone)}"
    assert hb[4] == f"{row.resulted_by.display_name}\n{at}"
    assert "Diminta oleh dr. Bagus Prasetyo, Poli Umum Tanggal" in words(paper.content)
    summary = issue(examination, PaperKind.SUMMARY).content
    assert "Hasil laboratorium Hemoglobin 9,1 g/dL (rendah)" in words(summary)
    found = proposed(examination, PaperKind.REFERRAL)["findings"]
    assert found.count("Laboratorium") == 1 and "Hasil tercatat" not in found


@says
def test_a_lab_paper_says_why_a_test_was_not_done(app):
    there, examination = reported(HB="9,1", WIDAL=Undone(not_done="reagen habis"))
    said = words(lab_paper(there, examination).content)
    assert "Widal - - tidak dikerjakan: reagen habis" in said


@says
@pytest.mark.parametrize(
    ("born", "precision", "printed"),
    [
        (None, DatePrecision.DAY, "tidak diketahui"),
        (date(1971, 7, 1), DatePrecision.YEAR, "~{} tahun (perkiraan)"),
    ],
)
def test_a_letter_does_not_make_a_birth_date_up(app, born, precision, printed):
    known = {"birth_date": born, "birth_precision": precision, "no_nik_reason": "TIDAK_DIKENAL"}
    paper = issue(examined(factories.patient("Tuan X", sex="L", **known)))
    years = (days.clinic_date() - born).days // 365.25 if born else 0
    row = ["Tanggal lahir", printed.format(int(years))]
    assert row in paper.content["parts"][1]["rows"]


@says
def test_what_is_not_finished_or_not_validated_is_not_printed(app):
    there = sent("HB")
    write(there, HB="9,1")
    examination = db.session.scalars(select(Examination)).first()
    with pytest.raises(RecordError, match="belum selesai atau belum divalidasi"):
        lab_paper(there, examination)
    ask_for_second_person()
    write(there, closes=True, HB="9,1")
    with pytest.raises(RecordError, match="belum divalidasi"):
        lab_paper(there, examination)
    with transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    assert "divalidasi dr. Indah" in words(lab_paper(there, examination).content)


@says
def test_a_corrected_value_is_marked(app):
    there, examination = reported(HB="9,1")
    before = lab_paper(there, examination)
    with transaction():
        result = current_of(item_of(there, "HB"))
        lab_results.correct(factories.actor("lab"), result, "12,1", "salah salin")
    assert "9,1 g/dL" in words(before.content), "what was printed stays"
    again = issue(
        examination,
        PaperKind.LAB,
        "lab",
        order=order_of(there).public_id,
        replaces=before,
        why="dikoreksi",
    )
    assert "12,1 g/dL *) (semula 9,1 g/dL)" in words(again.content)
    assert "sudah dikoreksi laboratorium" in words(again.content)
    with transaction():
        lab_results.correct(factories.actor("lab"), current_of(item_of(there, "HB")), "12,4", "x")
    drawn = {"order": order_of(there).public_id}
    third = papers.drafted(factories.actor("lab"), examination, PaperKind.LAB, drawn)
    assert "12,4 g/dL *) (semula 12,1 g/dL)" in words(third)


# --- Line by line -----------------------------------------------------------------------------

WHO = [
    ["Nama", "Siti Aminah"],
    ["Tanggal lahir", "14 Mei 1985 ({age})"],
    ["Jenis kelamin", "Perempuan"],
    ["No. rekam medis", "{mrn}"],
    ["Alamat", "Jalan Kenanga 12, RT 003 RW 004, Tirta Alur"],
]
STRANGERS = [row for row in WHO if row[0] != "No. rekam medis"]
OPENED = "Yang bertanda tangan di bawah ini menerangkan bahwa:"
CLOSED = "Demikian surat keterangan ini dibuat untuk dipergunakan sebagaimana mestinya."
WRITTEN = {
    "to_whom": "RSUD",
    "to_poli": "Paru",
    "to_room": "GIGI",
    "to_room_name": "Poli Gigi",
    "findings": "ronki",
    "diagnosis": "curiga TB",
    "therapy": "parasetamol",
    "reason": "perlu foto",
    "complaint": "batuk",
    "advice": "istirahat",
    "purpose": "melamar kerja",
    "note": "berkacamata",
    "result": "sehat",
    "height": 158,
    "weight": Decimal("54.5"),
    "systolic": 120,
    "diastolic": 80,
}
REFERRAL_ROWS = [
    ["Tanggal periksa", "{on}, Poli Umum"],
    ["Pemeriksaan", "ronki"],
    ["Diagnosis", "curiga TB"],
    ["Terapi yang sudah diberikan", "parasetamol"],
    ["Alergi", "Amoksisilin"],
    ["Perlu diwaspadai", "tuli"],
    ["Alasan dirujuk", "perlu foto"],
]
SIGNS = "tekanan darah 120/80 mmHg, nadi 88/menit, berat 54,5 kg, tinggi 158 cm"
LETTERS = {
    PaperKind.SICK: [
        OPENED,
        STRANGERS,
        "Pada pemeriksaan tanggal {on} dinyatakan sakit dan perlu beristirahat selama 1 (satu)"
        " hari, yaitu tanggal {today}.",
        "Untuk keperluan: melamar kerja.",
        CLOSED,
    ],
    PaperKind.HEALTH: [
        OPENED,
        STRANGERS,
        "Telah diperiksa pada tanggal {on} dengan hasil:",
        [
            ["Tinggi badan", "158 cm"],
            ["Berat badan", "54,5 kg"],
            ["Tekanan darah", "120/80 mmHg"],
            ["Buta warna", "Tidak diperiksa"],
            ["Catatan", "berkacamata"],
            ["Dinyatakan", "SEHAT"],
            ["Untuk keperluan", "melamar kerja"],
        ],
        CLOSED,
    ],
    PaperKind.REFERRAL: [
        "Kepada Yth.\nPoli Paru\nRSUD",
        "Mohon pemeriksaan dan penanganan selanjutnya untuk:",
        WHO,
        [["Nomor BPJS", "0001234567890"], *REFERRAL_ROWS],
        "Atas kerja sama Sejawat kami ucapkan terima kasih.",
    ],
    PaperKind.INTERNAL: [
        "Kepada Yth.\nPetugas Poli Gigi",
        "Mohon pemeriksaan dan penanganan selanjutnya untuk:",
        WHO,
        REFERRAL_ROWS,
    ],
    PaperKind.SUMMARY: [
        WHO,
        [
            ["Tanggal kunjungan", "{on}"],
            ["Ruang", "Poli Umum"],
            ["Keluhan", "batuk"],
            ["Tanda vital", SIGNS],
            ["Diagnosis", "curiga TB"],
            ["Tindakan dan terapi", "parasetamol"],
            ["Alergi", "Amoksisilin"],
            ["Saran", "istirahat"],
        ],
        "Bawa lembar ini saat kontrol. Kembali segera bila keluhan memberat.",
    ],
}


def examined_days_ago(count: int, person=None) -> Examination:
    """A visit of an earlier day, in the queue's calendar and in the world's."""
    examination = examined(person)
    with transaction():
        visit = db.session.merge(examination).visit
        visit.occurred_at -= timedelta(days=count)
        visit.service_day.on -= timedelta(days=count)
    return examination


@says
@pytest.mark.parametrize("kind", LETTERS)
def test_each_letter_line_by_line_as_of_an_earlier_visit(app, kind):
    person = factories.patient(rt="003", rw="004", bpjs_number="0001234567890")
    with transaction():
        add_allergy(factories.actor("umum"), db.session.merge(person), "Amoksisilin")
        add_allergy(factories.actor("umum"), db.session.merge(person), "tuli", is_alert=True)
    examination = examined_days_ago(3, person)
    with transaction():  # the card of today is no card of that day
        db.session.merge(person).bpjs_number = "0009999999999"
    today = days.clinic_date()
    dates = (
        {"from_on": today, "until_on": today, "reason": "lelah"} if kind is PaperKind.SICK else {}
    )
    content = issue(examination, kind, **WRITTEN | dates).content
    told = {
        "on": letter_date(today - timedelta(days=3)),
        "today": letter_date(today),
        "mrn": person.mrn,
        "age": age_text(person.birth_date, today),
    }
    printed = [part.get("rows") or part["text"] for part in content["parts"]]
    assert printed == json.loads(filled(json.dumps(LETTERS[kind]), told))
    assert (content["place"], content["date"]) == ("Tirta Alur", letter_date(today))
    is_small = kind in (PaperKind.SICK, PaperKind.HEALTH)
    assert content["size"] == ("a5" if is_small else "a4")


def filled(words: str, told: dict[str, str]) -> str:
    for name, said in told.items():
        words = words.replace(f"{{{name}}}", said)
    return words


@says
def test_a_sick_note_may_begin_between_the_visit_and_today_but_not_before(app):
    examination, today = examined_days_ago(3), days.clinic_date()
    with pytest.raises(RecordError, match="sebelum tanggal kunjungan"):
        issue(examination, from_on=today - timedelta(days=4), until_on=today - timedelta(days=3))
    first = today - timedelta(days=3)
    assert letter_date(first) in words(issue(examination, from_on=first, until_on=first).content)


# --- Issued once, kept as printed -------------------------------------------------------------


def test_the_same_form_twice_gives_one_paper(app):
    examination = examined()
    wanted = order(examination)
    with transaction():
        first = papers.issue(factories.actor("umum"), examination, wanted)
    with transaction():
        second = papers.issue(factories.actor("umum"), examination, wanted)
    assert first.id == second.id and db.session.query(Paper).count() == 1
    assert db.session.query(AuditEntry).filter_by(action="issue_paper").count() == 1


def test_two_who_press_at_once_get_one_paper(app):
    examination = examined()
    ref, doctor = examination.id, factories.actor("umum")
    forms, gate = [order(examination), order(examination)], threading.Barrier(2)
    db.session.rollback()

    def press(form: Order) -> str:
        with app.app_context():
            gate.wait(30)
            try:
                with transaction():
                    papers.issue(doctor, db.session.get(Examination, ref), form)
            except AlreadyIssued as already:
                return str(already)
            finally:
                db.session.remove()
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(press, forms))
    assert told[0] == "" and "sudah terbit dengan nomor 001/SKS" in told[1]
    assert db.session.query(Paper).count() == 1


def test_a_key_is_not_taken_for_another_paper(app):
    examination = examined()
    key = issue(examination).form_key
    with pytest.raises(RecordError, match="surat lain"):
        issue(examined(factories.patient("Budi", sex="L")), key=key)
    with pytest.raises(RecordError, match="tidak lengkap"):
        issue(examination, PaperKind.SUMMARY, key="x")


def test_what_was_not_read_back_is_not_issued(app):
    examination = examined()
    seen = order(examination).seen
    with transaction():
        settings.set_value("clinic_name", "Puskesmas Lain")
    with pytest.raises(Changed):
        issue(examination, seen=seen)
    assert db.session.query(Paper).count() == 0


def test_a_reprint_says_what_was_printed_though_the_record_was_amended(app):
    examination = examined()
    paper = issue(examination, PaperKind.SUMMARY, therapy="Parasetamol", diagnosis="Influenza")
    before = json.dumps(paper.content)
    form = ExaminationInput(therapy="Amoksisilin", diagnoses=[DiagnosisInput("J18.9")])
    with transaction():
        examination = db.session.merge(examination)
        amendments.amend(
            factories.actor("umum"), examination, form, {}, "keliru", examination.version
        )
        settings.set_value("clinic_name", "Puskesmas Baru")
        factories.user("umum").practitioner.name = "dr. Bagus P., Sp.KKLP"
    db.session.expire_all()
    assert json.dumps(papers.by_ref(paper.public_id).content) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE paper SET content = '{}'",
        "UPDATE paper SET number = 'X'",
        "UPDATE paper SET issued_by_id = 1",
    ],
)
def test_the_database_itself_refuses_to_rewrite_a_paper(app, statement):
    issue(examined())
    with pytest.raises(DatabaseError), transaction() as session:
        session.execute(text(statement))


def test_the_table_allows_one_such_paper_in_force(app):
    paper = issue(examined())
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(
            Paper(
                kind=paper.kind,
                number="lain",
                visit_id=paper.visit_id,
                examination_id=paper.examination_id,
                form_key="lain",
                fields={},
                content={},
                issued_by_id=paper.issued_by_id,
            )
        )
        session.flush()


def test_a_running_examination_will_do_one_that_broke_off_will_not(app):
    running = examined(finishes=False)
    assert issue(running).state is PaperState.ISSUED
    person = factories.patient("Budi", sex="L")
    broken = examined(person, finishes=False)
    with transaction():  # as the next day finds it
        db.session.get(QueueEntry, broken.entry_id).state = EntryState.UNFINISHED
    with pytest.raises(RecordError, match="tidak pernah selesai"):
        issue(broken)


def test_a_finished_examination_of_a_cancelled_visit_will_not(app):
    examination = examined()
    with transaction():
        db.session.merge(examination).visit.status = VisitStatus.CANCELLED
    with pytest.raises(RecordError, match="dibatalkan"):
        issue(examination)


def test_who_is_no_practitioner_issues_nothing(app):
    examination = examined()
    with pytest.raises(RecordError, match="tenaga kesehatan"):
        issue(examination, by="rekammedis")
    with transaction():
        factories.user("umum").practitioner.is_active = False
    with pytest.raises(RecordError, match="tenaga kesehatan"):
        issue(examination)


# --- Cancelled and replaced -------------------------------------------------------------------


def test_a_cancelled_paper_stays_and_another_may_follow(app):
    examination = examined()
    paper = issue(examination)
    with transaction():
        papers.cancel(factories.actor("kepala"), paper, "salah tanggal")
    assert (paper.state, paper.end_reason) == (PaperState.CANCELLED, "salah tanggal")
    assert paper.ended_by.username == "kepala" and paper.ended_at
    entry = db.session.scalars(select(AuditEntry).filter_by(action="cancel_paper")).one()
    assert (entry.reason, entry.object_ref) == ("salah tanggal", paper.public_id)
    assert issue(examination).number.startswith("002/")


def test_it_is_cancelled_once_and_with_a_reason(app):
    paper = issue(examined())
    with pytest.raises(RecordError, match="alasannya"), transaction():
        papers.cancel(factories.actor("umum"), paper, "  ")
    with transaction():
        papers.cancel(factories.actor("umum"), paper, "salah")
    with pytest.raises(RecordError, match="sudah dibatalkan oleh dr. Bagus"), transaction():
        papers.cancel(factories.actor("kepala"), paper, "juga")


def test_a_replaced_paper_shows_its_successor(app):
    examination = examined()
    first = issue(examination)
    second = issue(examination, purpose="sekolah", replaces=first, why="keperluannya salah")
    assert first.state is PaperState.REPLACED and first.end_reason == "keperluannya salah"
    assert second.replaces_id == first.id
    assert papers.by_ref(first.public_id).replaced_by.number == second.number
    told = db.session.scalars(select(AuditEntry).filter_by(object_ref=second.public_id)).one()
    said = (told.action, told.reason, told.details)
    assert said == (
        "issue_paper",
        "keperluannya salah",
        f"{second.number} menggantikan {first.number}",
    )
    with pytest.raises(RecordError, match="sudah diganti"):
        issue(examination, purpose="lain", replaces=first, why="lagi")
    with pytest.raises(RecordError, match="alasannya"):
        issue(examination, purpose="lain", replaces=second, why="")
    assert papers.by_ref(second.public_id).state is PaperState.ISSUED


# --- In doubt ---------------------------------------------------------------------------------


def test_a_paper_of_a_cancelled_visit_says_so_until_it_is_cancelled_too(app):
    paper = issue(examined(finishes=False))
    assert paper_doubts.doubt(paper) is None
    with transaction():
        queues.act(factories.actor("umum"), paper.examination.entry, "batal", "salah daftar")
    assert "Kunjungannya dibatalkan" in paper_doubts.doubt(paper).cause
    with transaction():
        papers.cancel(factories.actor("umum"), paper, "kunjungannya batal")
    assert paper_doubts.doubt(paper) is None


def test_a_correction_after_the_print_is_said_on_the_paper_but_not_on_results(app):
    examination = examined()
    amend(examination, plan="sebelum surat")
    paper = issue(examination, PaperKind.SUMMARY)
    assert paper_doubts.doubt(paper) is None, "it was printed from the corrected text"
    asked = amend(examination, by=nurse(), plan="Kompres")
    assert paper_doubts.doubt(paper) is None, "it waits for approval"
    with transaction():
        amendment_decisions.approve(factories.actor("rekammedis"), asked)
    assert "dibetulkan" in paper_doubts.doubt(paper).cause
    assert "Bandingkan" in paper_doubts.doubt(paper).remedy


def test_a_letter_that_quotes_a_result_is_doubted_once_the_laboratory_corrects_it(app):
    there, examination = reported(HB="7,2")
    kinds = (PaperKind.SUMMARY, PaperKind.REFERRAL, PaperKind.INTERNAL)
    more = dict.fromkeys(("to_whom", "to_room", "to_room_name"), "UGD")
    more |= dict.fromkeys(("reason", "diagnosis"), "anemia")
    letters = [issue(examination, kind, **more) for kind in kinds]
    sick = issue(examination)
    assert not [paper for paper in (*letters, sick) if paper_doubts.doubt(paper)]
    with transaction():
        row = current_of(item_of(there, "HB"))
        lab_results.correct(factories.actor("lab"), row, "12,7", "salah salin")
    assert all("dikoreksi" in paper_doubts.doubt(paper).cause for paper in letters)
    assert paper_doubts.doubt(sick) is None
    with transaction():
        db.session.merge(row).order.resulted_at = utcnow() + timedelta(hours=1)
    assert not [paper for paper in letters if paper_doubts.doubt(paper)], "not finished by then"


@pytest.mark.parametrize("is_changed", [True, False])
def test_a_letter_from_a_draft_is_doubted_when_the_draft_became_something_else(app, is_changed):
    examination = examined(finishes=False)
    paper = issue(examination, PaperKind.REFERRAL, **REFERRED)
    more = {"diagnoses": [DiagnosisInput("A91")], "therapy": "infus RL"} if is_changed else {}
    form = ExaminationInput(disposition="rujuk_eksternal", refer_to="RSUD", **more)
    with transaction():
        entry = db.session.get(QueueEntry, examination.entry_id)
        records.finish(factories.actor("umum"), entry, form, examination.version)
    found = paper_doubts.doubt(papers.by_ref(paper.public_id))
    assert (found is not None and "masih diubah" in found.cause) is is_changed


def test_a_letter_is_doubted_when_an_allergy_becomes_known_or_the_identity_is_corrected(app):
    examination = examined()
    mend_identity(examination.visit.patient, name="Siti Aminah Lestari")
    paper = issue(examination, PaperKind.REFERRAL, **REFERRED)
    assert paper_doubts.doubt(paper) is None, "it was printed with the name that holds"
    patient = paper.visit.patient
    with transaction():
        allergy = add_allergy(factories.actor("umum"), patient, "Amoksisilin")
    assert "Alergi" in paper_doubts.doubt(paper).cause
    with transaction():
        db.session.merge(allergy).recorded_at = utcnow() + timedelta(days=2)
    assert paper_doubts.doubt(paper) is None, "of a later visit"
    with transaction():
        end_allergy(factories.actor("umum"), db.session.merge(allergy), "bukan alergi")
    assert "Alergi" in paper_doubts.doubt(paper).cause, "it may be named there"
    with transaction():
        db.session.merge(allergy).ended_at = utcnow() + timedelta(days=2)
    assert paper_doubts.doubt(paper) is None
    mend_identity(patient, phone="0812345678")
    assert paper_doubts.doubt(paper) is None, "it prints none"
    mend_identity(patient, birth_date=date(1986, 5, 14))
    assert "tanggal lahir" in paper_doubts.doubt(paper).cause


# --- The patient's ----------------------------------------------------------------------------


def test_a_merge_takes_the_papers_along(app):
    one, other = factories.patient(), factories.patient(name="Siti Aminah")
    issue(examined(other))
    with transaction():
        merging.merge(factories.actor("rekammedis"), one, other, {}, "satu orang")
    db.session.expire_all()
    assert [paper.kind for paper in papers.of_patient(one, 5)] == [PaperKind.SICK]
    assert papers.of_patient(other, 5) == []


# --- The label's bars -------------------------------------------------------------------------

# Of the standard's table, N narrow and W wide, bars and spaces by turns.
SIGNS = {"*": "NWNNWNWNN", "1": "WNNWNNNNW", "0": "NNNWWNWNN", "A": "WNNNNWNNW"}
SIGNS |= {"-": "NWNNNNWNW", ".": "WWNNNNWNN", "/": "NWNWNNNWN", "Z": "NWWNWNNNN"}


def drawn(text: str) -> str:
    """The bars and spaces, as the standard writes them."""
    code = barcode.code39(text)
    ends = [place + width for place, width in code.bars]
    starts = [place for place, _ in code.bars[1:]] + [code.width + 1]
    gaps = [start - end for end, start in zip(ends, starts, strict=True)]
    letters = {1: "N", barcode.WIDE: "W"}
    pairs = zip(code.bars, gaps, strict=True)
    return "".join(letters[width] + letters[gap] for (_, width), gap in pairs)


@pytest.mark.parametrize("sign", sorted(SIGNS.keys() - {"*"}))
def test_the_bars_are_those_of_code_39(sign):
    whole = "N".join(SIGNS[each] for each in f"*{sign}*") + "N"  # a narrow gap after each sign
    assert drawn(sign) == whole


@pytest.mark.parametrize("number", ["", "*", "a", "Ñ", "<svg>", "1" * 15])
def test_what_bars_cannot_say_gets_none(number):
    assert barcode.code39(number) is None
