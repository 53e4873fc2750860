"""Reports: each cell of small days worked out by hand, and every number with its list."""

import csv
import io
import os
import re
import threading
from datetime import date
from html import unescape

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from blueprints.reports import blueprint
from clinic import (
    diagnoses,
    merging,
    reference,
    report_files,
    report_lists,
    report_periods,
    report_rows,
    report_tables,
)
from clinic.code_ranges import parse
from clinic.report_definitions import GAPS, REPORTS
from db import db, transaction, utcnow
from models import AuditEntry, CaseType, Diagnosis, Examination, Patient, Visit
from tests import counted_visits, factories
from tests.databases import count_queries

ON, MONTH = date(2026, 3, 5), "2026-03"
DAY = report_periods.parse("2026-03-05")
OF_MONTH = report_periods.parse(MONTH)


def tables(code: str, period=DAY, room: str = "") -> dict[str, report_tables.Table]:
    return {each.key: each for each in report_tables.fill(REPORTS[code].sections, period, room)}


def shown(table: report_tables.Table) -> dict[str, dict[str, int]]:
    """All numbers that are not zero, by row and column."""
    found: dict[str, dict[str, int]] = {}
    for (row, column), number in table.cells.items():
        found.setdefault(row, {})[column] = number
    return found


@pytest.fixture
def small_day(app):
    """A man, a girl of four, a woman of 70; two rooms, one wrong room, a cancelled visit."""
    man = factories.patient("Budi", sex="L", birth_date=date(1986, 3, 5))
    girl = factories.patient("Ani", sex="P", birth_date=date(2021, 3, 6))
    old = factories.patient("Siti", sex="P", birth_date=date(1956, 3, 5))
    first = counted_visits.add(
        ON, man, codes=[("J06.9", "baru"), ("I10", "lama")], waited=10, is_new_patient=True
    )
    counted_visits.go_on(first, "LAB", kind="ordered", waited=30)
    counted_visits.go_on(first, "UMUM", [("J06.9", "baru")], kind="result_back", waited=5)
    moved = counted_visits.add(
        *(ON, girl, "UMUM"), entry={"state": "moved"}, waited=3, cluster="2", payer="JKN_PBI"
    )
    with transaction():
        entry = db.session.merge(moved).entries[0]
        entry_id = entry.id
    counted_visits.go_on(
        *(moved, "MTBS", [("A09", "baru")]), kind="moved", previous_entry_id=entry_id, waited=20
    )
    counted_visits.add(
        *(ON, old, "GIGI", [("K02.1", "baru")]),
        waited=40,
        payer="JKN_NON_PBI",
        bpjs_home="sini",
        examined={"disposition": "rujuk_eksternal"},
    )
    counted_visits.add(ON, man, codes=[("A01.0", "baru")], status="cancelled")
    counted_visits.add(date(2026, 3, 6), man, codes=[("J06.9", "lama")])


def test_the_recap_of_a_small_day(small_day):
    found = tables("rekap")
    rooms = shown(found["ruang"])
    assert rooms["UMUM"] == {"bL": 1, "L": 1, "J": 1}
    assert rooms["LAB"] == {"bL": 1, "L": 1, "J": 1}
    assert rooms["MTBS"] == {"lP": 1, "P": 1, "J": 1}
    assert rooms["semua"] == {"bL": 2, "lP": 2, "L": 2, "P": 2, "J": 4}
    assert shown(found["klaster"]) == {
        "2": {"P": 1, "J": 1},
        "3": {"L": 1, "P": 1, "J": 2},
        "semua": {"L": 1, "P": 2, "J": 3},
    }
    assert shown(found["penjamin"])["JKN_PBI"] == {"P": 1, "J": 1}
    assert shown(found["baru"])["baru"] == {"L": 1, "J": 1}
    assert shown(found["umur"]) == {
        "4": {"P": 1, "J": 1},
        "8": {"L": 1, "J": 1},
        "10": {"P": 1, "J": 1},
        "semua": {"L": 1, "P": 2, "J": 3},
    }
    assert shown(found["pindah"])["UMUM-MTBS"] == {"J": 1}
    assert [row.label for row in found["pindah"].rows] == ["Poli Umum ke MTBS (anak sakit)"]
    codes = shown(found["terbanyak"])
    assert codes["J06.9"] == {"bL": 1, "bJ": 1, "J": 1}, "two rooms of one visit, one case"
    assert codes["I10"] == {"lL": 1, "lJ": 1, "J": 1}
    assert codes["semua"]["J"] == 4
    assert not [table.problems for table in found.values() if table.problems]


