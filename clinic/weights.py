"""Every weight by which a person is recognised, with its reason and the words the clerk reads.

Set by hand, the same for everybody; nothing is trained. `clinic/matching.py` adds them up.
"""

POSSIBLE_FROM = 8.0  # listed beside the form
STRONG_FROM = 10.0  # interrupts: the clerk must answer
# Who shares a number of one person has at least so many: one of the two records is wrong, which
# the clerk and the worker's look must see though name, date and sex all differ.
OWN_NUMBER = 12.0

RULES: dict[str, tuple[float, str]] = {
    # Numbers that belong to one person
    "nik_same": (24.0, "NIK sama"),
    "nik_near": (5.0, "NIK beda satu angka"),
    "nik_other": (-4.0, "NIK berbeda"),
    "bpjs_same": (14.0, "nomor BPJS sama"),
    "passport_same": (14.0, "nomor paspor sama"),
    "bpjs_near": (3.0, "nomor BPJS beda satu angka"),
    # Name: the full weight for a rare name that agrees wholly, less for less
    "name_same": (6.5, "nama sama"),
    "name_spelling": (6.5, "nama beda ejaan"),
    "name_part": (6.5, "sebagian nama sama"),
    "name_near": (6.5, "nama mirip"),
    "name_other": (-4.0, "nama berbeda"),
    # Birth date
    "born_same": (5.0, "tanggal lahir sama"),
    # By chance a date is the swapped one in 1 of 25,000 people, a year off in 2, one digit off
    # in some 30: the rarer the coincidence, the more it says.
    "born_swapped": (3.5, "tanggal dan bulan tertukar"),
    "born_digit": (2.5, "tanggal lahir beda satu angka"),
    "born_year_off": (3.0, "tahun lahir selisih satu"),
    "born_years_off": (2.5, "tahun lahir selisih dua"),  # like 1985 for 1987, one wrong digit
    "born_placeholder": (3.0, "tanggal lahir sama (tanggal perkiraan)"),
    "born_month": (2.0, "bulan dan tahun lahir sama"),
    "born_year": (2.0, "tahun lahir sama"),
    # Who is 40 today was born in this year less 40, or in the one before: not known better.
    "born_told": (2.0, "umur cocok dengan tahun lahir"),
    "born_age": (1.0, "umur mirip"),
    "born_other": (-4.0, "tanggal lahir berbeda"),
    # There are no family names: those of one home do not share a whole name, but a date that was
    # guessed once and read from the card later differs wholly. So light that a whole name, with a
    # slip too, is listed by house, village and sex (above -1.9), and that with all that a family
    # shares it still does not interrupt (below -1.0): it may be a father and his namesake.
    "born_other_home": (-1.5, "tanggal lahir berbeda, tetapi nama dan rumah sama"),
    # One birth of one mother: a baby without a name, and a child that has one. So much that the
    # worker's look sees it too; twins whom nothing tells apart are asked about.
    "named_since": (5.0, "bayi ibu itu, lahir hari itu, yang belum bernama"),
    # Sex
    "sex_same": (0.5, "jenis kelamin sama"),
    # A wrong tick: the very name and date are listed (above -3.5), in one village too they do not
    # interrupt (below -3.0).
    "sex_other": (-3.4, "jenis kelamin berbeda"),
    # Household: shared by the whole family, so together at most HOUSEHOLD_CAP
    "kk_same": (2.0, "satu KK"),
    "phone_same": (2.0, "nomor HP sama"),
    "mother_nik": (2.0, "NIK ibu sama"),
    "mother_name": (1.5, "nama ibu sama"),
    "address": (2.0, "alamat sama"),
    # A house number on one side only: half a house, because neighbours would fit as well
    "address_part": (1.0, "jalan sama, satu tanpa nomor rumah"),
    # A whole hamlet has it: no more than the village, which counts already (with one point more
    # strangers interrupted). The clerk is told, and who was born that day there may be a twin.
    "street": (0.0, "satu jalan atau dusun"),
    "village": (1.5, "satu desa"),
    # Another child of the family, unless a number says otherwise
    "sibling": (-10.0, "nama depan atau urutan lahir berbeda"),
}
HOUSEHOLD_CAP = 4.0

# What some rules have in common
OWN_RULES = {"nik_same", "bpjs_same", "passport_same"}
HOME_RULES = {"kk_same", "phone_same", "mother_nik", "address"}
FAMILY_RULES = HOME_RULES | {"mother_name"}
NEAR_RULES = {"village", "address_part", "street"}
ONE_BIRTH = {"born_same", "mother_nik"}
TWIN_RULES = {"sex_other", "nik_other"}
WHOLE_NAME = {"name_same", "name_spelling", "name_near"}  # perhaps with a slip

SIBLING_HINT = "satu keluarga, mungkin kembar/saudara"
PARENT_HINT = "mungkin orang tua dan anak"
