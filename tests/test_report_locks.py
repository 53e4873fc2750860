"""Locked months, recaps of closed days, register books, and the list for P-Care."""

import csv
import hashlib
import io
import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import (
    days,
    report_days,
    report_due,
    report_locks,
    report_periods,
    report_registers,
    settings,
)
from clinic.dispensing import Given
from clinic.lab_entry import Entered
from clinic.report_definitions import REPORTS
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    DayRecap,
    Diagnosis,
    LockedReport,
    PcareMark,
    ReportLock,
    ServiceDay,
)
from tests import counted_visits, factories, pharmacy
from tests.pages import post
from tests.test_dispensing import hand_over, ready
from tests.test_laboratory import sent, write

ON, MONTH = date(2026, 3, 5), "2026-03"
PERIOD = report_periods.parse(MONTH)


def lock() -> None:
    kept = report_locks.figures(PERIOD)
    with transaction():
        report_locks.lock(factories.actor("kepala"), PERIOD, kept)


def end_diagnosis(code: str) -> None:
    with transaction():
        wrong = db.session.scalars(select(Diagnosis).where(Diagnosis.code == code)).one()
        wrong.ended_at, wrong.ended_by_id = utcnow(), factories.user("umum").id


@pytest.fixture
def march(app):
    counted_visits.add(ON, factories.patient(), codes=[("J06.9", "baru"), ("A09", "baru")])


# --- Months -----------------------------------------------------------------------------------


def test_a_locked_month_stays_and_what_changed_since_is_shown(march, sign_in):
    lock()
    assert report_locks.shown(REPORTS["lb1"], PERIOD).differences == ()
    end_diagnosis("A09")
    found = report_locks.shown(REPORTS["lb1"], PERIOD)
    assert found.tables[0].cell("A09", "J") == 1, "as it was locked"
    changed = {
        (each.row_key, each.column_key): (each.before, each.now) for each in found.differences
    }
    assert changed["A09", "J"] == (1, 0)
    assert changed["semua", "J"] == (2, 1)
    assert not any(row == "J06.9" for row, _ in changed)
    page = sign_in("kepala").get(f"/laporan/lb1?periode={MONTH}").get_data(as_text=True)
    assert "Berubah sejak dikunci" in page
    counts = report_locks.changed(PERIOD)
    assert counts["lb1"] == len(found.differences)
    assert counts["form13"] == 1, "what is outside it; the form itself is the same"


def test_a_list_behind_a_locked_number_says_that_it_is_of_now(march, sign_in):
    client = sign_in("kepala")
    place = f"?periode={MONTH}&bagian=kasus&baris=semua&kolom=J"
    assert "terkunci" not in client.get(f"/laporan/lb1/daftar{place}").get_data(as_text=True)
    lock()
    end_diagnosis("A09")
    page = client.get(f"/laporan/lb1/daftar{place}").get_data(as_text=True)
    assert "Bulan ini terkunci" in page and "menurut rekam medis sekarang" in page


def test_who_crossed_the_end_of_the_most_frequent_is_no_false_zero(app):
    codes = [f"A{n:02}" for n in range(20)]
    for code in [*codes, *codes, "J06.9"]:
        counted_visits.add(ON, factories.patient(), codes=[(code, "baru")])
    lock()
    for _ in range(3):
        counted_visits.add(ON, factories.patient(), codes=[("J06.9", "baru")])
    found = report_locks.shown(REPORTS["form14"], PERIOD).differences
    said = [(each.row_key, each.before, each.now) for each in found if each.column_key == "J"]
    assert all(row != "J06.9" and row not in codes for row, _, _ in said), said
    assert ("semua", 40, 42) in said, "the list's own sum is told"


def test_downloads_of_a_locked_month_hold_what_was_locked(march, sign_in):
    lock()
    end_diagnosis("A09")
    data = sign_in("rekammedis").get(f"/laporan/lb1/unduh.csv?periode={MONTH}").data
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";"))
    assert any(row and row[0].startswith("Dikunci ") for row in rows)
    assert next(row for row in rows if row and row[0] == "A09")[-1] == "1"


