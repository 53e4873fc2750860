"""Choosing a room: proposals, danger signs, every rule with a pass and a fail, the cluster."""

import csv
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from clinic import reference, routing, settings
from clinic.complaint_text import fold, hinted_age, read
from clinic.long_cough import cough_sign
from clinic.routing import Case, Routing
from db import db, transaction
from models import ComplaintTerm, Level, Poli, RoutingRule
from tests.databases import count_queries

ON = date(2026, 11, 21)
ROOMS = "UMUM GIGI KIA KB MTBS LANSIA IMUN TB GIZI UGD LAB FARMASI".split()  # noqa: SIM905
PHRASES = [row["phrase"] for row in reference.complaint_terms()]


def clinic(
    closed: Iterable[str] = (),
    off: Iterable[str] = (),
    elderly: int = 60,
    kb: str = "2",
    **rooms: dict,
) -> Routing:
    """The routing that a new clinic starts with, changed as its head might."""
    polis = [
        SimpleNamespace(**{**row, "is_active": row["code"] not in closed})
        for row in reference.rows("poli.csv")
    ]
    for room in polis:
        vars(room).update(rooms.get(room.code, {}))
    rules = [SimpleNamespace(**row) for row in reference.rows("rules.csv")]
    for rule in rules:
        rule.level = Level.OFF if rule.rule in off else rule.level
    terms = [
        SimpleNamespace(**row, id=number) for number, row in enumerate(reference.complaint_terms())
    ]
    return Routing(
        polis={room.code: room for room in polis},
        rules=rules,
        terms=terms,
        elderly_months=elderly * 12,
        kb_cluster=kb,
    )


USUAL = clinic()


def born(years: int | None = None, months: int = 0) -> date | None:
    if years is None:
        return None
    total = ON.year * 12 + ON.month - 1 - years * 12 - months
    return date(total // 12, total % 12 + 1, ON.day)


def case(complaint="", years=None, *, months=0, sex="P", pregnant="", poli="") -> Case:
    return Case(complaint, sex, born(years, months), None, pregnant, poli, ON)


def codes(given: Case, rules: Routing = USUAL) -> list[str]:
    return [one.poli_code for one in rules.propose(given)]


def found(given: Case, rules: Routing = USUAL, **asked) -> dict[str, routing.Finding]:
    return {one.rule: one for one in rules.findings(given, **asked)}


# --- Reading a complaint ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Gatal2", "gatal"),
        ("gatal-gatal", "gatal"),
        ("GATAL²", "gatal"),
        ("maag", "mag"),
        ("Sakit Gigi!!!", "sakit gigi"),
        ("dmm, btk; plk", "demam batuk pilek"),
        ("gak sadar", "tidak sadar"),
        ("nggak mau makan", "tidak mau makan"),
        ("demam 3hari", "demam 3 hari"),
        ("TT", "tt"),
        ("demam 38 koma 5", "demam 38 5"),
        ("naf\u0301as", "napas"),
        ("3 3", "3 3"),
        ("  \n", ""),
        ("TB 40, TB 230", "tinggi 40 tinggi 230"),
        ("TB 39, TB 231", "tb 39 tb 231"),
        ("BB TB", "bb tinggi"),
        ("TB, BB naik", "tb bb naik"),
        ("TB, BB susut", "tb bb susut"),
        ("Giginya sakit, kesadarannya menurun", "gigi sakit kesadaran menurun"),
        ("gigi2nya, perut2nya", "gigi perut"),
        ("hanya, adanya, tanya", "hanya adanya tanya"),
        ("tiba2 tgn & kk kanan lmh", "mendadak tangan kaki kanan lmh"),
        ("setengah sadar, 1/2 sadar", "separuh sadar 1 2 sadar"),
        ("1/2 bulan, \u00bd thn", "15 hari 6 bulan"),
        ("1 1/2 bulan, 1\u00bd bln", "45 hari 45 hari"),
        ("satu setengah bulan, dua stengah mgg", "45 hari 17 hari"),
        ("2,5 mgg, 2,5 mg", "17 hari 2 5 miligram"),
        ("1/2/2026 bulan, 120/80, 11/2 bulan", "1 2 2026 bulan 120 80 11 2 bulan"),
        ("bukannya, tidaknya, lamanya", "bukanya tidaknya lamanya"),
    ],
)
def test_fold(typed, folded):
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("typed", "months"),
    [
        ("mencret anak 3 th", 36),
        ("bayi 8 bln batuk", 8),
        ("bayi umur 40 hari", 1),
        ("anak usia dua tahun", 24),
        ("umur 34 tahun pusing", 408),
        ("bayi baru lahir kuning", 0),
        ("neonatus kuning", 0),
        ("anak 2 th", 24),
        ("bayi 8 bl", 8),
        ("bayi umur 60 hari", 2),
        ("anak sembilan bulan", 9),
        ("anak enam tahun", 72),
        ("usia 34 tahun pusing", 408),
        ("batita 20 bulan", 20),
        ("batita demam", 24),
        ("anak demam", 36),
        ("anak saya laki-laki 2 tahun", 24),
        ("anak perempuan 4 tahun", 48),
        ("nifas, bayi rewel", None),
        ("bumil, anak 2", None),
        ("bayi rewel", 6),
        ("bayi 1/2 bulan demam", 0),
        ("bayi setengah bulan demam", 0),
        ("anak 1 1/2 tahun", 18),
        ("anak dua setengah th", 30),
        ("balita demam", 36),
        ("demam 3 hari", None),
        ("hamil 3 bulan", None),
    ],
)
def test_the_complaint_tells_an_age(typed, months):
    assert hinted_age(fold(typed)) == months


