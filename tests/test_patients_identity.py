"""Registering and correcting a patient's identity, on both engines."""

import threading
from dataclasses import asdict, fields, replace
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from clinic import audit, patients
from clinic.audit import SYSTEM
from clinic.patients import Identity, NikTaken
from db import db, transaction
from models import (
    AliasKind,
    AuditEntry,
    DatePrecision,
    Household,
    NoNikReason,
    Patient,
    PatientAlias,
    PatientToken,
    PatientVersion,
)
from tests.stored import count

NIK = "6472015405850001"
OTHER_NIK = "6472015405850002"
KK = "6472011203140007"

WHOLE = Identity(
    name="Siti Aminah",
    sex="P",
    birth_date=date(1985, 5, 14),
    nik=NIK,
    mother_nik="6472015407600003",
    no_nik_note="surat panti",
    birth_order=2,
    mother_name="Fatimah",
    passport_no="A1234567",
    bpjs_number="0001234567890",
    kk_number=KK,
    address="Jalan Kenanga 12",
    village="Tirta Alur",
    rt="003",
    rw="012",
    phone="+6281234567890",
    phone_owner="suami",
    payer="JKN_PBI",
)
SPARSE = Identity(
    name="Siti Aminah", sex="P", no_nik_reason=NoNikReason.NOT_BROUGHT, address="Jalan Kenanga 12"
)


def create(identity: Identity = WHOLE, **options) -> Patient:
    with transaction():
        return patients.create(SYSTEM, identity, **options)


def update(patient: Patient, identity: Identity, reason: str = "salah ketik", **options) -> bool:
    with transaction():
        return patients.update(SYSTEM, patient, identity, reason, **options)


def words(patient: Patient) -> set[str]:
    found = select(PatientToken.word).where(PatientToken.patient_id == patient.id)
    return set(db.session.scalars(found))


def merge(patient: Patient, into: Patient) -> None:
    with transaction():
        patient.merged_into_id = into.id


def test_what_was_typed_is_what_is_stored(app):
    ref = create().public_id
    db.session.expire_all()
    assert patients.identity_of(patients.by_ref(ref)) == WHOLE


def test_a_sparse_identity_has_null_for_all_it_does_not_know(app):
    empty = dict.fromkeys(("village", "rt", "phone", "mother_name", "kk_number"), "")
    patient = create(replace(SPARSE, **empty))
    db.session.refresh(patient)
    stored = {name: getattr(patient, name) for name in ("village", "rt", "phone", "mother_name")}
    assert stored == dict.fromkeys(stored)
    assert patient.nik is None and patient.birth_date is None and patient.household is None
    assert patients.identity_of(patient) == SPARSE


def test_neither_nik_nor_reason_is_refused(app):
    with pytest.raises(IntegrityError):
        create(replace(SPARSE, no_nik_reason=None))


def test_medical_record_numbers_are_dense_even_after_a_refusal(app):
    first = create()
    with transaction(), pytest.raises(NikTaken):
        patients.create(SYSTEM, WHOLE)
    with pytest.raises(RuntimeError), transaction():
        patients.create(SYSTEM, SPARSE)
        raise RuntimeError
    second = create(SPARSE)
    assert (first.mrn, second.mrn) == ("000001", "000002")


def test_a_taken_nik_names_its_owner_and_stores_nothing(app):
    owner = create()
    with pytest.raises(NikTaken) as taken:
        create(replace(WHOLE, name="Budi Santoso", kk_number="6472011203140008"))
    assert taken.value.patient.id == owner.id
    assert (count(Patient), count(Household)) == (1, 1)


def test_the_true_owner_of_a_disputed_nik_can_be_registered(app):
    owner = create()
    second = create(replace(WHOLE, name="Budi Santoso", sex="L"), nik_disputed=True)
    assert second.is_nik_disputed and not owner.is_nik_disputed
    assert patients.by_nik(NIK).id == owner.id
    claim = create(replace(WHOLE, nik=OTHER_NIK, name="Dewi"), nik_disputed=True)
    assert create(replace(WHOLE, nik=OTHER_NIK, name="Wayan")).nik == claim.nik


