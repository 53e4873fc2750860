"""What to ask about a NIK that the form accepted: warnings and information, never a stop.

Regions and dates inside a NIK are those of its first registration and are never reissued, so
honest cards often differ from what is true today.
"""

from datetime import date, timedelta

from clinic.names import fold, name_tokens
from clinic.patients import Identity
from models import Patient
from validators import (
    KTP_AGE,
    PROVINCES,
    Finding,
    full_years,
    is_usual_passport,
    nik_dates,
    nik_facts,
)

OLD_AGE = 110
MOTHER_FROM_YEARS = 12
INFANT_YEARS, NAMED_INFANT_YEARS = 1, 5  # one who is still called "By Ny X" may be older
INFANT_NAMES = {"BY", "BAYI", "BBL"}
KK_YEARS = 20  # how far back an issue date on a family card is looked for

_MESSAGES = {
    "NIK-SAME-KK": "NIK sama dengan nomor KK. NIK ada di KTP atau di baris nama pada KK.",
    "NIK-SAME-MOTHER": "NIK sama dengan NIK ibu. Untuk bayi, kosongkan NIK dan pilih alasan bayi.",
    "NIK-MOTHER": "NIK ini milik perempuan dewasa, sedangkan pasiennya bayi. Bila itu NIK ibunya, "
    "NIK bayi dikosongkan dengan alasan bayi.",
    "NIK-SEX": "Jenis kelamin menurut NIK berbeda dengan yang diisi. Cocokkan dengan kartu.",
    "NIK-DATE": "NIK memuat tanggal {encoded}, {unlike}. Cocokkan dengan kartu.",
    "NIK-KK": "Angka ini mirip nomor KK. Pastikan yang diketik NIK orangnya.",
    "NIK-FUTURE": "Tanggal di dalam NIK belum terjadi. Periksa NIK dan tanggal komputer ini.",
    "NIK-PROVINCE": "Dua angka pertama NIK ({province}) bukan kode provinsi. Periksa kartu.",
    "NIK-REGION": "Belum ada pasien dengan awal NIK {region}. Cocokkan 6 angka itu dengan kartu.",
    "NIK-PRINTED": "Tanggal di NIK tidak mungkin, diterima sesuai kartunya. Tulis alasannya.",
}
# What is said while a field is empty that a reason without NIK asks for.
_EMPTY = {
    ("BAYI", "mother_nik"): "NIK ibu belum diisi. Bayi dikenali dengan itu sampai NIK-nya terbit.",
    ("BAYI", "birth_order"): "Bayi ke berapa belum diisi (1 bila tunggal): kembar mudah tertukar.",
    ("BELUM_BAWA", "kk_number"): "Nomor KK belum diisi. NIK tercantum di KK: minta foto KK di HP.",
    ("ASING", "passport_no"): "Nomor paspor belum diisi. Minta paspor, atau tulis alasannya.",
    ("ASING", "no_nik_note"): "Negara asal belum diisi pada keterangan.",
    ("TANPA_DOKUMEN", "no_nik_note"): "Keterangan belum diisi, misalnya surat panti atau lapas.",
    ("TIDAK_DIKENAL", "no_nik_note"): "Tempat ditemukan belum diisi pada keterangan.",
}
# What identifies them in place of the NIK.
_WANT_A_REASON = {"mother_nik", "birth_order", "passport_no"}
_ODD_MOTHER = (
    "NIK ibu tidak lazim: tanggal di dalamnya tidak mungkin, atau bukan NIK perempuan. "
    "Cocokkan dengan kartu ibu."
)
_YOUNG_MOTHER = (
    f"Menurut NIK ibu, ibunya tidak sampai {MOTHER_FROM_YEARS} tahun lebih tua dari pasien ini. "
    "Pastikan ia memang ibunya; bila bukan, kosongkan NIK ibu dan nama ibu."
)
_OLD = f"Umur lebih dari {OLD_AGE} tahun. Periksa {{}}."
_GROWN = (
    "Alasan tanpa NIK: bayi, padahal umurnya {} tahun. Isi NIK, pilih alasan lain, atau periksa "
    "tanggal lahirnya."
)
_ODD_PASSPORT = "Nomor paspor tidak lazim (biasanya 5-20 huruf dan angka). Cocokkan dengan paspor."
_LEVELS = {"NIK-SAME-KK": "error", "NIK-SAME-MOTHER": "error", "NIK-REGION": "info"}


