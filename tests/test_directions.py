"""Directions and compounds: what is typed, what the label says, how much is counted."""

import pytest
from sqlalchemy import text

from clinic import dispensing_labels, prescription_warnings
from clinic.dispensing import Given
from clinic.prescription_compounds import LineError, amount_of, component_units, text_of
from clinic.prescription_lines import LineInput, line_input, wanted_lines
from clinic.record_errors import RecordError
from db import db, transaction
from tests import factories, pharmacy
from tests.test_dispensing import called, hand_over, review
from tests.test_prescriptions import finish, lines_of, of, save, served

TABLET, SYRUP = "PCT500", "PCT-S"
# What words mean no database changes.
ON_ONE_ENGINE = pytest.mark.engines("sqlite")


def wanted(*boxes, **more):
    (found,) = wanted_lines([LineInput(*boxes, **more)])
    return found


def opened_again(line):
    """What the form would say of this line once it is stored."""
    made = pharmacy.line(pharmacy.medicine())
    for name in ("times_a_day", "dose", "dose_unit", "days", "quantity", "unit", "instruction"):
        setattr(made, name, getattr(line, name))
    made.medicine, made.title, made.public_id = line.medicine, line.title, "0" * 36
    return line_input(made)


# --- Directions -------------------------------------------------------------------------------

