"""Imports of patients: what becomes of each row, who is created, and how all is taken back."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from clinic import allergies, import_work, imports, patients, search, worker
from clinic.import_columns import ColumnError, guess_all
from clinic.import_files import FileProblem
from clinic.import_rows import Defaults
from db import db, transaction
from models import (
    AuditEntry,
    ImportBatch,
    ImportRow,
    ImportState,
    PairSource,
    PairState,
    Patient,
    PatientAlias,
    PatientToken,
    RowFate,
    SuspectedPair,
)
from tests import factories
from tests.stored import count

HEADINGS = [
    "No RM",
    "NIK",
    "Nama",
    "JK",
    "Tgl Lahir",
    "Alamat",
    "Desa",
    "No BPJS",
    "No KK",
    "Nama Ibu",
]
BORN = date(1985, 5, 14)
NAMES = (
    "Baiq Rahmawati",
    "Lalu Zulkarnain",
    "Sahabudin Karim",
    "Maria Tambunan",
    "Ketut Suardana",
    "Yohanes Kapitan",
    "Dewi Anggraini",
    "Hendra Gunawan",
    "Nurlaila Hasan",
    "Fransiskus Bria",
)


def line(name: str, sex: str = "P", born: date = BORN, **more: str) -> list[str]:
    """A row of a list, under HEADINGS."""
    cells = {"Nama": name, "JK": sex, "Tgl Lahir": f"{born:%d/%m/%Y}", "Desa": "Tirta Alur", **more}
    return [cells.get(heading, "") for heading in HEADINGS]


def people(count: int) -> list[list[str]]:
    """So many different people."""
    found = []
    for index in range(count):
        born = date(1950 + index * 7 % 60, 1 + index % 12, 2 + index % 26)
        sex = "LP"[index % 2]
        name = f"{NAMES[index % 10]} {chr(65 + index // 10 % 26) * 2}{NAMES[index // 7 % 10][::-1]}"
        found.append(
            line(
                name,
                sex,
                born,
                NIK=factories.nik(born, sex, index + 1),
                **{"No RM": f"99-{index:03}"},
            )
        )
    return found


def as_csv(rows: list[list[str]], headings=HEADINGS, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([headings, *rows])
    return text.getvalue().encode()


@pytest.fixture
def data(app):
    return app.config["ALUR"].data


@pytest.fixture
def actor(app):
    return factories.actor("rekammedis")


@pytest.fixture
def work(data):
    """Let the worker do all that it has to."""

    def work() -> None:
        while worker.import_patients(data):
            pass

    return work


@pytest.fixture
def uploaded(data, actor, work):
    """uploaded(content) gives the batch, its columns read."""

    def uploaded(content: bytes, name: str = "pasien.csv") -> ImportBatch:
        kept = imports.keep_file(data, io.BytesIO(content))
        with transaction():
            batch = imports.upload(actor, name, kept)
        work()
        return again(batch)

    return uploaded


@pytest.fixture
def checked(uploaded, actor, work):
    """checked(rows) gives the batch with every row's fate."""

    def checked(rows: list[list[str]], **defaults: str) -> ImportBatch:
        batch = uploaded(as_csv(rows))
        check(actor, batch, **defaults)
        work()
        return again(batch)

    return checked


@pytest.fixture
def imported(checked, actor, work):
    def imported(rows: list[list[str]], **defaults: str) -> ImportBatch:
        batch = checked(rows, **defaults)
        with transaction():
            imports.start(actor, again(batch))
        work()
        return again(batch)

    return imported


@pytest.fixture
def undo(actor, work):
    def undo(batch: ImportBatch) -> ImportBatch:
        with transaction():
            imports.undo(actor, again(batch), "berkas yang salah")
        work()
        return again(batch)

    return undo


def again(batch: ImportBatch) -> ImportBatch:
    return db.session.get_one(ImportBatch, batch.id, populate_existing=True)


def check(actor, batch, is_sure: bool = True, **defaults: str) -> None:
    with transaction():
        batch = again(batch)
        columns = {place: field for field, place in guess_all(batch.headings).items()}
        chosen = [columns.get(place, "") for place in range(len(batch.headings))]
        imports.check(actor, batch, chosen, Defaults(**defaults), is_sure=is_sure)


def fates(batch: ImportBatch) -> dict[int, RowFate]:
    rows = select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(ImportRow.number)
    return {row.number: row.fate for row in db.session.scalars(rows)}


