"""Prescriptions: what is typed, what is stored, warnings to answer, and the way to the pharmacy."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic import (
    allergies,
    days,
    dispensing_queue,
    medicine_allergies,
    patient_summary,
    pharmacy_alerts,
    prescription_changes,
    prescription_directions,
    prescription_queue,
    prescription_text,
    prescription_warnings,
    prescriptions,
    queues,
    records,
)
from clinic.prescription_compounds import component_units
from clinic.prescription_lines import LineInput, line_input, wanted_lines
from clinic.prescriptions import PrescriptionInput
from clinic.record_errors import Conflict, RecordError
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    EntryKind,
    EntryState,
    Examination,
    PoliKind,
    Prescription,
    PrescriptionLine,
    PrescriptionState,
    PrescriptionWarning,
    QueueEntry,
    VisitStatus,
)
from tests import factories
from tests.databases import count_queries

PCT = LineInput("PCT500", "3x1", "5")
AMOX = LineInput("AMOX500", "3x1", "5")
TABLETS = ("CTM4", "AMLO5", "FOLAT", "KALK500", "METF500", "SIMVA10", "VITC50", "LORAT10")
REASON = "sudah pernah minum, aman"


def served(code: str = "UMUM", by: str = "umum", person=None) -> QueueEntry:
    entry = factories.entry(code, person)
    with transaction():
        queues.act(factories.actor(by), entry, "mulai")
    return entry


def form(*lines, disposition="pulang", refer_to="", reasons=None, **more) -> ExaminationInput:
    said = PrescriptionInput(lines, reasons=reasons or {})
    about = {"assessment": "demam", "disposition": disposition, "refer_to": refer_to}
    return ExaminationInput(**about | more, prescription=said)


def save(entry, *lines, version=0, by="umum", **more) -> Examination:
    with transaction():
        return records.save(factories.actor(by), entry, form(*lines, **more), version)


def finish(entry, *lines, version=0, by="umum", **more) -> Examination:
    with transaction():
        return records.finish(factories.actor(by), entry, form(*lines, **more), version)


def of(entry) -> Prescription | None:
    db.session.rollback()
    rows = select(Prescription).where(Prescription.visit_id == entry.visit_id)
    return db.session.scalars(rows.order_by(Prescription.id.desc())).first()


def lines_of(entry) -> list[PrescriptionLine]:
    return prescriptions.active_lines(of(entry))


def at_pharmacy(entry) -> QueueEntry | None:
    db.session.rollback()
    return prescription_queue.waiting_there(entry.visit)


def on_the_way(entry) -> list[tuple]:
    """Number, place in the pharmacy's queue, and whether another room has the patient still."""
    waiting = dispensing_queue.waiting(entry.visit.service_day, utcnow())
    return [(row.prescription.number, row.entry, row.is_elsewhere) for row in waiting]


def allergic(to: str, reaction: str = ""):
    person = factories.patient()
    with transaction():
        allergies.add_allergy(factories.actor("umum"), person, to, reaction)
    return person


def cancel(entry, reason: str) -> None:
    found = of(entry)
    with transaction():
        prescription_changes.cancel(factories.actor("umum"), found, reason)


def rules(found) -> list[str]:
    return [each.rule for each in found]


# --- What is typed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "times", "dose", "unit", "days", "note"),
    [
        ("3x1", 3, "1", "", None, ""),
        ("3 dd 1", 3, "1", "", None, ""),
        ("3 dd II pc", 3, "2", "", None, "sesudah makan"),
        ("2x1/2 ac 5 hari", 2, "0.5", "", 5, "sebelum makan"),
        ("1 x sehari 1½ tab malam", 1, "1.5", "tablet", None, "malam"),
        ("3x5ml", 3, "5", "mL", None, ""),
        ("3x1 cth prn", 3, "5", "mL", None, "bila perlu"),
        ("2x1 sdm", 2, "15", "mL", None, ""),
        ("3x500 mg", 3, "500", "mg", None, ""),
        ("1-0-1", 2, "1", "", None, "pagi dan malam"),
        ("tiap 8 jam 1 tablet", 3, "1", "tablet", None, ""),
        ("2x oleskan tipis", 2, None, "", None, "oleskan tipis"),
        ("tiap BAB 1 sachet", None, None, "", None, "tiap BAB 1 sachet"),
        ("1-0-2", None, None, "", None, "pagi 1, malam 2"),  # unequal doses are not one number
        ("99x1", None, None, "", None, "99x1"),
        ("", None, None, "", None, ""),
    ],
)
def test_what_is_typed_is_read(typed, times, dose, unit, days, note):
    sig = prescription_directions.read(typed)
    assert (sig.times, sig.unit, sig.days, sig.note) == (times, unit, days, note)
    assert sig.dose == (Decimal(dose) if dose else None)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1", "1"), ("0,5", "0.5"), ("0.125", "0.125"), ("1.000", "1000"), ("1 1/2", "1.5"),
     ("2½", "2.5"), ("iii", "3"), ("0", None), ("1/0", None), ("-1", None), ("٣", None),
     ("", None), ("1e5", None)],
)  # fmt: skip
def test_numbers_as_people_write_them(typed, value):
    assert prescription_text.number(typed) == (Decimal(value) if value else None)