@pytest.mark.parametrize(
    ("typed", "sign"),
    [
        ("batuk 3 minggu", "batuk 3 minggu"),
        ("batuknya sudah 3 minggu", "batuk 3 minggu"),
        ("batuk lamanya 3 hari", None),
        ("batuk seminggu", None),
        ("batuk berminggu-minggu", "batuk 2 minggu"),
        ("batuk berbulan-bulan", "batuk 2 bulan"),
        ("batuk setahun", "batuk 1 tahun"),
        ("batuk semenjak lama", "batuk semenjak lama"),
        ("sudah lama batuk", "sudah lama batuk"),
        ("batuk menahun", "batuk menahun"),
        ("batuk kronis", "batuk kronis"),
        ("batuk darah rendah", None),
        ("batuk darah manis", None),
        ("batuk 3 hari, dulu batuk 3 minggu", "batuk 3 minggu"),
        ("riwayat batuk, sekarang batuk 3 minggu", "batuk 3 minggu"),
        ("batuk, kandungan 5 bulan", None),
        ("batuk kandungan 5 bulan", None),
        ("batuk minggu ke-2", None),
        ("batuk minggu ke-3", "batuk 15 hari"),
        ("ambroxol 30 mg batuk", None),
        ("batuk p q r s t 3 minggu", "batuk 3 minggu"),
        ("batuk p q r s t u 3 minggu", None),
        ("batuk 3 minggu (-)", None),
        ("sudah 3 minggu batuk (-)", None),
        ("rawat hari ke 20 batuk", None),
        ("batuk > 2 minggu", "batuk 2 minggu"),
        ("batuk sudah lebih dari 1 bulan", "batuk 1 bulan"),
        ("batuk 14 hari", "batuk 2 minggu"),
        ("sudah 3mgg batuk", "batuk 3 minggu"),
        ("batuk sebulan", "batuk 1 bulan"),
        ("batuk pilek tiga minggu", "batuk 3 minggu"),
        ("batuk darah", "batuk darah"),
        ("batuk 13 hari", None),
        ("batuk 3 hari, gatal 1 bulan", None),
        ("tidak batuk 3 minggu", None),
        ("tidak batuk darah", None),
        ("tidak ada batuk darah", None),
        ("batuk darah (-)", None),
        ("batuk (-), demam 3 minggu", None),
        ("batuk, darah tinggi", None),
        ("tidak demam, batuk sdh lama", "batuk sudah lama"),
        ("bayi 3 bulan batuk", None),
        ("anak 2 tahun batuk 3 hari", None),
        ("hamil 3 bulan batuk", None),
        ("demam 3 minggu", None),
        ("batuk 3 pekan", "batuk 3 minggu"),
        ("batuk sejak 3 pekan", "batuk 3 minggu"),
        ("sejak 2 minggu yll batuk", "batuk 2 minggu"),
        ("dari 3 minggu yang lalu batuk", "batuk 3 minggu"),
        ("batuk setengah bulan", "batuk 15 hari"),
        ("batuk 1/2 bulan", "batuk 15 hari"),
        ("batuk 1/2 tahun", "batuk 6 bulan"),
        ("batuk setengah tahun", "batuk 6 bulan"),
        ("batuk 1 1/2 bulan", "batuk 45 hari"),
        ("batuk satu setengah bulan", "batuk 45 hari"),
        ("batuk 1/2 minggu", None),
        ("batuk satu setengah minggu", None),
        ("batuk 2,5 mgg", "batuk 17 hari"),
        ("batuk berdahak campur darah", "batuk dahak campur darah"),
        ("batuk kadang keluar darah sedikit", "batuk keluar darah"),
        ("batuk 3 hari keluar darah", "batuk keluar darah"),
        ("batuk 3 hari, sedikit darah", "batuk darah"),
        ("keluar darah saat batuk", "keluar darah sat batuk"),
        ("batuk kadang tidak ada darah", None),
        ("batuk 3 hari darah tinggi", None),
        ("batuk 3 hari, demam berdarah", None),
        ("batuk hari ke 20", "batuk 20 hari"),
        ("batuk hari ke-13", None),
        ("batuk sejak lama", "batuk sejak lama"),
        ("batuk pilek sudah lama", "batuk pilek sudah lama"),
        ("batuk berdahak disertai demam keringat malam sejak 3 minggu", "batuk 3 minggu"),
        ("batuk, demam, keringat malam, BB turun sejak 1 bulan", "batuk 1 bulan"),
        ("batuk, 3 minggu", "batuk 3 minggu"),
        ("batuk 1,5 bulan", "batuk 45 hari"),
        ("sudah 2.5 minggu batuk", "batuk 17 hari"),
        ("batuk 1,5 minggu", None),
        ("batuk 0,5 bulan", "batuk 15 hari"),
        ("batuk 1,5 tahun", "batuk 18 bulan"),
        ("batuk 3 mg", "batuk 3 minggu"),
        ("batuk sudah 2 mg", "batuk 2 minggu"),
        ("batuk, minum ambroxol 30 mg", None),
        ("batuk 3 hari minum ctm 4 mg", None),
        ("batuk minum amlodipin 2,5 mg", None),
        ("batuk tidak sembuh-sembuh, sudah 3 minggu", "batuk 3 minggu"),
        ("batuk (2-3 minggu)", "batuk 3 minggu"),
        ("sudah 3 minggu demam dan batuk", "batuk 3 minggu"),
        ("sejak 3 minggu: batuk", "batuk 3 minggu"),
        ("sudah 3 minggu batuk, demam 3 hari", "batuk 3 minggu"),
        ("nyeri pinggang 1 bulan, batuk 3 hari", None),
        ("batuk, gatal 1 bulan", None),
        ("batuk, gatal tenggorokan 1 bulan", "batuk 1 bulan"),
        ("batuk pilek nyeri sendi 1 bulan", None),
        ("telat haid 2 bulan batuk", None),
        ("batuk, 3 bulan telat haid", None),
        ("batuk obat habis 2 minggu", None),
        ("nifas hari ke 20 batuk", None),
        ("gatal 1 bulan, batuk", None),
        ("3 minggu demam tidak batuk", None),
        ("batuk tidak ada, demam sejak 3 minggu", None),
    ],
)
def test_a_long_cough(typed, sign):
    assert cough_sign(read(typed), 14) == sign


# --- Proposals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "room"),
    [
        (case("sakit gigi", 30), "GIGI"),
        (case("Sakit gigi geraham, bengkak"), "GIGI"),
        (case("gusi bengkak sudah 2 hari", 30), "GIGI"),
        (case("gigitan tidak pas", 30), "GIGI"),
        (case("digigit anjing", 30), "UGD"),
        (case("digigit anjing", 4), "UGD"),
        (case("mencret anak 3 th"), "MTBS"),
        (case("demam", 30), "UMUM"),
        (case("demam", 4), "MTBS"),
        (case("demam 3 hari", None), "UMUM"),
        (case("suntik kb 3 bulan", 28), "KB"),
        (case("telat haid", 25), "KIA"),
        (case("imunisasi campak", 0, months=9), "IMUN"),
        (case("campak", 3), "MTBS"),
        (case("batuk 3 minggu", 40), "TB"),
        (case("kontrol tensi", 65), "LANSIA"),
        (case("kontrol tensi", 40), "UMUM"),
        (case("keputihan", 30), "UMUM"),
        (case("susah tidur, cemas", 30), "UMUM"),
        (case("cek gula darah", 50), "LAB"),
        (case("stunting", 3), "GIZI"),
        (case("kecelakaan motor", 20, sex="L"), "UGD"),
        (case("sakit gigi, pusing, demam", 30), "GIGI"),
        (case("darah tinggi, cabut gigi, tambal", 30), "GIGI"),
        (case("gigi berlubang, tambal, luka robek, kejang (-)", 30), "GIGI"),
        (case("batuk keringat malam 3 minggu", 40), "TB"),
        (case("demam, batuk, pilek 3 minggu", 40), "TB"),
    ],
)
def test_the_best_proposal(given, room):
    assert codes(given)[0] == room


