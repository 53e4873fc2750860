"""What is typed in an examination outlives the browser and a broken line, and lies on no disk."""

import itertools
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser import ARGUMENTS, chromium_path
from tests.clients import Browser, person, register
from tests.walk import Desk

pytestmark = pytest.mark.browser

serials = itertools.count(7001)
TYPED = "Kolesistitis sejak kemarin malam"
LOST = "Sambungan terputus"


@dataclass(frozen=True)
class Room:
    """A patient in the emergency room, whom nobody else of the suite looks at."""

    address: str
    visit: str

    def open(self, page: Page) -> Page:
        Desk(page, self.address).log_in("umum")
        page.goto(f"{self.address}/kunjungan/{self.visit}")
        return page


@pytest.fixture
def room(live_server) -> Room:
    ticket = register(
        Browser(live_server).log_in("loket"), person(next(serials), "UGD") | {"priority": "GAWAT"}
    )
    nurse = Browser(live_server).log_in("umum")
    for step in ("panggil", "mulai"):
        nurse.post(f"/antrean/{ticket.entry}/{step}").expect(303)
    return Room(live_server, ticket.visit)


@pytest.fixture
def context(browser):
    """A browser's window whose dialogs are the test's business."""
    context = browser.new_context()
    yield context
    context.close()


def anamnesis(page: Page):
    return page.get_by_label("Anamnesis", exact=True)


def state(page: Page):
    return page.locator("[data-keep-state]")


def test_it_outlives_the_browser_and_lies_nowhere_on_the_disk(room, browser, open_page, tmp_path):
    profile = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium_path(), args=ARGUMENTS
    )
    try:
        page = room.open(profile.new_page())
        assert page.reload().headers["cache-control"] == "no-store"
        anamnesis(page).press_sequentially(TYPED)
        page.get_by_label("Pulang", exact=True).check()
        expect(state(page)).to_have_text(re.compile(r"Tersimpan otomatis \d\d\.\d\d"))
        page.get_by_label("Nadi", exact=True).fill("999")
        page.get_by_role("button", name="Simpan sementara").click()
        expect(page.get_by_text("Periksa isian berikut")).to_be_visible()
        expect(state(page)).to_have_text(re.compile(r"Tersimpan otomatis \d\d\.\d\d"))
        kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
        assert kept == [0, 0, ""]
    finally:
        profile.close()
    assert traces_of(TYPED, tmp_path) == []
    page = room.open(open_page())
    expect(anamnesis(page)).to_have_value(TYPED)
    expect(page.get_by_label("Nadi", exact=True)).to_have_value("999")
    expect(page.get_by_label("Pulang", exact=True)).to_be_checked()
    expect(page.get_by_role("main")).to_contain_text("yang belum disimpan dipulihkan")


def traces_of(text: str, profile) -> list[str]:
    """The files of a closed browser with the text's longest word: a form sends + for blanks."""
    files = {path: path.read_bytes() for path in profile.rglob("*") if path.is_file()}
    assert files
    word = max(text.split(), key=len)
    forms = (word.encode(), word.encode("utf-16-le"))
    return [path.name for path, held in files.items() if any(form in held for form in forms)]


SEEN = "Terhuyung-huyung dipapah ibunya"
PLAN = "Konsultasi endokrinologi besok pagi"


def test_nor_does_what_is_typed_at_the_vital_signs_and_in_an_amendment(
    room, browser, open_page, tmp_path
):
    profile = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium_path(), args=ARGUMENTS
    )
    try:
        page = room.open(profile.new_page())
        page.get_by_label("Penilaian", exact=True).fill("Dispepsia")
        page.get_by_label("Rujuk internal", exact=True).check()
        page.get_by_label("Rujuk ke ruang").select_option("GIZI")
        page.get_by_role("button", name="Selesai").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Antrean")
        page.goto(f"{room.address}/kunjungan/{room.visit}")
        page.get_by_role("link", name="Betulkan").click()
        amendment = page.url
        page.get_by_label("Rencana", exact=True).press_sequentially(PLAN)
        refused(page, "Simpan pembetulan")
        page.goto(f"{room.address}/kunjungan/{room.visit}/tanda-vital")
        page.get_by_label("Catatan triase").press_sequentially(SEEN)
        refused(page, "Simpan tanda vital")
    finally:
        profile.close()
    assert traces_of(PLAN, tmp_path) == traces_of(SEEN, tmp_path) == []
    page = room.open(open_page())
    page.goto(amendment)
    expect(page.get_by_label("Rencana", exact=True)).to_have_value(PLAN)
    page.goto(f"{room.address}/kunjungan/{room.visit}/tanda-vital")
    expect(page.get_by_label("Catatan triase")).to_have_value(SEEN)


def test_nor_does_what_a_refused_form_sent_without_any_script(room, browser, tmp_path):
    """A browser writes the body of a request with its history, if a page answers it."""
    profile = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium_path(), args=ARGUMENTS, java_script_enabled=False
    )
    try:
        page = room.open(profile.new_page())
        anamnesis(page).fill(TYPED)
        page.get_by_label("Nadi", exact=True).fill("cepat")
        page.get_by_role("button", name="Simpan sementara").click()
        expect(page.get_by_text("Periksa isian berikut")).to_be_visible()
        page.goto(f"{room.address}/bantuan")
        page.go_back()
        expect(anamnesis(page)).to_have_value(TYPED)
        Desk(page, room.address).press("Keluar")
        Desk(page, room.address).log_in("loket").go("/pendaftaran/baru")
        page.get_by_label("Nama lengkap").fill(SEEN)
        Desk(page, room.address).press("Periksa kembali")
        expect(page.get_by_text("Periksa isian berikut")).to_be_visible()
        page.wait_for_timeout(4000)  # Chromium writes its history every 2.5 s
    finally:
        profile.close()
    assert traces_of(TYPED, tmp_path) == traces_of(SEEN, tmp_path) == []


