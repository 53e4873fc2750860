"""Emergency first: the red banner carries what was typed, and it waits on the visit meanwhile."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import days, incomplete, patients, queues, visit_person
from db import db, new_public_id, transaction, utcnow
from models import (
    AuditEntry,
    OutboxEntry,
    Patient,
    Poli,
    Priority,
    QueueEntry,
    RegistrationDraft,
    Visit,
    VisitStatus,
)
from tests import factories
from tests.pages import polled, post, text_of
from tests.stored import count
from validators import full_years

BORN = date(1985, 8, 17)
TYPED = {
    "name": "Siti Aminah",
    "sex": "P",
    "birth_date": "17-08-1985",
    "phone": "0812 3456 7890",
    "complaint": "nyeri dada\nsejak pagi",
    "aksi": "gawat",
}
NEW, URGENT = "/pendaftaran/baru", "/pendaftaran/gawat"


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


@pytest.fixture
def siti(app) -> Patient:
    identity = patients.Identity(
        "Siti Aminah", "P", BORN, address="Jalan Melati 3", nik=factories.nik(BORN, "P", 41)
    )
    with transaction():
        return patients.create(factories.actor(), identity)


def value_of(page: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


def carried(clerk, url=NEW, **changes) -> tuple[str, dict[str, str]]:
    """The emergency page after the banner's button, and what its hidden fields hold."""
    left = post(clerk, url, TYPED | changes)
    assert left.status_code == 303
    assert re.fullmatch(r"/pendaftaran/gawat\?draf=[0-9a-f-]{36}", left.location)
    page = text_of(clerk.get(left.location))
    return page, {name: value_of(page, name) for name in ("draft", "dari")}


def visit_of(response) -> Visit:
    assert response.status_code == 303, text_of(response)
    ref = response.location.rsplit("/", 1)[-1]
    return db.session.scalars(select(Visit).where(Visit.public_id == ref)).one()


def rooms() -> list[str]:
    return [entry.poli.code for entry in db.session.scalars(select(QueueEntry))]


def test_the_banner_has_the_button_in_the_form_and_in_its_fragment(clerk):
    button = 'name="aksi" value="gawat"'
    assert button in text_of(post(clerk, "/pendaftaran/saran", {"complaint": "nyeri dada"}))
    assert button not in text_of(post(clerk, "/pendaftaran/saran", {"complaint": "gatal"}))
    assert button in text_of(post(clerk, NEW, {"complaint": "nyeri dada"}))


def test_half_a_form_goes_to_the_emergency_room_and_is_completed_without_typing_again(clerk):
    page, hidden = carried(clerk)
    assert value_of(page, "name") == "Siti Aminah"
    assert value_of(page, "complaint") == "nyeri dada sejak pagi"
    assert 'value="P" checked' in page
    assert re.search(r'<button class="btn btn-danger" autofocus>', page), "Enter goes on"
    ticket = post(clerk, URGENT, hidden | {"sex": "P", "name": "Siti A", "complaint": "nyeri"})
    visit, years = visit_of(ticket), full_years(BORN, days.clinic_date())
    assert (rooms(), visit.complaint, visit.age_years) == (["UGD"], "nyeri", years)
    assert (visit.patient.name, visit.patient.is_unknown) == ("Siti A", True)
    assert (visit.patient.birth_date, visit.patient.birth_precision) == (BORN, "day")

    identity = f"/pendaftaran/kunjungan/{visit.public_id}/identitas"
    form = text_of(clerk.get(identity))
    assert (value_of(form, "name"), value_of(form, "phone")) == ("Siti A", "0812 3456 7890")
    assert value_of(form, "draft") == hidden["dari"]
    rest = {name: value_of(form, name) for name in ("name", "birth_date", "phone", "patient")}
    rest |= {"sex": "P", "no_nik_reason": "LUPA_KARTU", "address": "Jalan Melati 3"}
    check = post(clerk, identity, rest | {"draft": hidden["dari"]}).location
    saved = post(clerk, check, {"version": value_of(text_of(clerk.get(check)), "version")})
    assert saved.location == ticket.location
    db.session.expire_all()
    assert (visit.patient.is_unknown, visit.patient.phone) == (False, "+6281234567890")
    assert (count(Visit), count(Patient)) == (1, 1)


