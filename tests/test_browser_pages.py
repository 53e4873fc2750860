"""Every page, as everybody must be able to use it: axe finds nothing, nothing is too wide."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser import SCREEN, violations
from tests.walk import Desk, every

pytestmark = pytest.mark.browser

# Reached by no link: fragments, files, and what only answers machines.
NO_PAGES = {"static", "system.healthz", "poli.queue_rows", "poli.room_tiles"} | {
    "examination.diagnosis_options",
    *("records.import_progress", "records.import_broken", "examination.typing_token"),
    "examination.late_typed",
    *("examination.medicine_options", "examination.procedure_options"),
    *("examination.prescription_line", "reports.download", "reports.register_file"),
    *("reports.pcare_file", "reports.visits_file"),
    *("system.backup_progress", "system.side_copy_progress", "closing.steps"),
    *("self_statistics.internet_file", "auth.lock"),
}
# There is one only while a list is imported: test_browser_import.py looks at them.
OF_AN_IMPORT = {"records.import_page", "records.import_columns_page", "records.import_rows"}
# Who wanders about may meet them or not: test_pages_of_papers looks at them.
OF_PAPERS = {"papers.form", "papers.paper", "papers.patient_papers", "papers.sample_labels"}
# So too the one of vaccines: test_pages_of_the_rooms_forms.
OF_FORMS = {"examination.immunization"}
# And a prescription's: test_pages_of_a_prescription.
OF_PRESCRIPTIONS = {
    *("pharmacy.visit", "pharmacy.labels", "pharmacy.copy", "pharmacy.substitution"),
    "examination.new_prescription",
}
# A block and its sheet: test_pages_of_paper_slips.
OF_SLIPS = {"registration.slip_block"}
# A backup opened aside: test_pages_of_a_restore.
OF_BACKUPS = {"system.side_copy"}
UNLINKED = [
    "/pemeriksaan/kertas",
    "/poli/UMUM/belum-selesai",
    "/layar",
    "/layar/UMUM",
    "/sistem/kamus/coba",
]
# Linked from tests with numbers, and while somebody has to validate.
UNLINKED += ["/sistem/laboratorium/1", "/sistem/laboratorium/1/rujukan", "/laboratorium/validasi"]
UNLINKED += ["/sistem/tindakan/1"]
# The comparison of two records is in test_browser_same_person.py.
LOOKED_AT_BELOW = {
    "auth.login",
    "registration.check",
    "registration.compare",
    "records.merged",
    "registration.check_correction",
    "examination.laboratory",
}
PHONE = {"width": 360, "height": 740}
# The board reloads itself: that is what it is for, and it works without scripts.
BOARD_RULES = ("meta-refresh", "meta-refresh-no-exceptions")
TOO_WIDE = """() => document.scrollingElement.scrollWidth <= innerWidth ? [] :
  [...document.body.querySelectorAll('*')]
    .filter(node => node.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map(node => 'too wide: ' + node.outerHTML.slice(0, 120))"""

# A flex box makes a column of each text and link of a cell; a button grows out of its own.
BROKEN_CELLS = """() => [...document.querySelectorAll('td')].filter(cell => {
  const top = cell.getBoundingClientRect().top - 1;
  return (getComputedStyle(cell).display === 'flex' && cell.childNodes.length > 1) ||
    [...cell.querySelectorAll('.btn')].some(each => each.getBoundingClientRect().top < top);
}).slice(0, 3).map(cell => 'a broken cell: ' + cell.outerHTML.slice(0, 200))"""


def look_at(page: Page, name: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """What is wrong with the page as it stands, on an old screen and on a cheap phone."""
    found = violations(page, without=without) + page.evaluate(TOO_WIDE)
    page.set_viewport_size(PHONE)
    on_a_phone = violations(page, only=("target-size",))
    on_a_phone += page.evaluate(TOO_WIDE) + page.evaluate(BROKEN_CELLS)
    page.set_viewport_size(SCREEN)
    return [f"{name}: {problem}" for problem in found] + [
        f"{name} on a phone: {problem}" for problem in on_a_phone
    ]


# The longest room and an ordinary full address.
LONGEST_TICKET = """() => {
  document.querySelector('.ticket-room').textContent = 'Imunisasi dan Tumbuh Kembang';
  document.querySelector('.ticket small').textContent =
    'Jl. Raya Praya-Mujur Km. 3, Desa Sengkol, Kecamatan Pujut, Kabupaten Lombok Tengah 83573';
}"""


def sheets_of(page: Page) -> list[tuple[int, int]]:
    """Width and height in millimetres of each sheet that it prints."""
    printed = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    return [tuple(round(float(points) / 72 * 25.4) for points in box) for box in boxes]


def links(page: Page) -> list[str]:
    return page.eval_on_selector_all(
        "a[href^='/']:not([download])",
        "links => links.map(link => link.getAttribute('href').split('#')[0])",
    )


def test_all_tabs_of_the_system_stand_on_an_old_screen(live_server, page):
    Desk(page, live_server).log_in("kepala")
    page.goto(f"{live_server}/sistem/audit")
    for tab in every(page.locator(".tabs a")):
        box = tab.bounding_box()
        assert box["x"] + box["width"] <= SCREEN["width"], tab.inner_text()


LONG_NAMES = """() => {
  document.querySelector('.brand').textContent =
    'UPTD Puskesmas Rawat Inap Kecamatan Tenggarong Seberang';
  document.querySelector('.who b').textContent = 'dr. Hj. Siti Nurhaliza Rahmawati, M.Kes.';
}"""


def test_the_whole_menu_stands_beside_long_names(live_server, page):
    Desk(page, live_server).log_in("kepala")
    page.evaluate(LONG_NAMES)
    for width in (SCREEN["width"], 1024, 768):
        page.set_viewport_size({"width": width, "height": 768})
        menu = page.locator(".bar nav").bounding_box()
        for link in every(page.locator(".bar nav a")):
            box, name = link.bounding_box(), f"{link.inner_text()} at {width}"
            assert box["x"] + box["width"] <= menu["x"] + menu["width"], name
        assert not page.evaluate(TOO_WIDE)
        if width == SCREEN["width"]:
            assert menu["height"] < 60, "one line on an old screen"
    page.set_viewport_size(SCREEN)


@pytest.fixture
def head_of_a_long_name(live_server, page):
    """Whose clinic has one; the server is every test's, so its own name comes back."""
    head = Desk(page, live_server).log_in("kepala")

    def call_it(name: str) -> str:
        head.go("/sistem/pengaturan")
        before = page.input_value("#f-clinic_name")
        page.fill("#f-clinic_name", name)
        head.press("Simpan pengaturan")
        expect(page.locator(".brand")).to_have_text(name)
        return before

    before = call_it("Puskesmas" * 11)
    yield head
    page.set_viewport_size(SCREEN)
    call_it(before)


def test_a_name_without_a_space_breaks_no_page(head_of_a_long_name, page):
    head, name, word = head_of_a_long_name, "Wa" + "ng" * 40, "x" * 150
    head.go("/pendaftaran/baru")
    typed = {"nik": "5299014507950077", "name": name, "birth_date": "05-07-1995"}
    for field, text in (typed | {"address": f"Jalan {word}", "complaint": word}).items():
        page.fill(f"#f-{field}", text)
    page.get_by_label("Perempuan").check()
    page.select_option("#f-poli", "UMUM")
    head.send("Periksa kembali")
    found = too_wide(page, "check page")
    head.send("Simpan dan beri nomor")
    page.wait_for_url("**/tiket/*")
    visit = page.url.rpartition("/")[2]
    head.search(name)
    expect(page.locator("#hasil-pertama")).to_be_visible()
    record = page.locator("#hasil-pertama").get_attribute("href")
    for path in (
        "",
        f"/pendaftaran/tiket/{visit}",
        f"/pendaftaran/kunjungan/{visit}/ubah",
        f"/pendaftaran/kunjungan/{visit}/identitas",
        record,
        record.replace("/pendaftaran", ""),
        "/pendaftaran/hari-ini",
        "/poli/UMUM",
        "/layar",
    ):
        if path:
            head.go(path)
        found += too_wide(page, path)
    assert not found, "\n".join(found)


def too_wide(page: Page, name: str) -> list[str]:
    found = []
    for size in (PHONE, SCREEN):
        page.set_viewport_size(size)
        found += [f"{name} {size['width']}: {one}" for one in page.evaluate(TOO_WIDE)]
    return found


def an_earlier_visit(desk: Desk, page: Page) -> str:
    """The page of one visit; only records of people who came more than once lead to any."""
    for path in links(page):
        if path.startswith("/pendaftaran/pasien/"):
            desk.go(path.removeprefix("/pendaftaran"))
            found = [one for one in links(page) if re.match(r"/pasien/[\w-]+/kunjungan/", one)]
            if found:
                return found[0]
    raise AssertionError("nobody who was found came more than once")


def test_every_page_that_a_link_leads_to(app, live_server, page):
    head = Desk(page, live_server).log_in("kepala")
    Desk(page, live_server).search("Siti Aminah")
    expect(page.locator("#hasil-pertama")).to_be_visible()
    # Today's tickets are looked at first: only they lead to a further room.
    waiting = sorted([*links(page), *UNLINKED], key=lambda path: "/tiket/" in path)
    waiting.insert(0, an_earlier_visit(head, page))
    # Last, a step of somebody who waits: the page of all steps may have been one of who is done.
    head.go("/poli/UMUM")
    row = page.locator(".queue-row[data-state=waiting]").first
    waiting.insert(0, f"/antrean/{row.get_attribute('data-entry')}/pindah")
    seen, found = set(), []
    urls = app.url_map.bind("")

    def endpoint_of(path: str) -> str:
        return urls.match(path.partition("?")[0])[0]

    while waiting:
        path = waiting.pop()
        if endpoint_of(path) in seen:  # of each kind one page is enough
            continue
        seen.add(endpoint_of(path))
        head.go(path)
        ends = page.url.removeprefix(live_server)
        if path == ends or endpoint_of(ends) not in seen:
            seen.add(endpoint_of(ends))
            is_board = path.startswith("/layar")
            found += look_at(page, path, without=BOARD_RULES if is_board else ())
            waiting += links(page)
    assert not found, "\n".join(found)
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and rule.endpoint not in NO_PAGES
    }
    by_chance = OF_AN_IMPORT | OF_PAPERS | OF_FORMS | OF_PRESCRIPTIONS | OF_SLIPS | OF_BACKUPS
    assert pages - seen - by_chance == LOOKED_AT_BELOW