def row(batch: ImportBatch, number: int) -> ImportRow:
    return db.session.get_one(ImportRow, (batch.id, number), populate_existing=True)


def test_a_list_becomes_patients(imported):
    batch = imported([line("Siti Aminah", NIK=factories.nik(BORN, "P"), **{"No RM": "01.23.45"})])
    assert batch.state == ImportState.DONE
    assert fates(batch) == {2: RowFate.CREATED}
    patient = db.session.scalars(select(Patient)).one()
    assert (patient.name, patient.sex, patient.birth_date) == ("Siti Aminah", "P", BORN)
    assert (patient.village, patient.address) == ("Tirta Alur", "Tirta Alur")
    assert patient.registered_by_id == factories.user("rekammedis").id
    for typed in ("01.23.45", "012345", patient.mrn, "siti aminah", patient.nik):
        assert [one.patient.id for one in search.find(typed)] == [patient.id], typed


def test_every_row_has_its_fate(checked):
    owner = factories.patient("Siti Aminah", bpjs_number="0002351648790")
    factories.patient(
        "Maria Tambunan", birth_date=date(1970, 3, 2), nik=None, no_nik_reason="ASING"
    )
    batch = checked(
        [
            line("Hendra Gunawan", "L"),
            line("Sitti Aminah", NIK=owner.nik),
            line("Siti Aminah", **{"No BPJS": "2351648790"}),
            line("Lalu Zulkarnain", "L", NIK=owner.nik),
            line("Maria Tambunnan", born=date(1970, 3, 2)),
            line("Ketut Suardana", "L", NIK="6.47E+15"),
            line("Dewi Anggraini", "?"),
            line("Hendra Gunawan", "L"),
            line("", "L"),
            line("Ni Luh Sari", born=date(1999, 9, 9), **{"No BPJS": "2351648790"}),
        ]
    )
    new, known, alike, broken = RowFate.NEW, RowFate.KNOWN, RowFate.ALIKE, RowFate.BROKEN
    expected = [new, known, known, alike, alike, broken, broken, alike, broken, alike]
    assert list(fates(batch).values()) == expected
    assert row(batch, 3).patient_id == row(batch, 4).patient_id == owner.id
    assert "NIK sama" in row(batch, 5).reason
    assert "6,47E+15" in row(batch, 7).reason
    assert "baris 2" in row(batch, 9).reason
    assert count(Patient) == 2, "a check creates nobody"


def test_alike_rows_become_patients_and_open_pairs(imported):
    owner = factories.patient("Siti Aminah")
    batch = imported(
        [
            line("Siti Amina", NIK=factories.nik(BORN, "P", 77)),
            line("Lalu Zulkarnain", "L", NIK=owner.nik),
            line("Lalu Zulkarnaen", "L"),
        ]
    )
    assert set(fates(batch).values()) == {RowFate.CREATED}
    pairs = list(db.session.scalars(select(SuspectedPair).order_by(SuspectedPair.id)))
    assert {pair.state for pair in pairs} == {PairState.OPEN}
    assert {pair.source for pair in pairs} == {PairSource.IMPORT}
    made = [row(batch, number).patient_id for number in (3, 4)]
    assert (owner.id, made[0]) in {(pair.first_id, pair.second_id) for pair in pairs}
    assert tuple(sorted(made)) in {(pair.first_id, pair.second_id) for pair in pairs}
    claimant = db.session.get_one(Patient, made[0])
    assert claimant.is_nik_disputed, "two people with one NIK: nobody loses it, somebody asks"


def test_known_rows_change_nothing(imported):
    owner = factories.patient("Siti Aminah", mother_name=None)
    batch = imported([line("Siti Aminah", NIK=owner.nik, **{"Nama Ibu": "Halimah", "No RM": "7"})])
    assert fates(batch) == {2: RowFate.KNOWN}
    assert (count(Patient), count(PatientAlias)) == (1, 0)
    assert db.session.get_one(Patient, owner.id).mother_name is None


