"""Working by the keyboard alone, and in front of a queue that changes by itself."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.clients import Browser, person, register
from tests.walk import DEMO_ZONE, MARKER, Desk, press_access_key

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  const node = document.activeElement;
  const style = getComputedStyle(node), box = node.getBoundingClientRect();
  return {
    number: [...document.querySelectorAll('*')].indexOf(node),
    what: node.outerHTML.slice(0, 90),
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    covered: [...document.querySelectorAll('form > .actions')].some(bar =>
      !bar.contains(node) && bar.getBoundingClientRect().top < box.bottom &&
      box.top < bar.getBoundingClientRect().bottom),
  };
}"""
# As a browser before Chromium 69, which has none.
WITHOUT_SCROLL_PADDING = """addEventListener('DOMContentLoaded', () => {
  document.documentElement.style.scrollPadding = '0';
})"""
# Of radio buttons Tab reaches the chosen one, or the first.
REACHABLE = """() => [
    ...document.querySelectorAll('a[href], button, input, select, textarea, summary')
  ].filter(node => node.tabIndex >= 0 && !node.disabled && node.checkVisibility())
  .filter(node => {
    const same = `input[type=radio][name="${node.name}"]`;
    const chosen = document.querySelector(`${same}:checked`) || document.querySelector(same);
    return node.type !== 'radio' || node === chosen;
  })
  .map(node => [[...document.querySelectorAll('*')].indexOf(node), node.outerHTML.slice(0, 90)])"""


def tab_through(page: Page) -> None:
    """Tab from the top to the end: everything that acts is reached, and each shows the focus."""
    wanted = dict(page.evaluate(REACHABLE))
    page.evaluate("document.activeElement.blur(); document.querySelector('.skip').focus()")
    reached = page.evaluate(FOCUSED)
    for _ in range(len(wanted) + 5):
        assert reached["ring"], f"no visible focus: {reached['what']}"
        assert reached["inside"], f"focus out of sight: {reached['what']}"
        assert not reached["covered"], f"focus under the bar of buttons: {reached['what']}"
        wanted.pop(reached["number"], None)
        page.keyboard.press("Tab")
        reached = page.evaluate(FOCUSED)
        if reached["what"].startswith("<body"):
            break
    assert not wanted, f"never reached: {list(wanted.values())}"


def test_tab_reaches_everything(live_server, page):
    desk = Desk(page, live_server).log_in("kepala")
    for path in ("/pendaftaran", "/pendaftaran/baru", "/pendaftaran/gawat", "/poli/LANSIA"):
        desk.go(path)
        tab_through(page)
    desk.go("/poli/MTBS")
    page.get_by_role("link", name="Buka pemeriksaan").first.click()
    expect(page.get_by_label("Anamnesis")).to_be_visible()
    tab_through(page)


def test_a_new_patient_by_keys_alone(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    keys = page.keyboard
    expect(page.get_by_label("Cari pasien")).to_be_focused()
    keys.type("3171016509880011")
    expect(page.get_by_text("Tidak ada yang cocok")).to_be_visible()
    press_access_key(page, "b")
    expect(page.get_by_label("NIK", exact=True)).to_be_focused()
    press_access_key(page, "i")
    expect(page.get_by_label("Tanggal lahir")).to_have_value("25-09-1988")
    expect(page.get_by_label("Nama lengkap")).to_be_focused()
    page.get_by_label("NIK", exact=True).focus()
    keys.press("Enter")
    expect(page.get_by_label("Bila tidak ada NIK")).to_be_focused()
    keys.press("Tab")
    keys.type("Ratna Papan Ketik")
    page.get_by_label("Nomor BPJS").focus()
    keys.press("Enter")
    expect(page.get_by_label("Nomor KK")).to_be_focused()
    press_access_key(page, "p")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_label("Alamat")).to_be_focused()
    keys.type("Jalan Kenanga 7")
    page.get_by_label("Keluhan").focus()
    assert not page.evaluate(FOCUSED)["covered"]
    keys.type("sakit gigi")
    expect(page.locator("#saran .pick").first).to_have_attribute("value", "GIGI")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Periksa kembali")
    press_access_key(page, "s")
    desk.read_ticket()
    press_access_key(page, "n")
    expect(page.get_by_label("Cari pasien")).to_be_focused()