def nik_findings(
    nik: str,
    *,
    sex: str | None,
    birth_date: date | None,
    today: date,
    is_estimate: bool = False,
    kk_number: str | None = None,
    mother_nik: str | None = None,
    as_printed: bool = False,
    is_new_region: bool = False,
) -> list[Finding]:
    """Findings NIK-* about an accepted NIK.

    is_estimate: birth_date is worked out from an age, so only what is far off differs from it.
    is_new_region: no patient's NIK begins like this one. Lists of regions change, and people keep
    a retired code for life, so it is information only.
    """
    facts = nik_facts(nik, today, birth_date)
    known_province = nik[:2] in PROVINCES
    differs = _differs(facts.candidates, birth_date, today, is_estimate)
    applies = {
        "NIK-SAME-KK": nik == kk_number,
        "NIK-SAME-MOTHER": nik == mother_nik,
        "NIK-SEX": bool(sex and facts.sex) and sex != facts.sex,
        "NIK-DATE": differs,
        "NIK-KK": differs
        and facts.sex == "L"
        and _like_issue_date(facts.candidates[-1], birth_date, today),
        # Both centuries ahead of today: in practice this computer's clock is wrong.
        "NIK-FUTURE": bool(nik_dates(nik)) and not facts.candidates,
        "NIK-PROVINCE": not known_province,
        "NIK-REGION": known_province and is_new_region,
        "NIK-PRINTED": as_printed and not nik_dates(nik),
    }
    unlike = "jauh dari umur yang disebut" if is_estimate else "beda dengan tanggal lahir"
    words = {"encoded": _encoded(nik), "unlike": unlike, "province": nik[:2], "region": nik[:6]}
    return [
        Finding(rule, _LEVELS.get(rule, "warning"), _MESSAGES[rule].format(**words))
        for rule, found in applies.items()
        if found
    ]


def age_findings(identity: Identity, today: date) -> list[Finding]:
    """NIK-AGE: hardly anybody is that old, by what was told or by the NIK if there is one."""
    told, nik = identity.birth_date, identity.nik
    of_nik = nik_facts(nik, today, told).birth_date if nik else None
    if not any(full_years(born, today) > OLD_AGE for born in (told, of_nik) if born):
        return []
    where = "tanggal lahir dan NIK" if nik else "tanggal lahir atau umurnya"
    return [Finding("NIK-AGE", "warning", _OLD.format(where))]


def makes_adult(told: date | None, of_nik: date | None) -> bool:
    """Whether a NIK's date would make somebody told to be a child 12 years older or more."""
    return bool(told and of_nik and of_nik <= told) and (
        full_years(of_nik, told) >= MOTHER_FROM_YEARS
    )


def infant_born(name: str, told: date | None, today: date) -> date | None:
    """When an infant was born, by what was told or today by its name; None for anyone else."""
    words = fold(name).split()
    is_named_so = words[:1] and words[0] in INFANT_NAMES or name_tokens(name).is_baby_of
    if told is None:
        return today if is_named_so else None
    years = NAMED_INFANT_YEARS if is_named_so else INFANT_YEARS
    return told if told <= today and full_years(told, today) < years else None