def test_of_two_stays_the_first_ones_case_counts_though_its_row_was_written_anew(small_day):
    rows = select(Diagnosis).join(Examination).join(Visit)
    rows = rows.where(Diagnosis.code == "J06.9", Visit.is_new_patient).order_by(Diagnosis.id)
    first, second = db.session.scalars(rows)
    with transaction():
        first, second = db.session.merge(first), db.session.merge(second)
        second.case_type, first.ended_at = "lama", utcnow()
        first.ended_by_id = first.recorded_by_id
        copied = ("examination_id", "code", "title", "case_type", "is_primary", "recorded_by_id")
        db.session.flush()
        db.session.add(Diagnosis(**{name: getattr(first, name) for name in copied}))
    assert shown(tables("rekap")["terbanyak"])["J06.9"] == {"bL": 1, "bJ": 1, "J": 1}


def test_waiting_times_are_ranked_minutes(small_day):
    waits = tables("rekap")["tunggu"]
    assert shown(waits)["semua"] == {"J": 4}, "neither the room that was wrong nor the way back"
    told = {name: waits.measures["semua", name] for name in ("median", "p90", "longest")}
    assert told == {"median": 20, "p90": 40, "longest": 40}
    assert waits.measures["UMUM", "median"] == 10


def test_a_rooms_recap_counts_what_happened_there(small_day):
    found = tables("rekap", DAY, "GIGI")
    assert shown(found["ruang"]) == {
        "GIGI": {"lP": 1, "P": 1, "J": 1},
        "semua": {"lP": 1, "P": 1, "J": 1},
    }
    assert shown(found["klaster"])["semua"] == {"P": 1, "J": 1}
    assert shown(found["terbanyak"])["semua"] == {"bP": 1, "bJ": 1, "J": 1}
    of_wrong_room = tables("rekap", DAY, "UMUM")["klaster"]
    assert shown(of_wrong_room)["semua"] == {"L": 1, "J": 1}, "who was moved on was not there"


def test_lb1_and_the_forms_count_cases_by_age_sex_and_kind(small_day):
    lb1 = shown(tables("lb1", OF_MONTH)["kasus"])
    assert lb1["J06.9"] == {"u8bL": 1, "u8lL": 1, "bL": 1, "lL": 1, "J": 2}
    assert lb1["A09"] == {"u4bP": 1, "bP": 1, "J": 1}
    assert lb1["K02.1"] == {"u12bP": 1, "bP": 1, "J": 1}
    eleven = tables("form11", OF_MONTH)["kasus"]
    row = report_rows.row_of("11", "A09")
    assert shown(eleven)[row] == {"u4": 1, "bP": 1, "bJ": 1, "J": 1}
    assert (eleven.outside, eleven.counted) == (1, 5), "teeth are of form 13"
    teeth = shown(tables("form13", OF_MONTH)["kasus"])
    assert teeth["semua"] == {"u10": 1, "bP": 1, "bJ": 1, "J": 1}
    surveillance = shown(tables("stp", OF_MONTH)["kasus"])
    assert surveillance["semua"] == {"u4": 1, "P": 1, "J": 1}
    ispa = shown(tables("ispa", OF_MONTH)["kasus"])
    assert ispa["semua"] == {"u5": 1, "L": 1, "J": 1, "wx": 1}


