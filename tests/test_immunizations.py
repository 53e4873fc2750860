"""Immunisations: the schedule's warnings, noting and ending, the page and the record."""

import re
import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from clinic import days, history, immunizations, queues, records, vaccines
from clinic.immunizations import Entered, Unanswered
from clinic.queues import QueueError
from clinic.record_errors import RecordError
from clinic.right_patient import Unconfirmed
from clinic.vaccines import Given
from db import add_row, db, transaction, utcnow
from formatting import short_date
from models import (
    AuditEntry,
    EntryState,
    Examination,
    Immunization,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)
from tests import factories
from tests.amending import nurse
from tests.pages import post
from tests.test_examination import words_of

BORN = date(2026, 1, 10)


@pytest.mark.parametrize(
    ("vaccine", "dose", "on", "rules"),
    [
        ("HB0", 0, date(2026, 1, 10), []),
        ("HB0", 0, date(2026, 1, 17), []),
        ("HB0", 0, date(2026, 1, 18), ["IMUN-LEWAT"]),
        ("BCG", 1, date(2026, 2, 1), []),
        ("BCG", 1, date(2027, 1, 9), []),
        ("BCG", 1, date(2027, 1, 10), ["IMUN-LEWAT"]),
        ("PCV", 1, date(2026, 3, 9), ["IMUN-UMUR"]),
        ("PCV", 1, date(2026, 3, 10), []),
        ("DPTHBHIB", 2, date(2026, 4, 11), ["IMUN-JARAK"]),  # the first was on 15-03
        ("DPTHBHIB", 2, date(2026, 4, 12), []),
        ("OPV", 1, date(2026, 4, 12), ["IMUN-ULANG"]),
        ("OPV", 2, date(2026, 4, 12), []),
        ("MR", 1, date(2026, 9, 1), ["IMUN-UMUR"]),
        ("MR", 1, date(2026, 10, 10), []),
        ("BCG", 2, date(2026, 10, 10), ["IMUN-JADWAL"]),
        ("OPV", 3, date(2026, 3, 20), ["IMUN-UMUR", "IMUN-JARAK", "IMUN-BELUM"]),
        ("OPV", 3, date(2026, 4, 12), ["IMUN-BELUM"]),
        ("PCV", 2, date(2026, 4, 12), ["IMUN-BELUM"]),  # no first one
        ("RV", 1, date(2026, 4, 20), ["IMUN-URUT"]),  # the second was on that day
        ("RV", 1, date(2026, 4, 24), ["IMUN-URUT"]),  # 14 weeks and 6 days old
        ("RV", 1, date(2026, 4, 25), ["IMUN-LEWAT", "IMUN-URUT"]),
        ("RV", 3, date(2026, 8, 21), ["IMUN-BELUM"]),  # 31 weeks and 6 days
        ("RV", 3, date(2026, 8, 22), ["IMUN-LEWAT", "IMUN-BELUM"]),
        ("RV", 1, date(2026, 4, 19), ["IMUN-JARAK"]),
        ("RV", 1, date(2026, 3, 23), []),
    ],
)
def test_the_schedule_warns_of_a_dose_too_early_or_given_already(vaccine, dose, on, rules):
    known = [
        Given("OPV", 1, date(2026, 3, 15)),
        Given("DPTHBHIB", 1, date(2026, 3, 15)),
        Given("RV", 2, date(2026, 4, 20)),
    ]
    found = vaccines.findings(Given(vaccine, dose, on), known, BORN)
    assert [finding.rule for finding in found] == rules


def test_which_doses_are_missing_is_said():
    (found,) = vaccines.findings(Given("OPV", 3, date(2026, 5, 1)), [], BORN)
    assert found.message == "Polio tetes (bOPV) 3: dosis 1 dan 2 belum tercatat di sini"
    (found,) = vaccines.findings(Given("OPV", 2, date(2026, 5, 1)), [], BORN)
    assert found.message == "Polio tetes (bOPV) 2: dosis 1 belum tercatat di sini"


def test_what_is_missing_before_a_later_dose_is_not_due_but_said():
    known = [Given("DPTHBHIB", 3, date(2026, 5, 20))]
    told = vaccines.due(known, BORN, date(2026, 6, 20))
    assert not [name for name in told if name.startswith("DPT")]
    assert vaccines.unrecorded(known) == ["DPT-HB-Hib 1", "DPT-HB-Hib 2"]
    assert vaccines.unrecorded([Given("DPTHBHIB", 1, BORN)]) == []
    assert "DPT-HB-Hib 4" in vaccines.due(known, BORN, date(2027, 7, 20))