@pytest.mark.parametrize(
    ("line", "quantity", "unit", "instruction"),
    [
        (LineInput("PCT500", "3x1", "5", note="sesudah makan"), 15, "tablet",
         "3 x sehari 1 tablet, sesudah makan"),
        (LineInput("PCT500", "3x500 mg 3 hari"), 9, "tablet", "3 x sehari 1 tablet"),
        (LineInput("CTM4", "3x1/2", "5"), 8, "tablet", "3 x sehari 1/2 tablet"),
        (LineInput("PCT-S", "3x1 sendok", "5"), 2, "botol", "3 x sehari 5 mL"),
        (LineInput("PCT-S", "3x120 mg", "3"), 1, "botol", "3 x sehari 5 mL"),
        (LineInput("DIAZ-R", "1x10 mg", "1"), 2, "tube", "1 x sehari 2 tube"),
        (LineInput("DIAZ-R", "1x5 mg", "1"), 1, "tube", "1 x sehari 1 tube"),
        (LineInput("SALBU-N", "3x2,5 mg", "2"), 6, "ampul", "3 x sehari 1 ampul"),
        (LineInput("MIKON-K", "2x oleskan tipis", "14"), 1, "tube", "2 x sehari, oleskan tipis"),
        (LineInput("KLORA-M", "4x1 tetes", "5"), 1, "botol", "4 x sehari 1 tetes"),
        (LineInput("ORALIT", "tiap BAB 1 sachet", quantity="10"), 10, "sachet",
         "tiap BAB 1 sachet"),
        (LineInput("PCT500", "3x1", "5", quantity="12 tablet"), 12, "tablet",
         "3 x sehari 1 tablet"),
        (LineInput("luar", "2x1", "7", "14 kapsul", title="Gabapentin 300 mg"), 14, "kapsul",
         "2 x sehari 1"),
    ],
)  # fmt: skip
def test_a_line_is_computed_and_told_in_words(app, line, quantity, unit, instruction):
    (found,) = wanted_lines([line])
    assert (found.quantity, found.unit, found.instruction) == (quantity, unit, instruction)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (LineInput("PCT-S", "3x1", "5"), "Tulis satuan dosis"),
        (LineInput("PCT500", "3x5 ml", "5"), "dihitung dalam tablet"),
        (LineInput("KOAMOX", "3x625 mg", "5"), "Tulis dosis"),
        # What an ampoule of so much a mL holds, the list does not say.
        (LineInput("AMINO", "1x240 mg", "1"), "Tulis dosis Aminofilin dalam ampul"),
        (LineInput("GENTA-I", "2x80 mg", "3"), "Tulis dosis Gentamisin dalam ampul"),
        (LineInput("PCT500", "3x1", "lima"), "Parasetamol 500 mg tablet: tulis lamanya"),
        (LineInput("PCT500", "3x1", "999"), "1 sampai 365 hari"),
        (LineInput("PCT500", "3x1", "5", "banyak"), "Parasetamol 500 mg tablet: tulis jumlah"),
        (LineInput("PCT500", "3x1", "5", "0"), "tulis jumlah"),
        (LineInput("PCT500", "3x1", "5", "-3"), "tulis jumlah"),
        (LineInput("PCT500", "24x9999", "365"), "terlalu besar"),
        (LineInput("TIDAKADA", "3x1", "5"), "tidak lagi di daftar"),
        (LineInput("luar", "3x1", "5"), "Tulis nama"),
        (LineInput("racikan", "3x1", "5"), "Tulis isi racikan"),
        (LineInput("racikan", "3x1", "5", parts="CTM"), "jumlah per bungkus"),
        (LineInput("racikan", "3x1", "5", parts="amoksisilin 1/2"), "dapat berarti"),
        (LineInput("racikan", "3x1", "5", parts="CTM 2 mL"), "dihitung dalam tablet"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(app, line, sentence):
    with pytest.raises(RecordError, match=sentence):
        wanted_lines([line])


def test_a_compound_counts_what_each_component_uses(app):
    parts = "parasetamol 500 120 mg\nCTM 1/4 tablet\nSaccharum lactis = 1"
    (found,) = wanted_lines([LineInput("racikan", "3x1", "5", title="puyer", parts=parts)])
    assert (found.title, found.quantity, found.unit) == ("Racikan puyer", 15, "bungkus")
    assert [each.title for each in found.components] == [
        "Parasetamol 500 mg tablet",
        "Klorfeniramin maleat 4 mg tablet",
        "Saccharum lactis",
    ]
    first, second, other = found.components
    assert other.medicine is None
    assert component_units(first.amount, first.unit, first.medicine, found.quantity) == 4
    assert component_units(second.amount, second.unit, second.medicine, found.quantity) == 4


@pytest.mark.parametrize(
    "line",
    [
        LineInput("PCT500", "3 dd 1/2 prn", "5", note="sesudah makan"),
        LineInput("PCT500", "3x1", "5", "12"),
        LineInput("PCT-S", "3x7,5 mL", "3"),
        LineInput("MIKON-K", "2x", "14", note="oleskan tipis"),
        LineInput("ORALIT", "tiap BAB", quantity="10"),
        LineInput("luar", "2x1 tablet", "7", "14 tablet", title="Gabapentin 300 mg"),
        LineInput(
            "racikan", "3x1", "5", title="kapsul", parts="CTM 1/3\nprednison 2,5 mg\ngula 1 1/2"
        ),
        LineInput("AMLO5"),
    ],
)
def test_a_saved_draft_opened_and_saved_again_is_the_same(app, line):
    entry = served()
    save(entry, line)
    (before,) = lines_of(entry)
    again = line_input(before)
    assert save(entry, again, version=1).version == 1
    assert [row.id for row in lines_of(entry)] == [before.id]


# --- Stored -----------------------------------------------------------------------------------


def test_a_changed_line_ends_and_another_is_added(app):
    entry = served()
    save(entry, PCT, AMOX)
    first, second = lines_of(entry)
    saved = save(entry, AMOX, LineInput("PCT500", "3x1", "3"), version=1)
    assert saved.version == 2  # whoever has the form open is told
    now = lines_of(entry)
    assert [row.title for row in now] == [second.title, first.title]
    assert now[0].id == second.id
    old = db.session.get(PrescriptionLine, first.id)
    assert (old.ended_by_id, old.days) == (factories.user("umum").id, 5)
    assert of(entry).state is PrescriptionState.DRAFT
    assert of(entry).number is None


def test_two_people_with_the_same_form_are_told(app):
    entry = served()
    save(entry, PCT)
    save(entry, PCT, AMOX, version=1)
    with pytest.raises(Conflict):
        save(entry, version=1)
    assert len(lines_of(entry)) == 2


def test_a_form_without_the_section_changes_no_prescription(app):
    entry = served()
    save(entry, PCT)
    with transaction():
        said = ExaminationInput(subjective="demam")
        records.save(factories.actor("umum"), entry, said, 1)
    assert len(lines_of(entry)) == 1


def test_an_incomplete_line_is_kept_in_a_draft_and_refused_at_the_end(app):
    entry = served()
    save(entry, LineInput("PCT500"))
    for line, sentence in [
        (LineInput("PCT500"), "Isi aturan pakai"),
        (LineInput("PCT500", "3x1"), "Isi lamanya"),
        (LineInput("ORALIT", "tiap BAB"), "Isi jumlah Oralit"),
    ]:
        with pytest.raises(RecordError, match=sentence):
            finish(entry, line, version=1)
    assert finish(entry, LineInput("PCT500", "3x1", quantity="10"), version=1).finished_at


def test_the_table_allows_one_prescription_an_examination_and_no_zero(app):
    entry = served()
    save(entry, PCT)
    first = of(entry)
    about = {"visit_id": first.visit_id, "examination_id": first.examination_id}
    with pytest.raises(IntegrityError), transaction():
        db.session.add(Prescription(**about, recorded_by_id=first.recorded_by_id))
    line = lines_of(entry)[0]
    with pytest.raises(IntegrityError), transaction():
        db.session.get(PrescriptionLine, line.id).quantity = Decimal(0)


# --- Warnings ---------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("allergy", "line", "is_warned"),
    [
        ("Amoxicillin", AMOX, True),
        ("amoksisilin", AMOX, True),
        ("amoxcilin", AMOX, True),  # a slip of the pen
        ("Penisilin", AMOX, True),
        ("amoksisilin", LineInput("SEFAD500", "2x1", "5"), True),  # its wider family
        ("Golongan sulfa", LineInput("KOTRI480", "2x2", "5"), True),
        ("bactrim", LineInput("KOTRI480", "2x2", "5"), True),
        ("Asam mefenamat", LineInput("IBU400", "3x1", "3"), True),
        ("NSAID", LineInput("ASMEF", "3x1", "3"), True),
        ("Penisilin", LineInput("luar", "3x1", "5", "15 kaplet", title="Amoxsan 500"), True),
        ("CTM", LineInput("racikan", "3x1", "3", parts="CTM 1/4\nGG 1/2"), True),
        ("Amoksisilin", PCT, False),
        ("Asam mefenamat", LineInput("FOLAT", "1x1", "30"), False),  # "asam" is no substance
        ("Udang", AMOX, False),
        ("obat", AMOX, False),
        ("Klorokuin", LineInput("KLORA250", "4x1", "5"), False),
        ("penicillin", AMOX, True),  # in every spelling, whatever a single "c" is read as
        ("cefixim", LineInput("SEFIK", "2x1", "5"), True),
        ("sefiksim", LineInput("SEFIK", "2x1", "5"), True),
        ("co-trimoxazole", LineInput("KOTRI480", "2x2", "5"), True),
        ("ciprofloxacin", LineInput("SIPRO500", "2x1", "5"), True),
        ("siprofloksasin", LineInput("SIPRO500", "2x1", "5"), True),
        ("vit c", LineInput("VITC50", "1x1", "10"), True),
        ("vit c", LineInput("VITK-I", "1x1", "1"), False),
        ("vitamin k", LineInput("VITC50", "1x1", "10"), False),
        ("bromokriptin mesilat", LineInput("BETAH6", "3x1", "5"), False),  # a salt's name
        ("obat cream", LineInput("HIDRO-K", "2x1", "5"), False),
        # What a name stands for, in a medicine that is not called so.
        ("INH", LineInput("OAT-FDC4", "1x3", "28"), True),
        ("sanmol", LineInput("PCT-D", "3x0,6 mL", "3"), True),
        ("candistatin", LineInput("NISTA-V", "1x1", "5"), True),
        ("INH", PCT, False),
        ("Fe", LineInput("FOLAT", "1x1", "30"), False),  # iron tablets hold folic acid too
        # Short names, families of two words, names of what is not on the list
        ("THP", LineInput("TRIHE2", "2x1", "5"), True),
        ("alergi GG", LineInput("GG100", "3x1", "5"), True),
        ("SF", LineInput("TTD", "1x1", "30"), True),
        ("Fe", LineInput("TTD", "1x1", "30"), True),
        ("GG", LineInput("luar", "3x1", "5", "15 tablet", title="GG 100"), True),
        ("beta laktam", LineInput("SEFAD500", "2x1", "5"), True),
        ("Penghambat ACE", LineInput("KAPTO25", "2x1", "5"), True),
        ("ACE inhibitor", LineInput("LISIN5", "1x1", "5"), True),
        ("anestetik amida", LineInput("LIDO", "1x1 ampul", "1"), True),
        ("anestesi lokal", LineInput("LIDO", "1x1 ampul", "1"), True),
        ("steroid", LineInput("PREDN5", "3x1", "5"), True),
        ("antalgin", LineInput("IBU400", "3x1", "3"), True),
        ("metamizol", LineInput("ASMEF", "3x1", "3"), True),
        ("mefinal", LineInput("ASMEF", "3x1", "3"), True),
        ("amox", AMOX, True),
        ("cotri", LineInput("KOTRI480", "2x2", "5"), True),
        ("cefa", LineInput("SEFAD500", "2x1", "5"), True),
        ("doxy", LineInput("DOKSI100", "2x1", "5"), True),
        ("antalgin", PCT, False),
        ("asetil sistein", LineInput("ASETO80", "1x1", "5"), False),
        ("beta blocker", LineInput("BETAM-K", "2x oles", "5"), False),
        ("obat penghambat", LineInput("KAPTO25", "2x1", "5"), False),
        # As doctors and patients call them
        ("PNC", AMOX, True),
        ("pnc", LineInput("SEFAD500", "2x1", "5"), True),
        ("PNC", LineInput("ERIT250", "4x1", "5"), False),
        ("amok", AMOX, True),
        ("Bodrex", PCT, True),
        ("PCT", LineInput("luar", "3x1", "5", "15 tablet", title="Bodrex"), True),
        ("asam mef", LineInput("ASMEF", "3x1", "3"), True),
        ("streptomycin", LineInput("GENTA-I", "2x1 ampul", "3"), True),
        ("piroxicam", LineInput("IBU400", "3x1", "3"), True),
        # When nobody knows which one it was
        ("antibiotik", AMOX, True),
        ("Antibiotika", LineInput("KLORA250", "4x1", "5"), True),
        ("semua antibiotik", LineInput("luar", "3x1", "5", "15 kaplet", title="Amoxsan"), True),
        ("antibiotik", PCT, False),
        ("antibiotik amoksisilin", AMOX, True),
        ("antibiotik amoksisilin", LineInput("ERIT250", "4x1", "5"), False),
        ("obat anti nyeri", PCT, True),
        ("painkiller", LineInput("ASMEF", "3x1", "3"), True),
        ("pereda nyeri ibuprofen", PCT, False),
        ("puyer", PCT, True),
        ("obat anti nyeri", AMOX, False),
    ],
)
def test_an_allergy_is_found_in_any_spelling_and_family(app, allergy, line, is_warned):
    visit = factories.visit(allergic(allergy))
    found = prescription_warnings.of_lines(visit, wanted_lines([line]))
    assert ("ALERGI" in rules(found)) == is_warned