@pytest.mark.parametrize(
    ("given", "best", "never"),
    [
        (case("digigit ular", 30), "UGD", "GIGI"),
        (case("kbr", 30), "UMUM", "KB"),
        (case("panas", 30), "UMUM", "UGD"),
        (case("panas", 2), "MTBS", "UGD"),
        (case("step", 2), "UGD", "MTBS"),
        (case("maag", 30), "UMUM", "UGD"),
        (case("mag", 30), "UMUM", "UGD"),
        (case("mah", 30), "UMUM", "UGD"),
        (case("istri hamil", 30, sex="L"), "UMUM", "KIA"),
        (case("hamil, diantar suami", 30), "KIA", "UMUM"),
        (case("bengkak gusi", 30), "GIGI", "UMUM"),
        (case("bengkak kaki", 30), "UMUM", "GIGI"),
    ],
)
def test_homonyms(given, best, never):
    assert codes(given)[0] == best
    assert never not in codes(given)


@pytest.mark.parametrize("typed", ["maag", "mag", "mah", "kena maag lagi", "sakit mag"])
def test_maag_in_every_spelling_is_a_complaint_that_is_known(typed):
    assert USUAL.propose(case(typed, 30))[0].points > 0


def test_the_reason_names_the_words_as_staff_write_them():
    best = USUAL.propose(case("SAKIT  GIGI,maag", 30))[0]
    assert best.words == ("sakit gigi",)
    assert best.reason == 'Karena keluhan: "sakit gigi"'
    assert best.poli_name == "Poli Gigi dan Mulut"


def test_a_longer_phrase_uses_its_words_up():
    assert USUAL.propose(case("sakit gigi", 30))[0].points == 3
    assert USUAL.propose(case("sakit kepala, pusing", 30))[0].words == ("sakit kepala", "pusing")


def test_the_same_word_twice_counts_once():
    assert USUAL.propose(case("demam ... demam lagi", 30))[0].points == 2


@pytest.mark.parametrize("typed", ["tidak demam", "tdk ada demam", "tanpa demam", "bukan demam"])
def test_denied_words_do_not_count(typed):
    best = USUAL.propose(case(f"{typed}, batuk", 30))[0]
    assert best.words == ("batuk",)


def test_a_denied_phrase_leaves_no_shorter_word_behind():
    assert codes(case("tidak sakit gigi", 30)) == ["UMUM"]


def test_a_phrase_with_its_own_no_counts():
    assert USUAL.red_flags(case("tidak sadar", 30)) == ("tidak sadar",)
    assert USUAL.propose(case("tidak mau makan", 2))[0].words == ("tidak mau makan",)


def test_without_known_words_age_decides():
    assert codes(case("xyz", 30)) == ["UMUM"]
    assert codes(case("", 2)) == ["MTBS"]
    assert codes(case("xyz", 65)) == ["LANSIA", "UMUM"]
    assert codes(case("", 25, pregnant="ya")) == ["KIA"]
    assert "menurut umur" in USUAL.propose(case("", 30))[0].reason
    assert "hamil" in USUAL.propose(case("", 25, pregnant="ya"))[0].reason


def test_nothing_known_proposes_nothing_but_a_complaint_alone_does():
    assert USUAL.propose(case()) == []
    assert codes(case("???")) == ["UMUM"]
    assert "keluhan belum dikenal" in USUAL.propose(case("???"))[0].reason


def test_elderly_come_to_lansia_first_and_may_go_to_umum():
    assert codes(case("pusing", 60)) == ["LANSIA", "UMUM"]
    assert codes(case("pusing", 59)) == ["UMUM"]
    assert codes(case("pusing", 59), clinic(elderly=45)) == ["LANSIA", "UMUM"]
    assert codes(case("pusing", 60), clinic(closed=["LANSIA"])) == ["UMUM"]
    assert codes(case("sakit gigi", 70))[0] == "GIGI"


@pytest.mark.parametrize("pregnant", ["ya", "nifas"])
def test_pregnant_women_come_to_kia_first(pregnant):
    proposals = USUAL.propose(case("demam", 25, pregnant=pregnant))
    assert [one.poli_code for one in proposals] == ["KIA", "UMUM"]
    word = "nifas" if pregnant == "nifas" else "hamil"
    assert proposals[0].reason == f'Karena pasien {word}, keluhan: "demam"'


def test_teeth_and_danger_come_before_pregnancy():
    assert codes(case("sakit gigi", 25, pregnant="ya"))[0] == "GIGI"
    assert codes(case("kejang", 25, pregnant="ya"))[0] == "UGD"
    assert codes(case("demam", 25, sex="L", pregnant="ya")) == ["UMUM"]


def test_danger_comes_before_any_number_of_other_words():
    best = codes(case("demam batuk pilek pusing mual sakit gigi kejang", 30))[0]
    assert best == "UGD"


def test_a_laboratory_is_offered_with_the_doctors_room_beside_it():
    assert codes(case("cek darah", 30)) == ["LAB", "UMUM"]


def test_outside_a_room_the_redirect_is_proposed():
    assert codes(case("hamil", 8)) == ["UMUM"]
    assert codes(case("telat haid", 25, pregnant="tidak")) == ["UMUM"]
    assert codes(case("kb", 4)) == ["MTBS"]


def test_a_closed_room_is_replaced():
    assert codes(case("sakit gigi", 30), clinic(closed=["GIGI"])) == ["UMUM"]
    assert codes(case("demam", 3), clinic(closed=["MTBS"])) == ["UMUM"]
    assert codes(case("kejang", 30), clinic(closed=["UGD"])) == ["UMUM"]
    assert codes(case("demam", 30), clinic(closed=ROOMS)) == []
    (only,) = clinic(closed=["GIGI", "MTBS"]).propose(case("sakit gigi", 3))
    assert (only.poli_code, only.words) == ("UMUM", ("sakit gigi",))


def test_where_umum_is_closed_too_ugd_or_else_the_first_open_room_that_fits_is_proposed():
    """One that takes whom a doctor sends is none; one for others only where none fits."""

    def proposed(*are_open: str, years=30, sex="P") -> list[str]:
        return codes(case("xyz", years, sex=sex), clinic(closed={*ROOMS} - {*are_open}))

    assert proposed("GIGI", "KIA", "UGD") == ["UGD"]
    assert proposed("KIA", "MTBS", "KB", "LAB") == ["KIA"]
    assert proposed("KIA", "MTBS", "KB", "LAB", sex="L") == ["KB"]
    assert proposed("GIGI", "MTBS", "LANSIA", years=70) == ["LANSIA", "GIGI"]
    assert proposed("LAB", "MTBS", "IMUN") == ["MTBS"]
    assert proposed("LAB", "GIZI", "FARMASI") == []


def test_a_term_for_a_room_that_does_not_exist_counts_for_umum():
    rules = clinic()
    rules.terms.append(
        SimpleNamespace(
            **{**vars(rules.terms[0]), "id": 9999, "phrase": "ngompol", "folded": "ngompol"}
            | {"poli_code": "JIWA", "is_red_flag": False}
        )
    )
    assert codes(case("ngompol", 30), rules) == ["UMUM"]