def test_past_its_age_a_dose_is_not_due():
    at_five_months = vaccines.due([], BORN, date(2026, 6, 20))
    assert "BCG" in at_five_months and "Rotavirus 1" not in at_five_months
    started = [Given("RV", 1, date(2026, 3, 15)), Given("RV", 2, date(2026, 4, 20))]
    assert "Rotavirus 3" in vaccines.due(started, BORN, date(2026, 8, 21))
    assert "Rotavirus 3" not in vaccines.due(started, BORN, date(2026, 8, 22))
    at_four_years = vaccines.due([], BORN, date(2030, 6, 20))
    assert "BCG" not in at_four_years and "Campak-Rubela (MR) 1" in at_four_years


def test_until_which_age_a_dose_is_given_is_said():
    (late,) = vaccines.findings(Given("RV", 1, date(2026, 9, 1)), [], BORN)
    assert late.message == "Rotavirus 1 melewati umurnya: jadwalnya sampai umur 14 minggu"


def test_of_an_unknown_birth_date_only_the_interval_warns():
    assert vaccines.findings(Given("MR", 1, date(2026, 1, 20)), [], None) == []


def test_what_is_due_by_now():
    known = [Given("BCG", 1, BORN), Given("DPTHBHIB", 1, date(2026, 3, 15))]
    assert vaccines.due(known, BORN, date(2026, 3, 20)) == [
        "Polio tetes (bOPV) 1",
        "PCV 1",
        "Rotavirus 1",
    ]
    assert vaccines.due([], date(2010, 1, 1), date(2026, 1, 1)) == []
    assert vaccines.due([], None, BORN) == []


def baby(months: int = 5) -> Visit:
    person = factories.patient(
        "Bayi Sehat", birth_date=days.clinic_date() - timedelta(days=months * 31)
    )
    return factories.visit(person, "IMUN")


def add(visit, *doses, reason="", who="kia", given_by="Bdn. Nurhayati"):
    with transaction():
        found = db.session.get(Visit, visit.id)
        return immunizations.add(factories.actor(who), found, list(doses), given_by, reason)


def held(visit) -> list[tuple[str, int]]:
    db.session.rollback()
    rows = immunizations.of_person(db.session.get(Visit, visit.id))
    return [(row.vaccine, row.dose) for row in rows if row.ended_at is None]


def test_noted_once_however_often_it_is_sent(app):
    visit, on = baby(), days.clinic_date()
    doses = [Entered("BCG", 1, on, "B12", "Lengan kanan atas"), Entered("PCV", 1, on)]
    assert len(add(visit, *doses)) == 2
    assert add(visit, *doses) == []
    assert held(visit) == [("BCG", 1), ("PCV", 1)]
    logged = select(AuditEntry.details).where(AuditEntry.action == "add_immunization")
    assert list(db.session.scalars(logged)) == ["BCG-1 PCV-1"]


def test_a_warning_needs_a_reason_and_keeps_it(app):
    visit, on = baby(), days.clinic_date()
    add(visit, Entered("PCV", 1, on - timedelta(days=10)))
    with pytest.raises(Unanswered) as caught:
        add(visit, Entered("PCV", 2, on), Entered("BCG", 1, on))
    assert [finding.rule for finding in caught.value.findings] == ["IMUN-JARAK"]
    assert held(visit) == [("PCV", 1)], "nothing of the list is stored"
    add(visit, Entered("PCV", 2, on), reason="stok akan habis")
    row = db.session.scalars(select(Immunization).where(Immunization.dose == 2)).one()
    assert row.override_reason == "stok akan habis"
    # A reason that nothing asked for is not kept as an answer.
    add(visit, Entered("BCG", 1, on), reason="stok akan habis")
    bcg = db.session.scalars(select(Immunization).where(Immunization.vaccine == "BCG")).one()
    assert bcg.override_reason == ""