def test_bpjs_visits_and_referrals(small_day):
    found = shown(tables("bpjs", OF_MONTH)["peserta"])
    assert found["MTBS"] == {"kxpl": 1, "J": 1}
    assert found["GIGI"] == {"ksnl": 1, "rsnl": 1, "R": 1, "J": 1}
    assert found["semua"]["J"] == 2


def test_a_report_counts_what_the_record_says_now(small_day):
    with transaction():
        wrong = db.session.scalars(select(Diagnosis).where(Diagnosis.code == "A09")).one()
        wrong.ended_at, wrong.ended_by_id = utcnow(), factories.user("umum").id
        db.session.scalars(select(Examination).where(Examination.id == wrong.examination_id)).one()
    assert "A09" not in shown(tables("lb1")["kasus"])


def test_a_baby_of_the_night_has_an_age_on_the_day_that_still_goes_on(app, sign_in):
    born = {"sex": "L", "birth_date": date(2026, 3, 6), "no_nik_reason": "BAYI"}
    baby = factories.patient("By Ny Siti", **born)
    counted_visits.add(ON, baby, codes=[("P22.1", "baru")], age_days=0)
    unborn = factories.patient("Salah Ketik", **born)
    counted_visits.add(ON, unborn, codes=[("A09", "baru")])
    lb1 = tables("lb1")["kasus"]
    assert shown(lb1)["P22.1"]["u1bL"] == shown(lb1)["A09"]["uxbL"] == 1
    found = {key: count for key, _, count in report_lists.gaps(REPORTS["lb1"], DAY)}
    assert found["umur"] == 1
    client, period = sign_in("kepala"), "periode=2026-03-05"
    of_rooms = "bagian=ruang&baris=UMUM&kolom=J"
    for page in (f"register?{period}&ruang=UMUM", f"rekap/daftar?{period}&{of_rooms}"):
        told = client.get(f"/laporan/{page}").get_data(as_text=True)
        assert (told.count("0 hari"), told.count("umur tidak diketahui")) == (1, 1), page


def test_a_merged_patients_visits_are_the_survivors(app):
    baby = factories.patient("Ani", sex="P", birth_date=date(2026, 3, 1))
    twin = factories.patient("Ani Kecil", sex="P", birth_date=date(2026, 2, 1))
    counted_visits.add(ON, baby, codes=[("J06.9", "baru")])
    assert shown(tables("lb1")["kasus"])["J06.9"]["u1bP"] == 1
    with transaction():
        people = [db.session.merge(each) for each in (twin, baby)]
        merging.merge(factories.actor("rekammedis"), *people, {}, "sama")
    assert shown(tables("lb1")["kasus"])["J06.9"]["u3bP"] == 1


def test_what_is_incomplete_is_listed_and_not_guessed(app):
    nobody = factories.patient("Tanpa Nama", birth_date=None, no_nik_reason="TANPA_DOKUMEN")
    counted_visits.add(ON, nobody, codes=[("XYZ", "baru")])
    counted_visits.add(ON, status="unfinished", entry={"state": "unfinished"})
    counted_visits.add(ON, examined={"finished_at": None, "disposition": None})
    found = {key: count for key, _, count in report_lists.gaps(REPORTS["lb1"], DAY)}
    assert found == {"belum": 1, "konsep": 1, "diagnosis": 1, "kode": 1, "umur": 1}
    lb1 = tables("lb1")["kasus"]
    assert shown(lb1)["XYZ"] == {"uxbP": 1, "bP": 1, "J": 1}
    assert tables("form11")["kasus"].outside == 1


def amend(examination_id: int, *held: tuple[str, str]) -> None:
    """The examination's diagnoses become these: what changed is written anew."""
    with transaction():
        examination = db.session.get_one(Examination, examination_id)
        kept = [
            diagnoses.Line(code, f"penyakit {code}", "", CaseType(case), is_primary=not place)
            for place, (code, case) in enumerate(held)
        ]
        diagnoses.write(factories.actor("umum"), examination, kept)