complaints = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            PHRASES
            + [
                "tidak",
                "ada",
                "pernah",
                "(-)",
                ",",
                "dan",
                "atau",
                "tb 165",
                "anak 3 th",
                "batuk",
                "3 minggu",
            ]
        )
    ).map(" ".join),
)
cases = st.builds(
    Case,
    complaint=complaints,
    sex=st.sampled_from(["L", "P", ""]),
    birth_date=st.none() | st.dates(date(1900, 1, 1), date(2027, 1, 1)),
    age_months=st.none() | st.integers(0, 1500),
    pregnant=st.sampled_from(["", "ya", "tidak", "nifas"]),
    poli_code=st.sampled_from([*ROOMS, "", "TIDAK-ADA"]),
    on=st.just(ON),
)


@given(cases, st.sets(st.sampled_from(ROOMS)))
def test_any_case_is_answered_and_closed_rooms_stay_closed(given, closed):
    rules = clinic(closed)
    proposals = rules.propose(given)
    assert not closed & {one.poli_code for one in proposals}
    assert len({one.poli_code for one in proposals}) == len(proposals)
    assert all(one.reason for one in proposals)
    if given.months is not None and not closed:
        assert proposals
    assert not closed & {one.target_code for one in rules.findings(given)}
    assert len(rules.cluster(given).why) <= 60


with (Path(__file__).parent / "complaints.csv").open(encoding="utf-8", newline="") as file:
    COMPLAINTS = [tuple(row.values()) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("typed", "months", "sex", "pregnant", "room", "banner"), COMPLAINTS)
def test_complaints_as_they_are_typed(typed, months, sex, pregnant, room, banner):
    """Emergencies in many spellings; denials and namesakes of danger words, which must be quiet."""
    age = (0, int(months)) if months else (None, 0)
    given = case(typed, age[0], months=age[1], sex=sex, pregnant=pregnant)
    assert bool(USUAL.red_flags(given)) == (banner == "1")
    assert codes(given)[0] == room


# --- Danger signs -----------------------------------------------------------------------------

DANGER = [row for row in reference.complaint_terms() if row["is_red_flag"]]


@pytest.mark.parametrize("term", DANGER, ids=lambda term: term["phrase"])
def test_every_danger_sign_is_seen(term):
    months = (term["age_below_months"] or 360) - 1
    pregnant = "ya" if term["needs_pregnant"] else ""
    given = case(f"tadi pagi {term['phrase']} di rumah", 0, months=months, pregnant=pregnant)
    assert USUAL.red_flags(given)
    assert codes(given)[0] == "UGD"


# Shared with UMUM; a sick child before a vaccine, blood before the illness behind it.
ELSEWHERE = {("sariawan", "GIGI"), ("campak", "IMUN")}
ELSEWHERE |= {("batuk darah", "TB"), ("batuk berdarah", "TB")}


def test_every_word_alone_proposes_its_own_room():
    def best(term: dict) -> str:
        usual = 720 if term["poli_code"] == "LANSIA" else 360
        months = term["age_below_months"] - 1 if term["age_below_months"] else usual
        pregnant = "ya" if term["needs_pregnant"] else ""
        return codes(case(term["phrase"], 0, months=months, pregnant=pregnant))[0]

    lost = {
        (term["phrase"], term["poli_code"])
        for term in reference.complaint_terms()
        if best(term) != term["poli_code"]
    }
    assert lost == ELSEWHERE


# Each line is words of one meaning. Where another word makes another illness it is named below.
SAME = """
sakit nyeri | susah sulit | lemah lemas lemes | separuh separo | digigit gigitan | telat terlambat
haid mens menstruasi | habis setelah pasca | melahirkan lahiran | tb tbc | diare mencret murus
muka wajah | kanan kiri | netek menetek nyusu menyusu | implan implant susuk | iud spiral
terbentur kebentur | robek sobek | tersiram kesiram ketumpahan | sekali banget hebat parah
tersengat disengat | tertusuk ketusuk | cek tes | urin urine | tipes tifus typus | rembes merembes
tertelan ketelan | kambuh kumat | vaksin imunisasi | menabrak nabrak | terlindas dilindas
tersambar disambar | tertembak ditembak | dipatok dicatok dipatuk | monyet kera anjing
tabrakan kecelakaan lakalantas laka | tertabrak ketabrak ditabrak | nelan menelan | sayat menyayat
keserempet kesrempet terserempet diserempet | anafilaksis anafilaktik | letargi letargis
hipoglikemi hipoglikemia | konsul konsultasi | pusing pening mumet ngelu | perdarahan pendarahan
kejang step stip stuip | pingsan semaput | tersedak keselek kesedak | kesetrum tersetrum
flu influenza | wasir ambeien | mengi bengek | hamil bumil | migren migrain | testpack tespek
diabetes diabet dm | conge congek kopokan | keseleo terkilir | nginjak menginjak | bab berak
ingin pengen | dipukul dipukuli dianiaya dikeroyok | diperkosa perkosaan pemerkosaan
penganiayaan pemukulan pengeroyokan
"""
OTHER_ILLNESSES = {"sakit jantung", "cek pack"}
NOBODY_SAYS = re.compile(r"\b(?:makin|tambah|bertambah) (?:sekali|banget|hebat)$")


def said_otherwise() -> Iterable[tuple[str, str, dict]]:
    """Each phrase of the lexicon with one word for another of the same meaning."""
    meanings = [words.split() for words in SAME.replace("\n", "|").split("|") if words.strip()]
    for term in reference.complaint_terms():
        words = term["phrase"].split()
        for meaning in meanings:
            for said in set(words) & set(meaning):
                for other in set(meaning) - set(words):
                    phrase = " ".join(other if word == said else word for word in words)
                    if phrase not in OTHER_ILLNESSES and not NOBODY_SAYS.search(phrase):
                        yield term["phrase"], phrase, term


def test_words_of_one_meaning_lead_to_one_room_and_one_banner():
    def answer(phrase: str, term: dict) -> tuple[str, bool]:
        months = (term["age_below_months"] or 361) - 1
        pregnant = "ya" if term["needs_pregnant"] else ""
        given = case(phrase, 0, months=months, pregnant=pregnant)
        return codes(given)[0], bool(USUAL.red_flags(given))

    pairs = list(said_otherwise())
    assert len(pairs) > 500
    unlike = [(one, other) for one, other, of in pairs if answer(one, of) != answer(other, of)]
    assert unlike == []


@pytest.mark.parametrize(
    ("given", "is_danger"),
    [
        (case("demam", 0, months=1), True),
        (case("demam", 0, months=2), False),
        (case("tidak mau menetek", 0, months=1), True),
        (case("tidak mau menetek", 1), False),
        (case("bayi 1 bulan panas"), True),
        (case("demam"), False),
        (case("keluar darah", 25, pregnant="ya"), True),
        (case("hamil 7 bulan keluar darah", 25), True),
        (case("bumil keluar darah", 25), True),
        (case("kandungan 7 bulan keluar darah", 25), True),
        (case("keluar darah, kehamilan 7 bulan", 25), True),
        (case("keluar darah sejak hamil", 25, pregnant="tidak"), False),
        (case("keluar darah", 25), False),
        (case("tidak kejang", 30), False),
        (case("sesak", 30), False),
        (case("sesak berat", 30), True),
    ],
)
def test_danger_signs_that_depend(given, is_danger):
    assert bool(USUAL.red_flags(given)) == is_danger