def test_another_batch_of_a_noted_dose_is_not_dropped(app):
    visit, on = baby(), days.clinic_date()
    (row,) = add(visit, Entered("PCV", 1, on, "LAMA1", "Paha kiri"))
    told = "PCV 1 sudah dicatat.*batch LAMA1.*Paha kiri.*[Aa]khiri dulu"
    for other in (("BARU2", "Paha kiri"), ("LAMA1", "Paha kanan")):
        with pytest.raises(RecordError, match=told):
            add(visit, Entered("PCV", 1, on, *other))
    assert add(visit, Entered("PCV", 1, on)) == [], "nothing else was typed: it is the same"
    end(row)
    (fresh,) = add(visit, Entered("PCV", 1, on, "BARU2"))
    assert fresh.batch == "BARU2"


def test_a_dose_stands_once_in_a_visit_and_in_a_list(app):
    visit, on = baby(), days.clinic_date()
    before = on - timedelta(days=3)
    with pytest.raises(RecordError, match="BCG ada di dua baris"):
        add(visit, Entered("BCG", 1, on, "A"), Entered("BCG", 1, before, "A"))
    assert len(add(visit, Entered("BCG", 1, on))) == 1
    told = f"BCG sudah dicatat.*tanggal {short_date(on)}.*[Aa]khiri dulu"
    with pytest.raises(RecordError, match=told):
        add(visit, Entered("BCG", 1, before), reason="ulang")


def test_a_reason_stands_at_the_dose_that_was_warned_of(app):
    visit, on = baby(3), days.clinic_date()
    doses = [Entered("DPTHBHIB", 3, on - timedelta(days=9)), Entered("PCV", 1, on)]
    rows = add(visit, *doses, reason="di tempat lain")
    assert [row.override_reason for row in rows] == ["di tempat lain", ""]


def test_who_gave_a_dose_of_today_is_not_who_gave_an_earlier_one(app):
    visit, on = baby(3), days.clinic_date()
    doses = [Entered("BCG", 1, on - timedelta(days=60)), Entered("PCV", 1, on)]
    earlier, today = add(visit, *doses, given_by="Bdn. Nurhayati")
    assert (earlier.given_by, today.given_by) == ("", "Bdn. Nurhayati")
    with transaction():
        found, card = db.session.get(Visit, visit.id), Entered("OPV", 1, on - timedelta(days=60))
        made = immunizations.add(
            factories.actor("kia"), found, [card], "Bdn. Nurhayati", "", "Posyandu Melati"
        )
        assert [row.given_by for row in made] == ["Posyandu Melati"]


def test_doses_of_one_list_are_held_against_each_other(app):
    visit, on = baby(), days.clinic_date()
    with pytest.raises(Unanswered) as caught:
        add(visit, Entered("PCV", 1, on), Entered("PCV", 2, on))
    assert [finding.rule for finding in caught.value.findings] == ["IMUN-JARAK"]


def test_a_card_is_copied_in_any_order(app):
    visit, on = baby(), days.clinic_date()
    first = Entered("PCV", 1, on - timedelta(days=40))
    assert len(add(visit, Entered("PCV", 2, on), first)) == 2


def test_a_first_dose_after_the_second_needs_a_reason(app):
    visit, on = baby(), days.clinic_date()
    with pytest.raises(Unanswered) as caught:
        add(visit, Entered("DPTHBHIB", 2, on))
    assert [finding.rule for finding in caught.value.findings] == ["IMUN-BELUM"]
    add(visit, Entered("DPTHBHIB", 2, on), reason="dosis 1 di posyandu lain")
    with pytest.raises(Unanswered) as caught:
        add(visit, Entered("DPTHBHIB", 1, on))
    assert [finding.rule for finding in caught.value.findings] == ["IMUN-URUT"]


def test_a_mistake_ends_with_a_reason_and_can_be_noted_anew(app):
    visit, on = baby(), days.clinic_date()
    (row,) = add(visit, Entered("BCG", 1, on, "SALAH"))
    with pytest.raises(RecordError, match="alasan"), transaction():
        immunizations.end(factories.actor("kia"), db.session.get(Immunization, row.id), " ")
    with transaction():
        found = db.session.get(Immunization, row.id)
        immunizations.end(factories.actor("kia"), found, "salah batch")
    assert held(visit) == []
    with pytest.raises(RecordError, match="sudah diakhiri"), transaction():
        immunizations.end(factories.actor("kia"), db.session.get(Immunization, row.id), "lagi")
    add(visit, Entered("BCG", 1, on, "BENAR"))
    assert held(visit) == [("BCG", 1)]
    assert db.session.query(Immunization).count() == 2