@pytest.fixture
def two_rooms(app) -> list[int]:
    """The examinations of a visit with one disease: new in UMUM, so no longer new in GIZI."""
    visit = counted_visits.add(ON, codes=[("J06.9", "baru")])
    counted_visits.go_on(visit, "GIZI", [("J06.9", "lama")], kind="referred")
    ids = select(Examination.id).where(Examination.visit_id == visit.id)
    return list(db.session.scalars(ids.order_by(Examination.id)))


def cases(room: str = "") -> dict[str, dict[str, int]]:
    return shown(tables("rekap", room=room)["terbanyak"])


NEW, OLD = {"bP": 1, "bJ": 1, "J": 1}, {"lP": 1, "lJ": 1, "J": 1}


def test_an_amendment_in_the_first_room_leaves_its_new_case_new(two_rooms):
    assert cases()["J06.9"] == NEW
    amend(two_rooms[0], ("R50.9", "baru"), ("J06.9", "baru"))
    assert cases()["J06.9"] == NEW
    assert cases("UMUM")["J06.9"] == NEW


def test_a_corrected_case_counts_as_corrected_though_another_room_noted_it_too(two_rooms):
    amend(two_rooms[0], ("J06.9", "lama"))
    assert cases()["J06.9"] == OLD
    amend(two_rooms[1], ("J06.9", "baru"))
    assert cases()["J06.9"] == NEW, "one case, new where one of the rooms found it new"


def test_a_room_counts_what_it_found_whoever_found_it_before(two_rooms):
    assert (cases("UMUM")["J06.9"], cases("GIZI")["J06.9"]) == (NEW, OLD)
    section = "terbanyak", "J06.9", "J"
    assert report_lists.behind(REPORTS["rekap"], *section, DAY, "GIZI").count() == 1
    assert report_lists.behind(REPORTS["rekap"], *section, DAY).count() == 1


def test_diagnoses_without_a_code_are_one_only_where_their_words_are(app):
    visit = counted_visits.add(ON, examined={"finished_at": utcnow()})
    words = ("Pegal pinggang", "Kelelahan kerja", "pegal pinggang")
    with transaction():
        examined = db.session.scalars(
            select(Examination).where(Examination.visit_id == visit.id)
        ).one()
        lines = [
            diagnoses.Line("", text, "", CaseType.NEW, is_primary=not place)
            for place, text in enumerate(words)
        ]
        diagnoses.write(factories.actor("umum"), examined, lines)
    behind = report_lists.behind(REPORTS["lb1"], report_lists.GAP, "kode", "", DAY)
    listed = [line.details for line in behind.lines(10)]
    assert len(listed) == 2
    assert {"Pegal pinggang", "Kelelahan kerja"} == {text for row in listed for text in row[2:3]}


def test_all_numbers_open_lists_of_their_length(small_day):
    checked = 0
    for report in REPORTS.values():
        for table in report_tables.fill(report.sections, OF_MONTH):
            for row in table.all_rows:
                for column in table.columns:
                    number = table.cell(row.key, column["key"])
                    if number:
                        place = (report, table.key, row.key, column["key"], OF_MONTH)
                        assert report_lists.behind(*place).count() == number, place
                        checked += 1
            if table.outside:
                place = (report, table.key, "luar", table.whole, OF_MONTH)
                assert report_lists.behind(*place).count() == table.outside
    assert checked > 200


def test_each_link_of_a_page_leads_to_as_many_rows_as_it_says(small_day, sign_in):
    client = sign_in("kepala")
    page = client.get(f"/laporan/rekap?periode={MONTH}").get_data(as_text=True)
    links = re.findall(r'href="(/laporan/rekap/daftar\?[^"]+)">(\d+)</a>', page)
    assert len(links) > 40
    for address, number in dict(links[::5] + links[-8:]).items():
        lists = client.get(unescape(address)).get_data(as_text=True)
        assert lists.count("data-visit=") == int(number), address


