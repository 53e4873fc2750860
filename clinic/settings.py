"""The clinic's settings: names, defaults, what they mean. The head edits them at /sistem."""

import ipaddress
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select

from clinic import backup_keys, mrn_template, paper_number, report_due
from db import db, run
from models import Setting

TIME_ZONES = {
    "Asia/Jakarta": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
}


MOST_PLACES = 6
LONGEST_NAME = 100
# What a real clinic tries at first to see whether the internet is there.
NATIONAL_HOST = "api-satusehat.kemkes.go.id:443"
_TARGET = re.compile(r"[a-z0-9]([a-z0-9.-]{0,88}[a-z0-9])?:[1-9][0-9]{0,4}")


class SettingError(ValueError):
    """A value that can't be used, with a sentence for the head."""


# What other modules say of a value that only they understand.
THEIR_PROBLEMS = (
    *(mrn_template.TemplateError, paper_number.TemplateError),
    *(report_due.DueError, backup_keys.KeyProblem),
)


def _name(value: str) -> str:
    name = value.strip()
    if len(name) > LONGEST_NAME:  # every page, ticket and letter bears them
        raise SettingError(f"Tulis paling banyak {LONGEST_NAME} huruf (sekarang {len(name)}).")
    return name


def _needed_name(value: str) -> str:
    name = _name(value)
    if not name:
        raise SettingError("Isian ini tidak boleh kosong.")
    return name


def _zone(value: str) -> str:
    if value not in TIME_ZONES:
        raise SettingError("Pilih WIB, WITA, atau WIT.")
    return value


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.strip().isdecimal() or not low <= int(value) <= high:
            raise SettingError(f"Isi angka bulat {low} sampai {high}.")
        return int(value)

    return parse


def _due_days(value: str) -> str:
    report_due.days_of(value)
    return " ".join(value.lower().split())


def _networks(value: str) -> str:
    parts = re.split(r"[\s,;]+", value.strip(" ,;"))
    for part in filter(None, parts):
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise SettingError(f"{part} bukan alamat jaringan, misalnya 192.168.1.0/24.") from None
    return " ".join(parts)


def time_of_day(value: str) -> str:
    """Hour and minute as "08.05", or nothing. Raises SettingError."""
    if not value.strip():
        return ""
    # "0415" too; "7.5" may be five past or half past seven.
    typed = re.sub(r"^([0-9]{2})([0-9]{2})$", r"\1.\2", value.strip())
    found = re.fullmatch(r"([0-9]{1,2})[.:]([0-9]{2})", typed)
    hour, minute = map(int, found.groups()) if found else (24, 0)
    if hour > 23 or minute > 59:
        raise SettingError("Isi jam dengan menit dua angka seperti 15.00, atau kosongkan.")
    return f"{hour:02}.{minute:02}"


def _address(value: str) -> str:
    """One line: of several, one after the other."""
    return ", ".join(line.strip(" ,") for line in value.splitlines() if line.strip(" ,"))


def _yes_or_no(value: str) -> str:
    if value not in ("ya", "tidak"):
        raise SettingError("Pilih ya atau tidak.")
    return value


def _places(value: str) -> str:
    places = list(dict.fromkeys(line.strip() for line in value.splitlines() if line.strip()))
    for place in places:
        path = PurePosixPath(place)
        if not path.is_absolute() or ".." in path.parts or len(place) > 200 or len(path.parts) < 2:
            raise SettingError(f"{place} bukan alamat folder, misalnya /media/usb-cadangan.")
    if len(places) > MOST_PLACES:
        raise SettingError(f"Paling banyak {MOST_PLACES} tempat.")
    return "\n".join(places)


def _host_and_port(value: str) -> str:
    target = value.strip().lower()
    if target and not (_TARGET.fullmatch(target) and int(target.rpartition(":")[2]) < 65536):
        raise SettingError(f"Isi nama server dan porta seperti {NATIONAL_HOST}, atau kosongkan.")
    return target


@dataclass(frozen=True)
class Definition:
    label: str
    default: Any
    parse: Callable[[str], Any]
    hint: str = ""


PRIVATE_NETWORKS = "127.0.0.0/8 ::1/128 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fd00::/8"

