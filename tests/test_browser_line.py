"""The counter when its line is cut or the server is away: nothing stale, nothing lost."""

import pytest
from playwright.sync_api import Page, expect

from tests.walk import Desk

pytestmark = pytest.mark.browser

LOST = "Koneksi terputus. Usulan dan hasil pencarian belum diperbarui; isian tetap di sini."


def line_of(page: Page):
    return page.locator("[data-poll-status]")


def test_a_proposal_for_another_complaint_is_not_left_standing(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    desk.search("siti aminah")
    known = page.locator("#hasil .pick").first
    name, born = known.locator("b").inner_text(), known.inner_text().split("lahir ")[1][:10]
    desk.go("/pendaftaran/baru")
    page.get_by_label("Nama lengkap").fill(name)
    page.get_by_label("Tanggal lahir").fill(born)
    page.get_by_label("Keluhan").press_sequentially("sakit gigi")
    first, likely = page.locator("#saran .pick").first, page.locator("#mirip [data-patient]").first
    expect(first).to_have_attribute("value", "GIGI")
    likely.get_by_label("Bukan").check()
    answered = likely.get_attribute("data-patient")
    expect(likely.get_by_label("Bukan")).to_be_checked()
    page.context.set_offline(True)
    page.get_by_label("Keluhan").press_sequentially(", sesak berat, nyeri dada")
    page.keyboard.press("Tab")
    expect(line_of(page)).to_have_text(LOST)
    expect(first).to_be_hidden()
    expect(likely).to_be_hidden()
    bar = page.get_by_role("button", name="Periksa kembali").bounding_box()
    assert bar["y"] + bar["height"] <= line_of(page).bounding_box()["y"], "the line lies on it"
    page.context.set_offline(False)
    expect(page.locator("#saran-gawat")).to_be_visible()
    again = page.locator(f"#mirip [data-patient='{answered}']")
    expect(again.get_by_label("Bukan")).to_be_checked()
    expect(line_of(page)).to_be_empty()


@pytest.mark.parametrize("is_touched", ["", "mouse", "keys"])
def test_a_late_proposal_takes_the_focus_from_no_open_list(live_server, page, is_touched):
    Desk(page, live_server).log_in("loket").go("/pendaftaran/baru")
    page.route("**/saran", lambda route: (page.wait_for_timeout(1_000), route.continue_()))
    complaint, rooms = page.get_by_label("Keluhan"), page.get_by_label("Ruang tujuan")
    complaint.press_sequentially("sakit gigi berlubang")
    if is_touched == "mouse":
        rooms.click()
    else:
        page.keyboard.press("Tab")
    expect(rooms).to_be_focused()
    if is_touched == "keys":
        page.keyboard.press("Alt+ArrowDown")
    first = page.locator("#saran .pick").first
    expect(first).to_have_attribute("value", "GIGI")
    expect(rooms if is_touched else first).to_be_focused()


def test_nor_is_a_list_of_patients_under_another_name(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    desk.search("siti aminah")
    found = page.locator("#hasil .pick").first
    expect(found).to_contain_text("Siti Aminah")
    page.route("**/cari", lambda route: route.fulfill(status=503))
    page.get_by_label("Cari pasien").fill("zubaidah")
    expect(line_of(page)).to_have_text(LOST)
    expect(found).to_be_hidden()
    # A refusal, as of a form that is older than the log-in, is no matter of the line.
    page.unroute_all()
    page.route("**/cari", lambda route: route.fulfill(status=400))
    expect(line_of(page)).to_have_text(LOST.partition(". ")[2])
    expect(page.locator("#hasil")).to_be_hidden()
    page.unroute_all()
    page.get_by_label("Cari pasien").press_sequentially(" x")
    expect(page.get_by_text("Tidak ada yang cocok")).to_be_visible()
    expect(line_of(page)).to_be_empty()


AWAY = "Sambungan terputus. Isian tetap di sini; tekan lagi bila tersambung."


def test_a_form_is_held_until_the_server_answers(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    desk.go("/pendaftaran/baru")
    page.get_by_label("Nama lengkap").fill("Wahyu Sambungan Putus")
    page.get_by_label("Bila tidak ada NIK").select_option("LUPA_KARTU")
    page.get_by_label("Laki-laki").check()
    page.get_by_label("Tanggal lahir").fill("17-08-1990")
    page.get_by_label("Alamat").fill("Jalan Kenanga 7")
    page.get_by_label("Keluhan").press_sequentially("sakit gigi")
    proposal = page.locator("#saran .pick[value=GIGI]")
    expect(proposal).to_be_visible()
    page.route("**/healthz", lambda route: route.fulfill(status=503))
    proposal.click()
    expect(line_of(page)).to_have_text(AWAY)
    page.unroute_all()
    # Pressed twice, and gone by the time that the answer comes: one request, with the room.
    sent = []
    page.on("request", lambda asked: sent.append(asked) if asked.is_navigation_request() else 0)
    held = []
    page.route("**/healthz", lambda route: held.append(route))
    with page.expect_request("**/healthz"):
        proposal.dblclick()
    proposal.evaluate("button => button.remove()")
    with page.expect_navigation():
        held.pop().continue_()
    assert not held
    expect(page.get_by_role("heading", level=1)).to_have_text("Periksa kembali")
    expect(page.get_by_role("main")).to_contain_text("Poli Gigi")
    assert [asked.method for asked in sent] == ["POST", "GET"]
    page.unroute_all()
    page.context.set_offline(True)
    desk.press("Simpan dan")
    expect(line_of(page)).to_have_text(AWAY)
    page.context.set_offline(False)
    desk.press("Simpan dan")
    desk.read_ticket()


def test_so_is_what_is_typed_away_from_the_counter(live_server, page):
    desk = Desk(page, live_server).log_in("farmasi")
    desk.go("/farmasi/stok/PCT500")
    desk.follow(page.get_by_role("link", name="Terima barang"))
    batch = page.get_by_label("Nomor batch")
    batch.fill("PUTUS1")
    page.get_by_label("Kedaluwarsa").fill("12-2099")
    page.get_by_label("Jumlah").fill("10")
    page.context.set_offline(True)
    desk.press("Masukkan ke stok")
    expect(line_of(page)).to_have_text(AWAY)
    expect(batch).to_have_value("PUTUS1")
    page.context.set_offline(False)
    desk.press("Masukkan ke stok")
    expect(page.locator("main [role=status]")).to_contain_text("masuk stok")
