"""The rooms' forms: every question with its code, unit, limits and choices. The one place.

A code is never used for anything else: stored answers are read by it. Limits catch slips of the
hand (docs/clinical-limits.md); what a value means is clinic.form_findings' business.
"""

from clinic import teeth
from clinic.form_items import NONE, Group, Item, Kind, RoomForm

DENTAL, PREGNANCY, CHILD, SICK_CHILD = "gigi", "hamil", "anak", "mtbs"
YES_NO = {"ya": "Ya", "tidak": "Tidak"}


def _number(code: str, label: str, unit: str, low: int, high: int, places: int = 0) -> Item:
    return Item(code, label, Kind.NUMBER, unit, low, high, places)


_DENTAL = RoomForm(
    DENTAL,
    "Gigi dan mulut",
    (Group("", (Item("oral_note", "Gusi, mukosa, kebersihan mulut", Kind.NOTE),)),),
)

_PREGNANCY = RoomForm(
    PREGNANCY,
    "Kehamilan",
    (
        Group(
            "Kehamilan ini",
            (
                # Days from the visit: a pregnancy is 40 weeks, what is later is another year.
                Item("lmp", "HPHT", Kind.DATE, low=-320, high=0, hint="hari pertama haid terakhir"),
                Item("edd_scan", "HPL menurut USG", Kind.DATE, low=-40, high=300),
                _number("gravida", "G", "", 1, 20),
                _number("para", "P", "", 0, 20),
                _number("abortus", "A", "", 0, 20),
                _number("birth_gap", "Jarak dari anak terakhir", "tahun", 0, 30, 1),
                Item(
                    "tetanus",
                    "Status TT",
                    Kind.CHOICE,
                    choices={f"T{n}": f"T{n}" for n in range(6)},
                ),
            ),
        ),
        Group(
            "Pemeriksaan kehamilan",
            (
                _number("arm_circumference", "LILA", "cm", 10, 60, 1),
                _number("fundal_height", "Tinggi fundus", "cm", 1, 60, 1),
                _number("fetal_heart", "DJJ", "per menit", 50, 250),
                Item(
                    "presentation",
                    "Presentasi",
                    Kind.CHOICE,
                    choices={
                        "kepala": "Kepala",
                        "sungsang": "Bokong (sungsang)",
                        "lintang": "Lintang",
                        "belum": "Belum dapat ditentukan",
                    },
                ),
                Item("risk_note", "Catatan risiko", Kind.NOTE),
            ),
        ),
    ),
)

_CHILD = RoomForm(
    CHILD,
    "Tumbuh kembang anak",
    (
        Group(
            "",
            (
                _number("head_circumference", "Lingkar kepala", "cm", 20, 70, 1),
                _number("child_arm", "LILA anak", "cm", 5, 35, 1),
                Item(
                    "height_posture",
                    "Panjang atau tinggi diukur",
                    Kind.CHOICE,
                    choices={"telentang": "Telentang", "berdiri": "Berdiri"},
                ),
                Item(
                    "weight_trend",
                    "Berat dibanding bulan lalu",
                    Kind.CHOICE,
                    choices={
                        "naik": "Naik (N)",
                        "tidak": "Tidak naik (T)",
                        "tidak_ditimbang": "Bulan lalu tidak ditimbang (O)",
                        "baru": "Pertama kali ditimbang (B)",
                    },
                ),
                Item("breast_only", "ASI saja (0-6 bulan)", Kind.CHOICE, choices=YES_NO),
                Item(
                    "development",
                    "Perkembangan (KPSP)",
                    Kind.CHOICE,
                    choices={
                        "sesuai": "Sesuai umur",
                        "meragukan": "Meragukan",
                        "penyimpangan": "Kemungkinan penyimpangan",
                    },
                ),
                Item(
                    "vitamin_a",
                    "Vitamin A",
                    Kind.CHOICE,
                    choices={"biru": "Kapsul biru", "merah": "Kapsul merah", "tidak": "Tidak"},
                ),
                Item("child_note", "Catatan tumbuh kembang", Kind.NOTE),
            ),
        ),
    ),
)