def mothers_nik(identity: Identity, owner: Patient | None, today: date) -> list[Finding]:
    """NIK-MOTHER: an infant's NIK is that of a woman old enough to be the mother.

    By the date in it, or by its registered owner. It stands in place of NIK-DATE and NIK-SEX.
    """
    born = infant_born(identity.name, identity.birth_date, today)
    is_free = identity.mother_nik in (None, "", identity.nik)
    if not (identity.nik and born and is_free):
        return []
    facts = nik_facts(identity.nik, today, born)
    is_hers = facts.sex == "P" and makes_adult(born, facts.birth_date)
    is_owners = owner is not None and owner.sex == "P" and makes_adult(born, owner.birth_date)
    return [Finding("NIK-MOTHER", "error", _MESSAGES["NIK-MOTHER"])] if is_hers or is_owners else []


def agreement(nik: str, *, sex: str | None, birth_date: date | None, today: date) -> str:
    """What of the person an accepted NIK confirms; empty when nothing. Differences are findings."""
    facts = nik_facts(nik, today, birth_date)
    parts = {
        "tanggal lahir": birth_date in facts.candidates,
        "jenis kelamin": bool(sex) and facts.sex == sex,
    }
    same = " dan ".join(name for name, agrees in parts.items() if agrees)
    return f"cocok dengan {same}" if same else ""


def no_nik_findings(
    identity: Identity, today: date, known_reason: str | None = None
) -> list[Finding]:
    """What to ask of somebody without a NIK: about empty fields (NO-*), and odd numbers.

    Who came with the same reason before has been asked why, and is only reminded.
    """
    reason = None if identity.nik else identity.no_nik_reason
    wanted = _WANT_A_REASON if reason != known_reason else ()
    found = _grown_baby(identity.birth_date, today) if reason == "BAYI" else []
    found = found or [
        Finding(_rule(field), "warning" if field in wanted else "info", sentence)
        for (whose, field), sentence in _EMPTY.items()
        if whose == reason and not getattr(identity, field)
    ]
    mother = identity.mother_nik
    if mother and not (mother[6:8] > "40" and nik_dates(mother)):
        found.append(Finding("MOTHER-NIK", "warning", _ODD_MOTHER))
    elif mother and not _was_old_enough(mother, identity.birth_date):
        found.append(Finding("MOTHER-NIK", "warning", _YOUNG_MOTHER))
    if identity.passport_no and not is_usual_passport(identity.passport_no):
        found.append(Finding("PASSPORT-1", "warning", _ODD_PASSPORT))
    return found


def _grown_baby(born: date | None, today: date) -> list[Finding]:
    """NO-BABY: too old to be a baby. Asked each time, as another reason is the way on."""
    years = full_years(born, today) if born else 0
    is_grown = years >= NAMED_INFANT_YEARS
    return [Finding("NO-BABY", "warning", _GROWN.format(years))] if is_grown else []


def _was_old_enough(mother: str, child_born: date | None) -> bool:
    """In one of the two centuries that her NIK leaves open."""
    return child_born is None or any(
        born <= child_born and full_years(born, child_born) >= MOTHER_FROM_YEARS
        for born in nik_dates(mother)
    )


def _rule(field: str) -> str:
    return f"NO-{field.removeprefix('no_nik_').upper().replace('_', '-')}"


def _encoded(nik: str) -> str:
    day = int(nik[6:8])
    return f"{day - 40 if day > 40 else day:02}-{nik[8:10]}-{nik[10:12]}"


def is_far_off(told: date, exact: date, today: date) -> bool:
    """Further off than an age is that somebody guesses: a year, of the old a tenth."""
    return abs(told - exact) > max(timedelta(days=366), (today - exact) / 10)


def _differs(
    candidates: tuple[date, ...], birth_date: date | None, today: date, is_estimate: bool
) -> bool:
    if not (candidates and birth_date):
        return False
    if is_estimate:
        return all(is_far_off(birth_date, one, today) for one in candidates)
    return birth_date not in candidates


def _like_issue_date(youngest: date, birth_date: date, today: date) -> bool:
    # A family card number holds its issue date, and never the + 40 of women.
    return full_years(birth_date, today) >= KTP_AGE and full_years(youngest, today) < KK_YEARS