@pytest.mark.parametrize(
    ("allergy", "unknown"),
    [
        ("PNC", ""),
        ("amoxicillin / cefixime", ""),
        ("obat anti nyeri", ""),
        ("antibiotik", ""),
        ("sulfa (kotrimoksazol)", ""),
        ("udang, telur ayam", ""),
        ("Debu dan bulu kucing", ""),
        ("amoksisilin, gatal", ""),
        ("obat batuk", "obat batuk"),
        ("kromafin", "kromafin"),
        ("amoksisilin, udang, xyzal", "xyzal"),
        ("", ""),
    ],
)
@pytest.mark.engines("sqlite")
def test_an_allergy_that_leads_to_no_medicine_is_told(app, allergy, unknown):
    said = medicine_allergies.not_understood(allergy)
    assert bool(said) == bool(unknown) and f'"{unknown}"' in (said or '""')


def test_a_group_is_named_that_the_allergy_names(app):
    visit = factories.visit(allergic("antibiotik"))
    (found,) = prescription_warnings.of_lines(visit, wanted_lines([AMOX]))
    assert found.message.endswith("(golongan antibiotik).")


def test_a_family_is_named_as_it_is_written(app):
    visit = factories.visit(allergic("ACE inhibitor"))
    (found,) = prescription_warnings.of_lines(
        visit, wanted_lines([LineInput("KAPTO25", "2x1", "5")])
    )
    assert found.message.endswith("(golongan penghambat ace).")