def unknown_of_last_night(clerk) -> Visit:
    """A nameless man, come in on the service day before this one."""
    draft = {"draft": new_public_id()}
    visit = visit_of(post(clerk, URGENT, draft | {"sex": "L", "complaint": "kecelakaan"}))
    with transaction():
        night = days.latest_day()
        days.end(night, utcnow())
        night.on -= timedelta(days=1)
    return visit


def test_the_next_days_counter_completes_the_identity_at_the_nights_visit(clerk, sign_in):
    visit = unknown_of_last_night(clerk)
    page, record = f"/pendaftaran/kunjungan/{visit.public_id}/identitas", visit.patient.public_id
    post(clerk, "/pendaftaran", {"q": "Tn. X"})
    assert f'href="{page}"' in text_of(clerk.get("/pendaftaran?hasil=1"))
    for name, has_link in (("loket", True), ("kepala", True), ("rekammedis", False)):
        shown = text_of(sign_in(name).get(f"/pasien/{record}"))
        assert (f'href="{page}"' in shown) is has_link, name
    form = text_of(clerk.get(page))
    rest = {name: value_of(form, name) for name in ("draft", "patient")}
    rest |= {"name": "Budi Santoso", "sex": "L", "birth_date": "17-08-1985"}
    rest |= {"no_nik_reason": "LUPA_KARTU", "address": "Jalan Melati 3", "village": "Tirta Alur"}
    check = post(clerk, page, rest).location
    post(clerk, check, {"version": value_of(text_of(clerk.get(check)), "version")})
    db.session.expire_all()
    assert (visit.patient.name, visit.village, count(Visit)) == ("Budi Santoso", "Tirta Alur", 1)
    assert page not in text_of(clerk.get("/pendaftaran?hasil=1")), "there is nothing to complete"


def test_no_visit_of_long_ago_and_none_cancelled_is_completed(clerk):
    visit = unknown_of_last_night(clerk)
    assert incomplete.visits_of_unknown([visit.patient]) == {visit.patient_id: visit}
    with transaction():
        visit.status = VisitStatus.CANCELLED
    assert not incomplete.visits_of_unknown([visit.patient])
    with transaction():
        visit.status = VisitStatus.UNFINISHED
        days.latest_day().on -= timedelta(days=30)
    assert not incomplete.visits_of_unknown([visit.patient])


def test_what_the_records_staff_learn_of_an_unknown_is_told_to_the_visit(clerk):
    visit = unknown_of_last_night(clerk)
    nik, home = factories.nik(BORN, "L", 42), {"address": "Jalan Melati 3", "village": "Tirta Alur"}
    known = patients.Identity("Budi Santoso", "L", BORN, nik=nik, **home)
    with transaction():
        visit_person.correct(factories.actor("rekammedis"), visit.patient, known, "sesuai KTP")
    db.session.expire_all()
    years = full_years(BORN, visit.service_day.on)
    assert (visit.village, visit.age_years) == ("Tirta Alur", years)
    with transaction():
        moved = replace(known, village="Sungai Lestari")
        visit_person.correct(factories.actor("rekammedis"), visit.patient, moved, "pindah rumah")
    db.session.expire_all()
    assert visit.village == "Tirta Alur", "as it was on that day"


def test_what_is_left_for_later_is_listed_as_not_saved(clerk):
    _, hidden = carried(clerk)
    post(clerk, URGENT, hidden | {"sex": "P", "name": "Siti Aminah"})
    desk = text_of(clerk.get("/pendaftaran"))
    assert f'/pendaftaran/periksa/{hidden["dari"]}">Siti Aminah' in desk