@pytest.mark.parametrize(
    ("typed", "signs"),
    [
        # Denied before, with only "ada", "riwayat", "pernah" and the like between
        ("tidak ada riwayat kejang, demam", ""),
        ("belum pernah kejang", ""),
        ("tidak pernah pingsan, pusing", ""),
        ("tdk ada keluhan nyeri dada", ""),
        ("pusing tapi tidak sampai pingsan", ""),
        ("mules, belum pecah ketuban", ""),
        ("tidak kejang atau pingsan", ""),
        ("tidak kejang maupun pingsan, demam", ""),
        # Denied behind
        ("kejang tidak ada", ""),
        ("kejang tdk ada, demam 3 hari", ""),
        ("kejang tidak ada tapi demam", ""),
        ("kejang tidak ada namun demam", ""),
        ("kejang tidak ada cuma demam", ""),
        ("tidak mengalami kejang, demam", ""),
        ("demam, kejang (-)", ""),
        ("demam, kejang (\u2013)", ""),
        ("kejang [-], demam", ""),
        ("demam (+) kejang (-) batuk (+)", ""),
        ("nyeri dada disangkal, batuk", ""),
        ("kejang negatif", ""),
        ("kejang belum pernah", ""),
        ("demam iya, kejang tidak", ""),
        ("kejang tdk, muntah", ""),
        ("tidak pernah kejang lagi", ""),
        # Not denied at all
        ("kejang, tidak sadar", "kejang, tidak sadar"),
        ("pingsan tidak lama", "pingsan"),
        ("kejang (+)", "kejang"),
        ("demam tidak ada kejang (+)", "kejang"),
        ("demam tidak ada, kejang ada", "kejang"),
        ("tidak sadar", "tidak sadar"),
        ("tidak bisa bernapas", "tidak bisa bernapas"),
        ("kejang tidak berhenti", "kejang"),
        ("kejang tidak ada henti", "kejang"),
        ("perdarahan tidak berhenti", "perdarahan"),
        ("muntah darah tidak berhenti", "darah tidak berhenti"),
        ("bukan hanya kejang", "kejang"),
        ("kejang, obat tidak ada", "kejang"),
        ("obat tidak ada, kejang lagi", "kejang"),
        ("sudah tidak kejang, tadi kejang 2x", "kejang"),
        ("kejang, demam tidak ada", "kejang"),
        ("kejang, tidak ada demam", "kejang"),
        ("kejang tidak ada demam", "kejang"),
        # Two readings: the banner stays
        ("belum pernah kejang seperti ini", "kejang"),
        ("tidak pernah sakit dada sehebat ini", "sakit dada"),
        ("tidak ada keluhan pingsan mendadak", "pingsan"),
        ("tanpa keluhan pingsan", "pingsan"),
        ("tidak demam dan kejang", "kejang"),
        ("tidak demam, kejang", "kejang"),
        ("tidak demam tapi kejang", "kejang"),
        ("riwayat kejang, kontrol", "kejang"),
        ("kecelakaan 3 bulan lalu kontrol", "kecelakaan"),
        ("pusing hampir pingsan", "pingsan"),
        # A comma, a dash or a new line parts
        ("batuk tidak\nkejang", "kejang"),
        ("batuk tidak - kejang", "kejang"),
        ("batuk darah rendah", ""),
        ("batuk, darah tinggi", ""),
        ("batuk, darah", "batuk darah"),
        ("muntah darah, tinggi demamnya", "muntah darah"),
    ],
)
def test_a_danger_sign_is_denied_only_where_that_is_clear(typed, signs):
    assert ", ".join(USUAL.red_flags(case(typed, 30))) == signs
    assert (codes(case(typed, 30))[0] == "UGD") == bool(signs)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (case("pusing, tidak mual dan muntah", 30), "pusing"),
        (case("pusing, tanpa batuk dan sesak", 30), "pusing"),
        (case("tidak demam, batuk", 30), "batuk"),
        (case("tidak demam tapi batuk", 30), "batuk"),
        (case("pilek, demam (-)", 0, months=1), "pilek"),
        (case("muntah tidak berhenti", 30), "muntah"),
        (case("demam tidak turun", 30), "demam"),
        (case("sesak tidak hilang", 30), "sesak"),
        (case("belum pernah imunisasi", 1), "imunisasi"),
        (case("tidak pernah imunisasi", 1), "imunisasi"),
        (case("imunisasi belum pernah", 1), "imunisasi"),
        (case("belum imunisasi", 1), "imunisasi"),
        (case("pusing, tidak mual, dan muntah", 30), "pusing, muntah"),
        (case("pusing, tidak mual serta muntah", 30), "pusing"),
        (case("tidak kb dan telat haid", 25), "telat haid"),
    ],
)
def test_a_denial_carries_on_where_that_is_clear(given, words):
    assert ", ".join(USUAL.propose(given)[0].words) == words


@pytest.mark.parametrize(
    ("room", "is_danger", "given"),
    [
        *(
            ("UGD", True, case(typed, 30))
            for typed in (
                "nyeri di dada",
                "sakit di dada",
                "dada terasa berat",
                "dada sesak",
                "keluar darah dari jalan lahir",
                "haid keluar darah banyak",
                "ketuban rembes",
                "air ketuban keluar",
                "keluar air ketuban",
                "lemes separo",
                "lemas sebelah kanan",
                "KLL motor",
                "keselek tulang ikan",
                "tersedak",
                "tersetrum",
                "kesetrum",
                "overdosis obat",
            )
        ),
        ("UGD", True, case("stuip", 2)),
        ("UGD", True, case("step", 2)),
        ("UGD", False, case("jatuh dari kasur kepala benjol", 2)),
        ("UMUM", False, case("tb 165 bb 60 mau surat sehat", 30)),
        ("UMUM", False, case("TB: 165cm, surat sehat", 30)),
        ("TB", False, case("kontrol tb 6 bulan", 30)),
        ("TB", False, case("kontrol tb 60 hari", 30)),
        ("UMUM", False, case("flek hitam di muka", 30)),
        ("UMUM", False, case("digigit semut", 30)),
        ("MTBS", False, case("digigit semut", 3)),
        ("TB", False, case("batuk sudah lama", 30)),
        ("KIA", False, case("mules mau lahiran", 30)),
        ("KIA", False, case("habis lahiran", 30)),
        ("KIA", False, case("telat bulan", 30)),
        ("KIA", False, case("promil", 30)),
        ("KB", False, case("suntik 3 bulan", 30)),
        ("KB", False, case("program kb", 30)),
        ("IMUN", False, case("imunisasi, suntik 3 bulan", 0, months=3)),
    ],
)
def test_what_people_say(room, is_danger, given):
    assert codes(given)[0] == room
    assert bool(USUAL.red_flags(given)) == is_danger


