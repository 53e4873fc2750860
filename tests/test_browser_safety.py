"""What a browser must not do: show a patient after logout, run a name, talk to anybody else."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.walk import DEMO_PASSWORD, Desk

pytestmark = pytest.mark.browser

KB = 1024
TELL_RETURN = """addEventListener('pageshow', event => {
  const body = getComputedStyle(document.body).visibility;
  if (event.persisted) console.log('back to', location.pathname, body);
})"""


@pytest.fixture
def clinic(live_server):
    """The address by a name: for plain http a browser keeps more than for 127.0.0.1."""
    return f"http://klinik.test:{urlsplit(live_server).port}"


def open_record(page: Page, clinic: str, username: str) -> Desk:
    page.add_init_script(TELL_RETURN)
    desk = Desk(page, clinic).log_in(username)
    desk.open_record("Siti Aminah", "Siti Aminah")
    return desk


def go_back(page: Page) -> None:
    """Playwright's own waits for a load, which a page out of memory never has."""
    page.evaluate("setTimeout(() => history.back())")


def go_back_out_of_memory(page: Page) -> None:
    """Back to a page that the browser had kept; whatever it held cannot be seen."""
    with page.expect_console_message(lambda said: "back to" in said.text) as said:
        go_back(page)
    assert said.value.text.endswith("hidden")


