"""The record as a page: filters in the address, one line a visit, values as charts; who sees it."""

import gzip
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from clinic import history
from db import db, transaction
from models import (
    AuditEntry,
    Diagnosis,
    Examination,
    LabResult,
    LabTest,
    Patient,
    PrescriptionLine,
    Visit,
    VisitStatus,
)
from tests import factories, long_history
from tests.databases import count_queries
from tests.pages import post
from tests.test_hostile_text import BREAKING_OUT

KB = 1024
FILTERS = (
    {},
    {"ruang": "UMUM"},
    {"diagnosis": "J06"},
    {"diagnosis": "hipertensi"},
    {"obat": "amlodipin"},
    {"obat": "metformin"},
    {"lab": "1"},
    {"dari": "01-01-2001", "sampai": "31-12-2099"},
    {"ruang": "UMUM", "diagnosis": "I10", "obat": "amlodipin", "lab": "1", "dari": "01-01-2001"},
)
REASON = {"alasan": "dokter jaga bertanya lewat telepon"}


@pytest.fixture
def person(app) -> Patient:
    made = factories.patient()
    long_history.add(made, 30)
    return made


def url_of(person: Patient, tail: str = "", **query: str) -> str:
    return f"/pasien/{person.public_id}{tail}" + (f"?{urlencode(query)}" if query else "")


def text_of(response) -> str:
    return unescape(re.sub(r"\s+", " ", response.get_data(as_text=True)))


def lines_of(response) -> int:
    return response.get_data(as_text=True).count('<summary><span class="num">')


def audited(action: str) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


# --- Filters ----------------------------------------------------------------------------------


def test_a_page_of_results_says_which_filter_holds_and_how_to_end_it(sign_in, person):
    head = sign_in("kepala")
    page = head.get(url_of(person, ruang="GIGI", obat="parasetamol", tahun=""))
    shown = text_of(page)
    assert "Disaring: ruang Poli Gigi dan Mulut · obat parasetamol. 15 kunjungan." in shown
    assert f'href="{url_of(person)}">Hapus saringan' in shown
    assert 'name="obat" value="parasetamol"' in shown
    assert '<option value="GIGI" selected>' in shown
    assert lines_of(page) == 15
    assert "Disaring" not in text_of(head.get(url_of(person)))


def test_a_filter_goes_on_to_the_older_visits(sign_in, person):
    long_history.add(person, 40)
    head = sign_in("kepala")
    first = head.get(url_of(person, ruang="UMUM"))
    more = re.search(r'href="([^"]+sebelum=[^"]+)"', text_of(first))[1]
    second = head.get(more)
    assert "lanjutan" in text_of(second) and "Disaring: ruang Poli Umum" in text_of(second)
    assert "Hapus saringan" in text_of(second) and "Kunjungan terbaru" in text_of(second)
    assert (lines_of(first), lines_of(second)) == (20, 15)
    assert "Poli Gigi" not in "".join(re.findall("<summary>.*?</summary>", text_of(second)))


def test_nothing_found_says_so_and_what_to_do(sign_in, person):
    page = text_of(sign_in("kepala").get(url_of(person, diagnosis="Z99")))
    assert "Tidak ada kunjungan yang cocok" in page and "0 kunjungan" in page
    assert page.count("Hapus saringan") == 2
    nobody = factories.patient("Budi")
    assert "Belum ada kunjungan" in text_of(sign_in("kepala").get(url_of(nobody)))


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ({"dari": "kemarin"}, "dari", "Tulis tanggal lengkap"),
        ({"sampai": "31-02-2026"}, "sampai", "Tanggal 31-02-2026 tidak ada"),
        ({"dari": "02-01-2026", "sampai": "01-01-2026"}, "sampai", "lebih dulu"),
        ({"ruang": "KIA"}, "ruang", "tidak pernah ke ruang itu"),
        ({"tahun": "1999"}, "tahun", "tidak ada kunjungan pada tahun itu"),
        ({"diagnosis": "a" * 61}, "diagnosis", "terlalu panjang"),
        ({"obat": "3171015708450001"}, "obat", "NIK"),
    ],
)
def test_what_cannot_be_understood_is_said_and_kept(sign_in, person, query, field, sentence):
    typed = {"diagnosis": "J06"} | query
    answer = sign_in("kepala").get(url_of(person) + "?" + urlencode(typed))
    page = text_of(answer)
    assert answer.status_code == 422
    assert sentence in page and f'href="#f-{field}"' in page
    if field != "diagnosis":
        assert 'value="J06"' in page
    assert lines_of(answer) == 0