@pytest.fixture
def look(page):
    """look("what it is") at the page as it stands; the test fails at its end, with all that is."""
    found = []
    yield lambda name: found.extend(look_at(page, name))
    assert not found, "\n".join(found)


def test_pages_for_strangers(live_server, page, look):
    desk = Desk(page, live_server)
    desk.go("/pendaftaran/baru")
    look("login")
    page.get_by_label("Nama pengguna").fill("loket")
    page.get_by_label("Kata sandi").fill("bukan ini")
    desk.press("Masuk")
    expect(page.get_by_role("alert")).to_be_focused()
    look("wrong password")
    desk.go("/tidak-ada")
    look("no such page")


def test_pages_of_paper_slips(live_server, page, look):
    desk = Desk(page, live_server).log_in("kepala")
    one, two, *_ = desk.print_slips()
    look("block of slips")
    assert set(sheets_of(page)) == {(210, 297)}
    desk.go("/pendaftaran/kertas/isi")
    people = ((one, "Wayan A", "41"), (two, "Wayan B", "2"), ("999999", "Wayan C", "31-02-1980"))
    ready, child, _ = [desk.fill_slip(*person) for person in people]
    page.locator("#f-name-1").press("Enter")
    expect(page.locator(f"[data-line='{ready}'][data-state='ready']")).to_be_visible()
    expect(page.locator(f"[data-line='{child}'] [data-rule]").first).to_be_visible()
    look("sheet of slips")
    desk.press("Simpan yang siap")
    expect(page.get_by_text("1 slip tersimpan")).to_be_visible()
    desk.go("/pemeriksaan/kertas")
    page.get_by_label("Kode ICD-10").first.fill("J06.9, A00")
    desk.press("Simpan")
    expect(page.get_by_text("Kode ini berarti")).to_be_visible()
    look("examination from paper")