def test_an_ended_allergy_warns_no_more(app):
    person = allergic("Amoksisilin", "gatal")
    visit = factories.visit(person)
    (found,) = prescription_warnings.of_lines(visit, wanted_lines([AMOX]))
    assert "Pasien alergi Amoksisilin (gatal)" in found.message
    with transaction():
        allergies.end_allergy(factories.actor("umum"), allergies.current(person)[0], "keliru")
    assert prescription_warnings.of_lines(visit, wanted_lines([AMOX])) == []


def test_a_warning_is_answered_before_the_end_and_asked_once(app):
    entry = served(person=allergic("Penisilin"))
    save(entry, AMOX)  # a draft is never stopped
    with pytest.raises(RecordError, match="Tulis alasan") as refused:
        finish(entry, AMOX, version=1)
    assert refused.value.field == "warnings"
    (warning,) = prescription_warnings.check(of(entry))
    save(entry, AMOX, version=1, reasons={warning.key: REASON})
    (row,) = db.session.scalars(select(PrescriptionWarning))
    assert (row.rule, row.reason, row.answered_by.username) == ("ALERGI", REASON, "umum")
    assert finish(entry, AMOX, version=1).finished_at
    assert len(list(db.session.scalars(select(PrescriptionWarning)))) == 1


def test_what_is_no_longer_true_has_ended_and_is_asked_again(app):
    entry = served(person=allergic("Penisilin"))
    save(entry, AMOX)
    (warning,) = prescription_warnings.check(of(entry))
    save(entry, AMOX, version=1, reasons={warning.key: REASON})
    save(entry, PCT, version=1)
    (row,) = db.session.scalars(select(PrescriptionWarning))
    assert row.ended_at is not None
    save(entry, AMOX, version=2)
    assert rules(prescription_warnings.unanswered(of(entry))) == ["ALERGI"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([PCT, LineInput("PCT-S", "3x5 mL", "3")], ["GANDA"]),
        ([PCT, LineInput("racikan", "3x1", "3", parts="parasetamol 500 1/4\nCTM 1/4")], ["GANDA"]),
        ([LineInput("VITB6", "1x1", "9"), LineInput("VITBK", "1x1", "9")], ["GANDA"]),
        ([PCT, LineInput("luar", "3x1", "3", "9 tablet", title="Paracetamol 650")], ["GANDA"]),
        ([LineInput("KETOK200", "1x1", "5"), LineInput("KETOK-K", "2x oles", "5")], []),
        ([LineInput("IBU400", "3x1", "3"), LineInput("ASMEF", "3x1", "3")], ["GOLONGAN"]),
        ([AMOX, LineInput("SEFAD500", "2x1", "5")], []),  # their wide family is for the allergic
        ([LineInput("PCT500", "12x1", "3")], []),
        ([LineInput("PCT500", "13x1", "3")], ["DOSIS"]),
        ([LineInput("PCT500", "3x5", "3")], ["DOSIS"]),
        ([LineInput("PCT500", "3x4", "3")], []),
        ([LineInput("AMLO5", "1x1", "91")], ["LAMA"]),
        ([LineInput("AMLO5", "1x1", "90")], []),
        ([LineInput("PCT500", "3x1", "5", "301")], ["JUMLAH"]),
        ([LineInput("PCT500", "3x1", "4", "18")], []),
        ([LineInput("PCT500", "3x1", "4", "19")], ["JUMLAH"]),
        ([LineInput("PCT500", "3x1", "4", "11")], ["JUMLAH"]),
    ],
)
def test_doubles_families_and_amounts(app, lines, expected):
    found = prescription_warnings.of_lines(factories.visit(), wanted_lines(lines))
    assert rules(found) == expected
    assert [each.is_open for each in found] == [rule != "GOLONGAN" for rule in expected]