def test_an_empty_list_is_told_so(app):
    with pytest.raises(RecordError, match="Pilih vaksin"):
        add(baby())


def test_two_people_at_once_note_a_dose_once(app):
    visit, on = baby(), days.clinic_date()
    gate, results = threading.Barrier(2), []

    def press(who: str) -> None:
        with app.app_context():
            gate.wait()
            try:
                results.append(len(add(visit, Entered("BCG", 1, on), who=who)))
            except RecordError:
                results.append(0)
            db.session.remove()

    threads = [threading.Thread(target=press, args=(who,)) for who in ("kia", "kepala")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1]
    assert held(visit) == [("BCG", 1)]


def act(visit, action, *more, who="kia", **named) -> Visit:
    """A step of the visit's first stay."""
    with transaction():
        stays = select(QueueEntry).where(QueueEntry.visit_id == visit.id)
        entry = db.session.scalars(stays.order_by(QueueEntry.id)).first()
        queues.act(factories.actor(who), entry, action, *more, **named)
    return db.session.get(Visit, visit.id)


def served(months: int = 5) -> Visit:
    return act(baby(months), "mulai")


def end(row, reason="salah centang", who="kia") -> None:
    with transaction():
        found = db.session.get(Immunization, row.id)
        immunizations.end(factories.actor(who), found, reason)


def test_a_visit_with_a_dose_given_here_is_not_cancelled(app):
    visit, on = baby(), days.clinic_date()
    act(visit, "mulai")
    (row,) = add(visit, Entered("BCG", 1, on))
    with pytest.raises(QueueError, match="BCG sudah tercatat.*[Aa]khiri dulu.*selesaikan"):
        act(visit, "batal", "salah daftar")
    assert db.session.get(Visit, visit.id).status is VisitStatus.OPEN
    end(row)
    assert act(visit, "batal", "salah daftar").status is VisitStatus.CANCELLED


def test_of_a_visit_that_goes_on_elsewhere_one_stay_is_cancelled(app):
    visit, on = baby(), days.clinic_date()
    with transaction():
        found = db.session.get(Visit, visit.id)
        queues.enqueue(factories.actor("kia"), found, factories.poli("KIA"))
    add(visit, Entered("BCG", 1, on))
    assert act(visit, "batal", "tidak perlu").status is VisitStatus.OPEN
    assert held(visit) == [("BCG", 1)]


def test_who_goes_home_keeps_the_doses(app):
    visit, on = baby(), days.clinic_date()
    add(visit, Entered("BCG", 1, on))
    assert act(visit, "pulang", "tidak mau menunggu").status is VisitStatus.LEFT
    assert held(visit) == [("BCG", 1)]
    assert history.visit_summary(visit).immunizations[0].row.vaccine == "BCG"


def test_doses_of_a_cancelled_visit_stay_in_sight_and_count(sign_in):
    visit, on = baby(), days.clinic_date()
    card = Entered("BCG", 1, on - timedelta(days=20))
    add(visit, card)  # copied from a card: it was not given in this visit
    assert act(visit, "batal", "terdaftar dua kali").status is VisitStatus.CANCELLED
    assert held(visit) == [("BCG", 1)]
    record = words_of(sign_in("kepala").get(f"/pasien/{visit.patient.public_id}"))
    assert "Kunjungan dibatalkan" in record
    assert f"BCG {short_date(card.given_on)}" in record


# --- Pages ------------------------------------------------------------------------------------


def test_the_page_asks_apart_who_gave_what_was_given_on_another_day(sign_in):
    visit, client = served(), sign_in("kia")
    url = f"/kunjungan/{visit.public_id}/imunisasi"
    page = client.get(url).get_data(as_text=True)
    assert re.search(r'name="given_by" value="[^"]+"', page)
    assert 'name="given_elsewhere" value=""' in page
    day = short_date(days.clinic_date() - timedelta(days=100))
    rows = ("BCG-1", day, "", ""), ("PCV-1", "", "", "")
    wrong = ("", "", "X", "")
    typed = {"given_by": "Bdn. Nurhayati", "given_elsewhere": "Posyandu Melati"}
    kept = send(client, visit, *rows, wrong, **typed)
    assert kept.status_code == 422
    assert 'value="Posyandu Melati"' in kept.get_data(as_text=True)
    assert send(client, visit, *rows, **typed).status_code == 303
    said = words_of(client.get(url))
    assert f"BCG {day} Posyandu Melati, dicatat" in said
    assert f"PCV 1 {short_date(days.clinic_date())} Bdn. Nurhayati" in said
    again = client.get(send(client, visit, *rows, **typed).location)
    assert "memang sudah tercatat" in words_of(again)