def test_the_head_locks_and_reopens_with_a_reason(march, sign_in):
    head = sign_in("kepala")
    assert "Tulis bulan dan tahun" in head.get("/laporan?bulan=13").get_data(as_text=True)
    assert "Kunci Maret 2026" in head.get("/laporan?bulan=03-2026").get_data(as_text=True)
    assert post(head, f"/laporan/bulan/{MONTH}/kunci").status_code == 303
    again = post(head, f"/laporan/bulan/{MONTH}/kunci")
    assert again.status_code == 409
    assert "sudah dikunci oleh dr. Indah Lestari" in again.get_data(as_text=True)
    assert post(head, f"/laporan/bulan/{MONTH}/buka", {"alasan": " "}).status_code == 422
    reopened = post(head, f"/laporan/bulan/{MONTH}/buka", {"alasan": "salah kode"})
    assert reopened.status_code == 303
    page = head.get("/laporan?bulan=2026-03").get_data(as_text=True)
    assert "salah kode" in page
    assert post(head, f"/laporan/bulan/{MONTH}/buka", {"alasan": "lagi"}).status_code == 409
    assert post(head, f"/laporan/bulan/{MONTH}/kunci").status_code == 303
    assert len(db.session.scalars(select(ReportLock)).all()) == 2
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq.desc()).limit(3))
    assert list(actions) == ["lock_month", "reopen_month", "lock_month"]


def test_a_month_that_goes_on_is_not_locked_and_nobody_but_the_head_locks(march, sign_in):
    now = report_periods.of_day(days.clinic_date(), "month")
    refused = post(sign_in("kepala"), f"/laporan/bulan/{now.code}/kunci")
    assert refused.status_code == 409
    assert "sesudah berakhir" in refused.get_data(as_text=True)
    assert post(sign_in("rekammedis"), f"/laporan/bulan/{MONTH}/kunci").status_code == 403
    assert post(sign_in("kepala"), "/laporan/bulan/2026-13/kunci").status_code == 404


def test_a_month_is_not_locked_in_its_last_night(march, monkeypatch):
    half_past_midnight = days.midnight_utc(date(2026, 4, 1)) + timedelta(minutes=30)
    with transaction():
        day = days.open_day(half_past_midnight - timedelta(hours=2))
    monkeypatch.setattr("clinic.days.utcnow", lambda: half_past_midnight)
    with pytest.raises(report_locks.LockError, match="31 Maret 2026 belum ditutup"):
        lock()
    with transaction():
        day.closed_at = half_past_midnight
    lock()


def test_kept_figures_that_are_not_what_was_locked_are_called_damaged(march, sign_in):
    with transaction():
        made = ReportLock(month=MONTH, locked_by_id=factories.user("kepala").id)
        db.session.add(made)
        db.session.flush()
        for code in ("lb1", "form11"):
            tables = report_locks.figures(PERIOD)[code]
            tables[0]["cells"][0][2] += 5
            kept = LockedReport(lock_id=made.id, code=code, figures=tables, digest="0" * 64)
            db.session.add(kept)
    assert report_locks.shown(REPORTS["lb1"], PERIOD).is_damaged
    page = sign_in("kepala").get(f"/laporan/lb1?periode={MONTH}").get_data(as_text=True)
    assert "Angka yang tersimpan rusak" in page
    assert "Jumlah tidak cocok" in page


@pytest.mark.parametrize("table", ["locked_report", "day_recap"])
def test_the_database_refuses_to_change_kept_figures(march, table):
    lock()
    keep()
    with pytest.raises(Exception, match="never changed"), transaction() as session:
        session.execute(db.text(f"UPDATE {table} SET digest = 'x'"))  # noqa: S608