@pytest.mark.parametrize(
    ("titles", "word"),
    [
        (("pct 650", "PCT forte"), "Pct"),
        (("Cefadroxil 500", "sefadroksil 250"), "Cefadroxil"),
        (("CTM, 4 mg", "ctm"), "CTM"),
    ],
)
def test_a_double_is_named_as_it_was_written(app, titles, word):
    made = [LineInput("luar", "3x1", "3", "9 tablet", title=title, key=title) for title in titles]
    (warning,) = prescription_warnings.of_lines(factories.visit(), wanted_lines(made))
    assert warning.message.startswith(f"{word} ada di 2 baris resep ini: {titles[0]} dan ")


def test_what_is_still_enough_is_named_as_it_was_written(app):
    line, person = LineInput("luar", "3x1 tablet", "5", title="Cefadroxil 500"), factories.patient()
    finish(served(person=person), line)
    visit = factories.visit(person)
    (warning,) = prescription_warnings.of_lines(visit, wanted_lines([line]))
    assert warning.rule == "MASIH-ADA"
    assert "Cefadroxil jadi ganda" in warning.message


def test_another_rooms_prescription_of_the_visit_counts(app):
    entry = served()
    finish(entry, PCT, disposition="rujuk_internal", refer_to="GIGI")
    there = next(row for row in entry.visit.entries if row.poli.code == "GIGI")
    with transaction():
        queues.act(factories.actor("gigi"), there, "mulai")
    save(there, PCT, by="gigi")
    (warning,) = prescription_warnings.check(of(entry))
    assert warning.rule == "GANDA-KUNJUNGAN"
    assert "sudah diresepkan dalam kunjungan ini (RX-" in warning.message
    save(there, AMOX, by="gigi", version=1)
    assert prescription_warnings.check(of(entry)) == []