def test_two_pages_of_one_registration_give_one_visit(clerk):
    _, hidden = carried(clerk)
    said = {"sex": "P", "name": "Siti Aminah"}
    first = post(clerk, URGENT, hidden | said)
    other_tab = hidden | {"draft": new_public_id()}
    assert post(clerk, URGENT, other_tab | said).location == first.location
    assert count(Visit) == 1
    # The form that is still open behind it starts a draft of its own.
    post(clerk, NEW, TYPED | {"draft": hidden["dari"]})
    db.session.expire_all()
    kept = select(RegistrationDraft.about_visit_ref).where(
        RegistrationDraft.public_id == hidden["dari"]
    )
    assert db.session.scalar(kept) == first.location.rsplit("/", 1)[-1]


def test_a_registration_that_was_saved_meanwhile_makes_no_second_visit(clerk, siti):
    url = f"/pendaftaran/pasien/{siti.public_id}"
    _, hidden = carried(clerk, url, patient=siti.public_id, **whole(siti))
    check = f"/pendaftaran/periksa/{hidden['dari']}"
    version = value_of(text_of(clerk.get(check)), "version")
    visit_of(post(clerk, check, {"version": version, "override_reason": "stabil"}))
    refused = post(clerk, URGENT, hidden | {"complaint": "nyeri dada"})
    assert refused.status_code == 409
    assert "sudah terdaftar dengan nomor U001" in text_of(refused)
    assert count(Visit) == 1


def whole(siti) -> dict[str, str]:
    return {"nik": siti.nik, "address": siti.address, "phone": "", "poli": "UMUM"}


def test_a_known_patient_goes_there_as_who_it_is(clerk, siti):
    url = f"/pendaftaran/pasien/{siti.public_id}"
    page, hidden = carried(clerk, url, patient=siti.public_id, **whole(siti))
    assert siti.mrn in page and 'name="sex"' not in page and 'id="f-name"' not in page
    assert value_of(page, "patient") == siti.public_id
    wrong = post(clerk, URGENT, hidden | {"patient": new_public_id()})
    assert wrong.status_code == 409
    visit = visit_of(
        post(clerk, URGENT, hidden | {"complaint": "nyeri dada", "patient": siti.public_id})
    )
    assert (visit.patient_id, rooms(), count(Patient)) == (siti.id, ["UGD"], 1)
    assert hidden["dari"] not in text_of(clerk.get("/pendaftaran")), "nothing is left to complete"


def test_what_was_changed_of_a_known_patient_waits_too(clerk, siti):
    url = f"/pendaftaran/pasien/{siti.public_id}"
    _, hidden = carried(clerk, url, patient=siti.public_id, **whole(siti) | {"phone": "08123"})
    typed_over = siti.version
    with transaction():
        row = db.session.merge(siti)
        moved = replace(patients.identity_of(row), address="Jalan Baru 1")
        patients.update(factories.actor(), row, moved, "pindah")
    visit_of(post(clerk, URGENT, hidden | {"complaint": "nyeri dada"}))
    assert hidden["dari"] in text_of(clerk.get("/pendaftaran"))
    waits = select(RegistrationDraft).where(RegistrationDraft.public_id == hidden["dari"])
    assert db.session.scalars(waits).one().fields["patient_version"] == str(typed_over)


