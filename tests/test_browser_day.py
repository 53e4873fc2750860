"""The day of one patient, a pregnant woman: counter, KIA, laboratory, KIA again, pharmacy."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from clinic.pregnancy import naegele
from formatting import short_date
from tests.browser import violations
from tests.walk import DEMO_ZONE, Desk, Person, every

pytestmark = pytest.mark.browser

IRON, PENICILLIN = "Tablet tambah darah 60/0,4 mg tablet", "Amoksisilin 500 mg"
REASON = "hanya ruam ringan, dipantau bidan"


@pytest.fixture
def desk(live_server, open_page):
    """desk("kia") is that account at a browser of its own."""

    def make(username: str, *, has_script: bool = True) -> Desk:
        page = open_page(java_script_enabled=has_script)
        return Desk(page, live_server, has_script).log_in(username)

    return make


def test_the_day_of_one_patient(desk):
    person = Person("Ratna Juwita Seharian", "3171015504960011", "15-04-1996", "Perempuan")
    midwife, pharmacy = desk("kia"), desk("farmasi")
    number = register(desk("loket"), person)
    in_stock = stock_of(pharmacy)
    visit = first_time_in_kia(midwife, number, person)
    in_the_laboratory(desk("lab"), number)
    pharmacy.open_queue("FARMASI")
    again_in_kia(midwife, number)
    assert not violations(in_the_pharmacy(pharmacy, number, person, {"Penisilin", REASON}))
    hand_out(pharmacy, person)
    assert stock_of(pharmacy) == in_stock - 30
    paper = a_summary_to_take_home(midwife, visit, person)
    what_the_record_says(desk("rekammedis"), person, paper)


def test_from_kia_to_the_pharmacy_without_scripts(desk):
    person = Person("Lestari Handayani Sehari", "3171016006950013", "20-06-1995", "Perempuan")
    midwife, pharmacy = desk("kia", has_script=False), desk("farmasi", has_script=False)
    number = register(desk("loket", has_script=False), person)
    in_stock = stock_of(pharmacy)
    pharmacy.open_queue("FARMASI")
    called_in(midwife, "KIA", number)
    midwife.fill_examination({"Penilaian": "Hamil 20 minggu"})
    prescribe(midwife, "tambah darah", IRON, "3x1", "10")
    midwife.finish()
    in_the_pharmacy(pharmacy, number, person)
    hand_out(pharmacy, person)
    assert stock_of(pharmacy) == in_stock - 30


def register(counter: Desk, person: Person) -> str:
    """The new patient's number."""
    counter.fill_new_patient(person)
    counter.page.get_by_label("Sedang hamil").select_option("ya")
    counter.tell_complaint("kontrol hamil, sering pusing", "KIA")
    number, _ = counter.save()
    return number


# --- KIA, for the first time ------------------------------------------------------------------


def row_of(room: Desk, number: str, state: str) -> Locator:
    """Who comes back has a row for each stay."""
    return room.page.locator(f'.queue-row[data-number="{number}"][data-state={state}]')


def called_in(room: Desk, code: str, number: str) -> Locator:
    """The page's heading, once the patient was called and has come in."""
    room.open_queue(code)
    row_of(room, number, "waiting").get_by_role("button", name="Panggil").click()
    row_of(room, number, "called").get_by_role("button", name="Mulai periksa").click()
    return room.page.get_by_role("heading", level=1)


def first_time_in_kia(room: Desk, number: str, person: Person) -> str:
    """Pregnancy form, allergy, laboratory order; the visit's address."""
    page, main = room.page, room.page.locator("main")
    expect(called_in(room, "KIA", number)).to_contain_text("Pemeriksaan KIA")
    visit = page.url
    expect(page.get_by_label("Identitas pasien")).to_contain_text(person.name)
    first_day = datetime.now(DEMO_ZONE).date() - timedelta(weeks=20)
    told = {"HPHT": short_date(first_day), "G": "2", "P": "1", "A": "0", "LILA (cm)": "22,5"}
    for label, text in told.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Penilaian", exact=True).fill("Hamil 20 minggu, curiga anemia")
    page.get_by_text("Tambah alergi").click()
    page.get_by_label("Alergi terhadap").fill("Penisilin")
    page.get_by_text("Permintaan laboratorium").click()
    page.get_by_label("Hemoglobin", exact=True).check()
    room.press("Simpan sementara")
    expect(main).to_contain_text("Usia kehamilan 20 minggu 0 hari")
    expect(main).to_contain_text(f"HPL {short_date(naegele(first_day))}")
    expect(page.locator("[data-rule=KEHAMILAN-LILA]")).to_contain_text("risiko KEK")
    expect(page.locator(".allergy")).to_contain_text("Penisilin")
    expect(page.get_by_label("Rujuk ke ruang")).to_have_value("LAB")
    room.finish()
    expect(room.row(number)).to_have_attribute("data-state", "awaiting_result")
    return visit


