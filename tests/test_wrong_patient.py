"""A visit that was registered on the wrong person: who moves it, and what goes with it."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from sqlalchemy import select

from clinic import (
    corrections,
    days,
    history,
    last_writers,
    merging,
    paper_doubts,
    papers,
    queues,
    wrong_patient,
)
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    EntryState,
    Examination,
    OutboxEntry,
    Override,
    Patient,
    Poli,
    Priority,
    QueueEntry,
    QueueState,
    RegistrationDraft,
    Visit,
    VisitStatus,
)
from tests import factories
from tests.pages import post
from tests.test_papers import examined, issue

WHY = "salah pilih nama"


def born(years: int) -> date:
    return days.clinic_date() - timedelta(days=years * 366)


def person(years: int, name: str = "Rahma", sex: str = "P") -> Patient:
    return factories.patient(name, birth_date=born(years), sex=sex)


def move(visit: Visit, right: Patient, by: str = "loket", **more) -> Visit:
    with transaction():
        visit = db.session.get_one(Visit, visit.id)
        wrong_patient.reassign(factories.actor(by), visit, right, WHY, **more)
    return db.session.get_one(Visit, visit.id)


def version(code: str = "UMUM") -> int:
    return db.session.scalar(
        select(QueueState.version)
        .join(Poli, Poli.id == QueueState.poli_id)
        .where(Poli.code == code)
    )


def test_rooms_that_mark_the_same_name_draw_it_anew(app):
    wrong, right = person(40, "Budi Hartono", "L"), person(31, "Siti Aminah")
    factories.entry("GIGI", person(45, "Siti Aminah"))
    factories.entry("LANSIA", person(66, "Budi Hartono", "L"))
    visit, shown = factories.visit(wrong), [version("GIGI"), version("LANSIA")]
    move(visit, right)
    assert version("GIGI") > shown[0] and version("LANSIA") > shown[1]


@pytest.mark.parametrize("is_finished", [True, False])
def test_what_was_recorded_goes_with_an_examined_visit(app, is_finished):
    wrong, right = person(30, "Siti"), person(31, "Situ")
    visit = examined(wrong, is_finished).visit
    with pytest.raises(corrections.CorrectionError, match=f"rekam medis.*{visit.label}"):
        move(visit, right)
    visit = move(visit, right, "rekammedis")
    assert (visit.patient_id, visit.original_patient_id) == (right.id, right.id)
    (summary,) = history.history(right)
    examination = summary.rooms[0].examination
    assert examination.assessment == "ISPA ringan"
    assert last_writers.of_examination(examination), "the audit entry is the wrong person's"
    assert history.history(wrong) == []
    came, went = wrong_patient.moved(right)[0], wrong_patient.moved(wrong)[0]
    assert (came.is_here, came.other.id, came.correction.reason) == (True, wrong.id, WHY)
    assert (went.is_here, went.other.id, went.label) == (False, right.id, visit.label)
    told = select(AuditEntry.patient_ref, AuditEntry.reason)
    told = db.session.execute(told.where(AuditEntry.action == "reassign_visit")).tuples()
    assert set(told) == {(wrong.public_id, WHY), (right.public_id, WHY)}


def test_a_paper_that_was_printed_for_the_wrong_person_says_so(app):
    paper = issue(examined())
    assert paper_doubts.doubt(paper) is None
    move(paper.visit, person(31), "kepala")
    assert "ke pasien lain" in paper_doubts.doubt(paper).cause
    with transaction():
        papers.cancel(factories.actor("umum"), paper, "salah orang")
    assert paper_doubts.doubt(paper) is None, "it says nothing any more"


def test_a_visit_that_leaves_the_building_leaves_again(app):
    visit = factories.visit(person(30))
    with transaction():
        db.session.add(
            OutboxEntry(
                target="satusehat",
                business_key=f"satusehat:visit:{visit.public_id}",
                subject_type="visit",
                subject_ref=visit.public_id,
            )
        )
    move(visit, person(31))
    again = select(OutboxEntry).where(OutboxEntry.subject_ref == visit.public_id)
    assert len(db.session.scalars(again).all()) == 2


def test_cluster_priority_and_place_in_line_follow_the_person(app):
    toddler, adult = person(3), person(30)
    factories.visit(adult)
    visit = factories.visit(toddler, cluster="2", computed_cluster="2", priority=Priority.TODDLER)
    assert visit.is_new_patient and visit.entries[0].is_priority
    before = version()
    visit = move(visit, adult)
    assert (visit.cluster, visit.computed_cluster) == ("3", "3")
    assert "18 tahun ke atas" in visit.cluster_rule
    assert visit.priority == Priority.NONE and not visit.entries[0].is_priority
    assert not visit.is_new_patient
    assert version() > before
    visit = move(visit, toddler)
    assert visit.priority == Priority.TODDLER and visit.entries[0].is_priority
    assert visit.is_new_patient and visit.cluster == "2"


def test_what_reports_need_follows_the_right_person(app):
    card = {"payer": "JKN_PBI", "bpjs_number": "0001234567890", "village": "Desa Lain"}
    wrong = factories.patient("Rahma", birth_date=born(3), **card)
    visit = factories.visit(wrong, bpjs_home="sini")
    assert (visit.payer, visit.age_years) == ("JKN_PBI", 3)
    visit = move(visit, person(30, "Rahmi"))
    assert (visit.payer, visit.bpjs_number, visit.bpjs_home) == ("UMUM", None, "")
    assert (visit.village, visit.age_years) == ("Tirta Alur", 30)
    assert visit.age_months // 12 == 30 and visit.age_days > 10_900


def test_a_call_that_is_undone_gives_no_priority_back_that_was_the_wrong_persons(app):
    visit = factories.visit(person(3), priority=Priority.TODDLER)
    with transaction():
        staff = factories.actor("umum")
        entry = queues.act(staff, db.session.merge(visit.entries[0]), "panggil")
    move(visit, person(30))
    with transaction():
        entry = queues.act(staff, db.session.get_one(QueueEntry, entry.id), "urungkan")
    assert (entry.state, entry.is_priority) == (EntryState.WAITING, False)


def test_a_move_is_told_on_the_record_that_took_one_of_the_two_in(app):
    wrong, right, survivor = person(30, "Siti"), person(31, "Situ"), person(31, "Situh")
    visit = move(examined(wrong, True).visit, right, "rekammedis")
    with transaction():
        head = factories.actor("kepala")
        merge = merging.merge(head, *map(db.session.merge, (survivor, right)), {}, "satu orang")
    (told,) = wrong_patient.moved(survivor)
    assert (told.label, told.is_here, told.other.id) == (visit.label, True, wrong.id)
    with transaction():
        merging.undo(factories.actor("kepala"), db.session.merge(merge), "ternyata dua orang")
    assert wrong_patient.moved(survivor) == []


def test_what_was_seen_at_the_counter_stays(app):
    chosen = {"cluster": "2", "priority": Priority.DISABLED, "pregnant": "tidak"}
    visit = move(factories.visit(person(30), **chosen), person(40))
    assert (visit.cluster, visit.computed_cluster) == ("2", "3"), "its reason holds as before"
    assert (visit.priority, visit.pregnant) == (Priority.DISABLED, "tidak")


def test_a_man_is_not_pregnant_and_an_old_answer_about_the_cluster_ends(app):
    visit = factories.visit(
        person(30),
        pregnant="ya",
        priority=Priority.PREGNANT,
        cluster="3",
        computed_cluster="2",
    )
    visit = move(visit, person(40, "Budi", "L"))
    assert (visit.pregnant, visit.priority) == ("", Priority.NONE)
    assert (visit.cluster, visit.computed_cluster) == ("3", "3")


def test_a_cancelled_visit_stays_and_one_that_left_is_the_records_staffs(app):
    entry = factories.entry("UMUM", person(30))
    with transaction():
        queues.act(factories.actor("umum"), entry, "pulang", "tidak sabar")
    right = person(31)
    with pytest.raises(corrections.CorrectionError):
        move(entry.visit, right)
    assert move(entry.visit, right, "kepala").status is VisitStatus.LEFT
    other = factories.entry("UMUM", person(32))
    with transaction():
        queues.act(factories.actor("umum"), other, "batal", "salah daftar")
    with pytest.raises(corrections.CorrectionError):
        move(other.visit, right, "kepala")


def test_the_second_of_two_who_move_it_is_told_where_it_went(app):
    wrong, first, second = person(30), person(31, "Rahmi"), person(32)
    visit = factories.visit(wrong)
    move(visit, first, was=wrong.public_id)
    with pytest.raises(corrections.CorrectionError, match="baru saja dipindahkan ke Rahmi"):
        move(visit, second, was=wrong.public_id)
    new = {"name": "Ketut", "sex": "P", "reason": WHY, "was": wrong.public_id}
    with pytest.raises(corrections.CorrectionError, match="Rahmi"), transaction():
        wrong_patient.reassign_to_new(factories.actor(), db.session.merge(visit), **new)


def test_it_goes_to_the_record_that_took_the_picked_one_in_and_to_none_it_is_on(app):
    wrong, picked, survivor = person(30), person(31, "Situ"), person(31, "Situh")
    visit = factories.visit(wrong)
    with transaction():
        head = factories.actor("kepala")
        merging.merge(head, *map(db.session.merge, (survivor, picked)), {}, "satu orang")
    assert move(visit, picked).patient_id == survivor.id
    with pytest.raises(corrections.CorrectionError, match="memang sudah"):
        move(visit, picked)
    move(visit, wrong)
    assert [one.is_here for one in wrong_patient.moved(wrong)] == [True, False], "the newest first"


def test_of_the_right_patient_is_read_what_concerns_the_visit_and_is_new(app):
    visit = factories.visit(person(70), "LANSIA")
    with pytest.raises(corrections.Unread) as unread:
        move(visit, person(12), read=[])
    move(visit, person(12), read=[one.mark for one in unread.value.warnings])
    move(visit, person(12, "Rahmi"), read=[])  # this was answered
    cough = factories.visit(person(30), complaint="batuk 3 minggu")
    card = factories.nik(born(31), "L", 9)  # of a man: nothing about the visit
    move(cough, factories.patient("Rahmi", birth_date=born(31), nik=card), read=[])
    gone = factories.entry("GIGI", person(50))
    with transaction():
        said = {"death": "meninggal", "finished_at": utcnow(), "visit_id": gone.visit_id}
        doctor = factories.user("umum").id
        db.session.add(Examination(entry_id=gone.id, recorded_by_id=doctor, **said))
    with pytest.raises(corrections.Unread) as unread:
        move(cough, gone.visit.patient, read=[])
    assert [one.rule for one in unread.value.warnings] == ["DEATH-1"]


# --- The page ---------------------------------------------------------------------------------


def url_of(visit: Visit) -> str:
    return f"/pendaftaran/kunjungan/{visit.public_id}/ubah"


def test_what_the_rules_say_of_the_right_patient_is_read_first(sign_in):
    clerk = sign_in("loket")
    visit = factories.visit(person(70), "LANSIA")
    wrong, right = visit.patient, person(12)
    change = {"aksi": "ganti_pasien", "patient": right.public_id, "alasan_pasien": WHY}
    change |= {"dari": wrong.public_id}
    asked = post(clerk, url_of(visit), change)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422
    assert 'data-rule="E4" data-level="error"' in page and f'value="{WHY}"' in page
    read = re.search(r'name="dibaca" value="(E4:\w+)"', page)[1]
    assert post(clerk, url_of(visit), change | {"dibaca": read}).status_code == 303
    assert db.session.get_one(Visit, visit.id).patient_id == right.id
    kept = db.session.scalars(select(Override).where(Override.visit_id == visit.id)).one()
    assert (kept.rule, kept.reason) == ("E4", WHY)


def test_the_counter_is_led_to_the_records_staff_who_find_the_way(sign_in):
    wrong, right = person(30, "Siti"), person(31, "Situ")
    visit = examined(wrong).visit
    page = sign_in("loket").get(url_of(visit)).get_data(as_text=True)
    assert "Hanya rekam medis atau kepala" in page and 'value="cari"' not in page
    records_staff = sign_in("rekammedis")
    assert f'{url_of(visit)}#pindah"' in records_staff.get(f"/pasien/{wrong.public_id}").get_data(
        as_text=True
    )
    found = post(records_staff, url_of(visit), {"aksi": "cari", "q": right.mrn})
    assert right.public_id in found.get_data(as_text=True)
    change = {"aksi": "ganti_pasien", "patient": right.public_id, "alasan_pasien": WHY}
    done = post(records_staff, url_of(visit), change)
    assert done.location == f"/pasien/{right.public_id}"
    for one, words in ((right, "ke sini dari"), (wrong, "dari sini ke")):
        record = records_staff.get(f"/pasien/{one.public_id}").get_data(as_text=True)
        assert f"dipindahkan {words}" in record and WHY in record


def test_a_name_that_is_only_alike_is_not_chosen_beforehand(sign_in):
    clerk = sign_in("loket")
    right = factories.patient("Hartini Benar", birth_date=born(46), village="Tirta Alur")
    visit = factories.visit(person(30, "Wahyu Uji"))
    exact = post(clerk, url_of(visit), {"aksi": "cari", "q": "Hartini Benar"}).text
    alike = post(clerk, url_of(visit), {"aksi": "cari", "q": "Hartimi Benar"}).text
    for page in (exact, alike):
        assert f'value="{right.public_id}" required' in page
        assert "Perempuan" in page and "Tirta Alur" in page
    chosen = f'value="{right.public_id}" required checked'
    assert chosen in exact and "nama mirip" not in exact
    assert chosen not in alike and "nama mirip" in alike


def test_somebody_without_a_record_gets_one_and_the_number_stays(sign_in):
    clerk = sign_in("loket")
    entry = factories.entry("UMUM", person(30))
    visit = entry.visit
    url, new = url_of(visit), {"aksi": "pasien_baru", "name": "Ketut Ayu", "alasan_pasien": WHY}
    refused = post(clerk, url, new)
    assert refused.status_code == 422 and "Ketut Ayu" in refused.get_data(as_text=True)
    done = post(clerk, url, new | {"sex": "P"})
    assert done.location == f"/pendaftaran/kunjungan/{visit.public_id}/identitas"
    assert 'value="Ketut Ayu"' in clerk.get(done.location).get_data(as_text=True)
    known = {"no_nik_reason": "BELUM_BAWA", "birth_date": f"{born(3):%d-%m-%Y}", "sex": "P"}
    known |= {"name": "Ketut Ayu", "address": "Jalan Melati", "mother_name": "Wayan Sari"}
    check = post(clerk, done.location, known).location
    assert post(clerk, check, {"version": "1"}).status_code == 303
    (moved,) = db.session.scalars(select(Visit))
    assert (moved.priority, moved.cluster) == (Priority.TODDLER, "2"), "now that the age is known"
    assert db.session.get_one(QueueEntry, entry.id).is_priority
    assert (moved.patient.name, moved.patient.is_unknown) == ("Ketut Ayu", False)
    assert moved.label == visit.label and entry.state is EntryState.WAITING


def test_without_a_choice_nothing_moves_and_the_reason_stays(sign_in):
    visit = factories.visit(person(30))
    sent = post(sign_in("loket"), url_of(visit), {"aksi": "ganti_pasien", "alasan_pasien": WHY})
    page = sent.get_data(as_text=True)
    assert sent.status_code == 422 and '<a href="#f-q">Pilih dulu' in page and 'id="f-q"' in page


@pytest.mark.parametrize(
    ("missing", "field"),
    [("sex", "sex"), ("name", "name"), ("alasan_pasien", "alasan_baru")],
)
def test_what_is_missing_of_somebody_new_is_one_press_away(sign_in, missing, field):
    visit = factories.visit(person(30))
    typed = {"name": "Ketut Ayu", "sex": "P", "alasan_pasien": WHY} | {missing: ""}
    sent = post(sign_in("loket"), url_of(visit), typed | {"aksi": "pasien_baru"})
    page = sent.get_data(as_text=True)
    assert sent.status_code == 422
    assert f'<a href="#f-{field}">' in page and f'id="f-{field}"' in page


CORRECTED = {"payer": "JAMKESDA", "complaint": "pusing", "alasan": "kartu menyusul"}
SEARCH = {"aksi": "cari", "q": "Situ"}


def sent_by(page: str, button: str) -> dict[str, str]:
    """What this page's form sends with one of its buttons, as a browser without scripts does."""
    form = re.search(r'<form class="cols".*?</form>', page, re.S)[0]
    assert f'name="aksi" value="{button}"' in form
    sent = {
        "aksi": button,
        "complaint": unescape(re.search(r"<textarea.*?>\n(.*?)<", form, re.S)[1]),
    }
    sent["payer"] = re.search(r'<option value="(\w+)" selected>', form)[1]
    for tag in re.findall(r"<input [^>]*>", form):
        found = {name: unescape(text) for name, text in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if found.get("type") not in ("radio", "checkbox") or tag.endswith("checked>"):
            sent[found["name"]] = found.get("value", "")
    return sent


def test_a_search_for_the_right_patient_takes_along_what_is_typed_beside_it(sign_in):
    clerk, right = sign_in("loket"), person(31, "Situ")
    visit = factories.visit(person(30))
    url, before = url_of(visit), visit.complaint
    page = clerk.get(url).text
    typed = CORRECTED | {"alasan_baru": WHY, "alasan_batal": "dua kali"}
    page = post(clerk, url, sent_by(page, "cari") | typed | SEARCH).text
    sent = sent_by(page, "ganti_pasien")
    assert {name: sent[name] for name in typed} == typed
    assert (sent["patient"], sent["alasan_pasien"]) == (right.public_id, WHY)
    assert sent["shown-complaint"] == before
    again = sent_by(post(clerk, url, sent | {"aksi": "cari", "q": "Lain"}).text, "pasien_baru")
    assert again["alasan_baru"] == WHY and "patient" not in again
    refused = sent_by(post(clerk, url, sent | {"aksi": "ubah", "alasan": ""}).text, "ganti_pasien")
    kept = ("complaint", "patient", "alasan_pasien", "q")
    assert {name: refused[name] for name in kept} == {name: sent[name] for name in kept}


def test_a_move_shows_what_was_typed_beside_it_and_stores_it_on_nobody(sign_in):
    clerk, right = sign_in("loket"), person(31, "Situ")
    right_card = "0001112223334"
    with transaction():
        db.session.merge(right).bpjs_number = right_card
    visit = factories.visit(person(30))
    page = post(clerk, url_of(visit), sent_by(clerk.get(url_of(visit)).text, "cari") | SEARCH).text
    sent = sent_by(page, "ganti_pasien") | CORRECTED | {"alasan_pasien": WHY}
    moved = post(clerk, url_of(visit), sent)
    assert moved.status_code == 200 and "belum disimpan" in moved.text and "Situ" in moved.text
    db.session.expire_all()
    row = db.session.get_one(Visit, visit.id)
    assert (row.patient_id, row.payer) == (right.id, "UMUM")
    save = sent_by(moved.text, "ubah")
    assert {name: save[name] for name in CORRECTED} == CORRECTED
    assert (save["dari"], save["bpjs_number"], save["alasan_baru"]) == (
        right.public_id,
        right_card,
        "",
    )
    assert post(clerk, url_of(visit), save).status_code == 303
    assert db.session.get_one(Visit, visit.id, populate_existing=True).complaint == "pusing"


def test_enter_searches_or_saves_the_correction_and_never_moves(sign_in):
    clerk, right = sign_in("loket"), person(31, "Situ")
    visit = factories.visit(person(30))
    sent = sent_by(clerk.get(url_of(visit)).text, "enter")
    found = post(clerk, url_of(visit), sent | {"q": "Situ"}).text
    assert f'value="{right.public_id}" required checked' in found
    sent = sent_by(found, "enter")
    asked = post(clerk, url_of(visit), sent | {"alasan_pasien": WHY})
    assert asked.status_code == 422 and "Tekan tombol" in asked.text and WHY in asked.text
    assert post(clerk, url_of(visit), sent | CORRECTED).status_code == 303
    row = db.session.get_one(Visit, visit.id, populate_existing=True)
    assert (row.patient_id, row.complaint) == (visit.patient_id, "pusing")


def test_without_a_reason_the_picked_patient_stays_and_the_summary_leads_to_it(sign_in):
    visit, right = factories.visit(person(30)), person(31, "Situ")
    typed = {"aksi": "ganti_pasien", "patient": right.public_id, "alasan_pasien": " "}
    page = post(sign_in("loket"), url_of(visit), typed).get_data(as_text=True)
    assert '<a href="#f-alasan_pasien">' in page and 'id="f-alasan_pasien"' in page


# --- What was typed of who it is, before the visit went to somebody else -----------------------

TYPED = {"name": "Ramlah", "sex": "P", "birth_date": "05-05-1983", "no_nik_reason": "LUPA_KARTU"}
TYPED |= {"address": "Jalan Kenanga", "village": "Tirta Alur", "mother_name": "Saodah"}


def typed_over(clerk, visit: Visit) -> tuple[str, str]:
    """An identity that was typed and not saved: its form's address and its check page's."""
    page = f"/pendaftaran/kunjungan/{visit.public_id}/identitas"
    return page, post(clerk, page, TYPED | {"patient": visit.patient.public_id}).location


def fields_in(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(\w+)" [^>]*?value="([^"]*)"', page))


@pytest.mark.parametrize("is_listed", [False, True], ids=["dropped", "left from before"])
def test_an_identity_typed_over_one_patient_is_never_anothers(sign_in, is_listed):
    clerk, right = sign_in("loket"), factories.patient("Nurhayati", nik="3171014508900007")
    visit = factories.visit(
        factories.patient("Ibu Ramlah", no_nik_reason="TIDAK_DIKENAL", is_unknown=True)
    )
    page, check = typed_over(clerk, visit)
    assert "/periksa/" in check and "Ramlah" in clerk.get("/pendaftaran").get_data(as_text=True)
    draft = check.rsplit("/", 1)[-1]
    visit = move(visit, right)
    desk = clerk.get("/pendaftaran").get_data(as_text=True)
    assert "Belum disimpan" not in desk, "nothing waits under it any more"
    assert "Nama: Ramlah" in clerk.get(page).get_data(as_text=True), "but it can be read"
    if is_listed:
        with transaction():
            db.session.scalars(select(RegistrationDraft)).one().dropped_at = None
    assert clerk.get(check).location == f"{page}?draf={draft}"
    assert post(clerk, check, {"version": "1"}).location == f"{page}?draf={draft}"
    shown = clerk.get(f"{page}?draf={draft}").get_data(as_text=True)
    found = fields_in(shown)
    assert (found["name"], found["draft"], found["nik"]) == ("Nurhayati", "", right.nik)
    assert "Isian ini bukan untuk pasien" in shown and "Nama: Ramlah" in shown
    assert "Alasan tanpa NIK: Lupa" in shown, "in words"
    whose = {"patient": right.public_id, "draft": draft, "patient_version": "1"}
    for sent in (TYPED | whose, TYPED | {"patient": visit.original_patient_id}):
        refused = post(clerk, page, sent)
        answer = refused.get_data(as_text=True)
        assert refused.status_code == 409 and fields_in(answer)["name"] == "Nurhayati"
        assert "Nama: Ramlah" in answer
    db.session.expire_all()
    assert (visit.patient.name, visit.patient.nik) == ("Nurhayati", "3171014508900007")


def test_an_identity_typed_over_a_record_that_was_merged_since_goes_on(sign_in):
    clerk = sign_in("loket")
    loser, survivor = person(43, "Ramla"), person(43, "Ramlah")
    visit = factories.visit(loser)
    page, check = typed_over(clerk, visit)
    with transaction():
        db.session.scalars(select(QueueEntry)).one().state = EntryState.DONE
        kept = db.session.get_one(Patient, survivor.id)
        kept.phone, kept.version = "+6281234567890", 7
        both = (kept, db.session.get_one(Patient, loser.id))
        merging.merge(factories.actor("kepala"), *both, {}, "satu orang")
    shown = fields_in(clerk.get(f"{page}?draf={check[-36:]}").get_data(as_text=True))
    assert shown["draft"] == check[-36:] and shown["patient"] == survivor.public_id
    assert (shown["birth_date"], shown["phone"]) == (TYPED["birth_date"], "+6281234567890")
    assert int(shown["patient_version"]) >= 7, "of the record that counts"
    why = {"version": "1", "override_reason": "sesuai KTP"}
    assert "/tiket/" in post(clerk, check, why).location
    db.session.expire_all()
    one = db.session.get_one(Visit, visit.id).patient
    assert (one.id, f"{one.birth_date:%d-%m-%Y}") == (survivor.id, TYPED["birth_date"])
    assert (one.mother_name, one.phone) == ("Saodah", "+6281234567890")