def sees_only_the_login(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Masuk")
    expect(page.locator("body")).not_to_contain_text("Siti Aminah")


def test_back_to_a_record_loads_it_again(clinic, page):
    desk = open_record(page, clinic, "rekammedis")
    desk.go("/bantuan")
    go_back_out_of_memory(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Rekam medis")


def test_back_when_the_session_was_ended_elsewhere_shows_no_patient(clinic, page, open_page):
    desk = open_record(page, clinic, "rekammedis")
    desk.go("/bantuan")
    head = Desk(open_page(), clinic).log_in("kepala")
    head.go("/sistem/sesi")
    rows = head.page.get_by_role("row", name="Sari Puspita")
    for left in reversed(range(rows.count())):
        rows.first.get_by_role("button").click()
        expect(rows).to_have_count(left)
    go_back_out_of_memory(page)
    sees_only_the_login(page)


# What a page goes through that a browser keeps and brings back. Chromium drops pages marked
# `no-store` when a logout changes the cookie, so there our own guard never gets to act.
KEPT_AND_BACK = """() => {
  dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}));
  dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));
  return getComputedStyle(document.body).visibility;
}"""


def test_a_page_kept_through_a_logout_hides_and_asks_again(clinic, page):
    desk = open_record(page, clinic, "rekammedis")
    second_tab = Desk(page.context.new_page(), clinic)
    second_tab.go("/bantuan")
    second_tab.press("Keluar")
    sees_only_the_login(second_tab.page)
    expect(desk.page.locator("body")).to_contain_text("Siti Aminah")
    assert page.evaluate(KEPT_AND_BACK) == "hidden"
    sees_only_the_login(page)


def test_no_page_of_a_patient_is_stored(clinic, page):
    open_record(page, clinic, "kepala")
    for path in (urlsplit(page.url).path, "/pendaftaran", "/poli/UMUM"):
        assert page.goto(clinic + path).headers["cache-control"] == "no-store"


def test_back_after_logout_shows_no_patient(clinic, page):
    """Either of the two is enough here: `no-store`, or the guard in alur.js."""
    desk = open_record(page, clinic, "kepala")
    page.locator("#alergi summary").click()
    page.get_by_label("Alergi terhadap").fill("Kacang tanah")
    desk.press("Tambah alergi")
    expect(page.get_by_text("Alergi tercatat.")).to_be_visible()
    desk.press("Keluar")
    sees_only_the_login(page)
    for _ in range(2):
        go_back(page)
        page.wait_for_timeout(300)  # nothing tells when a page came out of memory
        sees_only_the_login(page)


SCRIPT = """<script>alert("nama")</script><img src=x onerror=alert(1)>"""
HANDLER = """"><svg onload=alert(2)>' onfocus='alert(3)' autofocus='"""
CLOSING = """</textarea></title><a href=javascript:alert(4)>{{ 7*7 }}"""


@pytest.mark.parametrize(("name", "complaint"), [(SCRIPT, CLOSING), (HANDLER, SCRIPT)])
def test_hostile_text_is_only_text(live_server, page, name, complaint):
    """`page` itself fails at a dialog, a refusal of the CSP, and a request to anywhere else."""
    desk = Desk(page, live_server).log_in("kepala")
    main = page.get_by_role("main")
    desk.search(name)
    desk.press("Pasien baru")
    expect(page.get_by_label("Nama lengkap")).to_have_value(name)
    page.get_by_label("Bila tidak ada NIK").select_option("LUPA_KARTU")
    page.get_by_label("Perempuan").check()
    page.get_by_label("Tanggal lahir").fill("17-08-1990")
    page.get_by_label("Alamat").fill(complaint)
    desk.tell_complaint(f"gigi berlubang {complaint}", "GIGI")
    expect(main).to_contain_text(name)
    expect(main).to_contain_text(complaint)
    number, _ = desk.save()
    expect(main).to_contain_text(name)
    desk.go("/poli/GIGI")
    expect(desk.row(number)).to_contain_text(name)
    expect(desk.row(number)).to_contain_text(complaint[:12])  # a queue cuts long ones
    desk.row(number).get_by_role("link", name="Lainnya").click()
    page.get_by_role("link", name="Buka rekam kunjungan").click()
    expect(page.get_by_label("Identitas pasien")).to_contain_text(name)
    desk.open_record(name, name)
    expect(main).to_contain_text(complaint)
    assert page.locator("main script, main svg, main img, [onfocus], [onload]").count() == 0


def test_the_first_visit_is_small(clinic, page):
    session = page.context.new_cdp_session(page)
    asked, sizes = [], []
    session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.send("Network.enable")
    page.goto(f"{clinic}/masuk", wait_until="networkidle")
    assert len(asked) == len(sizes) <= 5
    assert sum(sizes) <= 30 * KB
    assert all(url.startswith(f"{clinic}/") for url in asked)


def test_a_screen_that_locks_while_a_form_is_filled_in_carries_nothing_off(live_server, page):
    """The fragments that come while somebody types must not lead away to the log-in."""
    desk = Desk(page, live_server).log_in("loket")
    desk.go("/pendaftaran/baru")
    page.get_by_label("Nama lengkap").fill("Rahmi Yang Terkunci")
    page.context.clear_cookies()  # logged out in another window, or the day's session over
    page.get_by_label("Keluhan").press_sequentially("batuk pilek")
    expect(page.locator("#saran-isi")).to_contain_text("Layar terkunci")
    expect(page.get_by_label("Keluhan")).to_have_value("batuk pilek")
    desk.send("Periksa kembali")
    page.get_by_label("Nama pengguna").fill("loket")
    page.get_by_label("Kata sandi").fill(DEMO_PASSWORD)
    desk.send("Masuk")
    desk.send("Kirim sekarang")
    expect(page.get_by_label("Nama lengkap")).to_have_value("Rahmi Yang Terkunci")
    expect(page.get_by_label("Keluhan")).to_have_value("batuk pilek")


def test_a_page_that_stands_open_when_the_screen_locks_is_hidden_and_comes_back(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    page.clock.install()
    desk.go("/pendaftaran/baru")
    name, locked = page.get_by_label("Nama lengkap"), page.locator(".locked")
    name.fill("Rahmi Yang Terkunci")
    page.context.clear_cookies()  # the session is over
    look_again = "document.dispatchEvent(new Event('visibilitychange'))"
    page.clock.fast_forward(31_000)
    expect(locked).to_contain_text("Layar terkunci")
    expect(name).to_be_hidden()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Masuk lagi").click()
    opened.value.close()
    other_tab = page.context.new_page()
    Desk(other_tab, live_server).log_in("loket")
    page.evaluate(look_again)
    expect(name).to_be_visible()
    expect(name).to_have_value("Rahmi Yang Terkunci")
    expect(locked).to_have_count(0)
