"""Files as other systems write them: read whole, or refused with a sentence."""

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from clinic import import_staging
from clinic.import_columns import guess, guess_all, heading_place, label
from clinic.import_files import FileProblem, Line, check, lines
from clinic.import_reading import Reading
from clinic.import_rows import Defaults, Parsed, RowReader
from formatting import mask_numbers
from models import DatePrecision

TODAY = date(2026, 11, 25)
NIK = "6472015405850001"


@pytest.fixture
def file(tmp_path):
    """file(content) lies there under a name that says nothing."""

    def file(content: bytes) -> Path:
        path = tmp_path / "berkas"
        path.write_bytes(content)
        return path

    return file


@pytest.fixture
def book(tmp_path):
    """book(rows, ...) is a workbook with these rows on its first sheet."""

    def book(rows: list[list], **sheets: list[list]) -> Path:
        workbook = Workbook()
        for row in rows:
            workbook.active.append(row)
        for name, others in sheets.items():
            sheet = workbook.create_sheet(name)
            for row in others:
                sheet.append(row)
        path = tmp_path / "berkas"  # without an ending, as it is stored
        workbook.save(path)
        return path

    return book


def cells(path: Path) -> list[list[str]]:
    return [line.cells for line in lines(path)]


# --- CSV ---

ROWS = [["Nama", "Alamat", "JK"], ["Sité Amïnah", "Jl. Melati, no. 3; RT 2", "P"]]


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_delimiter_and_encoding_are_found(file, delimiter, encoding):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(ROWS * 3)
    assert cells(file(text.getvalue().encode(encoding))) == ROWS * 3


def test_quotes_and_lines_within_a_cell(file):
    content = 'Nama,Alamat\r\n"Siti ""Ina"" A","Jalan A\nRT 1, RW 2"\r\n\r\nBudi,B\r\n'
    assert cells(file(content.encode())) == [
        ["Nama", "Alamat"],
        ['Siti "Ina" A', "Jalan A\nRT 1, RW 2"],
        [],
        ["Budi", "B"],
    ]


def test_a_quote_that_is_never_closed_breaks_its_own_row_only(file):
    people = "".join(f"Orang {n},L\n" for n in range(60))
    found = list(lines(file(f'Nama,JK\n"Siti Aminah,P\n{people}'.encode())))
    assert len(found) == 62
    assert [line for line in found if line.problem] == [found[1]]
    assert found[1].cells == ["Siti Aminah", "P"]
    assert found[2] == Line(["Orang 0", "L"])


def test_a_quote_inside_a_word_is_a_letter(file):
    assert cells(file(b'Nama,JK\nMa"ruf,L\nBudi,L\n'))[1:] == [['Ma"ruf', "L"], ["Budi", "L"]]


def test_a_cell_without_end_is_cut(file):
    assert len(cells(file(b"Nama,JK\n" + b"a" * 100_000 + b",L\n"))[1][0]) == 1000


def test_a_cell_beyond_what_csv_takes_breaks_its_row_only(file):
    found = list(lines(file(b"Nama,JK\n" + b"a" * 200_000 + b",L\nBudi,L\n")))
    assert [bool(line.problem) for line in found] == [False, True, False]


def test_nul_and_hostile_text_come_through_as_text(file):
    typed = ["<script>alert(1)</script>", "'; DROP TABLE patient;--", "😀 Ñandú", "=1+1"]
    text = io.StringIO()
    csv.writer(text).writerows([["Nama", "Alamat"], *([one, "x"] for one in typed)])
    assert [row[0] for row in cells(file(text.getvalue().encode()))[1:]] == typed


# --- XLSX ---


def test_a_sheet_as_excel_writes_it(book):
    rows = [
        ["Daftar pasien", None],
        ["Nama", "NIK", "Tgl Lahir", "RT", "Umur", "BPJS"],
        ["Siti", NIK, datetime(1985, 5, 14), 3, 40.0, 1234567890],
        [None, None],
        ["Budi", 6472015405850010, date(1990, 1, 2), None, 35.5, None],
    ]
    assert cells(book(rows, lain=[["bukan ini"]])) == [
        ["Daftar pasien"],
        ["Nama", "NIK", "Tgl Lahir", "RT", "Umur", "BPJS"],
        ["Siti", NIK, "1985-05-14", "3", "40", "1234567890"],
        [],
        ["Budi", "6.472015E+15", "1990-01-02", "", "35.5"],
    ]


def test_a_formula_gives_its_value_never_its_text(book):
    assert cells(book([["Nama"], ["=1+1"]])) == [["Nama"], []]