def test_pages_of_a_list_neither_repeat_a_row_nor_leave_one_out(app):
    """The rows of one visit stand in an order of their own, whatever the database sorts first."""
    names = ["Budi", "Ani", "Siti"]
    for name in names:
        visit = counted_visits.add(ON, factories.patient(name), "UMUM")
        for code in ("LAB", "GIGI", "KIA", "GIZI", "MTBS", "TB"):
            counted_visits.go_on(visit, code, kind="ordered", waited=3)
    for section in ("ruang", "tunggu"):
        behind = report_lists.behind(REPORTS["rekap"], section, "semua", "J", DAY)
        whole = [(line.visit_ref, line.details) for line in behind.lines(100)]
        assert len(whole) == len(set(whole)) > 10
        for size in (1, 2, 5):
            pages = [behind.lines(size, start) for start in range(0, len(whole), size)]
            assert [(line.visit_ref, line.details) for page in pages for line in page] == whole


EXAMPLE = st.tuples(
    st.sampled_from(["L", "P"]),
    st.sampled_from([None, *(date(2026 - years, 3, 6) for years in (0, 1, 4, 30, 61, 80))]),
    st.sampled_from(["J06.9", "A09", "K02.1", "R50.9", "ZZZ", "I10"]),
    st.sampled_from(["baru", "lama"]),
    st.sampled_from(["JKN_PBI", "UMUM"]),
)


@pytest.mark.engines("sqlite")
@settings(max_examples=6)
@given(st.lists(EXAMPLE, min_size=1, max_size=8))
def test_bands_and_sexes_always_add_up(app, examples):
    for sex, born, code, case, payer in examples:
        person = factories.patient("Ani", sex=sex, birth_date=born, no_nik_reason="TANPA_DOKUMEN")
        counted_visits.add(ON, person, codes=[(code, case)], payer=payer)
    for report in REPORTS.values():
        for table in report_tables.fill(report.sections, OF_MONTH):
            assert table.problems == [], (report.code, table.key)


def test_a_sum_that_does_not_hold_is_said(small_day):
    table = tables("lb1")["kasus"]
    table.cells["A09", "u4bP"] = 7
    assert any("kelompok umur" in problem and "7" in problem for problem in table.problems)
    table = tables("lb1")["kasus"]
    table.cells["semua", "J"] += 1
    assert any(problem.startswith("Kolom") for problem in table.problems)


def test_a_kept_table_is_read_back_as_it_was(small_day):
    for table in tables("rekap").values():
        again = report_tables.from_json(table.as_json())
        assert again.as_json() == table.as_json()
        assert again.all_rows == table.all_rows


# --- Rows of the forms ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "code", "label"),
    [
        ("11", "A18.4", "Skrofuloderma"),
        ("11", "A18.0", "Tuberkulosis di luar paru"),
        ("11", "F41.2", "Campuran cemas dan depresi"),
        ("11", "T26.1", "Trauma kimia mata"),
        ("11", "L51.1", "Sindrom Stevens-Johnson"),
        ("11", "H66.0", "Otitis media akut"),
        ("11", "A97.2", "Demam berdarah dengue"),
        ("11", "C95.9", "Leukemia"),
        ("11", "B99", "Infeksi lain"),
        ("12", "T74.2", "Kekerasan seksual"),
        ("12", "T74.1", "Kekerasan fisik dan lain"),
        ("13", "K00.6", "Persistensi gigi sulung"),
        ("13", "K00.7", "Gigi dan mulut, lain"),
        ("STP", "A30.1", "Kusta PB"),
        ("11", "H66", "Otitis media supuratif kronik"),
        ("11", "H66.9", "Telinga, lain"),
        ("ISPA", "J10", "Batuk bukan pneumonia"),
        ("ISPA", "J11", "Batuk bukan pneumonia"),
        ("ISPA", "J11.0", "Pneumonia"),
        ("13", "L51", "Eritema multiforme"),
    ],
)
def test_the_closest_row_takes_a_code(form, code, label):
    key = report_rows.row_of(form, code)
    assert (
        next(each.row.label for each in report_rows.form_rows(form) if each.row.key == key) == label
    )


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("11", "K02.1"),
        ("11", "R50.9"),
        ("11", "Z00.0"),
        ("13", "R51"),
        ("STP", "A30.9"),
        ("13", "L51.1"),
    ],
)
def test_what_no_row_names_stays_outside(form, code):
    assert report_rows.row_of(form, code) is None


