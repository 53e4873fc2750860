"""Pictures of the demo clinic for the README: `python -m tests.screens` fills docs/screens/."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import ARGUMENTS, SCREEN, LiveServer, chromium_path
from tests.walk import Desk, Person

FOLDER = Path(__file__).parent.parent / "docs" / "screens"
RATNA = Person("Ratna Kusumawati", "5299015709880004", "17-09-1988", "Perempuan")


def picture(page: Page, name: str, height: int = SCREEN["height"]) -> None:
    """At most 120 KB each, as they stand in every clone: crop one that is denser."""
    clip = {"x": 0, "y": 0, "width": SCREEN["width"], "height": height}
    data = page.screenshot(path=FOLDER / f"{name}.png", caret="hide", clip=clip)
    print(f"{name}: {len(data) / 1024:.0f} KB")
    assert len(data) < 120 * 1024, name


def counter(desk: Desk) -> None:
    page = desk.page
    desk.log_in("loket")
    page.set_viewport_size({"width": SCREEN["width"], "height": 1000})  # the whole form
    desk.fill_new_patient(RATNA)
    page.get_by_label("Kelurahan/desa").fill("Tirta Alur")
    page.get_by_label("Nomor HP").fill("0812 3456 7890")
    page.get_by_label("Nama ibu").fill("Sumiati")
    page.get_by_label("Keluhan").press_sequentially("demam dan batuk 3 hari, kepala pusing")
    expect(page.locator("#saran .pick").first).to_have_attribute("value", "UMUM")
    picture(page, "form", height=1000)
    page.set_viewport_size(SCREEN)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Periksa kembali")
    page.evaluate("scrollTo(0, 0)")
    picture(page, "check")
    desk.save()


def somebody_known(desk: Desk, pair: list[str]) -> None:
    """The same person once more, without a card and with a letter less."""
    page = desk.page
    name, birth_date = pair[0], pair[1]
    desk.go("/pendaftaran/baru")
    page.get_by_label("Nama lengkap").fill(name[:-1])
    page.get_by_label("Tanggal lahir").fill(birth_date)
    page.get_by_label("Nama lengkap").press("Tab")
    expect(page.locator("#mirip")).to_contain_text(name)
    picture(page, "likely", height=610)


def records(desk: Desk) -> list[str]:
    """Two records side by side; name and birth date of the older one."""
    page = desk.page
    desk.log_in("rekammedis")
    desk.go("/rekam-medis")
    older = page.locator("td[data-patient]").first.inner_text().splitlines()
    page.get_by_role("link", name="Bandingkan").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Satu orang atau dua?")
    picture(page, "pair")
    return older


def room(desk: Desk) -> None:
    page = desk.page
    desk.log_in("umum")
    desk.go("/poli/UMUM")
    picture(page, "queue")
    page.get_by_role("link", name="Buka pemeriksaan").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pemeriksaan")
    picture(page, "examination", height=580)


def dental(desk: Desk) -> None:
    """The chart of the mouth in the room's own form."""
    page = desk.page
    desk.log_in("gigi")
    desk.go("/poli/GIGI")
    page.get_by_role("link", name="Buka pemeriksaan").first.click()
    page.evaluate("document.querySelector('#isian').scrollIntoView()")
    picture(page, "dental", height=700)


def pharmacy(desk: Desk) -> None:
    page = desk.page
    desk.log_in("farmasi")
    desk.go("/farmasi")
    page.locator(".queue-name a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Farmasi")
    picture(page, "pharmacy")


def record(desk: Desk) -> None:
    """Somebody with a long history: what goes on, small charts, a line for each visit."""
    page = desk.page
    desk.log_in("kepala")
    desk.open_record("Soeparmi Astuti", "Soeparmi Astuti")
    picture(page, "record", height=730)


def board(page: Page, address: str) -> None:
    page.goto(f"{address}/layar")
    expect(page.locator(".board-room").first).to_contain_text(re.compile(r"[A-Z]\d{3}"))
    picture(page, "board")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = LiveServer()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            options = {"viewport": SCREEN, "locale": "id-ID"}
            loket = Desk(browser.new_context(**options).new_page(), server.address)
            counter(loket)
            pair = records(Desk(browser.new_context(**options).new_page(), server.address))
            somebody_known(loket, pair)
            room(Desk(browser.new_context(**options).new_page(), server.address))
            for take in (dental, pharmacy, record):
                take(Desk(browser.new_context(**options).new_page(), server.address))
            board(browser.new_context(**options).new_page(), server.address)
            browser.close()
    finally:
        server.remove()


if __name__ == "__main__":
    main()
