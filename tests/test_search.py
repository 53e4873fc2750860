"""Finding patients by what is typed, and likely matches of a form, on both engines."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from clinic import patients, search, typed_search
from clinic.audit import SYSTEM
from clinic.matching import Person
from clinic.patients import Identity
from db import db, transaction, utcnow
from models import (
    AliasKind,
    DatePrecision,
    NoNikReason,
    Patient,
    PatientAlias,
    PatientToken,
    ServiceDay,
    Visit,
    VisitStatus,
)
from tests.databases import count_queries

BORN = date(1990, 8, 17)
KK = "6472011203140007"
SITI = Identity(
    name="Siti Nurhaliza",
    sex="P",
    birth_date=BORN,
    nik="6472015708900001",
    bpjs_number="0001234567890",
    kk_number=KK,
    address="Jalan Kenanga 12",
    village="Tirta Alur",
    phone="+6281234567890",
    passport_no="A1234567",
)


def person(name: str, **fields) -> Identity:
    fields.setdefault("no_nik_reason", NoNikReason.NOT_BROUGHT)
    return Identity(name=name, **{"sex": "P", "address": "Jalan Melati 3"} | fields)


def create(*identities: Identity) -> Patient:
    """All are stored; the last is given back."""
    with transaction():
        return [patients.create(SYSTEM, identity) for identity in identities][-1]


def update(patient: Patient, identity: Identity) -> None:
    with transaction():
        patients.update(SYSTEM, patient, identity, "pembetulan")


def merge(patient: Patient, into: Patient) -> None:
    with transaction():
        patient.merged_into_id = into.id


def visit(patient: Patient, on: date, **fields) -> None:
    with transaction():
        day = db.session.query(ServiceDay).filter_by(on=on).one_or_none()
        if day is None:
            day = ServiceDay(on=on)
            db.session.add(day)
            db.session.flush()
        number = db.session.query(Visit).count() + 1
        texts = {"complaint": "batuk", "payer": "UMUM", "cluster": "3", "cluster_rule": "umur"}
        row = Visit(
            service_day_id=day.id,
            patient_id=patient.id,
            original_patient_id=patient.id,
            series="U",
            number=number,
            label=f"U{number:03}",
            computed_cluster="3",
            **texts | fields,
        )
        db.session.add(row)


def names(q: str, *args, **options) -> list[str]:
    return [found.patient.name for found in search.find(q, *args, **options)]


@pytest.fixture
def siti(app) -> Patient:
    others = [
        person("Budi Santoso", sex="L", birth_date=date(1970, 1, 1)),
        person("Nurul Aini", birth_date=BORN),
        person("Dewi Kartini", phone="+6281111111111", bpjs_number="0009999999999"),
    ]
    create(*others)
    return create(SITI)


@pytest.mark.parametrize(
    "q",
    [
        "6472015708900001",
        "6472.0157.0890.0001",
        " 6472 0157 0890 0001 ",
        "6472-0157-0890-0001",
        "0001234567890",
        "000 1234 567 890",
        "000004",
        "4",
        "0004",
        "RM 000004",
        "RM000004",
        "No. RM 000004",
        "no rm: 4",
        "NRM 000004",
        "081234567890",
        "+62 812-3456-7890",
        "0812 3456 7890",
        "(0812) 3456-7890",
        KK,
        "A1234567",
        "a 123 4567",
    ],
)
def test_every_number_finds_its_patient_alone(siti, q):
    assert names(q) == ["Siti Nurhaliza"]


@pytest.mark.parametrize(
    "q",
    [
        "Siti Nurhaliza",
        "siti nur",
        "nurhal",
        "nurhaliza siti",
        "SITTI NOERHALIZA",
        "Ny. Siti Nurhaliza, S.Pd",
        "nur haliza",
        "siti 17-08-1990",
        "17/08/1990 nurha",
        "1990-08-17 siti",
        "17081990 siti",
        "siti 17 08 1990",
        "17 8 1990 nurhaliza",
        "1990 08 17 siti",
        "siti 17. 08. 1990",
        "siti 17 agustus 1990",
        "nurhaliza 17 Ags 1990",
    ],
)
def test_a_name_is_found_as_it_is_typed(siti, q):
    assert [(one.patient.id, one.is_alike) for one in search.find(q)] == [(siti.id, False)]


@pytest.mark.parametrize(
    "q",
    [
        "",
        "   ",
        "?",
        "'",
        "%",
        "_",
        "siti santoso",
        "siti 18-08-1990",
        "siti 18 08 1990",
        "S1234567",
        "S 1234567",
        "si 123 4567",
        "SI-1234567",
        "S1A23456",
        "6472015708900002",
        "647201570890000",
        "999999",
        "0",
        "Ahmad",
        "\N{GRINNING FACE}",
        "\u674e\u660e",
        "x" * 5000,
        "9" * 5000,
        "\x00",
        "31-02-1990",
        "9-9-9-9-9-9-9-9-9-9-9-9",
        "+",
        "\u0661\u0662\u0663",
    ],
)
def test_what_fits_nobody_finds_nobody(siti, q):
    assert names(q) == []


def test_a_birth_date_alone_finds_who_was_born_then(siti):
    for typed in ("17-08-1990", "17 08 1990", "1990 8 17", "17 agu 1990"):
        assert set(names(typed)) == {"Siti Nurhaliza", "Nurul Aini"}, typed
    assert set(names("", BORN)) == {"Siti Nurhaliza", "Nurul Aini"}
    assert names("nurul", BORN) == ["Nurul Aini"]
    assert names("siti", date(1990, 8, 18)) == []
    assert names("siti 18-08-1990", BORN) == ["Siti Nurhaliza"], "the box beside it counts first"


def test_an_estimated_birth_date_is_found_by_any_date_it_may_be(app):
    create(
        person("Aminah Tua", birth_date=date(1950, 7, 1), birth_precision=DatePrecision.YEAR),
        person("Aminah Bulan", birth_date=date(1950, 3, 20), birth_precision=DatePrecision.MONTH),
        person("Aminah Tepat", birth_date=date(1950, 3, 5)),
        person("Aminah Lain", birth_date=date(1950, 3, 6)),
        person("Aminah Kapan"),
    )
    assert names("aminah", date(1950, 3, 5)) == ["Aminah Tepat", "Aminah Bulan", "Aminah Tua"]
    assert names("aminah", date(1950, 12, 31)) == ["Aminah Tua"]
    assert names("aminah", date(1951, 3, 5)) == []


def test_a_birth_date_told_in_short_finds_who_was_born_then(app):
    create(
        person("Nurhayati Besar", birth_date=date(1990, 5, 25)),
        person("Nurhayati Kecil", birth_date=date(2015, 5, 25)),
        person("Nurhayati Tua", birth_date=date(1915, 5, 25)),
        person("Nurhayati Kira", birth_date=date(1990, 7, 1), birth_precision=DatePrecision.YEAR),
        person("Nurhayati Bayi", birth_date=date(2026, 11, 2)),
    )
    for typed in ("nurhayati 25-5-90", "25/05/90 nurhayati", "nurhayati 25 5 90"):
        assert names(typed) == ["Nurhayati Besar", "Nurhayati Kira"], typed
    for typed in ("nurhayati 250590", "nurhayati 25 mei 90", "25-5-90", "nurhayatti 25-5-90"):
        assert names(typed) == ["Nurhayati Besar", "Nurhayati Kira"], typed
    assert set(names("nurhayati 1990")) == {"Nurhayati Besar", "Nurhayati Kira"}
    assert set(names("nurhayatti (1990)")) == {"Nurhayati Besar", "Nurhayati Kira"}
    assert set(names("nurhayati 25-5-15")) == {"Nurhayati Kecil", "Nurhayati Tua"}
    assert names("nurhayati 26-5-90") == ["Nurhayati Kira"]
    assert names("nurhayati 1991") == []
    assert names("nurhayati 25-5-90", date(2026, 11, 2)) == ["Nurhayati Bayi"]
    assert len(names("nurhayati 31-02-90")) == len(names("nurhayati 2090")) == 5


def test_six_digits_beside_a_name_are_looked_up_as_a_number_too(app):
    create(person("Nurhayati", birth_date=date(1990, 5, 25)))
    numbered = create(person("Sudra", birth_date=BORN))
    with transaction():
        numbered.mrn = "250590"
    assert names("nurhayati 250590") == ["Nurhayati", "Sudra"]
    assert names("sudra 250590") == ["Sudra"]
    assert names("250590") == ["Sudra"]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("q", "said"),
    [
        ("nurhayati 25-5-90", '"25-5-90" dibaca sebagai tanggal lahir 25-05-1990.'),
        (
            "nurhayati 25-5-15",
            '"25-5-15" dibaca sebagai tanggal lahir 25-05-2015 atau 25-05-1915.',
        ),
        ("nurhayati 250590", '"250590" dibaca sebagai nomor dan tanggal lahir 25-05-1990.'),
        ("nurhayati 1990", '"1990" dibaca sebagai tahun lahir.'),
        ("nurhayati 2090", '"2090" tidak dipakai dalam pencarian.'),
        ("nurhayati 25-5, 2", '"25-5", "2" tidak dipakai dalam pencarian.'),
        ("nurhayati 31-02-90", '"31-02-90" bukan tanggal yang ada; dicari sebagai nomor.'),
        ("nurhayati 25-5-1990", ""),
        ("nurhayati 081234567890", ""),
        ("nurhayati", ""),
        ("250590", ""),
        ("0361 12-05-90", ""),
    ],
)
def test_it_is_said_how_a_piece_was_read_and_what_was_not_used(q, said):
    assert typed_search.reading_note(q, None, date(2026, 11, 26)) == said


def test_what_may_be_an_abbreviation_may_also_begin_a_name(app):
    typed = {
        "ign. suharto": "Ignatius Suharto",
        "budi kr": "Budi Kristanto",
        "kr sila": "Karaeng Sila",
        "IGN Rai": "I Gusti Ngurah Rai",
    }
    create(*(person(name, birth_date=BORN) for name in typed.values()))
    assert {q: names(q) for q in typed} == {q: [name] for q, name in typed.items()}
    assert names("ign suharto", BORN) == ["Ignatius Suharto"]


def test_the_whole_name_comes_before_longer_ones_and_whole_words_before_beginnings(app):
    create(person("Sitihajar"), person("Siti Aminah"), person("Siti"))
    assert names("siti") == ["Siti", "Siti Aminah", "Sitihajar"]
    for name, month in (("Siti", 1), ("Siti Aminah", 2), ("Sitihajar", 3)):
        visit(db.session.query(Patient).filter_by(name=name).one(), date(2026, month, 5))
    assert names("siti") == ["Siti", "Siti Aminah", "Sitihajar"], "before who was here last"


def test_who_was_here_last_comes_first_among_equals(app):
    early, late, never = [create(person("Siti Aminah")) for _ in range(3)]
    visit(early, date(2026, 1, 5))
    visit(late, date(2026, 3, 5))
    visit(late, date(2026, 2, 5))
    visit(never, date(2026, 11, 5), status=VisitStatus.CANCELLED)
    found = [(one.patient.id, one.last_visit_on) for one in search.find("siti aminah")]
    assert found == [
        (late.id, date(2026, 3, 5)),
        (early.id, date(2026, 1, 5)),
        (never.id, None),
    ]


@pytest.mark.engines("sqlite")  # PostgreSQL reads so small a table whole, and rightly
def test_the_lookup_does_not_read_whole_tables(siti):
    asked = []

    def note(_connection, _cursor, statement, values, *_rest) -> None:
        asked.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    search.likely(Person(name="Siti Aminah", birth_date=BORN, phone=SITI.phone, kk_number=KK))
    search.find("aminah RM 999999 081299999999")
    search.find("Tn. X 28-11-2026")
    search.find("aminah 25-5-15")
    search.find("aminah 1990")
    event.remove(db.engine, "before_cursor_execute", note)
    connection = db.session.connection()
    plans = [
        step[-1]
        for statement, values in asked
        if statement.startswith("SELECT")
        for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    ]
    assert any(step.startswith("SEARCH patient_token") for step in plans)
    assert [step for step in plans if step.startswith(("SCAN patient", "SCAN visit"))] == []


@pytest.mark.engines("postgresql")
def test_the_lookup_says_the_same_however_much_was_typed(siti):
    create(person("Siti Aminah"), person("Nurul Hidayah Putri", birth_date=BORN))
    with count_queries() as short:
        assert search.likely(Person(name="Siti Nurhaliza", sex="P", birth_date=BORN))
    with count_queries() as long:
        form = Person(name="Siti Nurul Hidayah Putri Aini", sex="P", birth_date=BORN)
        assert search.likely(form, with_family=True)
    # Else PostgreSQL would plan each anew.
    assert short == long


def test_at_most_the_limit_is_shown(app):
    with transaction():
        patients.create_many(SYSTEM, [person(f"Siti {'A' * n}") for n in range(1, 30)])
    assert len(names("siti")) == 20
    assert len(names("siti", limit=3)) == 3


def test_the_very_name_and_the_very_day_are_found_behind_a_hundred_others(app):
    guessed = {"birth_date": date(1950, 7, 1), "birth_precision": DatePrecision.YEAR}
    with transaction():
        patients.create_many(SYSTEM, [person(f"Siti {'A' * n}", **guessed) for n in range(1, 62)])
        patients.create_many(SYSTEM, [person(f"Siti {'B' * n}", **guessed) for n in range(1, 62)])
    create(person("Siti", birth_date=date(1950, 3, 5)))
    assert names("siti")[0] == names("siti", date(1950, 3, 5))[0] == "Siti"


def test_the_number_of_queries_does_not_grow_with_the_patients(app):
    def queries(q: str) -> int:
        search.find(q)
        with count_queries() as statements:
            search.find(q)
        return len(statements)

    typed = ("siti am", KK, "siti 17-08-1990", "siti am 0004711", "siti 170890", "siti 1990")
    create(replace(SITI, name="Siti Aminah"))
    few = [queries(q) for q in typed]
    with transaction():
        patients.create_many(
            SYSTEM,
            [person(f"Siti Amin{'a' * n}", kk_number=KK, birth_date=BORN) for n in range(20)],
        )
    assert len(names("siti am")) == len(names(KK)) == 20
    assert [queries(q) for q in typed] == few
    assert max(few) <= 6


@pytest.mark.parametrize(
    "number",
    [
        "{mrn}",
        "RM {bare}",
        "no rm: {bare}",
        "NRM {mrn}",
        "RM-{bare}",
        "no {mrn}",
        "6472015708900001",
        "6472 0157 0890 0001",
        "0001234567890",
        "bpjs 000 1234 567 890",
        "0812 3456 7890",
        "A1234567",
        "paspor a 1234567",
        "17 08 1990 {mrn}",
        "{mrn} 18-08-1990",
    ],
)
@pytest.mark.parametrize("name", ["siti", "nurhaliza siti", "SITTI NOERHALIZA"])
def test_a_number_beside_a_name_leads_to_who_has_both(siti, number, name):
    create(*(person(f"Siti {other}") for other in ("Aminah", "Nurhaliza", "A", "R", "No", "Nurma")))
    typed = number.format(mrn=siti.mrn, bare=siti.mrn.lstrip("0"))
    for q in (f"{name} {typed}", f"{typed} {name}"):
        assert [one.patient.id for one in search.find(q)] == [siti.id], q


def test_whose_number_stands_beside_another_name_comes_before_those_of_the_name(siti):
    create(person("Dewi Lestari"), person("Lestari Dewi", phone=SITI.phone))
    assert names(f"budi {siti.mrn}") == ["Siti Nurhaliza", "Budi Santoso"]
    assert names(f"xaveria {siti.mrn}") == ["Siti Nurhaliza"]
    assert names(f"{SITI.phone} dewi lestari") == ["Lestari Dewi"], "of the two she has the name"
    update(siti, replace(SITI, name="Rahma Wulandari"))
    assert names(f"nurhaliza {siti.mrn}") == ["Rahma Wulandari"], "once, by a former name too"


def test_a_number_that_nobody_has_leaves_the_name_as_it_is(siti):
    for number in ("999999", "RM 99", "0009999999998", "6472015708900009", "B7654321"):
        assert names(f"nurhaliza {number}") == names(f"{number} nurhaliza") == ["Siti Nurhaliza"]
    assert [one.is_alike for one in search.find("nurhalisah 999999")] == [False]
    assert [one.is_alike for one in search.find("siti nurhelisa 999999")] == [True]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Tn. X 28-11-2026", ["Tn. X 28-11-2026"]),
        ("tn x 28/11/2026", ["Tn. X 28-11-2026"]),
        ("Tn. X2 28-11-2026", ["Tn. X2 28-11-2026"]),
        ("tn. x2 28 11 2026", ["Tn. X2 28-11-2026"]),
        ("28 nov 2026 Ny. X", ["Ny. X 28-11-2026"]),
        ("x 28-11-2026", ["Tn. X 28-11-2026", "Ny. X 28-11-2026"]),
        ("Tn. X3 28-11-2026", []),
        ("Tn. X 29-11-2026", []),
        ("Ny. X 27-11-2026", ["Wayan Sudarta"]),
    ],
)
def test_who_has_no_name_is_found_by_the_stand_in_on_the_ticket(app, typed, found):
    unknown = {"is_unknown": True, "no_nik_reason": NoNikReason.UNKNOWN}
    stand_ins = ("Tn. X 28-11-2026", "Tn. X2 28-11-2026", "Ny. X 28-11-2026", "Ny. X 27-11-2026")
    create(*(person(name, birth_date=date(1980, 7, 1), **unknown) for name in stand_ins))
    named = db.session.query(Patient).filter_by(name="Ny. X 27-11-2026").one()
    update(named, person("Wayan Sudarta"))
    assert names(typed) == found
    assert set(names("Tn. X")) >= set(stand_ins[:3])


def test_a_stand_in_hides_nobody_who_was_born_on_its_day(app):
    create(person("Xaverius", birth_date=date(2026, 11, 28)), person("Tn. X 28-11-2026"))
    assert names("x 28-11-2026") == ["Tn. X 28-11-2026", "Xaverius"]
    assert names("x", date(2026, 11, 28)) == ["Tn. X 28-11-2026", "Xaverius"]


def test_a_villages_phone_does_not_crowd_out_who_has_the_name(siti):
    with transaction():
        patients.create_many(
            SYSTEM, [person(f"Made {'A' * n}", phone="+6281211112222") for n in range(1, 30)]
        )
    assert names("081211112222 siti nurhaliza")[10:] == ["Siti Nurhaliza"]


def test_a_family_card_finds_the_family_and_a_mothers_nik_her_children(siti):
    create(
        person("Bayi Ny Siti", birth_date=date(2026, 5, 1), mother_nik=SITI.nik),
        person("Andi Kecil", birth_date=date(2020, 5, 1), kk_number=KK),
    )
    assert set(names(KK)) == {"Siti Nurhaliza", "Andi Kecil"}
    assert names(SITI.nik) == ["Siti Nurhaliza", "Bayi Ny Siti"]


def test_a_number_that_begins_with_rm_is_found_with_and_without_it(siti):
    with transaction():
        siti.mrn = "RM-0815"
    assert names("RM-0815") == names("rm-0815") == names("No. RM RM-0815") == ["Siti Nurhaliza"]


def test_an_mrn_wins_over_a_phone_of_the_same_digits(app):
    create(person("Pemilik Telepon", phone="000002"), person("Pemilik Nomor"))
    assert names("000002") == ["Pemilik Nomor", "Pemilik Telepon"]


def test_a_former_medical_record_number_is_found_until_it_ends(siti):
    with transaction():
        alias = PatientAlias(
            patient_id=siti.id, original_patient_id=siti.id, kind=AliasKind.MRN, value="12-34-56"
        )
        db.session.add(alias)
    assert names("12-34-56") == ["Siti Nurhaliza"]
    with transaction():
        alias.ended_at = siti.registered_at
    assert names("12-34-56") == []


@pytest.mark.parametrize("old", ["050001", "50001"])
def test_a_former_number_is_found_with_and_without_its_zeros(siti, old):
    with transaction():
        alias = PatientAlias(
            patient_id=siti.id, original_patient_id=siti.id, kind=AliasKind.MRN, value=old
        )
        db.session.add(alias)
    for typed in ("50001", "050001", "RM 050001", "No. RM 50001", "0050001"):
        assert names(typed) == ["Siti Nurhaliza"], typed


def test_a_former_name_and_nik_are_found_too(siti):
    update(siti, replace(SITI, name="Rahma Wulandari", nik="6472015708900009"))
    assert names("nurhaliza") == ["Rahma Wulandari"]
    assert names(SITI.nik) == ["Rahma Wulandari"]
    words = db.session.scalars(select(PatientToken.word).filter_by(patient_id=siti.id))
    assert all(map(str.isalpha, words)), "a former NIK is no name"
    owner = create(replace(SITI, name="Pemilik Asli", bpjs_number=None))
    assert owner.nik == SITI.nik
    assert names(SITI.nik) == ["Pemilik Asli", "Rahma Wulandari"]


def test_a_name_that_was_ended_is_not_found(siti):
    update(siti, replace(SITI, name="Rahma Wulandari"))
    update(siti, SITI)
    update(siti, replace(SITI, name="Siti Nurhaliza Putri"))
    assert names("rahma") == ["Siti Nurhaliza Putri"]  # still an alias
    assert names("haliza") == []  # not the beginning of a word


def test_a_merged_patient_appears_once_as_its_survivor(siti):
    double, middle = create(person("Sitti Nurhaliza")), create(person("Siti Haliza"))
    visit(siti, date(2026, 2, 3))
    merge(double, middle)
    merge(middle, siti)
    assert [found.patient.id for found in search.find("siti nurhaliza")] == [siti.id]
    assert names("haliza") == ["Siti Nurhaliza"]
    found = search.find(double.mrn)
    assert [(one.patient.id, one.last_visit_on) for one in found] == [(siti.id, date(2026, 2, 3))]
    with transaction():
        middle.is_active = False
    assert names("haliza") == ["Siti Nurhaliza"], "the survivor counts"


def test_an_inactive_patient_is_not_shown(siti):
    double = create(person("Siti Halimah"))
    merge(double, siti)
    with transaction():
        siti.is_active = False
    assert names("siti") == names(SITI.nik) == names(double.mrn) == []
    assert search.likely(Person(name=SITI.name, birth_date=BORN, sex="P", nik=SITI.nik)) == []


def test_those_who_are_not_shown_crowd_nobody_out(app):
    family = {"phone": SITI.phone, "birth_date": BORN}
    with transaction():
        for undone in patients.create_many(SYSTEM, [person("Siti Aminah", **family)] * 110):
            undone.is_active = False
    wanted = create(person("Siti Aminah", **family))
    form = Person(name="Siti Aminah", sex="P", birth_date=BORN, phone=SITI.phone)
    assert [found.patient.id for found in search.find(SITI.phone)] == [wanted.id]
    assert [found.patient.id for found in search.find("aminah")] == [wanted.id]
    assert [found.patient.id for found in search.likely(form)] == [wanted.id]
    # By the phone alone, and by the very name and day alone.
    assert search.likely(replace(form, name="Xaveria"), with_family=True) != []
    assert [found.patient.id for found in search.likely(replace(form, phone=None))] == [wanted.id]


@pytest.mark.parametrize(
    ("name", "q"),
    [
        ('D\'Angelo "Jojo" O\u2019Neil', "d'angelo o'neil"),
        ('Robert"); DROP TABLE patient;--', 'robert"); drop'),
        ("<b>Melati</b> & Mawar", "<b>Melati"),
        ("Bayu \N{GRINNING FACE} Aji", "bayu \N{GRINNING FACE}"),
        ("Slamet", "slam"),
        ("X" * 100, "x" * 100),
        ("Kusumawardhaningrat" * 5, "Kusumawardhaningrat" * 5),
        (" ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), " ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        ("\u674e\u660e", "\u674e"),
        ("\u0639\u0644\u064a \u062d\u0633\u0646", "\u062d\u0633\u0646"),
        ("Nur Hayati", "nurhayati"),
        ("Nurhayati", "nur hayati"),
        ("Abdurrahman", "abd"),
        ("Abd. Rahman", "abdul rahman"),
        ("Muh. Yusuf", "muhammad yusup"),
        ("By Ny Ratna", "ratna"),
        ("I Wayan Sudarta", "wayan sudarta"),
        ("Ida Ayu Made Rai Sri Wahyu Utami Kusuma", "kusuma"),
    ],
)
def test_unusual_names_are_found(siti, name, q):
    create(person(name))
    assert names(q) == [name]


@pytest.mark.parametrize(
    ("name", "typed", "born"),
    [
        ("Wayan Sutama", "wayan sutame", date(1981, 3, 29)),
        ("Burhanuddin Paturusi", "Bruhanuddin Paturusi", date(1976, 12, 25)),
        ("Jumriah", "Jumriyeh", None),
        ("Sulastri", "Sulasteri", None),
    ],
)
def test_a_slip_in_the_name_finds_whoever_is_called_alike(siti, name, typed, born):
    create(person(name, birth_date=born or date(1981, 1, 2)))
    found = search.find(typed, born)
    assert [(one.patient.name, one.is_alike) for one in found] == [(name, True)]
    exact = search.find(name, born)
    assert [(one.patient.name, one.is_alike) for one in exact] == [(name, False)]


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Wayan Sutama", "wayan sudana"),
        # One other word among many that are the same.
        ("Rizki Maulana Hidayat Rahman Hakim", "fajar maulana hidayat rahman hakim"),
    ],
)
def test_who_is_called_otherwise_is_not_shown_as_alike(app, stored, typed):
    create(person(stored))
    assert names(typed) == []


def test_with_a_birth_date_only_that_days_people_are_alike(app):
    create(person("Wayan Sutama", birth_date=date(1981, 3, 28)))
    create(person("Made Rahayu", birth_date=date(1981, 3, 29)))
    assert names("wayan sutame", date(1981, 3, 29)) == []


# Likely matches


def likely(**changes) -> list[tuple[str, str]]:
    fields = {"name": "Siti Nurhaliza", "sex": "P", "birth_date": BORN} | changes
    return [(one.patient.name, one.match.level) for one in search.likely(Person(**fields))]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "St. Noerhaliza"},
        {"name": "Nurhaliza", "village": "Tirta Alur"},
        {"birth_date": date(1990, 8, 18), "village": "Tirta Alur"},
        {"birth_date": None, "nik": SITI.nik},
        {"name": "Dewi", "birth_date": date(1950, 1, 1), "nik": SITI.nik},
        {"name": "Siti", "bpjs_number": SITI.bpjs_number},
        {"name": "Stii Nurhlaiza", "phone": "0812 3456 7890"},
        {"birth_date": date(1990, 7, 1), "birth_precision": "year", "phone": SITI.phone},
        {"birth_date": date(1960, 8, 17), "village": "Tirta Alur", "phone": SITI.phone},
        {"nik": "6472015708900002"},
        {"name": "Zsiti Xnurhaliza", "village": "Tirta Alur"},
    ],
)
def test_the_person_we_have_is_recognised(siti, changes):
    assert [name for name, _ in likely(**changes)] == ["Siti Nurhaliza"]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Rahma Wulandari"},
        {"birth_date": date(1950, 1, 2)},
        {"sex": "L", "birth_date": None},
        {"name": "", "birth_date": None, "sex": None},
        {"name": "\N{GRINNING FACE}", "birth_date": None},
        {"name": "Siti", "birth_date": None, "sex": None},
    ],
)
def test_someone_else_is_not(siti, changes):
    assert likely(**changes) == []


def test_a_strong_match_comes_first_with_its_reasons_and_last_visit(siti):
    create(person("Siti Nurhalim", birth_date=BORN + timedelta(days=1), village="Tirta Alur"))
    visit(siti, date(2026, 2, 3))
    form = Person(name=SITI.name, sex="P", birth_date=BORN, nik=SITI.nik, village="Tirta Alur")
    found = search.likely(form)
    first = found[0]
    assert (first.patient.id, first.match.level) == (siti.id, "strong")
    assert "NIK sama" in first.match.reasons
    assert first.last_visit_on == date(2026, 2, 3)
    points = [one.match.points for one in found]
    assert points == sorted(points, reverse=True)


def test_the_patient_being_edited_is_left_out(siti):
    form = Person(name=SITI.name, sex="P", birth_date=BORN)
    assert [one.patient.id for one in search.likely(form)] == [siti.id]
    assert search.likely(form, exclude_ref=siti.public_id) == []


def test_a_merged_record_is_recognised_as_its_survivor(siti):
    double = create(person("Rahma Wulandari", birth_date=date(1991, 2, 3)))
    merge(double, siti)
    form = Person(name="Rahma Wulandari", sex="P", birth_date=date(1991, 2, 3))
    assert [one.patient.id for one in search.likely(form)] == [siti.id]
    assert search.likely(form, exclude_ref=siti.public_id) == []


def test_a_former_name_is_recognised(siti):
    update(siti, replace(SITI, name="Rahma Wulandari"))
    assert likely() == [("Rahma Wulandari", "strong")]
    with transaction():
        db.session.query(PatientAlias).filter_by(kind=AliasKind.NAME).one().ended_at = utcnow()
    assert likely() == []


def test_just_registered_are_those_after_the_instant_who_count_today(siti):
    form = Person(name=SITI.name, sex="P", birth_date=BORN)
    at, moment = siti.registered_at, timedelta(seconds=1)
    found = search.just_registered(form, at - moment)
    assert [(ref, match.level) for ref, match in found] == [(siti.public_id, "strong")]
    assert search.just_registered(form, at) == []
    merge(siti, create(person("Rahma Wulandari")))
    assert search.just_registered(form, at - moment) == []


def test_the_match_is_found_among_hundreds_of_namesakes(app):
    crowd = [
        person("Siti", birth_date=date(1990, 1, 1) + timedelta(days=n % 365), village="Lain")
        for n in range(700)
    ]
    with transaction():
        patients.create_many(SYSTEM, crowd)
    wanted = create(person("Siti", birth_date=BORN, village="Tirta Alur"))
    form = Person(name="Siti", sex="P", birth_date=BORN, village="Tirta Alur")
    assert search.likely(form)[0].patient.id == wanted.id


def test_no_more_than_the_limit_and_the_same_queries_for_many(app):
    form = Person(name="Siti Aminah", sex="P", birth_date=BORN, phone=SITI.phone, kk_number=KK)
    same = person("Siti Aminah", birth_date=BORN, kk_number=KK, phone=SITI.phone)
    create(same)
    with count_queries() as few:
        assert len(search.likely(form)) == 1
    with transaction():
        patients.create_many(SYSTEM, [same] * 80)
    with count_queries() as many:
        assert len(search.likely(form)) == 8
    assert len(few) == len(many) <= 7
    assert len(search.likely(form, limit=3)) == 3


# --- What a search carries into the form of a new patient ---------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("q", "fields", "left"),
    [
        ("Wayan Sudra", {"name": "Wayan Sudra"}, ""),
        ("Siti 17-08-1985", {"name": "Siti", "birth_date": "17-08-1985"}, ""),
        ("1985/8/17 Siti Aminah", {"name": "Siti Aminah", "birth_date": "17-08-1985"}, ""),
        ("Siti 17081985", {"name": "Siti", "birth_date": "17-08-1985"}, ""),
        ("Siti 17 08 1985", {"name": "Siti", "birth_date": "17-08-1985"}, ""),
        ("17 08 1985", {"birth_date": "17-08-1985"}, ""),
        ("Siti 31 02 1985", {"name": "Siti", "birth_date": "31 02 1985"}, ""),
        ("0004711 17 08 1985", {"birth_date": "17-08-1985"}, "0004711"),
        (
            "Siti 1985 8 17 0001234567890",
            {"name": "Siti", "birth_date": "17-08-1985", "bpjs_number": "0001234567890"},
            "",
        ),
        ("Siti 0812 11 12 1990", {"name": "Siti", "phone": "0812 11 12 1990"}, ""),
        ("Siti 2 17 08 1985", {"name": "Siti 2", "birth_date": "17-08-1985"}, ""),
        ("Juli 17 08 1985", {"name": "Juli", "birth_date": "17-08-1985"}, ""),
        ("Mei 12 2018", {"name": "Mei"}, "12 2018"),
        ("17-08-1985", {"birth_date": "17-08-1985"}, ""),
        ("08-12-1985", {"birth_date": "08-12-1985"}, ""),
        ("08121985", {"birth_date": "08121985"}, ""),
        ("31-02-1985", {"birth_date": "31-02-1985"}, ""),
        ("Siti 31-02-1985", {"name": "Siti", "birth_date": "31-02-1985"}, ""),
        ("3171 0157 0845 0001", {"nik": "3171015708450001"}, ""),
        ("3171.01.57.0845.0001", {"nik": "3171015708450001"}, ""),
        ("317101570845000", {"nik": "317101570845000"}, ""),
        ("31710157084500011", {"nik": "31710157084500011"}, ""),
        ("Siti 3171015708450001", {"name": "Siti", "nik": "3171015708450001"}, ""),
        ("000 1234 567 890", {"bpjs_number": "0001234567890"}, ""),
        ("000123456789", {"bpjs_number": "000123456789"}, ""),
        ("+62 812-3456-7890", {"phone": "+62 812-3456-7890"}, ""),
        ("6281234567890", {"phone": "6281234567890"}, ""),
        ("0812345678901", {"phone": "0812345678901"}, ""),
        ("0812345", {"phone": "0812345"}, ""),
        ("(0361) 123456", {"phone": "(0361) 123456"}, ""),
        ("0361 223344", {"phone": "0361 223344"}, ""),
        ("+31 20 123 4567", {"phone": "+31 20 123 4567"}, ""),
        ("Edi 0812 3456 7890", {"name": "Edi", "phone": "0812 3456 7890"}, ""),
        ("0004711", {}, "0004711"),
        ("RM 0004711", {}, "RM 0004711"),
        ("A1234567", {}, "A1234567"),
        ("A 1234567", {}, "A 1234567"),
        ("Siti AB-1234567", {"name": "Siti"}, "AB-1234567"),
        ("Al 081234567890", {"name": "Al", "phone": "081234567890"}, ""),
        ("Nik 17 08 1985", {"name": "Nik", "birth_date": "17-08-1985"}, ""),
        ("Siti 0004711", {"name": "Siti"}, "0004711"),
        ("Siti 2", {"name": "Siti 2"}, ""),
        ("R2-D2 Sari", {"name": "R2-D2 Sari"}, ""),
        ("3171015708450001 6472015708900001", {}, "317101••••••0001 647201••••••0001"),
        ("", {}, ""),
        ("NIK 3171015708450001", {"nik": "3171015708450001"}, ""),
        ("No. KTP: 3171 0157 0845 0001", {"nik": "3171015708450001"}, ""),
        ("nik3171015708450001 Siti", {"name": "Siti", "nik": "3171015708450001"}, ""),
        ("BPJS/KIS 0001234567890", {"bpjs_number": "0001234567890"}, ""),
        ("Edi HP 0812 3456 7890", {"name": "Edi", "phone": "0812 3456 7890"}, ""),
        ("telp. 081234567890", {"phone": "081234567890"}, ""),
        ("No HP/WA +62 812-3456-7890", {"phone": "+62 812-3456-7890"}, ""),
        ("KK 6472 0112 0314 0007", {"kk_number": "6472011203140007"}, ""),
        ("Siti no kk 6472011203140007", {"name": "Siti", "kk_number": "6472011203140007"}, ""),
        ("paspor AB123456", {"passport_no": "AB123456"}, ""),
        ("John Smith passport: ab 123456", {"name": "John Smith", "passport_no": "AB123456"}, ""),
        ("No. RM 0004711", {}, "No. RM 0004711"),
        ("RM 3171015708450001", {}, "RM 317101••••••0001"),
        ("Siti RM 0004711", {"name": "Siti"}, "RM 0004711"),
        ("no rm: 15 Siti", {"name": "Siti"}, "no rm: 15"),
        ("Siti RM 15 000 1234 567 890", {"name": "Siti", "bpjs_number": "0001234567890"}, "RM 15"),
        ("RM Sutomo", {"name": "RM Sutomo"}, ""),
        ("No. 0004711", {}, "0004711"),
        ("Nik 17-08-1985", {"name": "Nik", "birth_date": "17-08-1985"}, ""),
        ("Wa Ode", {"name": "Wa Ode"}, ""),
        ("Sukarno 12 Maret 1977", {"name": "Sukarno", "birth_date": "12-03-1977"}, ""),
        ("5 pebruari 1990", {"birth_date": "05-02-1990"}, ""),
        ("Siti 17agt1985", {"name": "Siti", "birth_date": "17-08-1985"}, ""),
        ("Mei 12", {"name": "Mei 12"}, ""),
        ("Siti 17-8-85", {"name": "Siti", "birth_date": "17-08-1985"}, ""),
        ("Siti 170885", {"name": "Siti", "birth_date": "17-08-1985"}, ""),
        ("Siti 17 agt 85", {"name": "Siti", "birth_date": "17-08-1985"}, ""),
        ("Siti 17-8-15", {"name": "Siti"}, "17-8-15"),
        ("Siti 1985", {"name": "Siti", "birth_date_estimated": "1985"}, ""),
        ("Siti 31-02-85", {"name": "Siti"}, "31-02-85"),
        ("170885", {}, "170885"),
        ("A 170885", {}, "A 170885"),
    ],
)
def test_what_was_searched_for_stands_in_its_field(q, fields, left):
    assert typed_search.form_fields(q, "", date(2026, 11, 26)) == (fields, left)


@pytest.mark.parametrize(
    "typed",
    [
        "NIK {nik}",
        "nik: {nik}",
        "No. KTP {nik}",
        "BPJS {bpjs}",
        "KIS 000 1234 567 890",
        "HP 081234567890",
        "telp 0812 3456 7890",
        "WA: +62 812-3456-7890",
        "KK {kk}",
        "paspor ab 123456",
        "No RM {mrn}",
        "siti HP 081234567890",
        "siti 17 Agustus 1990",
        "nurhaliza 17 ags 1990",
    ],
)
def test_a_number_is_found_with_the_word_for_it_and_a_date_with_its_month(app, typed):
    cards = {"bpjs_number": "0001234567890", "passport_no": "AB123456", "phone": "+6281234567890"}
    known = create(replace(SITI, kk_number=KK, **cards))
    create(person("Kadek Karim", birth_date=date(1970, 1, 1)))  # "KK" is no beginning of a name
    words = {"nik": known.nik, "bpjs": "0001234567890", "kk": KK, "mrn": known.mrn}
    assert names(typed.format(**words)) == ["Siti Nurhaliza"]


@pytest.mark.engines("sqlite")
def test_the_birth_date_beside_the_box_counts_and_another_in_it_is_said():
    told = typed_search.form_fields("Siti 17-08-1985", "1-1-1990", date(2026, 11, 26))
    assert told == ({"name": "Siti", "birth_date": "1-1-1990"}, "17-08-1985")
