"""A list of patients from upload to import to undo, in a browser; without scripts too."""

import csv
import io
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.test_browser_pages import look_at
from tests.walk import Desk

pytestmark = pytest.mark.browser

HEADINGS = ["No RM", "NIK", "Nama Pasien", "JK", "Tgl Lahir", "Desa"]
HOSTILE = '<b>Zu\'ul</b> "Q" 😀'
PATIENCE = 60_000  # the worker may be busy with another list


def patients_list(tag: str) -> dict:
    """A CSV of four people, one of them broken, none of them known to another test."""
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";")
    rows.writerow(HEADINGS)
    for index, name in enumerate((f"Wenseslaus {tag}", f"Florentina {tag}", HOSTILE)):
        born = date(1961 + index, 3 + len(tag) % 9, 11)
        number = factories.nik(born, "P", 700 + 10 * len(tag) + index, "531001")
        rows.writerow([f"{tag}-{index}", number, name, "P", f"{born:%d-%m-%Y}", "Tirta Alur"])
    rows.writerow(["", "6,47E+15", f"Rusak {tag}", "L", "02-03-1990", "Tirta Alur"])
    return {"name": f"{tag}.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}


def upload(page: Page, address: str, tag: str) -> None:
    page.goto(f"{address}/rekam-medis/impor")
    page.set_input_files("#f-berkas", patients_list(tag))
    with page.expect_navigation():
        page.get_by_role("button", name="Unggah berkas").click()


def test_from_upload_to_undo(app, live_server, page):
    Desk(page, live_server).log_in("rekammedis")
    upload(page, live_server, "Adonara")
    found = look_at(page, "the file is read")
    heading = page.get_by_role("heading", name="Isi kolom Adonara.csv")
    expect(heading).to_be_visible(timeout=PATIENCE)
    found += look_at(page, "columns")
    expect(page.get_by_label("“Nama Pasien”")).to_have_value("name")
    expect(page.get_by_label("“No RM”")).to_have_value("old_mrn")
    expect(page.get_by_text("Wenseslaus Adonara")).to_be_visible()
    page.get_by_label("“Tgl Lahir”").select_option("name")
    page.get_by_role("button", name="Periksa semua baris").click()
    expect(page.get_by_role("alert")).to_contain_text("dipilih dua kali")
    page.get_by_label("“Tgl Lahir”").select_option("birth")
    page.get_by_role("button", name="Periksa semua baris").click()
    start = page.get_by_role("button", name="Impor 3 pasien")
    expect(start).to_be_visible(timeout=PATIENCE)
    found += look_at(page, "checked")
    with page.expect_download() as download:
        page.get_by_role("link", name="Unduh baris yang rusak (CSV)").click()
    broken = download.value.path().read_text("utf-8-sig")
    assert "Rusak Adonara" in broken
    assert "rusak oleh Excel" in broken
    page.get_by_role("link", name="Rusak", exact=True).click()
    expect(page.get_by_text("6,47E+15")).to_be_visible()
    found += look_at(page, "broken rows")
    page.go_back()
    page.get_by_role("button", name="Impor 3 pasien").click()
    reason = page.get_by_label("Alasan")
    expect(reason).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Dibuat").click()
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    found += look_at(page, "created rows")
    page.go_back()
    page.get_by_role("button", name="Tarik kembali").click()
    expect(page.get_by_role("alert")).to_contain_text("alasannya")
    reason.fill("berkas yang salah")
    page.get_by_role("button", name="Tarik kembali").click()
    expect(page.get_by_text("Ditarik kembali.")).to_be_visible(timeout=PATIENCE)
    found += look_at(page, "undone")
    assert not found, "\n".join(found)


def test_without_scripts_the_page_follows_the_worker_too(app, live_server, no_script):
    page = no_script
    Desk(page, live_server).log_in("kepala")
    upload(page, live_server, "Lembata")
    check = page.get_by_role("button", name="Periksa semua baris")
    expect(check).to_be_visible(timeout=PATIENCE)
    check.click()
    start = page.get_by_role("button", name="Impor 3 pasien")
    expect(start).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Hentikan impor ini").click()
    expect(page.get_by_text("Dihentikan.")).to_be_visible()
