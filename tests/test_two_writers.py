"""Two pages of one examination: what each of them left alone stays as the other saved it."""

import pytest

from clinic import prescriptions
from db import db
from tests.amending import again, amend, finished, measured
from tests.pages import post, words_of
from tests.test_examination import address, examination, served, text_of
from tests.test_prescription_pages import both, line
from tests.test_prescriptions import lines_of
from tests.test_unsaved import Fields

# They are read and merged by the same queries on both engines.
pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture
def umum(sign_in):
    return sign_in("umum")


def opened(client, url) -> dict:
    """What a browser sends of the page when nothing was typed."""
    return sent_by(client.get(url))


def sent_by(response) -> dict:
    return Fields(response.get_data(as_text=True), is_filled=False).sent


def press(client, entry, fields, **typed):
    return post(client, address(entry), fields | {"aksi": "simpan"} | typed)


def test_what_was_left_alone_takes_what_a_colleague_saved(umum, sign_in):
    entry, kepala = served(), sign_in("kepala")
    mine, others = opened(umum, address(entry)), opened(kepala, address(entry))
    first = {"subjective": "demam tiga hari", "diagnosis_favourite": "J06.9", "lab": ["GDS"]}
    assert press(kepala, entry, others, **first, **line(what="CTM4")).status_code == 303
    told = press(umum, entry, mine, plan="kontrol tiga hari")
    page = words_of(told)
    assert told.status_code == 409 and "Terakhir disimpan oleh dr." in page
    assert "tanpa pertentangan" in page and "(dikosongkan)" not in page and "(kosong)" not in page
    assert "Tersimpan oleh" not in page and "Pakai juga" not in page
    assert press(umum, entry, sent_by(told)).status_code == 303
    stored = examination(entry)
    assert (stored.subjective, stored.plan) == ("demam tiga hari", "kontrol tiga hari")
    assert [each.medicine.code for each in lines_of(entry) if each.ended_at is None] == ["CTM4"]
    after = opened(umum, address(entry))
    assert after["diagnosis"] == ["J06.9"] and after["lab"] == ["GDS"]
    assert after["disposition"] == ["rujuk_internal"]


def test_only_what_both_wrote_is_shown_twice(umum, sign_in):
    entry, kepala = served(), sign_in("kepala")
    press(umum, entry, opened(umum, address(entry)), subjective="demam", plan="istirahat")
    mine, others = opened(umum, address(entry)), opened(kepala, address(entry))
    press(kepala, entry, others, subjective="", assessment="ISPA")
    told = press(umum, entry, mine, subjective="demam dan batuk", plan="istirahat, minum")
    page = words_of(told)
    assert page.count("Tersimpan oleh") == 1 and "(dikosongkan)" in page
    assert "di sampingnya tulisan yang sudah tersimpan" in page and "ISPA" in page


def test_ones_own_other_page_is_no_colleague(umum):
    entry = served()
    older = opened(umum, address(entry))
    press(umum, entry, opened(umum, address(entry)), subjective="demam")
    told = press(umum, entry, older, subjective="batuk")
    page = words_of(told)
    assert "Tersimpan oleh Anda, dari halaman lain, pukul" in page and "orang lain" not in page
    assert press(umum, entry, sent_by(told)).status_code == 303
    assert examination(entry).subjective == "batuk"


def test_each_line_of_a_prescription_comes_from_who_touched_it(umum, sign_in):
    entry, kepala = served(), sign_in("kepala")
    start = both(line("b1"), line("b2", "CTM4"), line("b3", "AMOX500"))
    press(umum, entry, opened(umum, address(entry)), **start)
    keys = {each.medicine.code: each.public_id[-12:] for each in lines_of(entry)}
    mine, others = opened(umum, address(entry)), opened(kepala, address(entry))
    changed = {f"rx_days-{keys['PCT500']}": "3", "rx_hapus": keys["CTM4"]}
    press(kepala, entry, others, **changed)
    # A medicine that was taken off stays off on a page that was shown again meanwhile.
    mine |= {"rx_hapus": keys["AMOX500"], "plan": "kontrol"}
    looked = post(umum, address(entry), mine | {"aksi": "cari_obat"})
    told = press(umum, entry, sent_by(looked) | {"rx_hapus": keys["AMOX500"]})
    assert told.status_code == 409 and "tanpa pertentangan" in words_of(told)
    assert press(umum, entry, sent_by(told)).status_code == 303
    held = prescriptions.active_lines(prescriptions.of(examination(entry)))
    assert [(each.medicine.code, each.days) for each in held] == [("PCT500", 3)]


