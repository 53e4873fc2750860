"""What Alur measures of itself: how long, how often wrong, how long people wait.

Nothing about any person. Each figure is one query over all periods, whatever their length.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    case,
    func,
    literal,
    select,
    union_all,
)

from clinic import days
from clinic.elapsed import seconds_between
from clinic.report_facts import was_there
from db import UtcDateTime, db
from models import (
    DraftKind,
    EntryKind,
    Level,
    Override,
    PairState,
    PatientMerge,
    Poli,
    QueueEntry,
    RegistrationDraft,
    RoutingRule,
    ServiceDay,
    Source,
    SuspectedPair,
    Visit,
    VisitCorrection,
    VisitStatus,
)

KINDS = {"hari": "Hari", "minggu": "Minggu", "bulan": "Bulan"}
SHOWN = 8  # periods side by side
EARLIEST = date(1900, 1, 1)  # those before it must exist too
# What a rule of the counter is about, by the beginning of its name; the others' is the head's.
ABOUT = {
    "NIK-": "NIK tidak sesuai dengan isian lain, atau sudah dipakai",
    "NO-": "Isian pengganti NIK belum diisi",
    "BPJS-": "Nomor BPJS sama dengan milik orang lain",
    "MOTHER-NIK": "NIK ibu tidak sesuai",
    "MOTHER-": "Nama ibu belum diisi",
    "PASSPORT-": "Nomor paspor sama dengan milik orang lain",
    "PHONE-": "Nomor HP janggal",
    "PERSON-": "Isian mengganti identitas pada catatan yang ada",
    "DEATH-": "Menurut catatannya sudah meninggal",
}
GENERAL = {"{poli}": "ruang ini", "{target}": "ruang lain"}  # no rule's words are about somebody
FRESH = (EntryKind.REGISTERED, EntryKind.ORDERED, EntryKind.REFERRED)


@dataclass(frozen=True)
class Period:
    """From one day to another, both within."""

    first: date
    last: date


@dataclass(frozen=True)
class Spread:
    """Of `count` values the middle one and the one that nine of ten do not pass, in seconds."""

    count: int = 0
    median: int | None = None
    p90: int | None = None


@dataclass(frozen=True)
class Row:
    """One period's figures."""

    period: Period
    visits: int
    seconds: Spread
    corrected: int
    moved: int
    raised: int
    merged: int
    different: int

    def per_thousand(self, count: int) -> float | None:
        """Of the visits; None where there were none."""
        return 1000 * count / self.visits if self.visits else None


@dataclass(frozen=True)
class Overridden:
    """One rule's warnings on saved registrations."""

    rule: str
    level: str
    shown: int
    with_reason: int
    about: str


def periods(kind: str, until: date, count: int = SHOWN) -> list[Period]:
    """The last periods up to the one that holds this day, the newest first."""
    found = []
    for _ in range(count):
        found.append(_period(kind, until))
        until = found[-1].first - timedelta(days=1)
    return found


def _period(kind: str, day: date) -> Period:
    if kind == "hari":
        return Period(day, day)
    if kind == "minggu":
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6))
    length = calendar.monthrange(day.year, day.month)[1]
    return Period(day.replace(day=1), day.replace(day=length))


def overview(asked: list[Period]) -> list[Row]:
    """Every period's figures, in seven queries."""
    spans = _spans(asked)
    visits = _by_period(_visits(spans, func.count(Visit.id)))
    corrected = func.count(VisitCorrection.visit_id.distinct())
    of_visit = VisitCorrection.visit_id == Visit.id
    wrong_rooms = _visits(spans, func.count(QueueEntry.id)).join(Visit.entries)
    is_move = (QueueEntry.kind == EntryKind.MOVED, QueueEntry.undone_at.is_(None))
    counts = [
        _by_period(_visits(spans, corrected).join(VisitCorrection, of_visit)),
        _by_period(wrong_rooms.where(*is_move)),
        _by_period(_in_spans(spans, SuspectedPair.raised_at)),
        _by_period(_in_spans(spans, PatientMerge.merged_at, PatientMerge.undone_at.is_(None))),
        _by_period(
            _in_spans(spans, SuspectedPair.decided_at, SuspectedPair.state == PairState.DIFFERENT)
        ),
    ]
    seconds = _spread(_registrations(spans))
    return [
        Row(
            period,
            visits.get(number, 0),
            seconds.get(number, Spread()),
            *(found.get(number, 0) for found in counts),
        )
        for number, period in enumerate(asked)
    ]