UNDERSTOOD = [
    # typed for 28 days of a tablet, the label's sentence, tablets
    ("3x1", "3 x sehari 1 tablet", 84),
    ("3 dd I pc", "3 x sehari 1 tablet, sesudah makan", 84),
    ("3xsehari 1 tab", "3 x sehari 1 tablet", 84),
    ("3 x 1 tablet sehari", "3 x sehari 1 tablet", 84),
    ("3x1/hari", "3 x sehari 1 tablet", 84),
    ("3x1 per hari", "3 x sehari 1 tablet", 84),
    ("3x1 setiap hari", "3 x sehari 1 tablet", 84),
    ("sehari 3x1", "3 x sehari 1 tablet", 84),
    ("1 tablet sekali sehari", "1 x sehari 1 tablet", 28),
    ("tiap 8 jam 1 tablet", "3 x sehari 1 tablet", 84),
    ("3x1 tiap 8 jam", "3 x sehari 1 tablet, tiap 8 jam", 84),
    ("1-0-1", "2 x sehari 1 tablet, pagi dan malam", 56),
    ("1x1 tiap malam", "1 x sehari 1 tablet, tiap malam", 28),
    ("3x1 bila panas", "3 x sehari 1 tablet, bila panas", 84),
    ("2x1⅓", "2 x sehari 1 1/3 tablet", 75),
    ("2x1 pagi dan malam", "2 x sehari 1 tablet, pagi dan malam", 56),
    ("3x1 pagi, siang, malam", "3 x sehari 1 tablet, pagi, siang, malam", 84),
    # as doctors write it: with an S, the unit before its number
    ("S 3 dd 1", "3 x sehari 1 tablet", 84),
    ("S.3dd1 pc", "3 x sehari 1 tablet, sesudah makan", 84),
    ("3 dd tab I", "3 x sehari 1 tablet", 84),
    ("S 3 dd tab. I-II", "3 x sehari 1-2 tablet", 168),
    ("3 dd tab 1 1/2", "3 x sehari 1 1/2 tablet", 126),
    ("3x sehari tab 1", "3 x sehari 1 tablet", 84),
    ("tiap 8 jam tab I", "3 x sehari 1 tablet", 84),
    ("seminggu sekali tab 2", "1 x seminggu 2 tablet", 8),
    ("3 dd mg 500", "3 x sehari 1 tablet", 84),
    ("1 dd tab I mane", "1 x sehari 1 tablet, pagi", 28),
    ("2 dd 1 mane et vespere", "2 x sehari 1 tablet, pagi dan sore", 56),
    ("3x1 stlh makan", "3 x sehari 1 tablet, setelah makan", 84),
    ("3x1 ssdh mkn", "3 x sehari 1 tablet, sesudah makan", 84),
    ("3x1 sblm makan", "3 x sehari 1 tablet, sebelum makan", 84),
    ("bila demam 3x1", "3 x sehari 1 tablet, bila demam", 84),
    ("prn 3x1 pc", "3 x sehari 1 tablet, bila perlu, sesudah makan", 84),
    ("malam 1x1", "1 x sehari 1 tablet, malam", 28),
    # every week
    ("3x seminggu 2", "3 x seminggu 2 tablet", 24),
    ("3x seminggu 2 tab", "3 x seminggu 2 tablet", 24),
    ("3xseminggu 2 pc", "3 x seminggu 2 tablet, sesudah makan", 24),
    ("seminggu 3x2", "3 x seminggu 2 tablet", 24),
    ("3x2 per minggu", "3 x seminggu 2 tablet", 24),
    ("3x2/mgg", "3 x seminggu 2 tablet", 24),
    ("2x seminggu 1 tab", "2 x seminggu 1 tablet", 8),
    ("1x1/minggu", "1 x seminggu 1 tablet", 4),
    ("1x1 seminggu sekali", "1 x seminggu 1 tablet", 4),
    ("seminggu sekali 2 tab", "1 x seminggu 2 tablet", 8),
    ("2 tab seminggu sekali", "1 x seminggu 2 tablet", 8),
    ("tiap minggu 1 tablet", "1 x seminggu 1 tablet", 4),
    # every so many days
    ("1x1 tiap 2 hari", "tiap 2 hari 1 tablet", 14),
    ("1x1 tiap 3 hari", "tiap 3 hari 1 tablet", 10),
    ("1x1 selang sehari", "tiap 2 hari 1 tablet", 14),
    ("2 hari sekali 1 tab", "tiap 2 hari 1 tablet", 14),
    # a range counts with its larger end
    ("3x1-2 tab", "3 x sehari 1-2 tablet", 168),
    ("3x1-2", "3 x sehari 1-2 tablet", 168),
    ("3x1 – 2 prn", "3 x sehari 1-2 tablet, bila perlu", 168),
    ("3x1 atau 2", "3 x sehari 1-2 tablet", 168),
    ("2x1/2-1", "2 x sehari 1/2-1 tablet", 56),
    ("3x500-1000 mg", "3 x sehari 1-2 tablet", 168),
    ("2x seminggu 1-2 tab", "2 x seminggu 1-2 tablet", 16),
]
AS_WRITTEN = [
    *("3x2 seminggu", "1x1 seminggu", "3x 1 minggu", "3x1 2 minggu", "3x1 minggu", "1x1 mgg"),
    *("2x1 tiap 2 hari", "3x1 tiap minggu", "1x1 selang 2 hari", "1x1/2 hari", "1x/2 hari"),
    *("2x1 3 hari lalu 1x1 3 hari", "2x1 3 hari, lalu 1x1 3 hari", "3x1 kemudian 2x1"),
    *(
        "3x1 bila demam lalu malam",
        "1x sebulan 1",
        "1x1 tiap bulan",
        "1x1 senin kamis",
        "1x1 eod",
        "3x1 hari ganjil",
    ),
    *("3x2-1", "3-4x1", "3x1 + 1", "3x1 maks 4 tablet", "1-1-1-1", "0-0-0", "3x1 tiap 6 jam"),
    # a strength, mL or another time rather than the dose
    *("3 dd tab 500", "3 dd tab 500 mg", "3 dd tab V", "3x sendok 5", "3x sendok 5 ml", "3 dd tab"),
    *("S 3 dd tab I S 2 dd tab I", "3x tab 1 lalu 2x tab 1", "3xx", "3 dd tab 1 maks 4"),
    # words before the numbers that may change them
    *("sampai 3x1", "bila demam maks 3x1", "minggu pertama 3x1", "tiap 3x1", "tablet 3x1"),
    *("hari pertama 3x1", "bila nyeri 3x1 bila demam 2x1"),
    *("1x1 pagi dan malam", "1x1 pagi, malam", "3x1 pagi hari dan malam hari", "1-0-0 pagi, sore"),
    *("3x1 3", "3x1, 5", "3x5 hari", "3x1 sehari seminggu", "3x0", "99x1", "<w7> 3x1"),
]