def test_one_of_many_desks_that_save_a_nik_at_once_wins(app):
    results, start = [], threading.Barrier(4)

    def desk():
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    results.append(patients.create(SYSTEM, WHOLE).mrn)
            except NikTaken as taken:
                results.append(taken)
            db.session.remove()

    threads = [threading.Thread(target=desk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["000001"] + ["NIK sudah dipakai pasien lain."] * 3
    assert (count(Patient), count(Household)) == (1, 1)


def test_a_family_shares_one_household(app):
    mother = create()
    child = create(replace(SPARSE, name="Ani", kk_number=KK, birth_date=date(2020, 1, 2)))
    gone = create(replace(SPARSE, name="Ani Ganda", kk_number=KK))
    merge(gone, child)
    stranger = create(SPARSE)
    assert [p.id for p in patients.household_members(mother)] == [child.id]
    assert [p.id for p in patients.household_members(child)] == [mother.id]
    assert patients.household_members(stranger) == []


def test_creating_is_in_the_audit_trail_without_personal_data(app):
    patient = create()
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.patient_ref) == ("create_patient", patient.public_id)
    assert NIK not in f"{entry.details}{entry.reason}"
    assert audit.broken_link() is None


def test_nothing_changed_leaves_no_trace(app):
    patient = create()
    before = count(AuditEntry)
    assert update(patient, patients.identity_of(patient)) is False
    assert (count(PatientVersion), count(AuditEntry), patient.version) == (0, before, 1)


def test_a_change_keeps_the_state_before_and_logs_only_field_names(app):
    patient = create()
    new = replace(WHOLE, birth_date=date(1986, 5, 14), phone=None, phone_owner=None)
    assert update(patient, new, "lahir 1986 menurut KTP") is True
    db.session.refresh(patient)
    assert patients.identity_of(patient) == new
    version = db.session.scalars(select(PatientVersion)).one()
    assert (version.patient_id, version.version, patient.version) == (patient.id, 1, 2)
    assert version.reason == "lahir 1986 menurut KTP"
    assert version.before == {
        "birth_date": "1985-05-14",
        "phone": "+6281234567890",
        "phone_owner": "suami",
    }
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.details) == ("update_patient", "birth_date phone phone_owner")


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("name", [field.name for field in fields(Identity)])
def test_every_field_can_be_changed_and_is_remembered(app, name):
    other = {
        **asdict(WHOLE),
        "name": "Siti Rahma",
        "sex": "L",
        "birth_date": date(1990, 1, 1),
        "birth_precision": DatePrecision.YEAR,
        "nik": OTHER_NIK,
        "is_nik_as_printed": True,
        "no_nik_reason": NoNikReason.FORGOT_CARD,
        "birth_order": 3,
        "payer": "UMUM",
        "is_unknown": True,
        "bpjs_number": "0001234567891",
        "kk_number": "6472011203140009",
        "rt": "004",
        "rw": "013",
    }
    value = other[name] if other[name] != getattr(WHOLE, name) else "lain"
    patient = create()
    assert update(patient, replace(WHOLE, **{name: value}))
    db.session.expire_all()
    assert getattr(patients.identity_of(patients.by_ref(patient.public_id)), name) == value
    assert list(db.session.scalars(select(PatientVersion)).one().before) == [name]
    assert patient.version == 2


def test_changes_one_after_another_in_one_transaction(app):
    patient = create()
    with transaction():
        patients.update(SYSTEM, patient, replace(WHOLE, rt="001", kk_number=None), "satu")
        patients.update(SYSTEM, patient, replace(WHOLE, rt="002"), "dua")
    versions = db.session.scalars(select(PatientVersion).order_by(PatientVersion.version))
    assert [row.before["rt"] for row in versions] == ["003", "001"]
    assert (patient.rt, patient.version) == ("002", 3)


def test_a_former_name_and_nik_become_aliases_and_the_words_stay(app):
    patient = create()
    update(patient, replace(WHOLE, name="Siti Rahmawati", nik=OTHER_NIK))
    aliases = {row.kind: row for row in db.session.scalars(select(PatientAlias))}
    assert aliases[AliasKind.NAME].value == "Siti Aminah"
    assert aliases[AliasKind.NIK].value == NIK
    assert {a.original_patient_id for a in aliases.values()} == {patient.id}
    assert words(patient) == {"SITI", "AMINA", "RAMAWATI"}
    assert patient.name_key == "SITI RAMAWATI"


def test_a_name_that_comes_back_is_no_alias_any_more(app):
    patient = create()
    update(patient, replace(WHOLE, name="Dewi Kartini"))
    update(patient, WHOLE)
    active = select(PatientAlias.value).where(PatientAlias.ended_at.is_(None))
    assert list(db.session.scalars(active)) == ["Dewi Kartini"]
    assert count(PatientAlias) == 2
    update(patient, replace(WHOLE, name="SITI AMINAH"))
    assert count(PatientAlias) == 2  # capitals are no other name


