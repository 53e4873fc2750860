"""What is typed in an examination and not saved: kept for its author, shown to nobody else."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import create_app
from clinic import queues, unsaved, worker, wrong_patient
from db import db, transaction, utcnow
from models import AuditEntry, EntryState, LoginSession, Patient, UnsavedText, Visit
from tests import factories
from tests.pages import PageClient, login, post
from tests.test_examination import address, examination, hidden, send, served, text_of, words_of

TYPED = "Nyeri ulu hati sejak kemarin malam"


@pytest.fixture
def umum(sign_in):
    return sign_in("umum")


def form_of(entry, keys="k1", **fields) -> dict:
    known = {"entry": entry.public_id, "patient": entry.visit.patient.public_id}
    return {**known, "ketikan": keys, "version": "0", "subjective": TYPED, **fields}


def keep(client, served_entry, keys="k1", step=1, **fields):
    url = address(served_entry, f"/ketikan?ke={step}")
    return post(client, url, {**form_of(served_entry, keys), **fields})


def rows() -> list[UnsavedText]:
    db.session.rollback()
    return list(db.session.scalars(select(UnsavedText).order_by(UnsavedText.id)))


def live() -> list[str]:
    """The anamnesis of each text that has not ended."""
    return [dict(row.fields)["subjective"] for row in rows() if not row.ended_at]


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


# --- Kept and given back ----------------------------------------------------------------------


def test_what_was_typed_comes_back_after_a_restart_of_the_server(app, umum):
    entry = served()
    fields = {"pulse": "abc", "diagnosis": ["J06.9", "A09"], "lab_sent": "1", "lab": ["GDS"]}
    before = actions()
    fields |= {"case_type-1": "baru", "case_type-2": "lama", "diagnosis_search": "maag"}
    answer = keep(umum, entry, disposition="kontrol", **fields)
    assert answer.status_code == 201 and re.fullmatch(rb"\d\d\.\d\d", answer.data)
    assert actions() == before and examination(entry) is None
    restarted = create_app(app.config["ALUR"])
    restarted.test_client_class = PageClient
    page = text_of(login(restarted.test_client(), "umum").get(address(entry)))
    with restarted.app_context():
        db.engine.dispose()
    assert "Ketikan Anda pukul" in page and "dipulihkan" in page
    for text in (TYPED, 'value="abc"', 'value="J06.9"', 'value="A09"', 'value="maag"'):
        assert text in page, text
    assert re.search(r'value="kontrol" checked', page)
    assert re.search(r'name="lab" value="GDS" checked|value="GDS"[^>]*checked', page)


def test_nobody_but_its_author_is_shown_it(umum, sign_in):
    entry = served()
    keep(umum, entry)
    for username in ("kepala", "rekammedis"):
        page = text_of(sign_in(username).get(address(entry)))
        assert TYPED not in page and "Ketikan" not in page
    head = sign_in("kepala")
    for url in ("/sistem/audit", f"/pasien/{entry.visit.patient.public_id}"):
        assert TYPED not in text_of(head.get(url))
    assert send(head, entry, plan="dari kepala").status_code == 303
    assert live() == [TYPED], "another's save leaves it"


def test_a_word_typed_is_in_no_audit_entry(umum):
    entry = served()
    keep(umum, entry)
    post(umum, address(entry, "/ketikan/buang"), form_of(entry))
    with transaction():
        unsaved.clear(utcnow() + timedelta(days=30))
    entries = db.session.scalars(select(AuditEntry)).all()
    assert not [row for row in entries if "ulu hati" in f"{row.details}{row.reason}"]


def test_what_a_colleague_saved_meanwhile_stands_beside_it(umum, sign_in):
    entry = served()
    keep(umum, entry, plan="rencana saya")
    send(sign_in("kepala"), entry, plan="rencana kepala")
    response = umum.get(address(entry))
    page = text_of(response)
    assert "rencana saya" in page and "rencana kepala" in page and TYPED in page
    assert "sudah diubah sejak Anda mengetik" in page
    assert hidden(response, "version") == "1"
    merged = send(umum, entry, version=1, plan="rencana berdua", ketikan=hidden_keys(response))
    assert merged.status_code == 303
    assert examination(entry).plan == "rencana berdua" and live() == []


def hidden_keys(response) -> str:
    return re.findall(r'name="ketikan" value="([^"]*)"', response.get_data(as_text=True))[-1]


def test_text_for_an_examination_that_was_finished_meanwhile_is_shown_to_copy(umum, sign_in):
    entry = served()
    keep(umum, entry)
    send(sign_in("kepala"), entry, "selesai", assessment="ISPA", disposition="pulang")
    page = words_of(umum.get(address(entry)))
    assert TYPED in page and "dapat disimpan sebagai tambahan" in page
    assert "Buang ketikan" in page


def test_text_for_a_patient_who_was_moved_is_shown_to_copy(umum):
    entry = served()
    with transaction():
        queues.act(factories.actor("umum"), entry, "pindah", "salah", factories.poli("GIGI"))
    kept = keep(umum, entry, pulse="88", diagnosis="J06.9")
    assert kept.status_code == 201, "nothing typed is refused for that"
    page = words_of(umum.get(address(entry)))
    for text in (TYPED, "Nadi 88", "J06.9", "ada di bawah"):
        assert text in page, text


def test_words_that_led_to_a_ticked_diagnosis_do_not_come_back(umum):
    entry = served()
    keep(umum, entry, diagnosis="A09", diagnosis_search="diare")
    response = umum.get(address(entry))
    assert 'value="A09"' in text_of(response) and 'value="diare"' not in text_of(response)


# --- Whose, and for whom ----------------------------------------------------------------------


def test_the_form_of_another_visit_or_patient_is_refused(umum):
    mine, other = served(), served(person=factories.patient("Budi", sex="L"))
    wrong = [
        {"entry": other.public_id},
        {"entry": ""},
        {"patient": other.visit.patient.public_id},
    ]
    for fields in wrong:
        assert keep(umum, mine, **fields).status_code == 409
    assert rows() == []


def test_text_for_the_visits_former_patient_is_marked(umum):
    entry, other = served(), factories.patient("Budi Santoso", sex="L")
    keep(umum, entry)
    with transaction():
        visit = db.session.scalars(select(Visit).where(Visit.id == entry.visit_id)).one()
        right = db.session.get_one(Patient, other.id)
        wrong_patient.reassign(factories.actor("loket"), visit, right, "salah pilih pasien")
    page = words_of(umum.get(address(entry)))
    assert "Budi Santoso" in page and "Cocokkan nama dan tanggal lahir" in page


@pytest.mark.parametrize(
    ("username", "status"), [("gigi", 404), ("loket", 403), ("rekammedis", 403)]
)
def test_who_may_not_type(sign_in, username, status):
    entry = served()
    assert keep(sign_in(username), entry).status_code == status
    assert rows() == []


def test_a_session_that_ended_is_told_without_a_page(umum):
    entry = served()
    keep(umum, entry)
    token = umum.token
    with transaction():
        for row in db.session.scalars(select(LoginSession)):
            row.idle_until = utcnow()
    url, htmx = address(entry, "/ketikan"), {"HX-Request": "true"}
    data = {"csrf_token": token, **form_of(entry, subjective="lain")}
    late = umum.post(f"{url}?ke=2", data=data, headers=htmx)
    assert (late.status_code, late.data) == (401, b"")
    assert umum.get(f"{url}?penulis=umum", headers=htmx).status_code == 401
    login(umum, "umum")
    fresh = umum.get(f"{url}?penulis=umum", headers=htmx)
    assert fresh.status_code == 200 and fresh.get_data(as_text=True) != token
    data["csrf_token"] = fresh.get_data(as_text=True)
    assert umum.post(f"{url}?ke=3", data=data, headers=htmx).status_code == 201
    assert live() == ["lain"]


@pytest.mark.parametrize("username", ["kepala", "gigi"])
def test_another_accounts_session_gets_no_token_for_the_open_form(sign_in, username):
    entry = served()
    answer = sign_in(username).get(address(entry, "/ketikan?penulis=umum"))
    assert answer.status_code == 409 and "." not in answer.get_data(as_text=True).rstrip(".")


# --- What ends it -----------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["simpan", "selesai"])
def test_it_is_gone_when_its_form_is_saved(umum, action):
    entry = served()
    keep(umum, entry)
    fields = {"assessment": "dispepsia", "disposition": "pulang", "ketikan": "k1"}
    assert send(umum, entry, action, **fields).status_code == 303
    assert [row.fields for row in rows()] == [[]]
    assert "Ketikan" not in text_of(umum.get(address(entry)))
    assert keep(umum, entry, step=9).status_code == 201, "it was under way"
    assert live() == []


def test_a_request_that_comes_after_the_save_of_its_form_is_ignored(umum):
    entry = served()
    send(umum, entry, plan="x", ketikan="k1")
    keep(umum, entry)
    assert live() == []


def test_a_refused_save_keeps_it(umum):
    entry = served()
    keep(umum, entry)
    response = send(umum, entry, pulse="999", ketikan="k1")
    assert response.status_code == 422 and live() == [TYPED]
    assert hidden_keys(response).split()[0] == "k1", "its text goes on in the new form"


def test_a_form_that_took_the_text_over_ends_it(umum):
    entry = served()
    keep(umum, entry)
    keys = hidden_keys(umum.get(address(entry)))
    keep(umum, entry, keys, subjective="lanjutan")
    assert live() == ["lanjutan"]
    send(umum, entry, subjective="lanjutan", ketikan=keys)
    assert live() == []


def test_what_is_typed_in_another_tab_stays(umum):
    entry = served()
    keep(umum, entry, "k1", subjective="tab satu")
    keep(umum, entry, "k2", subjective="tab dua")
    send(umum, entry, subjective="tab dua", ketikan="k2")
    assert live() == ["tab satu"]
    page = text_of(umum.get(address(entry)))
    assert "tab satu" in page and "tab dua" in page


def test_requests_that_overtake_each_other_do_not_bring_older_text_back(umum):
    entry = served()
    keep(umum, entry, step=2, subjective="kedua")
    keep(umum, entry, step=1, subjective="pertama")
    assert live() == ["kedua"]


def test_the_author_throws_it_away(umum):
    entry = served()
    send(umum, entry, plan="tersimpan")
    keep(umum, entry, version="1")
    keys = hidden_keys(umum.get(address(entry)))
    gone = post(umum, address(entry, "/ketikan/buang"), form_of(entry, keys))
    assert gone.location == address(entry, f"?antrean={entry.public_id}")
    page = text_of(umum.get(gone.location))
    assert "Ketikan dibuang." in page and TYPED not in page and "tersimpan" in page
    assert actions().count("drop_unsaved_text") == 1 and live() == []
    post(umum, address(entry, "/ketikan/buang"), form_of(entry, keys))
    assert actions().count("drop_unsaved_text") == 1, "a second press finds nothing"


def test_the_head_cannot_throw_it_away(umum, sign_in):
    entry = served()
    keep(umum, entry)
    post(sign_in("kepala"), address(entry, "/ketikan/buang"), form_of(entry))
    assert live() == [TYPED]


def test_the_worker_blanks_what_nobody_came_back_for(umum):
    entry = served()
    keep(umum, entry)
    worker.run_once(utcnow() + unsaved.KEPT - timedelta(minutes=1))
    assert live() == [TYPED]
    late = utcnow() + unsaved.KEPT + timedelta(minutes=1)
    worker.run_once(late)
    assert [row.fields for row in rows()] == [[]]
    assert actions().count("expire_unsaved_text") == 1
    worker.run_once(late + unsaved.ENDED_KEPT)
    assert rows() == []


# --- Bounds -----------------------------------------------------------------------------------


def test_too_much_is_refused_politely(umum):
    entry = served()
    assert keep(umum, entry, subjective="x" * 100_000).status_code == 201
    assert keep(umum, entry, step=2, subjective="x" * 300_000).status_code == 413
    assert keep(umum, entry, step=2, lab=["GDS"] * 1001).status_code == 422
    assert keep(umum, entry, keys="", step=2).status_code == 422
    assert live() == ["x" * 100_000]


@pytest.mark.parametrize("step", ["", "x", "-5", "9" * 30])
def test_an_odd_step_breaks_nothing(umum, step):
    entry = served()
    assert keep(umum, entry, step=step, version="9" * 20).status_code == 201


def test_hostile_text_comes_back_as_text(umum):
    entry = served()
    harmful = '</textarea><script>alert(1)</script>"&\x00'
    keep(umum, entry, subjective=harmful, ketikan='k"><b>')
    keep(umum, entry, subjective=harmful, diagnosis=harmful, diagnosis_search=harmful)
    page = umum.get(address(entry))
    assert page.status_code == 200 and "<script>alert" not in page.get_data(as_text=True)
    assert entry.state is EntryState.IN_SERVICE