_SICK_CHILD = RoomForm(
    SICK_CHILD,
    "MTBS",
    (
        Group(
            "",
            (
                Item(
                    "danger",
                    "Tanda bahaya umum",
                    Kind.CHECKS,
                    choices={
                        NONE: "Tidak ada tanda bahaya",
                        "minum": "Tidak bisa minum atau menyusu",
                        "muntah": "Memuntahkan semuanya",
                        "kejang": "Kejang",
                        "letargis": "Letargis atau tidak sadar",
                        "gelisah": "Gelisah terus",
                        "stridor": "Stridor saat tenang",
                        "biru": "Biru (sianosis)",
                        "dingin": "Tangan dan kaki pucat, dingin",
                    },
                ),
                Item(
                    "danger_reason",
                    "Alasan bila dipulangkan dengan tanda bahaya",
                    Kind.LINE,
                ),
            ),
        ),
        Group(
            "",
            (
                _number("cough_days", "Lama batuk", "hari", 0, 365),
                Item(
                    "breathing",
                    "Batuk atau sukar bernapas",
                    Kind.CHECKS,
                    choices={"tarikan": "Tarikan dinding dada", "wheezing": "Wheezing"},
                ),
            ),
        ),
        Group(
            "",
            (
                _number("diarrhoea_days", "Lama diare", "hari", 0, 365),
                Item(
                    "dehydration",
                    "Tanda dehidrasi",
                    Kind.CHECKS,
                    choices={
                        "darah": "Darah dalam tinja",
                        "letargis": "Letargis atau tidak sadar",
                        "rewel": "Gelisah, rewel",
                        "mata": "Mata cekung",
                        "malas": "Tidak bisa atau malas minum",
                        "haus": "Haus, minum lahap",
                        "cubit_lambat": "Cubitan kulit lambat",
                        "cubit_lama": "Cubitan lebih dari 2 detik",
                    },
                ),
            ),
        ),
        Group(
            "",
            (
                _number("fever_days", "Lama demam", "hari", 0, 90),
                Item(
                    "fever",
                    "Tanda pada demam",
                    Kind.CHECKS,
                    choices={
                        "kaku": "Kaku kuduk",
                        "ruam": "Ruam merah menyeluruh",
                        "perdarahan": "Perdarahan atau bintik merah",
                        "syok": "Akral dingin, nadi lemah",
                    },
                ),
            ),
        ),
        Group(
            "",
            (
                Item(
                    "ear",
                    "Telinga",
                    Kind.CHECKS,
                    choices={
                        "nyeri": "Nyeri",
                        "cairan": "Cairan, kurang dari 14 hari",
                        "cairan_lama": "Cairan, 14 hari atau lebih",
                        "bengkak": "Bengkak nyeri di belakangnya",
                    },
                ),
            ),
        ),
        Group(
            "",
            (
                _number("muac", "LILA balita", "cm", 5, 35, 1),
                Item(
                    "nutrition",
                    "Gizi dan anemia",
                    Kind.CHECKS,
                    choices={
                        "kurus": "Tampak sangat kurus",
                        "edema": "Bengkak kedua kaki",
                        "agak_pucat": "Telapak tangan agak pucat",
                        "sangat_pucat": "Telapak tangan sangat pucat",
                    },
                ),
                Item("mtbs_note", "Catatan MTBS", Kind.NOTE),
            ),
        ),
    ),
)

FORMS = {form.name: form for form in (_DENTAL, _PREGNANCY, _CHILD, _SICK_CHILD)}
_ITEMS = {item.code: item for form in FORMS.values() for item in form.items}


def item_of(code: str) -> Item:
    """The question behind a stored code; of one that is gone only its code is known."""
    return _ITEMS.get(code) or teeth.item_of(code) or Item(code, code, Kind.NOTE)


def codes_in_order(form: str, codes: set[str]) -> list[str]:
    """Codes of answers as the form asks them, teeth first."""
    known = [item.code for item in FORMS[form].items] if form in FORMS else []
    chart = [f"{part}{tooth}" for tooth in teeth.TEETH for part in (teeth.CONDITION, teeth.ACTION)]
    order = {code: place for place, code in enumerate([*chart, *known])}
    return sorted(codes, key=lambda code: (order.get(code, len(order)), code))
