"""Merging two records and undoing it, on both engines: what goes over, what stays, what comes back.

Any order of steps is test_merging_property's; here stands each rule by itself.
"""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from clinic import (
    allergies,
    audit,
    consents,
    days,
    history,
    merging,
    pairs,
    patients,
    queue_lines,
    queue_version,
    queues,
    search,
    wrong_patient,
)
from clinic.matching import Person
from clinic.merge_fields import MergeError
from clinic.rebase import rebase
from db import db, transaction
from models import (
    Allergy,
    AuditEntry,
    CaseType,
    ConsentDecision,
    NoNikReason,
    PairSource,
    PairState,
    Patient,
    PatientAlias,
    PatientToken,
    PatientVersion,
    Signer,
    Visit,
)
from tests import factories, past_visits
from tests.pages import post

KK = "6472011203140007"


@pytest.fixture
def records(app):
    return factories.actor("rekammedis")


@pytest.fixture
def siti(app) -> Patient:
    return factories.patient(phone="+62811111111", payer="JKN_PBI")


@pytest.fixture
def double(app) -> Patient:
    """The same Siti, registered again without her card."""
    return factories.patient(
        "Sitti Aminnah", nik=None, no_nik_reason=NoNikReason.NOT_BROUGHT, phone="+62822222222"
    )


def merge(actor, survivor, loser, picked=None, reason="orang yang sama", pair=None):
    with transaction():
        return merging.merge(actor, survivor, loser, picked or {}, reason, pair)


def undo(actor, done, reason="ternyata dua orang") -> list[str]:
    with transaction():
        return merging.undo(actor, done, reason)


def refused(work, *args, **more) -> str:
    with pytest.raises(MergeError) as caught:
        work(*args, **more)
    db.session.rollback()
    return str(caught.value)


def correct(patient: Patient, **changes) -> None:
    with transaction():
        identity = replace(patients.identity_of(patient), **changes)
        patients.update(audit.SYSTEM, patient, identity, "pembetulan")


def allergy(patient: Patient, substance: str) -> Allergy:
    with transaction():
        return allergies.add_allergy(factories.actor("umum"), patient, substance)


def visits_of(patient: Patient) -> list[str]:
    return sorted(line.label for line in history.visit_lines(patient, 100))


def aliases_of(patient: Patient) -> set[tuple[str, str]]:
    rows = select(PatientAlias.kind, PatientAlias.value).where(
        PatientAlias.patient_id == patient.id, PatientAlias.ended_at.is_(None)
    )
    return {(kind.value, value) for kind, value in db.session.execute(rows)}


def words_of(patient: Patient) -> set[str]:
    rows = select(PatientToken.word).where(PatientToken.patient_id == patient.id)
    return set(db.session.scalars(rows))


def found(q: str) -> list[str]:
    return [one.patient.mrn for one in search.find(q)]


def pair_of(one: Patient, other: Patient, state=PairState.OPEN):
    with transaction():
        return pairs.note(audit.SYSTEM, one, other, state, source=PairSource.COUNTER)


# --- What a merge does ------------------------------------------------------------------------


def test_what_belongs_to_the_person_goes_over(records, siti, double):
    past_visits.add(siti, 2)
    past_visits.add(double, 3)
    allergy(siti, "Udang")
    allergy(double, "Amoksisilin")
    correct(double, name="Siti Amina")
    done = merge(records, siti, double)
    assert len(visits_of(siti)) == 5 and visits_of(double) == []
    assert [a.substance for a in allergies.current(siti)] == ["Udang", "Amoksisilin"]
    assert merging.belongings_of(done) == {
        "visit": 3,
        "allergy": 1,
        "consent": 0,
        "patient_alias": 1,
    }
    originals = select(Visit.original_patient_id).where(Visit.patient_id == siti.id)
    assert sorted(db.session.scalars(originals)) == sorted([siti.id] * 2 + [double.id] * 3)