def test_the_same_person_twice_in_a_file_is_created_once(imported):
    nik = factories.nik(BORN, "P", 9)
    rows = [line("Siti Aminah", NIK=nik), *people(3 * import_work.CHUNK // 2)]
    batch = imported([*rows, line("Siti Aminah", NIK=nik), line("Siti Aminah", NIK=nik)])
    assert count(Patient, Patient.nik == nik) == 1
    first = row(batch, 2).patient_id
    ends = [row(batch, len(rows) + offset) for offset in (2, 3)]
    assert [(end.fate, end.patient_id) for end in ends] == [(RowFate.KNOWN, first)] * 2


def test_twice_in_one_chunk_too(imported):
    nik = factories.nik(BORN, "P", 9)
    batch = imported([line("Siti Aminah", NIK=nik), line("Siti Aminah", NIK=nik)])
    assert list(fates(batch).values()) == [RowFate.CREATED, RowFate.KNOWN]
    assert row(batch, 3).patient_id == row(batch, 2).patient_id


def test_a_nik_that_the_counter_gave_out_meanwhile_is_disputed(checked, actor, data):
    nik = factories.nik(BORN, "P", 9)
    batch = checked([line("Siti Aminah", NIK=nik)])
    with transaction():
        imports.start(actor, again(batch))
    prepared = import_work.prepare(data)
    owner = factories.patient("Baiq Rahmawati", nik=nik)
    with transaction():
        import_work.store(prepared)
    created = db.session.get_one(Patient, row(batch, 2).patient_id)
    assert created.is_nik_disputed
    assert not db.session.get_one(Patient, owner.id).is_nik_disputed
    assert count(SuspectedPair) == 1


def test_optional_values_that_are_wrong_are_left_out_with_a_note(imported):
    batch = imported(
        [line("Siti Aminah", **{"No BPJS": "12", "No KK": "99", "NIK": "9999999999999999"})]
    )
    patient = db.session.scalars(select(Patient)).one()
    assert (patient.bpjs_number, patient.household_id, patient.nik) == (None, None, None)
    assert patient.no_nik_reason == "BELUM_BAWA"
    for word in ("BPJS", "KK", "NIK pengisi"):
        assert word in row(batch, 2).reason


def test_what_holds_for_all_rows(imported):
    rows = [line("Siti Aminah", Desa="")]
    imported(rows, village="Karang Teduh", payer="JKN_PBI", no_nik_reason="TANPA_DOKUMEN")
    patient = db.session.scalars(select(Patient)).one()
    assert (patient.village, patient.payer) == ("Karang Teduh", "JKN_PBI")
    assert patient.no_nik_reason == "TANPA_DOKUMEN"


def test_a_row_that_the_database_refuses_stops_no_other(imported, monkeypatch):
    # One person's name key is made too long for the table: what no rule foresaw.
    original = patients.name_index.name_key
    monkeypatch.setattr(
        patients.name_index,
        "name_key",
        lambda name: None if name == "Lalu Zulkarnain" else original(name),
    )
    batch = imported([line("Siti Aminah"), line("Lalu Zulkarnain", "L"), line("Maria Tambunan")])
    assert list(fates(batch).values()) == [RowFate.CREATED, RowFate.BROKEN, RowFate.CREATED]


def test_a_killed_worker_goes_on_and_doubles_nobody(checked, actor, data, work):
    rows = people(5 * import_work.CHUNK // 2)
    batch = checked(rows)
    with transaction():
        imports.start(actor, again(batch))
    with transaction():
        import_work.store(import_work.prepare(data))
    lost = import_work.prepare(data)
    with pytest.raises(KeyboardInterrupt), transaction():
        import_work.store(lost)
        raise KeyboardInterrupt
    assert count(Patient) == again(batch).rows_done == import_work.CHUNK
    work()
    with transaction():
        import_work.store(lost)  # what another process had prepared counts no more
    assert again(batch).state == ImportState.DONE
    assert count(Patient) == count(ImportRow, ImportRow.fate == RowFate.CREATED) == len(rows)
    assert count(
        Patient.__table__.select().with_only_columns(Patient.nik).distinct().subquery()
    ) == len(rows)


def test_a_worker_killed_while_reading_begins_anew(data, actor, work, monkeypatch):
    monkeypatch.setattr(import_work, "LINES_READ", 10)
    rows = people(35)
    with transaction():
        batch = imports.upload(actor, "a.csv", imports.keep_file(data, io.BytesIO(as_csv(rows))))
    for _ in range(2):
        with transaction():
            import_work.store(import_work.prepare(data))
    import_work._reading.clear()  # the process is gone
    work()
    assert (again(batch).rows, again(batch).headings) == (35, HEADINGS)


def test_cancelled_in_the_middle_it_keeps_what_is_there(checked, actor, data, work, undo):
    batch = checked(people(import_work.CHUNK + 50))
    with transaction():
        imports.start(actor, again(batch))
    with transaction():
        import_work.store(import_work.prepare(data))
    late = import_work.prepare(data)
    with transaction():
        imports.cancel(actor, again(batch))
    with transaction():
        import_work.store(late)
    work()
    batch = again(batch)
    assert (batch.state, count(Patient)) == (ImportState.CANCELLED, import_work.CHUNK)
    assert undo(batch).state == ImportState.UNDONE
    assert count(Patient, Patient.is_active) == 0


def test_an_import_is_taken_back_but_for_those_in_use(imported, undo, actor):
    batch = imported(people(8))
    ids = [row(batch, number).patient_id for number in range(2, 10)]
    made = [db.session.get_one(Patient, one) for one in ids]
    factories.visit(made[0])
    with transaction():
        allergies.add_allergy(actor, db.session.merge(made[1]), "amoksisilin", "ruam")
    with transaction():
        third = db.session.merge(made[2])
        known = patients.identity_of(third)
        patients.update(actor, third, replace(known, phone="+6282351648790"), "nomor baru")
    batch = undo(batch)
    assert batch.state == ImportState.UNDONE
    kept = {number: one for number, one in fates(batch).items() if one == RowFate.KEPT}
    assert list(kept) == [2, 3, 4]
    assert [
        next(word for word in ("berkunjung", "alergi", "diubah") if word in row(batch, n).reason)
        for n in kept
    ] == ["berkunjung", "alergi", "diubah"]
    assert count(Patient) == 8, "nothing is deleted"
    assert count(Patient, Patient.is_active) == 3
    gone = made[5]
    assert not search.find(gone.name, gone.birth_date)
    assert not search.find(gone.nik)
    assert search.find("99-001")
    assert not search.find("99-005")
    assert count(PatientToken, PatientToken.patient_id == gone.id) == 0
    assert factories.patient("Baiq Rahmawati", nik=gone.nik).id, "the NIK is free again"


def test_an_undone_list_can_be_imported_again(imported, undo):
    rows = people(5)
    undo(imported(rows))
    batch = imported(rows)
    assert set(fates(batch).values()) == {RowFate.CREATED}
    assert count(Patient, Patient.is_active) == 5


def test_other_columns_are_checked_anew(checked, actor, work, uploaded):
    batch = checked([line("Siti Aminah", NIK="12"), line("Maria Tambunan")])
    assert list(fates(batch).values()) == [RowFate.BROKEN, RowFate.NEW]
    with transaction():
        batch = again(batch)
        columns = {place: field for field, place in guess_all(batch.headings).items()}
        chosen = [columns.get(place, "") for place in range(len(batch.headings))]
        chosen[1] = ""
        imports.check(actor, batch, chosen, Defaults(), is_sure=True)
    work()
    assert list(fates(batch).values()) == [RowFate.NEW, RowFate.NEW]


def test_columns_must_make_sense(uploaded, actor):
    batch = uploaded(as_csv(people(2)))
    wrong = {
        "dua kali": ["name", "name", *[""] * 8],
        "kelamin": ["name", *[""] * 9],
        "lahir": ["name", "sex", *[""] * 8],
        "alamat": ["name", "sex", "age", *[""] * 7],
        "daftar": ["nonsense", *[""] * 9],
    }
    for word, columns in wrong.items():
        with pytest.raises(ColumnError, match=word), transaction():
            imports.check(actor, again(batch), columns, Defaults(), is_sure=True)
    with pytest.raises(imports.ImportRefused, match="kolom"), transaction():
        imports.check(actor, again(batch), ["name"], Defaults(), is_sure=True)


def test_the_same_file_asks_to_be_sure(checked, uploaded, actor):
    rows = people(2)
    first = checked(rows)
    second = uploaded(as_csv(rows))
    assert imports.same_file(second).id == first.id
    with pytest.raises(imports.ImportRefused, match="pernah"):
        check(actor, second, is_sure=False)
    check(actor, second, is_sure=True)


def test_a_file_that_vanished_says_so(checked, uploaded, actor, data, work):
    batch = checked(people(2))
    imports.staging_path(data, batch).unlink()
    with transaction():
        imports.start(actor, again(batch))
    work()
    assert again(batch).state == ImportState.FAILED
    assert "tidak ada lagi" in again(batch).problem


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (as_csv([]), "hanya berisi judul"),
        (b"\n\n\n", "kosong"),
        (b"a\nb\nc\n", "Judul kolom"),
        (as_csv([["x"] * 100], [f"kolom {n}" for n in range(100)]), "100 kolom"),
    ],
    ids=["headings only", "nothing", "one column", "100 columns"],
)
def test_files_without_patients_say_what_is_wrong(uploaded, content, word):
    try:
        batch = uploaded(content)
    except FileProblem as problem:
        assert word in str(problem)
        return
    assert batch.state == ImportState.FAILED
    assert word in batch.problem


def test_too_many_rows_are_refused(uploaded, monkeypatch):
    monkeypatch.setattr("clinic.import_reading.MOST_ROWS", 30)
    assert "Bagi menjadi" in uploaded(as_csv(people(31))).problem


def test_the_stored_file_is_for_the_clinic_only(uploaded, data):
    batch = uploaded(as_csv(people(2)))
    for path in (imports.file_path(data, batch), imports.staging_path(data, batch)):
        assert path.stat().st_mode & 0o077 == 0
    assert "pasien" not in imports.file_path(data, batch).name


def test_steps_are_audited_and_no_entry_holds_a_number(imported, undo):
    undo(imported(people(3)))
    entries = list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq)))
    actions = [entry.action for entry in entries if entry.object_type == "import"]
    assert actions == [
        *("upload_import", "check_import", "start_import", "import_rows"),
        *("undo_import", "undo_import_rows"),
    ]
    doers = {entry.user_id for entry in entries if entry.object_type in ("import", "patient")}
    assert doers == {factories.user("rekammedis").id}
    assert not [entry for entry in entries if "647201" in entry.details + entry.reason]