@ON_ONE_ENGINE
@pytest.mark.parametrize(("typed", "sentence", "quantity"), UNDERSTOOD)
def test_what_is_understood_is_told_and_counted(app, typed, sentence, quantity):
    for line in (wanted(TABLET, typed, "28"), wanted(TABLET, f"{typed} selama 28 hari")):
        assert (line.instruction, line.quantity) == (sentence, quantity)


@ON_ONE_ENGINE
@pytest.mark.parametrize("typed", AS_WRITTEN)
def test_what_is_not_understood_stays_as_it_was_written(app, typed):
    line = wanted(TABLET, typed, "28")
    assert (line.instruction, line.quantity) == (typed, None)
    assert (line.times_a_day, line.dose) == (None, None)


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("code", "typed", "sentence"),
    [
        (SYRUP, "3 dd cth 1", "3 x sehari 5 mL"),
        (SYRUP, "S 3 dd cth II", "3 x sehari 10 mL"),
        (SYRUP, "3 dd mL 5", "3 x sehari 5 mL"),
        ("GENTA-M", "3 dd gtt 2", "3 x sehari 2 tetes"),
        ("GENTA-M", "4 dd gtt X", "4 x sehari 10 tetes"),
        ("HIDRO-K", "2 dd ue", "2 x sehari, untuk pemakaian luar"),
        ("HIDRO-K", "oles 2x sehari", "2 x sehari, oles"),
        ("HIDRO-K", "s.u.e", "untuk pemakaian luar"),
        ("HIDRO-K", "S. u.e.", "untuk pemakaian luar"),
    ],
)
def test_what_is_no_tablet_is_understood_as_doctors_write_it(app, code, typed, sentence):
    assert wanted(code, typed, "5").instruction == sentence


def test_pulveres_are_packets(app):
    for typed in ("3 dd pulv I", "3x1 pulv", "S 3 dd pulveres I"):
        line = wanted("racikan", typed, "5", title="puyer", parts="CTM 1/4")
        assert (line.instruction, line.quantity) == ("3 x sehari 1 bungkus", 15)


@pytest.mark.parametrize(
    ("code", "typed", "sentence"),
    [
        (TABLET, "1-0-2", "pagi 1, malam 2"),
        (TABLET, "1/2-0-1 tab pc", "pagi 1/2 tablet, malam 1 tablet, sesudah makan"),
        (TABLET, "1-2-1", "pagi 1, siang 2, malam 1"),
        (SYRUP, "1-0-2 cth", "pagi 5 mL, malam 10 mL"),
    ],
)
def test_unequal_doses_of_a_day_are_told_in_words_and_not_counted(app, code, typed, sentence):
    line = wanted(code, typed, "28")
    assert (line.instruction, line.times_a_day, line.dose) == (sentence, None, None)
    assert (line.quantity, line.days) == (None, 28)
    again = opened_again(line)
    assert again.sig == sentence
    assert wanted_lines([again])[0].identity == line.identity


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("typed", "quantity"),
    [("XV", 15), ("no XV", 15), ("No. xii tab", 12), ("I", 1), ("XXX", 30), ("no. 15", 15),
     ("IX", 9), ("XXIV", 24)],
)  # fmt: skip
def test_a_quantity_may_be_roman_as_on_a_prescription(app, typed, quantity):
    assert wanted(TABLET, "3x1", "", typed).quantity == quantity
    outside = wanted("luar", "3x1", "", typed, title="Gabapentin 300 mg")
    assert outside.quantity == quantity


