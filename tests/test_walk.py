"""A patient's whole way, as users take it: counter, queue, room, record."""

import pytest
from playwright.sync_api import expect

from tests.walk import Desk, Person

pytestmark = pytest.mark.browser

DEWI = Person("Dewi Kartikasari Walk", "3171015204910007", "12-04-1991", "Perempuan")
BUDI = Person("Budi Hartawan Jalan", "3171010911780008", "09-11-1978", "Laki-laki")
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


def walk(counter: Desk, room: Desk, person: Person, board=None) -> None:
    room.open_queue("GIGI")
    counter.fill_new_patient(person)
    counter.tell_complaint("sakit gigi sejak kemarin", "GIGI")
    expect(counter.page.get_by_label("Identitas pasien")).to_contain_text(person.name)
    number, before = counter.save()
    room.see_arrival(number, person.name)
    room.call(number, before)
    if board:
        expect(board.locator(".board-rooms")).to_contain_text(number)
        expect(board.locator("body")).not_to_contain_text(person.name)
    room.start(number)
    expect(room.page.get_by_label("Identitas pasien")).to_contain_text(person.name)
    room.fill_examination(NOTES)
    room.find_diagnosis("gigi berlubang", "K02.9")
    room.finish()
    expect(room.row(number)).to_have_attribute("data-state", "done")


def see_in_history(records: Desk, person: Person) -> None:
    records.open_record(person.nik, person.name)
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
