"""A patient's way through the laboratory in a real browser: asked, measured, told at once, back."""

import pytest
from playwright.sync_api import expect

from tests.browser import violations
from tests.walk import MARKER, Desk

pytestmark = pytest.mark.browser


def test_from_the_room_to_the_laboratory_and_back(live_server, open_page):
    counter = Desk(open_page(), live_server).log_in("loket")
    room = Desk(open_page(), live_server).log_in("umum")
    lab = Desk(open_page(), live_server).log_in("lab")
    counter.known_adult("Wayan").click()
    counter.tell_complaint("badan lemas dan pucat", "UMUM")
    number, _ = counter.save()
    room.open_queue("UMUM")
    room.row(number).get_by_role("button", name="Panggil").click()
    room.start(number)
    order(room)
    assert not violations(room.page)
    room.finish()
    room.open_queue("UMUM")
    enter_a_critical_value(lab, number)
    banner = room.page.locator("[data-critical]").filter(has_text=number)
    expect(banner).to_contain_text("Hemoglobin 6,1 g/dL")
    expect(banner).to_contain_text("hasil sementara")
    expect(banner).to_have_attribute("role", "alert")
    finish_in_the_laboratory(lab, number)
    # By itself, in the same page: the value is final, and the patient stands ahead of new ones.
    expect(banner).not_to_contain_text("hasil sementara")
    expect(banner).not_to_have_attribute("role", "alert")  # said once
    waiting = room.page.locator(".queue-row[data-state=waiting]")
    here = waiting.filter(has_text=number)
    expect(here).to_contain_text("Kembali dari Laboratorium")
    assert room.page.evaluate(MARKER)
    texts = waiting.all_inner_texts()
    are_back = ["Kembali dari" in text for text in texts]
    assert are_back == sorted(are_back, reverse=True), "who is back stands ahead of new ones"
    assert not all(are_back)
    assert not violations(room.page)
    banner.get_by_role("button", name="Sudah dibaca").click()
    expect(room.page.locator("main")).to_contain_text("dicatat sudah dibaca")
    expect(banner).to_have_count(0)
    here.get_by_role("button", name="Panggil").click()
    called = room.page.locator(".queue-row[data-state=called]").filter(has_text=number)
    called.get_by_role("button", name="Mulai periksa").click()
    expect(room.page.locator("main")).to_contain_text("kritis rendah")


def order(room: Desk) -> None:
    room.page.get_by_label("Sistolik").fill("110")
    room.page.keyboard.press("Enter")
    expect(room.page.get_by_label("Diastolik")).to_be_focused()
    room.page.get_by_label("Diastolik").fill("70")
    room.page.get_by_text("Permintaan laboratorium").click()
    room.page.get_by_label("Hemoglobin", exact=True).check()
    room.page.get_by_label("Gula darah sewaktu").check()
    room.page.get_by_label("Catatan untuk laboratorium").fill("pucat sejak sebulan")
    room.press("Simpan sementara")
    # What is asked for leads there.
    expect(room.page.get_by_label("Rujuk internal")).to_be_checked()
    expect(room.page.get_by_label("Rujuk ke ruang")).to_have_value("LAB")
    room.page.get_by_label("Penilaian").fill("curiga anemia")


def enter_a_critical_value(lab: Desk, number: str) -> None:
    lab.open_queue("LAB")
    expect(lab.row(number)).to_contain_text("2 pemeriksaan")
    lab.row(number).get_by_role("button", name="Panggil").click()
    lab.row(number).get_by_role("button", name="Mulai periksa").click()
    expect(lab.page.get_by_role("heading", level=1)).to_have_text("Laboratorium")
    expect(lab.page.locator("main")).to_contain_text("pucat sejak sebulan")
    lab.send("Semua sampel diambil")
    expect(lab.page.locator("main")).to_contain_text("Sampel")
    lab.page.get_by_label("Hemoglobin", exact=True).fill("61")
    lab.page.keyboard.press("Enter")  # on to the next result; nothing is published yet
    expect(lab.page.get_by_label("Gula darah sewaktu", exact=True)).to_be_focused()
    lab.press("Simpan sementara")
    expect(lab.page.get_by_role("alert")).to_contain_text("hampir tidak mungkin")
    assert not violations(lab.page)
    lab.page.get_by_label("Hemoglobin", exact=True).fill("6,1")
    lab.press("Simpan sementara")
    expect(lab.page.locator("main")).to_contain_text("kritis rendah")


def finish_in_the_laboratory(lab: Desk, number: str) -> None:
    lab.page.get_by_label("Gula darah sewaktu", exact=True).fill("98")
    lab.press("Selesai")
    expect(lab.page.get_by_role("heading", level=1)).to_contain_text("Antrean")
    expect(lab.page.locator("main")).to_contain_text(f"Hasil {number}")