def test_the_heartbeat_goes_on_between_pieces(checked, actor, data, monkeypatch):
    batch = checked(people(3 * import_work.CHUNK))
    with transaction():
        imports.start(actor, again(batch))
    monkeypatch.setattr(worker, "IMPORT_SECONDS", 1e-9)
    assert worker.import_patients(data), "one piece, and more at once"
    assert again(batch).rows_done == import_work.CHUNK


def month_first(name: str, born: date, number: int, **more: str) -> list[str]:
    said = f"{born.month}/{born.day}/{born.year}"
    cells = {"Tgl Lahir": said, "NIK": factories.nik(born, "P", number)}
    return line(name, **cells | more)


def test_dates_as_an_english_spreadsheet_writes_them_are_recognised_and_read(uploaded, imported):
    rows = [
        month_first("Baiq Rahmawati", date(1988, 7, 25), 1),
        month_first("Dewi Anggraini", date(1988, 5, 6), 2),
    ]
    assert imports.defaults_of(uploaded(as_csv(rows))).date_order == "bulan"
    assert imports.defaults_of(uploaded(as_csv(people(4)))).date_order == "hari"
    imported(rows, date_order="bulan")
    born = dict(db.session.execute(select(Patient.name, Patient.birth_date)).tuples().all())
    assert born["Dewi Anggraini"] == date(1988, 5, 6)
    assert born["Baiq Rahmawati"] == date(1988, 7, 25)


