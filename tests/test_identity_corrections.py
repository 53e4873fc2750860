"""The records staff correct an identity without a visit: form, before and after, one save."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from clinic import (
    days,
    measurements,
    merging,
    pairs,
    patients,
    queues,
    search,
    visit_person,
)
from db import db, transaction
from models import (
    AuditEntry,
    NoNikReason,
    PairSource,
    PairState,
    Patient,
    PatientAlias,
    PatientVersion,
    Priority,
    QueueEntry,
    QueueState,
    RegistrationDraft,
    SuspectedPair,
    Visit,
)
from tests import factories, past_visits
from tests.pages import post, text_of
from tests.stored import count

BORN = date(1985, 8, 17)
WHY = "sesuai KTP yang dibawa"


@pytest.fixture
def staff(sign_in):
    return sign_in("rekammedis")


@pytest.fixture
def siti(app) -> Patient:
    return factories.patient("Siti Amina", birth_date=BORN, phone="+6281234567890")


def address(patient) -> str:
    return f"/pasien/{patient.public_id}/identitas"


def values_of(page: str) -> dict[str, str]:
    """The form as a browser would send it."""
    main = page[page.index("<main") :]
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]*? value="([^"]*)"', main))
    fields |= {
        name: found[1]
        for name, options in re.findall(r'<select[^>]* name="(\w+)".*?>(.*?)</select>', main, re.S)
        if (found := re.search(r'<option value="([^"]*)" selected', options))
    }
    sex = re.search(r'name="sex" value="(\w)"[^>]*checked', main)
    fields.pop("csrf_token")
    printed = re.search(r'name="nik_as_printed"[^>]* checked', main)
    fields.pop("nik_as_printed", "") if not printed else None
    return fields | {"sex": sex[1]}


def send(client, patient, **changes) -> str:
    """The form with these changes; the address of the page before the save."""
    typed = values_of(text_of(client.get(address(patient)))) | {"alasan": WHY} | changes
    response = post(client, address(patient), typed)
    assert response.status_code == 303, text_of(response)
    assert response.location.startswith(f"{address(patient)}/")
    return response.location


def seen(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(version|dilihat|ditanya)" value="([^"]*)"', page))


def confirm(client, check: str, **more):
    return post(client, check, seen(text_of(client.get(check))) | more)


def stored(patient) -> Patient:
    db.session.rollback()
    return db.session.get_one(Patient, patient.id, populate_existing=True)


def audited(action: str) -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


# --- The way ----------------------------------------------------------------------------------


def test_from_the_record_by_the_comparison_to_the_save(staff, siti):
    assert f'href="{address(siti)}"' in text_of(staff.get(f"/pasien/{siti.public_id}"))
    check = send(staff, siti, name="Siti Aminah", mother_name="Sulastri", phone="")
    page = text_of(staff.get(check))
    rows = re.findall(r"Sebelum:</small> (.*?)<br><small>Sesudah:</small> <b>(.*?)</b>", page)
    assert rows == [
        ("Siti Amina", "Siti Aminah"),
        ("kosong", "Sulastri"),
        ("+6281234567890", "kosong"),
    ]
    assert WHY in page
    assert stored(siti).name == "Siti Amina", "nothing is saved before the check"
    done = confirm(staff, check)
    assert (done.status_code, done.location) == (303, f"/pasien/{siti.public_id}")
    assert "Identitas diperbaiki" in text_of(staff.get(done.location))
    now = stored(siti)
    assert (now.name, now.mother_name, now.phone) == ("Siti Aminah", "Sulastri", None)
    (step,) = db.session.scalars(select(PatientVersion)).all()
    assert step.before == {"name": "Siti Amina", "mother_name": None, "phone": "+6281234567890"}
    assert step.reason == WHY
    (entry,) = audited("update_patient")
    assert (entry.reason, entry.patient_ref) == (WHY, siti.public_id)
    assert entry.user_id == factories.user("rekammedis").id
    assert db.session.scalars(select(PatientAlias.value)).all() == ["Siti Amina"]
    assert search.find("siti aminah")[0].patient.id == siti.id
    assert count(Visit) == 0


def test_the_head_may_and_nobody_else(sign_in, siti):
    assert sign_in("kepala").get(address(siti)).status_code == 200
    for name in ("loket", "umum", "ti"):
        client = sign_in(name)
        assert client.get(address(siti)).status_code == 403
        if name != "ti":
            assert address(siti) not in text_of(client.get(f"/pasien/{siti.public_id}"))


def test_the_same_save_twice_is_one_correction(staff, siti):
    check = send(staff, siti, name="Siti Aminah")
    fields = seen(text_of(staff.get(check)))
    first, second = (post(staff, check, fields) for _ in range(2))
    assert first.location == second.location == f"/pasien/{siti.public_id}"
    assert count(PatientVersion) == 1
    assert staff.get(check).location == f"/pasien/{siti.public_id}"


def test_without_a_reason_the_form_comes_back_as_typed(staff, siti):
    typed = values_of(text_of(staff.get(address(siti)))) | {"name": "Siti Aminah"}
    for why in ("", "  ", "ya"):
        refused = post(staff, address(siti), typed | {"alasan": why})
        page = text_of(refused)
        assert refused.status_code == 422
        assert 'href="#f-alasan"' in page
        assert 'value="Siti Aminah"' in page
    assert count(RegistrationDraft) == 0


def test_the_rules_are_those_of_the_counter(staff, siti):
    bad = {"nik": "123", "birth_date": "30-02-1990", "address": ""}
    typed = values_of(text_of(staff.get(address(siti)))) | bad | {"alasan": WHY}
    refused = post(staff, address(siti), typed)
    page = text_of(refused)
    assert refused.status_code == 422
    for name in bad:
        assert f'href="#f-{name}"' in page
    assert 'value="30-02-1990"' in page
    assert WHY in page


def test_a_warning_wants_a_reason_which_is_kept_with_the_correction(staff, siti):
    check = send(staff, siti, sex="L")
    refused = confirm(staff, check)
    assert refused.status_code == 422
    assert 'id="f-override_reason-NIK-SEX-error"' in text_of(refused)
    assert stored(siti).sex == "P"
    confirm(staff, check, **{"override_reason-NIK-SEX": "kartu salah cetak"})
    assert stored(siti).sex == "L"
    (entry,) = audited("update_patient")
    assert entry.reason == f"{WHY}; NIK-SEX: kartu salah cetak"


def test_going_back_keeps_everything_typed(staff, siti):
    check = send(staff, siti, sex="L", name="Siti Aminah")
    reason = {"override_reason-NIK-SEX": "kartu salah cetak"}
    back = post(staff, check, reason | {"aksi": "ubah:name"}).location
    assert back.startswith(f"{address(siti)}?draf=") and back.endswith("#f-name")
    form = values_of(text_of(staff.get(back.partition("#")[0])))
    assert (form["name"], form["sex"], form["alasan"]) == ("Siti Aminah", "L", WHY)
    again = post(staff, address(siti), form | {"mother_name": "Sulastri"}).location
    assert again == check, "the same draft"
    assert 'value="kartu salah cetak"' in text_of(staff.get(check))
    assert confirm(staff, check, **reason).status_code == 303
    assert stored(siti).mother_name == "Sulastri"


def test_nothing_changed_is_said_and_not_saved(staff, siti):
    check = send(staff, siti)
    page = text_of(staff.get(check))
    assert "Tidak ada yang berubah" in page
    assert "Simpan perbaikan" not in page
    refused = confirm(staff, check)
    assert refused.status_code == 409
    assert count(PatientVersion) == 0
    assert audited("update_patient") == []


def test_an_unknown_person_becomes_somebody(staff):
    unknown = factories.patient(
        "Tn. X 25-11-2026", sex="L", birth_date=None, no_nik_reason="TIDAK_DIKENAL", is_unknown=True
    )
    page = text_of(staff.get("/rekam-medis/lengkapi"))
    assert f'href="{address(unknown)}"' in page
    nik = factories.nik(date(1970, 3, 2), "L", 9)
    changes = {"name": "Wayan Sudira", "birth_date": "02-03-1970", "address": "Jalan Pura 4"}
    check = send(staff, unknown, nik=nik, no_nik_reason="", **changes)
    assert confirm(staff, check).status_code == 303
    now = stored(unknown)
    assert (now.name, now.nik, now.is_unknown, now.no_nik_reason) == (
        "Wayan Sudira",
        nik,
        False,
        None,
    )
    assert f'href="{address(unknown)}"' not in text_of(staff.get("/rekam-medis/lengkapi"))


def test_the_rooms_where_they_wait_show_the_new_name(staff):
    entry = factories.entry("UMUM", factories.patient("Siti Amina", birth_date=BORN))
    patient, day, room = entry.visit.patient, entry.service_day_id, entry.poli_id
    before = db.session.get_one(QueueState, (day, room)).version
    confirm(staff, send(staff, patient, name="Siti Aminah"))
    db.session.expire_all()
    assert db.session.get_one(QueueState, (day, room)).version > before
    before = db.session.get_one(QueueState, (day, room)).version
    right = replace(patients.identity_of(patient), birth_date=date(1958, 8, 17))
    with transaction():  # as a second registration of the day does
        visit_person.correct(factories.actor("loket"), patient, right, WHY)
    db.session.expire_all()
    assert db.session.get_one(QueueState, (day, room)).version > before, "the age stands there too"


# --- A wrong birth date, while they are here ----------------------------------------------------


def born_ago(**ago: int) -> date:
    return days.clinic_date() - timedelta(**ago)


def as_typed(born: date) -> str:
    return f"{born:%d-%m-%Y}"


def visit_of(person: Patient) -> Visit:
    db.session.rollback()
    return db.session.scalars(select(Visit).where(Visit.patient_id == person.id)).one()


def test_a_baby_whose_year_was_wrong_is_judged_as_a_baby(staff, sign_in):
    lacks = {"nik": None, "no_nik_reason": NoNikReason.NOT_BROUGHT, "mother_name": "Sulastri"}
    baby = factories.patient("Wildan", birth_date=born_ago(days=400), **lacks)
    entry = factories.entry("MTBS", baby)
    right = born_ago(days=35)
    check = send(staff, baby, birth_date=as_typed(right))
    assert confirm(staff, check).status_code == 303
    visit = visit_of(baby)
    assert (visit.age_years, visit.age_months, visit.age_days) == (0, 1, 35)
    with transaction():
        here, nurse = db.session.get_one(QueueEntry, entry.id), factories.actor("kia")
        queues.act(nurse, here, "mulai")
        cold = {"temperature": Decimal("35.0"), "respiration": 62}
        measurements.measure(nurse, here.visit, here, cold)
    page = text_of(sign_in("kia").get(f"/kunjungan/{visit.public_id}"))
    assert "suhu 35 °C pada bayi di bawah 2 bulan" in page


def test_a_corrected_birth_date_moves_cluster_and_priority_of_today_only(staff):
    lacks = {"nik": None, "no_nik_reason": NoNikReason.NOT_BROUGHT, "mother_name": "Sulastri"}
    person = factories.patient("Wildan", birth_date=BORN, **lacks)
    past_visits.add(person, 1)
    before = visit_of(person)
    today = factories.entry("UMUM", person)
    right = born_ago(days=500)
    check = send(staff, person, birth_date=as_typed(right))
    assert confirm(staff, check).status_code == 303
    db.session.expire_all()
    assert (today.visit.cluster, today.visit.priority) == ("2", Priority.TODDLER)
    assert today.is_priority
    assert before.age_days == (before.service_day.on - right).days, "judged by who it was"
    assert before.cluster == "3", "counted as it was that day"


@pytest.mark.engines("sqlite")
def test_a_visit_before_the_corrected_birth_has_no_age(app):
    person = factories.patient("Wildan", birth_date=BORN)
    past_visits.add(person, 3)
    right = replace(patients.identity_of(person), birth_date=born_ago(days=2))
    with transaction():
        patients.update(factories.actor("rekammedis"), db.session.merge(person), right, WHY)
    visits = db.session.scalars(select(Visit).order_by(Visit.occurred_at.desc()))
    assert [visit.age_days for visit in visits] == [1, 0, None]


# --- Somebody else's NIK, somebody alike --------------------------------------------------------


def test_a_nik_of_somebody_else_is_compared_and_goes_to_the_worklist(staff, siti):
    owner = factories.patient("Ketut Ngurah", sex="L", birth_date=date(1950, 3, 2))
    check = send(staff, siti, nik=owner.nik)
    page = text_of(staff.get(check))
    assert 'data-rule="NIK-TAKEN"' in page
    assert "Bandingkan dengan Ketut Ngurah" in page
    assert "<small>Pasien itu:</small> Ketut Ngurah" in page
    sure = {"override_reason": "sudah diperiksa"}
    for_all = confirm(staff, check, **{"override_reason-NIK-SEX": "kartu", **sure})
    assert for_all.status_code == 303, "the page showed whose NIK it is"
    now = stored(siti)
    assert (now.nik, now.is_nik_disputed) == (owner.nik, True)
    assert stored(owner).is_nik_disputed is False
    (pair,) = db.session.scalars(select(SuspectedPair)).all()
    assert {pair.first_id, pair.second_id} == {siti.id, owner.id}
    assert (pair.state, pair.source) == (PairState.OPEN, PairSource.RECORDS)
    assert "Pasangan mirip" in text_of(staff.get(for_all.location))
    assert "Ketut Ngurah" in text_of(staff.get("/rekam-medis"))


def test_a_card_of_somebody_else_wants_a_reason_and_an_answer(staff, siti):
    card = "0002847361958"
    owner = factories.patient("Ketut Ngurah", sex="L", birth_date=date(1950, 3, 2))
    confirm(staff, send(staff, owner, bpjs_number=card))
    check = send(staff, siti, bpjs_number=card)
    page = text_of(staff.get(check))
    assert 'data-rule="BPJS-TAKEN" data-level="warning"' in page
    assert f'data-patient="{owner.public_id}" data-level="strong"' in page
    said = {f"jawab-{owner.public_id}": "ragu"}
    assert confirm(staff, check, **said).status_code == 422
    reason = {"override_reason-BPJS-TAKEN": "kartu keluarga, sudah ditanyakan"}
    assert confirm(staff, check, **said, **reason).status_code == 303
    assert stored(siti).bpjs_number == card
    (pair,) = db.session.scalars(select(SuspectedPair)).all()
    assert {pair.first_id, pair.second_id} == {siti.id, owner.id}


def test_a_nik_that_was_taken_since_the_page_was_shown_wants_its_own_reason(staff, siti):
    nik = factories.nik(date(1950, 3, 2), "L", 88)
    check = send(staff, siti, nik=nik)
    fields = seen(text_of(staff.get(check))) | {"override_reason": "sudah diperiksa"}
    factories.patient("Ketut Ngurah", sex="L", birth_date=date(1950, 3, 2), nik=nik)
    refused = post(staff, check, fields)
    assert refused.status_code == 422
    assert "baru saja didaftarkan" in text_of(refused)
    assert stored(siti).nik != nik


def test_somebody_alike_must_be_answered_and_the_answer_is_a_pair(staff, siti):
    double = factories.patient("Siti Aminah", birth_date=BORN, no_nik_reason="LUPA_KARTU")
    check = send(staff, siti, name="Siti Aminah")
    page = text_of(staff.get(check))
    assert f'name="ditanya" value="{double.public_id}"' in page
    assert f"ini:{double.public_id}" not in page
    assert confirm(staff, check).status_code == 422
    done = confirm(staff, check, **{f"jawab-{double.public_id}": "ragu"})
    assert done.status_code == 303
    (pair,) = db.session.scalars(select(SuspectedPair)).all()
    assert (pair.state, pair.source) == (PairState.OPEN, PairSource.RECORDS)


def test_a_decided_dispute_is_not_opened_again_by_another_correction(staff, siti):
    owner = factories.patient("Ketut Ngurah", sex="L", birth_date=date(1950, 3, 2))
    reasons = {"override_reason": "sudah diperiksa"}
    assert confirm(staff, send(staff, siti, nik=owner.nik), **reasons).status_code == 303
    with transaction():
        pair = db.session.scalars(select(SuspectedPair)).one()
        pairs.decide_different(factories.actor("rekammedis"), pair, "dua orang")
    assert confirm(staff, send(staff, siti, address="Jalan X"), **reasons).status_code == 303
    db.session.expire_all()
    assert db.session.scalars(select(SuspectedPair)).one().state == PairState.DIFFERENT


# --- Others change it meanwhile -----------------------------------------------------------------


def change(patient, **fields) -> None:
    with transaction():
        found = db.session.get_one(Patient, patient.id)
        identity = patients.Identity(**vars(patients.identity_of(found)) | fields)
        patients.update(factories.actor(), found, identity, "di loket")


def test_a_change_meanwhile_is_shown_before_the_save_and_nothing_typed_is_lost(staff, siti):
    check = send(staff, siti, name="Siti Aminah", sex="L")
    reason = {"override_reason-NIK-SEX": "kartu salah cetak"}
    old = seen(text_of(staff.get(check)))
    change(siti, address="Jalan Baru 1", name="Siti Aminatun")
    refused = post(staff, check, old | reason)
    page = text_of(refused)
    assert refused.status_code == 409
    assert "baru saja diubah" in page
    assert (
        "<small>Sebelum:</small> Siti Aminatun<br><small>Sesudah:</small> <b>Siti Aminah</b>"
        in page
    )
    assert 'value="kartu salah cetak"' in page
    assert stored(siti).name == "Siti Aminatun"
    assert post(staff, check, seen(page) | reason).status_code == 303
    now = stored(siti)
    assert (now.name, now.sex, now.address) == ("Siti Aminah", "L", "Jalan Baru 1")


def test_of_two_who_correct_at_once_the_second_sees_the_firsts_work(sign_in, siti):
    one, other = sign_in("rekammedis"), sign_in("kepala")
    checks = [(one, send(one, siti, name="Siti A")), (other, send(other, siti, name="Siti B"))]
    ready = [(client, check, seen(text_of(client.get(check)))) for client, check in checks]
    statuses = [post(client, check, fields).status_code for client, check, fields in ready]
    assert statuses == [303, 409]
    assert stored(siti).name == "Siti A"
    assert count(PatientVersion) == 1


def test_a_record_that_was_merged_meanwhile_is_corrected_where_it_went(staff, siti):
    double = factories.patient("Siti Aminahh", birth_date=BORN, no_nik_reason="LUPA_KARTU")
    check = send(staff, double, mother_name="Sulastri", **{f"jawab-{siti.public_id}": "ragu"})
    old = seen(text_of(staff.get(check)))
    with transaction():
        people = [db.session.get_one(Patient, one.id) for one in (siti, double)]
        merging.merge(factories.actor("rekammedis"), *people, {}, "orang yang sama")
    refused = post(staff, check, old)
    assert refused.status_code == 409
    back = post(staff, check, {"aksi": "kembali"}).location
    moved = staff.get(back).location
    assert moved.startswith(address(siti))
    form = values_of(text_of(staff.get(moved)))
    assert (form["name"], form["mother_name"], form["alasan"]) == ("Siti Amina", "Sulastri", WHY)
    assert confirm(staff, check).status_code == 303
    now = stored(siti)
    assert (now.name, now.mother_name, now.phone) == ("Siti Amina", "Sulastri", "+6281234567890")
    assert stored(double).mother_name is None


# --- A correction is no registration --------------------------------------------------------------


def test_no_desk_takes_a_correction_for_a_registration(sign_in, siti):
    head = sign_in("kepala")
    check = send(head, siti, name="Siti Aminah")
    ref = check.rsplit("/", 1)[-1]
    assert ref not in text_of(head.get("/pendaftaran"))
    assert head.get(f"/pendaftaran/periksa/{ref}").status_code == 404
    assert post(head, f"/pendaftaran/periksa/{ref}", {"version": "1"}).status_code == 404
    assert head.get(f"/pendaftaran/banding/{ref}/{siti.public_id}").status_code == 404
    other = factories.patient("Wayan")
    assert head.get(f"{address(other)}/{ref}").status_code == 404
    # nor does a registration's form write over it, or the other way round
    form = {"name": "Ana", "sex": "P", "birth_date": "01-02-1990", "address": "J", "draft": ref}
    form |= {"no_nik_reason": "LUPA_KARTU", "complaint": "sakit gigi", "poli": "GIGI"}
    new = post(head, "/pendaftaran/baru", form).location.rsplit("/", 1)[-1]
    assert new != ref
    assert head.get(f"{address(siti)}/{new}").status_code == 404
    assert send(head, siti, draft=new).rsplit("/", 1)[-1] != new
    assert confirm(head, check).status_code == 303
    assert stored(siti).name == "Siti Aminah"