def test_pages_of_a_correction(live_server, page, look):
    """With the NIK of somebody else, so that there is a warning, a comparison and a refusal."""
    head = Desk(page, live_server).log_in("kepala")
    head.open_record("Siti Aminah", "Siti Aminah")
    head.go("/pasien")  # what was searched for
    records = [link for link in links(page) if link.startswith("/pasien/")]
    for record in records:
        head.go(f"{record}/identitas")
        if nik := page.locator("#f-nik").input_value():
            break
    head.go("/rekam-medis/lengkapi")
    page.get_by_role("link", name="Lengkapi identitas").first.click()
    page.locator("#f-nik").fill(nik)
    head.press("Periksa kembali")
    expect(page.get_by_role("alert")).to_be_focused()
    look("a correction without a reason")
    page.get_by_label("Alasan perbaikan").fill("sesuai KTP yang dibawa")
    head.press("Periksa kembali")
    expect(page.get_by_role("heading", level=1)).to_have_text("Periksa perbaikan")
    expect(page.locator("[data-rule=NIK-TAKEN]")).to_be_visible()
    for summary in every(page.locator("main summary")):
        summary.click()
    look("before and after")
    head.press("Simpan perbaikan")
    expect(page.get_by_role("alert").first).to_be_focused()
    look("a correction that is refused")