def test_what_is_recorded_for_a_record_that_was_just_merged_stands_where_it_is_read(
    records, siti, double
):
    """The page was opened before; the merge came first by a moment."""
    merge(records, siti, double)
    allergy(double, "Amoksisilin")
    nurse, granted = factories.actor("umum"), ConsentDecision.GIVEN
    with transaction():
        consents.record(nurse, double, granted, Signer.PATIENT, "", "")
    assert [a.substance for a in allergies.current(siti)] == ["Amoksisilin"]
    assert consents.current(siti).decision is granted


def test_the_lost_record_stays_as_it_stood_and_leads_on(records, siti, double):
    before = patients.identity_of(double)
    merge(records, siti, double)
    assert patients.identity_of(double) == before
    assert patients.current(double).id == siti.id
    assert aliases_of(siti) == {("mrn", double.mrn), ("name", "Sitti Aminnah")}


def test_search_finds_the_survivor_by_everything_of_the_other(records, siti, app):
    card = "0001112223334"
    other = factories.patient("Fatmawati Yusuf", nik="6472015205900077", bpjs_number=card)
    correct(other, name="Fatma Yusuf")
    merge(records, siti, other)
    for q in (other.mrn, other.mrn.lstrip("0"), other.nik, card, "Fatma", "Fatmawati"):
        assert found(q) == [siti.mrn], q
    assert patients.by_nik(other.nik).id == siti.id


def test_picked_fields_are_an_ordinary_correction(records, siti, double):
    done = merge(records, siti, double, {"name": "loser", "phone": "loser", "payer": "survivor"})
    assert (siti.name, siti.phone, siti.payer) == ("Sitti Aminnah", "+62822222222", "JKN_PBI")
    version = db.session.scalars(
        select(PatientVersion).where(PatientVersion.patient_id == siti.id)
    ).one()
    assert version.before == {"name": "Siti Aminah", "phone": "+62811111111"}
    assert version.reason == f"Digabung dengan No. RM {double.mrn}: orang yang sama"
    assert aliases_of(siti) == {("mrn", double.mrn), ("name", "Siti Aminah")}
    assert done.fields["phone"] == {"before": "+62811111111", "after": "+62822222222"}


def test_the_survivor_may_take_the_nik_of_the_other(records, siti, double):
    merge(records, double, siti, {"nik": "loser"})
    assert (double.nik, double.no_nik_reason) == (siti.nik, None)
    assert not double.is_nik_disputed
    assert patients.by_nik(siti.nik).id == double.id


def test_no_nik_is_taken_over_with_its_reason(records, siti, double):
    nik = siti.nik
    merge(records, siti, double, {"nik": "loser", "no_nik_reason": "survivor"})
    assert (siti.nik, siti.no_nik_reason) == (None, NoNikReason.NOT_BROUGHT)
    assert ("nik", nik) in aliases_of(siti)


def test_who_was_unknown_is_known_with_the_name(records, siti):
    stranger = factories.patient(
        "Ny. X", nik=None, no_nik_reason=NoNikReason.UNKNOWN, birth_date=None, is_unknown=True
    )
    merge(records, stranger, siti, {"name": "loser", "nik": "loser", "birth_date": "loser"})
    assert (stranger.name, stranger.is_unknown) == ("Siti Aminah", False)


@pytest.mark.parametrize("disputed_survives", [True, False])
def test_a_nik_of_both_is_no_longer_disputed(records, siti, disputed_survives):
    with transaction():
        copy = replace(patients.identity_of(siti), name="Siti Aminah B")
        claim = patients.create(audit.SYSTEM, copy, nik_disputed=True)
    survivor, loser = (claim, siti) if disputed_survives else (siti, claim)
    done = merge(records, survivor, loser)
    assert not survivor.is_nik_disputed
    undo(records, done)
    assert claim.is_nik_disputed and not siti.is_nik_disputed