def in_the_laboratory(lab: Desk, number: str) -> None:
    expect(called_in(lab, "LAB", number)).to_have_text("Laboratorium")
    expect(lab.page.locator(".allergy")).to_contain_text("Penisilin")
    lab.press("Semua sampel diambil")
    expect(lab.page.locator("main")).to_contain_text("Sampel")
    lab.page.get_by_label("Hemoglobin", exact=True).fill("9,8")
    lab.press("Selesai")
    expect(lab.page.locator("main [role=status]")).to_contain_text(f"Hasil {number}")


# --- KIA, with the result ---------------------------------------------------------------------


def again_in_kia(room: Desk, number: str) -> None:
    page, main = room.page, room.page.locator("main")
    room.open_queue("KIA")
    texts = page.locator(".queue-row[data-state=waiting]").all_inner_texts()
    are_back = ["Kembali dari" in text for text in texts]
    assert are_back == sorted(are_back, reverse=True), "who is back stands ahead of new ones"
    expect(row_of(room, number, "waiting")).to_contain_text("Kembali dari Laboratorium")
    expect(called_in(room, "KIA", number)).to_contain_text("Pemeriksaan KIA")
    expect(main).to_contain_text("9,8 g/dL")
    room.fill_examination({"Penilaian": "Anemia pada kehamilan"})
    room.find_diagnosis("anemia", "O99.0")
    prescribe(room, "tambah darah", IRON, "3x1", "10")
    prescribe(room, "amoks", PENICILLIN, "3x1", "5")
    assert not violations(page)
    room.press("Selesai")
    answer_the_warning(room)
    room.finish()
    expect(main.locator("[role=status]")).to_contain_text("pasien antre di Farmasi")


def prescribe(room: Desk, words: str, medicine: str, sig: str, days: str) -> None:
    page = room.page
    page.get_by_label("Cari obat").press_sequentially(words)
    if not room.has_script:
        room.press("Cari obat")
    page.locator("#medicine-options label").filter(has_text=medicine).click()
    if not room.has_script:
        room.press("Cari obat")
    line = page.get_by_role("group", name=medicine)
    line.get_by_label("Aturan").fill(sig)
    line.get_by_label("Hari").fill(days)


def answer_the_warning(room: Desk) -> None:
    expect(room.page.get_by_role("alert").first).to_be_visible()
    warning = room.page.locator("section[data-rule=ALERGI]")
    expect(warning).to_contain_text("Penisilin")
    warning.get_by_label("Alasan tetap memberi").fill(REASON)


# --- Pharmacy ---------------------------------------------------------------------------------


def stock_of(pharmacy: Desk) -> int:
    """Tablets of iron, by the newest line of their card."""
    pharmacy.go("/farmasi/stok/TTD")
    newest = pharmacy.page.locator("table").last.locator("tbody tr").first
    return int(newest.locator("[data-label=Sisa]").inner_text().replace(".", ""))


def in_the_pharmacy(desk: Desk, number: str, person: Person, told: Iterable[str] = ()) -> Page:
    """Called in and looked over. Nobody queued the patient here, and the page was open before."""
    page, main = desk.page, desk.page.locator("main")
    desk.see_arrival(number, person.name)
    expect(called_in(desk, "FARMASI", number)).to_have_text("Farmasi")
    for text in (person.name, IRON, *told):
        expect(main).to_contain_text(text)
    for aspect in every(page.get_by_role("checkbox")):
        aspect.check()
    desk.press("Telaah selesai")
    expect(main.locator("[role=status]")).to_contain_text("sudah ditelaah")
    return page


def hand_out(desk: Desk, person: Person) -> None:
    page, here = desk.page, desk.page.url
    page.get_by_role("link", name="Etiket").click()
    label = page.locator(".etiket").filter(has_text="Tablet tambah darah")
    expect(label).to_contain_text(person.name)
    expect(label).to_contain_text("3 x sehari 1 tablet")
    page.goto(here)
    for beyond in every(page.locator("[name^=lebih-]")):
        beyond.fill("kiriman belum dicatat")
    desk.press("Serahkan obat")
    expect(page.locator("main [role=status]")).to_contain_text("diserahkan. Pasien pulang.")


# --- What is left of it -----------------------------------------------------------------------


def a_summary_to_take_home(room: Desk, visit: str, person: Person) -> str:
    """Its number."""
    page = room.page
    page.goto(visit)
    assert not violations(page)
    page.get_by_role("link", name="Terbitkan surat").click()
    page.get_by_role("link", name="Ringkasan").last.click()
    room.press("Periksa dulu")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Periksa dulu")
    room.press("Terbitkan")
    expect(page.locator("main [role=status]")).to_contain_text("terbit")
    expect(page.locator("main")).to_contain_text(person.name)
    assert not violations(page)
    return page.locator("h1 .num").inner_text()


def what_the_record_says(records: Desk, person: Person, paper: str) -> None:
    records.open_record(person.nik, person.name)
    main = records.page.locator("main")
    for text in (
        "kontrol hamil, sering pusing",
        "Usia kehamilan 20 minggu 0 hari",
        "risiko KEK",
        "9,8 g/dL",
        "O99.0",
        "Anemia pada kehamilan",
        IRON,
        "diserahkan",
    ):
        expect(main).to_contain_text(text)
    records.page.get_by_text("Surat terbaru").click()
    expect(records.page.get_by_role("link", name=paper)).to_be_visible()
    assert not violations(records.page)