@pytest.mark.parametrize(("days_ago", "is_warned"), [(3, True), (4, False), (60, False)])
def test_what_the_patient_still_has_counts_by_its_days(app, days_ago, is_warned):
    person = factories.patient()
    entry = served(person=person)
    finish(entry, PCT)
    before = of(entry)
    with transaction():
        before.sent_at = utcnow() - timedelta(days=days_ago)
        for row in before.visit.entries:
            row.state, row.ended_at = EntryState.DONE, utcnow()
    visit = factories.visit(person, "GIGI")
    found = prescription_warnings.of_lines(visit, wanted_lines([PCT]))
    assert rules(found) == (["MASIH-ADA"] if is_warned else [])


def test_a_line_that_was_taken_back_counts_no_more(app):
    person = factories.patient()
    entry = served(person=person)
    finish(entry, PCT, AMOX)
    with transaction():
        prescription_changes.cancel_line(factories.actor("umum"), lines_of(entry)[0], "salah")
    with transaction():
        for row in of(entry).visit.entries:
            row.state, row.ended_at = EntryState.DONE, utcnow()
    visit = factories.visit(person, "GIGI")
    assert prescription_warnings.of_lines(visit, wanted_lines([PCT])) == []
    assert rules(prescription_warnings.of_lines(visit, wanted_lines([AMOX]))) == ["MASIH-ADA"]


def test_what_was_taken_back_is_no_medicine_of_late_in_the_record(app):
    person = factories.patient()
    entry = served(person=person)
    finish(entry, PCT, AMOX)
    first, second = lines_of(entry)
    left = second.title
    with transaction():
        prescription_changes.cancel_line(factories.actor("umum"), first, "salah")
    assert [each.text for each in patient_summary.summary(person).medicines] == [left]
    cancel(entry, "salah pasien")
    assert patient_summary.summary(person).medicines == ()


def test_what_was_cancelled_counts_no_more(app):
    person = factories.patient()
    entry = served(person=person)
    finish(entry, PCT)
    cancel(entry, "salah obat")
    visit = factories.visit(person, "GIGI")
    assert prescription_warnings.of_lines(visit, wanted_lines([PCT])) == []


# --- To the pharmacy --------------------------------------------------------------------------