def test_a_doubtful_number_is_taken_over_with_its_doubt(records, siti, double):
    with transaction():
        copy = replace(patients.identity_of(siti), name="Sarinah")
        claim = patients.create(audit.SYSTEM, copy, nik_disputed=True)
    done = merge(records, double, claim, {"nik": "loser"})
    assert (double.nik, double.is_nik_disputed) == (siti.nik, True)
    undo(records, done)
    assert (double.nik, double.is_nik_disputed) == (None, False)


def test_the_family_card_can_be_picked(records, siti, double):
    sister = factories.patient("Rahma", kk_number=KK)
    correct(double, kk_number=KK)
    assert [p.id for p in patients.household_members(sister)] == [double.id]
    done = merge(records, siti, double, {"kk_number": "loser"})
    assert [p.id for p in patients.household_members(sister)] == [siti.id]
    undo(records, done)
    assert [p.id for p in patients.household_members(sister)] == [double.id]


def test_visits_keep_what_they_noted_of_the_person(records, siti, double):
    past_visits.add(double, 1)
    with transaction():
        visit = db.session.scalars(select(Visit).where(Visit.patient_id == double.id)).one()
        visit.payer, visit.village, visit.is_new_patient = "JAMKESDA", "Muara", True
    merge(records, siti, double)
    assert visit.patient is siti
    assert (visit.payer, visit.village, visit.is_new_patient) == ("JAMKESDA", "Muara", True)


def test_one_entry_says_who_merged_what_and_why(records, siti, double):
    done = merge(records, siti, double, {"name": "loser"})
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.object_ref) == ("merge_patients", done.public_id)
    assert (entry.user_id, entry.patient_ref) == (records.user_id, siti.public_id)
    assert (entry.reason, entry.details) == ("orang yang sama", f"{double.mrn} > {siti.mrn}")
    assert (done.merged_by_id, done.reason) == (records.user_id, "orang yang sama")
    assert audit.broken_link() is None


# --- What is refused --------------------------------------------------------------------------


def test_what_cannot_be_merged_is_said(records, siti, double):
    assert "rekam yang sama" in merging.refusal(siti, siti)
    assert merging.refusal(siti, double) == ""
    merge(records, siti, double)
    other = factories.patient("Ani")
    sentence = f"No. RM {double.mrn} sudah digabung ke No. RM {siti.mrn}."
    assert merging.refusal(other, double) == merging.refusal(double, other) == sentence
    assert refused(merge, records, siti, double) == sentence
    with transaction():
        other.is_active = False
    assert "tidak aktif" in merging.refusal(siti, other)


def test_open_queue_entries_are_named(records, siti, double):
    first, second = factories.entry("UMUM", double), factories.entry("GIGI", siti)
    sentence = "Selesaikan atau batalkan dahulu antrean {} di Poli Umum dan {} di {}."
    rooms = (first.visit.label, second.visit.label, second.poli.name)
    assert refused(merge, records, siti, double) == sentence.format(*rooms)
    assert patients.current(double).id == double.id
    with transaction():
        for entry in (first, second):
            queues.act(factories.actor("kepala"), entry, "batal", "salah daftar")
    assert merging.refusal(siti, double) == ""


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_without_a_reason_nothing_happens(records, siti, double, reason):
    assert refused(merge, records, siti, double, reason=reason) == "Tulis alasannya."
    done = merge(records, siti, double)
    assert refused(undo, records, done, reason) == "Tulis alasannya."
    assert refused(merge, records, siti, double, reason="x" * 301).startswith("Tulisan terlalu")


@pytest.mark.parametrize("picked", [{"mrn": "loser"}, {"name": "both"}])
def test_unknown_fields_and_sides_are_refused(records, siti, double, picked):
    assert "tidak dikenal" in refused(merge, records, siti, double, picked)


def test_a_pair_about_others_is_refused(records, siti, double):
    pair = pair_of(siti, factories.patient("Ani"))
    assert "rekam yang lain" in refused(merge, records, siti, double, pair=pair)


# --- Undo -------------------------------------------------------------------------------------


