"""What is typed on the amendment's and the vital signs' pages is kept as in the examination."""

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from clinic import queues, wrong_patient
from db import db, transaction, utcnow
from models import Examination, Patient, QueueEntry, ServiceDay, UnsavedText, Visit, VitalSigns
from tests import factories
from tests.amending import again, amend, finished, measured
from tests.pages import post
from tests.test_amendment_pages import form_of, typed
from tests.test_examination import address, send, served, text_of, words_of
from tests.test_unsaved import actions, hidden_keys, unwritten

pytestmark = pytest.mark.engines("sqlite")
WORDS = "Nyeri ulu hati sejak kemarin malam"


@dataclass(frozen=True)
class Page:
    """One of the two pages: where it is, what it is called there, and a form that can be saved."""

    url: str
    name: str
    entry: QueueEntry
    fields: dict

    def keep(self, client, keys="k1", step=1, **changed):
        url = address(self.entry, f"/ketikan?isian={self.name}&ke={step}")
        return post(client, url, {**self.fields, "ketikan": keys, **changed})

    def save(self, client, **changed):
        return post(client, self.url, {**self.fields, **changed})


def amendment(examination: Examination) -> Page:
    fields = typed(examination, plan=WORDS) | {"entry": examination.entry.public_id}
    return Page(form_of(examination), "pembetulan", examination.entry, fields)


def screening(entry: QueueEntry) -> Page:
    fields = {"patient": entry.visit.patient.public_id, "pulse": "88", "triage_seen": WORDS}
    return Page(address(entry, "/tanda-vital"), "tanda-vital", entry, fields)


@pytest.fixture(params=["amendment", "screening"])
def page(request, app) -> Page:
    return amendment(finished()) if request.param == "amendment" else screening(factories.entry())


@pytest.fixture
def umum(sign_in):
    return sign_in("umum")


def live() -> int:
    db.session.rollback()
    rows = select(UnsavedText).where(UnsavedText.ended_at.is_(None))
    return len(db.session.scalars(rows).all())


# --- Both -------------------------------------------------------------------------------------


def test_it_comes_back_to_its_author_on_its_page_alone(umum, sign_in, page):
    before = actions()
    assert page.keep(umum).status_code == 201
    assert actions() == before
    shown = text_of(umum.get(page.url))
    assert WORDS in shown and "yang belum disimpan dipulihkan" in shown
    assert WORDS not in text_of(umum.get(address(page.entry)))
    assert WORDS not in text_of(sign_in("kepala").get(page.url))


def test_what_is_typed_in_the_examination_stays_there(umum):
    entry = served()
    form = {"entry": entry.public_id, "ketikan": "k1", "version": "0", "subjective": WORDS}
    post(umum, address(entry, "/ketikan?ke=1"), form)
    assert WORDS not in text_of(umum.get(address(entry, "/tanda-vital")))
    assert screening(entry).keep(umum, pulse="99").status_code == 201, "the same key, elsewhere"
    assert 'value="99"' not in text_of(umum.get(address(entry, "/tanda-vital")))


def test_a_save_ends_it_and_a_refused_one_keeps_it(umum, page):
    page.keep(umum)
    refused = page.save(umum, pulse="999", pulse_1="999", ketikan="k1")
    assert refused.status_code == 422 and live() == 1
    assert hidden_keys(refused).split()[0] == "k1:1", "its text goes on in the new form"
    assert page.save(umum, ketikan=hidden_keys(refused)).status_code == 303
    assert live() == 0
    assert page.keep(umum).status_code == 201, "it was under way"
    assert live() == 0


def test_last_words_that_arrive_behind_the_page_loaded_again_stay(umum, page):
    page.keep(umum)
    keys = hidden_keys(umum.get(page.url))
    page.keep(umum, step=2, pulse="91", pulse_1="91")
    assert page.save(umum, ketikan=keys).status_code == 303
    assert live() == 1 and 'value="91"' in text_of(umum.get(page.url))


def late(client, shown):
    """What the page asks for once, two seconds after it was drawn."""
    address = re.search(r'hx-get="([^"]*/susulan[^"]*)"', shown.get_data(as_text=True))[1]
    return client.get(unescape(address), headers={"HX-Request": "true"})


def test_words_that_arrive_behind_the_page_are_told(umum, sign_in, page):
    shown = umum.get(page.url)
    assert late(umum, shown).status_code == 204
    page.keep(umum, "k0")
    told = text_of(late(umum, shown))
    assert "Ketikan terakhir Anda" in told and WORDS not in told
    link = re.search(r'href="([^"]*)"', told)[1]
    again = umum.get(link)
    assert WORDS in text_of(again) and late(umum, again).status_code == 204
    page.keep(umum, hidden_keys(again))
    assert late(umum, again).status_code == 204, "its own"
    kepala = sign_in("kepala")
    assert late(kepala, kepala.get(page.url)).status_code == 204


def test_its_author_throws_it_away(umum, sign_in, page):
    page.keep(umum)
    form = page.fields | {"ketikan": "k1"}
    url = address(page.entry, f"/ketikan/buang?isian={page.name}")
    post(sign_in("kepala"), url, form)
    assert live() == 1
    gone = post(umum, url, form)
    assert gone.location == page.url and live() == 0
    page.keep(umum, step=2)  # it was under way
    assert live() == 0 and WORDS not in text_of(umum.get(page.url))


