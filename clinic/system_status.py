"""How the system itself is: database, disk, worker, day, audit trail; in words for everybody."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import case, func, select, text

import timekeeping
from clinic import (
    accounts,
    audit,
    backup_status,
    closing,
    days,
    disk_space,
    internet,
    settings,
    storage_faults,
)
from clinic.disk_space import Room, size_text
from clinic.speed import PAGE, SAVE, Hour, Timing
from clinic.status_check import Check, State, ago, span
from db import SQLITE_IS_WAL_SAFE, db, sqlite_driver, utcnow
from formatting import clock_time, day_in_zone, long_date, number_text
from models import (
    AuditEntry,
    Counter,
    EntryState,
    OutboxEntry,
    OutboxState,
    QueueEntry,
    StepState,
    Visit,
    VisitStatus,
    WorkerBeat,
)

# The worker's sign of life comes every few seconds; a long job may hold it up for a while.
BEAT_LATE, BEAT_GONE = timedelta(minutes=1), timedelta(minutes=5)
# Nothing sends yet: what waits is no fault of the clinic's internet, and nobody can do anything.
NOT_SENT_YET = "Pengiriman belum ada di versi ini: semua tersimpan, tidak ada yang perlu dilakukan."
SLOW_SAVE_MS, SLOW_PAGE_MS = 500, 1000
CHECKED_ENTRIES = 5_000
TRAIL_BROKEN = (
    "Ada catatan yang diubah atau hilang, atau kunci audit pernah tertukar. Jangan hapus apa pun, "
    "hubungi dinas kesehatan. Kuncinya yang hilang? Petugas TI: make audit-key."
)


DISK = {
    Room.ENOUGH: (State.GOOD, "Ruang penyimpanan cukup."),
    Room.SHRINKING: (State.GOOD, "Masih cukup; kurang dari sepersepuluh disk yang kosong."),
    Room.LOW: (State.WATCH, "Mulai penuh. Pindahkan berkas yang tidak dipakai dalam minggu ini."),
    Room.ALARM: (State.BAD, "Hampir penuh, penyimpanan bisa gagal. Kosongkan ruang sekarang."),
}


def checks(data: Path, at: datetime | None = None) -> list[Check]:
    """All lines of the status page; `data` is the folder that holds the clinic's files."""
    at = at or utcnow()
    return [*quick_checks(data, at), staff(), internet.check(at), audit_trail()]


def quick_checks(data: Path, at: datetime) -> list[Check]:
    """Those that cost next to nothing: the worker looks at them every minute."""
    return [
        service_day(at),
        clock(at),
        database(),
        disk(data),
        worker(at),
        *backup_status.checks(at, data / "keys"),
        outbox(),
        last_closing(),
    ]


def database() -> Check:
    """Engine, version and size; SQLite 3.7.0 to 3.51.2 has the WAL-reset flaw."""
    fault = storage_faults.present()
    if fault:
        return Check("Basis data", State.BAD, fault.value, storage_faults.ADVICE[fault])
    bind = db.session.get_bind()
    if bind.dialect.name != "sqlite":
        version = db.session.scalar(text("SHOW server_version"))
        size = db.session.scalar(text("SELECT pg_database_size(current_database())"))
        figures = f"PostgreSQL {version.split()[0]}, {size_text(size)}"
        return Check("Basis data", State.GOOD, figures, "Data pasien dapat dibaca dan disimpan.")
    figures = f"SQLite {sqlite_driver.sqlite_version}, {size_text(_file_size(bind.url.database))}"
    if SQLITE_IS_WAL_SAFE:
        return Check("Basis data", State.GOOD, figures, "Data pasien dapat dibaca dan disimpan.")
    return Check(
        "Basis data",
        State.WATCH,
        figures,
        "Pustaka SQLite ini punya cacat yang jarang merusak data (cacat WAL). Minta petugas TI "
        "memasang paket pysqlite3, lalu menyalakan ulang Alur.",
    )


def _file_size(path: str) -> int:
    names = (Path(path), Path(f"{path}-wal"))
    return sum(name.stat().st_size for name in names if name.exists())


def disk(data: Path) -> Check:
    """Free space where the clinic's files are, and whether some is held back."""
    there = disk_space.space(data)
    state, sentence = DISK[there.room]
    figures = f"{size_text(there.free)} kosong dari {size_text(there.total)}"
    if not disk_space.held_back(data):
        sentence += " Ruang simpanan sudah dibuka; dibuat lagi sendiri setelah disk lega."
    return Check("Ruang disk", state, figures, sentence)