def test_a_fast_clerk_loses_nothing_and_passes_nothing(live_server, browser):
    page = browser.new_context().new_page()  # whose question is the test's business
    desk = Desk(page, live_server).log_in("loket")
    desk.search("Ratna Lekas Ketik")
    expect(page.get_by_role("button", name="Pasien baru")).to_be_visible()
    press_access_key(page, "b")
    page.get_by_label("NIK", exact=True).fill("3171016509880029")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pakai")).to_be_visible()
    press_access_key(page, "i")
    expect(page.get_by_label("Tanggal lahir")).to_have_value("25-09-1988")
    expect(page.get_by_label("Nama ibu")).to_be_focused()

    def slowly(route):
        page.wait_for_timeout(1_000)
        route.continue_()

    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Pendaftaran", exact=True).click()
    expect(page.get_by_label("Nama lengkap")).to_have_value("Ratna Lekas Ketik")
    assert asked == ["beforeunload"]
    page.get_by_label("Alamat").fill("Jalan Kenanga 7")
    page.get_by_label("Keluhan").focus()
    page.route("**/saran", slowly)
    page.keyboard.type("sakit gigi")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Ruang tujuan")).to_be_focused()
    expect(page.locator("#saran .pick").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Periksa kembali")
    assert asked == ["beforeunload"], "sending it is no slip"
    page.context.close()


def test_a_pregnancy_that_no_longer_fits_stays_in_sight_until_it_is_put_right(live_server, page):
    """A woman who is pregnant, until her NIK says that she is a man."""
    desk = Desk(page, live_server).log_in("loket")
    desk.go("/pendaftaran/baru")
    pregnant = page.get_by_label("Sedang hamil?")
    expect(pregnant).to_be_hidden()
    page.get_by_label("Perempuan").check()
    pregnant.select_option("ya")
    page.get_by_label("NIK", exact=True).press_sequentially("3171012509880011")
    page.keyboard.press("Tab")  # it is looked at when it is whole
    desk.press("Pakai")
    expect(page.get_by_label("Laki-laki")).to_be_checked()
    expect(pregnant).to_be_visible()
    page.get_by_label("Nama lengkap").fill("Rudi Salah Ketik")
    page.get_by_label("Alamat").fill("Jalan Kenanga 7")
    desk.tell_complaint("sakit gigi", "GIGI")
    desk.send("Ubah Hamil")
    expect(pregnant).to_be_focused()
    pregnant.select_option("")
    expect(pregnant).to_be_visible()  # nothing goes away under the hand
    page.get_by_label("Keluhan").fill("sakit gigi sejak kemarin")
    page.keyboard.press("Tab")
    expect(pregnant).to_be_hidden()


def test_the_check_page_leads_to_a_field_with_its_label_and_hides_no_reason(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    page.set_viewport_size({"width": 1366, "height": 500})
    page.add_init_script(WITHOUT_SCROLL_PADDING)
    desk.follow(desk.known_adult("Wayan"))
    page.get_by_label("Keluhan").fill("sakit gigi")
    page.get_by_label("Ruang tujuan").select_option("UGD")
    desk.send("Periksa kembali")
    expect(page.locator("[name^=override_reason]").first).to_be_visible()
    page.evaluate("document.querySelector('.skip').focus(); scrollTo(0, 0)")
    here = {"what": ""}
    while 'value="kembali"' not in here["what"]:
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        assert not here["covered"], here["what"]
    desk.send("Ubah Keluhan")
    expect(page.get_by_label("Keluhan")).to_be_focused()
    expect(page.locator("label[for=f-complaint]")).to_be_in_viewport(ratio=1)
    desk.send("Periksa kembali")
    desk.send("Ubah Prioritas")
    expect(page.get_by_label("Prioritas")).to_be_focused()
    expect(page.locator("label[for=f-priority]")).to_be_in_viewport(ratio=1)


# --- The queue --------------------------------------------------------------------------------

WAITING = ".queue-row[data-state=waiting]"
A_POLL = 7_000  # ms: five seconds, a fifth more by chance, and what the request takes


def open_queue(page: Page, address: str, room: str) -> Desk:
    page.clock.install()
    desk = Desk(page, address).log_in("kepala")
    desk.open_queue(room)
    return desk


def test_a_poll_takes_nothing_away(live_server, page, open_page):
    def with_a_note(route):
        answer = route.fetch()
        note = '<input id="note" aria-label="Catatan"><h2>'
        route.fulfill(response=answer, body=answer.text().replace("<h2>", note, 1))

    page.route("**/poli/UMUM**", with_a_note)
    desk = open_page()
    colleague = Desk(desk, live_server).log_in("umum")
    colleague.open_queue("UMUM")
    open_queue(page, live_server, "UMUM")
    page.locator("#selesai summary").click()
    page.get_by_label("Catatan").fill("setengah jadi")
    page.locator(WAITING).last.get_by_role("button").focus()
    where = "[document.activeElement.getAttribute('formaction'), scrollX, scrollY]"
    before = page.evaluate(where)
    assert before[0].endswith("/panggil")
    assert before[2] > 100
    version = page.locator("#antrean").get_attribute("data-version")
    colleague.press("Panggil berikutnya")
    expect(desk.locator("main [role=status]")).to_contain_text("Memanggil")
    page.clock.fast_forward(A_POLL)
    expect(page.locator("#antrean")).not_to_have_attribute("data-version", version)
    assert page.evaluate(where) == before
    assert page.evaluate("document.getElementById('selesai').open")
    expect(page.get_by_label("Catatan")).to_have_value("setengah jadi")
    page.locator("#selesai summary").focus()
    version = page.locator("#antrean").get_attribute("data-version")
    colleague.press("Panggil lagi")
    expect(desk.locator("main [role=status]")).to_be_focused()
    page.clock.fast_forward(A_POLL)
    expect(page.locator("#antrean")).not_to_have_attribute("data-version", version)
    expect(page.locator("#selesai summary")).to_be_focused()
    assert page.evaluate(MARKER)


def test_the_focus_never_comes_to_mean_something_else(live_server, page, open_page):
    """On "Panggil" of a patient whom a colleague just called, Enter does not start the service."""
    desk = open_page()
    colleague = Desk(desk, live_server).log_in("umum")
    colleague.open_queue("UMUM")
    open_queue(page, live_server, "UMUM")
    first = page.locator(WAITING).first
    entry, number = first.get_attribute("data-entry"), first.get_attribute("data-number")
    first.get_by_role("button").focus()
    there = desk.locator(f"[data-entry='{entry}']")
    there.get_by_role("button", name="Panggil").click()
    expect(desk.locator("main [role=status]")).to_contain_text(f"Memanggil {number}")
    page.clock.fast_forward(A_POLL)
    row = page.locator(f"[data-entry='{entry}']")
    expect(row).to_have_attribute("data-state", "called")
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.clock.fast_forward(A_POLL)
    expect(row).to_have_attribute("data-state", "called")
    # Where the same can still be done, the focus stays on it.
    row.get_by_role("link", name="Lainnya").focus()
    there.get_by_role("button", name="Lewati").click()
    page.clock.fast_forward(A_POLL)
    expect(row).to_have_attribute("data-state", "skipped")
    expect(row.get_by_role("link", name="Lainnya")).to_be_focused()


def test_a_button_that_is_being_pressed_stays(live_server, page, open_page):
    colleague = Desk(open_page(), live_server).log_in("umum")
    colleague.open_queue("UMUM")
    open_queue(page, live_server, "UMUM")
    number = page.locator(WAITING).last.get_attribute("data-number")
    colleague.press("Panggil berikutnya")
    expect(colleague.page.locator("main [role=status]")).to_contain_text("Memanggil")
    page.locator(WAITING).last.get_by_role("button").hover()
    page.mouse.down()
    with page.expect_response("**/baris**"):
        page.evaluate("htmx.trigger('#antrean', 'poll')")
    page.mouse.up()
    expect(page.locator("main [role=status]")).to_contain_text(f"Memanggil {number}")


def test_a_lost_connection_is_said_and_comes_back(live_server, page):
    open_queue(page, live_server, "TB")
    status = page.locator("[data-poll-status]")
    page.route("**/baris**", lambda route: route.abort())
    page.clock.fast_forward(A_POLL)
    expect(status).to_have_text("Koneksi terputus, mencoba lagi")
    page.unroute_all()
    page.clock.fast_forward(2 * A_POLL)
    expect(status).to_have_text("")
    assert page.evaluate(MARKER)
    # The clinic's clock, whatever this computer's says.
    now = datetime.now(DEMO_ZONE)
    hours = "|".join({f"{now:%H}", f"{now + timedelta(minutes=1):%H}"})
    stamp = re.compile(rf"^per ({hours})\.\d\d\.\d\d$")
    expect(page.locator("[data-poll-stamp]")).to_have_text(stamp)


def test_a_hidden_tab_asks_nothing_and_is_up_to_date_on_return(live_server, page):
    open_queue(page, live_server, "UMUM")
    asked, minutes = [], page.locator(f"{WAITING} time")
    before = [int(text.split()[0]) for text in minutes.all_inner_texts()]
    page.on("request", lambda request: asked.append(request.url) if "/baris" in request.url else 0)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, writable: true})")
    for _ in range(3):
        page.clock.fast_forward(60_000)
    assert asked == []
    after = [int(text.split()[0]) for text in minutes.all_inner_texts()]
    assert before and {late - early for early, late in zip(before, after, strict=True)} <= {3, 4}
    with page.expect_request("**/baris**"):
        page.evaluate(
            "document.hidden = false; document.dispatchEvent(new Event('visibilitychange'))"
        )


