"""The audit trail on its page: in the clinic's words, and what was typed as it was typed."""

import re
from itertools import chain

import pytest
from sqlalchemy import select

from blueprints.system import audit_trail
from clinic import administration, audit, medicines, patients
from clinic.amended_fields import LABELS as AMENDED
from db import db, transaction
from models import (
    AuditEntry,
    BackupKind,
    LabKind,
    Level,
    PairSource,
    PairState,
    PoliKind,
    Role,
    Route,
    StepName,
    StepState,
)
from tests import factories, whole_record
from tests.test_patients import text_of

CODES = (BackupKind, LabKind, Level, PairSource, PairState, PoliKind, Role, Route, StepName)
LATER = {StepState.WAITING, StepState.RUNNING, StepState.OUTDATED}  # are noted nowhere
VISIT = ("payer", "bpjs_home", "bpjs_number", "complaint")


def test_each_code_and_field_that_the_trail_notes_has_a_word():
    noted = {each.value for each in chain(*CODES, set(StepState) - LATER)}
    noted |= {*patients.COLUMNS, "kk_number", *AMENDED, *VISIT, "version", "corrected", "at"}
    assert noted - audit_trail.DETAIL_WORDS.keys() == set()


def shown(client) -> list[str]:
    """The column "Apa" of all the trail's pages, without the tags."""
    cells, page = [], text_of(client.get("/sistem/audit"))
    while True:
        cells += re.findall(r'<td data-label="Apa">(.*?)</td>', page, re.DOTALL)
        older = re.search(r'href="([^"]+)">Lebih lama', page)
        if older is None:
            return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]
        page = text_of(client.get(older[1].replace("&amp;", "&")))


def test_a_whole_record_leaves_no_raw_word_in_the_trail(sign_in):
    whole_record.write("biasa saja", "Siti Aminah")
    entries = list(db.session.scalars(select(AuditEntry)))
    assert {each.action for each in entries} <= audit_trail.ACTION_LABELS.keys()
    worded = [each for each in entries if each.action in audit_trail.WORDED]
    told = set(re.findall(r"[a-z_]{2,}", " ".join(each.details for each in worded)))
    assert told and told <= audit_trail.DETAIL_WORDS.keys()
    rest = " ".join(each.details for each in entries if each not in worded)
    assert set(re.findall(r"[a-z_]{2,}", rest)) & audit_trail.DETAIL_WORDS.keys() == set()
    cells = shown(sign_in("kepala"))
    assert len(cells) >= len(entries)
    assert [
        cell for cell in cells if re.search(r"[a-z]_[a-z]|[0-9a-f]{8}-[0-9a-f]{4}-", cell)
    ] == []


@pytest.mark.parametrize(
    ("action", "details", "said"),
    [
        ("correct_visit", "complaint, payer", "keluhan, penjamin"),
        ("closing_step", "backup failed", "cadangan gagal"),
        ("ask_backup", "manual", "diminta sendiri"),
        ("add_addendum", "version 2", "versi 2"),
        ("change_user", "peran: head > records; nama: x > y", "Kepala puskesmas > Rekam medis; na"),
        ("change_rule", "tingkat: warning > off", "tingkat: perhatian > tidak dipakai"),
        ("change_medicine", "kata lain: oral > oral name", "kata lain: oral > oral name"),
    ],
)
def test_codes_are_said_in_words_and_what_was_typed_stays(sign_in, action, details, said):
    with transaction():
        audit.record(factories.actor("kepala"), action, details=details)
    assert said in " ".join(shown(sign_in("kepala")))


def test_what_the_tables_number_alone_names_is_left_out(sign_in):
    with transaction():
        found = medicines.by_codes(["AMOX500"])["AMOX500"]
        who, change = factories.actor("kepala"), {"reorder_level": 7}
        administration.change_row(who, "change_medicine", found, change, found.code)
        audit.record(who, "correct_stock", object_type="medicine", object_ref="AMOX500")
    cells = shown(sign_in("kepala"))
    assert any(cell.startswith("Mengubah obat di daftar AMOX500: stok tipis") for cell in cells)
    assert "Mengoreksi stok obat , obat AMOX500" in cells