@pytest.mark.parametrize("disposition", ["pulang", "kontrol", "rujuk_eksternal"])
def test_at_the_end_it_is_sent_and_the_patient_stands_in_the_pharmacy(app, disposition):
    entry = served()
    finish(entry, PCT, disposition=disposition, refer_to="RSUD")
    found = of(entry)
    on = days.clinic_date()
    assert (found.state, found.number) == (PrescriptionState.SENT, f"RX-{on:%Y%m%d}-0001")
    there = at_pharmacy(entry)
    assert (there.kind, there.state) == (EntryKind.ORDERED, EntryState.WAITING)
    assert there.visit.status is VisitStatus.OPEN
    assert db.session.get(QueueEntry, entry.id).state is EntryState.DONE
    assert pharmacy_alerts.forgotten_count(there.visit.service_day_id) == 0
    with transaction():
        queues.act(factories.actor("farmasi"), there, "mulai")
        queues.finish(factories.actor("farmasi"), there)
    db.session.rollback()
    assert entry.visit.status is VisitStatus.FINISHED  # from there patients go home
    assert at_pharmacy(entry) is None
    told = list(db.session.scalars(select(AuditEntry.action)))
    assert told.count("send_prescription") == 1


def test_without_medicines_the_patient_goes_home(app):
    entry = served()
    save(entry, PCT)
    finish(entry, version=1)
    assert at_pharmacy(entry) is None
    assert entry.visit.status is VisitStatus.FINISHED
    assert of(entry).state is PrescriptionState.CANCELLED


@pytest.mark.parametrize("is_open", [True, False])
def test_what_is_only_bought_outside_needs_no_queue(app, is_open):
    if not is_open:
        with transaction():
            factories.poli("FARMASI").is_active = False
    entry = served()
    outside = LineInput("luar", "2x1", "7", "14 kapsul", title="Gabapentin 300 mg")
    finish(entry, outside if is_open else PCT)
    assert at_pharmacy(entry) is None
    assert of(entry).state is PrescriptionState.SENT
    assert pharmacy_alerts.forgotten_count(entry.visit.service_day_id) == (0 if is_open else 1)


def test_a_second_press_sends_nothing_twice(app):
    entry = served()
    finish(entry, PCT)
    finish(entry, PCT)
    assert len(list(db.session.scalars(select(Prescription)))) == 1
    with pytest.raises(Conflict):
        finish(entry, AMOX)
    rows = [each for each in entry.visit.entries if each.poli.kind is PoliKind.PHARMACY]
    assert len(rows) == 1


def test_it_goes_along_when_the_visits_last_room_has_ended(app):
    entry = served()
    finish(entry, PCT, disposition="rujuk_internal", refer_to="GIZI")
    assert of(entry).state is PrescriptionState.SENT
    assert at_pharmacy(entry) is None
    assert on_the_way(entry) == [(of(entry).number, None, True)]
    there = next(row for row in entry.visit.entries if row.poli.code == "GIZI")
    with transaction():
        queues.act(factories.actor("umum"), there, "mulai")
        queues.act(factories.actor("umum"), there, "selesai")
    assert at_pharmacy(entry) is None  # back to the sender first
    db.session.rollback()
    back = next(row for row in entry.visit.entries if row.kind is EntryKind.RESULT_BACK)
    with transaction():
        queues.act(factories.actor("umum"), back, "mulai")
        records.finish(factories.actor("umum"), back, form(disposition="pulang"), 0)
    assert at_pharmacy(entry).kind is EntryKind.ORDERED
    assert on_the_way(entry) == [(of(entry).number, at_pharmacy(entry), False)]


def test_who_left_or_was_taken_off_the_line_is_not_lost(app):
    entry = served()
    finish(entry, PCT)
    there = at_pharmacy(entry)
    with transaction():
        queues.act(factories.actor("farmasi"), there, "pulang", "tidak menunggu")
    assert at_pharmacy(entry) is None
    assert on_the_way(entry) == [(of(entry).number, None, False)]
    assert pharmacy_alerts.forgotten_count(entry.visit.service_day_id) == 1


def test_a_finish_taken_back_takes_the_pharmacy_back_too(app):
    """A room's "selesai" without an examination sent the patient on; undo is exact."""
    entry = served()
    finish(entry, PCT, disposition="rujuk_internal", refer_to="GIZI")
    with transaction():
        # The sender's stay is ended by hand: it waits for nothing any more.
        queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), "selesai")
    there = next(row for row in entry.visit.entries if row.poli.code == "GIZI")
    with transaction():
        queues.act(factories.actor("umum"), there, "mulai")
        queues.act(factories.actor("umum"), there, "selesai")
    assert at_pharmacy(entry) is not None
    with transaction():
        queues.act(factories.actor("umum"), there, "urungkan")
    assert at_pharmacy(entry) is None
    assert db.session.get(QueueEntry, there.id).state is EntryState.IN_SERVICE


def test_a_referral_to_the_pharmacy_by_hand_is_one_entry(app):
    entry = served()
    finish(entry, PCT, disposition="rujuk_internal", refer_to="FARMASI")
    assert at_pharmacy(entry) is not None
    assert len(entry.visit.entries) == 2


# --- Afterwards -------------------------------------------------------------------------------


