"""The tables that reports are made of: their columns, their checks, how they count."""

from clinic import dehydration, report_ages, report_rows
from clinic.report_facts import Where
from clinic.report_tables import MEASURES, Check, Column, Placing, Section

NEW, OLD = {"case": "baru"}, {"case": "lama"}
CASES = (
    "Kasus baru atau lama menurut centang pemeriksa. Hanya pemeriksaan yang selesai; kode yang "
    "sama dari dua ruang dalam satu kunjungan satu kasus."
)
STAYS = (
    "Satu kunjungan dihitung sekali di tiap ruang yang didatangi (yang dipindah dihitung di ruang "
    "tujuannya), jadi jumlah ruang dapat melebihi jumlah kunjungan. Yang pulang sebelum dilayani "
    "dan yang tidak selesai ikut."
)


def _sexes(where: Where, key: str, group: str) -> tuple[Column, ...]:
    """L, P and their sum."""
    return (
        Column(f"{key}L", "L", {**where, "sex": "L"}, group),
        Column(f"{key}P", "P", {**where, "sex": "P"}, group),
        Column(f"{key}J", "Jml", where, group),
    )


def _bands(name: str, where: Where, group: str) -> tuple[Column, ...]:
    bands = report_ages.labels(name).items()
    return tuple(Column(f"u{key}", label, {**where, name: key}, group) for key, label in bands)