def test_nothing_is_noted_before_it_is_settled_who_came_in(sign_in):
    """Two children of one name: the question of the start is asked before a dose, too."""
    first, second = baby(5), baby(9)
    client, on = sign_in("kia"), days.clinic_date()
    act(first, "panggil")
    url = f"/kunjungan/{first.public_id}/imunisasi"
    row = ("BCG-1", "", "B1", "Lengan kanan atas")
    page = client.get(url)
    assert "belum mulai dilayani" in words_of(page)
    assert "Simpan imunisasi" not in words_of(page)
    refused = send(client, first, row)
    assert refused.status_code == 409
    assert "belum mulai dilayani" in words_of(refused)
    assert 'value="B1"' in refused.get_data(as_text=True), "what was typed is kept"
    assert db.session.query(Immunization).count() == 0
    with pytest.raises(Unconfirmed):
        act(first, "mulai")
    answered = {"answer": str(first.patient.birth_date.year)}
    if answered["answer"] == str(second.patient.birth_date.year):
        answered = {"answer": short_date(first.patient.birth_date)}
    act(first, "mulai", **answered)
    assert send(client, first, row).status_code == 303
    assert held(first) == [("BCG", 1)]
    # Nor is a dose of the one who still waits ended.
    add(second, Entered("BCG", 1, on))
    (dose,) = db.session.scalars(select(Immunization).where(Immunization.visit_id == second.id))
    wrong = f"/kunjungan/{second.public_id}/imunisasi/{dose.public_id}/akhiri"
    assert post(client, wrong, {"reason": "salah"}).status_code == 409


def test_after_the_stay_doses_are_still_noted_but_not_for_who_left(sign_in):
    done, left, client = served(), baby(6), sign_in("kia")
    act(done, "selesai")
    act(left, "pulang", "tidak mau menunggu")
    row = ("BCG-1", "", "", "")
    assert send(client, done, row).status_code == 303
    refused = send(client, left, row)
    assert refused.status_code == 409
    assert "tidak dilayani di ruang Anda" in words_of(refused)


def long_ago(visit, ago: int, **stay) -> Visit:
    """The visit with what was written in it becomes one of so many days ago."""
    at = utcnow() - timedelta(days=ago)
    with transaction():
        on = days.clinic_date() - timedelta(days=ago)
        day = add_row(ServiceDay(on=on, opened_at=at, closed_at=at))
        of_visit = {"visit_id": visit.id}
        of_day = {"service_day_id": day.id, "occurred_at": at, "ended_at": at}
        _set(Visit, {"id": visit.id}, status=VisitStatus.FINISHED, **of_day)
        _set(QueueEntry, of_visit, service_day_id=day.id, ended_at=at, **stay)
        _set(Examination, of_visit, finished_at=at)
        _set(Immunization, of_visit, given_on=on, recorded_at=at)
    return db.session.get(Visit, visit.id)


def _set(table, where, **values) -> None:
    rows = update(table).where(*(getattr(table, name) == it for name, it in where.items()))
    db.session.execute(rows.values(**values))


def examined(by: str = "kia", *doses) -> Visit:
    """Served and finished, with an author."""
    visit = served()
    if doses:
        add(visit, *doses)
    with transaction():
        entry = db.session.scalars(select(QueueEntry).where(QueueEntry.visit_id == visit.id)).one()
        said = records.ExaminationInput(assessment="sehat", disposition="pulang")
        records.finish(factories.actor(by), entry, said, 0)
    return db.session.get(Visit, visit.id)