def test_a_refused_page_that_is_loaded_again_ends_nothing_that_it_does_not_show(umum, page):
    umum.is_led = False
    led = page.save(umum, pulse="999", pulse_1="999")
    first = umum.get(led.location)
    page.keep(umum, hidden_keys(first), step=7)  # what is typed there
    again = umum.get(led.location)
    assert hidden_keys(again) != hidden_keys(first)
    assert "Ketikan terakhir Anda" in text_of(late(umum, again))
    assert page.keep(umum, hidden_keys(again), pulse="92", pulse_1="92").status_code == 201
    assert live() == 2, "its count begins anew"
    umum.is_led = True
    assert page.save(umum, ketikan=hidden_keys(again)).status_code == 303
    assert live() == 1 and WORDS in text_of(umum.get(page.url))


def test_the_form_of_another_patient_is_refused(umum, page):
    other = factories.patient("Budi Santoso", sex="L")
    assert page.keep(umum, patient=other.public_id).status_code == 409
    assert live() == 0


def test_a_page_that_keeps_nothing_is_unknown(umum):
    entry = served()
    url = address(entry, "/ketikan?isian=lain&ke=1")
    assert post(umum, url, {"entry": entry.public_id, "ketikan": "k1"}).status_code == 404


@pytest.mark.parametrize(("username", "status"), [("gigi", 404), ("loket", 403), ("ti", 403)])
def test_who_may_not_type(sign_in, page, username, status):
    assert page.keep(sign_in(username)).status_code == status
    assert live() == 0


def test_it_is_marked_when_the_visit_is_another_patients_by_now(umum):
    entry, other = factories.entry(), factories.patient("Budi Santoso", sex="L")
    screening(entry).keep(umum)
    with transaction():
        visit = db.session.scalars(select(Visit).where(Visit.id == entry.visit_id)).one()
        right = db.session.get_one(Patient, other.id)
        wrong_patient.reassign(factories.actor("loket"), visit, right, "salah pilih pasien")
    shown = words_of(umum.get(address(entry, "/tanda-vital")))
    assert "Budi Santoso" in shown and "Cocokkan nama dan tanggal lahir" in shown


# --- The amendment ----------------------------------------------------------------------------


def test_a_colleagues_correction_stands_beside_it(umum):
    examination = finished()
    amendment(examination).keep(umum)
    amend(examination, "umum", plan="rencana rekan")
    response = umum.get(form_of(examination))
    shown = text_of(response)
    assert WORDS in shown and "rencana rekan" in shown and "sudah diubah sejak Anda" in shown
    fields = typed(again(examination.public_id), plan="rencana berdua")
    merged = post(umum, form_of(examination), fields | {"ketikan": hidden_keys(response)})
    assert merged.status_code == 303 and again(examination.public_id).plan == "rencana berdua"
    assert live() == 0


def test_vital_signs_of_a_row_that_has_ended_are_not_lost(umum):
    examination = finished()
    amendment(examination).keep(umum, pulse_1="111")
    ref = measured(examination)[0].public_id
    amend(examination, "umum", vitals={ref: {"systolic": 120}})
    shown = text_of(umum.get(form_of(examination)))
    assert 'name="pulse_1" value="111"' in shown and 'name="systolic_1" value="120"' in shown


# --- The vital signs --------------------------------------------------------------------------


def end_visit(entry: QueueEntry) -> None:
    with transaction():
        queues.act(factories.actor("umum"), entry, "pulang", "tidak menunggu")


def test_text_for_a_visit_that_has_ended_is_given_back(umum):
    entry = factories.entry()
    screening(entry).keep(umum)
    end_visit(entry)
    refused = screening(entry).save(umum, pulse="91")
    assert refused.status_code == 409
    for answer, pulse in ((umum.get(address(entry, "/tanda-vital")), "88"), (refused, "91")):
        assert WORDS in words_of(answer) and f"Nadi {pulse}" in words_of(answer)
    assert db.session.scalars(select(VitalSigns)).all() == []


def test_what_was_saved_of_it_is_not_listed_once_more(umum):
    entry = factories.entry()
    assert screening(entry).save(umum).status_code == 303
    screening(entry).keep(umum, systolic="120")
    end_visit(entry)
    assert unwritten(umum.get(address(entry, "/tanda-vital"))) == {"Tekanan sistolik": "120"}


def test_it_follows_the_patient_into_another_room(umum):
    entry = factories.entry()
    screening(entry).keep(umum)
    with transaction():
        queues.act(factories.actor("umum"), entry, "pindah", "salah poli", factories.poli("LANSIA"))
    assert WORDS in text_of(umum.get(address(entry, "/tanda-vital")))


def test_access_that_ended_meanwhile_gives_vital_signs_back(umum):
    entry = served()
    send(umum, entry, "selesai", assessment="ISPA", disposition="pulang")
    with transaction():
        db.session.get(ServiceDay, entry.service_day_id).on = utcnow().date() - timedelta(days=9)
    for tail in ("/tanda-vital", "/triase"):
        answer = post(umum, address(entry, tail), screening(entry).fields)
        assert answer.status_code == 409
        assert WORDS in words_of(answer) and "Buka rekam medis" in words_of(answer)