@pytest.mark.parametrize("typed", ["IIX", "tablet", "no", "XL", "0"])
def test_what_is_no_quantity_is_asked_about(app, typed):
    with pytest.raises(LineError, match="tulis jumlah dengan angka"):
        wanted(TABLET, "3x1", "", typed)


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("sig", "note", "sentence", "quantity"),
    [
        ("1x1", "seminggu sekali", "1 x seminggu 1 tablet", 4),
        ("1x1", "tiap 2 hari", "tiap 2 hari 1 tablet", 14),
        ("1x1", "senin dan kamis", "1x1 senin dan kamis", None),
        ("2x1 3 hari", "lalu 1x1 3 hari", "2x1 3 hari lalu 1x1 3 hari", None),
        ("3x1", "tiap 12 jam", "3x1 tiap 12 jam", None),
        ("1x1", "pagi dan malam", "1x1, pagi dan malam", None),
        ("1x1", "pagi atau malam", "1 x sehari 1 tablet, pagi atau malam", 28),
        ("2x1", "pagi dan malam", "2 x sehari 1 tablet, pagi dan malam", 56),
        ("3x1", "1 jam sebelum makan", "3 x sehari 1 tablet, 1 jam sebelum makan", 84),
        ("3x1", "kontrol 1 minggu lagi", "3 x sehari 1 tablet, kontrol 1 minggu lagi", 84),
    ],
)
def test_an_interval_in_the_box_beside_it_counts(app, sig, note, sentence, quantity):
    line = wanted(TABLET, sig, "28", note=note)
    assert (line.instruction, line.quantity) == (sentence, quantity)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2x1 (3 hari)", "2 x sehari 1 tablet"),
        ("2x1 (3 hari, sesudah makan)", "2 x sehari 1 tablet, (sesudah makan)"),
        ("2x1 sesudah makan, 3 hari, habiskan", "2 x sehari 1 tablet, sesudah makan, habiskan"),
    ],
)
def test_days_among_the_directions_leave_no_gap_in_the_sentence(app, typed, sentence):
    line = wanted(TABLET, typed)
    assert (line.instruction, line.days, line.quantity) == (sentence, 3, 6)


def test_days_said_twice_and_differently_are_asked_about(app):
    assert wanted(TABLET, "3x1 5 hari", "5").quantity == 15
    with pytest.raises(LineError, match="aturan pakai 5 hari, kotak hari 3"):
        wanted(TABLET, "3x1 5 hari", "3")


def test_whole_doses_are_counted_for_a_part_of_a_week(app):
    assert wanted(TABLET, "3x seminggu 2", "30").quantity == 26
    assert wanted(TABLET, "seminggu sekali 2 tab", "10").quantity == 4


def test_ranges_and_intervals_of_what_is_measured(app):
    assert wanted(SYRUP, "3x1-2 sendok", "4").instruction == "3 x sehari 5-10 mL"
    assert wanted(SYRUP, "3x1-2 sendok", "4").quantity == 2
    assert wanted(SYRUP, "3x60-120 mg", "4").instruction == "3 x sehari 2,5-5 mL"
    assert wanted("KETOK-K", "2x seminggu", "28").instruction == "2 x seminggu"
    for typed in ("3x1-2", "1-0-2", "3x1 lalu 2x1"):
        with pytest.raises(RecordError, match="Tulis satuan dosis"):
            wanted(SYRUP, typed, "4")
    assert wanted(SYRUP, "tiap muntah 5 mL").instruction == "tiap muntah 5 mL"


@pytest.mark.engines("sqlite")
@ON_ONE_ENGINE
@pytest.mark.parametrize(
    "typed", [*(row[0] for row in UNDERSTOOD), *AS_WRITTEN, "tiap BAB 1", "sesudah makan"]
)
def test_directions_opened_and_saved_again_are_the_same(app, typed):
    line = wanted(TABLET, typed, "28", "30")
    assert wanted_lines([opened_again(line)])[0].identity == line.identity


@pytest.mark.parametrize("unit", ["strip", "pil"])
def test_a_range_in_any_unit_is_opened_again(app, unit):
    about = {"what": pharmacy.medicine(unit=unit, dose_unit=unit).code}
    entry = served()
    save(entry, LineInput(**about, sig="3x1-2", days="5"))
    (before,) = lines_of(entry)
    assert (before.instruction, before.quantity) == (f"3 x sehari 1-2 {unit}", 30)
    again = line_input(before)
    assert (again.quantity, again.note) == ("", "")
    assert save(entry, again, version=1).version == 1


