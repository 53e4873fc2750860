"""Where copies go: a folder on another disk, USB stick, network drive or second computer.

Our folder there is made by *Coba* alone, at the first time: a stick that is not plugged in leaves
an empty folder behind, and copies must not silently fill the clinic's own disk instead.
"""

import errno
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from clinic import backup_archive, backup_rotation
from clinic.backup_manifest import BackupProblem, moment_of
from clinic.small_files import paced, sync_folder

PIECE = 1024 * 1024
OLDER_AT_ONCE = 4
TRY_SECONDS = 8
_GONE = "Tempat ini tidak ada sekarang. Pasang USB-nya atau sambungkan jaringannya."
SAME_DISK = "Satu disk dengan data: bila disk itu rusak, keduanya hilang."
_NEW = "Tempat ini belum disiapkan untuk puskesmas ini. Tekan Coba."
_FULL = "Penuh. Kosongkan, atau ganti dengan yang lebih besar."
_SILENT = "Tempat ini tidak menjawab. Periksa jaringan atau USB-nya."
_BROKEN = "Rusak: disk atau USB-nya gagal membaca atau menulis. Ganti."
_NOT_OURS = (
    "Akun alur tidak boleh menulis di sana. Petugas TI memasangnya dengan uid=alur,gid=alur "
    "(README, Petugas TI)."
)
_READ_ONLY = (
    "Hanya dapat dibaca: USB-nya terkunci, atau foldernya di luar /media dan /mnt. "
    "Pasang di bawah /media, lalu Coba."
)
_REASONS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NOT_OURS),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FULL),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.ENODEV), _GONE),
    **dict.fromkeys((errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH), _SILENT),
    **dict.fromkeys((errno.ENOTCONN, errno.ESTALE), _SILENT),
    errno.EROFS: _READ_ONLY,
    errno.EIO: _BROKEN,
}


def because(problem: OSError) -> str:
    """What is wrong at a place and what to do, where the system would say it in English."""
    code = errno.errorcode.get(problem.errno, problem.errno)
    return _REASONS.get(problem.errno, f"Gagal menulis atau membaca di sana ({code}). Coba lagi.")


@dataclass(frozen=True)
class Source:
    """An encrypted backup on this server, and its hash."""

    path: Path
    digest: str


def folder_of(place: Path, clinic_ref: str) -> Path:
    """Our folder at a place that other clinics' copies may share."""
    return place / f"alur-{clinic_ref}"


def serve(folder: Path, sources: list[Source], zone: str) -> dict:
    """Copy what is missing there, the newest first, then let rotation take what is too old.

    `sources` are those that should be there. Tells what was copied and removed, and what went
    wrong, and what is to be known of the place; runs in a child, for the place may hang.
    """
    done: dict = {"copied": [], "removed": [], "problem": "", "remark": ""}
    try:
        present = _names(folder)
        if sources and is_same_disk(folder, sources[0].path):
            done["remark"] = SAME_DISK
        missing = [one for one in sources if one.path.name not in present]
        for one in missing[:OLDER_AT_ONCE]:
            copy(one, folder)
            done["copied"].append(one.path.name)
        done["removed"] = rotate(folder, zone)
    except BackupProblem as problem:
        done["problem"] = str(problem)
    except OSError as problem:
        done["problem"] = because(problem)
    return done


def is_same_disk(folder: Path, data: Path) -> bool:
    """Whether one broken disk takes both."""
    return os.stat(folder).st_dev == os.stat(data).st_dev


def refuse_inside(place: Path, data: Path) -> None:
    """Raises BackupProblem for a place in the clinic's own folder, which is no second place."""
    if place.is_relative_to(data):
        raise BackupProblem(f"{place} di dalam folder data sendiri. Pakai USB atau PC lain.")


def _names(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if moment_of(name)}
    except FileNotFoundError:
        raise BackupProblem(_NEW if folder.parent.is_dir() else _GONE) from None


def copy(source: Source, folder: Path) -> None:
    """Write it there, then read it back from the disk itself. Raises BackupProblem."""
    size = source.path.stat().st_size
    if shutil.disk_usage(folder).free < size + PIECE:
        raise BackupProblem(_FULL)
    target, aside = folder / source.path.name, folder / f".{source.path.name}.part"
    try:
        with source.path.open("rb") as old, open(aside, "wb", opener=_private) as new:
            with paced(aside):
                shutil.copyfileobj(old, new, PIECE)
            new.flush()
            os.fsync(new.fileno())
        reread(aside, source.digest)
        os.replace(aside, target)
        sync_folder(folder)
    finally:
        aside.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def reread(path: Path, digest: str) -> None:
    """Read it from the disk, not from memory, and compare. Raises BackupProblem."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if backup_archive.digest_of(path) != digest:
        raise BackupProblem("Salinan di sana rusak: isinya berbeda. Ganti USB atau disknya.")


def rotate(folder: Path, zone: str) -> list[str]:
    """Remove what no day, week, month or year needs any more; the names."""
    local = ZoneInfo(zone)
    moments = {moment_of(name).astimezone(local): name for name in _names(folder)}
    stay = backup_rotation.kept(moments)
    removed = [name for moment, name in moments.items() if moment not in stay]
    for name in removed:
        (folder / name).unlink(missing_ok=True)
    return removed


def check_newest(folder: Path, name: str, digest: str) -> None:
    """Whether the backup of this name is there and whole. Raises BackupProblem."""
    if name not in _names(folder):
        raise BackupProblem("Cadangan terbaru belum ada di sana.")
    try:
        reread(folder / name, digest)
    except OSError as problem:
        raise BackupProblem(because(problem)) from problem


def try_out(place: Path, clinic_ref: str, data: Path) -> str:
    """Make our folder there, write and read back a little. Raises BackupProblem."""
    folder = folder_of(place, clinic_ref)
    test = folder / f".coba-{secrets.token_hex(4)}"
    try:
        if not place.is_dir():
            raise BackupProblem(_GONE)
        refuse_inside(place.resolve(), data.resolve())
        folder.mkdir(mode=0o700, exist_ok=True)
        content = secrets.token_bytes(PIECE)
        try:
            with test.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if test.read_bytes() != content:
                raise BackupProblem("Yang terbaca berbeda dari yang ditulis. Jangan dipakai.")
        finally:
            test.unlink(missing_ok=True)
    except OSError as problem:
        raise BackupProblem(because(problem)) from problem
    if is_same_disk(folder, data):
        return f"Bisa, tetapi belum aman. {SAME_DISK}"
    return "Bisa ditulis dan dibaca kembali."


def try_elsewhere(place: str, clinic_ref: str, data: Path) -> tuple[bool, str]:
    """`try_out` in a process that may hang: whether it went well, and the sentence."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "clinic.backup_places", place, clinic_ref, str(data)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        told, _ = process.communicate(timeout=TRY_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # and not waited for: a dead network disk ends no process
        return False, _SILENT
    return process.returncode == 0, told.strip() or "Gagal; sebabnya ada di log server."


def main(place: str, clinic_ref: str, data: str) -> int:
    """Tell how trying this place went."""
    try:
        sys.stdout.write(try_out(Path(place), clinic_ref, Path(data)))
    except BackupProblem as problem:
        sys.stdout.write(str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