def test_cells_far_to_the_right_are_left_alone(book):
    path = book([["Nama", "JK"], ["Siti", "P", *[None] * 16_000, "x"]])
    assert cells(path) == [["Nama", "JK"], ["Siti", "P"]]


def test_a_sheet_without_rows(book):
    assert cells(book([])) == []


def packed(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TEXTS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"


def as_excel(whole: Path, cells: str, texts: list[str]) -> bytes:
    """A workbook whose texts stand in a table of their own, as Excel writes them."""
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    items = "".join(f"<si><t>{text}</t></si>" for text in texts)
    members["xl/sharedStrings.xml"] = f"<sst {SHEET}>{items}</sst>"
    members["xl/worksheets/sheet1.xml"] = (
        f'<worksheet {SHEET}><dimension ref="A1"/><sheetData>{cells}</sheetData></worksheet>'
    )
    for name, end, more in (
        (
            "[Content_Types].xml",
            "</Types>",
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{TEXTS}"/>',
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "</Relationships>",
            f'<Relationship Id="texts" Type="{RELATION}" Target="/xl/sharedStrings.xml"/>',
        ),
    ):
        members[name] = members[name].replace(end, more + end)
    return packed({name: member.encode() for name, member in members.items()})


def test_texts_in_a_table_and_numbers_as_excel_stores_them(file, book):
    sheet = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        '<row r="4"><c r="A4"><v>6.47201540585E+15</v></c><c r="B4"><v>6472015405850000</v></c>'
        '<c r="C4"><v>6472015405850001</v></c><c r="D4" t="e"><v>#N/A</v></c></row>'
    )
    found = cells(file(as_excel(book([["x"]]), sheet, ["Nama", "NIK"])))
    damaged = "6.472015E+15"
    assert found == [["Nama", "NIK"], [], [], [damaged, damaged, NIK, "#N/A"]]


# --- Refused ---


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "kosong"),
        (b" \r\n ", "kosong"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ".xls"),
        (b"%PDF-1.7 ...", "bukan daftar"),
        (b"<html><table><tr><td>Nama", "bukan daftar"),
        (b"\0\1\2\3" * 500, "bukan daftar"),
        (packed({"word/document.xml": b"<x/>"}), "bukan daftar"),
        (b"PK\3\4 this is no archive", "rusak"),
        (
            packed({"xl/workbook.xml": b"", "xl/sharedStrings.xml": b"\0" * 60_000_000}),
            "terlalu besar",
        ),
    ],
    ids=["empty", "blank", "xls", "pdf", "html", "binary", "docx", "broken zip", "bomb"],
)
def test_what_is_no_list_is_refused_at_once(file, content, word):
    with pytest.raises(FileProblem, match=word):
        check(file(content))


def test_a_large_file_is_refused(file, monkeypatch):
    monkeypatch.setattr("clinic.import_files.LARGEST", 10)
    with pytest.raises(FileProblem, match="30 MB"):
        check(file(b"Nama,JK\nSiti,P\n"))