REFRESH = re.compile(r'(http-equiv="refresh" content=")\d+')


@pytest.mark.parametrize("has_script", [True, False])
def test_an_arrival_appears_by_itself(live_server, open_page, has_script):
    """By polls in the same page, or without scripts by a page that reloads itself."""

    def every_second(route):
        answer = route.fetch()
        page, count = REFRESH.subn(r"\g<1>1", answer.text())
        route.fulfill(response=answer, body=page if count else "no refresh in this page")

    screen = open_page(java_script_enabled=has_script)
    room = Desk(screen, live_server, has_script).log_in("gigi")
    screen.route(lambda url: "/poli/GIGI" in url and "/baris" not in url, every_second)
    room.open_queue("GIGI")
    counter = Desk(open_page(), live_server).log_in("loket")
    patient = counter.known_adult("Sri Wahyuni")
    name = patient.locator("b").inner_text()
    patient.click()
    counter.tell_complaint("gigi berlubang", "GIGI")
    number, _ = counter.save()
    expect(room.row(number)).to_contain_text(name)
    if has_script:
        assert screen.evaluate(MARKER)
        assert screen.url == f"{live_server}/poli/GIGI"
    else:
        assert screen.url == f"{live_server}/poli/GIGI?otomatis=1"
    screen.unroute_all(behavior="ignoreErrors")  # it may be reloading just now


