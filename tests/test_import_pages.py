"""The pages of an import, as the records staff meet them."""

import csv
import io
import re
from datetime import date

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from clinic import worker
from clinic.import_columns import guess_all
from db import db
from models import ImportBatch, ImportRow, ImportState, RowFate
from tests import factories
from tests.pages import PageClient, polled, post
from tests.test_hostile_text import BREAKING_OUT

HEADINGS = ["Nama", "JK", "Tgl Lahir", "NIK", "Alamat"]
BORN = date(1985, 5, 14)
NIK = factories.nik(BORN, "P", 4321)
ROWS = [
    ["Siti Aminah", "P", "14-05-1985", NIK, "Jalan Melati 3"],
    ["Budi", "?", "1990", "", "Sawo"],
]


def as_csv(rows: list[list[str]] = ROWS, headings: list[str] = HEADINGS) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([headings, *rows])
    return text.getvalue().encode()


@pytest.fixture
def clerk(sign_in) -> PageClient:
    return sign_in("rekammedis")


@pytest.fixture
def work(app):
    def work() -> None:
        while worker.import_patients(app.config["ALUR"].data):
            pass

    return work


def send(client: PageClient, content: bytes, name: str = "pasien.csv"):
    if not client.token:
        client.get("/bantuan")
    fields = {"csrf_token": client.token, "berkas": (io.BytesIO(content), name)}
    return client.post("/rekam-medis/impor", data=fields)


@pytest.fixture
def step(clerk, work):
    """step("impor") does that step of the batch at this address, and the worker's part."""

    def step(address: str, name: str, **fields: str) -> str:
        if name == "kolom" and not fields:
            batch = db.session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc())).first()
            guessed = guess_all(batch.headings)
            fields = {f"kolom-{place}": field for field, place in guessed.items()}
            fields |= {"alasan_nik": "BELUM_BAWA", "pembiayaan": "UMUM", "yakin": "ya"}
        answer = post(clerk, f"{address}/{name}", fields)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        work()
        return clerk.get(address).get_data(as_text=True)

    return step


@pytest.fixture
def checked(clerk, work, step):
    """checked(content) is the address of a batch whose rows are judged."""

    def checked(content: bytes = as_csv(), name: str = "pasien.csv") -> str:
        address = send(clerk, content, name).location
        work()
        page = clerk.get(address)
        assert page.location == f"{address}/kolom", page.get_data(as_text=True)
        step(address, "kolom")
        return address

    return checked


def test_from_the_file_to_the_patients_and_back(clerk, checked, step):
    address = checked()
    page = clerk.get(address).get_data(as_text=True)
    assert "Impor 1 pasien" in page
    for fate, words in (("new", "Siti Aminah, 14-05-1985"), ("broken", "Jenis kelamin")):
        assert words in clerk.get(f"{address}/baris?nasib={fate}").get_data(as_text=True)
    assert "Selesai diimpor" in step(address, "impor")
    assert "/pasien/" in clerk.get(f"{address}/baris?nasib=created").get_data(as_text=True)
    assert "Ditarik kembali" in step(address, "urungkan", alasan="berkas salah")
    listed = clerk.get("/rekam-medis/impor").get_data(as_text=True)
    assert "pasien.csv" in listed
    assert "Ditarik kembali" in listed


def test_a_workbook_goes_the_same_way(clerk, checked):
    book, content = Workbook(), io.BytesIO()
    for row in ([*HEADINGS], ["Siti Aminah", "P", BORN, NIK, "Melati"]):
        book.active.append(row)
    book.save(content)
    address = checked(content.getvalue(), "pasien.xlsx")
    assert "Impor 1 pasien" in clerk.get(address).get_data(as_text=True)


def test_samples_show_no_whole_nik(clerk, work):
    address = send(clerk, as_csv()).location
    work()
    page = clerk.get(f"{address}/kolom").get_data(as_text=True)  # PageClient looks for 16 digits
    assert NIK[:6] in page
    assert NIK not in page


def test_a_list_without_headings_shows_no_whole_nik_either(clerk, work):
    address = send(clerk, as_csv(ROWS, ["Ana", "P", "01-02-1990", NIK, "Sawo"])).location
    work()
    assert NIK not in clerk.get(f"{address}/kolom").get_data(as_text=True)


