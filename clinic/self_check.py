"""Once a day Alur looks at itself: what takes too long for a page, in slices, kept as rows.

Each slice is a second or two of the worker's; one that is killed is done again.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text

from clinic import audit, disk_space, drills, set_aside, settings, system_status
from clinic.status_check import Check, State, ago
from db import Base, db
from formatting import number_text
from models import AuditEntry, DrillKind, LoginSession, SelfCheck

SLICE_SECONDS = 2.0
CHAIN_SLICE = 5_000
BUSY_HOURS = range(7, 15)  # of the clinic; there the check waits, but no longer than a day
# A new clinic's first check waits so long for the first backup and its drill, of which it tells.
FIRST_WAITS = timedelta(hours=1)
AT_LEAST_EVERY, LATE = timedelta(hours=26), timedelta(hours=48)
OLD_FILE = timedelta(days=1)
PUT_ASIDE_PART = 0.1  # of the free disk
DONE = ""
HURT = "Jangan hapus apa pun. Buat cadangan sekarang dan hubungi petugas TI."

# What a slice says: where to go on (DONE: at the end), and the line, once it is known.
Slice = tuple[str, Check | None]


def is_due(last: datetime | None, at: datetime) -> bool:
    """Whether a day's check should begin, its last one having ended then."""
    if last is None:
        return _is_first_due(at)
    if at < last or at - last > AT_LEAST_EVERY:
        return True
    zone = ZoneInfo(settings.value("time_zone"))
    before, now = last.astimezone(zone), at.astimezone(zone)
    return before.date() != now.date() and now.hour not in BUSY_HOURS


def _is_first_due(at: datetime) -> bool:
    if drills.last(DrillKind.NIGHTLY):
        return True
    began = db.session.scalar(select(AuditEntry.at).order_by(AuditEntry.seq).limit(1))
    return began is None or not timedelta() <= at - began < FIRST_WAITS


@dataclass
class Progress:
    """Where the check stands ("step|place", empty when it has ended), and its new lines."""

    place: str
    found: list[Check]


def go_on(data: Path, place: str, at: datetime) -> Progress:
    """Some seconds of the check, from this place."""
    name, _, inner = place.partition("|")
    names = list(STEPS)
    here = names.index(name) if name in STEPS else 0
    until, found = time.monotonic() + SLICE_SECONDS, []
    while here < len(names) and time.monotonic() < until:
        inner, check = STEPS[names[here]](inner, data, at)
        if check:
            found.append(check)
        here += inner == DONE
    if here == len(names):
        return Progress(DONE, found + system_status.quick_checks(data, at))
    return Progress(f"{names[here]}|{inner}", found)


def keep(found: list[Check], at: datetime) -> None:
    """Store these lines."""
    for check in found:
        row = SelfCheck(
            name=check.name[:40],
            checked_at=at,
            state=check.state.value,
            figures=check.figures[:120],
            sentence=check.sentence[:300],
        )
        db.session.add(row)
    db.session.flush()


# --- What is looked at --------------------------------------------------------------------------


def _table_after(place: str) -> str | None:
    return min((name for name in Base.metadata.tables if name > place), default=None)


def _by_table(name: str, pragma: str, is_good: Callable[[list], bool], place: str) -> Slice:
    """The pragma on the next table; the first table that is not well ends it."""
    table = _table_after(place)
    if table is None:
        count = number_text(len(Base.metadata.tables))
        return DONE, Check(name, State.GOOD, f"{count} tabel", "Semua tabel utuh.")
    rows = db.session.execute(text(f"PRAGMA {pragma}('{table}')")).all()
    db.session.rollback()  # a long read would keep the log from shrinking
    if is_good(rows):
        return table, None
    return DONE, Check(name, State.BAD, f"tabel {table}", HURT)


def _whole(place: str, _data: Path, _at: datetime) -> Slice:
    name = "Keutuhan basis data"
    if db.engine.dialect.name == "sqlite":
        return _by_table(name, "quick_check", lambda rows: [r[0] for r in rows] == ["ok"], place)
    failures = db.session.scalar(
        text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
    )
    if failures:
        return DONE, Check(name, State.BAD, f"{failures} halaman rusak", HURT)
    figures = "tanpa checksum" if failures is None else "0 halaman rusak"
    return DONE, Check(name, State.GOOD, figures, "PostgreSQL tidak mencatat kerusakan.")


def _foreign_keys(place: str, _data: Path, _at: datetime) -> Slice:
    name = "Hubungan antartabel"
    if db.engine.dialect.name == "sqlite":
        return _by_table(name, "foreign_key_check", lambda rows: not rows, place)
    return DONE, Check(name, State.GOOD, "dijaga PostgreSQL", "Semua hubungan utuh.")


