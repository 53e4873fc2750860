"""What can be wrong with the place where data are kept: which fault, what to say, since when.

Each process remembers the last failed statement until a save succeeds again, so that pages can
say it without asking the database.
"""

import errno
import os
import time
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from db import oldest_write

# Without any new failure for so long nobody knows whether it goes on.
REMEMBERED_SECONDS = 300
# Whoever waits for the database asks ten times a second, and the log is what the terminal shows.
PROBE_TOLD_EVERY = 60


class Fault(StrEnum):
    FULL = "Ruang disk server habis."
    READ_ONLY = "Disk server hanya bisa dibaca."
    BROKEN_DISK = "Disk server gagal membaca atau menulis."
    UNREACHABLE = "Basis data tidak dapat dibuka."
    DAMAGED = "Basis data tidak terbaca dengan benar."
    BUSY = "Server sedang sibuk."
    STUCK = "Disk server tidak menjawab."


ADVICE = {
    Fault.FULL: "Beri tahu petugas TI: disk harus dikosongkan sekarang.",
    Fault.READ_ONLY: "Beri tahu petugas TI sekarang; catat pasien di kertas dulu.",
    Fault.BROKEN_DISK: "Beri tahu petugas TI sekarang; catat pasien di kertas dulu.",
    Fault.UNREACHABLE: "Beri tahu petugas TI sekarang; catat pasien di kertas dulu.",
    Fault.DAMAGED: "Jangan menghapus apa pun. Beri tahu petugas TI; catat pasien di kertas dulu.",
    Fault.BUSY: "Tunggu sebentar, lalu kirim lagi.",
    Fault.STUCK: "Tunggu saja: yang sudah dikirim akan dijawab. Bila lama, beri tahu petugas TI.",
}
STUCK_SECONDS = 5  # a save takes milliseconds
_NEW_DISK = "Data lama tidak dihapus, hanya disisihkan: simpan disk yang rusak."
_RESTORE = (
    "Di komputer server, di folder Alur, jalankan make restore (sebagai root bila Alur dipasang "
    "sebagai layanan), pilih cadangan teratas, ketik GANTI. Alur memakainya sendiri.",
    "Server tidak dapat dipakai lagi? Pasang Alur di komputer lain dan jalankan make restore di "
    "sana, dengan USB cadangan dan kartu pemulihan (amplop kepala).",
)
# For whoever looks after the server, in the order in which to try.
STEPS = {
    Fault.FULL: (
        "Pindahkan dari disk server berkas yang bukan milik Alur (unduhan, video, cadangan program "
        "lain). Jangan menghapus isi folder data Alur.",
        "Tidak perlu menyalakan ulang: Alur menyimpan lagi begitu ada ruang.",
    ),
    Fault.READ_ONLY: (
        "Lihat dmesg. Folder data terpasang hanya-baca? Pasang ulang: mount -o remount,rw.",
        "Bila disk rusak, ganti disknya. " + _NEW_DISK,
        *_RESTORE,
    ),
    Fault.BROKEN_DISK: (
        "Lihat dmesg dan kabelnya; jangan menyalakan ulang berkali-kali.",
        "Bila disk rusak, ganti disknya. " + _NEW_DISK,
        *_RESTORE,
    ),
    Fault.UNREACHABLE: (
        "Disk dan folder data (ALUR_DATA) terpasang? Layanan PostgreSQL, bila dipakai, menyala? "
        "Begitu ada lagi, Alur bekerja sendiri.",
        "Pemilik folder data harus akun yang menjalankan Alur: chown -R alur: FOLDER.",
        "Berkas basis datanya hilang: jangan memulai dari kosong. " + _RESTORE[0],
        _RESTORE[1],
    ),
    Fault.DAMAGED: _RESTORE,
}
# What SQLite says; its drivers keep no error codes on older Pythons.
_SQLITE = {
    "disk is full": Fault.FULL,
    "readonly": Fault.READ_ONLY,
    "disk i/o error": Fault.BROKEN_DISK,
    "unable to open": Fault.UNREACHABLE,
    "malformed": Fault.DAMAGED,
    "not a database": Fault.DAMAGED,
    "locked": Fault.BUSY,
}
_WRITING = (Fault.BROKEN_DISK, Fault.UNREACHABLE)
# A commit that meets these has not been written to its end.
_UNDONE = (Fault.FULL, Fault.READ_ONLY, Fault.BUSY)
# PostgreSQL, by the beginning of its SQLSTATE.
_SQLSTATE = {
    "53100": Fault.FULL,
    "25006": Fault.READ_ONLY,
    "58": Fault.BROKEN_DISK,
    "XX00": Fault.DAMAGED,
    "08": Fault.UNREACHABLE,
    "57P": Fault.UNREACHABLE,
    "55P03": Fault.BUSY,
    "40": Fault.BUSY,
}
_ERRNO = {
    errno.ENOSPC: Fault.FULL,
    errno.EDQUOT: Fault.FULL,
    errno.EFBIG: Fault.FULL,
    errno.EROFS: Fault.READ_ONLY,
    errno.EIO: Fault.BROKEN_DISK,
    errno.EACCES: Fault.UNREACHABLE,
}