def test_the_check_page_leads_there_with_what_was_answered_kept(clerk):
    more = {"no_nik_reason": "LUPA_KARTU", "address": "Jalan Melati 3", "poli": "UMUM", "aksi": ""}
    check = post(clerk, NEW, TYPED | more).location
    page = text_of(clerk.get(check))
    assert page.index('data-rule="R1-banner"') < page.index('name="aksi" value="gawat"')
    assert "Pindah ke UGD dan Tindakan</button>" in page
    left = post(clerk, check, {"aksi": "gawat", "override_reason-R1": "sudah stabil"})
    assert left.location == f"{URGENT}?draf={check.rsplit('/', 1)[-1]}"
    assert db.session.scalars(select(RegistrationDraft)).one().reasons == {"R1": "sudah stabil"}
    moved = post(clerk, check, {"aksi": "pindah:UGD", "version": "1"})
    assert 'value="gawat"' not in text_of(clerk.get(moved.location)), "it goes there already"


def test_a_further_room_of_todays_visit_becomes_the_emergency_room(clerk, siti):
    url = f"/pendaftaran/pasien/{siti.public_id}"
    calm = TYPED | whole(siti) | {"aksi": "", "complaint": "gatal"}
    check = post(clerk, url, calm | {"patient": siti.public_id}).location
    visit = visit_of(post(clerk, check, {"version": "1"}))
    room = f"/pendaftaran/kunjungan/{visit.public_id}/ruang"
    check = post(clerk, room, {"complaint": "nyeri dada", "aksi": "gawat", "sex": "P"}).location
    assert "/pendaftaran/periksa/" in check
    visit_of(post(clerk, check, {"version": "1"}))
    assert (sorted(rooms()), count(Visit)) == (["UGD", "UMUM"], 1)


def test_who_is_here_already_keeps_number_visit_and_places(clerk, siti):
    url = f"/pendaftaran/pasien/{siti.public_id}"
    calm = TYPED | whole(siti) | {"aksi": "", "complaint": "gatal"}
    check = post(clerk, url, calm | {"patient": siti.public_id}).location
    visit = visit_of(post(clerk, check, {"version": "1"}))
    page, hidden = carried(clerk, url, patient=siti.public_id, **whole(siti))
    assert "Sudah terdaftar hari ini dengan nomor <b>U001</b> (Poli Umum)." in page
    said = {"complaint": "nyeri dada", "patient": siti.public_id}
    ticket = post(clerk, URGENT, hidden | said)
    assert visit_of(ticket) == visit_of(post(clerk, URGENT, hidden | said)) == visit
    db.session.expire_all()
    assert (count(Visit), sorted(rooms())) == (1, ["UGD", "UMUM"])
    assert (visit.label, visit.complaint) == ("U001", "gatal; nyeri dada")
    assert visit.priority is Priority.EMERGENCY
    assert [entry.rank for entry in sorted(visit.entries, key=lambda e: e.id)] == [2, 0]
    # Once more, from another registration: a sentence more, and no second place.
    _, again = carried(clerk, url, patient=siti.public_id, **whole(siti))
    more = {"complaint": "pingsan", "patient": siti.public_id}
    assert visit_of(post(clerk, URGENT, again | more)) == visit
    db.session.expire_all()
    assert (count(Visit), sorted(rooms())) == (1, ["UGD", "UMUM"])
    assert visit.complaint == "gatal; nyeri dada; pingsan"


def test_who_waits_there_already_comes_first_now_and_after_an_undone_call(clerk, siti):
    other = factories.entry("UGD", factories.patient("Ani"))
    entry = factories.entry("UGD", siti)
    staff = factories.actor("umum")
    with transaction():
        for each in (other, entry):  # from before this was an emergency room
            db.session.merge(each).rank = 2
        queues.act(staff, db.session.merge(entry), "panggil")
    url = f"/pendaftaran/pasien/{siti.public_id}"
    _, hidden = carried(clerk, url, patient=siti.public_id, **whole(siti))
    said = {"complaint": "nyeri dada", "patient": siti.public_id}
    assert visit_of(post(clerk, URGENT, hidden | said)).id == entry.visit_id
    with transaction():
        queues.act(staff, db.session.get_one(QueueEntry, entry.id), "urungkan")
        poli = db.session.get_one(Poli, entry.poli_id)
        line = [each.label for each in queues.room_queue(poli, days.current_day()).waiting]
    assert line == [entry.visit.label, other.visit.label]
    raised = select(AuditEntry).where(AuditEntry.action == "raise_emergency")
    (noted,) = db.session.scalars(raised)
    assert (noted.object_ref, noted.patient_ref) == (entry.visit.public_id, siti.public_id)