# --- Rules ------------------------------------------------------------------------------------

RULES = [
    # rule, level, holds, does not hold
    ("E1", "error", case("demam", 30, sex="L", pregnant="ya"), case("demam", 30, pregnant="ya")),
    ("E1", "error", case("", 30, sex="L", pregnant="nifas"), case("", 30, sex="L")),
    ("E2", "error", case("", 6, sex="L", poli="KIA"), case("", 5, months=11, sex="L", poli="KIA")),
    ("E2", "error", case("", 30, sex="L", poli="KIA"), case("", 30, poli="KIA")),
    ("E3", "error", case("", 5, poli="MTBS"), case("", 4, months=11, poli="MTBS")),
    ("E4", "error", case("", 17, months=11, poli="LANSIA"), case("", 60, poli="LANSIA")),
    ("E4", "warning", case("", 18, poli="LANSIA"), case("", 60, poli="LANSIA")),
    ("E4", "warning", case("", 59, months=11, poli="LANSIA"), case("", 18, poli="UMUM")),
    ("W1", "warning", case("demam", 4, poli="UMUM"), case("demam", 5, poli="UMUM")),
    ("W1", "warning", case("tidak jatuh", 4, poli="UMUM"), case("jatuh", 4, poli="UMUM")),
    (
        "W2",
        "warning",
        case("demam", 25, pregnant="ya", poli="UMUM"),
        case("demam", 25, pregnant="ya", poli="GIGI"),
    ),
    ("W2", "warning", case("", 25, pregnant="ya", poli="KB"), case("", 25, poli="KB")),
    ("W3", "warning", case("", 10, poli="KIA"), case("", 9, months=11, poli="KIA")),
    ("W3", "warning", case("", 55, poli="KIA"), case("", 56, poli="KIA")),
    ("W3", "warning", case("", 25, poli="KIA"), case("", 25, pregnant="ya", poli="KIA")),
    ("W4", "warning", case("", 9, pregnant="ya"), case("", 10, pregnant="ya")),
    ("W4", "warning", case("", 56, pregnant="ya"), case("", 55, pregnant="ya")),
    ("W5", "warning", case("", 30, sex="L", poli="KB"), case("", 30, poli="KB")),
    ("W6", "info", case("", 60, poli="UMUM"), case("", 59, poli="UMUM")),
    ("W7", "warning", case("sakit gigi", 30, poli="UMUM"), case("sakit gigi", 30, poli="GIGI")),
    ("W7", "warning", case("demam", 30, poli="GIGI"), case("bau mulut", 30, poli="UMUM")),
    ("W8", "warning", case("", 30, poli="LAB"), case("", 30, poli="UMUM")),
    ("W8", "warning", case("", 30, poli="FARMASI"), case("", 30, poli="UGD")),
    ("W8", "warning", case("", 30, poli="GIZI"), case("", 30, poli="TB")),
    ("R1", "warning", case("kejang", 30, poli="UMUM"), case("tidak kejang", 30, poli="UMUM")),
    ("R1", "info", case("kejang", 30, poli="UGD"), case("demam", 30, poli="UGD")),
    ("R1", "warning", case("kejang", 30), case("demam", 30)),
    ("P1", "info", case("batuk 2 minggu", 30), case("batuk 13 hari", 30)),
    ("P1", "info", case("batuk darah", 30), case("batuk", 30)),
    ("L1", "error", case("", 30, pregnant="tidak", poli="KIA"), case("", 30, poli="KIA")),
    ("L1", "error", case("", 5, sex="L", poli="KIA"), case("", 30, sex="L", poli="KIA")),
    ("L1", "warning", case("", 9, poli="KB"), case("", 10, poli="KB")),
    ("L1", "warning", case("", 61, poli="KB"), case("", 60, poli="KB")),
    ("L1", "warning", case("", 7, poli="IMUN"), case("", 6, poli="IMUN")),
    ("L1", "warning", case("", 30, poli="IMUN"), case("", 30, poli="MTBS")),
]


def rule_id(value):
    return value if isinstance(value, str) else "-"


@pytest.mark.parametrize(("rule", "level", "holds", "fails"), RULES, ids=rule_id)
def test_rule(rule, level, holds, fails):
    finding = found(holds)[rule]
    assert finding.level == level
    assert finding.message
    assert "{" not in finding.message
    assert rule not in found(fails)


@pytest.mark.parametrize(("rule", "level", "holds", "_fails"), RULES, ids=rule_id)
def test_a_rule_that_is_off_is_silent(rule, level, holds, _fails):
    assert rule not in found(holds, clinic(off=[rule]))


def test_w1_is_about_umum_and_says_where_to_go():
    finding = found(case("demam", 2, months=3, poli="UMUM"))["W1"]
    assert finding.target_code == "MTBS"
    assert "2 tahun 3 bulan" in finding.message
    assert "MTBS" in finding.message


def test_advice_to_go_to_a_closed_room_is_not_given():
    assert "W1" not in found(case("demam", 2, poli="UMUM"), clinic(closed=["MTBS"]))
    assert "W2" not in found(case("", 25, pregnant="ya", poli="UMUM"), clinic(closed=["KIA"]))
    assert "W6" not in found(case("", 65, poli="UMUM"), clinic(closed=["LANSIA"]))


def test_what_must_not_be_stops_though_the_better_room_is_closed():
    assert "E3" in found(case("", 30, poli="MTBS"), clinic(closed=["UMUM"]))


def test_a_rules_target_is_a_room_for_this_patient():
    assert found(case("", 3, poli="LANSIA"))["E4"].target_code == "MTBS"
    assert found(case("", 30, poli="MTBS"))["E3"].target_code == "UMUM"


def test_the_cut_off_of_lansia_is_the_clinics():
    at_45 = clinic(elderly=45)
    assert "E4" not in found(case("", 45, poli="LANSIA"), at_45)
    assert "W6" in found(case("", 45, poli="UMUM"), at_45)
    assert "45 tahun" in found(case("", 44, poli="LANSIA"), at_45)["E4"].message
    assert codes(case("pikun", 44), at_45) == ["UMUM"]
    assert codes(case("pikun", 45), at_45)[0] == "LANSIA"


def test_of_unknown_age_nobody_is_sent_to_lansia():
    assert codes(case("pikun")) == ["UMUM"]


def test_a_long_cough_is_sent_nowhere_while_its_rule_is_off():
    assert codes(case("batuk 3 minggu", 30))[0] == "TB"
    assert codes(case("batuk 3 minggu", 30), clinic(off=["P1"]))[0] == "UMUM"


def test_how_long_a_cough_is_long_and_its_room_are_the_heads():
    rules = clinic()
    (rule,) = (row for row in rules.rules if row.rule == "P1")
    rule.threshold, rule.target_code = 21, "UGD"
    assert codes(case("batuk 3 minggu", 30), rules)[0] == "UGD"
    assert "P1" in found(case("batuk 3 minggu", 30), rules)
    assert "P1" not in found(case("batuk 20 hari", 30), rules)


