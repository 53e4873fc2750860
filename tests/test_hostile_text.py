"""Text that wants to be markup, through every page that shows it: shown as typed, never run.

The page checks of PageClient refuse inline scripts, styles and handlers on each page.
"""

import html

import pytest
from sqlalchemy import select

from db import db, transaction, utcnow
from models import EntryState, Examination, QueueEntry
from tests import factories, whole_record
from tests.crawling import REF, crawl
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
# The sweep below shows all of them on every page; what single pages do with a form takes these.
BREAKING_OUT = HOSTILE[1:3]

# Where each of them must be read, for the sweep to have seen anything.
SHOWING = {
    "/poli/*",
    "/antrean/*/lainnya",
    "/kunjungan/*",
    "/kunjungan/*/farmasi",
    "/kunjungan/*/imunisasi",
    "/kunjungan/*/laboratorium",
    "/pasien/*",
    "/pasien/*/kunjungan/*",
    "/pasien/*/persetujuan",
    "/pemeriksaan/*/riwayat",
    "/rekam-medis/pembetulan/*",
    "/surat/*",
    "/farmasi",
    "/farmasi/batch/*",
    "/farmasi/resep/*/etiket",
    "/farmasi/resep/*/salinan",
    "/farmasi/stok/*",
    "/kunjungan/*/label",
    "/pendaftaran",
    "/pendaftaran/tiket/*",
    "/sistem/audit",
    "/sistem/pengaturan",
}
MARKUP = ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='", "49 {%")


# Some go together, as far as a name is long enough: a sweep takes a second or two.
SWEPT = [" ".join(HOSTILE[n] for n in some) for some in ((0, 1, 6), (4, 2), (7, 5, 3))]
OF_THE_FRAME = 2  # the clinic's name, which is the text too, above and below each page


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("text", SWEPT)
def test_hostile_text_in_every_field_of_a_record(app, sign_in, text):
    """In one record's every field, through every page and print of it that the head can reach."""
    sweep(sign_in, text)


@pytest.mark.engines("postgresql")
def test_every_page_of_a_record_opens_on_postgresql_too(app, sign_in):
    """Many pages' own tests run on SQLite only: what they ask of a database is asked here."""
    sweep(sign_in, SWEPT[0])


def sweep(sign_in, text: str) -> None:
    whole, client = whole_record.write(text), sign_in("kepala")
    client.is_checking = False  # the pages' own tests do; here it would take most of the time
    post(client, "/pendaftaran", {"q": text})
    post(client, "/pasien", {"q": text})
    kinds = set()
    for url, page in crawl(client, whole.desks):
        for piece in MARKUP:
            assert piece not in page, (url, piece)
        if html.unescape(page).count(stored(text)[:20]) > OF_THE_FRAME:
            kinds.add(REF.sub("*", url))
    assert kinds >= SHOWING, SHOWING - kinds


def stored(text: str) -> str:
    """As it is kept: turning the line round is no text."""
    return " ".join(text.replace("\u202e", "").split())


FORMS = ["gigi", "hamil", "anak", "mtbs"]
NOTES = ["risk_note", "child_note", "danger_reason", "mtbs_note", "oral_note"]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_the_rooms_forms_before_and_after_the_end(app, sign_in, text):
    entry = factories.entry("UMUM", factories.patient(text), complaint=text)
    url = f"/kunjungan/{entry.visit.public_id}"
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        found.state, found.started_at = EntryState.IN_SERVICE, utcnow()
        found.poli.room_forms = " ".join(FORMS)
    client, shown = sign_in("kepala"), stored(text)
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
    for piece in MARKUP:
        assert piece not in page, piece


@pytest.mark.engines("sqlite")
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
    assert stored(text) in html.unescape(client.get(draft).get_data(as_text=True))
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