@dataclass
class _Memory:
    fault: Fault | None = None
    until: float = 0.0
    place: str = ""  # SQLite's folder
    probe_told_at: float = -PROBE_TOLD_EVERY


_last = _Memory()


def fault_of(error: BaseException | None) -> Fault | None:
    """Which fault of the storage an error tells of, None when it is something else."""
    fault = _told_by(error)
    # A disk that became read-only makes SQLite say many things.
    return Fault.READ_ONLY if fault in _WRITING and _is_read_only(_last.place) else fault


def is_surely_undone(error: BaseException) -> bool:
    """Whether a commit that ended with this error is stored nowhere.

    What SQLite could write but not sync is in its log all the same, and whoever opens the database
    next reads it as a commit: after "I/O error" nobody knows.
    """
    return _told_by(error) in _UNDONE


def _told_by(error: BaseException | None) -> Fault | None:
    if isinstance(error, DBAPIError):
        error = error.orig
    if isinstance(error, OSError):
        return _ERRNO.get(error.errno)
    module = type(error).__module__
    if module.startswith("psycopg"):
        state = getattr(error, "sqlstate", None)
        if state is None and type(error).__name__ == "OperationalError":
            return Fault.UNREACHABLE
        return _first_of(_SQLSTATE, str.startswith, state or "")
    if "sqlite" in module:
        return _first_of(_SQLITE, str.__contains__, str(error).lower())
    return None


def _is_read_only(place: str) -> bool:
    try:
        return bool(place and os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _first_of(table: dict[str, Fault], fits, text: str) -> Fault | None:
    return next((fault for part, fault in table.items() if fits(text, part)), None)


def note(fault: Fault | None) -> None:
    """Remember that this has just happened; being busy is none that lasts."""
    if fault and fault is not Fault.BUSY:
        _last.fault, _last.until = fault, time.monotonic() + REMEMBERED_SECONDS


def forget() -> None:
    """A save has succeeded."""
    _last.fault = None


def may_tell_of_probe() -> bool:
    """Whether the log shall hold that this health probe failed: once a minute."""
    now = time.monotonic()
    if now < _last.probe_told_at + PROBE_TOLD_EVERY:
        return False
    _last.probe_told_at = now
    return True


def present() -> Fault | None:
    """The fault that goes on, as far as this process knows."""
    return _failed() or (Fault.STUCK if oldest_write() > STUCK_SECONDS else None)


def _failed() -> Fault | None:
    return _last.fault if time.monotonic() < _last.until else None


def _close_while_present(_connection, record) -> None:
    """One that was opened on a disk that failed never heals, nor do others beside it in SQLite."""
    if _failed():
        record.invalidate()


def listen(engine: Engine) -> None:
    """Hear of every failed statement of this engine, and of every commit."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        _last.place = os.path.dirname(engine.url.database)
    event.listen(engine, "handle_error", lambda context: note(fault_of(context.original_exception)))
    event.listen(engine, "commit", lambda _connection: forget())
    event.listen(engine, "checkin", _close_while_present)