DEFINITIONS: dict[str, Definition] = {
    "clinic_name": Definition("Nama puskesmas", "Puskesmas", _needed_name),
    "clinic_address": Definition("Alamat puskesmas", "", _address),
    "clinic_office": Definition(
        "Instansi di kepala surat",
        "",
        _name,
        "Di atas nama puskesmas, misalnya Dinas Kesehatan Kota Samarinda.",
    ),
    "clinic_phone": Definition("Telepon di kepala surat", "", _name),
    "clinic_city": Definition(
        "Tempat surat ditulis", "", _name, "Di depan tanggalnya, misalnya Samarinda."
    ),
    "paper_number": Definition(
        "Bentuk nomor surat",
        paper_number.DEFAULT,
        paper_number.checked,
        "{urut:3} nomor urut per jenis dan tahun, {jenis}, {kode}, {bulan} atau {bulan_romawi}, "
        "{tahun}. Surat yang sudah terbit tidak berubah.",
    ),
    "clinic_code": Definition("Kode puskesmas dalam nomor surat", "PKM", paper_number.checked_code),
    "sick_days": Definition(
        "Surat sakit tanpa alasan paling lama (hari)",
        3,
        _whole(1, 30),
        "Lebih lama dapat juga, dengan alasan yang dicatat dan tidak dicetak.",
    ),
    "report_due": Definition(
        "Tanggal jatuh tempo laporan bulanan",
        report_due.DEFAULT,
        _due_days,
        "Di bulan berikutnya. Satu tanggal untuk semua, atau juga per laporan: 5 stp=2 lb1=10.",
    ),
    "report_head": Definition(
        "Nama kepala di bawah laporan", "", _name, "Kosong: ditulis tangan. Boleh dengan NIP."
    ),
    "time_zone": Definition("Zona waktu", "Asia/Makassar", _zone),
    "elderly_from_years": Definition(
        "Usia lansia mulai (tahun)", 60, _whole(45, 70), "Beberapa puskesmas memakai 45 tahun."
    ),
    "kb_cluster": Definition(
        "Klaster Pelayanan KB", "2", lambda text: str(_whole(2, 3)(text)), "2 atau 3, menurut SOP."
    ),
    "priority_ratio": Definition(
        "Pasien prioritas yang dipanggil sebelum satu pasien biasa", 2, _whole(0, 10)
    ),
    "put_back_behind": Definition(
        "Pasien yang kembali disisipkan setelah (pasien)", 2, _whole(0, 20)
    ),
    "wait_warn_minutes": Definition("Tanda kuning setelah menunggu (menit)", 30, _whole(1, 600)),
    "wait_late_minutes": Definition("Tanda merah setelah menunggu (menit)", 60, _whole(1, 600)),
    "closes_at": Definition(
        "Hari layanan ditutup sendiri pukul",
        "15.00",
        time_of_day,
        "Bila tidak ada lagi pasien di antrean, atau dua jam tidak ada langkah di sana. Kosong: "
        "hanya dengan tombol, atau saat hari berikutnya dimulai.",
    ),
    "idle_minutes": Definition("Layar terkunci setelah tidak dipakai (menit)", 15, _whole(1, 240)),
    "amend_free_hours": Definition(
        "Pembetulan bebas oleh penulisnya selama (jam)",
        48,
        _whole(0, 48),
        "Sesudah pemeriksaan selesai; kemudian perlu persetujuan. Paling lama 48 jam.",
    ),
    "board_networks": Definition(
        "Jaringan yang boleh membuka layar ruang tunggu",
        PRIVATE_NETWORKS,
        _networks,
        "Dipisah spasi atau koma. Kosong: layar tidak dapat dibuka dari mana pun.",
    ),
    # Empty by default: nothing that was not set up as a clinic may try a host.
    "internet_target": Definition(
        "Internet diukur ke",
        "",
        _host_and_port,
        f"Tiap menit, tanpa mengirim data; misalnya {NATIONAL_HOST}. Kosong: tidak diukur.",
    ),
    "mrn_template": Definition(
        "Bentuk nomor rekam medis",
        "{urut:6}",
        mrn_template.checked,
        "{urut:6} nomor urut 6 angka. Per keluarga: {desa:2}{kk:4}{anggota:2}; angka desa diisi di "
        "Wilayah. Nomor yang sudah ada tidak berubah.",
    ),
    "lab_second_person": Definition(
        "Hasil lab divalidasi orang kedua",
        "tidak",
        _yes_or_no,
        "Bila ya, hasil ditandai sementara sampai petugas laboratorium lain atau kepala "
        "memvalidasinya.",
    ),
    "is_demo": Definition("Data latihan", False, lambda text: text == "1"),
    "backup_places": Definition("Tempat cadangan lain", "", _places),
    "health_office_key": Definition("Kunci publik dinas kesehatan", "", backup_keys.parse_public),
    # Whose backups these are; goes with the data, not with the machine.
    "clinic_ref": Definition("Tanda puskesmas", "", str),
    # Part of every queue version: a restored database never repeats one.
    "epoch": Definition("Tanda basis data", "", str),
    "icd10_version": Definition("Tanda daftar ICD-10", "", str),
}
HIDDEN = {
    *("is_demo", "epoch", "clinic_ref", "icd10_version"),
    *("backup_places", "health_office_key"),
}

# From the table: every page asks, and asking the class takes three times as long.
_STORED = select(Setting.__table__.c.key, Setting.__table__.c.value)


def value(key: str) -> Any:
    """The setting's value, or its default."""
    return values()[key]


def defaults() -> dict[str, Any]:
    """What holds where nothing is stored, or the database can't be asked."""
    return {key: entry.default for key, entry in DEFINITIONS.items()}


def values() -> dict[str, Any]:
    """All settings: one query a transaction, however often they are asked for."""
    session = db.session()
    known = session.info.get("settings")
    if known and known[0] is session.get_transaction():
        return known[1]
    stored = dict(run(_STORED).tuples().all())
    found = {key: stored.get(key, default) for key, default in defaults().items()}
    session.info["settings"] = (session.get_transaction(), found)
    return found


def set_value(key: str, new: Any) -> None:
    """Store one setting; `new` is already parsed."""
    row = db.session.get(Setting, key)
    if row is None:
        db.session.add(Setting(key=key, value=new))
    else:
        row.value = new
    db.session.flush()
    db.session().info.pop("settings", None)


def parse(key: str, typed: str) -> Any:
    """The value of what was typed. Raises SettingError."""
    try:
        return DEFINITIONS[key].parse(typed)
    except THEIR_PROBLEMS as problem:
        raise SettingError(str(problem)) from None


def new_epoch() -> str:
    return secrets.token_hex(3)


def new_clinic_ref() -> str:
    """What tells this clinic's backups from another one's."""
    return secrets.token_hex(4)
