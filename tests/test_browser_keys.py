"""The access keys that the help page lists, each pressed on its page."""

import itertools
import re
from contextlib import nullcontext

import pytest
from playwright.sync_api import Page, expect

from tests.clients import Browser, person, register
from tests.test_browser_day import prescribe
from tests.test_browser_laboratory import order
from tests.walk import Desk, every, press_access_key

pytestmark = pytest.mark.browser

serials = itertools.count(8801)

PRINTED = "addEventListener('beforeprint', () => document.documentElement.lang = 'printed')"


class Keyboard:
    """Presses access keys; remembers which and where, and what else these pages offer."""

    def __init__(self, page: Page):
        self.page = page
        self.pressed: set[tuple[str, str]] = set()
        self.offered: set[tuple[str, str]] = set()

    def press(self, letter: str, where: str) -> None:
        """With the focus nowhere: it must not help that the page puts it in the right place."""
        self.page.wait_for_load_state()  # some keys are the scripts'
        self.page.evaluate("document.activeElement && document.activeElement.blur()")
        marked = every(self.page.locator("[accesskey]"))
        self.offered |= {(node.get_attribute("accesskey").upper(), where) for node in marked}
        sends = self.page.locator(
            f"button[accesskey={letter.lower()}]:not([type=button], [data-fill])"
        )
        with self.page.expect_navigation() if sends.count() else nullcontext():
            press_access_key(self.page, letter)
        self.pressed.add((letter, where))

    def leads_to(self, title: str | re.Pattern) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(title)


def keys_of_the_counter(desk: Desk, keys: Keyboard) -> str:
    """The new patient's number."""
    page = desk.page
    desk.go("/pendaftaran")
    keys.press("C", "Pendaftaran")
    expect(page.get_by_label("Cari pasien")).to_be_focused()
    keys.press("G", "Pendaftaran")
    keys.leads_to("Gawat darurat")
    desk.search("3171016708870012")
    expect(page.get_by_text("Tidak ada yang cocok")).to_be_visible()
    keys.press("B", "Pendaftaran")
    keys.leads_to("Pasien baru")
    keys.press("I", "Isian pendaftaran")
    expect(page.get_by_label("Tanggal lahir")).to_have_value("27-08-1987")
    page.get_by_label("Nama lengkap").fill("Wulan Tombol Cepat")
    page.get_by_label("Alamat").fill("Jalan Kenanga 7")
    page.get_by_label("Keluhan").fill("gigi berlubang")
    page.get_by_label("Ruang tujuan").select_option("GIGI")
    keys.press("P", "Isian pendaftaran")
    keys.leads_to("Periksa kembali")
    keys.press("K", "Periksa kembali")
    keys.leads_to("Pasien baru")
    desk.send("Periksa kembali")
    keys.press("S", "Periksa kembali")
    number, _ = desk.read_ticket()
    page.evaluate(PRINTED)
    keys.press("T", "Tiket")
    expect(page.locator("html")).to_have_attribute("lang", "printed")
    keys.press("N", "Tiket")
    keys.leads_to("Pendaftaran")
    return number


def keys_of_the_end(page: Page, keys: Keyboard, where: str) -> None:
    chosen = page.locator("[name=disposition]:checked")
    before = chosen.count()
    keys.press("A", where)
    expect(page.get_by_label("Cari diagnosis")).to_be_focused()
    keys.press("J", where)
    expect(page.get_by_role("radiogroup", name="Tindak lanjut")).to_be_focused()
    assert chosen.count() == before, "the key only leads there"