def test_a_cancelled_prescription_takes_the_patient_off_the_line(app):
    entry = served()
    finish(entry, PCT)
    with pytest.raises(RecordError, match="Tulis alasan"):
        cancel(entry, "  ")
    cancel(entry, "salah pasien")
    found = of(entry)
    assert (found.state, found.close_reason) == (PrescriptionState.CANCELLED, "salah pasien")
    assert at_pharmacy(entry) is None
    assert entry.visit.status is VisitStatus.FINISHED
    with pytest.raises(RecordError, match="sudah dibatalkan"):
        cancel(entry, "sekali lagi")


def test_two_who_cancel_at_once_give_one_result_and_a_sentence(app):
    entry = served()
    finish(entry, PCT)
    ref, gate = of(entry).public_id, threading.Barrier(2)
    actors = [factories.actor("umum"), factories.actor("kepala")]
    db.session.rollback()

    def press(number: int) -> str:
        with app.app_context():
            gate.wait(30)
            try:
                with transaction():
                    found = prescriptions.by_ref(ref)
                    prescription_changes.cancel(actors[number], found, f"alasan {number}")
            except RecordError as refused:
                return str(refused)
            finally:
                db.session.remove()
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(press, range(2)))
    assert told == ["", "Resep ini sudah dibatalkan."]
    entries = [each for each in of(entry).visit.entries if each.poli.kind is PoliKind.PHARMACY]
    assert [each.state for each in entries] == [EntryState.CANCELLED]


def test_what_was_given_is_not_cancelled(app):
    entry = served()
    finish(entry, PCT, AMOX)
    given, by = of(entry), factories.user("farmasi").id
    with transaction():
        given.state, given.closed_at = PrescriptionState.DISPENSED, utcnow()
        given.closed_by_id = by
    with pytest.raises(RecordError, match="sudah menyerahkan"):
        cancel(entry, "salah")
    line = of(entry).lines[0]
    with pytest.raises(RecordError, match="sudah menyerahkan"), transaction():
        prescription_changes.cancel_line(factories.actor("umum"), line, "salah")


def test_one_line_is_taken_back_and_the_last_takes_all(app):
    entry = served()
    finish(entry, PCT, AMOX)
    first, second = lines_of(entry)
    before = of(entry).version
    with transaction():
        prescription_changes.cancel_line(factories.actor("umum"), first, "tidak perlu")
    assert of(entry).version == before + 1  # the pharmacy is told
    assert [row.id for row in lines_of(entry)] == [second.id]
    assert db.session.get(PrescriptionLine, first.id).end_reason == "tidak perlu"
    with transaction():
        line = prescription_changes.line_by_ref(second.public_id)
        prescription_changes.cancel_line(factories.actor("umum"), line, "salah")
    assert of(entry).state is PrescriptionState.CANCELLED


def test_another_one_is_written_after_the_first_was_cancelled(app):
    entry = served()
    examination = finish(entry, PCT)
    said = PrescriptionInput([AMOX])
    with pytest.raises(RecordError, match="sudah punya resep"), transaction():
        prescription_changes.write_anew(factories.actor("umum"), examination, said)
    cancel(entry, "ganti obat")
    with pytest.raises(RecordError, match="Pilih dahulu"), transaction():
        prescription_changes.write_anew(factories.actor("umum"), examination, PrescriptionInput([]))
    with transaction():
        prescription_changes.write_anew(factories.actor("umum"), examination, said)
    assert of(entry).number.endswith("-0002")
    assert at_pharmacy(entry).state is EntryState.WAITING


def test_no_prescription_is_written_for_a_day_that_is_over(app):
    entry = served()
    examination = finish(entry)
    with transaction():
        day = days.latest_day()
        day.closed_at = utcnow()
    with pytest.raises(RecordError, match="sudah lewat"), transaction():
        prescription_changes.write_anew(
            factories.actor("umum"), examination, PrescriptionInput([PCT])
        )


def test_no_prescription_is_written_for_an_earlier_day_while_another_goes_on(app):
    entry = served()
    examination = finish(entry)
    with transaction():
        day = days.latest_day()
        day.on, day.closed_at = day.on - timedelta(days=1), utcnow()
    factories.visit()
    assert days.current_day().id != examination.visit.service_day_id
    with pytest.raises(RecordError, match="sudah lewat"), transaction():
        prescription_changes.write_anew(
            factories.actor("umum"), examination, PrescriptionInput([PCT])
        )


def test_checking_asks_as_much_for_one_line_as_for_ten(app):
    person = allergic("Penisilin")
    entry = served(person=person)
    finish(entry, PCT)
    visit = factories.visit(person, "GIGI")
    lines = wanted_lines([LineInput(f"{each}", "1x1 tablet", "5") for each in TABLETS])
    with count_queries() as one:
        prescription_warnings.of_lines(visit, lines[:1])
    with count_queries() as ten:
        prescription_warnings.of_lines(visit, lines)
    assert len(ten) <= len(one)