@pytest.mark.parametrize(
    ("text", "due"),
    [("5", date(2026, 4, 5)), ("5 lb1=10", date(2026, 4, 10)), ("5 stp=2", date(2026, 4, 5))],
)
def test_each_report_has_its_day_due(text, due):
    assert report_due.due_on("lb1", date(2026, 3, 1), text) == due
    assert report_due.due_on("lb1", date(2026, 12, 1), "5") == date(2027, 1, 5)


@pytest.mark.parametrize(
    "text", ["", "0", "29", "lb1=5", "5 xyz=2", "lima", "5 lb1=31", "5 6", "5 stp=2 stp=9"]
)
def test_days_that_cannot_be_due_are_refused(text):
    with pytest.raises(settings.SettingError):
        settings.parse("report_due", text)


def test_each_form_can_be_due():
    assert set(report_due.CODES) == {code for code, report in REPORTS.items() if report.is_form}


def test_nothing_is_overdue_of_months_before_the_first_service_day(app, sign_in):
    late, head = ">lewat<", sign_in("kepala")
    assert late not in head.get("/laporan?bulan=2026-02").text, "no service day yet"
    counted_visits.add(ON, factories.patient(), codes=[("J06.9", "baru")])
    assert late not in head.get("/laporan?bulan=2026-02").text
    assert late in head.get(f"/laporan?bulan={MONTH}").text


# --- Closed days ------------------------------------------------------------------------------


def the_day() -> ServiceDay:
    return db.session.scalars(select(ServiceDay).where(ServiceDay.on == ON)).one()


def keep() -> DayRecap:
    with transaction():
        return report_days.keep(factories.actor("kepala"), the_day())


def test_a_days_recap_is_kept_once_and_anew_when_it_differs(march, sign_in, tmp_path):
    first = keep()
    assert keep().id == first.id
    files = report_days.write(first, tmp_path / "reports")
    before = [path.read_bytes() for path in files]
    assert [path.read_bytes() for path in report_days.write(keep(), tmp_path / "reports")] == before
    client, address = sign_in("kepala"), "/laporan/rekap?periode=2026-03-05"
    assert "Angkanya masih sama" in client.get(address).get_data(as_text=True)
    counted_visits.add(ON, codes=[("I10", "baru")])
    assert "sudah berubah sejak itu" in client.get(address).get_data(as_text=True)
    second = keep()
    assert (first.version, second.version) == (1, 2)
    assert db.session.get(DayRecap, first.id).figures["tables"][0]["counted"] == 1


def test_the_files_of_a_recap_hold_its_numbers_and_their_checksums(march, tmp_path):
    kept = keep()
    told, table, sums = report_days.write(kept, tmp_path)
    for line in sums.read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    figures = json.loads(told.read_bytes())
    assert figures["day"] == "2026-03-05"
    assert figures["digest"] == report_locks.digest(kept.figures)
    rows = list(csv.reader(io.StringIO(table.read_text("utf-8-sig")), delimiter=";"))
    assert next(row for row in rows if row and row[0] == "UMUM")[-1] == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rekap-2026-03-05-v1.csv",
        "rekap-2026-03-05-v1.json",
        "rekap-2026-03-05-v1.sha256",
    ]


# --- Registers --------------------------------------------------------------------------------


def member(name: str, **fields) -> None:
    card = {"payer": "JKN_PBI", "bpjs_number": "0001234567890"}
    counted_visits.add(ON, factories.patient(name), **card | fields)


def test_the_register_book_holds_what_one_room_did(app):
    visit = counted_visits.add(ON, factories.patient("Ani"), codes=[("J06.9", "baru")])
    counted_visits.go_on(visit, "GIGI", [("K02.1", "lama")])
    counted_visits.add(ON, factories.patient("Budi"), status="cancelled")
    day = report_periods.parse("2026-03-05")
    (line,) = report_registers.register(day, "GIGI")
    assert line.diagnoses == ("K02.1 penyakit K02.1 (lama)",)
    (line,) = report_registers.register(day, "UMUM")
    assert (line.visit.patient.name, line.dispositions) == ("Ani", ("Pulang",))