def test_a_line_that_both_changed_is_shown_with_both(umum, sign_in):
    entry, kepala = served(), sign_in("kepala")
    press(umum, entry, opened(umum, address(entry)), **line("b1", "PCT500"))
    key = lines_of(entry)[0].public_id[-12:]
    mine, others = opened(umum, address(entry)), opened(kepala, address(entry))
    press(kepala, entry, others, **{f"rx_days-{key}": "3"})
    told = press(umum, entry, mine, **{f"rx_days-{key}": "7"})
    assert told.status_code == 409 and "9 tablet" in text_of(told) and 'value="7"' in text_of(told)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"what": "luar", "title": "Cendo Xitrol tetes mata", "quantity": "1 botol"},
        {"what": "racikan", "title": "puyer", "parts": "CTM 1/4 tablet"},
    ],
)
def test_a_medicine_written_in_two_tabs_stands_once(umum, more):
    entry = served()
    mine, others = opened(umum, address(entry)), opened(umum, address(entry))
    typed = {"what": "AMOX250"} | more
    assert press(umum, entry, others, **line("b1", **typed)).status_code == 303
    told = press(umum, entry, mine, **line("b4", **typed), plan="kontrol")
    assert told.status_code == 409 and "tanpa pertentangan" in words_of(told)
    assert press(umum, entry, sent_by(told)).status_code == 303
    held = prescriptions.active_lines(prescriptions.of(examination(entry)))
    assert len(held) == len(lines_of(entry)) == 1
    assert examination(entry).plan == "kontrol"


def test_a_medicine_written_in_two_tabs_with_other_directions_is_a_conflict(umum):
    entry = served()
    mine, others = opened(umum, address(entry)), opened(umum, address(entry))
    press(umum, entry, others, **line("b1", "AMOX250"))
    told = press(umum, entry, mine, **both(line("b1", "AMOX250", days="7"), line("b2", "CTM4")))
    assert "tanpa pertentangan" not in words_of(told) and "15 kapsul" in words_of(told)
    assert press(umum, entry, sent_by(told)).status_code == 303
    held = prescriptions.active_lines(prescriptions.of(examination(entry)))
    assert [(each.medicine.code, each.days) for each in held] == [("AMOX250", 7), ("CTM4", 5)]


def test_two_compounds_of_one_form_both_stay(umum):
    entry = served()
    mine, others = opened(umum, address(entry)), opened(umum, address(entry))
    puyer = {"what": "racikan", "title": "puyer"}
    press(umum, entry, others, **line("b1", **puyer, parts="CTM 1/4 tablet"))
    told = press(umum, entry, mine, **line("b1", **puyer, parts="Parasetamol 500 120 mg"))
    assert "tanpa pertentangan" not in words_of(told) and len(sent_by(told)["rx"]) == 2


def test_a_correction_takes_what_it_left_alone_too(umum, sign_in):
    record = finished()
    url = f"/pemeriksaan/{record.public_id}/pembetulan"
    mine = opened(umum, url)
    row = measured(record)[0]
    amend(record, subjective="demam sejak Senin", vitals={row.public_id: {"systolic": 120}})
    told = post(umum, url, mine | {"plan": "kontrol", "pulse_1": "88", "reason": "x"})
    page = words_of(told)
    assert told.status_code == 409 and "tanpa pertentangan" in page
    again_sent = sent_by(told)
    assert again_sent["subjective"] == ["demam sejak Senin"] and again_sent["plan"] == ["kontrol"]
    assert (again_sent["systolic_1"], again_sent["pulse_1"]) == (["120"], ["88"])
    assert post(umum, url, again_sent).status_code == 303
    db.session.expire_all()
    now = again(record.public_id)
    assert (now.subjective, now.plan) == ("demam sejak Senin", "kontrol")
