"""How the system itself is: database, disk, worker, day, audit trail; in words for everybody."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import case, func, select, text

import timekeeping
from clinic import audit, backup_status, days, settings
from clinic.status_check import Check, State, ago, span
from db import SQLITE_IS_WAL_SAFE, db, sqlite_driver, utcnow
from formatting import clock_time, long_date, number_text
from models import (
    AuditEntry,
    Counter,
    EntryState,
    OutboxEntry,
    OutboxState,
    QueueEntry,
    Visit,
    VisitStatus,
    WorkerBeat,
)

GB = 1024**3
DISK_LOW, DISK_ALARM = 5 * GB, 1 * GB
# The worker's sign of life comes every few seconds; a long job may hold it up for a while.
BEAT_LATE, BEAT_GONE = timedelta(minutes=1), timedelta(minutes=5)
OUTBOX_LATE = timedelta(days=1)
CHECKED_ENTRIES = 5_000


def checks(data: Path, at: datetime | None = None) -> list[Check]:
    """All lines of the status page; `data` is the folder that holds the clinic's files."""
    at = at or utcnow()
    return [
        service_day(at),
        clock(at),
        database(),
        disk(data),
        worker(at),
        *backup_status.checks(at, data / "keys"),
        outbox(at),
        audit_trail(),
    ]


def database() -> Check:
    """Engine, version and size; SQLite 3.7.0 to 3.51.2 has the WAL-reset flaw."""
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
    """Free space where the clinic's files are."""
    free = shutil.disk_usage(data).free
    figures = f"{size_text(free)} kosong"
    if free < DISK_ALARM:
        sentence = "Hampir penuh, penyimpanan bisa gagal. Kosongkan ruang sekarang."
        return Check("Ruang disk", State.BAD, figures, sentence)
    if free < DISK_LOW:
        sentence = "Mulai penuh. Pindahkan berkas yang tidak dipakai dalam minggu ini."
        return Check("Ruang disk", State.WATCH, figures, sentence)
    return Check("Ruang disk", State.GOOD, figures, "Ruang penyimpanan cukup.")


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


def outbox(at: datetime) -> Check:
    """What waits to be sent out of the building, and what was refused there."""
    name = "Antrean kirim"
    waiting, refused, oldest = db.session.execute(
        select(
            func.count(case((OutboxEntry.state == OutboxState.WAITING, 1))),
            func.count(case((OutboxEntry.state == OutboxState.REFUSED, 1))),
            func.min(case((OutboxEntry.state == OutboxState.WAITING, OutboxEntry.created_at))),
        )
    ).one()
    figures = f"{number_text(waiting)} menunggu, {number_text(refused)} ditolak"
    if refused:
        sentence = "Ada kiriman yang ditolak penerima. Beri tahu petugas TI; data di sini aman."
        return Check(name, State.WATCH, figures, sentence)
    if oldest and at - oldest > OUTBOX_LATE:
        sentence = "Sudah lebih dari sehari belum terkirim. Periksa internet; data di sini aman."
        return Check(name, State.WATCH, figures, sentence)
    sentence = "Dikirim sendiri begitu ada internet." if waiting else "Tidak ada yang tertunda."
    return Check(name, State.GOOD, figures, sentence)


def service_day(at: datetime) -> Check:
    """Today's service day and how many patients stand where."""
    name = "Hari layanan"
    latest = days.latest_day()
    today = days.clinic_date(at)
    if latest and latest.on > today:
        return Check(
            name,
            State.BAD,
            long_date(latest.on),
            "Dibuka saat jam salah. Antrean dan nomornya berlanjut sampai tanggal itu lewat.",
        )
    day = days.current_day(at)
    if day is None:
        sentence = "Hari dibuka sendiri saat pasien pertama disimpan."
        return Check(name, State.GOOD, f"{long_date(today)}, belum ada pasien", sentence)
    registered = db.session.scalar(
        select(func.count(Visit.id)).where(
            Visit.service_day_id == day.id, Visit.status != VisitStatus.CANCELLED
        )
    )
    waiting, served = _entry_counts(day.id)
    figures = f"{long_date(day.on)}: {number_text(registered)} terdaftar"
    sentence = f"{number_text(waiting)} menunggu, {number_text(served)} sedang dilayani."
    return Check(name, State.GOOD, figures, sentence)


def _entry_counts(day_id: int) -> tuple[int, int]:
    waiting = (EntryState.WAITING, EntryState.CALLED, EntryState.SKIPPED)
    served = (EntryState.IN_SERVICE, EntryState.AWAITING_RESULT)
    found = select(
        func.count(case((QueueEntry.state.in_(waiting), 1))),
        func.count(case((QueueEntry.state.in_(served), 1))),
    ).where(QueueEntry.service_day_id == day_id)
    return tuple(db.session.execute(found).one())


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
            "Ada catatan yang diubah atau hilang. Jangan hapus apa pun, hubungi dinas kesehatan.",
        )
    figures = f"{number_text(checked)} catatan terakhir diperiksa"
    return Check(name, State.GOOD, figures, "Utuh: tidak ada catatan yang diubah atau hilang.")


def size_text(size: int) -> str:
    """Such as "12,4 MB"."""
    for unit, factor in (("GB", GB), ("MB", 1024**2)):
        if size >= factor:
            return f"{number_text(round(size / factor, 1))} {unit}"
    return f"{number_text(round(size / 1024))} KB"
