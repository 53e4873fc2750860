"""How backups, copies, drills and the recovery card are, in lines for everybody.

Ages are judged when they are read: what stopped working turns red without anybody's doing.
"""

from datetime import datetime, timedelta
from pathlib import Path

from clinic import backup_keys, backup_places, backups, drills, settings
from clinic.status_check import Check, State, ago
from db import utcnow
from formatting import number_text
from models import Backup, BackupState, CopyState, DrillKind

ONE_DISK = "Hanya di disk ini: bila disk rusak, semua hilang. Tambahkan USB atau PC lain."
CARD = "Kartu pemulihan"
LATE, GONE = timedelta(minutes=40), timedelta(hours=2)  # while there is something unsaved
ASK = "Tekan Buat cadangan sekarang di halaman Cadangan."
TELL = "Beri tahu petugas TI hari ini; pelayanan tetap berjalan."


def checks(at: datetime, keys: Path) -> list[Check]:
    """All of them."""
    return [_backup(at), _copies(), _card(keys), _nightly(at), _paper(at)]


def for_front_page() -> list[Check]:
    """The two that say whether the clinic would survive today: the backup and its last drill."""
    at = utcnow()
    return [_backup(at), _nightly(at)]


def _backup(at: datetime) -> Check:
    name, good, latest = "Cadangan", backups.newest(), (backups.recent(1) or [None])[0]
    figures = f"terakhir {ago(at - good.taken_at)}" if good else "belum ada"
    if latest and latest.state in (BackupState.FAILED, BackupState.DOUBTFUL):
        return Check(name, State.BAD, figures, f"{latest.problem} {TELL}")
    if good is None:
        return Check(name, State.WATCH, figures, f"Dibuat sendiri begitu ada data. {ASK}")
    counts = f"{number_text(good.patients)} pasien, {number_text(good.visits)} kunjungan"
    if not backups.has_unsaved_changes():
        return Check(name, State.GOOD, figures, f"{counts}; semua perubahan sudah tercadang.")
    age = at - good.taken_at
    if age >= LATE:
        state = State.BAD if age >= GONE else State.WATCH
        return Check(name, state, figures, f"Terlambat. Periksa pekerja latar. {ASK}")
    return Check(
        name, State.GOOD, figures, f"{counts}; diperbarui tiap 15 menit bila ada yang baru."
    )


def _copies() -> Check:
    name, newest = "Salinan cadangan", backups.newest(at_all=True)
    places = backups.places()
    if not places:
        return Check(name, State.WATCH, "1 tempat", ONE_DISK)
    rows = {row.place: row for row in newest.copies} if newest else {}
    bad = [f"{place}: {_why(rows.get(place), newest)}" for place in places if _is_bad(rows, place)]
    if bad and newest and not rows.keys() & set(places) and utcnow() - newest.ended_at < LATE:
        return Check(name, State.WATCH, "sedang disalin", "Muat ulang halaman ini sebentar lagi.")
    figures = f"{len(places) + 1 - len(bad)} dari {len(places) + 1} tempat"
    if bad:
        return Check(name, State.BAD, figures, " ".join(bad))
    if all(rows[place].reason == backup_places.SAME_DISK for place in places):
        return Check(name, State.WATCH, f"{len(places) + 1} tempat, satu disk", ONE_DISK)
    return Check(name, State.GOOD, figures, "Cadangan terbaru ada di setiap tempat.")


def _is_bad(rows: dict, place: str) -> bool:
    return place not in rows or rows[place].state != CopyState.GOOD


def _why(row, newest: Backup | None) -> str:
    return (row.reason if row else "") or ("Belum disalin." if newest else "Belum ada cadangan.")


def _card(keys: Path) -> Check:
    name = CARD
    if not backup_keys.public_key(keys):
        sentence = "Kepala membuatnya: Sistem, Cadangan, Kartu pemulihan."
        return Check(name, State.BAD, "belum ada kunci", sentence)
    if settings.value("is_demo"):
        return Check(name, State.GOOD, "kunci latihan", "Kartunya dapat dilihat kapan saja.")
    if backup_keys.pending(keys):
        sentence = "Tanpa kartu, cadangan tidak dapat dibuka. Kepala mencetaknya: Sistem, Cadangan."
        return Check(name, State.BAD, "belum dicetak", sentence)
    return Check(name, State.GOOD, "sudah dicetak", "Simpan di dua amplop di dua tempat berbeda.")


def _nightly(at: datetime) -> Check:
    name = "Latihan pemulihan"
    latest, good = drills.last(DrillKind.NIGHTLY), drills.last(DrillKind.NIGHTLY, good=True)
    figures = f"berhasil {ago(at - good.at)}" if good else "belum pernah berhasil"
    if latest and not latest.is_good:
        return Check(name, State.BAD, figures, f"{latest.problem} {TELL}")
    if good is None:
        sentence = "Berjalan sendiri sesudah cadangan pertama."
        return Check(name, _never(at, drills.TOO_OLD), figures, sentence)
    if at - good.at >= drills.TOO_OLD:
        return Check(name, State.BAD, figures, f"Tidak berjalan lagi. {TELL}")
    sentence = (
        f"{number_text(good.patients)} pasien dibandingkan, {good.copies} salinan dibaca ulang."
    )
    return Check(name, State.GOOD, figures, sentence)


def _paper(at: datetime) -> Check:
    name, good = "Latihan dengan kartu", drills.last(DrillKind.PAPER, good=True)
    how = "Sebulan sekali, di komputer lain. Kepala melakukannya: Sistem, Cadangan, Latihan kartu."
    if good is None:
        return Check(name, _never(at, drills.PAPER_TOO_OLD), "belum pernah", how)
    figures = f"berhasil {ago(at - good.at)}"
    if at - good.at >= drills.PAPER_TOO_OLD:
        return Check(name, State.BAD, figures, how)
    return Check(name, State.GOOD, figures, "Ulangi sebulan sekali.")


def _never(at: datetime, longest: timedelta) -> State:
    """Of a drill that never went well: the first one has its time too."""
    since = backups.since()
    return State.BAD if since and at - since >= longest else State.WATCH