def test_undo_restores_exactly(records, siti, double):
    past_visits.add(double, 2)
    allergy(double, "Amoksisilin")
    correct(double, name="Rahma Amina")
    both = (siti, double)

    def state():
        return [
            (patients.identity_of(one), visits_of(one), aliases_of(one), words_of(one))
            for one in both
        ]

    before = state()
    picked = dict.fromkeys(("name", "nik", "phone", "payer"), "loser")
    done = merge(records, siti, double, picked)
    assert state() != before
    assert undo(records, done) == []
    assert state() == before
    assert [a.substance for a in allergies.current(double)] == ["Amoksisilin"]
    assert patients.current(double).id == double.id
    assert (done.undone_by_id, done.undo_reason) == (records.user_id, "ternyata dua orang")
    assert refused(undo, records, done) == "Penggabungan ini sudah diurungkan."
    last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (last.action, last.object_ref) == ("undo_merge", done.public_id)


def ages_of(patient: Patient) -> list[int]:
    mine = select(Visit.age_years).where(Visit.patient_id == patient.id)
    return list(db.session.scalars(mine.order_by(Visit.id)))


def test_visits_are_judged_by_the_birth_date_of_whose_record_they_are(records, siti, double):
    past_visits.add(siti, 1)
    past_visits.add(double, 1)
    correct(double, birth_date=date(1990, 5, 14))
    own, other = days.clinic_date().year - 1985, days.clinic_date().year - 1990
    done = merge(records, siti, double)
    assert len(set(ages_of(siti))) == 1 and ages_of(siti)[0] in (own, own - 1)
    undo(records, done)
    assert ages_of(siti)[0] - ages_of(double)[0] == own - other


def give_ihs(patient: Patient, number: str | None) -> None:
    with transaction():
        patient.ihs_number = number


@pytest.mark.parametrize("own", [None, "P00000000001"])
def test_the_ihs_number_is_carried_and_given_back(records, siti, double, own):
    give_ihs(siti, own)
    give_ihs(double, "P00000000002")
    done = merge(records, siti, double, {"ihs_number": "loser"})
    assert siti.ihs_number == "P00000000002"
    assert done.fields == {"ihs_number": {"before": own, "after": "P00000000002"}}
    assert undo(records, done) == []
    assert (siti.ihs_number, double.ihs_number) == (own, "P00000000002")
    done = merge(records, siti, double)
    assert siti.ihs_number == own, "nobody picked the other"
    undo(records, done)
    assert siti.ihs_number == own


def test_an_ihs_number_that_came_since_the_merge_stays_and_is_named(records, siti, double):
    give_ihs(double, "P00000000002")
    done = merge(records, siti, double, {"ihs_number": "loser"})
    give_ihs(siti, "P00000000003")
    assert undo(records, done) == ["ihs_number"]
    assert siti.ihs_number == "P00000000003"


def test_two_merges_that_changed_the_ihs_number_are_undone_in_order(records, siti, double):
    third = factories.patient("Siti Aminah", nik=None, no_nik_reason=NoNikReason.NOT_BROUGHT)
    give_ihs(double, "P00000000002")
    give_ihs(third, "P00000000003")
    first = merge(records, siti, double, {"ihs_number": "loser"})
    second = merge(records, siti, third, {"ihs_number": "loser"})
    assert "mengubah isian yang sama" in refused(undo, records, first)
    assert undo(records, second) == [] and siti.ihs_number == "P00000000002"
    assert undo(records, first) == [] and siti.ihs_number is None


def test_what_came_after_the_merge_stays_with_the_survivor(records, siti, double):
    past_visits.add(double, 1)
    done = merge(records, siti, double)
    past_visits.add(siti, 2)
    allergy(siti, "Kacang")
    undo(records, done)
    assert (len(visits_of(siti)), len(visits_of(double))) == (2, 1)
    assert [a.substance for a in allergies.current(siti)] == ["Kacang"]


