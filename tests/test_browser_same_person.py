"""Is this the patient? Asked while typing goes on, and answered with and without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.test_browser_pages import look_at
from tests.walk import Desk, every

pytestmark = pytest.mark.browser

PLACE = """() => {
  const field = document.activeElement;
  return [field.id, field.selectionStart, Math.round(field.getBoundingClientRect().top), scrollY];
}"""
SLOW = "**/pendaftaran/mirip"


def register_first(desk: Desk, name: str, born: str) -> str:
    """Somebody without a card who was here before; their public id."""
    page = desk.page
    fill_form(page, desk, name, born)
    for answer in every(page.get_by_label("Bukan")):
        answer.check()
    desk.send("Periksa kembali")
    for answer in every(page.get_by_label("Bukan")):
        answer.check()
    desk.press("Simpan dan")
    expect(page.locator(".ticket")).to_be_visible()
    desk.search(name)
    if not desk.has_script:
        page.wait_for_load_state()
    return page.locator("#hasil [data-patient]").first.get_attribute("data-patient")


def fill_form(page: Page, desk: Desk, name: str, born: str) -> None:
    desk.go("/pendaftaran/baru")
    page.get_by_label("Bila tidak ada NIK").select_option("LUPA_KARTU")
    page.get_by_label("Tanggal lahir").fill(born)
    page.get_by_label("Perempuan").check()
    page.get_by_label("Alamat").fill("Jalan Kenanga 7")
    page.get_by_label("Keluhan").fill("demam dan batuk")
    page.get_by_label("Ruang tujuan").select_option("UMUM")
    page.get_by_label("Nama lengkap").fill(name)


def test_the_panel_is_refreshed_under_a_clerk_who_types(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    ref = register_first(desk, "Zulaikha Permatasari", "03-05-1961")
    fill_form(page, desk, "", "03-05-1961")
    name = page.get_by_label("Nama lengkap")
    name.press_sequentially("Julaikah Permatasari")
    match = page.locator(f'#mirip [data-patient="{ref}"]')
    expect(match).to_have_attribute("data-level", "strong")
    expect(match.locator(".match-why")).to_contain_text("tanggal lahir sama")

    # The caret stands within the name, and the page somewhere: both stay where they are.
    name.evaluate("field => field.setSelectionRange(3, 3)")
    page.evaluate("scrollTo(0, 40)")
    before = page.evaluate(PLACE)
    with page.expect_response(SLOW):
        page.keyboard.type("k")
    with page.expect_response(SLOW):
        page.keyboard.press("Backspace")
    expect(match).to_be_visible()
    assert page.evaluate(PLACE) == before

    # An answer stays through the refreshes that follow it, and keeps the keyboard.
    match.get_by_label("Ragu").focus()
    with page.expect_response(SLOW):
        page.keyboard.press("Space")
    expect(match.get_by_label("Ragu")).to_be_focused()
    expect(match.get_by_label("Ragu")).to_be_checked()
    name.focus()
    with page.expect_response(SLOW):
        page.keyboard.type("h")
    expect(match.get_by_label("Ragu")).to_be_checked()
    expect(name).to_be_focused()
    assert look_at(page, "form with answers") == []

    # One that is given while an older answer is still on its way is not lost.
    page.route(SLOW, lambda route: (page.wait_for_timeout(700), route.continue_()))
    page.get_by_label("Kelurahan/desa").fill("Tirta Alur")
    page.get_by_label("Nomor HP").focus()
    page.wait_for_timeout(500)
    match.get_by_label("Bukan").check()
    page.wait_for_timeout(1500)
    page.unroute(SLOW)
    expect(match.get_by_label("Bukan")).to_be_checked()
    desk.send("Periksa kembali")
    expect(page.locator(f'.warn[data-patient="{ref}"]').get_by_label("Bukan")).to_be_checked()


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_from_the_question_to_the_known_record(live_server, open_page, has_script):
    page = open_page(java_script_enabled=has_script)
    desk = Desk(page, live_server, has_script).log_in("loket")
    name = "Marfuah Kusumadewi" if has_script else "Rohayati Wijayanti"
    ref = register_first(desk, name, "09-11-1957")
    fill_form(page, desk, name.replace("ati", "atti").replace("fu", "pu"), "09-11-1957")
    desk.send("Periksa kembali")

    question = page.locator(f'.warn[data-patient="{ref}"]')
    expect(question).to_have_attribute("data-level", "strong")
    desk.press("Simpan dan")
    expect(page.get_by_role("alert").first).to_contain_text(name)
    if has_script:
        page.get_by_role("alert").get_by_role("link").first.click()
        expect(question.get_by_label("Bukan")).to_be_focused()
        assert look_at(page, "check page with a question") == []
    question.get_by_label("Ragu").check()
    desk.press("Kembali ke isian")
    expect(page.get_by_label("Keluhan")).to_have_value("demam dan batuk")
    expect(page.locator(f"#jawab-{ref}-ragu")).to_be_checked()

    # Half filled, by the keyboard, nothing is lost on the way to the comparison.
    page.get_by_label("Ruang tujuan").select_option("")
    page.locator(f"#ini-{ref}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Orang yang sama?")
    expect(page.locator("#pilih-name")).to_be_checked()
    if has_script:
        assert look_at(page, "comparison") == []
    desk.press("Ini orangnya, lanjutkan")
    expect(page).to_have_url(re.compile(f"/pendaftaran/pasien/{ref}"))
    expect(page.get_by_label("Keluhan")).to_have_value("demam dan batuk")
    page.get_by_label("Ruang tujuan").select_option("GIGI")
    desk.send("Periksa kembali")
    expect(page.locator(".patient-name")).to_contain_text(name)
    for box in every(page.get_by_label("Alasan tetap")):
        box.fill("Diminta oleh dokter")
    desk.press("Simpan dan")
    expect(page.locator(".ticket")).to_contain_text("Gigi")


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_the_panel_does_not_say_what_nobody_has_looked_at(live_server, open_page, has_script):
    page = open_page(java_script_enabled=has_script)
    Desk(page, live_server, has_script).log_in("loket").go("/pendaftaran/baru")
    panel = page.locator("#mirip-isi")
    expect(panel).to_contain_text("tampil di sini atau di halaman periksa")
    page.get_by_label("Nama lengkap").fill("Xaverius Tanpa Kembaran")
    page.get_by_label("Tanggal lahir").fill("03-04-1971")
    page.get_by_label("Alamat").click()
    said = "Belum ada pasien yang mirip" if has_script else "tampil di sini"
    expect(panel).to_contain_text(said)
