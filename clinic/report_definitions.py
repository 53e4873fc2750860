"""The reports themselves, as data: title, tables, definition.

Each definition is printed under its table, word for word; whoever reads a number knows what it
counts. The forms' rows of codes are working values that the health office must confirm.
"""

from dataclasses import dataclass

from clinic import report_ages, report_rows
from clinic.report_facts import Where
from clinic.report_sections import (
    AREAS,
    BY_AREA,
    CASES,
    DEHYDRATED,
    MOVES,
    OVER_TIME,
    STATUSES,
    STAYS,
    WAITS,
    bpjs,
    deaths,
    lb1,
    morbidity,
    most_frequent,
    new_cases,
    visits_by,
    visits_per_room,
)
from clinic.report_tables import Section
from formatting import CLUSTER_LABELS, PAYER_LABELS, VISIT_TYPE_LABELS

COMMON = (
    "Dihitung dari yang tercatat sekarang: kunjungan batal tidak ikut, diagnosis yang sudah "
    "dibetulkan dihitung menurut pembetulannya, dan kunjungan rekam yang digabung menjadi milik "
    "pasien tujuannya. Penjamin, kelurahan, dan klaster menurut hari kunjungan; umur pada hari "
    "kunjungan dari tanggal lahir yang tercatat."
)
AGES = (
    "Umur menurut kalender: hari bila di bawah 29 hari, lalu bulan sampai sehari sebelum ulang "
    "tahun pertama, lalu tahun. Tanpa tanggal lahir, atau perkiraan yang terlalu kasar untuk "
    "kelompoknya: tak diketahui, tidak ditebak."
)
WORKING = (
    "Pembagian kode ICD-10 per baris adalah nilai kerja Alur; Dinas Kesehatan setempat harus "
    "menetapkannya sebelum formulir dipakai melapor."
)
IS_NEW = (
    "Baru: didaftarkan pertama kali di puskesmas ini pada kunjungan itu; lama: selainnya, juga "
    "yang diimpor dengan nomor rekam medis lamanya."
)
# Beside the tables' own note, which kept recaps hold word for word.
ONE_CASE = f"{CASES} Kasus itu baru bila salah satu ruang mencentangnya baru."
OF_ROOM = "Penyakit satu ruang: yang ditemukan ruang itu, walau ruang lain juga mencatatnya."


@dataclass(frozen=True)
class Report:
    """A report: its tables, and what stands under them."""

    code: str
    title: str
    hint: str
    sections: tuple[Section, ...]
    definition: str
    gaps: tuple[str, ...] = ()  # of GAPS: rows that are incomplete, listed and not guessed
    is_form: bool = True  # goes to the health office each month: can be due and locked
    is_wide: bool = False


@dataclass(frozen=True)
class Gap:
    """Something that is missing, and how to find the visits."""

    label: str
    fact: str
    where: Where


GAPS = {
    "belum": Gap(
        "Kunjungan belum atau tidak selesai", "visits", {"status": ("open", "unfinished")}
    ),
    "konsep": Gap("Pemeriksaan masih konsep", "visits", {"draft": "ya"}),
    "diagnosis": Gap(
        "Dilayani tanpa kode diagnosis",
        "stays",
        {"kind": ("outpatient", "emergency"), "stay": "done", "coded": "tidak"},
    ),
    "kode": Gap("Kode diagnosis tidak dikenal", "diagnoses", {"known": "tidak"}),
    "umur": Gap("Umur tak diketahui", "visits", {"LB1_12": report_ages.UNKNOWN}),
}