def test_what_a_nik_says_otherwise_stands_beside_the_row_and_is_counted(checked):
    batch = checked(
        [
            month_first("Dewi Anggraini", date(1988, 5, 6), 2),
            line("Hendra Gunawan", "L", date(1950, 6, 5), NIK=factories.nik(BORN, "P", 3)),
            *people(2),
        ]
    )
    note = "tanggal lahir 05-06-1988 beda dengan NIK (06-05-1988)"
    assert (row(batch, 2).fate, row(batch, 2).reason) == (RowFate.NEW, note)
    reason = row(batch, 3).reason
    assert "05-06-1950 beda dengan NIK (14-05-1985)" in reason
    assert "jenis kelamin beda dengan NIK" in reason
    assert row(batch, 4).reason == "" and imports.unlike_nik(batch) == 2


def test_a_check_from_before_another_import_is_made_again(checked, imported, undo, actor, work):
    known = imported(people(3))
    batch = checked(people(3))
    assert fates(batch) == dict.fromkeys((2, 3, 4), RowFate.KNOWN)
    undo(known)
    with pytest.raises(imports.ImportRefused, match="Periksa lagi"), transaction():
        imports.start(actor, again(batch))
    check(actor, batch)
    work()
    with transaction():
        imports.start(actor, again(batch))
    work()
    assert fates(again(batch)) == dict.fromkeys((2, 3, 4), RowFate.CREATED)