def test_words_follow_birth_year_and_sex(app):
    patient = create()
    update(patient, replace(WHOLE, birth_date=date(1999, 1, 1), sex="L"))
    rows = db.session.scalars(select(PatientToken).where(PatientToken.patient_id == patient.id))
    assert {(row.birth_year, row.sex) for row in rows} == {(1999, "L")}


def test_another_ones_nik_is_refused_at_a_change_and_nothing_changes(app):
    owner = create()
    patient = create(replace(WHOLE, nik=OTHER_NIK, name="Dewi"))
    with pytest.raises(NikTaken) as taken:
        update(patient, replace(WHOLE, name="Dewi Baru"))
    assert taken.value.patient.id == owner.id
    db.session.expire_all()
    assert (patient.name, patient.nik, patient.version) == ("Dewi", OTHER_NIK, 1)
    assert count(PatientVersion) == 0
    assert update(patient, replace(WHOLE, name="Dewi"), nik_disputed=True)
    assert patient.is_nik_disputed and patients.by_nik(NIK).id == owner.id


def test_whoever_saves_over_a_newer_state_is_told(app):
    patient = create()
    assert patient.version == 1
    with pytest.raises(StaleDataError), transaction() as session:
        assert patient.rt == "003"
        table = Patient.__table__
        session.execute(table.update().where(table.c.id == patient.id).values(version=7))
        patients.update(SYSTEM, patient, replace(WHOLE, rt="001"), "balapan")
    db.session.expire_all()
    assert (patient.rt, patient.version, count(PatientVersion)) == ("003", 1, 0)


def test_lookups_follow_a_merge_to_its_end(app):
    first = create()
    second, third = create(SPARSE), create(SPARSE)
    merge(first, second)
    merge(second, third)
    assert patients.current(first).id == third.id
    assert patients.by_nik(NIK).id == third.id
    assert patients.by_ref(first.public_id).id == first.id
    assert patients.by_ref("tidak-ada") is None and patients.by_nik(OTHER_NIK) is None


def test_the_nik_of_a_merged_patient_can_be_registered_again(app):
    merge(create(), create(SPARSE))
    assert create().nik == NIK


def test_an_inactive_patient_is_not_found_by_nik(app):
    patient = create()
    with transaction():
        patient.is_active = False
    assert patients.by_nik(NIK) is None


NAMES = [
    'D\'Angelo "Jojo" O\u2019Neil',
    "<script>alert(1)</script>",
    "Bayu \N{GRINNING FACE} Aji",
    "Slamet",
    "Kusuma " * 12 + "Wijayakusuma Adi",
    "X" * 100,
    "\u00c6" * 100,
    "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z",
    "\u674e\u660e",
    "\N{THUMBS UP SIGN}\N{THUMBS UP SIGN}",
    "Robert'); DROP TABLE patient;--",
    "100% _Sari_",
]


@pytest.mark.parametrize("name", NAMES)
def test_unusual_names_are_stored_as_they_are(app, name):
    name = name[:100]
    patient = create(replace(WHOLE, name=name))
    db.session.refresh(patient)
    assert patient.name == name
    assert 0 < len(patient.name_key) <= 120
    assert all(0 < len(word) <= 40 for word in words(patient))
    assert 0 < len(words(patient)) <= 16
    update(patient, replace(WHOLE, name="Siti Aminah"))
    assert words(patient) >= {"SITI", "AMINA"}


def test_many_at_once_are_stored_like_one_by_one(app):
    many = [
        replace(SPARSE, name=f"Warga {number}", kk_number=KK if number % 2 else None)
        for number in range(5)
    ]
    single = create(WHOLE)
    with transaction():
        created = patients.create_many(SYSTEM, many)
    assert [patients.identity_of(patient) for patient in created] == many
    assert [patient.mrn for patient in created] == [f"{n:06}" for n in range(2, 7)]
    assert {patient.household_id for patient in created} == {None, single.household_id}
    assert len({patient.public_id for patient in created}) == 5
    assert all(words(patient) == {"WARGA"} for patient in created)
    assert create(SPARSE).mrn == "000007"
    assert update(created[0], replace(many[0], rt="001"))
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq))
    assert list(actions)[-4:] == [
        "create_patient",
        "create_patients",
        "create_patient",
        "update_patient",
    ]