_LIST = (
    Report(
        "rekap",
        "Rekap kunjungan",
        "Ruang, klaster, penjamin, umur, waktu tunggu, pindah ruang, 10 penyakit",
        (
            visits_per_room(),
            *OVER_TIME,
            visits_by("klaster", "Klaster", "cluster", CLUSTER_LABELS),
            visits_by("penjamin", "Penjamin", "payer", PAYER_LABELS),
            visits_by("baru", "Baru dan lama", "new", {"baru": "Baru", "lama": "Lama"}),
            visits_by("umur", "Umur", "F11_10", report_ages.labels("F11_10")),
            visits_by("jenis", "Jenis kunjungan", "type", VISIT_TYPE_LABELS),
            visits_by("wilayah", "Wilayah", "area", AREAS),
            visits_by("akhir", "Akhir kunjungan", "status", STATUSES),
            WAITS,
            MOVES,
            most_frequent(10),
        ),
        f"{COMMON} {IS_NEW} {AGES} {OF_ROOM}",
        tuple(GAPS),
        is_form=False,
    ),
    Report(
        *("kunjungan", "Kunjungan per poli", "Baru dan lama, laki-laki dan perempuan"),
        (visits_per_room(),),
        f"{COMMON} {IS_NEW}",
        ("belum",),
    ),
    Report(
        *(
            "lb1",
            "LB1 data kesakitan",
            "Per kode ICD-10, 12 kelompok umur, baru dan lama",
            (lb1(), deaths(report_rows.codes())),
        ),
        f"{COMMON} {AGES} {ONE_CASE} B: baru, L: lama (huruf pertama); L, P: jenis kelamin.",
        tuple(GAPS),
        is_wide=True,
    ),
    Report(
        "form11",
        "Form 11 kesakitan umum",
        "15 kelompok penyakit, kasus baru menurut umur",
        (morbidity("11", "F11_10", "Kesakitan umum"),),
        f"{COMMON} {AGES} {ONE_CASE} {WORKING}",
        tuple(GAPS),
        is_wide=True,
    ),
    Report(
        "form12",
        "Form 12 gejala, sebab, dan keadaan",
        "Menurut gejala, sebab, atau keadaan",
        (morbidity("12", "F11_10", "Kesakitan menurut gejala, sebab, atau keadaan"), DEHYDRATED),
        f"{COMMON} {AGES} {ONE_CASE} {WORKING} Derajat dehidrasi tidak ada di kode ICD-10; "
        "tabelnya sendiri menghitung dari isian MTBS.",
        tuple(GAPS),
        is_wide=True,
    ),
    Report(
        "form13",
        "Form 13 gigi dan mulut",
        "Kasus baru menurut umur",
        (morbidity("13", "GIGI_10", "Kesakitan gigi dan mulut"),),
        f"{COMMON} {AGES} {ONE_CASE} {WORKING}",
        tuple(GAPS),
        is_wide=True,
    ),
    Report(
        "form14",
        "Form 14 kasus terbanyak",
        "20 penyakit terbanyak",
        (most_frequent(20),),
        COMMON,
        tuple(GAPS),
    ),
    Report(
        "stp",
        "STP surveilans terpadu penyakit",
        "24 penyakit, kasus baru menurut umur",
        (new_cases("STP", "STP_12", "Kasus baru penyakit surveilans"),),
        f"{COMMON} {AGES} {ONE_CASE} {WORKING} Hanya kasus baru. Malaria campuran tidak punya "
        "kode; kusta tanpa jenis dan TB paru klinis (A16) ada di luar formulir, dapat dibuka.",
        tuple(GAPS),
        is_wide=True,
    ),
    Report(
        "ispa",
        "ISPA: batuk dan pneumonia",
        "Kasus baru menurut umur dan wilayah",
        (
            new_cases("ISPA", "ISPA_6", "Batuk dan pneumonia", BY_AREA),
            deaths(report_rows.of_form("ISPA")),
        ),
        f"{COMMON} {AGES} {ONE_CASE} {WORKING} Hanya kasus baru; kematian di tabelnya sendiri.",
        tuple(GAPS),
    ),
    Report(
        "bpjs",
        "Kunjungan BPJS",
        "Kunjungan dan rujukan peserta, terdaftar di sini atau tidak, PBI dan non-PBI",
        (bpjs(),),
        f"{COMMON} {STAYS} {IS_NEW} Rujukan: pemeriksaan selesai dengan tindak lanjut rujuk ke "
        "luar di ruang itu. Terdaftar: yang dijawab saat pendaftaran kunjungan itu; belum ditanya "
        "di kolomnya sendiri, tidak ditebak.",
        ("belum",),
        is_wide=True,
    ),
)
REPORTS: dict[str, Report] = {report.code: report for report in _LIST}