def test_a_clerk_narrows_by_room_and_time_only(sign_in, person):
    clerk = sign_in("loket")
    page = text_of(clerk.get(url_of(person, ruang="GIGI")))
    assert "Disaring: ruang Poli Gigi dan Mulut. 15 kunjungan." in page
    for name in ("diagnosis", "obat", "lab"):
        assert f'name="{name}"' not in page
    asked = {"diagnosis": "I10", "obat": "amlodipin", "lab": "1"}
    plain, probing = clerk.get(url_of(person)), clerk.get(url_of(person, **asked))
    assert "Disaring" not in text_of(probing)
    assert text_of(plain).count("<tr") == text_of(probing).count("<tr") == 21
    for secret in ("I10", "amlodipin", "Hipertensi", "120/80", "<svg", "/nilai"):
        assert secret not in text_of(probing)


def test_a_filter_does_not_open_a_record_without_a_reason(sign_in, person):
    page = text_of(sign_in("kia").get(url_of(person, diagnosis="I10")))
    assert 'name="alasan"' in page and "Hipertensi" not in page


# --- One line a visit -------------------------------------------------------------------------


def test_a_visit_is_a_line_and_its_rest_opens_with_and_without_scripts(sign_in, person):
    head = sign_in("kepala")
    page = text_of(head.get(url_of(person)))
    assert "penilaian 0" in page  # the newest stands open
    assert "penilaian 1" not in page
    assert "<b>J06.9 ISPA</b>" in page and 'class="dot hue-' in page
    address = re.search(r'<a href="([^"]+)">Buka kunjungan ini</a>', page)[1]
    assert f'hx-get="{address}"' in page
    whole, part = head.get(address), head.get(address, headers={"HX-Request": "true"})
    assert "Siti Aminah" in text_of(whole) and "penilaian 1" in text_of(whole)
    assert "penilaian 1" in text_of(part) and "<html" not in text_of(part)
    assert [row.patient_ref for row in audited("view_visit")] == [person.public_id] * 2


def test_a_years_visits_stand_under_its_number(sign_in, app):
    person = factories.patient()
    long_history.add(person, 3, gap_days=300)
    page = text_of(sign_in("kepala").get(url_of(person)))
    years = re.findall(r'<h3 class="num">(\d{4})</h3>', page)
    assert years == sorted(set(years), reverse=True)
    assert len(years) >= 2


