"""Papers in the pages: from the form to the print, who may what, hostile text, what it costs."""

import gzip
import html
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import administration, days, lab_afterwards, lab_results, papers
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    DatePrecision,
    Examination,
    Paper,
    PaperKind,
    PaperState,
    RecordAccess,
)
from tests import factories, past_visits
from tests.databases import count_queries
from tests.pages import post, text_of
from tests.test_hostile_text import BREAKING_OUT
from tests.test_laboratory import current_of, item_of, sent, write
from tests.test_papers import examined, in_three_stays, issue, lab_paper, reported

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")


def hidden(page: str) -> dict[str, str]:
    """What the page's form sends of itself."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}


def address(examination: Examination, kind: PaperKind = PaperKind.SICK) -> str:
    return f"/kunjungan/{examination.visit.public_id}/surat/{kind.value}"


def open_form(client, examination, kind=PaperKind.SICK, **query) -> dict[str, str]:
    query = {"pemeriksaan": examination.public_id} | query
    response = client.get(address(examination, kind), query_string=query)
    assert response.status_code == 200
    return hidden(response.get_data(as_text=True))


def read_back(client, examination, kind=PaperKind.SICK, **typed):
    """The check page, and what its form sends."""
    query = {name: typed.pop(name) for name in ("permintaan", "ganti") if name in typed}
    sent = open_form(client, examination, kind, **query) | typed | {"aksi": "periksa"}
    response = post(client, address(examination, kind), sent)
    return response, hidden(response.get_data(as_text=True))


def publish(client, examination, kind=PaperKind.SICK, **typed):
    response, sent = read_back(client, examination, kind, **typed)
    assert response.status_code == 200, text_of(response)
    return post(client, address(examination, kind), sent | {"aksi": "terbitkan"})


def only_paper() -> Paper:
    db.session.expire_all()
    return db.session.scalars(select(Paper)).one()


@pytest.mark.parametrize("has_letter", [False, True])
def test_who_refers_to_a_hospital_is_reminded_of_the_letter(sign_in, has_letter):
    umum, examination = sign_in("umum"), examined(finishes=False)
    if has_letter:
        publish(
            umum, examination, PaperKind.REFERRAL, to_whom="RSUD", reason="sesak", diagnosis="x"
        )
    sent = {"entry": examination.entry.public_id, "version": "1", "aksi": "selesai"}
    sent |= {"disposition": "rujuk_eksternal", "refer_external": "RSUD"}
    url = f"/kunjungan/{examination.visit.public_id}"
    queue = text_of(umum.get(post(umum, url, sent).headers["Location"]))
    assert "selesai." in queue
    assert ("Surat rujukannya belum terbit" in queue) is not has_letter
    if not has_letter:
        (form,) = re.findall(r'<a href="([^"]+)">Terbitkan surat rujukan</a>', queue)
        assert form.startswith(f"{url}/surat/")
        assert 'value="RSUD"' in text_of(umum.get(form)), "filled from this examination"


def test_who_changes_what_a_letter_told_is_reminded_of_it(sign_in):
    umum, examination = sign_in("umum"), examined(finishes=False)
    publish(umum, examination, PaperKind.REFERRAL, to_whom="RSUD", reason="sesak", diagnosis="x")
    sent = {"entry": examination.entry.public_id, "version": "1", "aksi": "selesai"}
    sent |= {"disposition": "rujuk_eksternal", "refer_external": "RSUD", "therapy": "infus RL"}
    url = f"/kunjungan/{examination.visit.public_id}"
    queue = text_of(umum.get(post(umum, url, sent).headers["Location"]))
    paper = only_paper()
    assert f"Surat Rujukan {paper.number} dicetak sebelum isinya berubah." in queue
    assert f'<a href="/surat/{paper.public_id}">Bandingkan suratnya</a>' in queue


def test_a_hostile_name_stays_text_beside_the_way_to_the_letter(sign_in):
    umum, examination = sign_in("umum"), examined(finishes=False)
    with transaction():
        db.session.merge(examination.visit.patient).name = "Siti <b>{}{0}"
    sent = {"entry": examination.entry.public_id, "version": "1", "aksi": "selesai"}
    sent |= {"disposition": "rujuk_eksternal", "refer_external": "RSUD"}
    answer = post(umum, f"/kunjungan/{examination.visit.public_id}", sent)
    queue = umum.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Siti &lt;b&gt;{}{0} selesai." in queue
    assert '">Terbitkan surat rujukan</a></div>' in queue


# --- From the form to the print ---------------------------------------------------------------


def test_a_sick_note_from_the_visit_to_the_print(sign_in):
    umum, examination = sign_in("umum"), examined()
    visit = f"/kunjungan/{examination.visit.public_id}"
    assert f"{visit}/surat" in text_of(umum.get(visit))
    assert "Surat Keterangan Sakit" in text_of(umum.get(f"{visit}/surat"))
    checked, sent = read_back(umum, examination, from_on="today", days="2")
    assert checked.status_code == 422 and "tanggal lengkap" in text_of(checked)
    today = days.clinic_date()
    checked, sent = read_back(umum, examination, from_on=f"{today:%d-%m-%Y}", days="2")
    page = text_of(checked)
    assert "selama 2 (dua) hari" in page and "BELUM TERBIT" in page
    assert db.session.query(Paper).count() == 0, "only read back"
    issued = post(umum, address(examination), sent | {"aksi": "terbitkan"})
    assert issued.status_code == 303
    page = text_of(umum.get(issued.location))
    paper = only_paper()
    assert f"Nomor: {paper.number}" in page and "selama 2 (dua) hari" in page
    assert "Cetak" in page and "paper.css" in page and "BELUM TERBIT" not in page
    assert paper.number in text_of(umum.get(visit))
    assert paper.number in text_of(umum.get(f"/pasien/{examination.visit.patient.public_id}"))


def test_back_from_the_check_page_nothing_is_lost(sign_in):
    umum, examination = sign_in("umum"), examined()
    typed = {"days": "5", "reason": "patah tulang", "purpose": "izin sekolah"}
    _, sent = read_back(umum, examination, from_on=f"{days.clinic_date():%d-%m-%Y}", **typed)
    page = text_of(post(umum, address(examination), sent | {"aksi": "ubah"}))
    for text in typed.values():
        assert f'value="{text}"' in page
    assert f'name="kunci" value="{sent["kunci"]}"' in page


def test_a_refused_form_says_where_and_keeps_what_was_typed(sign_in):
    umum, examination = sign_in("umum"), examined()
    sent = open_form(umum, examination, PaperKind.REFERRAL)
    typed = {"to_whom": "RSUD Tirta", "reason": "", "diagnosis": "curiga TB", "findings": "batuk"}
    answer = post(umum, address(examination, PaperKind.REFERRAL), sent | typed)
    page = text_of(answer)
    assert answer.status_code == 422
    assert 'href="#f-reason">Tulis alasan merujuk' in page
    assert 'value="RSUD Tirta"' in page and "curiga TB" in page


@pytest.mark.parametrize(
    ("kind", "sentences"),
    [
        (PaperKind.REFERRAL, ("Tulis ke mana", "Tulis alasan merujuk", "Tulis diagnosis")),
        (PaperKind.INTERNAL, ("Pilih ruang tujuan", "Tulis alasan merujuk", "Tulis diagnosis")),
        (PaperKind.HEALTH, ("Tulis surat ini untuk keperluan apa", "Pilih hasilnya")),
        (PaperKind.SICK, ("Isi tanggal mulai sakit", "Isi sampai tanggal berapa")),
    ],
)
def test_all_that_a_paper_lacks_is_told_at_once(sign_in, kind, sentences):
    umum, examination = sign_in("umum"), examined()
    emptied = open_form(umum, examination, kind)
    kept = {"csrf_token", "patient", "pemeriksaan", "kunci", "aksi"}
    emptied = {name: text if name in kept else "" for name, text in emptied.items()}
    answer = post(umum, address(examination, kind), emptied)
    page = text_of(answer)
    assert answer.status_code == 422
    summary = re.search(r'class="error-summary.*?</ul>', page, re.DOTALL)[0]
    places = [summary.index(f">{sentence}") for sentence in sentences]
    assert places == sorted(places), "in the order of the form"


def test_pressing_twice_gives_one_paper_and_the_second_tab_the_first_ones(sign_in):
    umum, examination = sign_in("umum"), examined()
    today = f"{days.clinic_date():%d-%m-%Y}"
    _, sent = read_back(umum, examination, from_on=today, days="1")
    _, second = read_back(umum, examination, from_on=today, days="3")
    first = post(umum, address(examination), sent | {"aksi": "terbitkan"})
    again = post(umum, address(examination), sent | {"aksi": "terbitkan"})
    other = post(umum, address(examination), second | {"aksi": "terbitkan"})
    assert first.location == again.location == other.location
    assert "sudah terbit dengan nomor" in text_of(umum.get(other.location))
    assert only_paper().content["parts"]


def test_what_changed_since_it_was_read_back_is_read_back_again(sign_in):
    umum, examination = sign_in("umum"), examined()
    _, sent = read_back(umum, examination, from_on=f"{days.clinic_date():%d-%m-%Y}", days="1")
    with transaction():
        db.session.merge(examination.visit.patient).address = "Jalan Baru 9"
    answer = post(umum, address(examination), sent | {"aksi": "terbitkan"})
    assert answer.status_code == 409
    assert "Baca sekali lagi" in text_of(answer) and "Jalan Baru 9" in text_of(answer)
    sent = hidden(answer.get_data(as_text=True)) | {"aksi": "terbitkan"}
    assert post(umum, address(examination), sent).status_code == 303


def test_the_form_of_another_patient_is_refused(sign_in):
    umum, examination = sign_in("umum"), examined()
    other = examined(factories.patient("Budi", sex="L"))
    sent = open_form(umum, examination)
    typed = {"patient": other.visit.patient.public_id, "purpose": "izin kerja"}
    answer = post(umum, address(examination), sent | typed | {"aksi": "terbitkan"})
    assert answer.status_code == 409
    assert "bukan untuk pasien atau kunjungan ini" in text_of(answer)
    assert "izin kerja" in text_of(answer)
    strange = sent | {"pemeriksaan": other.public_id}
    assert post(umum, address(examination), strange).status_code == 404


@pytest.mark.parametrize(
    ("kind", "typed", "printed"),
    [
        (PaperKind.SUMMARY, {"advice": "banyak minum"}, "banyak minum"),
        (PaperKind.HEALTH, {"purpose": "melamar", "result": "sehat"}, "SEHAT"),
        (PaperKind.REFERRAL, {"to_whom": "RSUD", "reason": "a", "diagnosis": "b"}, "Yth.\nRSUD"),
        (PaperKind.INTERNAL, {"to_room": "GIGI", "reason": "a", "diagnosis": "b"}, "Gigi"),
    ],
)
def test_each_kind_has_its_form(sign_in, kind, typed, printed):
    umum, examination = sign_in("umum"), examined()
    page = text_of(umum.get(publish(umum, examination, kind, **typed).location))
    assert printed in page


def test_the_laboratory_prints_its_results(sign_in):
    there, examination = reported(HB="9,1")
    lab = sign_in("lab")
    page = lab.get(f"/kunjungan/{there.visit.public_id}/surat").get_data(as_text=True)
    order = re.search(r"permintaan=([0-9a-f-]{36})", page)[1]
    assert "surat/sakit" not in page
    issued = publish(lab, examination, PaperKind.LAB, permintaan=order, note="puasa")
    page = text_of(lab.get(issued.location))
    wide = r'<div class="letter-wide" tabindex="0" role="region" aria-label="[^"]+"><table'
    assert re.search(wide, page), "a phone shows all columns"
    assert "9,1 g/dL" in page and "rendah" in page and "puasa" in page
    assert "Yusuf Hidayat" in page


# --- Cancelled, replaced ----------------------------------------------------------------------


def test_a_cancelled_paper_prints_with_batal(sign_in):
    umum, paper = sign_in("umum"), issue(examined())
    here = f"/surat/{paper.public_id}"
    refused = post(umum, f"{here}/batal", {"why": " "})
    assert refused.status_code == 422 and "Tulis alasannya" in text_of(refused)
    assert post(umum, f"{here}/batal", {"why": "salah orang"}).status_code == 303
    page = text_of(umum.get(here))
    assert 'data-mark="BATAL"' in page and "salah orang" in page and "dr. Bagus Prasetyo" in page
    second = post(umum, f"{here}/batal", {"why": "lagi"})
    assert second.status_code == 409 and "sudah dibatalkan oleh" in text_of(second)


def test_a_replaced_paper_leads_to_the_new_one(sign_in):
    umum, examination = sign_in("umum"), examined()
    first = issue(examination, purpose="izin kerja")
    typed = {"from_on": f"{days.clinic_date():%d-%m-%Y}", "days": "3"}
    refused, _ = read_back(umum, examination, ganti=first.public_id, **typed)
    assert refused.status_code == 422 and "mengapa surat ini diganti" in text_of(refused)
    typed |= {"ganti": first.public_id, "why": "jumlah hari salah"}
    issued = publish(umum, examination, **typed)
    db.session.expire_all()
    second = papers.by_ref(issued.location.rsplit("/", 1)[1])
    page = text_of(umum.get(f"/surat/{first.public_id}"))
    assert 'data-mark="DIGANTI"' in page and second.number in page and "jumlah hari salah" in page
    assert first.number in text_of(umum.get(issued.location))


def test_who_cancels_the_visit_reads_which_papers_are_out(sign_in):
    umum, examination = sign_in("umum"), examined(finishes=False)
    queue = f"/antrean/{examination.entry.public_id}/batal"
    assert "Sudah terbit dari kunjungan ini" not in text_of(umum.get(queue))
    paper = issue(examination)
    assert paper.number in text_of(umum.get(queue))
    assert post(umum, queue, {"alasan": "salah daftar"}).status_code == 303
    page = text_of(umum.get(f"/surat/{paper.public_id}"))
    assert "<b>Kunjungannya dibatalkan</b> sesudah surat ini terbit" in page
    assert "Ganti dengan yang benar" not in page, "a cancelled visit has no new papers"
    assert "Batalkan surat ini" in page


# --- Who may what -----------------------------------------------------------------------------


def test_who_may_sign_nothing_is_told_before_anything_is_filled_in(sign_in):
    umum, examination = sign_in("umum"), examined()
    offered, untold = f"/kunjungan/{examination.visit.public_id}/surat", "Profesi Anda belum diisi"
    query = {"pemeriksaan": examination.public_id}
    assert untold not in text_of(umum.get(offered))
    assert untold not in text_of(umum.get(address(examination), query_string=query))
    with transaction():
        factories.user("umum").practitioner.is_active = False
    page = umum.get(offered)
    assert untold in text_of(page)
    assert f"{offered}/" not in page.get_data(as_text=True)
    assert "Simpan dulu pemeriksaannya" not in text_of(page)
    assert untold in text_of(umum.get(address(examination), query_string=query))


def test_records_and_head_reprint_but_do_not_issue(sign_in):
    examination = examined()
    paper = issue(examination)
    query = f"{address(examination)}?pemeriksaan={examination.public_id}"
    for name in ("rekammedis", "kepala"):
        client = sign_in(name)
        assert paper.number in text_of(client.get(f"/surat/{paper.public_id}"))
        assert client.get(query).status_code == 403
        assert post(client, address(examination), {}).status_code == 403
    refused = post(sign_in("rekammedis"), f"/surat/{paper.public_id}/batal", {"why": "x"})
    assert refused.status_code == 403
    assert (
        post(sign_in("kepala"), f"/surat/{paper.public_id}/batal", {"why": "x"}).status_code == 303
    )


def test_the_counter_reads_no_paper_but_prints_the_label(sign_in):
    examination = examined()
    paper, visit = issue(examination), examination.visit
    loket = sign_in("loket")
    assert loket.get(f"/surat/{paper.public_id}").status_code == 403
    assert loket.get(f"/kunjungan/{visit.public_id}/surat").status_code == 403
    label = f"/kunjungan/{visit.public_id}/label"
    assert label in text_of(loket.get(f"/pendaftaran/tiket/{visit.public_id}"))
    page = text_of(loket.get(label))
    assert visit.patient.mrn in page and "<svg" in page and "demam" not in page
    back = f'href="/pendaftaran/tiket/{visit.public_id}">Kembali ke tiket'
    assert back in loket.get(label).get_data(as_text=True)
    back = f'href="/kunjungan/{visit.public_id}">Kembali ke kunjungan'
    for account in ("umum", "rekammedis", "kepala"):
        client = sign_in(account)
        assert back in client.get(label).get_data(as_text=True)
        assert client.get(f"/kunjungan/{visit.public_id}").status_code == 200


def test_another_room_issues_nothing_from_this_one(sign_in):
    examination = examined()
    paper = issue(examination)
    gigi = sign_in("gigi")
    assert gigi.get(f"/surat/{paper.public_id}").status_code == 404
    grant("gigi", examination.visit.patient)
    assert paper.number in text_of(gigi.get(f"/surat/{paper.public_id}"))
    query = f"{address(examination)}?pemeriksaan={examination.public_id}"
    assert gigi.get(query).status_code == 404
    assert post(gigi, f"/surat/{paper.public_id}/batal", {"why": "x"}).status_code == 404


def grant(username: str, patient) -> None:
    with transaction():
        db.session.add(
            RecordAccess(
                user_id=factories.user(username).id,
                patient_ref=patient.public_id,
                reason="diminta pasien",
                expires_at=utcnow() + timedelta(minutes=5),
            )
        )


def test_without_access_the_record_asks_for_a_reason_and_the_text_is_kept(sign_in):
    umum, person = sign_in("umum"), factories.patient()
    past_visits.add(person, 1, since=2)
    examination = db.session.scalars(select(Examination)).one()
    patient = f"/pasien/{person.public_id}"
    assert umum.get(f"/kunjungan/{examination.visit.public_id}/surat").location == patient
    assert umum.get(f"{patient}/surat").location == patient
    answer = post(umum, address(examination), {"purpose": "izin sekolah tiga hari"})
    assert answer.status_code == 409 and "izin sekolah tiga hari" in text_of(answer)


def test_every_print_is_logged(sign_in):
    paper = issue(examined())
    client = sign_in("rekammedis")
    client.get(f"/surat/{paper.public_id}")
    entry = db.session.scalars(select(AuditEntry).filter_by(action="print_paper")).one()
    assert (entry.object_ref, entry.user_id) == (
        paper.public_id,
        factories.user("rekammedis").id,
    )
    assert entry.patient_ref == paper.visit.patient.public_id


# --- Labels -----------------------------------------------------------------------------------


def test_twins_are_told_apart_on_labels_and_the_printed_history(sign_in):
    baby = {"birth_order": 2, "no_nik_reason": "BAYI", "birth_date": days.clinic_date()}
    there = sent("HB", person=factories.patient("By Ny Ratna", **baby))
    visit, lab = f"/kunjungan/{there.visit.public_id}", sign_in("lab")
    history = f"/pasien/{there.visit.patient.public_id}/cetak"
    assert "By Ny Ratna (bayi ke-2)" in text_of(lab.get(history))
    for page in (f"{visit}/label", f"{visit}/label-lab"):  # beside the sex: a long name is cut
        assert "Perempuan <b>(bayi ke-2)</b>" in lab.get(page).get_data(as_text=True), page


@pytest.mark.parametrize(
    ("born", "precision", "told"),
    [
        (date(1971, 7, 1), DatePrecision.YEAR, "~1971"),
        (date(2026, 3, 1), DatePrecision.MONTH, "~03-2026"),
        (date(1971, 7, 1), DatePrecision.DAY, "01-07-1971"),
    ],
)
def test_a_label_says_of_an_estimated_birth_only_what_was_told(sign_in, born, precision, told):
    there = sent("HB", person=factories.patient(birth_date=born, birth_precision=precision))
    visit, person = f"/kunjungan/{there.visit.public_id}", there.visit.patient.public_id
    for page in (f"{visit}/label", f"{visit}/label-lab", f"/pasien/{person}/cetak"):
        # in one piece: "01-07-" at the end of a line is misread
        assert f'<span class="one-line">{told}</span>' in text_of(sign_in("lab").get(page)), page


def test_a_sample_label_for_each_group_of_tests(sign_in):
    there = sent("HB", "GDS")
    label = f"/kunjungan/{there.visit.public_id}/label-lab"
    lab = sign_in("lab")
    page = text_of(lab.get(label))
    assert page.count('class="label"') == 2 and there.visit.label in page
    assert f'href="/kunjungan/{there.visit.public_id}/laboratorium"' in page
    assert label in text_of(lab.get(f"/kunjungan/{there.visit.public_id}/laboratorium"))
    assert sign_in("umum").get(label).status_code == 404
    write(there, closes=True, HB="12,1", GDS="100")
    assert "Tidak ada pemeriksaan" in text_of(lab.get(label))


# --- Hostile text -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_through_every_print(sign_in, text):
    umum = sign_in("umum")
    person = factories.patient(text, address=text, village=text[:60])
    examination = examined(person)
    shown = " ".join(text.replace("\u202e", "").split())
    first = f"{days.clinic_date():%d-%m-%Y}"
    typed = {
        PaperKind.SICK: {"from_on": first, "days": "5", "purpose": text, "reason": text},
        PaperKind.HEALTH: {"purpose": text, "note": text, "result": "sehat"},
        PaperKind.REFERRAL: dict.fromkeys(("to_whom", "to_poli", "reason", "findings"), text),
        PaperKind.INTERNAL: {"to_room": "GIGI", "reason": text, "diagnosis": text},
        PaperKind.SUMMARY: dict.fromkeys(("complaint", "diagnosis", "therapy", "advice"), text),
    }
    typed[PaperKind.REFERRAL] |= {"diagnosis": text, "therapy": text}
    for kind, fields in typed.items():
        checked, sent = read_back(umum, examination, kind, **fields)
        pages = [checked, post(umum, address(examination, kind), sent | {"aksi": "ubah"})]
        issued = post(umum, address(examination, kind), sent | {"aksi": "terbitkan"})
        post(umum, f"{issued.location}/batal", {"why": text})
        pages.append(umum.get(issued.location))
        for page in pages:
            assert page.status_code == 200
            said = page.get_data(as_text=True)
            for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
                assert piece not in said, (kind, piece)
            assert shown in html.unescape(said), kind
    here = f"/kunjungan/{examination.visit.public_id}"
    for url in (f"{here}/surat", f"{here}/label", f"/pasien/{person.public_id}/surat", here):
        assert umum.get(url).status_code == 200


def test_hostile_text_in_what_no_form_checks(sign_in):
    umum, examination = sign_in("umum"), examined()
    sent = open_form(umum, examination)
    for name in ("kunci", "dibaca", "permintaan", "ganti", "why", "aksi", "from_on", "days"):
        answer = post(umum, address(examination), sent | {name: '"><script>alert(1)</script>'})
        assert answer.status_code in (200, 404, 409, 422), name
        assert "<script>alert" not in answer.get_data(as_text=True)


# --- What it costs ----------------------------------------------------------------------------


def test_as_many_queries_for_many_papers_as_for_one(sign_in):
    umum, examination = sign_in("umum"), examined()
    issue(examination)
    visit, patient = examination.visit.public_id, examination.visit.patient.public_id
    urls = [f"/kunjungan/{visit}", f"/kunjungan/{visit}/surat"]
    urls += [f"/pasien/{patient}", f"/pasien/{patient}/surat"]
    before = [counted(umum, url) for url in urls]
    for n in range(25):
        issue(examination, PaperKind.HEALTH, purpose=f"keperluan {n}", result="sehat")
    assert [counted(umum, url) for url in urls] == before
    for url in urls:
        page = umum.get(url).data
        assert len(gzip.compress(page, 6)) <= 6 * 1024, url


def counted(client, url: str) -> int:
    with count_queries() as statements:
        assert client.get(url).status_code == 200
    return len(statements)


def test_a_long_list_goes_on_page_by_page(sign_in):
    umum, examination = sign_in("umum"), examined()
    for n in range(32):
        issue(examination, PaperKind.HEALTH, purpose=f"keperluan {n}", result="sehat")
    here = f"/pasien/{examination.visit.patient.public_id}/surat"
    page = umum.get(here).get_data(as_text=True)
    older = re.search(r'href="([^"]*sebelum=[^"]*)"', page)[1]
    rest = umum.get(older).get_data(as_text=True)
    assert (page.count("data-paper="), rest.count("data-paper=")) == (30, 2)
    assert "001/SKBS" in rest and "sebelum" not in rest


def test_a_lab_paper_fits_its_page(sign_in):
    there, examination = reported(HB="9,1", GDS="100")
    paper = lab_paper(there, examination)
    page = sign_in("lab").get(f"/surat/{paper.public_id}").data
    assert len(gzip.compress(page, 6)) <= 6 * 1024


def test_a_value_corrected_after_the_print_is_told(sign_in):
    there, examination = reported(HB="9,1")
    paper, lab = lab_paper(there, examination), sign_in("lab")
    assert "sudah dikoreksi" not in text_of(lab.get(f"/surat/{paper.public_id}"))
    with transaction():
        result = current_of(item_of(there, "HB"))
        lab_results.correct(factories.actor("lab"), result, "12,1", "salah salin")
    page = text_of(lab.get(f"/surat/{paper.public_id}"))
    assert (
        "Hasil laboratoriumnya sudah dikoreksi" in page
        and "9,1 g/dL" in page
        and "12,1" not in page
    )


def test_a_result_withdrawn_after_the_print_is_told(sign_in):
    there, examination = reported(HB="9,1")
    paper = lab_paper(there, examination)
    with transaction():
        result = current_of(item_of(there, "HB"))
        lab_afterwards.withdraw(factories.actor("lab"), result, "salah pasien")
    page = text_of(sign_in("lab").get(f"/surat/{paper.public_id}"))
    assert "Hasil laboratoriumnya sudah dikoreksi" in page


def test_two_stays_in_one_room_are_told_apart_the_newest_first(sign_in):
    first, last = in_three_stays()
    page = text_of(sign_in("umum").get(f"/kunjungan/{last.visit.public_id}/surat"))
    heads = re.findall(r"Terbitkan dari Poli Umum (.*?)</h2>", page)
    assert ["kembali dari Poli Gigi" in head for head in heads] == [True, False]
    assert all("selesai" in head for head in heads)
    assert page.index(last.public_id) < page.index(first.public_id)


def test_how_long_a_sick_note_needs_no_reason_is_the_heads_setting(sign_in):
    with transaction():
        administration.change_settings(factories.actor("kepala"), {"sick_days": 5})
    umum, examination = sign_in("umum"), examined()
    form = text_of(umum.get(f"{address(examination)}?pemeriksaan={examination.public_id}"))
    assert "bila lebih dari 5 hari" in form
    first = days.clinic_date().isoformat()
    longer, _ = read_back(umum, examination, from_on=first, days="6")
    assert longer.status_code == 422
    assert "Lebih dari 5 hari: tulis alasannya" in text_of(longer)
    explained, _ = read_back(umum, examination, from_on=first, days="6", reason="operasi")
    assert explained.status_code == 200
    assert publish(umum, examination, from_on=first, days="5").status_code == 303
    assert "5 (lima) hari" in str(only_paper().content)


def test_the_visit_page_marks_what_does_not_hold(sign_in):
    umum, examination = sign_in("umum"), examined()
    paper = issue(examination)
    with transaction():
        papers.cancel(factories.actor("umum"), paper, "salah")
    assert only_paper().state is PaperState.CANCELLED
    for url in (
        f"/kunjungan/{examination.visit.public_id}",
        f"/pasien/{examination.visit.patient.public_id}",
    ):
        page = umum.get(url).get_data(as_text=True)
        assert 'class="tag tag-danger">Batal' in page