def test_the_heads_rooms_count_an_arrival_by_themselves(live_server, page, open_page):
    page.clock.install()
    head = Desk(page, live_server).log_in("kepala")
    head.go("/poli")
    page.evaluate(f"{MARKER} = true")
    tile = page.locator("a.tile", has_text="Poli Gigi")
    before = int(tile.locator("b").inner_text())
    tile.focus()
    counter = Desk(open_page(), live_server).log_in("loket")
    counter.known_adult("Dewi").click()
    counter.tell_complaint("gigi berlubang", "GIGI")
    counter.save()
    page.clock.fast_forward(5 * A_POLL)
    expect(tile.locator("b")).to_have_text(str(before + 1))
    expect(tile).to_be_focused()
    assert page.evaluate(MARKER), "it was not loaded anew"


def test_an_ended_session_leads_to_the_login_and_back(live_server, page):
    open_queue(page, live_server, "TB")
    page.context.clear_cookies()
    page.clock.fast_forward(A_POLL)
    expect(page.get_by_role("heading", level=1)).to_have_text("Masuk")
    page.get_by_label("Nama pengguna").fill("umum")
    page.get_by_label("Kata sandi").fill("coba-alur-sekarang")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Antrean")
    assert page.url == f"{live_server}/poli/TB"


def test_a_tick_is_kept_that_is_set_while_a_search_is_on_its_way(live_server, page):
    desk = Desk(page, live_server).log_in("kia")
    desk.go("/poli/KIA")
    desk.press("Panggil berikutnya")
    desk.press("Mulai periksa")
    search, choices = page.get_by_label("Cari diagnosis"), page.locator("#diagnosis-options input")
    search.fill("anemia")
    first, second = choices.nth(0), choices.nth(1)
    first.check()
    wanted = second.get_attribute("value")
    held = []
    page.route("**/diagnosis?*", lambda route: held.append(route))
    with page.expect_request("**/diagnosis?*"):
        search.fill("")
    first.press("Space")
    second.check()
    with page.expect_response("**/diagnosis?*"):
        held.pop().continue_()
    expect(choices).to_have_count(2)
    ticked = page.locator("#diagnosis-options :checked")
    expect(ticked).to_have_count(1)
    expect(ticked).to_have_value(wanted)