def test_a_quantity_is_asked_for_what_cannot_be_counted_and_the_label_says_it_as_written(app):
    entry = served()
    with pytest.raises(RecordError, match="Isi jumlah Parasetamol .*“3x2 seminggu”"):
        finish(entry, LineInput(TABLET, "3x2 seminggu", "28"))
    finish(
        entry,
        LineInput(TABLET, "3x2 seminggu", "28", "24"),
        LineInput("CTM4", "3x seminggu 2", "28"),
        LineInput("AMLO5", "1x1", "30"),
    )
    assert [(each.instruction, each.amount) for each in dispensing_labels.labels(of(entry))] == [
        ("Aturan: 3x2 seminggu", 24),
        ("3 x seminggu 2 tablet", 24),
        ("1 x sehari 1 tablet", 30),
    ]


# --- Units ------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["ml", "ML", "cc", "mL"])
def test_a_syrup_asks_for_its_unit_however_the_list_spells_it(app, typed):
    code = pharmacy.medicine(
        form="sirup 60 mL", unit="Botol", dose_unit="mL", doses_per_unit=60
    ).code
    with transaction():  # as it was stored before units had one spelling
        where = {"unit": typed, "code": code}
        db.session.execute(text("UPDATE medicine SET dose_unit = :unit WHERE code = :code"), where)
    with pytest.raises(RecordError, match="3x5 mL, atau 3x1 sendok"):
        wanted(code, "3x1", "5")
    line = wanted(code, "3x5 mL", "5")
    assert (line.instruction, line.quantity, line.dose_unit) == ("3 x sehari 5 mL", 2, "mL")
    assert wanted(code, "3x1 sendok", "5").instruction == "3 x sehari 5 mL"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("ml", "mL"), ("Tablet", "tablet"), ("caps", "kapsul"), ("oles", "oles"), ("pil", "pil")],
)
def test_a_unit_is_stored_in_one_spelling(app, typed, stored):
    code = pharmacy.medicine(dose_unit=typed).code
    db.session.rollback()
    raw = text("SELECT dose_unit FROM medicine WHERE code = :code")
    assert db.session.scalar(raw, {"code": code}) == stored


# --- Doses that can be measured ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "typed", "sentence"),
    [
        ("PCT-S", "3x100 mg", "3 x sehari 4,2 mL"),
        ("PCT-S", "3x120 mg", "3 x sehari 5 mL"),
        ("PCT-S", "3x100-150 mg", "3 x sehari 4,2-6,2 mL"),
        ("PCT500", "3x125 mg", "3 x sehari 1/4 tablet"),
        ("PCT500", "3x750 mg", "3 x sehari 1 1/2 tablet"),
        ("PCT500", "3x333 mg", "3 x sehari 2/3 tablet"),
        ("PCT500", "3x0,24", "3 x sehari 0,24 tablet"),  # who writes tablets means them
        ("AMOX250", "3x500 mg", "3 x sehari 2 kapsul"),
    ],
)
def test_a_dose_in_mg_is_told_as_it_can_be_measured(app, code, typed, sentence):
    assert wanted(code, typed, "5").instruction == sentence


@pytest.mark.parametrize(
    ("code", "typed", "much"),
    [("PCT500", "3x120 mg", "0,24 tablet"), ("AMOX250", "3x125 mg", "0,5 kapsul"),
     ("PCT-D", "3x2 mg", "0,02 mL"), ("PCT500", "3x120-500 mg", "0,24 tablet")],
)  # fmt: skip
def test_a_dose_that_nobody_can_measure_is_asked_for_in_units(app, code, typed, much):
    with pytest.raises(RecordError, match=f"dosis ini {much}, tidak dapat ditakar. Tulis dalam"):
        wanted(code, typed, "5")


@pytest.mark.parametrize(
    ("typed", "days", "quantity"),
    [("1x2/3", "30", 20), ("3x1/3", "10", 10), ("2x1 2/3", "3", 10), ("1x1/4", "30", 8)],
)
def test_thirds_are_counted_as_thirds(app, typed, days, quantity):
    assert wanted(TABLET, typed, days).quantity == quantity


# --- Quantities -------------------------------------------------------------------------------


