"""The steps of a patient's way through the clinic, as its people take them in a browser."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from cli import DEMO_PASSWORD
from tests.browser import PATIENCE

DEMO_ZONE = ZoneInfo("Asia/Makassar")
MARKER = "window.stillTheSamePage"
# A poll may be six seconds away, and a page takes as long on a thin line or a crowded machine.
expect.set_options(timeout=PATIENCE * 1000)


@dataclass(frozen=True)
class Person:
    """Somebody who has never been here; the NIK tells birth date and sex."""

    name: str
    nik: str
    birth_date: str
    sex: str


def every(marked: Locator) -> list[Locator]:
    """All that there are on the page, once all of it is there: all() alone takes what has come."""
    marked.page.wait_for_load_state("domcontentloaded")
    return marked.all()


@dataclass(frozen=True)
class Desk:
    """One account at one browser."""

    page: Page
    address: str
    has_script: bool = True

    def log_in(self, username: str, password: str = DEMO_PASSWORD) -> "Desk":
        self.page.goto(f"{self.address}/masuk")
        self.page.get_by_label("Nama pengguna").fill(username)
        self.page.get_by_label("Kata sandi").fill(password)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("button", name="Keluar")).to_be_visible()
        return self

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).first.click()

    def follow(self, link: Locator) -> None:
        """Press what leads to another page, and wait until that page is there."""
        with self.page.expect_navigation():
            link.click()

    def send(self, name: str) -> None:
        """Press a button that is answered by a page, and wait until that page is there."""
        self.follow(self.page.get_by_role("button", name=name).first)

    # --- Paper slips ---

    def print_slips(self) -> list[str]:
        """A new block's numbers, as they are printed."""
        self.go("/pendaftaran/kertas")
        self.send("Buat blok untuk dicetak")
        return [slip.get_attribute("data-slip") for slip in every(self.page.locator("[data-slip]"))]

    def fill_slip(self, slip: str, name: str, born: str) -> int:
        """Type a slip into the sheet's first free line; the line's number."""
        index = next(n for n in range(1, 20) if not self.page.input_value(f"#f-slip-{n}"))
        typed = {"slip": slip, "at": "00.00", "name": name, "born": born}
        for field, text in (typed | {"address": "Jalan Mawar", "complaint": "demam"}).items():
            self.page.fill(f"#f-{field}-{index}", text)
        self.page.select_option(f"#f-sex-{index}", "L")
        self.page.select_option(f"#f-poli-{index}", "UMUM")
        return index

    # --- The counter ---

    def search(self, words: str) -> None:
        """Type into the search box; without scripts Enter finds, with them nothing need be sent."""
        if self.page.url != f"{self.address}/pendaftaran":
            self.go("/pendaftaran")
        self.page.get_by_label("Cari pasien").fill("")
        self.page.get_by_label("Cari pasien").press_sequentially(words)
        if not self.has_script:
            self.page.keyboard.press("Enter")

    def fill_new_patient(self, person: Person) -> None:
        """From the search by a NIK to the whole identity: the NIK's offer is taken by one press."""
        page = self.page
        self.search(person.nik)
        expect(page.get_by_text("Tidak ada yang cocok")).to_be_visible()
        self.press("Pasien baru")
        expect(page.get_by_label("NIK", exact=True)).to_have_value(person.nik)
        self.press("Pakai")
        expect(page.get_by_label("Tanggal lahir")).to_have_value(person.birth_date)
        expect(page.get_by_label(person.sex)).to_be_checked()
        page.get_by_label("Nama lengkap").fill(person.name)
        page.get_by_label("Alamat").fill("Jalan Kenanga 7")

    def tell_complaint(self, complaint: str, room: str) -> None:
        """Write it, and take the first proposal, which must be that room: to the check page."""
        page = self.page
        page.get_by_label("Keluhan").press_sequentially(complaint)
        first = page.locator("#saran .pick").first
        if self.has_script:
            expect(first).to_have_attribute("value", room)
            page.keyboard.press("Tab")
            expect(first).to_be_focused()
            page.keyboard.press("Enter")
        else:
            self.press("Periksa kembali")
            expect(page.get_by_role("alert")).to_contain_text("Pilih ruang tujuan")
            expect(first).to_have_attribute("value", room)
            first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Periksa kembali")

    def save(self) -> tuple[str, int]:
        """Save the check page by Enter; number and people before, as the ticket says them."""
        if self.has_script:
            expect(self.page.get_by_role("button", name="Simpan")).to_be_focused()
        self.page.keyboard.press("Enter")
        return self.read_ticket()

    def known_adult(self, words: str) -> Locator:
        """Somebody who comes back: the first adult found who was not here today."""
        self.search(words)
        grown_up = re.compile(r"\D[2-5]\d tahun.*terakhir")
        today = datetime.now(DEMO_ZONE).strftime("terakhir %d-%m-%Y")
        found = self.page.locator("#hasil .pick").filter(has_text=grown_up, has_not_text=today)
        return found.first

    def read_ticket(self) -> tuple[str, int]:
        ticket = self.page.locator(".ticket")
        expect(ticket).to_have_attribute("data-state", "waiting")
        before = re.search(r"Menunggu di depan: (\d+)", ticket.inner_text())
        return ticket.get_attribute("data-number"), int(before[1])

    # --- The room ---

    def row(self, number: str) -> Locator:
        return self.page.locator(f'.queue-row[data-number="{number}"]')

    def open_queue(self, room: str) -> None:
        """Open it and mark the page: the mark is gone as soon as somebody reloads it."""
        self.go(f"/poli/{room}")
        if self.has_script:
            self.page.evaluate(f"{MARKER} = true")

    def see_arrival(self, number: str, name: str) -> None:
        """By itself, in the same page; without scripts by the link beside the time."""
        if not self.has_script:
            self.page.get_by_role("link", name="Perbarui").click()
        expect(self.row(number)).to_contain_text(name)
        if self.has_script:
            assert self.page.evaluate(MARKER)

    def call(self, number: str, before: int) -> None:
        """Call those before, then this one, by the same button; each press says whom."""
        for _ in range(before + 1):
            expect(self.row(number)).to_have_attribute("data-state", "waiting")
            self.press("Panggil berikutnya")
            expect(self.page.locator("main [role=status]")).to_contain_text("Memanggil")
        expect(self.page.locator("main [role=status]")).to_contain_text(number)
        expect(self.row(number)).to_have_attribute("data-state", "called")

    def start(self, number: str) -> None:
        self.row(number).get_by_role("button", name="Mulai periksa").click()
        title = self.page.get_by_role("heading", level=1)
        expect(title).to_contain_text(re.compile("Pemeriksaan|Yang mana"))
        if "Yang mana" in title.inner_text():  # somebody of this name is here too
            self.page.get_by_label("Atau cara lain").fill("cocok dengan kartu BPJS")
            self.press("Mulai periksa")
        expect(title).to_contain_text("Pemeriksaan")

    def fill_examination(self, words: dict[str, str], disposition: str = "Pulang") -> None:
        for label, text in words.items():
            self.page.get_by_label(label, exact=True).fill(text)
        self.page.get_by_label(disposition, exact=True).check()

    def find_diagnosis(self, words: str, code: str) -> None:
        self.page.get_by_label("Cari diagnosis").press_sequentially(words)
        if not self.has_script:
            with self.page.expect_navigation():  # what is often found stands there before
                self.press("Cari kode")
        self.page.locator(f'#diagnosis-options input[value="{code}"]').check()

    def finish(self) -> None:
        self.press("Selesai")
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Antrean")
        expect(self.page.locator("main [role=status]")).to_contain_text("selesai")

    # --- The record ---

    def open_record(self, words: str, name: str) -> None:
        self.go("/pasien")
        self.page.get_by_label("Nama, NIK").fill(words)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("link", name=name).first.click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Rekam medis")


@dataclass
class Keys:
    """A keyboard that counts what is pressed, apart from typing."""

    page: Page
    pressed: int = 0

    def press(self, name: str) -> None:
        self.page.keyboard.press(name)
        self.pressed += 1


def make_line_thin(page: Page, latency: int = 600) -> None:
    """64 kbit/s both ways, and some milliseconds until anything comes."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    conditions = {"latency": latency, "downloadThroughput": 8_000, "uploadThroughput": 8_000}
    session.send("Network.emulateNetworkConditions", {"offline": False, **conditions})


def press_access_key(page: Page, letter: str) -> None:
    """Alt and a letter. Playwright sends it without its text, and Chromium acts on the text."""
    session = page.context.new_cdp_session(page)
    code = ord(letter.upper())
    key = {"modifiers": 1, "key": letter, "code": f"Key{letter.upper()}"}
    key["windowsVirtualKeyCode"] = code
    text = {"text": letter, "unmodifiedText": letter}
    session.send("Input.dispatchKeyEvent", {"type": "keyDown", **text, **key})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
    session.detach()