def _chain(place: str, _data: Path, _at: datetime) -> Slice:
    """The whole audit trail, some thousand entries at a time."""
    name, since = "Jejak audit seluruhnya", int(place or 0)
    broken = audit.broken_link(since, most=CHAIN_SLICE)
    newest = db.session.scalar(select(func.max(AuditEntry.seq))) or 0
    db.session.rollback()
    if broken is not None:
        figures = f"putus di catatan {number_text(broken)}"
        return DONE, Check(name, State.BAD, figures, system_status.TRAIL_BROKEN)
    if since + CHAIN_SLICE < newest:
        return str(since + CHAIN_SLICE), None
    figures = f"{number_text(newest)} catatan"
    whole = "Utuh dari catatan pertama sampai terakhir."
    return DONE, Check(name, State.GOOD, figures, whole + system_status.trail_history())


def _keys(_place: str, data: Path, _at: datetime) -> Slice:
    name = "Berkas kunci"
    paths = [path for path in (data / "keys").rglob("*") if path.is_file()]
    exposed = [path.name for path in paths if path.stat().st_mode & 0o077]
    if exposed:
        sentence = f"Terbaca pengguna lain: {', '.join(exposed)}. Jalankan chmod 600 padanya."
        return DONE, Check(name, State.BAD, f"{len(exposed)} terbuka", sentence)
    return DONE, Check(name, State.GOOD, f"{len(paths)} berkas", "Hanya terbaca oleh Alur.")


def _stray_files(_place: str, data: Path, at: datetime) -> Slice:
    name, before = "Berkas sementara", (at - OLD_FILE).timestamp()
    paths = [path for path in (data / "tmp").rglob("*") if path.is_file()]
    old = [path for path in paths if path.stat().st_mtime < before]
    if old:
        sentence = "Tertinggal dari pekerjaan yang terputus. Minta petugas TI melihat folder tmp."
        return DONE, Check(name, State.WATCH, f"{len(old)} berkas lama", sentence)
    return DONE, Check(name, State.GOOD, "tidak ada yang tertinggal", "Folder tmp bersih.")


def _put_aside(_place: str, data: Path, at: datetime) -> Slice:
    name, sets = "Disisihkan oleh pemulihan", set_aside.sets(data, at)
    taken, free = sum(one.size for one in sets), disk_space.space(data).free
    db.session.rollback()
    figures = f"{len(sets)} kali, {disk_space.size_text(taken)}"
    if taken > free * PUT_ASIDE_PART:
        sentence = "Lebih dari sepersepuluh ruang kosong. Buang yang lama di Sistem, Cadangan."
        return DONE, Check(name, State.WATCH, figures, sentence)
    return DONE, Check(name, State.GOOD, figures, "Data lama tidak mengambil banyak ruang.")


def _sessions(_place: str, _data: Path, at: datetime) -> Slice:
    name = "Sesi masuk"
    is_open = LoginSession.ended_at.is_(None)
    count = db.session.scalar(select(func.count(LoginSession.id)).where(is_open)) or 0
    late = LoginSession.expires_at < at - timedelta(hours=1)
    left = db.session.scalar(select(func.count(LoginSession.id)).where(is_open, late)) or 0
    if left:
        sentence = "Ada sesi lewat waktu yang belum diakhiri. Nyalakan ulang Alur."
        return DONE, Check(name, State.WATCH, f"{number_text(left)} tertinggal", sentence)
    figures = f"{number_text(count)} terbuka"
    return DONE, Check(name, State.GOOD, figures, "Sesi yang lewat waktu sudah diakhiri.")


STEPS: dict[str, Callable[[str, Path, datetime], Slice]] = {
    "whole": _whole,
    "foreign_keys": _foreign_keys,
    "chain": _chain,
    "keys": _keys,
    "stray": _stray_files,
    "put_aside": _put_aside,
    "sessions": _sessions,
}


# --- What is told of it -------------------------------------------------------------------------


def newest() -> list[SelfCheck]:
    """The newest line of each name, in the order of the last check."""
    last = (
        select(SelfCheck.name, func.max(SelfCheck.id).label("id"))
        .group_by(SelfCheck.name)
        .subquery()
    )
    rows = select(SelfCheck).join(last, last.c.id == SelfCheck.id).order_by(SelfCheck.id)
    return list(db.session.scalars(rows))


def summary(at: datetime, live: Collection[str] = ()) -> Check:
    """One line for /sistem: red by itself when the last check is too long ago.

    What the `live` lines beside it tell as it is now, may have been mended since.
    """
    name, rows = "Pemeriksaan harian", newest()
    if not rows:
        return Check(name, State.WATCH, "belum pernah", "Berjalan sendiri oleh pekerja latar.")
    last = max(row.checked_at for row in rows)
    figures = ago(at - last)
    if at - last > LATE:
        sentence = "Terlalu lama. Biarkan server menyala di luar jam pelayanan, atau ulangi Alur."
        return Check(name, State.BAD, figures, sentence)
    current = [row for row in rows if row.checked_at > last - LATE and row.name not in live]
    for state in (State.BAD, State.WATCH):
        names = [row.name for row in current if row.state == state]
        if names:
            return Check(name, state, figures, f"Lihat di Sistem: {', '.join(names)}.")
    return Check(name, State.GOOD, figures, "Semua yang diperiksa baik.")