def worker(at: datetime) -> Check:
    """Age of the background worker's last sign of life."""
    name = "Pekerja latar"
    # One from the future was written by a clock that was wrong.
    written = WorkerBeat.beat_at <= at + BEAT_LATE
    last = db.session.scalar(select(func.max(WorkerBeat.beat_at)).where(written))
    restart = "Minta petugas TI menyalakan ulang Alur; pelayanan tetap berjalan."
    if last is None:
        return Check(name, State.BAD, "belum pernah berjalan", restart)
    age = at - last
    figures = f"tanda hidup {ago(age)}"
    if age >= BEAT_GONE:
        return Check(name, State.BAD, figures, f"Tidak bekerja. {restart}")
    if age >= BEAT_LATE:
        return Check(name, State.WATCH, figures, "Terlambat. Muat ulang halaman ini sebentar lagi.")
    return Check(name, State.GOOD, figures, "Bekerja di belakang layar seperti biasa.")


def staff() -> Check:
    """Whether each open room is somebody's: the counter sends patients there all the same."""
    name, alone = "Petugas ruang", accounts.rooms_without_staff()
    if not alone:
        return Check(name, State.GOOD, "lengkap", "Setiap ruang yang dipakai punya petugas.")
    figures = f"{len(alone)} ruang dipakai belum punya petugas"
    codes = ", ".join(room.code for room in alone)
    sentence = f"{codes}: kepala menambah petugasnya di Pengguna, atau menutup ruangnya di Ruang."
    return Check(name, State.WATCH, figures, sentence)


def outbox() -> Check:
    """What waits to be sent out of the building, and what was refused there."""
    name = "Antrean kirim"
    waiting, refused = db.session.execute(
        select(
            func.count(case((OutboxEntry.state == OutboxState.WAITING, 1))),
            func.count(case((OutboxEntry.state == OutboxState.REFUSED, 1))),
        )
    ).one()
    figures = f"{number_text(waiting)} menunggu, {number_text(refused)} ditolak"
    if refused:
        sentence = "Ada kiriman yang ditolak penerima. Beri tahu petugas TI; data di sini aman."
        return Check(name, State.WATCH, figures, sentence)
    sentence = NOT_SENT_YET if waiting else "Tidak ada yang tertunda."
    return Check(name, State.GOOD, figures, sentence)


def last_closing() -> Check:
    """How the newest day that was closed has ended."""
    name = "Tutup hari"
    for day, states in closing.recent_days(2):
        if StepState.FAILED in states:
            sentence = "Ada langkah yang gagal dan dicoba lagi sendiri. Sebabnya di Tutup hari."
            return Check(name, State.BAD, long_date(day.on), sentence)
        if states == {StepState.DONE}:
            return Check(name, State.GOOD, long_date(day.on), "Hari terakhir ditutup lengkap.")
    return Check(name, State.GOOD, "belum ada", "Hari ditutup sendiri sesudah pelayanan.")


def service_day(at: datetime) -> Check:
    """Today's service day and how many patients stand where."""
    name = "Hari layanan"
    latest = days.latest_day()
    today = days.clinic_date(at)
    day, ahead = days.current_day(at), days.dated_ahead(at)
    if ahead:
        goes_on = "Antrean dan nomornya dipakai sampai hari ini berakhir; besok tanggalnya benar."
        over = "Sudah berakhir: kunjungan baru memakai tanggal hari ini."
        sentence = (
            f"Dibuka saat jam salah. {goes_on if ahead == day else over} Kunjungannya tetap "
            "tercatat pada tanggal itu: catat tanggal sebenarnya, dan periksa laporan dan suratnya."
        )
        return Check(name, State.BAD, long_date(ahead.on), sentence)
    if day is None and latest and days.is_current(latest.on, None, at):
        sentence = "Pasien yang datang sekarang membuka hari ini lagi."
        return Check(name, State.GOOD, f"{long_date(latest.on)}, sudah ditutup", sentence)
    if day is None:
        sentence = "Hari dibuka sendiri saat pasien pertama disimpan."
        return Check(name, State.GOOD, f"{long_date(today)}, belum ada pasien", sentence)
    registered = db.session.scalar(
        select(func.count(Visit.id)).where(
            Visit.service_day_id == day.id, Visit.status != VisitStatus.CANCELLED
        )
    )
    waiting, served = _where_they_are(day.id)
    figures = f"{long_date(day.on)}: {number_text(registered)} terdaftar"
    sentence = f"{number_text(waiting)} menunggu, {number_text(served)} sedang dilayani."
    return Check(name, State.GOOD, figures, sentence)