def test_a_visit_that_was_corrected_since_stays_where_it_was_put(records, siti, double):
    other = factories.patient("Ani")
    past_visits.add(double, 2)
    rows = select(Visit).where(Visit.patient_id == double.id).order_by(Visit.id)
    away, back = db.session.scalars(rows).all()
    done = merge(records, siti, double)
    for visit in (away, back):  # past_visits examines; a correction of the counter may not
        with transaction():
            visit.patient_id = visit.original_patient_id = other.id
    with transaction():
        back.patient_id = back.original_patient_id = siti.id
    undo(records, done)
    assert visits_of(other) == [away.label] and visits_of(siti) == [back.label]
    assert visits_of(double) == []


def test_a_field_that_was_changed_again_stays_and_is_named(records, siti, double):
    done = merge(records, siti, double, {"name": "loser", "phone": "loser", "nik": "loser"})
    correct(siti, name="Siti Aminah binti Ali", phone="+62833333333")
    assert undo(records, done) == ["name", "phone"]
    assert (siti.name, siti.phone) == ("Siti Aminah binti Ali", "+62833333333")
    assert siti.nik and siti.no_nik_reason is None
    # She was never called what the merge had called her.
    assert aliases_of(siti) == {("name", "Siti Aminah")}


def test_what_belongs_together_is_put_back_together(records, siti, double):
    correct(siti, phone_owner="suami")
    correct(double, phone_owner="anak")
    done = merge(records, siti, double, {"phone": "loser"})
    assert siti.phone_owner == "anak"
    correct(siti, phone="+62844444444")
    assert undo(records, done) == ["phone", "phone_owner"]
    assert (siti.phone, siti.phone_owner) == ("+62844444444", "anak")


def test_an_alias_that_the_merge_ended_holds_again(records, siti, double):
    correct(siti, name="Sitti Aminnah")
    correct(siti, name="Siti Aminah")
    before = aliases_of(siti)
    done = merge(records, siti, double, {"name": "loser"})
    undo(records, done)
    assert aliases_of(siti) == before >= {("name", "Sitti Aminnah")}


def test_a_nik_given_away_meanwhile_comes_back_disputed(records, siti, double):
    done = merge(records, double, siti)
    new = factories.patient("Sarinah", nik=siti.nik)
    undo(records, done)
    assert siti.is_nik_disputed and not new.is_nik_disputed
    assert patients.by_nik(siti.nik).id == new.id


def test_a_nik_of_the_survivor_given_away_meanwhile_comes_back_disputed(records, siti, double):
    nik = siti.nik
    done = merge(records, siti, double, {"nik": "loser"})
    new = factories.patient("Sarinah", nik=nik)
    assert undo(records, done) == []
    assert (siti.nik, siti.is_nik_disputed, new.is_nik_disputed) == (nik, True, False)


def test_no_undo_while_what_went_over_stands_in_a_queue(records, siti, double):
    entry = factories.entry("UMUM", double)
    visit = entry.visit
    with transaction():
        queues.act(factories.actor("kepala"), entry, "batal", "salah daftar")
    done = merge(records, siti, double)
    with transaction():
        queues.enqueue(audit.SYSTEM, visit, factories.poli("GIGI"), kind="registered")
    assert refused(undo, records, done).startswith(
        f"Selesaikan atau batalkan dahulu antrean {visit.label} di Poli Gigi"
    )


def test_a_new_visit_of_the_survivor_is_no_obstacle(records, siti, double):
    done = merge(records, siti, double)
    visit = factories.visit(siti)
    undo(records, done)
    assert visits_of(siti) == [visit.label]


# --- Merges of merges -------------------------------------------------------------------------


def test_a_chain_is_undone_from_its_end(records, siti, double):
    third = factories.patient("Ani")
    past_visits.add(siti, 1)
    past_visits.add(double, 1)
    first = merge(records, siti, double)
    second = merge(records, third, siti)
    assert patients.current(double).id == third.id and len(visits_of(third)) == 2
    assert found(double.mrn) == found(siti.mrn) == [third.mrn]
    sentence = refused(undo, records, first)
    assert f"No. RM {siti.mrn} sendiri sudah digabung ke No. RM {third.mrn}" in sentence
    undo(records, second)
    assert (len(visits_of(siti)), visits_of(third)) == (2, [])
    assert aliases_of(third) == set()
    undo(records, first)
    assert (len(visits_of(siti)), len(visits_of(double))) == (1, 1)


