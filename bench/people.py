"""Invented people: the same index gives the same person, in the floor and in Alur.

Names follow the skew of real ones: a few words are very common, which is what makes searching
and the look for duplicates hard.
"""

import random
from datetime import date, timedelta


def _words(text: str) -> list[str]:
    return text.split()


WOMEN = _words(
    "Siti Nur Sri Dewi Ni Dwi Ayu Putri Fitri Rina Yuni Eka Sumiati Aminah Halimah Kartini Ratna "
    "Lestari Wahyuni Mariana Suryani Nurhayati Zaenab Rohani Maimunah Hasanah Indah Astuti "
    "Kusuma Yuliana Baiq Rahma Salma Nabila Khadijah Suharti Marlina Desi Novita Agustina"
)
MEN = _words(
    "Muhammad Ahmad Abdul I Agus Budi Eko Slamet Hadi Joko Made Wayan Rizki Dedi Hendra Yusuf "
    "Rahman Ibrahim Suparman Sutrisno Bambang Lalu Zulkarnain Sahabudin Arif Fajar Ilham Irfan "
    "Nyoman Ketut Gede Samsul Nasrudin Junaidi Herman Rudi Andi Ismail Mahmud Taufik"
)
LAST = _words(
    "Aminah Rahayu Hidayat Saputra Lestari Wulandari Setiawan Kurniawan Hasan Maulana Pratama "
    "Susanti Handayani Anggraini Wijaya Santoso Utami Permata Gunawan Hakim Syahputra Nugroho "
    "Purnama Hartono Mulyani Hamid Safitri Ramadhan Firmansyah Yulianti Darmawan Suryadi Karim "
    "Basri Fauzi Harahap Siregar Nasution Simatupang Sembiring Pangestu Wardani Kusumawati "
    "Prasetyo Halim Subagyo Anwar Marzuki Jamil Sukardi Effendi Iskandar Munandar Wahid Salim"
)
STREETS = _words("Melati Kenanga Cempaka Anggrek Pahlawan Pendidikan Sawo Nangka Pelabuhan Masjid")
VILLAGES = (
    "Tirta Alur",
    "Banyu Biru Lor",
    "Sumber Melati",
    "Kedung Cemara",
    "Karang Teduh",
    "Tanjung Serunai",
)
DENTAL = ("sakit gigi berlubang", "gigi goyang dan sakit", "gusi bengkak, sakit gigi")
GENERAL = ("demam dan batuk sejak dua hari", "pusing dan mual", "batuk pilek", "pegal dan meriang")
OLDEST_BIRTH = date(1940, 1, 1)
DAYS_OF_BIRTH = (date(2020, 1, 1) - OLDEST_BIRTH).days
# New people of a run: far behind any that a database is filled with.
FIRST_NEW = 500_000


def _common(words: list[str], chance: random.Random) -> str:
    """The first words often, the last ones seldom."""
    return words[int(len(words) * chance.random() ** 2)]


def person(index: int) -> dict[str, str]:
    """Person number `index` (below 900,000) as form fields; complete, and beyond suspicion."""
    chance = random.Random(index)
    sex = "P" if chance.random() < 0.55 else "L"
    if index >= FIRST_NEW:  # grown-ups, whom no rule sends to another room
        born = date(1970, 1, 1) + timedelta(days=chance.randrange(365 * 33))
    else:
        born = OLDEST_BIRTH + timedelta(days=chance.randrange(DAYS_OF_BIRTH))
    words = [_common(WOMEN if sex == "P" else MEN, chance)]
    words += [_common(LAST, chance) for _ in range(1 + (chance.random() < 0.3))]
    return {
        "nik": _number(index, born, sex),
        "name": " ".join(dict.fromkeys(words)),
        "sex": sex,
        "birth_date": born.isoformat(),
        # Three people a family card.
        "kk_number": f"5271{1 + index // 29_997:02}311210{1 + index // 3 % 9_999:04}",
        "mother_name": f"{_common(WOMEN, chance)} {_common(LAST, chance)}",
        "address": f"Jalan {chance.choice(STREETS)} {chance.randrange(1, 120)}",
        "village": chance.choice(VILLAGES),
        "rt": f"{chance.randrange(1, 9):03}",
        "rw": f"{chance.randrange(1, 6):03}",
        "phone": f"0812{30_000_000 + index}",
        "bpjs_number": f"000{1_000_000_000 + index}" if chance.random() < 0.7 else "",
        "payer": "UMUM",
        "complaint": chance.choice(GENERAL),
    }


def _number(index: int, born: date, sex: str) -> str:
    day = born.day + (40 if sex == "P" else 0)
    return f"5271{1 + index // 9_999:02}{day:02}{born:%m%y}{1 + index % 9_999:04}"


def registration(index: int, poli: str) -> dict[str, str]:
    """The form of a new patient for this room."""
    one = person(FIRST_NEW + index)
    complaint = DENTAL[index % len(DENTAL)] if poli == "GIGI" else one["complaint"]
    return one | {"poli": poli, "complaint": complaint}