def test_a_disease_that_alur_names_as_a_row_does_is_counted_there():
    titles = {row["title_id"].lower(): row["code"] for row in reference.rows("icd10_id.csv")}
    forms = {row["form"] for row in reference.rows("report_rows.csv")}
    named = [
        (form, each.row, titles[each.row.label.lower()])
        for form in sorted(forms)
        for each in report_rows.form_rows(form)
        if each.row.label.lower() in titles
    ]
    assert len(named) > 100
    wrong = [
        (form, code, row.label)
        for form, row, code in named
        if report_rows.row_of(form, code) != row.key
    ]
    assert wrong == []


def test_wrong_codes_of_the_printed_forms_are_not_copied():
    """Domain facts 7.2: what real forms print, and what it would really mean."""
    wrong = {"Leukemia": "D55", "Limfadenitis": "B70", "Artritis reumatoid": "M53.3"}
    wrong |= {"Penyakit ginjal kronis": "N03", "Kehamilan normal": "O80.9", "Gout": "E79.0"}
    wrong |= {"Fluor albus": "N98.9", "Keracunan makanan": "T62.2", "Diare": "R19.7"}
    named = {
        each.row.label: each for form in ("11", "12", "STP") for each in report_rows.form_rows(form)
    }
    for label, code in wrong.items():
        assert code not in named[label].codes, label
    keys = [each.row.key for each in report_rows.form_rows("11")]
    assert len(keys) == len(set(keys))
    assert len({each.row.group for each in report_rows.form_rows("11")}) == 15
    assert len(report_rows.form_rows("STP")) == 24
    assert "A09" in parse("A02 A04 A07-A09")


# --- Files ------------------------------------------------------------------------------------

NASTY = ["=1+1", "+62", "-5", "@cmd", "\tx", "\rx", "＝1", "＋1", "－1", "＠x", 'biasa; "kutip"', 7]


def test_csv_and_xlsx_hold_the_numbers_of_the_page(small_day, sign_in):
    client = sign_in("rekammedis")
    lb1 = tables("lb1", OF_MONTH)["kasus"]
    want = [lb1.cell("J06.9", column["key"]) for column in lb1.columns]
    text = client.get(f"/laporan/lb1/unduh.csv?periode={MONTH}").data.decode("utf-8-sig")
    lines = [row for row in csv.reader(io.StringIO(text), delimiter=";") if row]
    rows = {row[0]: row for row in reversed(lines)}  # the first table's count
    assert [int(cell) for cell in rows["J06.9"][2:]] == want
    assert [int(cell) for cell in rows["semua"][2:]][-1] == 5
    packed = client.get(f"/laporan/lb1/unduh.xlsx?periode={MONTH}").data
    sheet = openpyxl.load_workbook(io.BytesIO(packed)).active
    cells = {row[0]: row for row in reversed(list(sheet.values)) if row[0]}
    assert list(cells["J06.9"][2 : 2 + len(want)]) == want


def test_a_report_from_the_terminal_is_the_pages_file(app, small_day, sign_in):
    def printed(*asked):
        done = app.test_cli_runner().invoke(args=["report", *asked])
        return done.exit_code, done.output

    def without_time(text):
        return [line for line in text.splitlines() if not line.startswith("Dibuat ")]

    page = sign_in("rekammedis").get(f"/laporan/lb1/unduh.csv?periode={MONTH}").data.decode()
    code, told = printed("lb1", MONTH)
    assert code == 0
    assert without_time(told) == without_time(page)
    assert printed("lb1", "bulan lalu") == (1, f"Error: {report_periods.HOW}\n")
    assert printed("tidakada", MONTH)[0] == 2