def test_a_long_cough_asks_for_a_mask_and_for_silence():
    message = found(case("demam, batuk 3 minggu", 30, poli="UMUM"))["P1"].message
    assert message.startswith("Batuk 3 minggu: beri masker dan dahulukan")
    assert "Jangan sebutkan di depan pasien lain" in message


def test_a_newborn_who_drinks_less_is_in_danger_an_older_baby_is_seen_in_its_room():
    assert USUAL.red_flags(case("badannya kuning, kurang netek", 0, months=1))
    assert USUAL.red_flags(case("kurang menyusu", 0, months=3)) == ()


def test_a_room_that_the_words_name_keeps_them_beside_a_long_cough():
    assert USUAL.propose(case("kontrol tb, batuk 3 minggu", 30))[0].words == ("kontrol tb",)


def test_a_mans_pregnant_wife_says_nothing_of_him():
    assert USUAL.propose(case("istri hamil", 30, sex="L"))[0].words == ()
    assert USUAL.red_flags(case("keluar darah, hamil", 30)) == ("keluar darah",)
    assert USUAL.red_flags(case("keluar darah, istri hamil", 30, sex="L")) == ()


@pytest.mark.parametrize(
    "injury",
    [
        *("luka", "jatuh", "terjatuh", "keseleo", "terkilir", "memar", "benturan", "patah"),
        *("terbentur meja", "tabrakan", "kecelakaan", "digigit", "gigitan semut", "luka bakar"),
        *("kena pisau", "kena paku", "dagu robek", "terjepit pintu", "kemasukan manik-manik"),
        *("lecet", "kesandung", "kepentok", "benjol", "kena kaca", "tersayat", "terbakar"),
    ],
)
def test_an_injured_child_may_go_to_umum(injury):
    assert "W1" not in found(case(injury, 3, poli="UMUM"))


def test_w7_names_words_and_both_rooms():
    finding = found(case("sakit gigi", 30, poli="UMUM"))["W7"]
    assert finding.target_code == "GIGI"
    assert '"sakit gigi"' in finding.message
    assert "Poli Umum" in finding.message


def test_a_pregnant_woman_may_go_where_she_is_needed_without_kia():
    asked = {room for room in ROOMS if "W2" in found(case("", 25, pregnant="ya", poli=room))}
    assert set(ROOMS) - asked == {"KIA", "UGD", "GIGI", "LAB", "GIZI"}


def test_w7_counts_what_speaks_for_the_chosen_room():
    typed = "cabut gigi, tambal, darah tinggi"
    assert "W7" in found(case(typed, 30, poli="UMUM"))
    assert "W7" not in found(case(f"{typed}, batuk", 30, poli="UMUM"))
    assert "W7" not in found(case(typed, 30)), "no room is chosen yet"


def test_w7_sends_a_mother_to_kia_by_the_points_of_her_words():
    assert found(case("demam", 25, pregnant="nifas", poli="TB"))["W7"].target_code == "KIA"


def test_w7_needs_the_points_of_its_threshold():
    rules = clinic()
    (rule,) = (row for row in rules.rules if row.rule == "W7")
    rule.threshold = 4
    assert "W7" not in found(case("sakit gigi", 30, poli="UMUM"), rules)


def test_w7_does_not_repeat_another_rules_advice():
    assert set(found(case("demam", 3, poli="UMUM"))) == {"W1"}
    assert set(found(case("kejang", 30, poli="UMUM"))) == {"R1"}
    assert set(found(case("demam", 25, pregnant="ya", poli="UMUM"))) == {"W2"}


def test_w7_names_no_room_for_words_that_are_another_rooms():
    for room in ("KIA", "GIGI", "KB"):
        assert "W7" not in found(case("hamil", 66, poli=room))
    message = found(case("hamil, pusing", 66, poli="TB"))["W7"].message
    assert message.startswith('Keluhan "pusing" biasanya dilayani di Poli Lansia')


def test_w7_does_not_draw_a_patient_past_the_doctor():
    given = case("cek darah", 30, poli="UMUM")
    assert "W7" not in found(given)
    assert found(given, has_order=True)["W7"].target_code == "LAB"


def test_w8_is_silent_with_an_order():
    assert "W8" not in found(case("", 30, poli="LAB"), has_order=True)


def test_w9_names_the_number_the_patient_has():
    given = case("demam", 30, poli="UMUM")
    finding = found(given, open_entries=[("GIGI", "G003"), ("UMUM", "U012")])["W9"]
    assert finding.level == "error"
    assert "U012" in finding.message
    twice = found(given, open_entries=[("UMUM", "U012"), ("UMUM", "U020")])["W9"]
    assert "U012, U020" in twice.message
    assert "W9" not in found(given, open_entries=[("GIGI", "G003")])


def test_k1_holds_when_another_cluster_was_chosen():
    given = case("demam", 30, poli="UMUM")
    finding = found(given, chosen_cluster="2")["K1"]
    assert finding.level == "warning"
    said = "Klaster 2 (Ibu dan anak) berbeda dengan hitungan: klaster 3 (Usia dewasa dan lansia)"
    assert finding.message.startswith(said)
    teeth = found(case("", 30, poli="GIGI"), chosen_cluster="4")["K1"]
    assert "hitungan: klaster lintas (Menurut ruang Poli Gigi dan Mulut)" in teeth.message
    assert "K1" not in found(given, chosen_cluster="3")
    assert "K1" not in found(given, chosen_cluster=None)


def test_a_blocking_room_stops_and_another_asks():
    given = case("", 9, poli="KB")
    assert found(given)["L1"].level == "warning"
    assert found(given, clinic(KB={"blocks_outside": True}))["L1"].level == "error"


def test_l1_says_which_room_is_for_the_patient():
    assert found(case("", 30, pregnant="tidak", poli="KIA"))["L1"].target_code == "UMUM"
    assert found(case("", 4, poli="KB"))["L1"].target_code == "MTBS"


def test_l1_is_silent_where_a_rule_speaks_of_the_room():
    assert set(found(case("", 30, poli="MTBS"))) == {"E3"}
    assert set(found(case("jatuh", 3, poli="UMUM"))) == set()
    assert set(found(case("", 10, poli="LANSIA"))) == {"E4"}


def test_a_rule_about_something_else_does_not_hide_that_a_patient_is_outside():
    """W5 speaks of the sex of whoever comes to KB; a boy's age is L1's."""
    boy = found(case("", 8, sex="L", poli="KB"))
    assert set(boy) == {"W5", "L1"} and "umur 8 tahun" in boy["L1"].message
    assert set(found(case("", 8, sex="P", poli="KB"))) == {"L1"}
    assert set(found(case("", 30, sex="L", poli="KB"))) == {"W5"}