def warned(*boxes, **more) -> list[tuple[str, str]]:
    lines = wanted_lines([LineInput(*boxes, **more)])
    found = prescription_warnings.of_lines(factories.visit(), lines)
    return [(each.rule, each.message) for each in found]


@pytest.mark.parametrize(
    "line",
    [
        (TABLET, "3x1", "5", "150"),
        (TABLET, "3x1", "5", "23"),
        ("CTM4", "3x1", "5", "5"),
        ("CTM4", "3x seminggu 2", "28", "84"),
        ("PREDN5", "3x1-2", "5", "14"),
        ("luar", "2x1 kapsul", "7", "7 kapsul", "", "Gabapentin 300 mg"),
        ("racikan", "3x1", "5", "50", "", "puyer", "CTM 1/4"),
    ],
)
def test_a_quantity_against_the_directions_asks_for_a_reason(app, line):
    ((rule, message),) = warned(*line)
    assert rule == "JUMLAH"
    assert "menurut aturannya" in message


@pytest.mark.parametrize(
    "line",
    [
        (TABLET, "3x1", "5", "15"),
        (TABLET, "3x1", "5", "22"),
        (TABLET, "3x1", "5", "150", "bila demam"),  # taken as needed
        (TABLET, "3x1", "", "10"),
        (TABLET, "3x2 seminggu", "28", "24"),
        ("CTM4", "3x seminggu 2", "28", "24"),
        ("PCT-S", "3x5 mL", "5", "1"),  # a bottle
        ("luar", "2x1 tetes", "10", "1 botol", "", "Cendo Xitrol"),
    ],
)
def test_a_quantity_that_fits_asks_for_nothing(app, line):
    assert warned(*line) == []


def test_the_reason_for_a_quantity_is_asked_before_the_end(app):
    entry = served()
    line = LineInput(TABLET, "3x1", "5", "150")
    with pytest.raises(RecordError, match="Tulis alasan"):
        finish(entry, line)
    save(entry, line)
    (warning,) = prescription_warnings.check(of(entry))
    assert "jumlahnya 150 tablet, menurut aturannya 15 (3 x sehari 1 tablet, 5 hari)" in (
        warning.message
    )
    assert finish(entry, line, version=1, reasons={warning.key: "untuk sebulan"}).finished_at


@pytest.mark.parametrize(
    ("sig", "days", "quantity", "computed"),
    [("2x1", "10", "", None), ("2x1 tetes", "10", "", None), ("2x1 kapsul", "7", "", 14),
     ("2x1", "10", "1 botol", 1)],
)  # fmt: skip
def test_of_a_medicine_from_outside_only_what_is_counted_is_computed(
    app, sig, days, quantity, computed
):
    line = wanted("luar", sig, days, quantity, title="Cendo Xitrol tetes mata")
    assert line.quantity == computed
    if computed is None:
        for boxes in ((sig, days), (sig, "")):
            with pytest.raises(RecordError, match="Isi jumlah Cendo Xitrol"):
                finish(served(), LineInput("luar", *boxes, title="Cendo Xitrol tetes mata"))


# --- Compounds --------------------------------------------------------------------------------


