"""Text that wants to be markup, through every page that shows it: shown as typed, never run.

The page checks of PageClient refuse inline scripts, styles and handlers on each page.
"""

import html
from datetime import date

import pytest
from sqlalchemy import select

from db import db, transaction, utcnow
from models import (
    Allergy,
    Consent,
    ConsentDecision,
    EntryState,
    Examination,
    ExaminationAnswer,
    Immunization,
    QueueEntry,
    Signer,
    TriageNote,
    TriagePriority,
)
from tests import factories
from tests.pages import post

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    "{{ 7 * 7 }} {% raw %}",
    "</textarea></title><svg onload=alert(1)>",
    "Robert'); DROP TABLE patient;--",
    "=HYPERLINK(1) \u202e gnp.exe",
    "😀 Ñandú ‘kutip’ & <b>tebal</b>",
]


def _immunizations(visit_id: int, user_id: int, text: str) -> list[Immunization]:
    """One that holds and one that was ended."""
    same = {"visit_id": visit_id, "recorded_by_id": user_id, "given_on": date(2026, 1, 2)}
    texts = {"batch": text[:40], "site": text[:40], "given_by": text, "override_reason": text}
    end = {"ended_at": utcnow(), "ended_by_id": user_id, "end_reason": text}
    first = Immunization(vaccine="BCG", dose=1, **same, **texts)
    return [first, Immunization(vaccine=text[:16], dose=2, **same, **texts, **end)]


def _answers(examination_id: int, user_id: int, text: str) -> list[ExaminationAnswer]:
    """Text where a note, a choice, teeth or a question that is gone is expected."""
    codes = {
        "risk_note": "hamil",
        "presentation": "hamil",
        "child_note": "anak",
        "danger_reason": "mtbs",
        "mtbs_note": "mtbs",
        "danger": "mtbs",
        "oral_note": "gigi",
        "tooth36": "gigi",
        "act36": "gigi",
        "dulu": text[:12],
    }
    return [
        ExaminationAnswer(
            examination_id=examination_id, form=form, code=code, value=text, recorded_by_id=user_id
        )
        for code, form in codes.items()
    ]


@pytest.fixture
def visit(app):
    """A finished visit and a waiting one of a person made of hostile text."""

    def make(text: str):
        person = factories.patient(
            text,
            address=text,
            village=text[:60],
            mother_name=text,
            phone="0812",
        )
        entry = factories.entry("UMUM", person, complaint=text)
        with transaction():
            author = factories.user("umum")
            entry = db.session.get(QueueEntry, entry.id)
            db.session.add_all(
                [
                    Examination(
                        entry_id=entry.id,
                        visit_id=entry.visit_id,
                        recorded_by_id=author.id,
                        subjective=text,
                        objective=text,
                        assessment=text,
                        plan=text,
                        therapy=text,
                        refer_to=text,
                    ),
                    Consent(
                        patient_id=entry.visit.patient_id,
                        original_patient_id=entry.visit.patient_id,
                        decision=ConsentDecision.REFUSED,
                        signer=Signer.GUARDIAN,
                        signed_by=text,
                        recorded_by_id=author.id,
                    ),
                    TriageNote(
                        visit_id=entry.visit_id,
                        seen=text,
                        priority=TriagePriority.RED,
                        recorded_by_id=author.id,
                    ),
                    *_immunizations(entry.visit_id, author.id, text),
                    Allergy(
                        patient_id=entry.visit.patient_id,
                        original_patient_id=entry.visit.patient_id,
                        substance=text,
                        reaction=text,
                        recorded_by_id=author.id,
                    ),
                ]
            )
            db.session.flush()
            (examination,) = db.session.scalars(select(Examination))
            db.session.add_all(_answers(examination.id, author.id, text))
        return db.session.scalars(select(QueueEntry)).one()

    return make


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_was_typed(visit, sign_in, text):
    entry = visit(text)
    visit_ref, patient_ref = entry.visit.public_id, entry.visit.patient.public_id
    client = sign_in("kepala")
    post(client, "/pendaftaran", {"q": text})
    post(client, "/pasien", {"q": text})
    seen = 0
    for url in (
        "/pendaftaran",
        "/pendaftaran/baru",
        f"/pendaftaran/pasien/{patient_ref}",
        f"/pendaftaran/baru?keluarga={visit_ref}",
        f"/pendaftaran/tiket/{visit_ref}",
        f"/pendaftaran/kunjungan/{visit_ref}/ubah",
        f"/pendaftaran/kunjungan/{visit_ref}/ruang",
        f"/pendaftaran/kunjungan/{visit_ref}/identitas",
        "/poli/UMUM",
        "/poli/UMUM/baris",
        f"/antrean/{entry.public_id}/pindah",
        f"/kunjungan/{visit_ref}",
        f"/kunjungan/{visit_ref}/tanda-vital",
        f"/kunjungan/{visit_ref}/imunisasi",
        f"/pasien/{patient_ref}",
        f"/pasien/{patient_ref}/persetujuan",
        "/layar",
        "/sistem/audit",
    ):
        response = client.get(url)
        assert response.status_code == 200, url
        page = response.get_data(as_text=True)
        for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
            assert piece not in page, (url, piece)
        seen += text in html.unescape(page)
    assert seen >= 8