def test_an_old_visit_takes_no_doses(sign_in):
    visit = long_ago(examined(), 100)
    today, client = factories.visit(visit.patient, "IMUN"), sign_in("kia")
    url = f"/kunjungan/{visit.public_id}/imunisasi"
    page = client.get(url)
    assert "Catat di kunjungan hari ini dengan tanggal diberikannya" in words_of(page)
    assert f"/kunjungan/{today.public_id}/imunisasi" in page.get_data(as_text=True)
    assert "Simpan imunisasi" not in words_of(page)
    refused = send(client, visit, ("MR-1", "", "MR77", ""))
    assert refused.status_code == 409
    assert 'value="MR77"' in refused.get_data(as_text=True)
    assert db.session.query(Immunization).count() == 0


def test_its_author_adds_for_two_days_and_it_is_said_when(sign_in):
    visit, today = long_ago(examined(), 1), short_date(days.clinic_date())
    factories.visit(visit.patient, "IMUN")
    client = sign_in(nurse("bidan2", rooms=("IMUN",)))
    assert send(client, visit, ("BCG-1", "", "", "")).status_code == 409
    client = sign_in("kia")
    late = send(client, visit, ("BCG-1", today, "", ""))
    assert late.status_code == 422
    given = short_date(visit.service_day.on)
    assert f"antara lahir dan tanggal kunjungan ini, {given}" in words_of(late)
    assert send(client, visit, ("BCG-1", "", "", ""), given_by="Bdn. Sari").status_code == 303
    said = f"BCG {given} Bdn. Sari, dicatat {today} oleh Bdn. Nurhayati"
    for url in (f"/kunjungan/{visit.public_id}/imunisasi", f"/kunjungan/{visit.public_id}"):
        assert said in words_of(client.get(url))


def test_what_the_end_of_the_day_cut_off_is_completed_for_two_days(sign_in):
    recent = long_ago(served(), 1, state=EntryState.UNFINISHED)
    old = long_ago(served(6), 5, state=EntryState.UNFINISHED)
    client, row = sign_in("kia"), ("BCG-1", "", "", "")
    factories.visit(old.patient, "IMUN")
    assert send(client, recent, row).status_code == 303
    assert send(client, old, row).status_code == 409


def test_an_old_dose_is_ended_by_the_head_alone(sign_in):
    visit = long_ago(examined("kia", Entered("BCG", 1, days.clinic_date())), 100)
    today = act(factories.visit(visit.patient, "IMUN"), "mulai")
    row = db.session.scalars(select(Immunization)).one()
    url = f"/kunjungan/{today.public_id}/imunisasi"
    client, reason = sign_in("kia"), {"reason": "salah centang"}
    assert "hanya kepala" in words_of(client.get(url))
    refused = post(client, f"{url}/{row.public_id}/akhiri", reason)
    assert refused.status_code == 409
    assert held(visit) == [("BCG", 1)]
    head = sign_in("kepala")
    assert post(head, f"{url}/{row.public_id}/akhiri", reason).status_code == 303
    assert held(visit) == []


def test_the_page_that_cancels_says_what_was_recorded(sign_in):
    visit, client = baby(), sign_in("kia")
    act(visit, "mulai")
    add(visit, Entered("BCG", 1, days.clinic_date()))
    entry = db.session.scalars(select(QueueEntry).where(QueueEntry.visit_id == visit.id)).one()
    url = f"/antrean/{entry.public_id}/batal"
    page = words_of(client.get(url))
    assert "Sudah tercatat di kunjungan ini: imunisasi BCG. Akhiri dulu" in page
    refused = post(client, url, {"alasan": "salah daftar"})
    assert refused.status_code == 409
    assert "Imunisasi BCG sudah tercatat di kunjungan" in words_of(refused)


def send(client, visit, *rows, **more):
    columns = ("vaccine", "given_on", "batch", "site")
    lists = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    return post(client, f"/kunjungan/{visit.public_id}/imunisasi", lists | more)