def test_a_visit_of_another_patient_or_without_access_stays_closed(sign_in, person):
    other = factories.patient("Budi")
    ref = db.session.scalars(select(Visit.public_id).order_by(Visit.id)).first()
    assert sign_in("kepala").get(url_of(other, f"/kunjungan/{ref}")).status_code == 404
    assert sign_in("kepala").get(url_of(person, "/kunjungan/x")).status_code == 404
    stranger = sign_in("kia")
    asked = stranger.get(url_of(person, f"/kunjungan/{ref}"))
    assert (asked.status_code, asked.location) == (302, url_of(person))
    part = stranger.get(url_of(person, f"/kunjungan/{ref}"), headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == url_of(person)
    assert "penilaian" not in text_of(part)
    assert sign_in("loket").get(url_of(person, f"/kunjungan/{ref}")).status_code == 403
    assert audited("view_visit") == []
    post(stranger, url_of(person, "/buka"), REASON)
    assert "penilaian" in text_of(stranger.get(url_of(person, f"/kunjungan/{ref}")))


def test_of_a_cancelled_visit_only_the_line_remains(sign_in, app):
    person = factories.patient()
    long_history.add(person, 1)
    with transaction():
        db.session.scalars(select(Visit)).one().status = VisitStatus.CANCELLED
    head = sign_in("kepala")
    ref = db.session.scalars(select(Visit.public_id)).one()
    for url in (url_of(person), url_of(person, f"/kunjungan/{ref}")):
        page = text_of(head.get(url))
        assert "dibatalkan" in page
        for text in ("penilaian 0", "keluhan 0", "I10", "Amlodipin"):
            assert text not in page


# --- Values -----------------------------------------------------------------------------------


def test_the_record_shows_the_last_values_with_their_trend(sign_in, person):
    page = text_of(sign_in("kepala").get(url_of(person)))
    assert "120/80 <small>mmHg</small>" in page and "turun dari 121/81" in page
    assert "12 terakhir dari 30" in page
    chart = re.search(r'<svg [^>]*aria-label="(Tekanan darah[^"]+)"', page)[1]
    assert chart.startswith("Tekanan darah, 12 nilai sejak ")
    assert "121/81; 120/80; umumnya sistolik 90-139" in chart
    assert page.count('role="img"') == page.count("<svg ") == 4
    assert "I10</b> Hipertensi esensial" in page and "Metformin 500 mg tablet" in page


def test_charts_and_tables_have_pages_of_their_own(sign_in, person):
    head = sign_in("kepala")
    charts = text_of(head.get(url_of(person, "/nilai")))
    for text in ("Tekanan darah", "Suhu", "24 terakhir dari 30", "rujukan 10-200"):
        assert text in charts, text
    table = text_of(head.get(url_of(person, "/nilai/HB")))
    assert table.count("<tr><td") == 15 and "10-200" in table and "Yusuf Hidayat" in table
    assert table.count("<svg ") == 1
    assert len(audited("view_record")) == 2
    assert {row.object_ref for row in audited("view_record")} == {""}


@pytest.mark.parametrize(
    "tail", ["/nilai/xyz", "/nilai/td?hal=9", "/nilai/td?hal=0", "/nilai/td?hal=x"]
)
def test_values_that_do_not_exist_are_not_found(sign_in, person, tail):
    assert sign_in("kepala").get(url_of(person, f"/nilai{tail}")).status_code == 404


def test_who_was_never_measured_gets_a_sentence_and_no_chart(sign_in, app):
    person = factories.patient()
    head = sign_in("kepala")
    assert "Belum ada nilai" in text_of(head.get(url_of(person, "/nilai")))
    assert "Belum ada nilai" in text_of(head.get(url_of(person, "/nilai/td")))
    assert "<svg" not in text_of(head.get(url_of(person)))


@pytest.mark.parametrize("tail", ["/nilai", "/nilai/td"])
def test_values_are_for_who_may_read_the_record(sign_in, person, tail):
    for username in ("loket", "ti"):
        assert sign_in(username).get(url_of(person, tail)).status_code == 403
    stranger = sign_in("kia")
    asked = stranger.get(url_of(person, tail))
    assert (asked.status_code, asked.location) == (302, url_of(person))
    assert audited("view_record") == []
    post(stranger, url_of(person, "/buka"), REASON)
    assert "120/80" in text_of(stranger.get(url_of(person, tail)))
    assert sign_in("rekammedis").get(url_of(person, tail)).status_code == 200


def test_pages_of_a_merged_patient_lead_to_the_survivor(sign_in, person):
    gone = factories.patient("Siti")
    with transaction():
        db.session.get(Patient, gone.id).merged_into_id = person.id
    head = sign_in("kepala")
    for tail in ("/nilai", "/nilai/td", "/kunjungan/x"):
        assert head.get(url_of(gone, tail)).location == url_of(person)


# --- Hostile text -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_in_filters_and_labels_is_shown_as_it_is(sign_in, app, text):
    person = factories.patient()
    long_history.add(person, 4)
    with transaction():
        for row in db.session.scalars(select(Diagnosis)):
            row.code, row.title = "", text
        for row in db.session.scalars(select(Examination)):
            row.therapy = text
        for row in db.session.scalars(select(PrescriptionLine)):
            row.title = text
        for row in db.session.scalars(select(LabTest).where(LabTest.code == "HB")):
            row.name = text[:60]
        for row in db.session.scalars(select(LabResult)):
            row.value, row.unit = text, text[:20]
    head = sign_in("kepala")
    for url in (
        url_of(person),
        url_of(person, diagnosis=text[:60], obat=text[:60]),
        url_of(person, dari=text, ruang=text, tahun=text, sampai=text),
        url_of(person, "/nilai"),
        url_of(person, "/nilai/HB"),
    ):
        page = head.get(url).get_data(as_text=True)
        for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
            assert piece not in page, (url, piece)
        assert text[:20] in unescape(page), url


# --- Budgets ----------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_every_filter_takes_the_same_queries_and_6_kb_at_5_and_at_500_visits(sign_in, app):
    """Five visits and five hundred over the same kinds of content."""
    few, many = factories.patient("Ani"), factories.patient("Budi")
    long_history.add(few, 5)
    long_history.add(many, 500)
    clients = {name: sign_in(name) for name in ("kepala", "loket")}
    pages = [("kepala", "", query) for query in FILTERS]
    pages += [("loket", "", {}), ("loket", "", {"ruang": "UMUM"})]
    pages += [("kepala", tail, {}) for tail in ("/nilai", "/nilai/td", "/nilai/HB")]
    for username, tail, query in pages:
        counts = []
        for person in (few, many):
            url = url_of(person, tail, **query)
            with count_queries() as statements:
                answer = clients[username].get(url)
            assert answer.status_code == 200, url
            assert "Tidak ada kunjungan" not in text_of(answer), url
            size = len(gzip.compress(answer.data, 6))
            assert size <= 6 * KB, (url, size)
            counts.append(len(statements))
        assert counts[0] == counts[1], (username, tail, query, counts)
    older = re.search(r'href="([^"]+sebelum=[^"]+)"', text_of(clients["kepala"].get(url_of(many))))[
        1
    ]
    assert len(gzip.compress(clients["kepala"].get(older).data, 6)) <= 6 * KB


# --- On paper ---------------------------------------------------------------------------------


def test_the_record_prints_in_full_a_sheet_at_a_time(sign_in, app):
    person = factories.patient("Siti Cetak")
    long_history.add(person, 25, gap_days=30)
    head, url = sign_in("kepala"), url_of(person, "/cetak")
    assert f'href="{url}"' in text_of(head.get(url_of(person)))
    years = sorted({visit.on.year for visit in history.history(person, 30)})
    sheets, printed = [f"{url}?tahun={year}" for year in years], 0
    while sheets:
        page = text_of(head.get(sheets.pop()))
        assert len(gzip.compress(page.encode(), 6)) <= 6 * KB
        printed += page.count("<b>Keluhan:</b>")
        assert "hx-get" not in page.partition("<main")[2] and "Betulkan" not in page
        more = re.search(r'href="([^"]+sebelum=[^"]+)"', page)
        sheets += [unescape(more[1])] if more else []
    assert printed == 25
    assert len(audited("print_record")) >= len(years)
    assert f"Riwayat kunjungan {years[-1]}" in text_of(head.get(url)), "the newest year first"


def test_paper_takes_the_same_queries_for_few_and_for_many(sign_in, app):
    few, many, counts = factories.patient("Ani"), factories.patient("Budi"), []
    long_history.add(few, 3)
    long_history.add(many, 100)
    head = sign_in("kepala")
    for person in (few, many):
        with count_queries() as statements:
            page = head.get(url_of(person, "/cetak"))
        assert "<b>Keluhan:</b>" in text_of(page)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_paper_is_for_who_may_read_the_record(sign_in, person):
    url = url_of(person, "/cetak")
    for username, status in (("loket", 403), ("ti", 403), ("kia", 302), ("rekammedis", 200)):
        assert sign_in(username).get(url).status_code == status
    for wrong in ("?tahun=1999", "?tahun=x", "?sebelum=x"):
        assert sign_in("kepala").get(url + wrong).status_code == 404
    assert len(audited("print_record")) == 1
    nobody = factories.patient("Budi")
    assert "Belum ada kunjungan" in text_of(sign_in("kepala").get(url_of(nobody, "/cetak")))
