"""The tooth chart: FDI numbers, rows that are typed, what earlier visits found."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic import form_answers, history, queues, records, teeth
from clinic.teeth import Finding
from db import db, transaction
from models import ExaminationAnswer, QueueEntry
from tests import factories
from tests.pages import post
from tests.test_examination import send, words_of


def served(person=None) -> QueueEntry:
    entry = factories.entry("GIGI", person)
    with transaction():
        queues.act(factories.actor("gigi"), entry, "mulai")
    return entry


def chart(*rows: tuple[str, str, str], **more) -> dict:
    rows += (("", "", ""),)
    lists = zip(("tooth", "tooth_condition", "tooth_action"), zip(*rows, strict=True), strict=True)
    return {"room_form": "gigi"} | {name: list(column) for name, column in lists} | more


def kept(entry) -> dict:
    db.session.rollback()
    return form_answers.current(records.open_examination(entry)).get("gigi", {})


def test_fdi_numbers_of_permanent_and_deciduous_teeth():
    assert len(teeth.TEETH) == len(set(teeth.TEETH)) == 52
    assert {"11", "18", "48", "51", "85"} <= set(teeth.TEETH)
    assert not {"10", "19", "49", "56", "86", "91"} & set(teeth.TEETH)
    assert set(teeth.SIGNS) == set(teeth.CONDITIONS)
    assert len(set(teeth.SIGNS.values())) == len(teeth.SIGNS)


def test_two_teeth_in_one_row_are_read_whole_and_told_apart(sign_in):
    entry, client = served(), sign_in("gigi")
    page = client.get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert int(re.search(r'name="tooth" [^>]*maxlength="(\d+)"', page)[1]) >= 20
    told = words_of(send(client, entry, **chart(("36 37", "karies", ""))))
    assert "Gigi 36 37: tulis nomor FDI, satu gigi tiap baris" in told


def test_a_milk_tooth_of_a_grown_up_is_asked_about_once(sign_in):
    entry, client = served(), sign_in("gigi")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    typed = chart(("75", "karies", "")) | {"assessment": "karies", "disposition": "pulang"}
    told = send(client, entry, "selesai", **typed)
    assert told.status_code == 422 and "Gigi 75 gigi susu" in words_of(told)
    seen = re.search(r'name="vitals_seen" value="([^"]*)"', told.get_data(as_text=True))[1]
    assert send(client, entry, "selesai", vitals_seen=seen, **typed).status_code == 303


def test_a_milk_tooth_that_stayed_is_a_finding_and_of_a_child_no_question():
    stayed, other = Finding("75", "persistensi"), Finding("75", "karies")
    assert teeth.seldom_there([stayed, Finding("36", "karies")], 400) == []
    assert teeth.seldom_there([other], 14 * 12 - 1) == teeth.seldom_there([other], None) == []
    assert teeth.seldom_there([other], 14 * 12) == ["75"]


@pytest.mark.parametrize(
    ("conditions", "months", "rows"),
    [({}, 360, 2), ({}, 100, 4), ({}, 168, 2), ({"75": "karies"}, 360, 4), ({}, None, 2)],
)
def test_deciduous_teeth_are_drawn_by_age_or_where_noted(conditions, months, rows):
    mouth = teeth.mouth(conditions, months)
    assert len(mouth) == rows
    assert [tooth for tooth, _ in mouth[0]][:2] == ["18", "17"]
    assert mouth[0][-1][0] == "28"
    assert mouth[-1][0][0] == "48"


def test_only_teeth_with_something_are_stored_and_shown(sign_in):
    entry, client = served(), sign_in("gigi")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    typed = chart(("36", "karies", "tambal GIC"), ("46", "sisa_akar", ""), oral_note="gusi merah")
    assert send(client, entry, **typed).status_code == 303
    assert kept(entry) == {
        "tooth36": "karies",
        "act36": "tambal GIC",
        "tooth46": "sisa_akar",
        "oral_note": "gusi merah",
    }
    page = client.get(f"/kunjungan/{entry.visit.public_id}")
    assert 'name="tooth" value="36"' in page.get_data(as_text=True)
    record = words_of(client.get(f"/pasien/{entry.visit.patient.public_id}"))
    assert "36 Karies: tambal GIC" in record
    assert "46 Sisa akar" in record
    # A row that was emptied ends; its rows stay in the table.
    again = chart(("36", "tambalan", ""), oral_note="gusi merah")
    assert send(client, entry, version=1, **again).status_code == 303
    assert kept(entry) == {"tooth36": "tambalan", "oral_note": "gusi merah"}
    assert db.session.query(ExaminationAnswer).count() == 5


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("99", "karies", "")], "Gigi 99: tulis nomor FDI"),
        ([("", "karies", "")], "Gigi tanpa nomor"),
        ([("36", "", "tambal")], "Gigi 36: pilih keadaannya"),
        ([("36", "busuk", "")], "Gigi 36: pilih keadaannya"),
        ([("36", "karies", ""), ("36", "goyang", "")], "Gigi 36 ditulis dua kali"),
        ([("36", "karies", "a" * 121)], "Gigi 36: Tulisan terlalu panjang"),
    ],
)
def test_a_wrong_row_gets_a_sentence_and_stays(sign_in, rows, sentence):
    entry, client = served(), sign_in("gigi")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    page = send(client, entry, **chart(*rows))
    assert page.status_code == 422
    assert sentence in words_of(page)
    assert 'href="#f-teeth"' in page.get_data(as_text=True)
    assert f'name="tooth" value="{rows[0][0]}"' in page.get_data(as_text=True)
    assert db.session.query(ExaminationAnswer).count() == 0


def test_more_rows_without_a_script_lose_nothing(sign_in):
    entry, client = served(), sign_in("gigi")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    rows = [("11", "karies", ""), ("12", "karies", ""), ("13", "goyang", "cabut")]
    page = send(client, entry, "gigi", **chart(*rows, subjective="ngilu"))
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert text.count('name="tooth"') == 5
    assert 'value="cabut"' in text
    assert "ngilu" in text
    assert db.session.query(ExaminationAnswer).count() == 0


def earlier(person, days_ago: int, **found: str) -> None:
    entry = served(person)
    with transaction():
        visit = db.session.get(QueueEntry, entry.id).visit
        visit.occurred_at -= timedelta(days=days_ago)
        forms = {"gigi": teeth.values([Finding(t[1:], c) for t, c in found.items()])}
        form = records.ExaminationInput(assessment="gigi", disposition="pulang", forms=forms)
        records.finish(factories.actor("gigi"), db.session.get(QueueEntry, entry.id), form, 0)


def test_earlier_findings_stand_beside_the_newest_wins_and_are_not_stored_again(sign_in):
    person = factories.patient("Gigi Lama")
    earlier(person, 400, t36="karies", t75="goyang")
    earlier(person, 30, t36="tambalan")
    earlier(factories.patient("Orang Lain"), 10, t11="hilang")
    entry = served(db.session.merge(person))
    chart_now = form_answers.last_chart(entry.visit)
    assert {tooth: found.condition for tooth, (found, _) in chart_now.items()} == {
        "36": "tambalan",
        "75": "goyang",
    }
    page = sign_in("gigi").get(f"/kunjungan/{entry.visit.public_id}")
    text = words_of(page)
    assert "36 Tambalan" in text
    assert "75 Goyang" in text
    assert "Hilang" not in text.partition("Dari kunjungan sebelumnya")[2][:80]
    assert kept(entry) == {}


def test_what_was_done_to_a_tooth_stands_beside_how_it_was_found(sign_in):
    person = factories.patient("Gigi Dicabut")
    entry = served(person)
    with transaction():
        db.session.get(QueueEntry, entry.id).visit.occurred_at -= timedelta(days=7)
        told = teeth.values([Finding("36", "sisa_akar", "dicabut, kasa"), Finding("46", "karies")])
        form = records.ExaminationInput(
            assessment="gigi", disposition="pulang", forms={"gigi": told}
        )
        records.finish(factories.actor("gigi"), db.session.get(QueueEntry, entry.id), form, 0)
    entry, client = served(db.session.merge(person)), sign_in("gigi")
    page = client.get(f"/kunjungan/{entry.visit.public_id}")
    assert "36 Sisa akar: dicabut, kasa" in words_of(page)
    html = page.get_data(as_text=True)
    assert "36<br><b>SA*</b>" in html and "46<br><b>K</b>" in html
    assert "<b>*</b> sudah ditindak" in html
    # Found anew today, it is as it is found.
    page = send(client, entry, "gigi", **chart(("36", "hilang", "")))
    assert "36<br><b>X</b>" in page.get_data(as_text=True)


def test_who_is_back_from_the_laboratory_keeps_the_teeth_but_no_action(sign_in):
    entry = served(factories.patient("Gigi Dua"))
    found = {"gigi": {"tooth36": "karies", "act36": "tambal", "tooth46": "goyang"}}
    back = factories.sent_to_laboratory_and_back(entry, "gigi", **found)
    client, url = sign_in("gigi"), f"/kunjungan/{entry.visit.public_id}"
    html = client.get(url).get_data(as_text=True)
    assert 'name="tooth" value="36"' in html
    assert 'name="tooth" value="46"' in html
    assert 'name="tooth_action" value="tambal"' not in html, "it would be counted twice"
    assert "terisi dari kunjungan" in html
    assert kept(back) == {}, "nothing is stored yet"
    # What this stay says wins: a chart that was emptied stays empty.
    assert send(client, back, **chart()).status_code == 303
    assert 'name="tooth" value="36"' not in client.get(url).get_data(as_text=True)


def test_what_was_done_before_a_second_stay_of_the_visit_is_told_at_the_next(app):
    person = factories.patient("Gigi Ditambal")
    entry = served(person)
    found = {"gigi": {"tooth36": "karies", "act36": "tumpatan sementara"}}
    back = factories.sent_to_laboratory_and_back(entry, "gigi", **found)
    said = {"gigi": {"tooth36": "karies_dalam"}}
    form = records.ExaminationInput(assessment="gigi", disposition="pulang", forms=said)
    with transaction():
        back = db.session.get(QueueEntry, back.id)
        records.finish(factories.actor("gigi"), back, form, 0)
    entry = served(db.session.merge(person))
    told, _ = form_answers.last_chart(entry.visit)["36"]
    assert told == Finding("36", "karies_dalam", "tumpatan sementara")


def test_a_cancelled_visit_tells_nothing_of_teeth(app):
    person = factories.patient("Gigi Batal")
    entry = served(person)
    with transaction():
        form = records.ExaminationInput(forms={"gigi": {"tooth11": "hilang"}})
        records.save(factories.actor("gigi"), db.session.get(QueueEntry, entry.id), form, 0)
        queues.act(factories.actor("kepala"), db.session.get(QueueEntry, entry.id), "batal", "x")
    later = served(db.session.merge(person))
    assert form_answers.last_chart(later.visit) == {}


def test_a_conflict_shows_the_others_teeth(sign_in):
    entry = served()
    first, second = sign_in("gigi"), sign_in("kepala")
    for client in (first, second):
        client.get(f"/kunjungan/{entry.visit.public_id}")
    send(first, entry, **chart(("21", "fraktur", "rujuk")))
    page = send(second, entry, **chart(("22", "karies", "")))
    assert page.status_code == 409
    assert "Gigi 21: Patah" in words_of(page)
    assert 'value="22"' in page.get_data(as_text=True)


def test_the_chart_is_corrected_after_the_end(sign_in):
    entry = served()
    with transaction():
        form = records.ExaminationInput(
            assessment="karies", disposition="pulang", forms={"gigi": {"tooth36": "karies"}}
        )
        done = records.finish(
            factories.actor("gigi"), db.session.get(QueueEntry, entry.id), form, 0
        )
        ref, version = done.public_id, done.version
    client, url = sign_in("gigi"), f"/pemeriksaan/{ref}/pembetulan"
    assert 'value="36"' in client.get(url).get_data(as_text=True)
    typed = {"aksi": "simpan", "version": str(version), "reason": "salah gigi"}
    sent = post(client, url, typed | chart(("37", "karies", "")))
    assert sent.status_code == 303
    assert kept(entry) == {"tooth37": "karies"}
    shown = words_of(client.get(f"/pemeriksaan/{ref}/riwayat"))
    assert "Gigi 36: Karies" in shown
    assert "Gigi 37: Karies" in shown


def test_history_reads_the_chart_in_words(app):
    person = factories.patient("Gigi Riwayat")
    earlier(person, 30, t36="karies_dalam")
    sheet = history.history(db.session.merge(person))[0].rooms[0].sheets[0]
    assert sheet.teeth == [Finding("36", "karies_dalam")]
    assert sheet.teeth[0].condition_text == "Karies mencapai pulpa"
    codes = select(ExaminationAnswer.code).where(ExaminationAnswer.form == "gigi")
    assert list(db.session.scalars(codes)) == ["tooth36"]
