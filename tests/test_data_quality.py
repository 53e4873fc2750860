"""The head's figures about the register, counted by hand on small registers."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from clinic import data_quality, days, pairs
from clinic.audit import SYSTEM
from db import db, transaction
from models import (
    DatePrecision,
    ImportBatch,
    ImportRow,
    ImportState,
    NoNikReason,
    PairSource,
    PairState,
    Patient,
    PatientMerge,
    RowFate,
    SuspectedPair,
)
from tests import factories

FORGOT, NEWBORN = NoNikReason.FORGOT_CARD, NoNikReason.NEWBORN
TODAY = date(2026, 3, 20)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(days, "clinic_date", lambda at=None: clinic_date(at) if at else TODAY)


clinic_date = days.clinic_date


def at(day: date, hour: int = 9) -> datetime:
    """This hour of the clinic's day."""
    return days.midnight_utc(day) + timedelta(hours=hour)


def patient(registered: date = TODAY, **fields) -> Patient:
    known = {name: fields.pop(name) for name in list(fields) if name in STATE}
    made = factories.patient(**fields)
    return change(made, registered_at=at(registered), **known)


STATE = ("is_active", "merged_into_id", "is_nik_disputed", "is_unknown")


def change(row, **fields):
    with transaction():
        stored = db.session.get_one(type(row), row.id)
        for name, value in fields.items():
            setattr(stored, name, value)
    return stored


def pair(state: PairState, raised: date, decided: date | None = None) -> SuspectedPair:
    one, other = factories.patient(), factories.patient()
    with transaction():
        made = pairs.note(SYSTEM, one, other, PairState.OPEN, source=PairSource.COUNTER)
    decided_at = at(decided, 8) if decided else None
    return change(made, state=state, raised_at=at(raised, 10), decided_at=decided_at)


def test_an_empty_register(app):
    found = data_quality.figures()
    assert found.register == data_quality.Register(0, 0, 0, 0, {}, 0, 0)
    assert found.register.share_without_nik == 0
    assert [month.begins for month in found.months][::11] == [date(2025, 4, 1), date(2026, 3, 1)]
    assert not any(month.registered or month.share_without_nik for month in found.months)
    assert found.pairs == data_quality.Pairs(0, 0, 0, 0, None, None, 0, None)
    assert (found.merges, found.undone_merges) == (0, 0)
    assert found.imports == data_quality.Imports(0, 0, 0, 0)


def test_who_has_a_nik_and_why_not(app):
    one = patient()
    patient(is_nik_disputed=True, birth_precision=DatePrecision.YEAR)
    patient(no_nik_reason=FORGOT)
    patient(no_nik_reason=FORGOT, birth_precision=DatePrecision.MONTH)
    patient(no_nik_reason=NEWBORN)
    patient(no_nik_reason=NoNikReason.UNKNOWN, is_unknown=True, birth_date=None)
    patient(no_nik_reason=FORGOT, merged_into_id=one.id)
    patient(no_nik_reason=FORGOT, is_active=False)
    register = data_quality.figures().register
    assert (register.patients, register.with_nik, register.disputed) == (6, 1, 1)
    assert register.without_nik == 4
    assert register.reasons == {FORGOT: 2, NEWBORN: 1, NoNikReason.UNKNOWN: 1}
    assert (register.estimated_birth, register.unknown) == (3, 1)
    assert register.share_without_nik == pytest.approx(4 / 6)
    assert register.share_with_nik == pytest.approx(1 / 6)


def test_months_are_the_clinics(app):
    patient(date(2026, 3, 1))
    change(patient(), registered_at=days.midnight_utc(date(2026, 3, 1)) - timedelta(seconds=1))
    patient(date(2026, 2, 10), no_nik_reason=FORGOT)
    patient(date(2025, 4, 1), no_nik_reason=NEWBORN)
    patient(date(2025, 3, 31))
    patient(date(2019, 1, 1))
    months = {month.begins: month for month in data_quality.figures().months}
    assert len(months) == 12
    assert months[date(2026, 3, 1)].registered == 1
    assert months[date(2026, 2, 1)].registered == 2
    assert months[date(2026, 2, 1)].share_without_nik == 0.5
    assert months[date(2025, 4, 1)].without_nik == 1
    assert sum(month.registered for month in months.values()) == 4