def parts_of(parts: str, form: str = "puyer"):
    line = wanted("racikan", "3x1", "5", "10", title=form, parts=parts)
    return [f"{each.title}: {amount_of(each)}" for each in line.components]


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("GG 1 1/2", "Gliseril guaiakolat 100 mg tablet: 1 1/2 tablet"),
        ("GG 1 ½", "Gliseril guaiakolat 100 mg tablet: 1 1/2 tablet"),
        ("setirizin 1 1/2 tab", "Setirizin 10 mg tablet: 1 1/2 tablet"),
        ("teofilin 1 1/2", "Teofilin 150 mg tablet: 1 1/2 tablet"),
        ("domperidon 1 1/2 tab", "Domperidon 10 mg tablet: 1 1/2 tablet"),
        ("ambroksol 1 1/2", "Ambroksol 30 mg tablet: 1 1/2 tablet"),
        ("CTM 1 1/2", "Klorfeniramin maleat 4 mg tablet: 1 1/2 tablet"),
        ("CTM 4 1/2", "Klorfeniramin maleat 4 mg tablet: 1/2 tablet"),
        ("CTM 4 1 1/2", "Klorfeniramin maleat 4 mg tablet: 1 1/2 tablet"),
        ("CTM 1/3", "Klorfeniramin maleat 4 mg tablet: 1/3 tablet"),
        ("CTM ⅔", "Klorfeniramin maleat 4 mg tablet: 2/3 tablet"),
        ("asam folat = 1 1/2", "Asam folat 1 mg tablet: 1 1/2 tablet"),
        ("asam folat 1 mg = 1/2", "Asam folat 1 mg tablet: 1/2 tablet"),
        ("parasetamol 120 mg", "Parasetamol 500 mg tablet: 120 mg"),
        ("parasetamol 500 120 mg", "Parasetamol 500 mg tablet: 120 mg"),
        ("parasetamol 500 1/4", "Parasetamol 500 mg tablet: 1/4 tablet"),
        ("CTM 2", "Klorfeniramin maleat 4 mg tablet: 2 tablet"),
        ("CTM 4 tablet", "Klorfeniramin maleat 4 mg tablet: 4 tablet"),
        ("gula 1 1/2", "gula: 1 1/2 bagian"),
        ("Saccharum lactis qs", "Saccharum lactis: qs"),
        ("sacch. lactis q.s.", "sacch. lactis: qs"),
        ("bahan parasetamol 500 mg", "bahan parasetamol: 500 mg"),
    ],
)
def test_a_component_is_the_medicine_and_the_amount_that_were_written(app, typed, held):
    assert parts_of(typed) == [held]
    line = wanted("racikan", "3x1", "5", "10", title="puyer", parts=typed)
    again = "\n".join(text_of(each) for each in line.components)
    assert parts_of(again) == [held]


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("parasetamol 120", 'satuan "parasetamol 120": mg atau tablet'),
        ("CTM 4", "mg atau tablet"),
        ("ambroksol 10", "mg atau tablet"),
        ("CTM 2 1/2", "mg atau tablet"),
        ("gula 5", "mg, g, atau bagian"),
        ("amoksisilin 1 1/2", "dapat berarti Amoksisilin 500 mg tablet atau Amoksisilin 250"),
        ("asam folat 1 1/2", '"asam folat = 1 1/2" atau "asam folat 1 mg = 1/2"'),
        ("parasetamol 50 = 1", '"parasetamol 50" tidak di daftar, yang ada Parasetamol 500 mg'),
        ("CTM qs", "Tulis jumlah Klorfeniramin"),
        ("hidrokortison krim 5 g", "hanya untuk racikan salep"),
    ],
)
def test_a_component_that_may_mean_two_things_is_asked_about(app, typed, sentence):
    with pytest.raises(RecordError, match=sentence):
        parts_of(typed)


@ON_ONE_ENGINE
@pytest.mark.parametrize(
    ("typed", "held", "units"),
    [
        ("hidrokortison krim 5 g", "Hidrokortison 2,5% krim 5 g: 5 g", 2),
        ("gentamisin salep 2,5 g", "Gentamisin 0,1% salep 5 g: 2,5 g", 1),
        ("mikonazol 1 tube", "Mikonazol 2% krim 10 g: 1 tube", 2),
        ("kalamin 15 mL", "Kalamin 5% losion 60 mL: 15 mL", 1),
        ("prednison 2 tablet", "Prednison 5 mg tablet: 2 tablet", 4),
        ("bahan asam salisilat 3 g", "bahan asam salisilat: 3 g", None),
        ("bahan sulfur 3 g", "bahan sulfur: 3 g", None),
        ("vaselin ad 20 g", "vaselin ad: 20 g", None),
        ("vaselin qs", "vaselin: qs", None),
    ],
)
def test_an_ointment_of_creams_and_raw_materials(app, typed, held, units):
    line = wanted("racikan", "2x oleskan tipis", "5", "2", title="salep", parts=typed)
    (part,) = line.components
    assert f"{part.title}: {amount_of(part)}" == held
    assert (line.instruction, line.dose) == ("2 x sehari, oleskan tipis", None)
    assert parts_of(text_of(part), "salep") == [held]
    if units is not None:
        assert component_units(part.amount, part.unit, part.medicine, line.quantity) == units


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("sulfur 3 g", 'yang ada Salep 2-4 .*atau "bahan sulfur" bila bahan baku'),
        ("asam salisilat 3 g", 'atau "bahan asam salisilat" bila bahan baku'),
        ("hidrokortison krim 5", "g?"),
        ("hidrokortison krim 2 oles", "dalam g atau tube"),
    ],
)
def test_what_an_ointment_cannot_hold_so_is_told_with_the_way_on(app, typed, sentence):
    with pytest.raises(RecordError, match=sentence):
        parts_of(typed, "salep")