def of_today(room: str) -> report_registers.Line:
    db.session.expire_all()
    (line,) = report_registers.register(report_periods.of_day(days.clinic_date(), "day"), room)
    return line


def test_the_pharmacy_s_book_holds_what_was_handed_out(app):
    given, missing = pharmacy.medicine(), pharmacy.medicine()
    pharmacy.receive(given, 30)
    made = ready(pharmacy.line(given, 10), pharmacy.line(missing, 9))
    with transaction():
        db.session.add(
            Diagnosis(
                examination_id=made.examination_id,
                code="J06.9",
                title="ISPA",
                case_type="baru",
                is_primary=True,
                position=0,
                recorded_by_id=made.recorded_by_id,
            )
        )
    line = of_today("FARMASI")
    assert (line.is_unfinished, line.dispositions) == (True, ("ditelaah farmasi",))
    hand_over(made, l1=Given("0", "stok kosong"))
    line = of_today("FARMASI")
    assert (line.is_unfinished, line.dispositions) == (False, ("diserahkan sebagian",))
    assert line.diagnoses == ("J06.9 ISPA (baru)",)
    assert line.therapies == (
        f"{given.label} sesudah makan, 10 tablet: diserahkan",
        f"{missing.label} sesudah makan, 9 tablet: tidak diserahkan",
    )
    (ordered,) = of_today("UMUM").therapies
    assert ordered == (
        f"{given.label} sesudah makan; {missing.label} sesudah makan (tidak diserahkan)"
    )


def test_the_laboratory_s_book_holds_its_results(app, sign_in):
    there = sent("HB", "GDS")
    assert of_today("LAB").is_unfinished
    skipped = Entered(not_done="tabung pecah")
    write(there, closes=True, HB="6,1", GDS=skipped)
    line = of_today("LAB")
    assert line.therapies == (
        "Hemoglobin 6,1 g/dL (kritis rendah)",
        "Gula darah sewaktu: tidak dikerjakan",
    )
    assert (line.is_unfinished, line.dispositions) == (False, ("selesai",))
    today = days.clinic_date().isoformat()
    page = sign_in("kepala").get(f"/laporan/register/unduh.csv?periode={today}&ruang=LAB")
    head, row = csv.reader(io.StringIO(page.data.decode("utf-8-sig")), delimiter=";")
    assert "Hemoglobin 6,1 g/dL" in row[head.index("Hasil")]


def test_the_list_for_pcare_names_the_rooms_where_the_patient_was(app):
    card = {"payer": "JKN_PBI", "bpjs_number": "0001234567890"}
    moved = counted_visits.add(ON, entry={"state": "moved"}, **card)
    counted_visits.go_on(moved, "LANSIA", [("I10", "baru")], kind="moved")
    counted_visits.go_on(moved, "GIZI", state="cancelled")
    (line,) = report_registers.for_pcare(report_periods.parse("2026-03-05"))
    assert line.rooms == ("Poli Lansia",)


def test_the_list_for_pcare_holds_members_and_who_has_typed_them(app, sign_in):
    member("Siti Aminah", codes=[("J06.9", "baru")], examined={"therapy": "parasetamol 3x1"})
    member("Belum Selesai", bpjs_number=None)
    counted_visits.add(ON, factories.patient("Bayar Sendiri"))
    client = sign_in("rekammedis")
    address = "/laporan/pcare?periode=2026-03-05"
    page = client.get(address).get_data(as_text=True)
    assert "<b>2</b> dari 2 kunjungan BPJS belum diketik" in page
    for text in ("0001234567890", "J06.9 penyakit", "parasetamol 3x1", "Pulang", "belum tercatat"):
        assert text in page
    assert "Bayar Sendiri" not in page
    day = report_periods.parse("2026-03-05")
    ref = report_registers.for_pcare(day)[0].visit.public_id
    assert post(client, f"/laporan/pcare/{ref}", {"aksi": "ketik"}).status_code == 303
    post(client, f"/laporan/pcare/{ref}", {"aksi": "ketik"})
    page = client.get(address).get_data(as_text=True)
    assert "sudah ditandai Sari Puspita" in page
    assert "<b>1</b> dari 2" in page
    post(client, f"/laporan/pcare/{ref}", {"aksi": "urungkan"})
    post(client, f"/laporan/pcare/{ref}", {"aksi": "ketik"})
    marks = db.session.scalars(select(PcareMark).order_by(PcareMark.id)).all()
    assert [mark.ended_at is None for mark in marks] == [False, True]