def test_unknown_age_sex_and_pregnancy_are_never_outside():
    for room in ROOMS:
        given = case("", None, sex="", poli=room)
        assert not {"L1", "E2", "E3", "E4", "W5"} & found(given).keys()
    assert not found(case("", 30, sex="", pregnant="ya"))


def test_an_age_that_only_the_complaint_tells_refuses_nothing():
    assert not found(case("anak demam", None, poli="LANSIA")).keys() & {"E4", "L1"}


def test_a_usual_patient_raises_nothing():
    assert found(case("demam batuk pilek", 30, poli="UMUM")) == {}
    assert found(case("sakit gigi", 30, poli="GIGI"), chosen_cluster="LINTAS") == {}
    assert found(case("periksa hamil", 25, pregnant="ya", poli="KIA")) == {}
    assert found(case("mencret", 3, poli="MTBS")) == {}


def test_a_message_with_strange_braces_stays_as_it_is():
    rules = clinic()
    rules.rules[2].message = "Periksa {0} {nama} { }"
    assert found(case("", 30, sex="L", pregnant="ya"), rules)["E1"].message == (
        "Periksa {0} {nama} { }"
    )


# --- Cluster ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kb", "code"),
    [
        (case("", 17, months=11, poli="UMUM"), "2", "2"),
        (case("", 18, poli="UMUM"), "2", "3"),
        (case("", 59, poli="UMUM"), "2", "3"),
        (case("", 30, poli="UMUM", pregnant="ya"), "2", "2"),
        (case("", 30, poli="UMUM", pregnant="nifas"), "2", "2"),
        (case("", 30, poli="UMUM", pregnant="tidak"), "2", "3"),
        (case("", 30, poli="KB"), "2", "2"),
        (case("", 30, poli="KB"), "3", "3"),
        (case("", 30, poli="GIGI"), "2", "LINTAS"),
        (case("", 30, poli="GIGI", pregnant="ya"), "2", "LINTAS"),
        (case("", 30, poli="UGD"), "2", "LINTAS"),
        (case("", 30, poli="LAB"), "2", "LINTAS"),
        (case("", 30, poli="FARMASI"), "2", "LINTAS"),
        (case("", 30, poli="TB"), "2", "4"),
        (case("", 3, poli="TB"), "2", "4"),
        (case("", 3, poli="MTBS"), "2", "2"),
        (case("", 25, poli="KIA", pregnant="ya"), "2", "2"),
        (case("", 1, poli="IMUN"), "2", "2"),
        (case("", 70, poli="LANSIA"), "2", "3"),
        (case("", 10, poli="GIZI"), "2", "2"),
        (case("", 40, poli="GIZI"), "2", "3"),
        (case("", None, poli="UMUM"), "2", "3"),
        (case("", 17), "2", "2"),
    ],
)
def test_cluster(given, kb, code):
    cluster = clinic(kb=kb).cluster(given)
    assert cluster.code == code
    assert cluster.why


def test_age_counts_by_calendar_birthday_and_estimates_count_too():
    leap = Case("", "P", date(2008, 2, 29), None, "", "UMUM", date(2026, 2, 28))
    assert USUAL.cluster(leap).code == "2"
    estimated = Case("", "P", None, 18 * 12, "", "UMUM", ON)
    assert USUAL.cluster(estimated).code == "3"


# --- From the database ------------------------------------------------------------------------


def test_load_reads_what_the_head_edited(app):
    with transaction():
        settings.set_value("elderly_from_years", 45)
        settings.set_value("kb_cluster", "3")
        db.session.query(Poli).filter_by(code="GIGI").one().is_active = False
        for rule in db.session.query(RoutingRule).filter_by(rule="W5"):
            rule.level = Level.OFF
    rules = routing.load()
    assert codes(case("pusing", 45), rules) == ["LANSIA", "UMUM"]
    assert rules.cluster(case("", 30, poli="KB")).code == "3"
    assert codes(case("sakit gigi", 30), rules) == ["UMUM"]
    assert "W5" not in found(case("", 30, sex="L", poli="KB"), rules)


def test_a_word_that_was_switched_off_speaks_for_no_room(app):
    assert codes(case("pikun", 65), routing.load()) == ["LANSIA", "UMUM"]
    assert routing.load().propose(case("pikun", 65))[0].words == ("pikun",)
    with transaction():
        db.session.query(ComplaintTerm).filter_by(phrase="pikun").one().is_active = False
    assert routing.load().propose(case("pikun", 65))[0].words == ()


def test_a_changed_setting_alone_is_seen_by_the_next_who_asks(app):
    assert codes(case("pusing", 45), routing.load()) == ["UMUM"]
    with transaction():
        settings.set_value("elderly_from_years", 45)
    assert codes(case("pusing", 45), routing.load()) == ["LANSIA", "UMUM"]
    with transaction():
        settings.set_value("kb_cluster", "3")
    assert routing.load().cluster(case("", 30, poli="KB")).code == "3"


@pytest.mark.parametrize("table", [Poli, RoutingRule, ComplaintTerm])
def test_a_change_is_seen_by_the_next_who_asks(app, table):
    rules = routing.load()
    with transaction():
        row = db.session.scalars(select(table).order_by(table.id)).first()
        if table is RoutingRule:
            row.message = "Diubah"
        else:
            row.is_active = False
    assert routing.load() is not rules


def test_after_loading_nothing_asks_the_database(app):
    routing.forget()
    with count_queries() as statements:
        rules = routing.load()
    assert len(statements) == 5
    db.session.rollback()
    with count_queries() as statements:
        assert routing.load() is rules
    assert len(statements) == 2
    with count_queries() as statements:
        given = case("demam batuk", 30, poli="UMUM")
        assert rules.propose(given)[0].poli_code == "UMUM"
        assert rules.findings(given) == []
    assert statements == []


# --- Who goes first -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "months", "pregnant", "first"),
    [
        ("UMUM", 0, "", "BALITA"),
        ("UMUM", 59, "", "BALITA"),
        ("UMUM", 60, "", ""),
        ("UMUM", 719, "", ""),
        ("UMUM", 720, "", "LANSIA"),
        ("GIGI", 1000, "", "LANSIA"),
        ("UMUM", None, "", ""),  # nobody knows the age
        ("KIA", 300, "ya", "HAMIL"),
        ("KIA", 300, "tidak", ""),
        ("KIA", 300, "nifas", ""),
        ("UMUM", None, "ya", "HAMIL"),
        ("UMUM", 720, "ya", "HAMIL"),
        ("UGD", 300, "", "GAWAT"),
        ("UGD", 720, "ya", "GAWAT"),
        ("UGD", None, "", "GAWAT"),
        ("TAKADA", 720, "", "LANSIA"),
    ],
)
def test_who_goes_first_by_rule(code, months, pregnant, first):
    assert USUAL.rooms.priority(code, months, pregnant) == first


def test_who_is_old_is_the_clinics_own_setting():
    early = clinic(elderly=45).rooms
    assert [early.priority("UMUM", months, "") for months in (539, 540)] == ["", "LANSIA"]