def test_pages_of_reports(live_server, page, look):
    head = Desk(page, live_server).log_in("kepala")
    month = f"{date.today() - timedelta(days=40):%Y-%m}"
    head.go(f"/laporan?bulan={month}")
    page.get_by_role("button", name="Kunci").click()
    expect(page.get_by_role("button", name="Buka kunci")).to_be_visible()
    look("a locked month")
    for path in (f"form11?periode={month}", f"bpjs?periode={month}", f"rekap?periode={month}"):
        head.go(f"/laporan/{path}")
        look(path)
    head.follow(page.get_by_role("link", name="Tahun", exact=True))
    head.follow(page.locator(".sum a").last)
    look("a list")


def test_pages_of_the_laboratory(live_server, page, look):
    desk = Desk(page, live_server).log_in("lab")
    desk.go("/poli/LAB")
    page.get_by_role("link", name="Buka pemeriksaan").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Laboratorium")
    look("results to enter")
    desk.follow(page.get_by_role("link", name="Label sampel"))
    look("sample labels")
    page.go_back()
    desk.press("Selesai")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused results")
    desk.go("/poli/LAB")
    page.locator("#selesai summary").click()
    desk.follow(page.locator("#selesai .queue-who a").first)
    look("a visit that was finished")


def test_pages_of_papers(live_server, page, look):
    desk = Desk(page, live_server).log_in("umum")
    desk.go("/poli/UMUM")
    page.locator("#selesai summary").click()
    page.locator("#selesai [data-state=done] .queue-who a").first.click()
    desk.follow(page.get_by_role("link", name="Terbitkan surat"))
    look("papers of a visit")
    page.get_by_role("link", name="Surat Keterangan Sehat").click()
    desk.press("Periksa dulu")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused paper")
    page.get_by_label("Untuk keperluan").fill("Kerja di toko roti")
    page.get_by_label("Sehat", exact=True).check()
    desk.send("Periksa dulu")
    look("paper to read back")
    desk.press("Terbitkan")
    expect(page.locator("main [role=status]")).to_contain_text("terbit")
    look("paper")
    assert sheets_of(page) == [(148, 210)]
    page.locator("summary").click()
    page.get_by_label("Alasan").fill("Salah orang")
    desk.press("Batalkan surat")
    expect(page.locator(".letter-note")).to_contain_text("Salah orang")
    look("cancelled paper")
    page.get_by_role("link", name="Surat kunjungan ini").click()
    page.get_by_role("link", name="Riwayat lengkap").click()
    page.get_by_text("Surat terbaru").click()
    look("record with papers")
    desk.follow(page.get_by_role("link", name="Semua surat"))
    look("papers of a patient")