def test_the_pcare_list_as_a_file_is_noted(app, sign_in):
    member("=Nama", bpjs_number="0001234567890")
    counted_visits.add(ON, factories.patient("Bayar Sendiri"))
    client = sign_in("rekammedis")
    done = client.get("/laporan/pcare/unduh.csv?periode=2026-03-05&ruang=UMUM")
    assert 'filename="pcare-2026-03-05-UMUM.csv"' in done.headers["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(done.data.decode("utf-8-sig")), delimiter=";")
    assert [row[3] for row in rows] == ["'=Nama"]
    assert rows[0][head.index("Nomor kartu")] == "0001234567890"
    last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (last.action, last.object_ref) == ("export_visits", "pcare")
    assert last.details == "2026-03-05 UMUM"
    assert client.get("/laporan/pcare/unduh.csv?periode=2026-03").status_code == 404
    page = client.get("/laporan/pcare?periode=2026-03-05").text
    first, second = (page.index(f"unduh.{form}?periode=2026-03-05") for form in ("xlsx", "csv"))
    assert first < second, "numbers keep their zeros"
    assert "dari CSV ia membuang nol di depan nomor" in page


def test_poli_staff_copy_the_visits_of_their_rooms_and_of_today(app, sign_in):
    mine = factories.entry("GIGI", factories.patient("Di Gigi"), payer="UMUM")
    factories.entry("UMUM", factories.patient("Di Umum"))
    with transaction():
        mine = db.session.merge(mine)
        mine.visit.payer = "JKN_PBI"
    client = sign_in("gigi")
    for address in ("/laporan/register", "/laporan/pcare"):
        page = client.get(address).get_data(as_text=True)
        assert "Di Gigi" in page
        assert "Di Umum" not in page
        yesterday = (days.clinic_date() - timedelta(days=1)).isoformat()
        assert client.get(f"{address}?periode={yesterday}").status_code == 404
        assert client.get(f"{address}?ruang=UMUM").status_code == 404
    own = client.get("/laporan/pcare/unduh.csv").text
    assert "Di Gigi" in own and "Di Umum" not in own
    assert client.get("/laporan/pcare/unduh.csv?ruang=UMUM").status_code == 404
    assert client.get(f"/laporan/pcare/unduh.csv?periode={yesterday}").status_code == 404
    assert client.get("/laporan/register/unduh.csv").status_code == 403
    assert sign_in("loket").get("/laporan/pcare").status_code == 403


def test_a_register_as_a_file_is_noted(app, sign_in):
    counted_visits.add(ON, factories.patient("=Nama"), codes=[("J06.9", "baru")], complaint="+1")
    client = sign_in("kepala")
    data = client.get("/laporan/register/unduh.csv?periode=2026-03-05&ruang=UMUM").data
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";"))
    assert rows[1][3] == "'=Nama"
    assert rows[1][9] == "'+1"
    last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (last.action, last.details) == ("export_visits", "2026-03-05 UMUM")
    page = client.get("/laporan/register?periode=2026-03&ruang=UMUM").get_data(as_text=True)
    assert "Buku ini per hari" in page
    page = client.get("/laporan/register?periode=2026-03-05").get_data(as_text=True)
    assert "Pilih ruang, lalu tekan Tampilkan" in page