def test_merges_that_changed_other_fields_are_undone_in_any_order(records, siti, double):
    other = factories.patient("Sitti Aminnah", payer="JAMKESDA")
    first = merge(records, siti, double, {"name": "loser"})
    second = merge(records, siti, other, {"payer": "loser"})
    undo(records, first)
    assert (siti.name, siti.payer) == ("Siti Aminah", "JAMKESDA")
    # Its name was no alias as long as the survivor bore it.
    assert ("name", "Sitti Aminnah") in aliases_of(siti)
    undo(records, second)
    assert (siti.payer, aliases_of(siti)) == ("JKN_PBI", set())


def test_of_two_that_changed_the_same_field_the_newer_goes_first(records, siti, double):
    other = factories.patient("Aminah")
    first = merge(records, siti, double, {"name": "loser"})
    second = merge(records, siti, other, {"name": "loser"})
    assert f"Urungkan dahulu penggabungan No. RM {other.mrn}" in refused(undo, records, first)
    undo(records, second)
    undo(records, first)
    assert (siti.name, aliases_of(siti)) == ("Siti Aminah", set())


def test_a_pair_is_merged_as_long_as_both_are_one_record(records, siti, double):
    third = factories.patient("Ani")
    pair, beside = pair_of(siti, double), pair_of(double, third)
    different = pair_of(siti, third, PairState.DIFFERENT)
    first = merge(records, siti, double, pair=pair)
    assert (first.pair_id, pair.state, pair.decided_by_id) == (pair.id, "merged", records.user_id)
    assert (beside.state, pairs.count_open()) == (PairState.OPEN, 0)  # answered for siti already
    second = merge(records, siti, third)
    assert (beside.state, different.state) == (PairState.MERGED, PairState.MERGED)
    undo(records, second)
    assert (pair.state, beside.state, different.state) == ("merged", "open", "open")
    undo(records, first)
    assert pair.state == PairState.OPEN and pair.decided_at is None
    assert pair.note == "Penggabungan diurungkan: ternyata dua orang"


# --- Everything else follows ------------------------------------------------------------------


def test_two_records_of_one_person_are_no_namesakes_in_the_queue(records, siti, app):
    twin = factories.patient(siti.name)
    shown = factories.entry("UMUM", siti)
    gone = factories.entry("UMUM", twin)
    with transaction():
        for entry in (shown, gone):
            queues.act(factories.actor("kepala"), entry, "batal", "salah daftar")
    version = queue_version.present_version(shown.poli_id)
    merge(records, siti, twin)
    # The pages of the rooms show names and allergies.
    assert queue_version.present_version(shown.poli_id) != version
    shown = factories.entry("UMUM", siti)
    rows = queue_lines.room_queue(factories.poli(), days.current_day()).waiting
    assert [row.same_name for row in rows if row.ref == shown.public_id] == [None]


def test_the_history_of_both_is_read_as_one(records, siti, double):
    past_visits.add(double, 2)
    assert factories.suggested_case_type(siti, "J06.9") == CaseType.NEW
    merge(records, siti, double)
    read = history.history(siti)
    assert [visit.rooms[0].examination.assessment for visit in read] == [
        "penilaian 1",
        "penilaian 2",
    ]
    assert factories.suggested_case_type(siti, "J06.9") == CaseType.OLD


def test_a_likely_patient_is_the_survivor_and_appears_once(records, siti, double):
    asked = Person(name="Sitti Aminnah", birth_date=double.birth_date, sex="P")
    assert {match.patient.mrn for match in search.likely(asked)} == {siti.mrn, double.mrn}
    merge(records, siti, double)
    assert [match.patient.mrn for match in search.likely(asked)] == [siti.mrn]
    assert search.likely(asked, exclude_ref=siti.public_id) == []