def test_a_workbook_with_broken_xml_says_so(file, book):
    with zipfile.ZipFile(book([["Nama", "JK"], ["Siti", "P"]])) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in ("xl/workbook.xml", "xl/worksheets/sheet1.xml"):
        path = file(packed(members | {name: members[name][: len(members[name]) // 2]}))
        with pytest.raises(FileProblem, match="rusak"):
            list(lines(path))


# --- Headings ---


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("NAMA PASIEN", "name"),
        ("Nama Lengkap", "name"),
        ("nama_anak", "name"),
        ("NIK", "nik"),
        ("No. KTP", "nik"),
        ("No.NIK/KTP", "nik"),
        ("Tgl. Lahir", "birth"),
        ("TANGGAL LAHIR", "birth"),
        ("Tempat/Tgl Lahir", "birth_place"),
        ("TTL", "birth_place"),
        ("Tempat Lahir", None),
        ("L/P", "sex"),
        ("JK", "sex"),
        ("Jenis Kelamin", "sex"),
        ("Alamat Rumah", "address"),
        ("RT/RW", "rt_rw"),
        ("RT", "rt"),
        ("Desa/Kelurahan", "village"),
        ("No BPJS", "bpjs"),
        ("No. Kartu JKN", "bpjs"),
        ("No KK", "kk"),
        ("Nama Kepala Keluarga", None),
        ("Nama Ibu Kandung", "mother_name"),
        ("NIK Ibu", None),
        ("Nama Ayah", None),
        ("No. HP", "phone"),
        ("Telepon", "phone"),
        ("Umur (tahun)", "age"),
        ("Usia", "age"),
        ("No. RM", "old_mrn"),
        ("Nomor Rekam Medis", "old_mrn"),
        ("Cara Bayar", "payer"),
        ("Nama Posyandu", None),
        ("Nama Sekolah", None),
        ("Tanggal Kunjungan", None),
        ("Berat Badan", None),
        ("", None),
    ],
)
def test_headings_are_recognised(heading, field):
    assert guess(heading) == field


def test_each_field_is_guessed_once():
    assert guess_all(["No", "Nama", "Nama Panggilan", "L/P"]) == {"name": 1, "sex": 3}


def test_the_headings_may_stand_below_a_title():
    first = [
        ["PUSKESMAS MELATI"],
        [],
        ["Bulan:", "Mei"],
        ["No", "Nama", "NIK", "JK"],
        ["1", "Siti"],
    ]
    assert heading_place(first) == 3
    assert heading_place([["a", "b"], ["c", "d"]]) == 0
    assert heading_place([["a"], []]) is None


def test_a_column_without_heading_is_named_by_its_letters():
    assert [label([""] * 60, place) for place in (0, 25, 26, 53)] == [
        *("kolom A", "kolom Z", "kolom AA", "kolom BB")
    ]


def test_numbers_of_persons_are_masked_however_they_are_written():
    for typed in (NIK, f"NIK {NIK}", "6472.0154.0585.0001", "647201 540585 0001"):
        assert "540585" not in mask_numbers(typed).replace(" ", "").replace(".", "")
    assert mask_numbers("14-05-1985") == "14-05-1985"


# --- Rows ---


def read(defaults: Defaults | None = None, **values: str) -> Parsed:
    values = {
        "name": "Siti Aminah",
        "sex": "P",
        "birth": "14-05-1985",
        "village": "Melati",
    } | values
    columns = {field: place for place, field in enumerate(values)}
    return RowReader(columns, defaults or Defaults(), TODAY).read(2, list(values.values()))


@pytest.mark.parametrize(
    ("typed", "born"),
    [
        ("14-05-1985", date(1985, 5, 14)),
        ("14/5/1985", date(1985, 5, 14)),
        ("1985-05-14 00:00:00", date(1985, 5, 14)),
        ("1985-05-14T00:00:00.000", date(1985, 5, 14)),
        ("14 Mei 1985", date(1985, 5, 14)),
        ("14-AGT-1985", date(1985, 8, 14)),
        ("3 Nopember 1985", date(1985, 11, 3)),
        ("31181", date(1985, 5, 14)),
        ("14051985", date(1985, 5, 14)),
    ],
)
def test_birth_dates_as_lists_write_them(typed, born):
    identity = read(birth=typed).identity
    assert (identity.birth_date, identity.birth_precision) == (born, DatePrecision.DAY)


def test_a_year_alone_is_an_estimate():
    identity = read(birth="1985").identity
    assert (identity.birth_date, identity.birth_precision) == (date(1985, 7, 1), DatePrecision.YEAR)


def test_a_baby_of_this_years_first_half_is_imported_by_its_year():
    columns, row = (
        {"name": 0, "sex": 1, "birth": 2, "address": 3},
        ["Bayi Ani", "P", "2027", "Sawo"],
    )
    reader = RowReader(columns, Defaults(), date(2027, 3, 5))
    assert reader.read(2, row).identity.birth_date == date(2027, 3, 5)


def test_place_and_date_in_one_column():
    assert read(birth="", birth_place="Selong, 14-05-1985").identity.birth_date == date(1985, 5, 14)


def test_an_age_serves_where_the_date_is_missing_or_wrong():
    assert read(birth="", age="40").identity.birth_precision == DatePrecision.YEAR
    wrong = read(birth="31-02-1985", age="40 th")
    assert wrong.identity.birth_date.year in (1985, 1986)
    assert "dipakai umur" in wrong.notes[0]
    assert "tidak ada" in read(birth="31-02-1985").problem
    assert "kosong" in read(birth="").problem


@pytest.mark.parametrize(
    ("typed", "sex"),
    [("L", "L"), ("p", "P"), ("Laki - laki", "L"), ("PEREMPUAN", "P"), ("Pr", "P"), ("1", "L")]
    + [("Wanita", "P"), ("pria", "L"), ("Female", "P"), ("male", "L")],
)
def test_sexes_as_lists_write_them(typed, sex):
    assert read(sex=typed).identity.sex == sex


@pytest.mark.parametrize("typed", ["", "-", "X", "anak"])
def test_an_unknown_sex_breaks_the_row(typed):
    assert "Jenis kelamin" in read(sex=typed).problem


@pytest.mark.parametrize("typed", ["6.47202E+15", "6,47E+15", "6E15"])
def test_a_nik_that_excel_damaged_never_becomes_one(typed):
    found = read(nik=typed)
    assert found.identity is None
    assert "rusak oleh Excel" in found.problem


@pytest.mark.parametrize("typed", [NIK, f"'{NIK}", f"{NIK}.0", "6472.0154.0585.0001"])
def test_a_nik_as_lists_write_it(typed):
    assert read(nik=typed).identity.nik == NIK


@pytest.mark.parametrize("typed", ["", "-", "0", "0000000000000000", "9999999999999999"])
def test_a_nik_that_is_none_is_left_out(typed):
    identity = read(nik=typed).identity
    assert (identity.nik, identity.no_nik_reason) == (None, "BELUM_BAWA")


@pytest.mark.parametrize("typed", ["647201540585001", "64720154058500A1", "6472019905850001"])
def test_a_nik_that_is_wrong_breaks_the_row_and_is_not_repeated(typed):
    found = read(nik=typed)
    assert "NIK" in found.problem
    assert typed not in found.problem


def test_a_nik_that_is_the_family_cards_number_breaks_the_row():
    assert "KK" in read(nik=NIK, kk=NIK).problem


def test_of_two_phone_numbers_the_first_is_imported():
    both = read(phone="081234567890/081298765432")
    assert (both.identity.phone, len(both.notes)) == ("+6281234567890", 1)
    assert read(phone="0812 3456 7890 (suami)").notes == ()
    none = read(phone="titip di warung depan balai")
    assert (none.identity.phone, len(none.notes)) == (None, 1)


def test_optional_values():
    identity = read(bpjs="1234567890", rt_rw="003/02", payer="BPJS PBI").identity
    assert (identity.bpjs_number, identity.rt, identity.rw) == ("0001234567890", "003", "002")
    assert identity.payer == "JKN_PBI"
    odd = read(bpjs="12", rt_rw="Melati", payer="entah")
    assert len(odd.notes) == 3
    assert odd.identity.payer == "UMUM"


def test_an_address_comes_from_somewhere():
    assert read(village="", address="").problem
    assert read(village="").problem
    assert read(Defaults(village="Sawo"), village="").identity.address == "Sawo"


def test_an_old_number_is_kept_as_search_looks_for_it():
    assert read(old_mrn="01.23-45 b").old_mrn == "012345B"
    assert read(old_mrn="12345.0").old_mrn == "12345"


def test_a_short_row_is_not_an_accident():
    reader = RowReader({"name": 0, "sex": 5, "birth": 9}, Defaults(village="Sawo"), TODAY)
    assert "Jenis kelamin" in reader.read(3, ["Siti"]).problem


# --- Reading into the staging, and the file that goes back ---


def read_all(path: Path, staging: Path) -> Reading:
    reading = Reading(path, staging)
    while not reading.is_done:
        reading.go_on(7)
    reading.close()
    return reading


def test_rows_keep_the_numbers_that_a_spreadsheet_shows(file, tmp_path):
    content = "Daftar,\n\nNama,JK\nSiti,P\n\nBudi,L\n" + "".join(
        f"Orang {n},L\n" for n in range(20)
    )
    reading = read_all(file(content.encode()), tmp_path / "rows")
    assert (reading.rows, reading.headings) == (22, ["Nama", "JK"])
    assert reading.samples()[0] == ["Siti", "Budi", "Orang 0"]
    with import_staging.Staging(tmp_path / "rows") as staging:
        assert [number for number, _ in staging.lines(0, 3)] == [4, 6, 7]
        assert staging.numbered([6])[6].cells == ["Budi", "L"]


def test_the_file_of_broken_rows_runs_no_formula(file, tmp_path):
    text = io.StringIO()
    hostile = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", 'a "b"; c', "😀\nbaris dua", "aman"]
    csv.writer(text).writerows([["Nama", "JK"], *([one, "?"] for one in hostile)])
    read_all(file(text.getvalue().encode()), tmp_path / "rows")
    with import_staging.Staging(tmp_path / "rows") as staging:
        staging.break_rows((number, "Jenis kelamin kosong.") for number, _ in staging.lines(0, 99))
        staging.break_rows([(2, "Jenis kelamin kosong.")])
    content = b"".join(import_staging.broken_file(tmp_path / "rows", ["Nama", "JK"]))
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["Nama", "JK", "Alasan"]
    assert {row[-1] for row in rows[1:]} == {"Jenis kelamin kosong."}
    assert [row[0] for row in rows[1:]] == [
        *("'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(A1)"),
        *('a "b"; c', "😀\nbaris dua", "aman"),
    ]