def test_pages_of_the_counter(live_server, page, look):
    desk = Desk(page, live_server).log_in("loket")
    desk.go("/sistem")
    look("not allowed")
    desk.search("Tidak Seorangpun Bernama Ini")
    expect(page.get_by_text("Tidak ada yang cocok")).to_be_visible()
    look("nobody found")
    desk.search("siti aminah")
    row = page.locator("#hasil .pick").first
    expect(row).to_be_visible()
    assert row.bounding_box()["height"] < 80, "a name and one line: six of them at a glance"
    desk.search("Tidak Seorangpun Bernama Ini")
    expect(page.get_by_text("Tidak ada yang cocok")).to_be_visible()
    desk.press("Pasien baru")
    desk.press("Periksa kembali")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused form")
    page.get_by_label("NIK", exact=True).fill("3171015210910009")
    page.get_by_label("Nama lengkap").fill("Siti Aminah")
    page.get_by_label("Keluhan").press_sequentially("kejang, tidak sadar")
    expect(page.get_by_role("button", name="Pakai")).to_be_visible()
    expect(page.locator(".redflag")).to_be_visible()
    look("form with a red flag and an offer")
    desk.press("Pakai")
    expect(page.locator(".match").first).to_be_visible()
    look("form with likely patients")
    page.get_by_label("Alamat").fill("Jalan Kenanga 7")
    page.get_by_label("Ruang tujuan").select_option("MTBS")
    desk.press("Periksa kembali")
    expect(page.locator(".warn[data-level=error]").first).to_be_visible()
    look("check page with warnings")
    desk.press("Simpan")
    expect(page.get_by_role("alert").first).to_contain_text("Belum disimpan")
    look("check page without reasons")
    for box in every(page.get_by_label("Alasan tetap")):
        box.fill("Diminta oleh dokter")
    for answer in every(page.get_by_label("Bukan")):
        answer.check()
    desk.press("Simpan")
    expect(page.locator(".ticket")).to_be_visible()
    look("ticket")
    assert sheets_of(page) == [(58, 100)]
    page.evaluate(LONGEST_TICKET)
    assert sheets_of(page) == [(58, 100)]
    page.get_by_role("link", name="Betulkan kunjungan").click()
    desk.press("Simpan pembetulan")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused correction")
    page.get_by_label("Cari pasien yang benar").fill("Nurhayati")
    desk.press("Cari")
    expect(page.get_by_role("button", name="Ganti pasien")).to_be_visible()
    look("another patient for the visit")
    desk.go("/pendaftaran/gawat")
    desk.press("Masukkan ke UGD")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused emergency")
    desk.known_adult("Nurhayati").click()
    desk.press("Periksa kembali")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused form of a known patient")
    desk.go("/pendaftaran")
    drafts = page.get_by_role("button", name="Buang")
    draft = page.locator("li", has=drafts).get_by_role("link").first.get_attribute("href")
    drafts.first.click()
    desk.go(draft)
    look("dropped draft")


