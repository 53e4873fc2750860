"""A patient's whole way, as users take it: counter, queue, room, record."""

import pytest
from playwright.sync_api import expect

from tests.browser import violations
from tests.walk import Desk, Keys, Person, make_line_thin

pytestmark = pytest.mark.browser

DEWI = Person("Dewi Kartikasari Walk", "3171015204910007", "12-04-1991", "Perempuan")
BUDI = Person("Budi Hartawan Jalan", "3171010911780008", "09-11-1978", "Laki-laki")
AYU = Person("Ayu Lestari Pelan", "3171016307860009", "23-07-1986", "Perempuan")
RINI = Person("Rini Puspita Sabar", "3171014802950010", "08-02-1995", "Perempuan")
NOTES = {
    "Sistolik": "118",
    "Diastolik": "76",
    "Suhu °C": "36,7",
    "Anamnesis": "Gigi kanan bawah sakit sejak dua hari",
    "Pemeriksaan": "Karies pada 46, perkusi positif",
    "Penilaian": "Karies dentin",
    "Rencana": "Tambal sementara, kontrol satu minggu",
    "Tindakan dan terapi": "Asam mefenamat 500 mg 3x1",
}


def look_at(desk: Desk) -> None:
    """Where this desk's work stops for a moment axe finds nothing."""
    # A queue that reloads itself is how an arrival is seen where no script runs.
    without = () if desk.has_script else ("meta-refresh", "meta-refresh-no-exceptions")
    found = violations(desk.page, without=without, has_script=desk.has_script)
    assert not found, (desk.page.url, found)


def look_away(desk: Desk) -> None:
    """The same pages on a thin line need no second look."""


def walk(counter: Desk, room: Desk, person: Person, board=None, look=look_at) -> None:
    room.open_queue("GIGI")
    counter.fill_new_patient(person)
    look(counter)
    counter.tell_complaint("sakit gigi sejak kemarin", "GIGI")
    expect(counter.page.get_by_label("Identitas pasien")).to_contain_text(person.name)
    look(counter)
    number, before = counter.save()
    look(counter)
    room.see_arrival(number, person.name)
    look(room)
    room.call(number, before)
    look(room)
    if board:
        expect(board.locator(".board-rooms")).to_contain_text(number)
        expect(board.locator("body")).not_to_contain_text(person.name)
    room.start(number)
    expect(room.page.get_by_label("Identitas pasien")).to_contain_text(person.name)
    room.fill_examination(NOTES)
    room.find_diagnosis("gigi berlubang", "K02.9")
    look(room)
    room.finish()
    expect(room.row(number)).to_have_attribute("data-state", "done")
    look(room)


def see_in_history(records: Desk, person: Person, look=look_at) -> None:
    records.open_record(person.nik, person.name)
    look(records)
    main = records.page.get_by_role("main")
    for text in ("sakit gigi sejak kemarin", "118/76", "K02.9", *list(NOTES.values())[3:]):
        expect(main).to_contain_text(text)


def test_the_whole_walk(live_server, open_page):
    board = open_page(java_script_enabled=False)
    board.goto(f"{live_server}/layar")
    counter = Desk(open_page(), live_server).log_in("loket")
    room = Desk(open_page(), live_server).log_in("gigi")
    walk(counter, room, DEWI, board)
    see_in_history(Desk(open_page(), live_server).log_in("rekammedis"), DEWI)
    counter.search(DEWI.name)
    expect(counter.page.locator("#hasil-pertama")).to_contain_text("terakhir")


def test_the_whole_walk_without_scripts(live_server, open_page):
    def desk(username: str) -> Desk:
        page = open_page(java_script_enabled=False)
        return Desk(page, live_server, has_script=False).log_in(username)

    counter, room = desk("loket"), desk("gigi")
    walk(counter, room, BUDI)
    see_in_history(desk("rekammedis"), BUDI)


@pytest.mark.parametrize("person", [AYU, RINI], ids=["script", "no script"])
def test_the_whole_walk_on_a_line_of_64_kbit(live_server, open_page, person):
    """The head stands in at the counter and reads the record; all have their styles from before.

    Without scripts nothing happens while a page is on its way, so only the bytes take their time.
    """
    has_script = person is AYU

    def desk(username: str) -> Desk:
        page = open_page(java_script_enabled=has_script)
        found = Desk(page, live_server, has_script).log_in(username)
        make_line_thin(page, latency=300 if has_script else 20)
        return found

    counter, room = desk("kepala"), desk("gigi")
    walk(counter, room, person, look=look_away)
    see_in_history(counter, person, look=look_away)


def test_a_known_patient_takes_few_keys_and_one_to_confirm(live_server, page):
    """Besides typing; by Tab over the birth date and the button, or by Enter as scanners do."""
    counter = Desk(page, live_server).log_in("loket")
    for way, presses in ((["Tab", "Tab", "Tab"], 6), (["Enter"], 4)):
        mrn = counter.known_adult("Siti Aminah").get_attribute("data-mrn")
        counter.go("/pendaftaran")
        keys = Keys(page)
        page.keyboard.type(mrn)
        expect(page.locator("#hasil-pertama")).to_have_attribute("data-mrn", mrn)
        for key in way:
            keys.press(key)
        expect(page.locator("#hasil-pertama")).to_be_focused()
        keys.press("Enter")
        expect(page.get_by_label("Keluhan")).to_be_focused()
        page.keyboard.type("gigi ngilu")
        expect(page.locator("#saran .pick").first).to_have_attribute("value", "GIGI")
        keys.press("Tab")
        keys.press("Enter")
        assert keys.pressed == presses
        expect(page.get_by_role("heading", level=1)).to_have_text("Periksa kembali")
        expect(page.get_by_label("Identitas pasien")).to_contain_text(mrn)
        keys.press("Enter")
        assert counter.read_ticket()[0].startswith("G")
        assert keys.pressed == presses + 1
