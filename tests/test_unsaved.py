"""What is typed in an examination and not saved: kept for its author, shown to nobody else."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from app import create_app
from blueprints.examination import room_form, typed_words
from clinic import allergies, queues, unsaved, worker, wrong_patient
from clinic.form_definitions import FORMS
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    EntryState,
    LoginSession,
    Patient,
    QueueEntry,
    ServiceDay,
    UnsavedText,
    Visit,
)
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
    assert [row.fields for row in rows()] == [[]]


def test_a_request_that_comes_after_the_save_of_its_form_is_ignored(umum):
    entry = served()
    send(umum, entry, plan="x", ketikan="k1")
    keep(umum, entry)
    assert [row.fields for row in rows()] == [[]], "nothing of it is stored"


def test_a_refused_save_keeps_it(umum):
    entry = served()
    keep(umum, entry)
    response = send(umum, entry, pulse="999", ketikan="k1")
    assert response.status_code == 422 and live() == [TYPED]
    assert hidden_keys(response).split()[0] == "k1:1", "its text goes on in the new form"


def test_a_form_that_took_the_text_over_ends_it(umum):
    entry = served()
    keep(umum, entry)
    keys = hidden_keys(umum.get(address(entry)))
    keep(umum, entry, keys, subjective="lanjutan")
    assert live() == ["lanjutan"]
    send(umum, entry, subjective="lanjutan", ketikan=keys)
    assert live() == []


LATER = {"subjective": TYPED, "therapy": "amlodipin dihentikan, bengkak kaki"}


@pytest.mark.parametrize("is_typed_on", [False, True])
@pytest.mark.parametrize("is_late", [False, True], ids=["before it is typed on", "after that"])
def test_last_words_that_arrive_behind_the_page_loaded_again_stay(umum, is_typed_on, is_late):
    entry = served()
    keep(umum, entry, step=3)
    keys = hidden_keys(umum.get(address(entry)))
    for is_now in (not is_late, is_late):
        if is_now:
            assert keep(umum, entry, step=4, **LATER).status_code == 201
        elif is_typed_on:
            keep(umum, entry, keys, plan="kontrol")
    assert send(umum, entry, subjective=TYPED, plan="kontrol", ketikan=keys).status_code == 303
    keep(umum, entry, keys, step=9, plan="kontr")  # it was under way
    assert [dict(row.fields)["therapy"] for row in rows() if not row.ended_at] == [LATER["therapy"]]
    response = umum.get(address(entry))
    assert LATER["therapy"] in text_of(response) and "Ketikan Anda" in text_of(response)
    keys = hidden_keys(response)
    assert send(umum, entry, version=1, **LATER, ketikan=keys).status_code == 303
    assert live() == []


def test_last_words_behind_a_refused_form_stay(umum):
    entry = served()
    keep(umum, entry)
    keys = hidden_keys(send(umum, entry, pulse="999", ketikan="k1"))
    keep(umum, entry, step=2, **LATER)
    send(umum, entry, subjective=TYPED, ketikan=keys)
    assert LATER["therapy"] in text_of(umum.get(address(entry)))


def test_a_tab_whose_text_was_read_elsewhere_is_kept_on(umum):
    entry = served()
    keep(umum, entry, subjective="tab satu")
    keep(umum, entry, hidden_keys(umum.get(address(entry))), subjective="tab dua")
    keep(umum, entry, step=2, subjective="tab satu, lagi")
    assert sorted(live()) == ["tab dua", "tab satu, lagi"]
    send(umum, entry, subjective="tab satu, lagi", ketikan="k1")
    keep(umum, entry, step=3, subjective="tab satu")
    assert live() == ["tab dua"]


def test_what_is_typed_in_another_tab_stays(umum):
    entry = served()
    keep(umum, entry, "k1", subjective="tab satu")
    keep(umum, entry, "k2", subjective="tab dua")
    send(umum, entry, subjective="tab dua", ketikan="k2")
    assert live() == ["tab satu"]
    page = text_of(umum.get(address(entry)))
    assert "tab satu" in page and "tab dua" in page


def test_of_two_tabs_the_text_typed_last_is_given_back(umum):
    entry = served()
    keep(umum, entry, "k1", subjective="tab satu")
    keep(umum, entry, "k2", subjective="tab dua")
    assert "tab dua" in text_of(umum.get(address(entry)))
    keep(umum, entry, "k1", step=2, subjective="lagi di tab satu")
    page = text_of(umum.get(address(entry)))
    assert "lagi di tab satu" in page and "tab dua" not in page


SAVED = {"subjective": TYPED, "plan": "istirahat", "diagnosis": "K30", "pulse": "88"}
SAVED |= {"disposition": "pulang", "lab_sent": "1", "rx_sent": "1"}


@pytest.mark.parametrize("more", [{}, {"plan": "", "pulse": "", "diagnosis": []}])
def test_late_words_that_were_saved_from_another_page_are_no_alarm(umum, more):
    entry = served()
    keep(umum, entry, "k1", **SAVED | more)
    assert send(umum, entry, "selesai", **SAVED, ketikan="k2").status_code == 303
    assert live() == []
    keep(umum, entry, "k1", step=2, **SAVED | more)  # they were later still
    page = words_of(umum.get(address(entry)))
    assert "belum tersimpan" not in page and "sejak Anda mengetik" not in page


@pytest.mark.parametrize(
    "more",
    [{"plan": "istirahat, minum"}, {"pulse": "90"}, {"diagnosis": ["K30", "R05"]}, {"pulse": "x"}]
    + [{"lab": "GDS"}, {"medicine_search": "ctm"}, {"allergy_substance": "udang"}]
    + [{"rx_note": "x" * 5000}, {"procedure": "jahit luka", "procedure_quantity-1": "banyak"}],
)
def test_late_words_that_say_more_are_given_back(umum, more):
    entry = served()
    keep(umum, entry, "k1", **SAVED | more)
    assert send(umum, entry, "selesai", **SAVED, ketikan="k2").status_code == 303
    assert len(live()) == 1
    page = words_of(umum.get(address(entry)))
    assert "Tulisan Anda yang belum tersimpan" in page
    assert "Terakhir disimpan oleh Anda pukul" in page, "nobody knows of another tab"


def test_what_was_emptied_in_a_draft_is_given_back_and_what_stands_is_not(umum):
    entry = served()
    send(umum, entry, **SAVED, ketikan="k2")
    keep(umum, entry, "k1", **SAVED)
    assert "Ketikan Anda" not in words_of(umum.get(address(entry)))
    keep(umum, entry, "k1", step=2, **SAVED | {"plan": ""})
    assert "Ketikan Anda" in words_of(umum.get(address(entry)))


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


# --- Nothing typed is forgotten ---------------------------------------------------------------


class Fields(HTMLParser):
    """The examination's form as somebody fills it in: every box, choice and tick that it has.

    `sent` is what it holds then, `words` by field what must be read where it is given back.
    """

    NEVER = re.compile("procedure_remove-|rx_hapus")  # takes a line off

    def __init__(self, page: str, is_filled: bool = True):
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.words: dict[str, str] = {}
        self._is_filled, self._is_inside = is_filled, False
        self._choice: tuple[str, str] | None = None
        self._select = self._textarea = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        self._is_inside |= at.get("id") == "isian"
        name, value = at.get("name", ""), at.get("value") or ""
        if not self._is_inside:
            return
        if tag == "option":
            chosen = value and value != "hapus" if self._is_filled else "selected" in at
            self._choice = (self._select, value) if chosen and self._select else None
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            self.sent[name] = [""]
        elif tag == "input" and name and not self.NEVER.match(name):
            self._input(at.get("type"), name, value, "checked" in at)

    def _input(self, kind, name, value, is_checked):
        if kind == "hidden":
            self.sent.setdefault(name, []).append(value)
        elif kind not in ("checkbox", "radio"):
            self._type(name, value)
        elif self._is_filled or is_checked:
            others = [] if kind == "radio" else self.sent.get(name, [])
            self.sent[name] = [*others, value]
            self._choice = (name, value)

    def handle_data(self, text):
        if self._choice and text.strip():
            name, value = self._choice
            if self._select:
                self.sent[name] = [value]
            words = {"diagnosis_primary": "utama", "vitals_new": "Pengukuran baru"}
            self.words[name] = words.get(name, text.split("\n")[0].strip())
            if name.startswith("case_type"):
                self.words[name] = text.strip().lower()
            self._choice = None
        elif self._textarea:
            self._type(self._textarea, text.removeprefix("\n"))

    def handle_endtag(self, tag):
        self._is_inside &= tag != "form"
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._type(self._textarea, self.sent[self._textarea][0])
            self._textarea = ""

    def _type(self, name, value):
        if self._is_filled:
            number = len(self.words)
            value = "99" if name.startswith(("procedure_quantity", "rx_days")) else f"z{number}q"
            self.words.setdefault(name, value)
            value = self.words[name]
        if name.startswith("tooth"):
            self.sent.setdefault(name, []).append(value)
        else:
            self.sent[name] = [value]


def everything(umum) -> tuple[QueueEntry, Fields]:
    """A draft with all that an examination may have, and its page filled in to the last box."""
    person = factories.patient("Budi Santoso", sex="L")
    entry = served(person=person)
    with transaction():
        allergies.add_allergy(factories.actor("umum"), entry.visit.patient, "Amoksisilin")
        db.session.get(QueueEntry, entry.id).poli.room_forms = " ".join(FORMS)
    fields = {
        "diagnosis": ["Z34.9", "K30"],
        "procedure": "jahit luka",
        "rx_sent": "1",
        "pulse": "80",
    }
    fields |= {"rx": ["b1 AMOX500", "b2 racikan"], "rx_sig-b1": "3x1", "rx_days-b1": "5"}
    fields |= {"rx_sig-b2": "3x1", "rx_days-b2": "3", "rx_parts-b2": "parasetamol 100 mg"}
    assert send(umum, entry, **fields).status_code == 303
    found = Fields(umum.get(address(entry)).get_data(as_text=True))
    for name in (
        "vitals_new",
        "allergy_substance",
        "lab",
        "disposition",
        "death_time",
        "refer_to",
        "tooth",
    ):
        assert name in found.words, name
    for start in ("override_reason", "rx_parts", "rx_note-", "rx_alasan", "procedure_note"):
        assert any(name.startswith(start) for name in found.words), start
    return entry, found


def unread(answer, found: Fields) -> dict[str, str]:
    page = words_of(answer)
    page = page[page.index("Tulisan Anda yang belum tersimpan") :]
    return {name: text for name, text in found.words.items() if text not in page}


def test_each_field_of_the_form_stands_where_a_colleague_has_finished(umum, sign_in):
    entry, found = everything(umum)
    end = {"assessment": "batuk", "disposition": "pulang", "diagnosis": "R05"}
    end |= {"case_type-1": "baru", "rx_sent": "1"}
    assert send(sign_in("kepala"), entry, "selesai", version=1, **end).status_code == 303
    answer = post(umum, address(entry), found.sent | {"aksi": "selesai"})
    assert answer.status_code == 409 and unread(answer, found) == {}
    assert "Diagnosis search" not in words_of(answer), "each has its name in words"
    kept = post(umum, address(entry, "/ketikan?ke=1"), found.sent)
    assert kept.status_code == 201 and unread(umum.get(address(entry)), found) == {}


def unwritten(answer) -> dict[str, str]:
    """What is listed as not saved, by its name."""
    page = answer.get_data(as_text=True).partition("Tulisan Anda yang belum tersimpan")[2]
    return dict(re.findall(r'<dt>(.*?)</dt><dd class="pre">(.*?)</dd>', page, re.S))


def test_what_stands_in_the_finished_record_is_not_listed_once_more(umum, sign_in):
    entry = served()
    with transaction():
        db.session.get(QueueEntry, entry.id).poli.room_forms = " ".join(FORMS)
        allergies.add_allergy(factories.actor("umum"), entry.visit.patient, "Udang", "gatal")
    fields = {"systolic": "120", "diastolic": "80", "temperature": "36.5", "subjective": TYPED}
    fields |= {"diagnosis": ["K30", "R05"], "case_type-1": "lama", "procedure": "jahit luka"}
    fields |= {"lab_sent": "1", "lab": ["GDS", "HB"], "lab_note": "puasa", "rx_sent": "1"}
    fields |= {"rx": "b1 AMOX500", "rx_sig-b1": "3x1", "rx_days-b1": "5", "rx_note": "ibunya"}
    fields |= {"disposition": "rujuk_internal", "refer_to": "LAB"}
    assert send(umum, entry, **fields).status_code == 303
    same = Fields(umum.get(address(entry)).get_data(as_text=True), is_filled=False).sent
    same |= {"temperature": "36,5", "allergy_substance": "Udang", "allergy_reaction": "gatal"}
    sent = same | {"plan": "kontrol", "pulse": "90", "diagnosis": [*same["diagnosis"], "A09"]}
    assert post(umum, address(entry, "/ketikan?ke=1"), sent).status_code == 201
    end = {"assessment": "batuk", "disposition": "rujuk_internal", "refer_to": "LAB"}
    assert send(sign_in("kepala"), entry, "selesai", version=1, **end).status_code == 303
    page = umum.get(address(entry))
    listed = unwritten(page)
    assert listed.pop("Diagnosis").startswith("A09")
    assert listed == {"Nadi": "90", "Rencana": "kontrol"}
    assert "Bila sisanya sudah ditulis, tekan Buang ketikan" in words_of(page)
    refused = post(umum, address(entry), same | {"aksi": "simpan"})
    assert refused.status_code == 409 and unwritten(refused) == {}
    assert "Tidak ada: semuanya sudah tercatat" in words_of(refused)
    again = post(umum, address(entry), same | {"vitals_new": "y", "aksi": "simpan"})
    anew = {"Tekanan sistolik", "Tekanan diastolik", "Suhu", "Pengukuran baru"}
    assert unwritten(again).keys() == anew


def test_each_field_of_the_form_stands_where_access_has_ended(umum):
    entry, found = everything(umum)
    with transaction():
        db.session.get(ServiceDay, entry.service_day_id).on = utcnow().date() - timedelta(days=9)
    answer = post(umum, address(entry), found.sent | {"aksi": "selesai"})
    assert answer.status_code == 409 and "Belum tersimpan" in text_of(answer)
    assert unread(answer, found) == {}


def test_each_field_has_a_name_in_words():
    form = room_form.form_class(tuple(FORMS))()
    labels = typed_words.LABELS | room_form.labels_of(form)
    silent = {"prescription", "warnings"}  # only hold what is wrong
    assert {field.name for field in form if "override_reason" not in field.name} - silent <= {
        *labels
    }


def test_each_field_of_the_form_stays_in_it_beside_what_a_colleague_saved(umum, sign_in):
    entry, found = everything(umum)
    assert send(sign_in("kepala"), entry, version=1, plan="rencana kepala").status_code == 303
    assert post(umum, address(entry, "/ketikan?ke=1"), found.sent).status_code == 201
    answer = umum.get(address(entry))
    assert "rencana kepala" in text_of(answer)
    there = Fields(answer.get_data(as_text=True), is_filled=False).sent
    for name in found.words:
        place = name.removesuffix("_favourite")  # what was ticked stands on the list
        assert set(found.sent[name]) <= set(there[place]), name


# --- Bounds -----------------------------------------------------------------------------------


def test_too_much_is_refused_politely(umum):
    entry = served()
    assert keep(umum, entry, subjective="x" * 100_000).status_code == 201
    assert keep(umum, entry, step=2, subjective="x" * 300_000).status_code == 413
    assert keep(umum, entry, step=2, lab=["GDS"] * 1001).status_code == 422
    assert keep(umum, entry, keys="", step=2).status_code == 422
    assert live() == ["x" * 100_000]


@pytest.mark.parametrize("step", ["", "x", "-5", "9" * 30, "-9999999999"])
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