def test_who_came_by_an_import_was_not_registered_that_month(app):
    patient()
    old, kept = patient(no_nik_reason=FORGOT), patient(no_nik_reason=FORGOT)
    imported(TODAY, RowFate.CREATED, RowFate.KEPT, RowFate.KNOWN, whom=[old, kept, patient()])
    this = data_quality.figures().months[-1]
    assert (this.registered, this.without_nik) == (2, 0)


def test_pairs_and_the_days_until_they_were_resolved(app):
    pair(PairState.OPEN, date(2026, 3, 1))
    pair(PairState.OPEN, date(2025, 12, 24))
    pair(PairState.DIFFERENT, date(2026, 1, 1), date(2026, 1, 3))
    pair(PairState.DIFFERENT, date(2026, 2, 1), date(2026, 2, 4))
    pair(PairState.MERGED, date(2025, 11, 30), date(2026, 2, 8))
    with transaction():
        pairs.note(
            SYSTEM,
            factories.patient(),
            factories.patient(),
            PairState.DIFFERENT,
            source=PairSource.COUNTER,
        )
    found = data_quality.figures().pairs
    assert (found.raised, found.answered_at_once) == (5, 1)
    assert (found.different, found.merged) == (3, 1)
    assert (found.median_days, found.longest_days) == (3, 70)
    assert (found.open, found.oldest_open_on) == (2, date(2025, 12, 24))


def test_of_a_period_only_what_happened_in_it(app):
    pair(PairState.OPEN, date(2025, 12, 24))
    pair(PairState.DIFFERENT, date(2025, 12, 30), date(2026, 1, 1))
    pair(PairState.MERGED, date(2025, 11, 1), date(2025, 12, 31))
    found = data_quality.figures(date(2026, 1, 1)).pairs
    assert (found.raised, found.different, found.merged) == (0, 1, 0)
    assert (found.median_days, found.longest_days) == (2, 2)
    assert (found.open, found.oldest_open_on) == (1, date(2025, 12, 24)), "still waits"


def test_merges_and_those_undone(app):
    one, *others = (factories.patient() for _ in range(4))
    for other, merged, undone in zip(
        others,
        (date(2025, 12, 1), date(2025, 12, 2), date(2026, 1, 5)),
        (date(2026, 2, 1), None, None),
        strict=True,
    ):
        undone_at = at(undone) if undone else None
        merge = PatientMerge(survivor_id=one.id, loser_id=other.id, reason="sama")
        merge.merged_at, merge.undone_at = at(merged), undone_at
        with transaction():
            db.session.add(merge)
    found = data_quality.figures()
    assert (found.merges, found.undone_merges) == (3, 1)
    found = data_quality.figures(date(2026, 1, 1))
    assert (found.merges, found.undone_merges) == (1, 1)


def imported(on: date | None, *fates: RowFate, whom: Sequence[Patient] = ()) -> None:
    with transaction():
        batch = ImportBatch(
            file_name="posyandu.csv",
            digest="0" * 64,
            state=ImportState.DONE if on else ImportState.CHECKED,
            uploaded_by_id=factories.user().id,
            imported_at=at(on) if on else None,
        )
        db.session.add(batch)
        db.session.flush()
        for n, (fate, one) in enumerate(itertools.zip_longest(fates, whom), 2):
            row = ImportRow(batch_id=batch.id, number=n, fate=fate, patient_id=one and one.id)
            db.session.add(row)


def test_imports(app):
    created, broken, known = RowFate.CREATED, RowFate.BROKEN, RowFate.KNOWN
    imported(date(2025, 12, 1), created, created, broken, known)
    imported(date(2026, 1, 9), RowFate.REMOVED, RowFate.KEPT, broken)
    imported(None, RowFate.NEW, broken)
    assert data_quality.figures().imports == data_quality.Imports(2, 3, 2, 1)
    assert data_quality.figures(date(2026, 1, 1)).imports == data_quality.Imports(1, 1, 1, 1)
