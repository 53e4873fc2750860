"""What a form was filled from may be old by the time it is saved."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from clinic import patients
from clinic.rebase import rebase
from db import db, transaction
from models import DatePrecision, Patient, PatientVersion
from tests import factories
from tests.pages import post


@pytest.fixture
def patient(app) -> Patient:
    return factories.patient(phone="+62811000111", phone_owner="sendiri", rt="001")


def change(patient: Patient, **fields) -> None:
    with transaction():
        identity = replace(patients.identity_of(patient), **fields)
        patients.update(factories.actor(), patient, identity, "sudah ditanyakan")


def test_what_the_form_left_alone_stays_as_a_colleague_made_it(patient):
    typed = replace(patients.identity_of(patient), mother_name="Ibu Sulastri")
    change(patient, phone="+62811000222", kk_number="3171010101100001")
    change(patient, phone="+62811000333")
    merged = rebase(patient, typed, 1)
    assert merged == replace(
        typed, phone="+62811000333", kk_number="3171010101100001", mother_name="Ibu Sulastri"
    )
    assert rebase(patient, typed, patient.version) == typed, "typed over what stands there now"


def test_what_the_form_changed_itself_counts(patient):
    typed = replace(patients.identity_of(patient), name="Siti Aminah Wati", bpjs_number=None)
    change(patient, name="Sitti Aminah", bpjs_number="0001234567890")
    merged = rebase(patient, typed, 1)
    assert (merged.name, merged.bpjs_number) == ("Siti Aminah Wati", "0001234567890")


def test_fields_that_are_said_in_one_breath_are_never_mixed(patient):
    before = patients.identity_of(patient)
    change(
        patient,
        birth_date=date(1980, 1, 1),
        birth_precision=DatePrecision.YEAR,
        rt="007",
        nik=None,
        no_nik_reason="LUPA_KARTU",
    )
    typed = replace(before, birth_date=date(1985, 5, 15), address="Jalan Baru 3")
    merged = rebase(patient, typed, 1)
    assert (merged.birth_date, merged.birth_precision) == (date(1985, 5, 15), DatePrecision.DAY)
    assert (merged.address, merged.rt) == ("Jalan Baru 3", "001")
    assert (merged.nik, merged.no_nik_reason) == (None, "LUPA_KARTU")


def test_a_form_that_was_open_while_a_colleague_saved_loses_nothing(patient, sign_in):
    clerk, url = sign_in("loket"), f"/pendaftaran/pasien/{patient.public_id}"
    form = clerk.get(url).get_data(as_text=True)
    assert 'name="patient_version" value="1"' in form
    change(patient, phone="+62811000222")
    fields = {
        "nik": patient.nik,
        "name": patient.name,
        "sex": patient.sex,
        "birth_date": "14-05-1985",
        "address": "Jalan Baru 3",
        "rt": "001",
        "phone": "+62811000111",
        "phone_owner": "sendiri",
        "patient_version": "1",
        "complaint": "demam",
        "poli": "UMUM",
    }
    location = post(clerk, url, fields).location
    assert "+62811000222" in clerk.get(location).get_data(as_text=True)
    assert post(clerk, location, {"version": "1"}).status_code == 303
    db.session.refresh(patient)
    assert (patient.phone, patient.address) == ("+62811000222", "Jalan Baru 3")
    steps = select(PatientVersion.before).order_by(PatientVersion.version)
    changed = [set(before) for before in db.session.scalars(steps)]
    assert changed == [{"phone"}, {"address", "village"}]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("version", ["", "x", "-1", "0", "٣", "9" * 5000])
def test_a_version_that_means_nothing_is_harmless(patient, sign_in, version):
    clerk, url = sign_in("loket"), f"/pendaftaran/pasien/{patient.public_id}"
    fields = {
        "nik": patient.nik,
        "name": patient.name,
        "sex": patient.sex,
        "birth_date": "14-05-1985",
        "address": "Jalan Baru 3",
        "complaint": "demam",
        "poli": "UMUM",
        "patient_version": version,
    }
    location = post(clerk, url, fields).location
    assert post(clerk, location, {"version": "1"}).status_code == 303
    db.session.refresh(patient)
    assert patient.address == "Jalan Baru 3"