def test_pages_of_the_room(live_server, page, look):
    desk = Desk(page, live_server).log_in("umum")
    desk.go("/poli/LANSIA")
    desk.press("Panggil berikutnya")
    row = page.locator(".queue-row[data-state=called]").first
    expect(row).to_be_visible()
    look("queue after a call")
    row.get_by_role("link", name="Lainnya").click()
    page.get_by_role("link", name="Pindah").click()
    desk.press("Pindahkan")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused move")
    desk.go("/poli/LANSIA")
    row.get_by_role("button", name="Mulai periksa").click()
    page.get_by_label("Suhu").fill("panas")
    page.get_by_label("Cari diagnosis").press_sequentially("hipertensi")
    expect(page.locator("#diagnosis-options input").first).to_be_visible()
    desk.press("Selesai")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused examination")
    page.get_by_label("Suhu").fill("39,9")
    page.locator("#diagnosis-options input").nth(0).check()
    page.get_by_label("Cari diagnosis").fill("")  # the list empties by itself, but for the tick
    desk.press("Simpan sementara")
    expect(page.locator("main [role=status]")).to_contain_text("Tersimpan")
    look("saved examination")
    page.get_by_label("Rencana").fill("kontrol tekanan darah")
    expect(page.locator("[data-keep-state]")).to_contain_text("Tersimpan otomatis")
    page.reload()
    page.get_by_text("Buang ketikan", exact=True).click()
    look("examination with what was typed before")
    page.get_by_label("Pulang").check()
    desk.press("Selesai")
    page.locator("#selesai summary").click()
    look("queue with those who are done")
    page.locator("#selesai").get_by_role("link").first.click()
    page.get_by_text("Tulis tambahan").first.click()
    desk.send("Simpan tambahan")
    look("finished examination, refused addendum")
    desk.go("/poli/UMUM")
    page.get_by_role("link", name="Tanda vital").first.click()
    page.get_by_label("Nadi").fill("cepat")
    desk.press("Simpan tanda vital")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused vital signs")


def test_pages_of_the_rooms_forms(live_server, page, look):
    desk = Desk(page, live_server).log_in("kepala")
    desk.go("/poli/GIGI")
    page.get_by_role("link", name="Buka pemeriksaan").first.click()
    page.locator("[name=tooth]").first.fill("99")
    desk.press("Tambah baris gigi")
    page.wait_for_url("**jawaban=**")  # the next press is for the page that comes
    desk.press("Simpan sementara")
    expect(page.get_by_role("alert")).to_be_focused()
    look("refused tooth")
    desk.go("/poli/MTBS")
    page.get_by_role("link", name="Buka pemeriksaan").first.click()
    page.locator("label", has_text="Tidak bisa minum").click()
    page.locator("#f-assessment").fill("sakit berat")
    page.locator("label", has_text="Pulang").first.click()
    desk.press("Selesai")
    expect(page.locator("[data-rule=MTBS-BAHAYA]")).to_be_visible()
    look("danger sign")
    desk.go("/poli/IMUN")
    page.get_by_role("link", name="Buka pemeriksaan").first.click()
    desk.press("Simpan, lalu catat imunisasi")
    page.get_by_label("Vaksin baris 1").select_option("MR-3")
    desk.press("Simpan imunisasi")
    expect(page.get_by_label("Alasan tetap dicatat")).to_be_visible()
    look("dose too early")
    page.get_by_label("Alasan tetap dicatat").fill("wabah campak")
    desk.press("Simpan imunisasi")
    expect(page.locator("main [role=status]")).to_contain_text("tercatat")
    look("noted dose")


def test_pages_about_records(live_server, page, open_page, look):
    desk = Desk(page, live_server).log_in("lab")
    desk.go("/pasien")
    page.get_by_label("Nama, NIK").fill("Siti Aminah")
    page.keyboard.press("Enter")
    desk.follow(page.locator("[data-patient] a").first)
    look("a reason is asked for")
    desk.send("Buka rekam medis")
    look("no reason given")
    page.get_by_label("Alasan").fill("Dokter meminta hasil lama")
    desk.press("Buka rekam medis")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rekam medis")
    page.locator("#alergi summary").click()
    desk.send("Tambah alergi")
    look("refused allergy")