def keys_of_the_room(desk: Desk, keys: Keyboard, number: str, another: str) -> str:
    """The finished examination's address."""
    page, said = desk.page, desk.page.locator("main [role=status]")
    waiting = desk.row(number)
    desk.go("/poli/GIGI")
    keys.press("P", "Antrean")
    expect(said).to_contain_text("Memanggil")
    keys.press("M", "Antrean")
    keys.leads_to(re.compile("Pemeriksaan|Yang mana"))
    desk.go("/poli/GIGI")
    waiting.get_by_role("link", name="Tanda vital").click()
    page.get_by_label("Nadi").fill("84")
    keys.press("S", "Tanda vital")
    expect(said).to_contain_text("tersimpan")
    waiting.get_by_role("link", name="Lainnya").click()
    page.get_by_role("link", name="Buka rekam kunjungan").click()
    keys.press("M", "Pemeriksaan")
    expect(page.get_by_label("Anamnesis")).to_be_visible()
    keys.press("I", "Pemeriksaan")
    page.keyboard.press("Tab")
    expect(page.locator("#isian :focus")).to_be_visible()
    page.get_by_label("Anamnesis").fill("Ngilu bila minum dingin")
    keys.press("S", "Pemeriksaan")
    expect(said).to_contain_text("Tersimpan")
    expect(said).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Langsung ke isian")).to_be_focused()
    keys.press("O", "Pemeriksaan")
    expect(page.get_by_label("Cari obat")).to_be_focused()
    keys_of_the_end(page, keys, "Pemeriksaan")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_label("Pulang")).to_be_checked()
    desk.find_diagnosis("gigi berlubang", "K02.9")
    room = page.url
    keys.press("E", "Pemeriksaan")
    expect(said).to_contain_text("selesai")
    page.goto(room)
    page.get_by_role("link", name="Betulkan").first.click()
    keys_of_the_end(page, keys, "Betulkan")
    page.get_by_label("Anamnesis").fill("Ngilu bila minum dingin dan panas")
    page.get_by_label("Alasan pembetulan").fill("kurang lengkap")
    keys.press("S", "Betulkan")
    expect(said).to_contain_text("dibetulkan")
    desk.go("/poli/GIGI")
    desk.follow(desk.row(another).get_by_role("link", name="Lainnya"))
    desk.follow(page.get_by_role("link", name="Buka rekam kunjungan"))
    page.goto(page.url.partition("?")[0] + "/imunisasi")
    keys.press("M", "Imunisasi")
    expect(page.locator("[accesskey=m]")).to_have_count(0)
    page.goto(room.partition("?")[0] + "/imunisasi")
    page.get_by_label("Nomor batch baris 1").fill("A1")
    keys.press("S", "Imunisasi")
    expect(page.get_by_role("alert")).to_contain_text("pilih vaksinnya")
    page.goto(room)
    page.get_by_role("link", name="Tulis resep").first.click()
    keys.press("O", "Resep baru")
    expect(page.get_by_label("Cari obat")).to_be_focused()
    prescribe(desk, "parasetamol", "Parasetamol 500 mg tablet", "3x1", "3")
    keys.press("E", "Resep baru")
    expect(said).to_contain_text("antre di Farmasi")
    desk.go("/pasien")
    keys.press("C", "Pasien")
    expect(page.get_by_label("Nama, NIK")).to_be_focused()
    return room


def keys_of_the_laboratory(desk: Desk, keys: Keyboard, number: str) -> None:
    page = desk.page
    desk.open_queue("GIGI")
    desk.row(number).get_by_role("button", name="Panggil").click()
    desk.start(number)
    order(desk)
    desk.finish()
    desk.open_queue("LAB")
    desk.row(number).get_by_role("link", name="Lainnya").click()
    page.get_by_role("link", name="Buka rekam kunjungan").click()
    keys.press("M", "Laboratorium")
    expect(page.get_by_label("Hemoglobin", exact=True)).to_be_visible()
    keys.press("L", "Laboratorium")
    expect(page.locator("main")).to_contain_text("Sampel")
    page.get_by_label("Hemoglobin", exact=True).fill("13")
    keys.press("S", "Laboratorium")
    expect(page.get_by_label("Hemoglobin", exact=True)).to_have_value("13")
    page.get_by_label("Gula darah sewaktu", exact=True).fill("98")
    keys.press("E", "Laboratorium")
    keys.leads_to("Antrean")