def test_what_people_typed_is_never_a_formula():
    read = list(
        csv.reader(
            io.StringIO(report_files.as_csv([NASTY]).decode("utf-8-sig"), newline=""), delimiter=";"
        )
    )
    assert read == [[f"'{cell}" for cell in NASTY[:-2]] + ['biasa; "kutip"', "7"]]
    packed = report_files.as_xlsx([[*NASTY, "a\x00b<&>"]])
    cells = next(openpyxl.load_workbook(io.BytesIO(packed)).active.iter_rows())
    assert [cell.data_type for cell in cells] == [*["s"] * 11, "n", "s"]
    assert cells[0].value == "=1+1"
    assert cells[-1].value == "ab<&>"


# --- Pages ------------------------------------------------------------------------------------


def test_a_report_asks_as_much_for_many_visits_as_for_few(small_day, sign_in):
    client = sign_in("kepala")

    def queries(code: str) -> int:
        with count_queries() as found:
            client.get(f"/laporan/{code}?periode={MONTH}")
        return len(found)

    few = {code: queries(code) for code in REPORTS}
    person = factories.patient("Banyak")
    for number in range(12):
        counted_visits.add(ON, person, codes=[(f"J{number:02}", "baru")])
    assert {code: queries(code) for code in REPORTS} == few
    assert max(few.values()) <= 20, few


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_long_periods_are_counted_with_less_right_to_the_processor(app):
    here = niceness()
    for code, more in (("2026-11-21", 0), ("2026-11", 5), ("2026", 5)):
        assert blueprint.aside(report_periods.parse(code), niceness) >= min(here + more, 19), code
    assert niceness() == here, "the thread that answers keeps its own"


def test_who_waits_too_long_for_anothers_report_is_told(sign_in, monkeypatch):
    head = sign_in("kepala")
    monkeypatch.setattr(blueprint, "PATIENCE", 0)
    with blueprint._turn:
        assert head.get("/laporan/lb1?periode=2026").status_code == 503
        assert head.get("/laporan/rekap").status_code == 200, "a day is counted at once"
    assert head.get("/laporan/lb1?periode=2026").status_code == 200


def test_the_days_of_a_month_are_written_as_everywhere(small_day, sign_in):
    page = sign_in("rekammedis").get(f"/laporan/rekap?periode={MONTH}").get_data(as_text=True)
    assert re.search(r'<th scope="row">05-03-2026</th>', page), "the row"
    assert "baris=2026-03-05&amp;kolom" in page, "its list keeps its address"


def test_looking_at_a_list_is_in_the_audit_trail(small_day, sign_in):
    client = sign_in("rekammedis")
    client.get("/laporan/rekap/daftar?periode=2026-03&bagian=klaster&baris=3&kolom=J")
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.object_ref) == ("list_visits", "rekap")
    assert entry.details == "2026-03  klaster 3 J"
    client.get("/laporan/lb1/daftar?periode=2026-03&bagian=kurang&baris=belum")
    trail = " ".join(sign_in("kepala").get("/sistem/audit").get_data(as_text=True).split())
    title = report_lists.behind(REPORTS["rekap"], "klaster", "3", "J", OF_MONTH).title
    assert f"{REPORTS['rekap'].title}<br>" in trail and title.partition(":")[0] in trail
    small = f'<small class="long">{OF_MONTH.label}, {GAPS["belum"].label}'
    assert f"{REPORTS['lb1'].title}<br>{small}" in trail
    assert "klaster 3 J" not in trail and "kurang belum" not in trail
    assert client.get("/laporan/rekap/daftar?bagian=klaster&baris=9&kolom=J").status_code == 404
    assert client.get("/laporan/rekap/daftar?bagian=x").status_code == 404


