"""The demo clinic: believable people, two years that keep every rule, a living today."""

import gzip
import os
import subprocess
import sys
from collections import Counter as Tally
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

import demo_commands
from clinic import (
    audit,
    days,
    demo,
    demo_cases,
    demo_laboratory,
    demo_people,
    dispensing_queue,
    pairs,
    reference,
    routing,
    settings,
    stock_lists,
)
from clinic.days import STILL_HERE
from clinic.demo_visits import Calendar
from clinic.nik_checks import nik_findings
from clinic.queue_lines import room_queue
from clinic.report_definitions import REPORTS
from clinic.villages import is_in_area
from clinic.vital_signs import VITAL_RANGES, vital_findings
from db import db, transaction, utcnow
from formatting import age_on
from models import (
    Allergy,
    AuditEntry,
    Counter,
    DatePrecision,
    Diagnosis,
    EntryKind,
    EntryState,
    Examination,
    Icd10Term,
    LabFlag,
    LabOrder,
    LabOrderState,
    LabResult,
    LabTest,
    Patient,
    Poli,
    Prescription,
    PrescriptionState,
    QueueEntry,
    QueueEvent,
    RegistrationDraft,
    ServiceDay,
    StockBatch,
    StockMove,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests.pages import PageClient, login
from tests.test_budgets import LARGE_REPORTS, get
from validators import NO_NIK_REASONS, nik_dates, parse_bpjs_number, parse_kk_number, parse_nik

TODAY = date(2026, 11, 21)
# The test patients of SATUSEHAT's sandbox: public, and somebody else's.
SANDBOX = {
    *("9271060312000001", "9204014804000002", "9104224509000003", "9104223107000004"),
    *("9104224606000005", "9104025209000006", "9201076001000007", "9201394901000008"),
    *("9201076407000009", "9210060207000010"),
}


@pytest.fixture(scope="module")
def crowd():
    return demo_people.people(TODAY)


@pytest.fixture(scope="module")
def filled(databases, engine):
    """The demo database, filled once an engine; tests here only read it, the last ones add."""
    app = databases[engine].fresh()
    app.test_client_class = PageClient
    with app.app_context():
        with transaction():
            demo.fill()
        yield app


# --- People -----------------------------------------------------------------------------------


def test_the_people_are_the_same_in_every_process_and_on_every_day(crowd):
    program = (
        "import hashlib, datetime; from clinic import demo_people, demo_visits\n"
        "day = datetime.date(2026, 11, 21); people = demo_people.people(day)\n"
        "visits = demo_visits.Calendar(people, day).visits()\n"
        "said = [repr(p.identity) for p in people]\n"
        "said += [f'{v.person} {v.on} {v.minute} {v.case.complaints}' for v in visits]\n"
        "print(hashlib.sha256('\\n'.join(said).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent.parent,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    later = demo_people.people(TODAY + timedelta(days=400))
    assert [p.identity for p in later[: len(crowd)]] == [p.identity for p in crowd]
    assert all(p.born > TODAY for p in later[len(crowd) :])
    assert len(later) > len(crowd) + 10, "children go on being born"


def test_there_are_about_two_thousand_of_all_ages(crowd):
    assert 1900 <= len(crowd) <= 2200
    years = [age_on(person.born, TODAY).years for person in crowd if person.born]
    assert sum(y < 5 for y in years) > 100
    assert sum(y >= 60 for y in years) > 150
    sexes = Tally(person.identity.sex for person in crowd)
    assert abs(sexes["L"] - sexes["P"]) < 0.2 * len(crowd)


def test_names_are_of_many_regions_and_shared_as_in_life(crowd):
    names = Tally(person.identity.name for person in crowd)
    assert names["Siti Aminah"] >= 5
    assert sum(" " not in name for name in names.elements()) > 150
    for mark in ("Baiq ", "Lalu ", "I Wayan ", "Ni ", "Andi ", "Soe", "Muh", "By. Ny. ", "Hj. "):
        assert any(name.startswith(mark) for name in names), mark
    assert any("Simanjuntak" in name for name in names)
    assert all(name == " ".join(name.split()) and len(name) <= 100 for name in names)


def test_numbers_fit_the_person_and_are_nobodys(crowd):
    niks = [person.identity.nik for person in crowd if person.identity.nik]
    cards = {person.identity.kk_number for person in crowd} - {None}
    assert len(set(niks)) == len(niks)
    assert not set(niks) & (SANDBOX | cards)
    assert all(nik[2:4] == "99" for nik in niks), "a regency that exists in no province"
    told = 0
    for person in crowd:
        identity = person.identity
        if identity.kk_number:
            assert parse_kk_number(identity.kk_number) == identity.kk_number
        if identity.bpjs_number:
            assert parse_bpjs_number(identity.bpjs_number) == identity.bpjs_number
        if not identity.nik:
            continue
        assert parse_nik(identity.nik) == identity.nik
        found = nik_findings(
            identity.nik,
            sex=identity.sex,
            birth_date=identity.birth_date,
            today=TODAY,
            kk_number=identity.kk_number,
            mother_nik=identity.mother_nik,
        )
        assert {finding.rule for finding in found} <= {"NIK-DATE", "NIK-KK"}
        told += identity.birth_date in nik_dates(identity.nik)
    assert 0.95 < told / len(niks) < 1, "a few cards differ from the birth date, as in life"
    assert len({person.identity.bpjs_number for person in crowd}) > 1000


def test_who_has_no_nik_has_a_reason_and_what_the_reason_needs(crowd):
    without = [person.identity for person in crowd if not person.identity.nik]
    assert 0.06 < len(without) / len(crowd) < 0.11
    assert {str(identity.no_nik_reason) for identity in without} == set(NO_NIK_REASONS)
    mothers = {person.identity.nik for person in crowd if person.births}
    for identity in without:
        if identity.no_nik_reason == "BAYI":
            assert identity.mother_nik in mothers
            assert identity.birth_order
        if identity.no_nik_reason == "ASING":
            assert identity.passport_no
        if identity.no_nik_reason == "TANPA_DOKUMEN":
            assert identity.birth_precision == DatePrecision.YEAR
    assert all(p.identity.no_nik_reason is None for p in crowd if p.identity.nik)


def test_families_share_a_card_an_address_and_children(crowd):
    by_card: dict[str, list] = {}
    for person in crowd:
        by_card.setdefault(person.identity.kk_number, []).append(person)
    by_card.pop(None)
    families = [members for members in by_card.values() if len(members) > 2]
    assert len(families) > 200
    assert all(len({m.identity.address for m in members}) == 1 for members in families)
    twins = [
        person
        for members in families
        for person in members
        if person.identity.birth_order == 2 and person.identity.mother_name
    ]
    assert len(twins) >= 8
    children = [p for p in crowd if p.born and age_on(p.born, TODAY).years < 5]
    assert all(child.identity.mother_name for child in children)


def test_no_visit_before_birth_or_twice_a_day(crowd):
    calendar = Calendar(crowd, TODAY)
    visits = calendar.visits()
    assert len({(visit.person, visit.on) for visit in visits}) == len(visits)
    for visit in visits:
        assert visit.on < TODAY
        assert visit.on >= (crowd[visit.person].born or visit.on)
        assert visit.on >= calendar.joined(visit.person)


# --- Two years --------------------------------------------------------------------------------


def test_everybody_is_in_the_database(filled):
    crowd = demo_people.people(days.clinic_date())
    stored = db.session.execute(select(Patient.name, Patient.nik).order_by(Patient.mrn)).all()
    assert [tuple(row) for row in stored] == [(p.identity.name, p.identity.nik) for p in crowd]


def test_visits_are_skewed_and_one_patient_has_five_hundred(filled):
    counts = Tally(db.session.scalars(select(Visit.patient_id)))
    assert 6000 <= counts.total() <= 9000
    (most, times), (_, second) = counts.most_common(2)
    assert 500 <= times <= 501
    assert db.session.get(Patient, most).name == demo_people.LONG_TIME_PATIENT
    assert second < 80
    assert sum(count <= 2 for count in counts.values()) > 500
    assert db.session.scalar(select(func.count()).where(Visit.complaint == "")) == 0


def test_the_week_and_the_morning_have_their_peaks(filled):
    zone, today = ZoneInfo(settings.value("time_zone")), days.clinic_date()
    local = [at.astimezone(zone) for at in db.session.scalars(select(Visit.occurred_at))]
    past = [at for at in local if at.date() < today]
    weekdays = Tally(at.weekday() for at in past)
    assert max(weekdays, key=weekdays.get) == 0
    assert weekdays[6] == 0
    morning = sum(8 <= at.hour < 10 for at in past)
    assert 0.5 < morning / len(past) < 0.75


def test_numbers_are_dense_and_the_counters_know_them(filled):
    numbers: dict[tuple, list[int]] = {}
    for day_id, series, number in db.session.execute(
        select(Visit.service_day_id, Visit.series, Visit.number)
    ):
        numbers.setdefault((day_id, series), []).append(number)
    counters = dict(db.session.execute(select(Counter.name, Counter.value)).tuples().all())
    for (day_id, series), taken in numbers.items():
        assert sorted(taken) == list(range(1, len(taken) + 1))
        assert counters[f"number:{day_id}:{series}"] == len(taken)
    arrivals: dict[int, list[int]] = {}
    for day_id, seq in db.session.execute(
        select(QueueEntry.service_day_id, QueueEntry.seq).where(QueueEntry.kind != EntryKind.MOVED)
    ):
        arrivals.setdefault(day_id, []).append(seq)
    for day_id, taken in arrivals.items():
        assert sorted(taken) == list(range(1, len(taken) + 1))
        assert counters[f"arrival:{day_id}"] == len(taken)
    assert counters["mrn"] == db.session.scalar(select(func.count(Patient.id)))


def test_days_follow_each_other_and_only_today_is_open(filled):
    rows = list(db.session.scalars(select(ServiceDay).order_by(ServiceDay.id)))
    assert [day.on for day in rows] == sorted(day.on for day in rows)
    assert rows[-1].on == days.clinic_date()
    assert [day for day in rows if day.closed_at is None] == [rows[-1]]
    assert days.current_day() is rows[-1]
    assert rows[0].on >= rows[-1].on - timedelta(days=731)
    here = select(QueueEntry.id).where(
        QueueEntry.service_day_id != rows[-1].id, QueueEntry.state.in_(STILL_HERE)
    )
    assert db.session.scalars(here).all() == []
    open_visits = select(Visit.id).where(
        Visit.service_day_id != rows[-1].id, Visit.status == VisitStatus.OPEN
    )
    assert db.session.scalars(open_visits).all() == []


def test_nothing_lies_ahead(filled):
    now = utcnow()
    for column in (
        *(Visit.occurred_at, Visit.recorded_at, Visit.ended_at, Patient.registered_at),
        *(QueueEntry.queued_at, QueueEntry.called_at, QueueEntry.started_at, QueueEntry.ended_at),
        *(Examination.finished_at, VitalSigns.occurred_at, Diagnosis.recorded_at, QueueEvent.at),
        *(ServiceDay.opened_at, ServiceDay.closed_at, RegistrationDraft.created_at),
    ):
        assert db.session.scalar(select(func.max(column))) <= now, column


def test_visits_happened_on_their_day_and_after_the_registration(filled):
    rows = db.session.execute(
        select(Visit.occurred_at, ServiceDay.on, Patient.registered_at)
        .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
        .join(Patient, Patient.id == Visit.patient_id)
    )
    zone = ZoneInfo(settings.value("time_zone"))
    for occurred_at, on, registered_at in rows:
        assert occurred_at.astimezone(zone).date() == on
        assert registered_at <= occurred_at


def test_snapshots_say_what_was_true_that_day(filled):
    rules = routing.load()
    villages = {
        village: is_in_area(village)
        for village in db.session.scalars(select(Patient.village).distinct())
    }
    rows = db.session.execute(
        select(Visit, Patient, ServiceDay.on, Poli.code)
        .join(Patient, Patient.id == Visit.patient_id)
        .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
        .join(
            QueueEntry,
            (QueueEntry.visit_id == Visit.id) & (QueueEntry.kind == EntryKind.REGISTERED),
        )
        .join(Poli, Poli.id == QueueEntry.poli_id)
        # Who was moved before anybody began counts in the cluster of the right room.
        .where((QueueEntry.state != EntryState.MOVED) | QueueEntry.started_at.is_not(None))
    )
    for visit, patient, on, code in rows:
        age = age_on(patient.birth_date, on) if patient.birth_date else None
        assert visit.age_years == (age.years if age else None)
        assert visit.age_months == (age.total_months if age else None)
        assert visit.is_in_area == villages[patient.village]
        case = routing.Case(
            visit.complaint,
            patient.sex,
            patient.birth_date,
            visit.age_months,
            visit.pregnant,
            code,
            on,
        )
        assert visit.cluster == visit.computed_cluster == rules.cluster(case).code
        assert not rules.rooms.outside(code, case, visit.age_months), (code, visit.complaint)


def test_rooms_are_those_that_the_complaint_asks_for(filled):
    rules = routing.load()
    serious = {"R1", "E1", "E2", "E3", "E4", "W1", "W2", "W4", "L1"}
    rows = db.session.execute(
        select(Visit, Patient, ServiceDay.on, Poli.code)
        .join(Patient, Patient.id == Visit.patient_id)
        .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
        .join(QueueEntry, QueueEntry.visit_id == Visit.id)
        .join(Poli, Poli.id == QueueEntry.poli_id)
        .where(QueueEntry.kind == EntryKind.REGISTERED, Visit.id % 7 == 0)
    )
    wrong: list = []
    for visit, patient, on, code in rows:
        case = routing.Case(
            visit.complaint, patient.sex, patient.birth_date, None, visit.pregnant, code, on
        )
        found = rules.findings(case)
        wrong += [
            (f.rule, code, visit.complaint)
            for f in found
            if f.rule in serious and f.level != "info"
        ]
    assert wrong == []


def test_who_was_seen_has_a_finished_examination_with_a_diagnosis(filled):
    rows = db.session.execute(
        select(QueueEntry.state, QueueEntry.kind, Poli.code, Examination.finished_at)
        .join(Poli, Poli.id == QueueEntry.poli_id)
        .outerjoin(Examination, Examination.entry_id == QueueEntry.id)
    ).all()
    for state, _kind, _code, finished_at in rows:
        if state is EntryState.DONE:
            assert finished_at is not None
        elif state in (EntryState.LEFT, EntryState.CANCELLED, EntryState.WAITING):
            assert finished_at is None
    assert sum(code == "LAB" for _, _, code, _ in rows) > 200
    coded = set(db.session.scalars(select(Diagnosis.code).distinct()))
    assert len(coded) > 40
    assert coded <= set(db.session.scalars(select(Icd10Term.code)))
    finished = select(Visit.id).where(Visit.status == VisitStatus.FINISHED)
    diagnosed = select(Examination.visit_id).join(
        Diagnosis, Diagnosis.examination_id == Examination.id
    )
    assert set(db.session.scalars(finished)) <= set(db.session.scalars(diagnosed))
    chief = (
        select(Diagnosis.examination_id)
        .where(Diagnosis.is_primary)
        .group_by(Diagnosis.examination_id)
        .having(func.count() > 1)
    )
    assert db.session.scalars(chief).all() == []


def test_measurements_are_plausible_at_that_age(filled):
    rows = db.session.execute(
        select(VitalSigns, Visit.age_months).join(Visit, Visit.id == VitalSigns.visit_id)
    ).all()
    odd = Tally()
    for signs, months in rows:
        values = {name: getattr(signs, name) for name in VITAL_RANGES}
        for name, value in values.items():
            limits = VITAL_RANGES[name]
            assert value is None or limits.low <= value <= limits.high
        odd.update(finding.rule for finding in vital_findings(values, months))
    assert odd.total() < 0.02 * len(rows), odd


def test_some_are_allergic(filled):
    people = db.session.scalar(select(func.count(Allergy.patient_id.distinct())))
    assert 40 <= people <= 140


def test_the_fill_is_one_line_of_the_audit_trail(filled):
    told = Tally(db.session.scalars(select(AuditEntry.action)))
    assert told["fill_demo"] == told["create_patients"] == 1
    assert told["create_patient"] == 0
    assert told.total() < 500
    assert audit.broken_link() is None


def test_the_laboratory_has_a_past_and_a_living_order(filled):
    told = {case.lab for tag in demo_cases_tags() for case in demo_cases.cases(tag) if case.lab}
    assert told == demo_laboratory.RESULTS.keys()
    states = Tally(db.session.scalars(select(LabOrder.state)))
    assert states[LabOrderState.RESULTED] > 100
    assert states[LabOrderState.SAMPLED] == states[LabOrderState.ORDERED] == 1
    flags = Tally(db.session.scalars(select(LabResult.flag)))
    assert flags[LabFlag.LOW] > 10
    assert flags[LabFlag.HIGH] > 10
    for order in db.session.scalars(select(LabOrder).where(LabOrder.resulted_at.is_not(None))):
        assert order.ordered_at <= order.resulted_at <= utcnow()
        assert order.entry.visit_id == order.visit_id
    hb = select(LabResult.low).join(LabTest).join(LabOrder).join(Visit)
    hb = hb.where(LabTest.code == "HB", Visit.pregnant == "ya")
    assert set(db.session.scalars(hb)) == {11}, "the range of pregnant women"


def demo_cases_tags() -> set[str]:
    return {row["tag"] or "" for row in reference.rows("demo_cases.csv")}


def test_the_stock_adds_up_and_the_pharmacy_has_a_past_and_patients_waiting(filled):
    sums = dict(
        db.session.execute(
            select(StockMove.batch_id, func.sum(StockMove.quantity)).group_by(StockMove.batch_id)
        ).all()
    )
    batches = list(db.session.scalars(select(StockBatch)))
    assert len({batch.medicine_id for batch in batches}) > 150
    assert all(batch.balance == sums[batch.id] >= 0 for batch in batches)
    states = Tally(db.session.scalars(select(Prescription.state)))
    assert states[PrescriptionState.DISPENSED] > 20
    assert states[PrescriptionState.PARTIAL] >= 1
    marked = stock_lists.overview(days.clinic_date())[0]
    assert any(line.is_short for line in marked)
    assert any(line.expires_soon for line in marked)
    assert any(line.expired for line in marked)
    here = dispensing_queue.waiting(days.current_day(), utcnow())
    assert any(line.entry for line in here)


def test_the_records_staff_have_pairs_to_look_at(filled):
    waiting = pairs.open_pairs(20)
    assert 3 <= len(waiting) <= 6
    assert all(row.pair.reasons and row.pair.raised_at < utcnow() for row in waiting)
    assert not any(row.one.is_unknown or row.other.is_unknown for row in waiting)


# --- Today ------------------------------------------------------------------------------------


def _today() -> ServiceDay:
    return days.current_day()


def _states(day: ServiceDay) -> Tally:
    counting = select(QueueEntry.state).where(QueueEntry.service_day_id == day.id)
    return Tally(db.session.scalars(counting))


def test_today_lives_in_all_rooms_and_states(filled):
    day = _today()
    visits = db.session.scalar(select(func.count()).where(Visit.service_day_id == day.id))
    assert 40 <= visits <= 60
    states = _states(day)
    wanted = ("waiting", "called", "in_service", "awaiting_result", "skipped", "done", "moved")
    assert all(states[EntryState(state)] for state in wanted), states
    rooms = db.session.scalars(
        select(Poli.code.distinct())
        .join(QueueEntry, QueueEntry.poli_id == Poli.id)
        .where(QueueEntry.service_day_id == day.id, QueueEntry.state.in_(STILL_HERE))
    )
    assert set(rooms) == {poli.code for poli in db.session.scalars(select(Poli))}


def test_todays_line_has_priorities_results_and_namesakes(filled):
    day = _today()
    queues = {
        poli.code: room_queue(poli, day)
        for poli in db.session.scalars(select(Poli).where(Poli.is_active))
    }
    everybody = [row for queue in queues.values() for row in queue.waiting]
    assert any(row.rank == 0 for row in everybody)
    assert any(row.is_priority for row in everybody)
    assert any(row.kind is EntryKind.RESULT_BACK for row in queues["UMUM"].waiting)
    namesakes = Tally(row.name for row in queues["UMUM"].waiting if row.same_name)
    assert max(namesakes.values()) >= 2, "a third may have come to another room"
    assert [row.to_room for row in queues["UMUM"].awaiting].count("Laboratorium") == 1
    assert {row.kind for row in queues["LAB"].waiting} == {EntryKind.ORDERED}
    assert all(row.minutes <= 95 for row in everybody)


def test_todays_numbers_were_given_in_order_of_arrival(filled):
    rows = db.session.execute(
        select(Visit.series, Visit.number, Visit.occurred_at)
        .where(Visit.service_day_id == _today().id)
        .order_by(Visit.series, Visit.number)
    ).all()
    assert [tuple(row) for row in rows] == sorted(tuple(row) for row in rows)
    for entry in db.session.scalars(
        select(QueueEntry).where(QueueEntry.service_day_id == _today().id)
    ):
        stamps = [entry.queued_at, entry.called_at, entry.started_at, entry.ended_at]
        known = [at for at in stamps if at]
        assert known == sorted(known), entry.visit.label


def test_one_draft_was_left_at_the_counter(filled):
    draft = db.session.scalars(select(RegistrationDraft)).one()
    assert (draft.user.username, draft.saved_at) == ("loket", None)
    assert draft.drafted_on == days.clinic_date()


def test_the_desks_open_on_the_demo_day(filled):
    for username, path in (
        ("loket", "/pendaftaran"),
        ("umum", "/poli/UMUM"),
        ("lab", "/poli/LAB"),
        ("kepala", "/poli/UGD"),
    ):
        page = login(filled.test_client(), username).get(path)
        assert page.status_code == 200, path


def test_the_rooms_forms_are_6_kb_with_all_that_the_demo_holds(filled):
    """History, favourites, the room's own form, prescription and laboratory list at once."""
    served = select(QueueEntry).where(
        QueueEntry.service_day_id == _today().id, QueueEntry.state == EntryState.IN_SERVICE
    )
    sizes = {}
    client = login(filled.test_client(), "kepala")
    for entry in db.session.scalars(served):
        url = f"/kunjungan/{entry.visit.public_id}?antrean={entry.public_id}"
        response = get(client, url)
        if response.status_code == 200 and b'id="isian"' in gzip.decompress(response.data):
            sizes[entry.poli.code] = len(response.data)
    assert sizes.keys() >= {"GIGI", "KIA", "MTBS", "UMUM"}
    assert max(sizes.values()) <= 6 * 1024, sizes


@pytest.mark.engines("sqlite")
def test_the_reports_of_a_busy_month_and_of_its_year_stay_small(filled):
    with transaction():  # as the worker does: without statistics they take 5 seconds each
        db.session.execute(text("ANALYZE"))
    client, month = login(filled.test_client(), "kepala"), _today().on.replace(day=1)
    month = f"{month - timedelta(days=1):%Y-%m}"
    for code, period in [(code, month) for code in REPORTS] + [("lb1", month[:4])]:
        size = len(get(client, f"/laporan/{code}?periode={period}").data)
        assert size <= LARGE_REPORTS.get(code, 6 * 1024), (code, period, size)


def test_filling_today_again_changes_nothing(filled):
    before = (_states(_today()), db.session.scalar(select(func.count(AuditEntry.seq))))
    with transaction():
        assert demo.fill_today() == demo.begin_today() == 0
    assert (_states(_today()), db.session.scalar(select(func.count(AuditEntry.seq)))) == before


def test_a_start_on_a_new_day_tops_it_up_with_patients_we_know(filled, capsys):
    known = db.session.scalar(select(func.count(Patient.id)))
    with transaction():
        # As if the day of the fill were long ago.
        old = db.session.get_one(ServiceDay, _today().id)
        old.on -= timedelta(days=1000)
        settings.set_value("is_demo", False)
    demo_commands.greet_a_new_day()
    today = select(ServiceDay.id).where(ServiceDay.on == days.clinic_date())
    assert db.session.scalar(today) is None, "nothing is added to a real clinic"
    with transaction():
        settings.set_value("is_demo", True)
    demo_commands.greet_a_new_day()
    new = _today()
    added = db.session.scalar(select(func.count(Visit.id)).filter_by(service_day_id=new.id))
    assert f"latihan hari ini diisi: {added} kunjungan" in capsys.readouterr().out
    assert new.id != old.id
    assert 40 <= added <= 60
    assert _states(new)[EntryState.WAITING] > 15
    assert not set(_states(old)) & set(STILL_HERE), "what yesterday left open has ended"
    assert db.session.scalar(select(func.count(Patient.id))) == known
    with transaction():
        assert demo.fill_today() == 0
        days.end(new, utcnow())
        assert demo.begin_today() == 0, "it had begun"
    assert new.closed_at