def waits(period: Period) -> list[tuple[str, Spread]]:
    """By room, in the order of the rooms: from standing in line to the start of the service."""
    waited = seconds_between(QueueEntry.queued_at, QueueEntry.started_at)
    values = (
        select(QueueEntry.poli_id.label("key"), waited.label("value"))
        .join(QueueEntry.visit)
        .join(Visit.service_day)
        .where(ServiceDay.on.between(period.first, period.last), _IS_LIVE)
        .where(QueueEntry.started_at.is_not(None), QueueEntry.kind.in_(FRESH))
        .where(_STOOD, *was_there(QueueEntry))
    )
    found = _spread(values)
    rooms = select(Poli.id, Poli.name).where(Poli.id.in_(found)).order_by(Poli.position)
    return [(name, found[poli_id]) for poli_id, name in db.session.execute(rooms)]


def overridden(period: Period) -> list[Overridden]:
    """The warnings that stood on saved registrations, the most frequent rule first."""
    shown, answered = func.count(), func.sum(case((Override.reason != "", 1), else_=0))
    rows = (
        select(Override.rule, Override.level, shown, answered)
        .join(Visit, Visit.id == Override.visit_id)
        .join(Visit.service_day)
        .where(ServiceDay.on.between(period.first, period.last), Override.level != Level.OFF)
        .group_by(Override.rule, Override.level)
        .order_by(shown.desc(), Override.rule)
    )
    routing = select(RoutingRule.rule, RoutingRule.level, RoutingRule.message)
    said = {(rule, level): text for rule, level, text in db.session.execute(routing)}
    return [Overridden(*row, _about(*row[:2], said)) for row in db.session.execute(rows)]


def _about(rule: str, level: Level, said: dict[tuple[str, Level], str]) -> str:
    """The rule's sentence, without whom it was said of."""
    known = next((text for start, text in ABOUT.items() if rule.startswith(start)), "")
    alike = (text for (name, _), text in said.items() if name == rule)  # its level was another then
    text = known or said.get((rule, level)) or next(alike, "")
    for name, word in GENERAL.items():
        text = text.replace(name, word)
    text = re.sub(r"\{\w+\}", "…", text)
    return text[:1].upper() + text[1:]


_IS_LIVE = Visit.source == Source.LIVE
_STOOD = Visit.status != VisitStatus.CANCELLED


def _spans(asked: list[Period]) -> Subquery:
    """The periods as a table: number, days, instants."""
    rows = [
        select(
            literal(number).label("number"),
            literal(period.first, Date).label("first"),
            literal(period.last, Date).label("last"),
            literal(days.midnight_utc(period.first), UtcDateTime).label("since"),
            literal(days.midnight_utc(period.last + timedelta(days=1)), UtcDateTime).label("until"),
        )
        for number, period in enumerate(asked)
    ]
    return union_all(*rows).subquery("span")


def _visits(spans: Subquery, counted: ColumnElement) -> Select:
    """Something counted on the visits of each period that were registered live and stood."""
    return (
        select(spans.c.number, counted)
        .select_from(spans)
        .join(ServiceDay, ServiceDay.on.between(spans.c.first, spans.c.last))
        .join(Visit, Visit.service_day_id == ServiceDay.id)
        .where(_IS_LIVE, _STOOD)
        .group_by(spans.c.number)
    )


def _in_spans(spans: Subquery, at: ColumnElement, *wanted: ColumnElement) -> Select:
    """Rows of an instant's table in each period."""
    inside = (at >= spans.c.since, at < spans.c.until)
    return select(spans.c.number, func.count()).where(*inside, *wanted).group_by(spans.c.number)


def _registrations(spans: Subquery) -> Select:
    """Seconds from the opened form to the saved visit, where the opening is known."""
    draft = RegistrationDraft
    took = seconds_between(draft.opened_at, draft.saved_at)
    return (
        select(spans.c.number.label("key"), took.label("value"))
        .select_from(spans)
        .join(draft, draft.drafted_on.between(spans.c.first, spans.c.last))
        .join(Visit, Visit.draft_id == draft.id)
        .where(draft.opened_at.is_not(None), draft.saved_at.is_not(None), _IS_LIVE, _STOOD)
        .where(draft.kind.in_((DraftKind.NEW, DraftKind.RETURNING)))
    )


def _by_period(rows: Select) -> dict[int, int]:
    return dict(db.session.execute(rows).tuples().all())


def _spread(values: Select) -> dict[int, Spread]:
    """Median and ninth decile of `value` for each `key`, by the nearest rank."""
    each = values.subquery()
    key, value = each.c.key, each.c.value
    place = func.row_number().over(partition_by=key, order_by=value).label("place")
    total = func.count().over(partition_by=key).label("total")
    ranked = select(key, value, place, total).subquery()
    half, ninth = (ranked.c.total + 1) // 2, (ranked.c.total * 9 + 9) // 10
    rows = select(
        ranked.c.key,
        func.max(ranked.c.total),
        func.max(case((ranked.c.place == half, ranked.c.value))),
        func.max(case((ranked.c.place == ninth, ranked.c.value))),
    ).group_by(ranked.c.key)
    return {row[0]: Spread(*row[1:]) for row in db.session.execute(rows)}