def refused(page: Page, button: str) -> None:
    page.get_by_label(re.compile("^Nadi")).fill("cepat")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("Periksa isian berikut")).to_be_visible()
    expect(state(page)).to_have_text(re.compile(r"Tersimpan otomatis \d\d\.\d\d"))


def test_a_line_that_is_down_costs_no_word(room, context):
    page = room.open(context.new_page())
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    trouble = page.locator("[data-poll-status]")
    context.set_offline(True)
    anamnesis(page).press_sequentially(TYPED)
    expect(trouble).to_contain_text(LOST)
    page.evaluate("setTimeout(() => { location.href = '/bantuan' })")
    page.wait_for_timeout(300)  # nothing tells that a page was not left
    assert asked == ["beforeunload"]
    expect(anamnesis(page)).to_have_value(TYPED)
    # A save waits for the line, unless somebody goes on typing.
    page.get_by_role("button", name="Simpan sementara").click()
    anamnesis(page).press_sequentially(", demam")
    context.set_offline(False)
    expect(state(page)).to_contain_text("Tersambung lagi, terkirim")
    expect(trouble).to_be_empty()
    context.set_offline(True)
    page.get_by_label("Penilaian", exact=True).fill("Kolesistitis akut")
    page.get_by_label("Pulang", exact=True).check()
    expect(trouble).to_contain_text(LOST)
    page.get_by_role("button", name="Selesai").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pemeriksaan")
    context.set_offline(False)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Antrean")
    expect(page.locator("main [role=status]")).to_contain_text("selesai")
    page.goto(f"{room.address}/kunjungan/{room.visit}")
    expect(page.get_by_role("main")).to_contain_text(f"{TYPED}, demam")
    expect(page.get_by_role("main")).not_to_contain_text("Ketikan Anda")
    assert asked == ["beforeunload"], "nobody is asked about text that was sent"


def test_a_session_that_ended_waits_for_its_author(room, context):
    page = room.open(context.new_page())
    anamnesis(page).press_sequentially("Demam")
    expect(state(page)).to_contain_text("Tersimpan otomatis")
    other = Desk(context.new_page(), room.address)
    for words, username in ((" tinggi", "loket"), (" tiga hari", "umum")):
        log_out(other)
        anamnesis(page).press_sequentially(words)
        expect(page.locator("[data-poll-status]")).to_contain_text("Masuk lagi dengan akun Anda")
        link = page.get_by_role("link", name="Masuk lagi")
        expect(link).to_have_attribute("href", "/masuk")
        expect(link).to_have_attribute("target", "_blank")
        other.log_in(username)
    expect(state(page)).to_contain_text("Tersambung lagi, terkirim")
    page.get_by_role("button", name="Simpan sementara").click()
    expect(page.locator("main [role=status]")).to_contain_text("Tersimpan pukul")
    expect(anamnesis(page)).to_have_value("Demam tinggi tiga hari")


def test_the_first_words_of_a_page_that_is_loaded_again_at_once_are_told(room, context):
    page = room.open(context.new_page())
    anamnesis(page).press_sequentially(TYPED)
    page.reload()
    if not anamnesis(page).input_value():  # the page was quicker than the words
        page.get_by_role("link", name="Muat lagi").click()
    expect(anamnesis(page)).to_have_value(TYPED)


def log_out(desk: Desk) -> None:
    desk.go("/bantuan")
    desk.press("Keluar")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Masuk")


BEHIND = """() => {
  const form = document.querySelector('form[data-keep]');
  const data = new URLSearchParams(new FormData(form));
  data.set('ketikan', 'abcd');
  data.set('subjective', 'yang menyusul');
  return fetch(form.dataset.keepAt + '&ke=1', { method: 'POST', body: data }).then(r => r.status);
}"""
COVERED = """() => {
  const node = document.activeElement, bar = document.getElementById('susulan');
  const one = node.getBoundingClientRect(), other = bar.getBoundingClientRect();
  const isUnder = one.bottom > other.top + 1 && one.top < other.bottom - 1;
  const isOnPage = node !== document.body && !bar.contains(node);
  return isOnPage && isUnder ? node.outerHTML.slice(0, 80) : '';
}"""
AT = "part => window.scrollTo(0, part * document.documentElement.scrollHeight)"


@pytest.mark.parametrize("size", [(360, 640), (1366, 768)], ids=["phone", "screen"])
def test_words_behind_the_page_are_told_wherever_it_is_scrolled(room, page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    room.open(page)
    assert page.evaluate(BEHIND) == 201
    link = page.get_by_role("link", name="Muat lagi")
    for part in (0, 0.5, 1):
        page.evaluate(AT, part)
        expect(link).to_be_in_viewport(ratio=1)
    for key in ("Tab", "Shift+Tab"):
        page.evaluate(AT, 0 if key == "Tab" else 1)
        for _ in range(70):
            page.keyboard.press(key)
            assert page.evaluate(COVERED) == ""
    link.click()
    expect(anamnesis(page)).to_have_value("yang menyusul")