def keys_of_the_pharmacy(desk: Desk, keys: Keyboard) -> None:
    """Of the patient of the demo's day who waits longest."""
    page, said = desk.page, desk.page.locator("main [role=status]")
    desk.go("/farmasi")
    page.locator(".queue-name a").first.click()
    here, ref = page.url, page.locator("[data-prescription]").get_attribute("data-prescription")
    for aspect in every(page.locator("[data-prescription] [type=checkbox]")):
        aspect.check()
    keys.press("T", "Farmasi")
    expect(said).to_contain_text("sudah ditelaah")
    page.get_by_role("link", name="Ganti").first.click()
    keys.press("C", "Ganti obat")
    expect(page.get_by_label("Cari obat lain")).to_be_focused()
    keys.press("S", "Ganti obat")
    expect(page.locator("main [role=alert]")).to_contain_text("Pilih obat penggantinya")
    for paper, where in (("etiket", "Etiket"), ("salinan", "Salinan resep")):
        desk.go(f"/farmasi/resep/{ref}/{paper}")
        page.evaluate(PRINTED)
        keys.press("T", where)
        expect(page.locator("html")).to_have_attribute("lang", "printed")
    page.goto(here)
    keys.press("M", "Farmasi")
    anyway, out = (page.get_by_role("button", name=_) for _ in ("Mulai periksa", "Serahkan obat"))
    expect(anyway.or_(out)).to_be_visible()
    if anyway.count():  # somebody else has this name
        page.locator("[name=alasan]").fill("Cocok dengan kartu BPJS")
        anyway.click()
    expect(out).to_be_visible()
    for beyond in every(page.locator("[name^=lebih-]")):
        beyond.fill("kiriman belum dicatat")
    keys.press("E", "Farmasi")
    expect(said).to_contain_text("diserahkan")


def keys_of_the_stock(desk: Desk, keys: Keyboard) -> None:
    page = desk.page
    desk.go("/farmasi/stok")
    keys.press("C", "Stok obat")
    expect(page.get_by_label("Cari obat")).to_be_focused()
    desk.go("/farmasi/stok/PCT500")
    keys.press("T", "Kartu stok")
    keys.leads_to("Terima Parasetamol")
    page.get_by_label("Nomor batch").fill("TOMBOL1")
    page.get_by_label("Kedaluwarsa").fill("12-2099")
    page.get_by_label("Jumlah").fill("10")
    keys.press("S", "Terima barang")
    expect(page.locator("main [role=status]")).to_contain_text("masuk stok")


def keys_of_the_record(desk: Desk, keys: Keyboard) -> None:
    page = desk.page
    desk.open_record("Wulan Tombol Cepat", "Wulan Tombol Cepat")
    record = page.url.partition("?")[0].removeprefix(desk.address)
    page.get_by_role("link", name="Perbaiki identitas").click()
    page.get_by_label("Nama ibu").fill("Sulastri")
    page.get_by_label("Alasan perbaikan").fill("sesuai KK yang dibawa")
    keys.press("P", "Perbaiki identitas")
    keys.leads_to("Periksa perbaikan")
    keys.press("K", "Periksa perbaikan")
    expect(page.get_by_label("Nama ibu")).to_have_value("Sulastri")
    desk.send("Periksa kembali")
    keys.press("S", "Periksa perbaikan")
    expect(page.locator("main [role=status]")).to_contain_text("Identitas diperbaiki")
    page.get_by_text("Identitas lengkap").click()
    page.get_by_role("link", name="formulir dan catatan").click()
    keys.leads_to("Persetujuan umum")  # what is evaluated must not be left behind with the page
    page.evaluate(PRINTED)
    keys.press("T", "Persetujuan umum")
    expect(page.locator("html")).to_have_attribute("lang", "printed")
    page.get_by_role("radio", name="Setuju").check()
    keys.press("S", "Persetujuan umum")
    expect(page.locator("main [role=status]")).to_contain_text("Persetujuan umum tercatat")
    printed = {f"{record}/cetak": "Cetak riwayat", "/sistem/cadangan/kartu": "Kartu pemulihan"}
    for path, title in printed.items():
        desk.go(path)
        keys.leads_to(title)
        page.evaluate(PRINTED)
        keys.press("T", title)
        expect(page.locator("html")).to_have_attribute("lang", "printed")