def _keys(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(column.key for column in columns)


BY_SEX = _sexes({}, "", "")
SEX_CHECK = (Check("L + P = jumlah", ("L", "P"), "J"),)
_NEW_VISITS = _sexes({"new": "baru"}, "b", "Baru")[:2]
_OLD_VISITS = _sexes({"new": "lama"}, "l", "Lama")[:2]
BY_NEW = (*_NEW_VISITS, *_OLD_VISITS, *_sexes({}, "", "Semua"))
NEW_CHECKS = (
    *SEX_CHECK,
    Check("baru + lama = jumlah", _keys((*_NEW_VISITS, *_OLD_VISITS)), "J"),
)
BY_CASE = (*_sexes(NEW, "b", "Kasus baru"), *_sexes(OLD, "l", "Kasus lama"), Column("J", "Semua"))
CASE_CHECKS = (
    Check("kasus baru L + P = jumlah", ("bL", "bP"), "bJ"),
    Check("kasus lama L + P = jumlah", ("lL", "lP"), "lJ"),
    Check("baru + lama = semua", ("bJ", "lJ"), "J"),
)


def morbidity(form: str, ages: str, title: str) -> Section:
    """New cases by age, then new and old by sex."""
    bands = _bands(ages, NEW, "Kasus baru menurut umur")
    check = Check("kelompok umur = kasus baru", _keys(bands), "bJ")
    return Section(
        "kasus",
        title,
        "diagnoses",
        "code",
        report_rows.of_form(form),
        (*bands, *BY_CASE),
        (check, *CASE_CHECKS),
        row_title="Penyakit",
    )


def lb1() -> Section:
    """Each band in four columns: new and old, each by sex."""
    parts = [
        (f"{case[0]}{sex}", f"{case[0].upper()} {sex}", {"case": case, "sex": sex})
        for case in ("baru", "lama")
        for sex in ("L", "P")
    ]
    bands = tuple(
        Column(f"u{band}{key}", label, {"LB1_12": band, **where}, words)
        for band, words in report_ages.labels("LB1_12").items()
        for key, label, where in parts
    )
    totals = tuple(Column(key, label, where, "Jumlah") for key, label, where in parts)
    checks = (
        Check("kelompok umur = jumlah", _keys(bands), "J"),
        Check("baru + lama, L + P = jumlah", _keys(totals), "J"),
    )
    columns = (*bands, *totals, Column("J", "Jml", {}, "Jumlah"))
    codes = report_rows.codes()
    return Section(
        *("kasus", "Data kesakitan (LB1)", "diagnoses", "code", codes, columns, checks),
        row_title="Penyakit",
    )


def new_cases(form: str, ages: str, title: str, more: tuple[Column, ...] = ()) -> Section:
    """New cases by age, by sex, and by what else is asked; the last column is all."""
    bands = _bands(ages, {}, "Umur")
    sexes = _sexes({}, "", "Jumlah")
    checks = [Check("kelompok umur = jumlah", _keys(bands), "J"), *SEX_CHECK]
    if more:
        checks.append(Check("wilayah = jumlah", _keys(more), "J"))
    return Section(
        "kasus",
        title,
        "diagnoses",
        "code",
        report_rows.of_form(form),
        (*bands, *more, *sexes),
        tuple(checks),
        where=NEW,
        row_title="Penyakit",
    )


def deaths(rows: Placing) -> Section:
    """Who died, by the primary diagnosis of the examination that says so."""
    return Section(
        *("mati", "Kematian menurut diagnosis utama", "deaths", "code", rows, BY_SEX, SEX_CHECK),
        note="Pemeriksaan selesai dengan tindak lanjut Meninggal di puskesmas atau DOA, kasus baru "
        "maupun lama; satu kunjungan sekali. Tanpa kode diagnosis utama: di luar formulir.",
        row_title="Penyakit",
    )


DEHYDRATED = Section(
    *("dehidrasi", "Derajat dehidrasi anak", "dehydrated", "grade"),
    report_rows.fixed(dehydration.LABELS),
    (*_bands("F11_10", {}, "Umur"), *BY_SEX),
    (Check("kelompok umur = jumlah", _keys(_bands("F11_10", {}, "")), "J"), *SEX_CHECK),
    note="Dari tanda yang dicentang pada isian MTBS (dua tanda atau lebih), bukan dari kode "
    "ICD-10. Ruang tanpa isian MTBS tidak mencatat derajat, jadi tidak terhitung di sini.",
    row_title="Derajat",
)
AREAS = {"dalam": "Dalam wilayah", "luar": "Luar wilayah", "x": "Belum diketahui"}
BY_AREA = tuple(Column(f"w{key}", label, {"area": key}, "Wilayah") for key, label in AREAS.items())


def bpjs() -> Section:
    """Visits and referrals, by registered here, by who pays the premium, by new and returning."""
    homes, kinds, news = (
        {"sini": "terdaftar di sini", "lain": "di faskes lain", "x": "belum ditanya"},
        {"pbi": "PBI", "non": "non"},
        ("baru", "lama"),
    )
    parts = []
    for what, more in (("Kunjungan", {}), ("Rujukan ke luar", {"referred": "ya"})):
        for home, home_words in homes.items():
            for kind, kind_words in kinds.items():
                for new in news:
                    key = f"{what[0].lower()}{home[0]}{kind[0]}{new[0]}"
                    where = {"home": home, "jkn": kind, "new": new, **more}
                    words = f"{what}, {home_words}"
                    parts.append(Column(key, f"{kind_words} {new}", where, words))
    half = len(parts) // 2
    columns = (
        *parts,
        Column("R", "Rujukan", {"referred": "ya"}, "Jumlah"),
        Column("J", "Kunjungan", {}, "Jumlah"),
    )
    checks = (
        Check("bagian kunjungan = jumlah", _keys(tuple(parts[:half])), "J"),
        Check("bagian rujukan = jumlah", _keys(tuple(parts[half:])), "R"),
    )
    return Section(
        *("peserta", "Kunjungan dan rujukan peserta BPJS", "stays", "room", report_rows.rooms),
        *(columns, checks),
        where={"jkn": ("pbi", "non")},
        row_title="Ruang",
        has_chart=True,
    )


STATUSES = {
    "finished": "Selesai",
    "open": "Masih berjalan",
    "left": "Pulang sendiri",
    "unfinished": "Tidak selesai",
}


def visits_by(key: str, title: str, dim: str, labels: dict[str, str]) -> Section:
    return Section(key, title, "visits", dim, report_rows.fixed(labels), BY_SEX, SEX_CHECK)


def visits_per_room() -> Section:
    return Section(
        *("ruang", "Kunjungan per ruang", "stays", "room", report_rows.rooms, BY_NEW, NEW_CHECKS),
        note=STAYS,
        row_title="Ruang",
        has_chart=True,
    )


MOST_FREQUENT = "terbanyak"


def most_frequent(limit: int) -> Section:
    return Section(
        *(MOST_FREQUENT, f"{limit} penyakit terbanyak", "diagnoses", "code"),
        *(report_rows.codes(limit), BY_CASE, CASE_CHECKS),
        note=f"Kode ICD-10 seperti ditulis, menurut jumlah kasus baru dan lama. {CASES}",
        row_title="Penyakit",
        has_chart=True,
    )


OVER_TIME = (
    Section(
        *("hari", "Kunjungan per hari", "visits", "day", report_rows.days, BY_SEX, SEX_CHECK),
        kinds=("month",),
        row_title="Tanggal",
        has_chart=True,
    ),
    Section(
        *("bulan", "Kunjungan per bulan", "visits", "month", report_rows.occurring),
        *(BY_SEX, SEX_CHECK),
        kinds=("year",),
        row_title="Bulan",
        has_chart=True,
    ),
)
WAITS = Section(
    *("tunggu", "Waktu tunggu per ruang (menit)", "waits", "room", report_rows.rooms),
    (Column("J", "Dipanggil"),),
    note="Dari masuk antrean sampai panggilan terakhir, menit penuh; tengah dan 90% menurut "
    "urutan terdekat. Yang kembali membawa hasil tidak ikut.",
    measures=tuple(MEASURES),
    row_title="Ruang",
)
MOVES = Section(
    *("pindah", "Pindah karena salah ruang", "moves", "pair", report_rows.pairs_of_rooms),
    (Column("J", "Jumlah"),),
    note="Perpindahan dengan alasan di antrean; yang diurungkan tidak dihitung.",
    row_title="Dari dan ke",
)
