"""How good the register is: figures for the head's page, each counted in the database.

Counts of patients are of today's records, neither merged nor taken back; days and months are the
clinic's. Some ten queries, whatever the length of the register.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from sqlalchemy import and_, case, exists, func, or_, select

from clinic import days, pairs
from db import db
from models import (
    DatePrecision,
    ImportBatch,
    ImportRow,
    NoNikReason,
    PairState,
    Patient,
    PatientMerge,
    RowFate,
    SuspectedPair,
)

MONTHS = 12


@dataclass(frozen=True)
class Month:
    begins: date
    registered: int
    without_nik: int

    @property
    def share_without_nik(self) -> float:
        return share(self.without_nik, self.registered)


@dataclass(frozen=True)
class Register:
    """The records of today. With a NIK, a disputed NIK and without one add up to all of them."""

    patients: int
    with_nik: int
    disputed: int  # somebody else has the same NIK
    without_nik: int
    reasons: dict[NoNikReason, int]
    estimated_birth: int  # only the year or month is known, or nothing
    unknown: int  # unconscious when they came, identity not completed yet

    @property
    def share_with_nik(self) -> float:
        return share(self.with_nik, self.patients)

    @property
    def share_without_nik(self) -> float:
        return share(self.without_nik, self.patients)


@dataclass(frozen=True)
class Pairs:
    """Records that look alike. All but the last two are of the period.

    The days until a pair was resolved leave out the answers given at once, at the counter.
    """

    raised: int
    answered_at_once: int
    different: int
    merged: int
    median_days: float | None
    longest_days: int | None
    open: int
    oldest_open_on: date | None


@dataclass(frozen=True)
class Imports:
    batches: int
    created: int  # and still here
    broken: int
    removed: int  # taken back


@dataclass(frozen=True)
class Figures:
    register: Register
    months: list[Month]  # oldest first, the present one last
    pairs: Pairs
    merges: int
    undone_merges: int
    imports: Imports


def figures(on_or_after: date | None = None) -> Figures:
    """All figures; pairs, merges and imports only from this clinic day on (None: ever)."""
    since = days.midnight_utc(on_or_after) if on_or_after else None
    months = _months(_month_begins(days.clinic_date()))
    merges, undone = _merges(since)
    return Figures(_register(), months, _pairs(since), merges, undone, _imports(since))


def share(part: int, whole: int) -> float:
    """0-1; of nothing it is 0."""
    return part / whole if whole else 0.0


# Patients


def _month_begins(today: date) -> list[date]:
    last = today.year * 12 + today.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(last - MONTHS + 1, last + 1)]


_COUNTED = and_(Patient.is_active, Patient.merged_into_id.is_(None))
_HAS_NO_NIK = Patient.nik.is_(None)


def _register() -> Register:
    estimated = or_(Patient.birth_precision != DatePrecision.DAY, Patient.birth_date.is_(None))
    counts = select(
        func.count(),
        _count(~_HAS_NO_NIK, ~Patient.is_nik_disputed),
        _count(~_HAS_NO_NIK, Patient.is_nik_disputed),
        _count(_HAS_NO_NIK),
        _count(estimated),
        _count(Patient.is_unknown),
    ).where(_COUNTED)
    people, with_nik, disputed, without, estimated_birth, unknown = db.session.execute(counts).one()
    by_reason = (
        select(Patient.no_nik_reason, func.count())
        .where(_COUNTED, _HAS_NO_NIK)
        .group_by(Patient.no_nik_reason)
    )
    reasons = dict(db.session.execute(by_reason).tuples().all())
    return Register(people, with_nik, disputed, without, reasons, estimated_birth, unknown)


def _months(begins: list[date]) -> list[Month]:
    imported = ImportRow.fate.in_((RowFate.CREATED, RowFate.KEPT))
    instants = [days.midnight_utc(begin) for begin in begins]
    ends = [(Patient.registered_at < end, place) for place, end in enumerate(instants[1:])]
    month = case(*ends, else_=len(begins) - 1).label("month")
    grouped = (
        select(month, func.count(), _count(_HAS_NO_NIK))
        .where(_COUNTED, Patient.registered_at >= instants[0])
        # An import is no registration: it came on one day, and is counted by itself.
        .where(~exists().where(ImportRow.patient_id == Patient.id, imported))
        .group_by(month)
    )
    found = {place: counts for place, *counts in db.session.execute(grouped)}
    return [Month(begin, *found.get(place, (0, 0))) for place, begin in enumerate(begins)]


# Pairs, merges, imports


def _pairs(since: datetime | None) -> Pairs:
    at_once = SuspectedPair.decided_at == SuspectedPair.raised_at
    waited = or_(SuspectedPair.decided_at.is_(None), ~at_once)
    raised, decided = _within(SuspectedPair.raised_at, since), _decided(since)
    counts = select(
        _count(waited, raised),
        _count(at_once, decided),
        _count(SuspectedPair.state == PairState.DIFFERENT, decided),
        _count(SuspectedPair.state == PairState.MERGED, decided),
    )
    times = select(SuspectedPair.raised_at, SuspectedPair.decided_at).where(decided, ~at_once)
    waits = _whole_days(db.session.execute(times).tuples())
    oldest = pairs.oldest_open()
    return Pairs(
        *db.session.execute(counts).one(),
        median_days=median(waits) if waits else None,
        longest_days=max(waits, default=None),
        open=pairs.count_open(),
        oldest_open_on=days.clinic_date(oldest) if oldest else None,
    )


def _decided(since: datetime | None):
    return and_(SuspectedPair.state != PairState.OPEN, _within(SuspectedPair.decided_at, since))


def _whole_days(waits: Iterable[tuple[datetime, datetime]]) -> list[int]:
    """How many days later, by the calendar: on the same day is 0."""
    return [(days.clinic_date(end) - days.clinic_date(start)).days for start, end in waits]


def _merges(since: datetime | None) -> tuple[int, int]:
    """Made in the period, undone in the period."""
    counts = select(
        _count(_within(PatientMerge.merged_at, since)),
        _count(_within(PatientMerge.undone_at, since)),
    )
    return db.session.execute(counts).one()._tuple()


def _imports(since: datetime | None) -> Imports:
    of_period = select(ImportBatch.id).where(_within(ImportBatch.imported_at, since))
    fates = (
        select(ImportRow.fate, func.count())
        .where(ImportRow.batch_id.in_(of_period))
        .group_by(ImportRow.fate)
    )
    rows = Counter(dict(db.session.execute(fates).tuples().all()))
    return Imports(
        batches=db.session.scalar(select(func.count()).select_from(of_period.subquery())),
        created=rows[RowFate.CREATED] + rows[RowFate.KEPT],
        broken=rows[RowFate.BROKEN],
        removed=rows[RowFate.REMOVED],
    )


def _within(instant, since: datetime | None):
    return instant.is_not(None) if since is None else instant >= since


def _count(*conditions):
    return func.count(case((and_(*conditions), 1)))