def keys_of_the_papers(desk: Desk, keys: Keyboard, room: str) -> None:
    page = desk.page
    page.goto(room)
    page.get_by_role("link", name="Terbitkan surat").click()
    page.get_by_role("link", name="Surat Keterangan Sakit").click()
    page.get_by_label("Berapa hari").fill("2")
    keys.press("P", "Isian surat")
    keys.leads_to("Periksa dulu")
    keys.press("K", "Periksa surat")
    expect(page.get_by_label("Berapa hari")).to_have_value("2")
    desk.send("Periksa dulu")
    keys.press("S", "Periksa surat")
    expect(page.locator("main [role=status]")).to_contain_text("terbit")
    page.evaluate(PRINTED)
    keys.press("T", "Surat")
    expect(page.locator("html")).to_have_attribute("lang", "printed")
    page.get_by_role("link", name="Surat kunjungan ini").click()
    page.get_by_role("link", name="Label pasien").click()
    keys.leads_to("Label")
    page.evaluate(PRINTED)
    keys.press("T", "Label")
    expect(page.locator("html")).to_have_attribute("lang", "printed")


def keys_of_the_slips(desk: Desk, keys: Keyboard) -> None:
    page = desk.page
    slip = desk.print_slips()[0]
    page.evaluate(PRINTED)
    keys.press("T", "Blok slip")
    expect(page.locator("html")).to_have_attribute("lang", "printed")
    page.get_by_role("link", name="Slip kertas").click()
    keys.press("M", "Slip kertas")
    keys.leads_to("Catatan kertas")
    line = desk.fill_slip(slip, "Wayan Tombol Kertas", "41")
    keys.press("P", "Catatan kertas")
    expect(page.locator(f"[data-line='{line}'][data-state='ready']")).to_be_visible()
    keys.press("S", "Catatan kertas")
    expect(page.locator("main [role=status]").first).to_contain_text("1 slip tersimpan")
    desk.go("/pemeriksaan/kertas")
    page.get_by_label("Penilaian").first.fill("demam biasa")
    page.get_by_label("Yang memeriksa").first.select_option("")
    keys.press("S", "Pemeriksaan dari kertas")
    expect(page.get_by_text("Belum semua tersimpan")).to_be_visible()


def join_line(address: str) -> str:
    """The number of somebody new in the dentist's queue."""
    clerk = Browser(address).log_in("loket")
    return register(clerk, person(next(serials), "GIGI")).label


def test_each_listed_key_does_what_the_list_says(live_server, page, open_page):
    desk, keys = Desk(page, live_server).log_in("kepala"), Keyboard(page)
    # Whom nobody has a name in common with; one of them may be called, two stay.
    _, stays, another = [join_line(live_server) for _ in range(3)]
    number = keys_of_the_counter(desk, keys)
    room = keys_of_the_room(desk, keys, stays, another)
    keys_of_the_laboratory(desk, keys, number)
    keys_of_the_pharmacy(desk, keys)
    keys_of_the_stock(desk, keys)
    keys_of_the_record(desk, keys)
    keys_of_the_slips(desk, keys)
    dentist = Keyboard(open_page())
    keys_of_the_papers(Desk(dentist.page, live_server).log_in("gigi"), dentist, room)
    keys.pressed, keys.offered = keys.pressed | dentist.pressed, keys.offered | dentist.offered
    desk.go("/bantuan/tombol")
    rows = page.locator("tr", has=page.locator("td kbd"))
    cells = [row.locator("td").all_inner_texts() for row in every(rows)]
    listed = {
        (key.removeprefix("Alt+"), place) for key, where, _ in cells for place in where.split(", ")
    }
    assert keys.pressed == listed
    assert keys.offered == listed
