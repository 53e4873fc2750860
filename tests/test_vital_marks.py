"""IMT and the words for unusual vital signs; the screening desk's triage note."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from clinic import days, history, queues, records, triage
from clinic.record_errors import MeasuredMeanwhile, NotOpen, RecordError
from clinic.vital_marks import bmi, marks
from db import db, transaction, utcnow
from models import AuditEntry, TriageNote, TriagePriority, Visit, VisitStatus, VitalSigns
from tests import factories
from tests.pages import post

ADULT, CHILD = 30 * 12, 24


@pytest.mark.parametrize(
    ("weight", "category"),
    [
        ("43.2", "kurus tingkat berat"),  # 16,9
        ("43.6", "kurus tingkat ringan"),  # 17,0
        ("47.2", "kurus tingkat ringan"),  # 18,4
        ("47.4", "normal"),  # 18,5
        ("64.1", "normal"),  # 25,0
        ("64.2", "gemuk tingkat ringan"),  # 25,1
        ("69.1", "gemuk tingkat ringan"),  # 27,0
        ("69.3", "gemuk tingkat berat"),  # 27,1
    ],
)
def test_body_mass_of_adults_by_the_national_categories(weight, category):
    found = bmi({"weight": Decimal(weight), "height": Decimal(160)}, ADULT)
    assert found.category == category


def test_body_mass_is_for_adults_with_both_measures():
    both = {"weight": Decimal(60), "height": Decimal(160)}
    assert bmi(both, ADULT).value == Decimal("23.4")
    assert bmi(both, 17 * 12 + 11) is None
    assert bmi(both, None) is None
    assert bmi({"weight": Decimal(60)}, ADULT) is None
    assert bmi(both, ADULT, "ya") == (Decimal("23.4"), ""), "no category in pregnancy"


@pytest.mark.parametrize(
    ("values", "months", "expected"),
    [
        ({"systolic": 139, "diastolic": 89}, ADULT, []),
        ({"systolic": 140, "diastolic": 80}, ADULT, ["TD tinggi"]),
        ({"systolic": 120, "diastolic": 90}, ADULT, ["TD tinggi"]),
        ({"systolic": 180, "diastolic": 80}, ADULT, ["TD sangat tinggi"]),
        ({"systolic": 89, "diastolic": 60}, ADULT, ["TD rendah"]),
        ({"systolic": 90, "diastolic": 60}, ADULT, []),
        ({"systolic": 140}, CHILD, ["Tekanan sistolik tinggi"]),
        (
            {"systolic": 138, "diastolic": 95},
            8 * 12,
            ["Tekanan sistolik tinggi", "Tekanan diastolik tinggi"],
        ),
        ({"systolic": 178, "diastolic": 109}, 17 * 12, ["TD tinggi"]),
        ({"systolic": 140, "diastolic": 89}, 12 * 12, ["TD tinggi"]),
        ({"systolic": 120, "diastolic": 120}, 13 * 12, ["TD mungkin tertukar"]),
        ({"systolic": 182, "diastolic": 100}, 13 * 12, ["TD sangat tinggi"]),
        ({"systolic": 139, "diastolic": 89}, 13 * 12, []),
        ({"systolic": 140, "diastolic": 80}, 12 * 12 - 1, ["Tekanan sistolik tinggi"]),
        ({"systolic": 89, "diastolic": 60}, 17 * 12, ["Tekanan sistolik rendah"]),
        ({"systolic": 80, "diastolic": 120}, ADULT, ["TD mungkin tertukar"]),
        ({"systolic": 90, "diastolic": 90}, ADULT, ["TD mungkin tertukar"]),
        ({"systolic": 70, "diastolic": 95}, 8 * 12, ["TD mungkin tertukar"]),
        ({"temperature": Decimal("37.5")}, CHILD, ["Demam"]),
        ({"temperature": Decimal("37.5")}, 59, ["Demam"]),
        ({"temperature": Decimal("37.5")}, 60, []),
        ({"temperature": Decimal(38)}, ADULT, ["Demam"]),
        ({"temperature": Decimal("35.4")}, 1, ["Suhu rendah"]),
        ({"temperature": Decimal("35.9")}, 1, ["Suhu rendah"]),
        ({"temperature": Decimal(36)}, 1, []),
        ({"respiration": 59}, 1, []),
        ({"respiration": 60}, 1, ["Napas cepat"]),
        ({"respiration": 50}, 2, ["Napas cepat"]),
        ({"respiration": 40}, 12, ["Napas cepat"]),
        ({"respiration": 39}, 12, []),
        ({"pulse": 130}, ADULT, ["Nadi tinggi"]),
        ({"pulse": 130}, CHILD, []),
        ({"saturation": 91}, ADULT, ["Saturasi oksigen rendah"]),
        ({"pulse": None}, ADULT, []),
    ],
)
def test_what_is_unusual_is_named_by_age(values, months, expected):
    assert marks(values, months) == expected


@pytest.mark.parametrize(
    ("pressure", "expected"),
    [
        ((139, 89), []),
        ((140, 80), ["TD tinggi"]),
        ((120, 90), ["TD tinggi"]),
        ((159, 109), ["TD tinggi"]),
        ((160, 80), ["TD sangat tinggi"]),
        ((120, 110), ["TD sangat tinggi"]),
        ((88, 59), ["Tekanan sistolik rendah"]),
    ],
)
def test_a_pregnant_girl_has_the_limit_of_pregnancy(pressure, expected):
    values = dict(zip(("systolic", "diastolic"), pressure, strict=True))
    assert marks(values, 16 * 12, "ya") == marks(values, 16 * 12, "nifas") == expected


def test_a_pregnant_child_has_the_limit_of_pregnancy():
    values = {"systolic": 162, "diastolic": 80}
    assert marks(values, 11 * 12, "ya") == ["TD sangat tinggi"]
    assert marks(values, 11 * 12, "tidak") == ["Tekanan sistolik tinggi"]


def test_unusual_values_stand_in_the_record_and_the_history(sign_in):
    entry = factories.entry("UMUM", age_months=ADULT)
    visit, patient = entry.visit.public_id, entry.visit.patient.public_id
    client = sign_in("umum")
    client.get(f"/kunjungan/{visit}/tanda-vital")
    typed = {"systolic": "150", "diastolic": "95", "weight": "60", "height": "160"}
    post(client, f"/kunjungan/{visit}/tanda-vital", typed)
    for url in (f"/kunjungan/{visit}", f"/pasien/{patient}", f"/kunjungan/{visit}/tanda-vital"):
        page = client.get(url).get_data(as_text=True)
        assert "TD tinggi" in page, url
        assert "IMT 23,4, normal" in page, url


# --- Triage -----------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_of_two_pressures_the_page_says_which_one_it_judges(sign_in):
    visit, client = factories.entry("UMUM").visit, sign_in("umum")
    address = f"/kunjungan/{visit.public_id}"
    for who, high, low in (("loket", 150, 95), ("umum", 120, 80)):
        page = client.get(address).get_data(as_text=True)
        assert "tensi ini yang dinilai" not in page, "there is none beside it"
        with transaction():
            pressure = {"systolic": high, "diastolic": low}
            records.measure(factories.actor(who), visit, None, pressure)
    page = client.get(address).get_data(as_text=True)
    assert page.count("tensi ini yang dinilai") == 1
    assert page.index("150/95") < page.index("120/80") < page.index("tensi ini yang dinilai")


def write(visit: Visit, seen: str, priority=None, who="umum") -> TriageNote | None:
    with transaction():
        return triage.write(factories.actor(who), visit, seen, priority)


def test_a_correction_of_triage_ends_ones_own_note_only(app):
    visit = factories.visit()
    first = write(visit, "sesak", TriagePriority.RED)
    other = write(visit, "tampak tenang", TriagePriority.GREEN, who="kepala")
    assert write(visit, "sesak", TriagePriority.RED).id == first.id
    second = write(visit, "sesak, bibir biru", TriagePriority.RED)
    notes = triage.by_visit([visit.id])[visit.id]
    assert [note.id for note in notes if not note.ended_at] == [other.id, second.id]
    assert db.session.get(TriageNote, first.id).ended_at is not None
    assert write(visit, "", None) is None
    assert db.session.query(TriageNote).count() == 3
    assert db.session.query(AuditEntry).filter_by(action="write_triage").count() == 4


@pytest.mark.engines("sqlite")
def test_a_note_that_is_sent_twice_is_one_and_what_is_taken_back_marks_no_row(app):
    entry, nurse = factories.entry(), factories.actor("umum")
    for _ in range(2):  # from one page, which showed no note
        with transaction():
            triage.write(nurse, entry.visit, "pucat", TriagePriority.RED, shown=[])
    assert db.session.query(TriageNote).count() == 1
    (row,) = queues.room_queue(entry.poli, days.latest_day()).waiting
    assert row.triage is TriagePriority.RED
    write(entry.visit, "", None)
    (row,) = queues.room_queue(entry.poli, days.latest_day()).waiting
    assert row.triage is None


@pytest.mark.engines("sqlite")
def test_of_two_pages_with_one_note_the_second_adds_to_it_but_does_not_overwrite_it(app):
    visit, nurse = factories.visit(), factories.actor("umum")
    shown = [write(visit, "pucat").public_id]

    def send(seen: str, priority=None) -> TriageNote:
        with transaction():
            return triage.write(nurse, db.session.merge(visit), seen, priority, shown)

    send("pucat, sesak")
    with pytest.raises(MeasuredMeanwhile):
        send("pucat, kejang")
    note = send("pucat", TriagePriority.RED)
    assert (note.seen, note.priority) == ("pucat, sesak", TriagePriority.RED)


@pytest.mark.engines("sqlite")
def test_a_room_learns_of_a_note_at_its_next_poll(app):
    entry = factories.entry()
    before = queues.room_queue(entry.poli, days.latest_day()).version
    write(entry.visit, "pucat", TriagePriority.RED)
    assert queues.room_queue(entry.poli, days.latest_day()).version != before


def test_no_triage_after_the_visit_has_ended(app):
    visit = factories.visit()
    with transaction():
        db.session.get(Visit, visit.id).status = VisitStatus.FINISHED
    with pytest.raises(NotOpen):
        write(db.session.get(Visit, visit.id), "sesak")


def ended(visit: Visit, hours: int) -> Visit:
    """The same visit, over for so many hours."""
    with transaction():
        found = db.session.get(Visit, visit.id)
        found.status, found.ended_at = VisitStatus.FINISHED, utcnow() - timedelta(hours=hours)
    return found


def correct(visit: Visit, seen: str, reason="salah pasien", who="umum") -> TriageNote | None:
    with transaction():
        return triage.correct(factories.actor(who), visit, seen, None, reason)


def test_its_author_corrects_a_note_for_48_hours_with_a_reason(app):
    visit = factories.visit()
    first = write(visit, "sesak", TriagePriority.RED)
    visit = ended(visit, 47)
    with pytest.raises(NotOpen, match="penulisnya"):
        correct(visit, "batuk", who="kepala")
    with pytest.raises(RecordError, match="Tulis mengapa"):
        correct(visit, "batuk", reason=" ")
    second = correct(visit, "batuk")
    assert correct(visit, "batuk", reason="").id == second.id, "the same press once more"
    old, new = history.visit_summary(visit).triage
    assert (old.id, old.seen, old.end_reason) == (first.id, "sesak", "salah pasien")
    assert (new.id, new.ended_at) == (second.id, None)
    with pytest.raises(NotOpen, match="lewat 48 jam"):
        correct(ended(visit, 49), "lain lagi")
    visit = ended(visit, 1)
    with transaction():
        visit.status = VisitStatus.CANCELLED
    with pytest.raises(NotOpen):
        correct(visit, "lain lagi")
    details = select(AuditEntry.reason, AuditEntry.details).order_by(AuditEntry.seq)
    written = db.session.execute(details.where(AuditEntry.action == "write_triage")).tuples()
    assert written.all() == [("", ""), ("salah pasien", "corrected")]


def test_the_page_corrects_a_note_of_a_visit_that_is_over(sign_in):
    entry = factories.entry("UMUM")
    write(entry.visit, "sesak berat", TriagePriority.RED)
    visit = ended(entry.visit, 1)
    nurse, record = sign_in("umum"), f"/pasien/{visit.patient.public_id}"
    page, url = f"/kunjungan/{visit.public_id}/tanda-vital", f"/kunjungan/{visit.public_id}/triase"
    assert "Betulkan catatan triase" in nurse.get(record).get_data(as_text=True)
    assert "sesak berat</textarea>" in nurse.get(page).get_data(as_text=True)
    typed = {"triage_seen": "batuk", "patient": visit.patient.public_id}
    answer = post(nurse, url, typed)
    assert answer.status_code == 422 and "Tulis mengapa" in answer.get_data(as_text=True)
    assert post(nurse, url, typed | {"triage_reason": "salah lihat"}).status_code == 303
    text = nurse.get(record).get_data(as_text=True)
    assert "sesak berat" in text and "salah lihat" in text and "batuk" in text
    assert post(nurse, url, typed | {"patient": "x"}).status_code == 409
    assert "Betulkan catatan" not in sign_in("kepala").get(record).get_data(as_text=True)
    ended(visit, 49)
    assert "Betulkan catatan" not in nurse.get(record).get_data(as_text=True)
    assert post(nurse, url, typed | {"triage_seen": "x"}).status_code == 409
    assert post(sign_in("lab"), url, typed).status_code == 404


def test_the_screening_desk_notes_and_the_room_and_the_record_show_it(sign_in):
    entry = factories.entry("UMUM")
    visit, patient = entry.visit.public_id, entry.visit.patient.public_id
    nurse, page = sign_in("umum"), f"/kunjungan/{visit}/tanda-vital"
    nurse.get(page)
    typed = {"pulse": "80", "triage_seen": "Pucat, digendong", "triage_priority": "merah"}
    assert post(nurse, page, typed).status_code == 303
    assert "Pucat, digendong" in nurse.get(page).get_data(as_text=True)
    room = nurse.get(f"/kunjungan/{visit}").get_data(as_text=True)
    assert 'data-rule="TRIAGE"' in room
    assert "Pucat, digendong" in room
    record = nurse.get(f"/pasien/{patient}").get_data(as_text=True)
    assert "Triase merah" in record
    assert "dr. Bagus Prasetyo" in record
    # A form without the note, as an older page sends it, leaves the note alone.
    post(nurse, page, {"pulse": "84"})
    assert db.session.query(TriageNote).filter_by(ended_at=None).count() == 1


def test_a_long_triage_note_is_refused_and_kept(sign_in):
    entry = factories.entry("UMUM")
    client, page = sign_in("umum"), f"/kunjungan/{entry.visit.public_id}/tanda-vital"
    client.get(page)
    answer = post(client, page, {"pulse": "80", "triage_seen": "a" * 301})
    assert answer.status_code == 422
    assert "a" * 301 in answer.get_data(as_text=True)
    assert db.session.query(VitalSigns).count() == 0


def test_a_cancelled_visit_tells_nothing_of_its_triage(app):
    entry = factories.entry("UMUM")
    write(entry.visit, "sesak")
    with transaction():
        queues.act(factories.actor("kepala"), entry, "batal", "salah orang")
    assert history.visit_summary(db.session.get(Visit, entry.visit_id)).triage == ()