def test_the_list_behind_a_number_as_a_file_has_the_same_rows(small_day, sign_in, monkeypatch):
    with transaction():
        db.session.scalars(select(Patient).where(Patient.name == "Budi")).one().name = "=Budi"
    client, place = sign_in("rekammedis"), "bagian=klaster&baris=3&kolom=J"
    page = client.get(f"/laporan/rekap/daftar?periode=2026-03&{place}").text
    (address,) = re.findall(r'href="(/laporan/rekap/daftar.csv[^"]*)"', page)
    done = client.get(unescape(address))
    assert 'filename="rekap-daftar-2026-03.csv"' in done.headers["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(done.data.decode("utf-8-sig")), delimiter=";")
    assert len(rows) == page.count("data-visit=")
    assert "'=Budi" in [row[head.index("Nama")] for row in rows]
    assert {len(row) for row in rows} == {len(head)}
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.details) == ("export_visits", "2026-03  klaster 3 J")
    packed = client.get(unescape(address).replace(".csv", ".xlsx")).data
    sheet = openpyxl.load_workbook(io.BytesIO(packed)).active
    assert sheet.max_row == len(rows) + 1
    monkeypatch.setattr("blueprints.reports.lists.MOST", len(rows) - 1)
    assert client.get(unescape(address)).location.startswith("/laporan/rekap/daftar?")
    assert "Terlalu banyak" in client.get(f"/laporan/rekap/daftar?periode=2026-03&{place}").text


def test_poli_staff_see_the_recap_of_their_rooms_and_the_lists_of_today(app, sign_in):
    entry = factories.entry("GIGI")
    on = db.session.get(Visit, entry.visit_id).service_day.on.isoformat()
    client = sign_in("gigi")
    page = client.get("/laporan/rekap").get_data(as_text=True)
    assert "Poli Gigi dan Mulut" in page
    assert f"/laporan/rekap/daftar?periode={on}&amp;ruang=GIGI" in page
    place = "ruang=GIGI&bagian=klaster&baris=semua&kolom=J"
    assert client.get(f"/laporan/rekap/daftar?periode={on}&{place}").status_code == 200
    assert client.get(f"/laporan/rekap/daftar?periode=2026-03&{place}").status_code == 404
    assert client.get(f"/laporan/rekap/daftar.csv?periode={on}&{place}").status_code == 200
    assert client.get(f"/laporan/rekap/daftar.csv?periode=2026-03&{place}").status_code == 404
    assert client.get("/laporan/rekap?ruang=UMUM").status_code == 404
    assert client.get("/laporan/lb1").status_code == 404
    assert "/daftar" not in client.get("/laporan/rekap?periode=2026-03").get_data(as_text=True)
    assert sign_in("loket").get("/laporan/rekap").status_code == 403


def test_a_period_that_nobody_understands_is_said_and_kept(app, sign_in):
    page = sign_in("kepala").get("/laporan/lb1?periode=31-02-2026").get_data(as_text=True)
    assert "Tulis hari, bulan, atau tahun" in page
    assert 'value="31-02-2026"' in page


@pytest.mark.parametrize(
    ("text", "code"),
    [("21-11-2026", "2026-11-21"), ("11-2026", "2026-11"), ("2026", "2026")]
    + [("2026-11-21", "2026-11-21"), ("5/3/2026", "2026-03-05"), ("13-2026", None), ("x", None)]
    + [("", None), ("1899", None), ("2026-02-30", None)],
)
def test_periods_as_people_type_them(text, code):
    period = report_periods.typed(text)
    assert (period.code if period else None) == code


def test_the_gaps_are_those_of_the_definitions():
    assert all(set(report.gaps) <= set(GAPS) for report in REPORTS.values())


@pytest.mark.parametrize(
    "typed", ["1900", "1900-01", "1900-01-01", "2200", "2200-12", "2200-12-31"]
)
def test_a_period_at_the_edge_of_what_there_can_be_is_shown(sign_in, typed):
    head = sign_in("kepala")
    for report in ("rekap", "lb1"):
        assert head.get(f"/laporan/{report}?periode={typed}").status_code == 200
    assert head.get(f"/laporan?bulan={typed}").status_code == 200