def sent_there(clerk, siti) -> Visit:
    """The visit, after the red banner of her own form led to the emergency room."""
    url = f"/pendaftaran/pasien/{siti.public_id}"
    _, hidden = carried(clerk, url, patient=siti.public_id, **whole(siti))
    said = {"complaint": "nyeri dada", "patient": siti.public_id}
    return visit_of(post(clerk, URGENT, hidden | said))


def take(entry: QueueEntry, *steps: str) -> None:
    for step in steps:
        with transaction():
            queues.act(factories.actor("umum"), db.session.get_one(QueueEntry, entry.id), step)


def test_who_has_gone_home_today_comes_back_as_a_new_visit(clerk, siti):
    entry = factories.entry("UMUM", siti)
    take(entry, "mulai", "selesai")
    visit = sent_there(clerk, siti)
    assert visit.id != entry.visit_id and (count(Visit), rooms()) == (2, ["UMUM", "UGD"])
    assert (visit.cluster, visit.computed_cluster) == ("LINTAS", "LINTAS")


def test_who_was_done_in_the_emergency_room_is_queued_there_once_more(clerk, siti, sign_in):
    entry = factories.entry("UGD", siti)
    with transaction():
        visit = db.session.get_one(Visit, entry.visit_id)
        queues.enqueue(factories.actor("umum"), visit, factories.poli("GIGI"))
    take(entry, "mulai", "selesai")
    dentist = sign_in("gigi")
    poll = polled(dentist.get("/poli/GIGI"))
    assert dentist.get(poll).status_code == 204
    assert sent_there(clerk, siti).id == entry.visit_id
    db.session.expire_all()
    *_, again = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id))
    assert (again.poli.code, again.state, again.rank) == ("UGD", "waiting", 0)
    assert dentist.get(poll).status_code == 200, "it reads there that it became an emergency"
    noted = select(AuditEntry.details).where(AuditEntry.action == "add_room")
    assert db.session.scalars(noted).all() == ["UGD"]


def test_a_foreign_or_finished_draft_carries_nothing(clerk):
    for ref in ("x", new_public_id()):
        page = text_of(clerk.get(f"{URGENT}?draf={ref}"))
        assert value_of(page, "dari") == ""


def test_without_an_emergency_room_it_says_whom_to_call(clerk):
    _, hidden = carried(clerk)
    with transaction():
        db.session.scalars(select(Poli).where(Poli.code == "UGD")).one().is_active = False
    refused = post(clerk, URGENT, hidden | {"sex": "P", "name": "Siti Aminah"})
    assert refused.status_code == 409
    page = text_of(refused)
    assert "Belum ada ruang gawat darurat" in page and value_of(page, "dari") == hidden["dari"]


