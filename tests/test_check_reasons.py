"""Reasons typed on the check page: leaving it by any button, or a refused save, loses none."""

import html
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import patients
from db import db, transaction
from models import Override, Patient, Poli, RegistrationDraft
from tests import factories
from tests.pages import post

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


def text_of(response) -> str:
    return html.unescape(response.get_data(as_text=True))


def send(clerk, url=NEW, **changes) -> str:
    response = post(clerk, url, TYPED | changes)
    assert response.status_code == 303, text_of(response)
    return response.location


def boxes(page: str) -> dict[str, str]:
    """What the reason boxes of a check page hold."""
    return dict(re.findall(r'name="(override_reason[A-Z0-9-]*)" value="([^"]*)"', page))


def draft_row() -> RegistrationDraft:
    return db.session.scalars(select(RegistrationDraft)).one()


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
    assert len(names) == len(set(names)) > 10
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
    focus = re.compile(r'<button class="btn btn-big" accesskey="s" autofocus>')
    check = send(clerk)
    assert not focus.search(text_of(clerk.get(check)))
    post(clerk, check, REASONS | {"aksi": "ubah:name"})
    page = text_of(clerk.get(check))
    assert focus.search(page)
    first = re.search(
        r'<form method="post" action="/pendaftaran/periksa.*?(<button.*?)>', page, re.S
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