def test_directions_of_a_compound_are_counted_in_its_packets(app):
    with pytest.raises(RecordError, match="Racikan puyer dihitung dalam bungkus, bukan mL"):
        wanted("racikan", "3x1 sendok", "5", title="puyer", parts="CTM 1/4")
    salve = wanted("racikan", "2x1", "5", title="salep", parts="vaselin 10 g")
    assert (salve.instruction, salve.quantity) == ("2 x sehari", None)  # no ten pots


def test_too_much_at_once_is_asked_about_inside_a_compound_too(app):
    def found(sig: str, parts: str) -> list[tuple[str, str]]:
        return warned("racikan", sig, "5", title="puyer", parts=parts)

    ((rule, message),) = found("3x1", "parasetamol 2500 mg\nCTM 1/4")
    assert rule == "DOSIS"
    assert "Parasetamol 500 mg tablet 5 tablet sekali pakai itu banyak" in message
    assert [each[0] for each in found("3x2", "CTM 3 tablet")] == ["DOSIS"]
    assert found("3x1", "parasetamol 120 mg\nCTM 4 tablet\nbahan a 1 g\nbahan b 1 g") == []


def test_raw_materials_are_no_double_by_the_word_before_them(app):
    lines = [
        LineInput("racikan", "2x", "7", "1", title="salep", parts=f"bahan {name} 3 g", key=name)
        for name in ("sulfur", "mentol")
    ]
    assert prescription_warnings.of_lines(factories.visit(), wanted_lines(lines)) == []


def test_an_ointment_is_labelled_for_outside_whatever_it_is_made_of(app):
    entry = served()
    parts = "bahan sulfur 3 g\nprednison 2 tablet\nvaselin ad 20 g"
    finish(
        entry,
        LineInput("racikan", "2x oleskan tipis", "7", "1", title="salep", parts=parts),
        LineInput("racikan", "3x1", "5", title="puyer", parts="CTM 1/3"),
    )
    assert [(each.title, each.is_external) for each in dispensing_labels.labels(of(entry))] == [
        ("Racikan salep", True),
        ("Racikan puyer", False),
    ]


@pytest.mark.engines("sqlite")
def test_the_pharmacy_reads_thirds_and_pots(sign_in):
    entry = served()
    finish(
        entry,
        LineInput("racikan", "3x1", "5", title="puyer", parts="CTM 1/3\nsaccharum lactis qs"),
        LineInput("racikan", "2x", "7", "1", title="salep", parts="hidrokortison krim 5 g"),
    )
    client = sign_in("farmasi")
    page = client.get(f"/kunjungan/{entry.visit.public_id}/farmasi").get_data(as_text=True)
    assert 'Klorfeniramin maleat 4 mg tablet 1/3 tablet <span class="muted">per bungkus' in page
    assert 'Hidrokortison 2,5% krim 5 g 5 g <span class="muted">per pot' in page
    assert "saccharum lactis qs" in page
    none = Given("0", "Stok kosong")
    review(of(entry))
    called(of(entry))
    hand_over(of(entry), l0=none, l1=none)
    copy = client.get(f"/farmasi/resep/{of(entry).public_id}/salinan").get_data(as_text=True)
    assert "Klorfeniramin maleat 4 mg tablet 1/3 tablet" in copy