def test_broken_rows_come_back_with_their_reason(clerk, checked):
    answer = clerk.get(f"{checked()}/rusak.csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == [*HEADINGS, "Alasan"]
    assert rows[1][0] == "Budi"
    assert "Jenis kelamin" in rows[1][-1]


def test_the_fragment_follows_the_worker_and_then_asks_for_the_page(clerk, work):
    address = send(clerk, as_csv()).location
    page = clerk.get(address)
    fragment = polled(page)
    assert '<meta http-equiv="refresh"' in page.text
    assert 'id="kemajuan"' in clerk.get(fragment).get_data(as_text=True)
    work()
    assert clerk.get(fragment).headers["HX-Refresh"] == "true"


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_is_shown_as_typed(clerk, step, checked, text):
    rows = [[text, "P", "14-05-1985", "", text], ["x", text, text, text, text]]
    name = text[:20].replace('"', "")
    address = checked(as_csv(rows), f"{name}.csv")
    for path in ("", "/kolom", "/baris?nasib=new", "/baris?nasib=broken"):
        clerk.get(address + path)  # PageClient refuses inline code
    step(address, "impor")
    rows = list(db.session.scalars(select(ImportRow).order_by(ImportRow.number)))
    assert [row.fate for row in rows] == [RowFate.CREATED, RowFate.BROKEN]
    clerk.get(f"{address}/baris?nasib=created")
    clerk.get("/rekam-medis/impor")


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "kosong"), (b"\xd0\xcf\x11\xe0" + b"\0" * 99, ".xls"), (b"%PDF-1.4", "CSV atau XLSX")],
)
def test_a_wrong_file_is_refused_with_a_sentence(clerk, app, content, word):
    folder = app.config["ALUR"].data / "imports"
    before = set(folder.iterdir()) if folder.exists() else set()
    answer = send(clerk, content)
    assert answer.status_code == 422
    assert word in answer.get_data(as_text=True)
    assert set(folder.iterdir()) == before, "nothing is left of it"


def test_no_file_at_all(clerk):
    answer = post(clerk, "/rekam-medis/impor")
    assert answer.status_code == 422
    assert "Pilih berkas" in answer.get_data(as_text=True)


def test_a_file_may_be_larger_than_a_form_but_not_by_any_size(clerk, sign_in):
    row = ["Siti Aminah", "P", "14-05-1985", "", "x" * 900]
    assert send(clerk, as_csv([row] * 3000)).status_code == 303
    too_large = b"x," * (16 * 1024 * 1024)
    answer = send(clerk, too_large)
    assert answer.status_code == 413
    assert "30 MB" in answer.get_data(as_text=True)
    assert send(sign_in("loket"), as_csv([row] * 3000)).status_code == 403


def test_the_same_file_is_named_and_asks_to_be_sure(clerk, checked, work):
    first = checked()
    second = send(clerk, as_csv()).location
    work()
    page = clerk.get(f"{second}/kolom").get_data(as_text=True)
    assert f'href="{first}"' in page
    fields = {"kolom-0": "name", "kolom-1": "sex", "kolom-2": "birth", "kolom-4": "address"}
    answer = post(clerk, f"{second}/kolom", fields | {"alasan_nik": "BELUM_BAWA"})
    assert answer.status_code == 422
    assert "pernah diunggah" in answer.get_data(as_text=True)


def test_steps_out_of_turn_are_refused(clerk, checked, step):
    address = checked()
    assert post(clerk, f"{address}/urungkan", {"alasan": "salah"}).status_code == 422
    step(address, "impor")
    for name in ("impor", "batal"):
        assert post(clerk, f"{address}/{name}").status_code == 422
    assert post(clerk, f"{address}/kolom").status_code == 303, "to where the import is"
    assert post(clerk, f"{address}/urungkan", {"alasan": " "}).status_code == 422
    assert db.session.scalars(select(ImportBatch)).one().state == ImportState.DONE


def test_rows_come_page_by_page(clerk, checked):
    rows = [[f"Orang {chr(65 + n % 26)}{n}", "?", "1990", "", "Sawo"] for n in range(120)]
    address = checked(as_csv(rows))
    seen, path = [], f"{address}/baris?nasib=broken"
    while path:
        page = clerk.get(path).get_data(as_text=True)
        seen += re.findall(r'<td data-label="Baris" class="num">(\d+)', page)
        following = re.search(r'href="([^"]+)">Berikutnya', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [str(number) for number in range(2, 122)]
    for nonsense in ("nasib=entah", "nasib=new&sesudah=-1", "nasib=new&sesudah=9999999999"):
        assert clerk.get(f"{address}/baris?{nonsense}").status_code == 404


def test_a_list_that_brings_nobody_new_has_nothing_to_import(clerk, checked, step):
    first = checked()
    step(first, "impor")
    page = clerk.get(checked(name="lagi.csv")).text
    assert "Tidak ada pasien yang perlu dibuat" in page and "Impor 0 pasien" not in page


def test_the_order_of_dates_is_recognised_shown_and_kept(clerk, work):
    rows = [["Ani", "P", "7/25/1988", "Desa A", factories.nik(date(1988, 7, 25), "P", 9)]]
    headings = ["Nama", "JK", "Tgl Lahir", "Desa", "NIK"]
    address = send(clerk, as_csv(rows, headings)).location
    work()
    page = clerk.get(f"{address}/kolom").text
    assert '<option value="bulan" selected>' in page
    chosen = ("name", "sex", "birth", "village", "nik")
    wrong = {f"kolom-{n}": field for n, field in enumerate(chosen)}
    wrong |= {"pembiayaan": "UMUM", "alasan_nik": "BELUM_BAWA", "urutan_tanggal": "apa"}
    answer = post(clerk, f"{address}/kolom", wrong)
    assert answer.status_code == 422 and "Pilih urutan tanggal lahir" in answer.text
    post(clerk, f"{address}/kolom", wrong | {"urutan_tanggal": "hari"})
    work()
    assert "Rusak" in clerk.get(address).text