def test_pages_of_the_head_when_refused(live_server, page, look):
    desk = Desk(page, live_server).log_in("kepala")
    for path in ("pengguna/baru", "ruang/baru", "kamus/baru", "wilayah/baru"):
        desk.go(f"/sistem/{path}")
        page.locator("main form button.btn").first.click()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        look(path)


def test_pages_of_the_records_staff(live_server, page, look):
    desk = Desk(page, live_server).log_in("rekammedis")
    pairs = page.get_by_role("link", name="Bandingkan").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    for pair in pairs:
        desk.go(pair)
        if page.get_by_role("button", name="Satu orang").is_enabled():
            break
    desk.send("Satu orang: gabungkan")
    look("merge without a reason")
    page.get_by_label("Alasan").fill("KTP keduanya sama orangnya")
    desk.press("Satu orang: gabungkan")
    expect(page.get_by_role("status").first).to_contain_text("menjadi satu")
    look("a merge")
    page.get_by_label("Alasan").fill("Ternyata dua orang")
    desk.press("Urungkan penggabungan")
    expect(page.get_by_role("status").first).to_contain_text("diurungkan")
    look("a merge that was undone")
    desk.go("/rekam-medis/gabung")
    look("merges")
    desk.go(pair)
    desk.press("Dua orang berbeda")
    expect(page.get_by_role("status").first).to_contain_text("dua orang")
    desk.go("/rekam-medis")
    page.get_by_label("No. RM pertama").fill("999999")
    page.get_by_label("No. RM kedua").fill("1")
    page.get_by_role("button", name="Bandingkan").click()
    expect(page.get_by_role("alert")).to_be_focused()
    look("an unknown number")


def test_pages_of_a_prescription(live_server, page, look):
    desk = Desk(page, live_server).log_in("farmasi")
    desk.go("/farmasi")
    look("the pharmacy's list")
    page.locator(".queue-name a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Farmasi")
    look("a prescription")
    ref = page.locator("section[data-prescription]").first.get_attribute("data-prescription")
    page.get_by_role("link", name="Ganti").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ganti")
    look("a substitute")
    for name in ("etiket", "salinan"):
        desk.go(f"/farmasi/resep/{ref}/{name}")
        look(name)


def test_the_page_of_a_new_prescription(live_server, page, look):
    desk = Desk(page, live_server).log_in("umum")
    desk.go("/poli/UMUM")
    for row in every(page.locator(".queue-row[data-state=done] a")):
        desk.go(row.get_attribute("href"))
        if page.get_by_role("link", name="Tulis resep").count():  # nothing is prescribed yet
            break
        page.go_back()
    page.get_by_role("link", name="Tulis resep").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Resep baru")
    look("a new prescription")


def test_pages_of_a_restore(live_server, page, look):
    head = Desk(page, live_server).log_in("kepala")
    head.go("/sistem/cadangan")
    page.get_by_label("Tempat salinan").fill("/tidak/ada")
    head.send("Simpan tempat")
    head.send("Buat cadangan sekarang")
    look("a backup that is being made")
    again = page.get_by_role("button", name="Buat cadangan sekarang")
    expect(again).to_be_visible(timeout=180_000)  # it is made behind all else
    look("a place that is missing")
    head.go("/sistem/cadangan/pulihkan")
    head.press("Buka dan periksa di samping")
    expect(page.get_by_role("alert")).to_be_focused()
    look("nothing chosen")
    page.get_by_text("tanpa kunci").click()
    head.send("Buka dan periksa di samping")
    look("a backup that is being opened")
    expect(page.get_by_role("button", name="Ganti data sekarang")).to_be_visible(timeout=60_000)
    head.press("Ganti data sekarang")
    expect(page.get_by_role("alert")).to_be_focused()
    look("a side copy, and no reason to use it")
    head.press("Buang salinan samping")
