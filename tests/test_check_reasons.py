"""Reasons typed on the check page: leaving it by any button, or a refused save, loses none."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import patients
from db import db, transaction
from models import Override, Patient, Poli, Visit
from tests import factories
from tests.pages import post, text_of
from tests.stored import draft_row

BORN = date(1985, 8, 17)
# Two things to answer: the NIK says a man, and nobody goes to the laboratory by himself.
TYPED = {
    "nik": factories.nik(BORN, "L", 41),
    "name": "Siti Aminah Rahayu",
    "sex": "P",
    "birth_date": "17-08-1985",
    "address": "Jalan Melati 3",
    "complaint": "cek darah",
    "poli": "LAB",
}
REASONS = {
    "override_reason-NIK-SEX": "kartu salah cetak",
    "override_reason-W8": "diminta dokter",
}
NEW = "/pendaftaran/baru"


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


def send(clerk, url=NEW, **changes) -> str:
    response = post(clerk, url, TYPED | changes)
    assert response.status_code == 303, text_of(response)
    return response.location


def boxes(page: str) -> dict[str, str]:
    """What the reason boxes of a check page hold."""
    return dict(re.findall(r'name="(override_reason[A-Z0-9-]*)" value="([^"]*)"', page))


def version_of(clerk, check: str) -> str:
    return re.search(r'name="version" value="(\d+)"', text_of(clerk.get(check)))[1]


def kept_reasons() -> dict[str, str]:
    rows = db.session.execute(select(Override.rule, Override.reason).where(Override.reason != ""))
    return dict(rows.tuples().all())


def test_each_way_to_a_field_takes_the_reasons_along(clerk):
    check = send(clerk)
    page = text_of(clerk.get(check))
    assert boxes(page) == dict.fromkeys(REASONS, "")
    assert 'value="ubah:name"' in page and 'value="ubah:complaint"' in page
    links = re.findall(r'href="([^"]*\?draf=[^"]*)"', page)
    assert links == [], "a link takes nothing along"
    gone = post(clerk, check, REASONS | {"aksi": "ubah:name"})
    assert gone.status_code == 303
    assert gone.location.startswith(f"{NEW}?draf=") and gone.location.endswith("#f-name")
    assert 'id="f-name"' in text_of(clerk.get(gone.location.partition("#")[0]))
    assert boxes(text_of(clerk.get(check))) == REASONS
    assert draft_row().version == 1, "what was typed on the form is the same"


def test_every_change_button_leads_to_a_field_of_its_form(clerk):
    check = send(clerk, kk_number="6472011203140007", phone="081234567890")
    page = text_of(clerk.get(check))
    names = re.findall(r'name="aksi" value="ubah:(\w+)"', page)
    assert len(set(names)) > 10
    form = text_of(clerk.get(post(clerk, check, {"aksi": "kembali"}).location))
    for name in names:
        there = post(clerk, check, {"aksi": f"ubah:{name}"}).location
        assert there.endswith(f"#f-{name}")
        assert re.search(rf'id="f-{name}["-]', form), name


@pytest.mark.parametrize("where", ["ubah:", "ubah:<b>", "ubah:a/b?c#d", "ubah:x y"])
def test_a_strange_field_leads_to_the_form_all_the_same(clerk, where):
    check = send(clerk)
    gone = post(clerk, check, REASONS | {"aksi": where})
    assert re.fullmatch(rf"{NEW}\?draf=[0-9a-f-]{{36}}", gone.location)
    assert boxes(text_of(clerk.get(check))) == REASONS


def test_changed_and_back_again_the_reasons_stand_there(clerk):
    check = send(clerk)
    post(clerk, check, REASONS | {"aksi": "ubah:poli"})
    ref = draft_row().public_id
    send(clerk, draft=ref, poli="UMUM")
    assert boxes(text_of(clerk.get(check))).keys() == {"override_reason-NIK-SEX"}
    send(clerk, draft=ref)
    assert boxes(text_of(clerk.get(check))) == REASONS, "the laboratory is chosen again"


def test_the_save_clears_what_does_not_apply_any_more(clerk):
    check = send(clerk)
    post(clerk, check, REASONS | {"aksi": "kembali"})
    send(clerk, draft=draft_row().public_id, poli="UMUM")
    assert draft_row().reasons == {"NIK-SEX": "kartu salah cetak", "W8": "diminta dokter"}
    shown = boxes(text_of(clerk.get(check)))
    saved = post(clerk, check, {"version": version_of(clerk, check)} | shown)
    assert "/tiket/" in saved.location
    assert kept_reasons() == {"NIK-SEX": "kartu salah cetak"}
    assert draft_row().reasons == {"NIK-SEX": "kartu salah cetak"}


def test_an_emptied_box_stays_empty(clerk):
    check = send(clerk)
    post(clerk, check, REASONS | {"aksi": "kembali"})
    post(clerk, check, REASONS | {"override_reason-W8": " ", "aksi": "ubah:name"})
    assert boxes(text_of(clerk.get(check))) == REASONS | {"override_reason-W8": ""}
    # and what only stands in the draft answers nothing
    refused = post(clerk, check, {"version": "1"})
    assert refused.status_code == 422


def test_a_refused_save_shows_and_keeps_the_reasons(clerk):
    check = send(clerk)
    one = {"override_reason-W8": "diminta dokter"}
    refused = post(clerk, check, one | {"version": "1"})
    assert refused.status_code == 422
    assert boxes(text_of(refused))["override_reason-W8"] == "diminta dokter"
    assert boxes(text_of(clerk.get(check)))["override_reason-W8"] == "diminta dokter"


def test_a_stale_save_shows_and_keeps_the_reasons(clerk):
    check = send(clerk)
    send(clerk, draft=draft_row().public_id, address="Jalan Mawar 9")
    refused = post(clerk, check, REASONS | {"version": "1"})
    assert refused.status_code == 409
    assert boxes(text_of(refused)) == REASONS
    assert boxes(text_of(clerk.get(check))) == REASONS


def test_one_reason_for_all_comes_back_but_not_for_somebody_elses_nik(clerk):
    same = {"nik": TYPED["nik"], "birth_date": BORN}
    factories.patient("Siti Aminah Rahayu", **same)
    check = send(clerk)
    refused = post(clerk, check, {"version": "1", "override_reason": "sah"})
    assert refused.status_code == 422, "shorter than a reason"
    shown = boxes(text_of(refused))
    assert shown == dict.fromkeys(REASONS, "sah") | {"override_reason-NIK-TAKEN": ""}


def test_a_reason_about_one_number_answers_no_other(clerk):
    cards = {"bpjs_number": "0002847361958"}, {"bpjs_number": "0001112223334"}
    for name, card in zip(("Nurhayati", "Suparman"), cards, strict=True):
        factories.patient(name, birth_date=date(1950, 1, 2), **card)
    check, given = send(clerk, **cards[0]), {"override_reason-BPJS-TAKEN": "kartu istrinya"}
    post(clerk, check, REASONS | given | {"aksi": "ubah:bpjs_number"})
    ref = draft_row().public_id
    send(clerk, draft=ref, address="Jalan Mawar 9", **cards[0])
    assert boxes(text_of(clerk.get(check))) == REASONS | given
    send(clerk, draft=ref, **cards[1])
    page = text_of(clerk.get(check))
    assert "Suparman" in page and boxes(page) == REASONS | {"override_reason-BPJS-TAKEN": ""}


def test_to_the_comparison_and_back(clerk):
    known = factories.patient("Siti Aminah Rahayu", birth_date=BORN)
    check = send(clerk)
    there = post(clerk, check, REASONS | {"aksi": f"ini:{known.public_id}"}).location
    assert "/pendaftaran/banding/" in there
    path, page = there.partition("?")[0], text_of(clerk.get(there))
    seen = dict(re.findall(r'name="(version|patient_version|dari)" value="([^"]*)"', page))
    assert post(clerk, path, seen | {"aksi": "beda"}).location == check
    assert boxes(text_of(clerk.get(check))) == REASONS
    check = post(clerk, path, seen | {"pilih-nik": "ketik"}).location
    assert boxes(text_of(clerk.get(check)))["override_reason-W8"] == "diminta dokter"


def test_a_room_that_was_closed_meanwhile_takes_no_reason_away(clerk):
    check = send(clerk)
    with transaction():
        db.session.scalars(select(Poli).where(Poli.code == "LAB")).one().is_active = False
    refused = post(clerk, check, REASONS | {"version": "1"})
    assert refused.status_code == 303
    assert refused.location.startswith(f"{NEW}?draf=")
    with transaction():
        db.session.scalars(select(Poli).where(Poli.code == "LAB")).one().is_active = True
    assert boxes(text_of(clerk.get(check))) == REASONS


def test_what_was_typed_yesterday_goes_on_today_but_not_what_was_saved(clerk):
    check = send(clerk)
    post(clerk, check, REASONS | {"aksi": "kembali"})
    old = draft_row().public_id
    with transaction():
        draft_row().drafted_on -= timedelta(days=1)
    check = send(clerk, draft=old)
    assert old not in check
    assert boxes(text_of(clerk.get(check))) == REASONS
    saved = post(clerk, check, REASONS | {"version": version_of(clerk, check)})
    assert "/tiket/" in saved.location
    again = send(clerk, draft=check.rsplit("/", 1)[-1], nik=factories.nik(BORN, "L", 42))
    assert set(boxes(text_of(clerk.get(again))).values()) == {""}


def test_with_all_reasons_there_the_save_has_the_focus(clerk):
    focus = re.compile(r'<button class="btn btn-big" accesskey="s" autofocus data-still>')
    check = send(clerk)
    assert not focus.search(text_of(clerk.get(check)))
    post(clerk, check, REASONS | {"aksi": "ubah:name"})
    page = text_of(clerk.get(check))
    assert focus.search(page)
    first = re.search(
        r'<form class="check" method="post" action="/pendaftaran/periksa.*?(<button.*?)>',
        page,
        re.S,
    )
    assert "aksi" not in first[1], "Enter in a reason saves"


def test_a_returning_patients_fields_are_open_to_change(clerk):
    with transaction():
        known = patients.create(
            factories.actor(), patients.Identity("Siti", "P", BORN, address="J", nik=TYPED["nik"])
        )
        ref = known.public_id
    check = send(clerk, f"/pendaftaran/pasien/{ref}")
    there = post(clerk, check, REASONS | {"aksi": "ubah:address"}).location
    assert there.startswith(f"/pendaftaran/pasien/{ref}?draf=")
    assert '<details id="identitas" open>' in text_of(clerk.get(there.partition("#")[0]))
    assert boxes(text_of(clerk.get(check))) == REASONS
    assert db.session.scalars(select(Patient)).one().name == "Siti"


# --- "Pindah ke ..." beside a warning that names a room -----------------------------------------

TOOTHACHE = {"poli": "UMUM", "complaint": "sakit gigi berlubang"}
TO_DENTIST = {"aksi": "pindah:GIGI", "version": "1"}


def test_a_warning_that_names_a_room_offers_to_go_there_and_to_stay(clerk):
    page = text_of(clerk.get(send(clerk, **TOOTHACHE)))
    assert 'data-rule="W7"' in page
    assert '<button class="btn btn-secondary" name="aksi" value="pindah:GIGI">' in page
    assert "Pindah ke Poli Gigi dan Mulut</button>" in page
    assert '<label for="f-override_reason-W7">Alasan tetap di Poli Umum</label>' in page
    assert '<label for="f-override_reason-NIK-SEX">Alasan tetap lanjut</label>' in page
    lab = text_of(clerk.get(send(clerk)))  # W8 names no room
    assert "pindah:" not in lab


def test_one_press_changes_the_room_and_nothing_else(clerk):
    check = send(clerk, **TOOTHACHE, phone="0812 3456 7890", village="Sungai", pregnant="tidak")
    before = dict(draft_row().fields)
    other = factories.patient("Siti Aminah Rahayu")
    said = {f"jawab-{other.public_id}": "beda"}
    reasons = {"override_reason-NIK-SEX": "kartu salah cetak", "override_reason-W7": "setengah"}
    moved = post(clerk, check, TO_DENTIST | reasons | said)
    assert (moved.status_code, moved.location) == (303, check)
    db.session.expire_all()
    row = draft_row()
    assert row.fields == before | {"poli": "GIGI"}
    assert row.answers[other.public_id] == "beda"
    page = text_of(clerk.get(check))
    assert 'data-rule="W7"' not in page and "kartu salah cetak" in page
    saved = post(clerk, check, reasons | said | {"version": version_of(clerk, check)})
    assert "/tiket/" in saved.location
    assert 'data-poli="GIGI"' in text_of(clerk.get(saved.location))


def test_a_second_press_is_harmless_but_an_older_page_changes_nothing(clerk):
    check = send(clerk, **TOOTHACHE)
    for _ in range(2):
        assert post(clerk, check, TO_DENTIST).status_code == 303
    assert (draft_row().fields["poli"], draft_row().version) == ("GIGI", 2)
    stale = post(clerk, check, {"version": "1"} | REASONS)
    assert stale.status_code == 409, "the other tab saw another room"
    send(clerk, **TOOTHACHE | {"poli": "KB"}, draft=draft_row().public_id)
    refused = post(clerk, check, {"override_reason-W5": "baru ditulis"} | TO_DENTIST)
    assert refused.status_code == 409
    page = text_of(refused)
    assert "diubah di tempat lain" in page and "Pelayanan KB" in page
    db.session.expire_all()
    assert draft_row().fields["poli"] == "KB"
    assert draft_row().reasons["override_reason-W5".partition("-")[2]] == "baru ditulis"


@pytest.mark.parametrize("code", ["GIGI", "TAKADA", "<b>"])
def test_nobody_goes_to_a_room_that_is_closed_or_none(clerk, code):
    check = send(clerk, **TOOTHACHE)
    with transaction():
        db.session.scalars(select(Poli).where(Poli.code == "GIGI")).one().is_active = False
    refused = post(clerk, check, TO_DENTIST | {"aksi": f"pindah:{code}"})
    assert refused.status_code == 409
    assert "sedang ditutup" in text_of(refused)
    assert draft_row().fields["poli"] == "UMUM"


def test_a_saved_draft_does_not_change_its_room(clerk):
    check = send(clerk, **TOOTHACHE)
    saved = post(clerk, check, {"version": "1", "override_reason": "permintaan pasien"})
    assert post(clerk, check, TO_DENTIST).location == saved.location
    db.session.expire_all()
    assert draft_row().fields["poli"] == "UMUM"


def test_the_room_reads_why_the_counter_sent_the_patient_there(clerk, sign_in):
    child = {"birth_date": "", "birth_date_estimated": "3 tahun", "mother_name": "Sri Rahayu"}
    child |= {"complaint": "batuk", "poli": "UMUM"}
    there = send(clerk, **child)
    reasons = {"override_reason-W1": "kakaknya juga di Poli Umum", "override_reason": "memang"}
    assert "/tiket/" in send(clerk, there, version="1", **reasons)
    visit = db.session.scalars(select(Visit)).one()
    page = text_of(sign_in("umum").get(f"/kunjungan/{visit.public_id}"))
    said = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert re.search(r"Catatan loket: Anak .* Alasan: kakaknya juga di Poli Umum \([A-Z]", said)
    assert "Alasan: memang" not in said, "what was said of the NIK may name others"