def test_the_page_notes_warns_and_ends(sign_in):
    visit, client = served(), sign_in("kia")
    url = f"/kunjungan/{visit.public_id}/imunisasi"
    assert "DPT-HB-Hib 1" in words_of(client.get(url))
    row, empty = ("DPTHBHIB-1", "", "DPT77", "Paha kiri"), ("", "", "", "")
    assert send(client, visit, row, empty, given_by="Bdn. Nurhayati").status_code == 303
    refused = send(client, visit, ("DPTHBHIB-2", "", "DPT78", "Paha kanan"))
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert 'data-rule="IMUN-JARAK"' in page
    assert 'value="DPT78"' in page
    assert 'value="DPTHBHIB-2" selected' in page
    answered = send(
        client, visit, ("DPTHBHIB-2", "", "DPT78", "Paha kanan"), override_reason="pindah domisili"
    )
    assert answered.status_code == 303
    patient = visit.patient.public_id
    for shown in (url, f"/kunjungan/{visit.public_id}", f"/pasien/{patient}"):
        text = words_of(client.get(shown))
        assert "DPT-HB-Hib 1" in text, shown
        assert "batch DPT77" in text
        assert "alasan: pindah domisili" in text
    first = db.session.scalars(select(Immunization).where(Immunization.dose == 1)).one()
    assert post(client, f"{url}/{first.public_id}/akhiri", {"reason": ""}).status_code == 422
    assert post(client, f"{url}/{first.public_id}/akhiri", {"reason": "salah"}).status_code == 303
    ended = f"diakhiri Bdn. Nurhayati, {short_date(days.clinic_date())}: salah"
    assert ended in words_of(client.get(url))
    assert history.visit_summary(db.session.get(Visit, visit.id)).immunizations[0].row.dose == 2


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("", "", "B1", ""), "pilih vaksinnya"),
        (("XYZ-1", "", "", ""), "pilih vaksin di daftar"),
        (("BCG-x", "", "", ""), "pilih vaksin di daftar"),
        (("BCG-1", "01-01-1990", "", ""), "antara lahir dan hari ini"),
        (("BCG-1", "31-02-2026", "", ""), "Baris 1: Tanggal 31-02-2026 tidak ada"),
        (("", "01-01-2024", "", ""), "Baris 1: pilih vaksinnya"),
        (("BCG-1", "", "b" * 41, ""), "paling banyak 40 huruf"),
        (("", "", "", ""), "Pilih vaksin yang diberikan"),
    ],
)
def test_a_wrong_row_gets_a_sentence_and_is_kept(sign_in, row, sentence):
    visit, client = served(), sign_in("kia")
    client.get(f"/kunjungan/{visit.public_id}/imunisasi")
    page = send(client, visit, row)
    assert page.status_code == 422
    assert sentence in words_of(page)
    shown = page.get_data(as_text=True)
    assert all(f'value="{text}"' in shown for text in row[1:3] if text)
    assert db.session.query(Immunization).count() == 0


def test_a_newborn_of_the_night_gets_its_dose_on_the_day_it_was_given(sign_in):
    visit, client = served(), sign_in("kia")
    born = days.clinic_date() + timedelta(days=1)  # as if the day went on after midnight
    with transaction():
        kept = db.session.get_one(Visit, visit.id)
        kept.occurred_at = days.midnight_utc(born) + timedelta(minutes=90)
        kept.patient.birth_date = born
    page = client.get(f"/kunjungan/{visit.public_id}/imunisasi").get_data(as_text=True)
    assert f'value="{short_date(born)}"' in page
    for day in (born + timedelta(days=1), born - timedelta(days=1)):
        assert send(client, visit, ("HB0-0", short_date(day), "", "")).status_code == 422
    row = ("HB0-0", short_date(born), "", "")
    assert send(client, visit, row, given_by="Bdn. Nurhayati").status_code == 303
    db.session.rollback()
    stored = db.session.query(Immunization).one()
    assert (stored.given_on, stored.given_by) == (born, "Bdn. Nurhayati")
    assert immunizations.given_in(stored.visit), "the visit is not cancelled without a warning"


def test_another_patients_form_and_a_strangers_dose_are_refused(sign_in):
    visit, client = served(), sign_in("kia")
    other = baby(6)
    (row,) = add(other, Entered("BCG", 1, days.clinic_date()))
    client.get(f"/kunjungan/{visit.public_id}/imunisasi")
    wrong = send(client, visit, ("BCG-1", "", "", ""), patient=other.patient.public_id)
    assert wrong.status_code == 409
    ref = row.public_id
    url = f"/kunjungan/{visit.public_id}/imunisasi/{ref}/akhiri"
    assert post(client, url, {"reason": "bukan anak ini"}).status_code == 404
    assert sign_in("gigi").get(f"/kunjungan/{visit.public_id}/imunisasi").status_code in (303, 404)