def test_sex_and_how_it_is_are_asked_and_even_they_may_be_all_that_is_known(clerk):
    page = text_of(clerk.get(URGENT))
    fields = re.findall(r'id="f-([a-z]+)"', page)
    assert fields == ["complaint", "sex", "name"], "the name comes last: it may stay empty"
    focused = re.findall(r"<input[^>]* autofocus[^>]*>", page)
    assert len(focused) == 1 and 'id="f-complaint"' in focused[0], "what is typed at once is kept"
    visits = []
    for sex in "LP":
        key = {"draft": new_public_id(), "sex": sex, "complaint": "", "name": " "}
        visits.append(visit_of(post(clerk, URGENT, key)))
    today = f"{days.clinic_date():%d-%m-%Y}"
    assert [visit.patient.name for visit in visits] == [f"Tn. X {today}", f"Ny. X {today}"]
    assert {visit.complaint for visit in visits} == {"Gawat darurat"}
    assert rooms() == ["UGD", "UGD"]
    second = {"draft": new_public_id(), "sex": "L", "complaint": "", "name": ""}
    assert visit_of(post(clerk, URGENT, second)).patient.name == f"Tn. X2 {today}"
    stranger = {"no_nik_reason": "TIDAK_DIKENAL", "sex": "L", "complaint": "luka", "poli": "UMUM"}
    check = post(clerk, "/pendaftaran/baru", stranger).location
    for _ in range(2):  # read back as it will be saved
        assert f"Tn. X3 {today}" in text_of(clerk.get(check))
    reason = {"version": "1", "override_reason": "dibawa warga"}
    assert visit_of(post(clerk, check, reason)).patient.name == f"Tn. X3 {today}"
    named = {"draft": new_public_id(), "sex": "L", "complaint": "", "name": "baju merah"}
    assert visit_of(post(clerk, URGENT, named)).patient.name == "baju merah"
    unasked = post(clerk, URGENT, {"draft": new_public_id(), "complaint": "kecelakaan"})
    assert unasked.status_code == 422
    assert 'value="kecelakaan"' in text_of(unasked)


def unknown(clerk) -> Visit:
    key = {"draft": new_public_id(), "sex": "P", "complaint": "sesak", "name": ""}
    return visit_of(post(clerk, URGENT, key))


def test_what_stands_in_for_an_unknown_identity_is_not_offered_as_one(clerk):
    visit = unknown(clerk)
    form = text_of(clerk.get(f"/pendaftaran/kunjungan/{visit.public_id}/identitas"))
    assert value_of(form, "address") == "" and "Belum diketahui" not in form
    family = text_of(clerk.get(f"{NEW}?keluarga={visit.public_id}"))
    assert value_of(family, "address") == "", "nor as the family's"
    assert '<option value="" selected>NIK diisi' in form
    ticket = text_of(clerk.get(f"/pendaftaran/tiket/{visit.public_id}"))
    assert "Identitas belum lengkap." in ticket


def test_nobody_gets_a_stand_in_that_another_has_or_had(clerk):
    first = unknown(clerk)
    name, stand_in = first.patient.name, f"Ny. X {days.clinic_date():%d-%m-%Y}"
    assert (name, first.patient.no_nik_reason) == (stand_in, "TIDAK_DIKENAL")
    typed = {"name": "", "no_nik_reason": "TIDAK_DIKENAL", "sex": "P", "address": "Pasar"}
    form = f"/pendaftaran/kunjungan/{first.public_id}/identitas"
    page = text_of(clerk.get(post(clerk, form, typed).location))
    assert name in page and "Ny. X2" not in page, "still unknown, it keeps its own"
    with transaction():
        person = db.session.get_one(Patient, first.patient_id)
        named = replace(patients.identity_of(person), name="Siti", is_unknown=False)
        patients.update(factories.actor(), person, named, "keluarganya datang")
    assert unknown(clerk).patient.name == name.replace("X", "X2"), "labels say the former"


def test_an_emergency_leaves_the_building_too(clerk):
    visit = unknown(clerk)
    assert db.session.scalars(select(OutboxEntry.subject_ref)).all() == [visit.public_id]


def test_a_completed_identity_is_told_at_the_next_poll(clerk, sign_in):
    visit, screen = unknown(clerk), sign_in("umum")
    poll = polled(screen.get("/poli/UGD"))
    assert screen.get(poll).status_code == 204
    whole = TYPED | {"aksi": "", "no_nik_reason": "LUPA_KARTU", "address": "Jalan Melati 3"}
    sent = post(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/identitas", whole)
    post(clerk, sent.location, {"version": "1", "override_reason": "keluarga yang bercerita"})
    assert "Siti Aminah" in text_of(screen.get(poll))