FORMS = ["gigi", "hamil", "anak", "mtbs"]
NOTES = ["risk_note", "child_note", "danger_reason", "mtbs_note", "oral_note"]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_the_rooms_forms_before_and_after_the_end(visit, sign_in, text):
    entry = visit(text)
    url = f"/kunjungan/{entry.visit.public_id}"
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        found.state, found.started_at = EntryState.IN_SERVICE, utcnow()
        found.poli.room_forms = " ".join(FORMS)
    client, shown = sign_in("kepala"), " ".join(text.replace("\u202e", "").split())
    page = client.get(url).get_data(as_text=True)
    assert html.unescape(page).count(text) >= len(NOTES)
    _is_escaped(page)
    typed = {"room_form": FORMS, "entry": entry.public_id, "version": "1"}
    typed |= dict.fromkeys(NOTES, text[:100]) | {"tooth": [text[:4]], "tooth_condition": [text]}
    typed |= {"tooth_action": [text], "lmp": text, "presentation": text, "muac": text}
    refused = post(client, url, typed)
    assert refused.status_code == 422
    _is_escaped(refused.get_data(as_text=True))
    wrong = dict.fromkeys(("tooth", "tooth_condition", "tooth_action", "lmp", "muac"), "")
    end = {"aksi": "selesai", "assessment": text, "disposition": "pulang", "presentation": ""}
    assert post(client, url, typed | wrong | end).status_code == 303
    (examination,) = db.session.scalars(select(Examination))
    amending = f"/pemeriksaan/{examination.public_id}/pembetulan"
    for after in (url, amending, f"/pasien/{entry.visit.patient.public_id}"):
        page = client.get(after).get_data(as_text=True)
        _is_escaped(page)
        assert shown[:90] in html.unescape(page), after


def _is_escaped(page: str) -> None:
    for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
        assert piece not in page, piece


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_on_the_way_to_the_check_page(sign_in, text):
    client = sign_in("loket")
    typed = {
        "no_nik_reason": "LUPA_KARTU",
        "name": text,
        "sex": "P",
        "birth_date": "17-08-1985",
        "address": text,
        "mother_name": text,
        "complaint": text,
        "poli": "UMUM",
        "phone": text[:20],
        "bpjs_number": "",
    }
    draft = post(client, "/pendaftaran/baru", typed).location
    shown = " ".join(text.replace("\u202e", "").split())  # turning the line round is no text
    assert shown in html.unescape(client.get(draft).get_data(as_text=True))
    refused = post(client, "/pendaftaran/baru", typed | {"nik": text, "birth_date": text})
    assert refused.status_code == 422
    assert text in html.unescape(refused.get_data(as_text=True))
    for url in ("/pendaftaran/saran", "/pendaftaran/mirip", "/pendaftaran/cari"):
        assert post(client, url, typed | {"q": text}).status_code == 200


def test_nobodys_nik_reaches_an_address_or_a_log(sign_in, caplog):
    """The whole walk of one marked NIK; PageClient refuses it unmasked on any page but a form."""
    nik = "3171015708859876"
    client = sign_in("loket")
    post(client, "/pendaftaran", {"q": nik})
    client.get("/pendaftaran")
    typed = {
        "nik": nik,
        "name": "Siti Aminah",
        "sex": "P",
        "birth_date": "17-08-1985",
        "address": "Jalan Kenanga",
        "complaint": "demam",
        "poli": "UMUM",
    }
    draft = post(client, "/pendaftaran/baru", typed).location
    client.get(draft)
    ticket = post(client, draft, {"version": "1"}).location
    client.get(ticket)
    assert nik not in draft + ticket
    assert nik not in str(client.get_cookie("alur"))
    assert nik not in caplog.text