def _where_they_are(day_id: int) -> tuple[int, int]:
    """Visits that only wait, and those that are served anywhere: each counts once."""
    is_served = QueueEntry.state.in_((EntryState.IN_SERVICE, EntryState.AWAITING_RESULT))
    found = select(
        func.count(QueueEntry.visit_id.distinct()),
        func.count(case((is_served, QueueEntry.visit_id)).distinct()),
    ).where(QueueEntry.service_day_id == day_id, QueueEntry.state.in_(days.STILL_HERE))
    here, served = db.session.execute(found).one()
    return here - served, served


def clock(at: datetime) -> Check:
    """The server's clock in the clinic's zone, to hold against the clock on the wall."""
    zone = settings.value("time_zone")
    figures = f"{clock_time(at, zone)} {settings.TIME_ZONES[zone]}"
    offset = round(timekeeping.offset())
    if offset:
        apart = ("lambat" if offset > 0 else "cepat") + f" {span(abs(offset))}"
        return Check(
            "Jam server",
            State.WATCH,
            f"{figures}, jam komputer {apart}",
            "Alur memakai waktu yang diketik petugas. Minta petugas TI membetulkan jam komputer; "
            "Alur kembali sendiri ke jam itu.",
        )
    sentence = "Cocokkan dengan jam dinding. Bila berbeda, ketik waktu yang benar di Jam."
    return Check("Jam server", State.GOOD, figures, sentence)


def audit_trail() -> Check:
    """Whether the newest entries of the audit trail are whole, its end included."""
    name = "Jejak audit"
    newest = db.session.scalar(select(func.max(AuditEntry.seq))) or 0
    counted = db.session.scalar(select(Counter.value).where(Counter.name == "audit")) or 0
    checked = min(newest, CHECKED_ENTRIES)
    broken = audit.broken_link(since=newest - checked)
    if broken is None and counted != newest:
        broken = newest + 1  # entries were cut off at the end
    if broken is not None:
        return Check(
            name,
            State.BAD,
            f"putus di catatan {number_text(broken)}",
            TRAIL_BROKEN,
        )
    figures = f"{number_text(checked)} catatan terakhir diperiksa"
    whole = "Utuh: tidak ada catatan yang diubah atau hilang."
    return Check(name, State.GOOD, figures, whole + trail_history())


def trail_history() -> str:
    """The break in the trail's past, if there is one: it is mended, and never hidden."""
    anew = audit.begun_anew()
    if anew is None:
        return ""
    day = long_date(day_in_zone(anew["at"], settings.value("time_zone")))
    return (
        f" Dimulai lagi di catatan {number_text(anew['seq'])} ({day}), karena rantainya "
        "putus: catatan sebelum itu hanya dijaga supaya tetap seperti saat itu."
    )


def speed_of(hour: Hour) -> Check:
    """Whether pages and saves of the last hour came quickly, and how many failed."""
    name = "Kecepatan satu jam terakhir"
    pages, saves = hour.of(PAGE), hour.of(SAVE)
    if not pages.count + saves.count:
        return Check(name, State.GOOD, "belum ada permintaan", "Terisi setelah Alur dipakai.")
    parts = ((pages, "halaman"), (saves, "simpanan"))
    figures = "; ".join(_speed_text(timing, word) for timing, word in parts if timing.count)
    errors = pages.errors + saves.errors
    if errors:
        sentence = "Ada permintaan yang gagal di server. Unduh berkas bantuan untuk petugas TI."
        return Check(name, State.WATCH, f"{figures}; {number_text(errors)} gagal", sentence)
    if saves.within(0.95) > SLOW_SAVE_MS or pages.within(0.95) > SLOW_PAGE_MS:
        sentence = "Lambat. Periksa apakah komputer server dipakai untuk pekerjaan lain."
        return Check(name, State.WATCH, figures, sentence)
    return Check(name, State.GOOD, figures, "Cepat, tanpa kesalahan.")


def _speed_text(timing: Timing, word: str) -> str:
    middle, most = timing.within(0.5), timing.within(0.95)
    return (
        f"{number_text(timing.count)} {word}, separuhnya dalam {number_text(middle)} ms, "
        f"95 % dalam {number_text(most)} ms"
    )
