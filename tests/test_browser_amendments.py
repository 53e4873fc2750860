"""Correcting a finished examination in a browser: at once, and late with an approval."""

import re

import pytest
from playwright.sync_api import expect

from tests.test_browser_pages import look_at
from tests.test_walk import walk
from tests.walk import Desk, Person

pytestmark = pytest.mark.browser

RINI = Person("Rini Handayani Betul", "3171015503940009", "15-03-1994", "Perempuan")
PLAN = "Kontrol tiga hari lagi, bukan satu minggu"


def test_the_author_corrects_and_the_history_tells(live_server, open_page):
    counter = Desk(open_page(), live_server).log_in("loket")
    room = Desk(open_page(), live_server).log_in("gigi")
    walk(counter, room, RINI)
    page = room.page
    room.open_record(RINI.nik, RINI.name)
    page.get_by_role("link", name="Betulkan").first.click()
    expect(page.get_by_text("Langsung berlaku sampai")).to_be_visible()
    assert look_at(page, "form") == []
    page.get_by_label("Rencana", exact=True).fill(PLAN)
    page.get_by_label("Suhu °C").fill("37,6")
    room.press("Simpan pembetulan")
    expect(page.get_by_role("alert")).to_contain_text("Tulis mengapa")
    expect(page.get_by_label("Rencana", exact=True)).to_have_value(PLAN)
    page.get_by_label("Alasan pembetulan").fill("salah ketik")
    page.get_by_label("Alasan pembetulan").press("Enter")
    main = page.get_by_role("main")
    expect(main.get_by_role("status")).to_contain_text("dibetulkan")
    expect(main).to_contain_text(PLAN)
    expect(main).to_contain_text("Suhu 37,6")
    page.get_by_role("link", name="dibetulkan 1x").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Riwayat pembetulan")
    row = page.locator('tr[data-field="plan"]')
    expect(row).to_contain_text("Tambal sementara, kontrol satu minggu")
    expect(row).to_contain_text(PLAN)
    expect(page.locator('tr[data-field="vitals"]')).to_contain_text("36,7")
    assert look_at(page, "history") == []


@pytest.mark.parametrize(
    ("has_script", "username", "author"),
    [(True, "umum", "dr. Bagus Prasetyo"), (False, "gigi", "drg. Maya Kusuma")],
    ids=["script", "no script"],
)
def test_a_late_correction_is_approved_by_the_records_officer(
    live_server, open_page, has_script, username, author
):
    records_page = open_page(java_script_enabled=has_script)
    records = Desk(records_page, live_server, has_script).log_in("rekammedis")
    records.go("/rekam-medis/pembetulan")
    waiting = records_page.get_by_role("row").filter(has_text=author).first
    waiting.get_by_role("link", name="Putuskan").click()
    history = records_page.get_by_role("link", name="riwayat pembetulannya").get_attribute("href")

    page = open_page(java_script_enabled=has_script)
    doctor = Desk(page, live_server, has_script).log_in(username)
    form, plan = history.replace("riwayat", "pembetulan"), f"{PLAN} ({has_script})"
    doctor.go(form)
    if page.get_by_label("Alasan").count():  # not in one of the rooms today
        page.get_by_label("Alasan").fill("Membetulkan rencana kunjungan lalu")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Rekam medis")
        doctor.go(form)
    expect(page.get_by_text("Perlu persetujuan rekam medis")).to_be_visible()
    page.get_by_label("Rencana", exact=True).fill(plan)
    page.get_by_label("Alasan pembetulan").fill(f"hasil menyusul {has_script}")
    doctor.press("Minta persetujuan")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Pembetulan menunggu persetujuan")
    expect(main).not_to_contain_text(plan)
    visit = page.url

    records.go("/rekam-medis/pembetulan")
    asked = records_page.get_by_role("row").filter(has_text=f"hasil menyusul {has_script}")
    asked.get_by_role("link", name="Putuskan").click()
    expect(records_page.locator('tr[data-field="plan"]')).to_contain_text(plan)
    if has_script:
        assert look_at(records_page, "decision") == []
    records.press("Setujui")
    expect(records_page.get_by_role("main").get_by_role("status")).to_contain_text("Disetujui")

    page.goto(visit)
    expect(main).to_contain_text(plan)
    expect(main).to_contain_text("disetujui oleh Sari Puspita")
    expect(main.get_by_role("link", name=re.compile(r"dibetulkan \dx"))).to_be_visible()