def test_the_check_page_is_read_from_its_top_though_enter_saves(live_server, page):
    desk = Desk(page, live_server).log_in("loket")
    page.set_viewport_size({"width": 1366, "height": 768})
    desk.follow(desk.known_adult("Agus"))
    desk.tell_complaint("batuk pilek", "UMUM")
    save = page.get_by_role("button", name="Simpan")
    expect(save).to_be_focused()
    expect(save).to_be_in_viewport()
    page.wait_for_timeout(300)  # a browser scrolls to what has the focus a moment later
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight"), "it all fits"


def test_what_was_found_by_its_code_stays_ticked_through_the_next_search(live_server, page):
    desk = Desk(page, live_server).log_in("kia")
    desk.go("/poli/KIA")
    desk.press("Panggil berikutnya")
    desk.press("Mulai periksa")
    # The actions' search offers two boxes of one value: the action, and the word as it stands.
    for label, name, code, words in (
        ("Cari diagnosis", "diagnosis", "I10", "batuk"),
        ("Cari tindakan", "procedure", "NEBUL", "suntik"),
    ):
        choices = page.locator(f"#{name}-options input")
        page.get_by_label(label).fill(code)
        page.locator(f'#{name}-options input[value="{code}"]').first.check()
        with page.expect_response(f"**/*{name}_search={words}*"):
            page.get_by_label(label).fill(words)
        expect(choices.nth(1)).not_to_have_value(code)
        choices.nth(1).check()
        expect(page.locator(f"#{name}-options :checked")).to_have_count(2)
        expect(choices.first).to_have_value(code)
        expect(choices.first).to_be_checked()


def tab_to(page: Page, field: Locator) -> None:
    """By Tab as far as this field."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if field.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError(f"Tab never came to {field}")


def test_a_visit_in_the_room_by_keys_alone(live_server, page):
    """From the call to the end, with Back between the save and what is written after it."""
    clerk = Browser(live_server).log_in("loket")
    number = register(clerk, person(8850, "GIZI") | {"priority": "GAWAT"}).label
    desk = Desk(page, live_server).log_in("umum")
    desk.go("/poli/GIZI")
    keys, title = page.keyboard, page.get_by_role("heading", level=1)
    said = page.locator("main [role=status]")
    press_access_key(page, "p")
    expect(said).to_contain_text("Memanggil")
    while number not in said.inner_text():  # other tests leave emergencies in this room too
        before = said.inner_text()
        press_access_key(page, "p")
        expect(said).to_contain_text("Memanggil")
        expect(said).not_to_have_text(before)
    press_access_key(page, "m")
    expect(title).to_contain_text("Pemeriksaan")
    press_access_key(page, "i")
    tab_to(page, page.get_by_label("Sistolik"))
    keys.type("118")
    keys.press("Enter")
    expect(page.get_by_label("Diastolik")).to_be_focused()
    keys.type("76")
    tab_to(page, page.get_by_label("Anamnesis"))
    keys.type("Berat turun sejak sebulan")
    press_access_key(page, "a")
    keys.type("malnutrisi")
    option = page.locator("#diagnosis-options input").first
    expect(option).to_be_visible()
    tab_to(page, option)
    keys.press("Space")
    expect(option).to_be_checked()
    press_access_key(page, "s")
    expect(said).to_contain_text("Tersimpan")
    here = page.url
    page.go_back()  # Alt and the arrow to the left
    expect(page.get_by_label("Sistolik")).to_have_value("118")
    subjective = page.get_by_label("Anamnesis")
    expect(subjective).to_have_value("Berat turun sejak sebulan")
    press_access_key(page, "i")
    tab_to(page, subjective)
    keys.press("End")
    keys.type(", lemas")
    press_access_key(page, "j")
    keys.press("Tab")
    keys.press("Space")
    expect(page.get_by_label("Pulang")).to_be_checked()
    press_access_key(page, "e")
    expect(said).to_contain_text("selesai")
    expect(desk.row(number)).to_have_attribute("data-state", "done")
    page.goto(here)
    written = page.get_by_role("main").inner_text()
    for words in ("118/76", "Berat turun sejak sebulan, lemas", "E43"):
        assert written.count(words) == 1, words