def test_a_visit_cannot_be_moved_to_a_record_that_was_merged(records, siti, double):
    merge(records, siti, double)
    visit = factories.visit(factories.patient("Ani"))
    with transaction():
        wrong_patient.reassign(records, visit, double, "salah orang")
    assert visit.patient is siti and visit.original_patient_id == siti.id


def test_old_links_lead_to_the_survivor(records, siti, double, sign_in):
    entry = factories.entry("UMUM", double)
    with transaction():
        queues.act(factories.actor("kepala"), entry, "batal", "salah daftar")
    merge(records, siti, double)
    clerk, doctor, head = sign_in("loket"), sign_in("umum"), sign_in("kepala")
    ticket = clerk.get(f"/pendaftaran/tiket/{entry.visit.public_id}").get_data(as_text=True)
    form = clerk.get(f"/pendaftaran/pasien/{double.public_id}").get_data(as_text=True)
    for page in (ticket, form):
        assert "Siti Aminah" in page and "Sitti Aminnah" not in page
    old = head.get(f"/pasien/{double.public_id}")
    assert (old.status_code, old.location) == (302, f"/pasien/{siti.public_id}")
    # Whoever was in this room today may be read there, now under the survivor's name.
    record = doctor.get(f"/pasien/{siti.public_id}").get_data(as_text=True)
    assert entry.visit.label in record or "Poli Umum" in record


def test_an_opened_record_is_opened_anew_after_a_merge(records, siti, double, sign_in):
    dentist = sign_in("gigi")
    reason = {"alasan": "titip obat lewat poli gigi"}

    def is_open(patient: Patient) -> bool:
        page = dentist.get(f"/pasien/{patient.public_id}").get_data(as_text=True)
        return 'name="alasan"' not in page

    post(dentist, f"/pasien/{double.public_id}/buka", reason)
    assert is_open(double) and not is_open(siti)
    done = merge(records, siti, double)
    assert not is_open(siti)  # more stands there than what the reason was given for
    post(dentist, f"/pasien/{double.public_id}/buka", reason)
    assert is_open(siti)
    undo(records, done)
    assert is_open(siti) and is_open(double)


FIELDS = {
    "name": "Sitti Aminnah",
    "sex": "P",
    "birth_date": "14-05-1985",
    "no_nik_reason": "BELUM_BAWA",
    "address": "Jalan Kenanga 12",
    "village": "Tirta Alur",
    "payer": "UMUM",
    "complaint": "demam dan batuk",
    "poli": "UMUM",
}


def test_a_registration_begun_on_the_lost_record_goes_on_with_the_survivor(
    records, siti, double, sign_in
):
    clerk = sign_in("loket")
    typed = FIELDS | {"phone": "0899 0000 1111"}
    sent = post(clerk, f"/pendaftaran/pasien/{double.public_id}", typed)
    merge(records, siti, double)
    page = clerk.get(sent.location).get_data(as_text=True)
    assert "Siti Aminah" in page and "Sitti Aminnah" not in page
    assert "NIK-TAKEN" not in page  # what was left alone is the survivor's: her NIK too
    answers = {"override_reason": "sudah dicek", f"jawab-{siti.public_id}": "ragu"}
    saved = post(clerk, sent.location, {"version": "1", **answers})
    assert saved.status_code == 303, saved.get_data(as_text=True)
    db.session.expire_all()
    assert len(visits_of(siti)) == 1 and visits_of(double) == []
    assert (siti.name, siti.phone, siti.payer) == ("Siti Aminah", "+6289900001111", "JKN_PBI")
    assert siti.nik is not None


def test_what_was_typed_over_the_lost_record_is_put_upon_the_survivor(records, siti, double):
    typed = replace(patients.identity_of(double), phone="+62855555555", address="Jalan Baru 1")
    correct(double, payer="JAMKESDA")
    merge(records, siti, double)
    onto = rebase(double, typed, 1)
    wanted = replace(patients.identity_of(siti), phone="+62855555555", address="Jalan Baru 1")
    assert onto == wanted
