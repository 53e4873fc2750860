"""Visits of a day as they are copied by hand: a room's register book, and the list for P-Care."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from clinic import audit, lab_reports, prescription_reports
from clinic.audit import Actor
from clinic.report_counts import rows_of
from clinic.report_facts import FACTS, NOT_THERE
from clinic.report_periods import Period
from db import db, utcnow
from formatting import DISPOSITION_LABELS
from models import (
    EntryState,
    Examination,
    LabOrderState,
    PcareMark,
    Poli,
    PoliKind,
    QueueEntry,
    Visit,
)

MEMBERS = {"jkn": ("pbi", "non")}
SERVING = (PoliKind.PHARMACY, PoliKind.LABORATORY)  # they do what other rooms asked for


class MarkError(Exception):
    """A mark that is refused, with a sentence."""


@dataclass(frozen=True)
class Line:
    """One visit in words."""

    visit: Visit
    rooms: tuple[str, ...]
    diagnoses: tuple[str, ...]  # code and title
    therapies: tuple[str, ...]  # of the laboratory: results
    dispositions: tuple[str, ...]
    is_unfinished: bool
    mark: PcareMark | None = None


def register(period: Period, room: str) -> list[Line]:
    """The register book of a room: who was there, with what was found and given there."""
    return _lines(rows_of(FACTS["stays"], period, {"room": room}), room)


def for_pcare(period: Period, room: str = "") -> list[Line]:
    """The day's visits of BPJS members; with a room, of those who were there."""
    lines = _lines(rows_of(FACTS["visits"], period, MEMBERS, room), room)
    marks = _marks([line.visit.id for line in lines])
    return [Line(**{**vars(line), "mark": marks.get(line.visit.id)}) for line in lines]


def _lines(rows, room: str) -> list[Line]:
    wanted = (
        rows.with_only_columns(Visit, maintain_column_froms=True)
        .options(
            contains_eager(Visit.patient),
            contains_eager(Visit.service_day),
            selectinload(Visit.entries).joinedload(QueueEntry.poli),
        )
        .order_by(Visit.service_day_id, Visit.series, Visit.number, Visit.id)
    )
    visits = list(db.session.scalars(wanted).unique())
    ids, kind = [visit.id for visit in visits], kind_of(room)
    examined = _examined(ids, "" if kind in SERVING else room)
    given = prescription_reports.by_visit(ids) if visits else {}
    tested = lab_reports.by_visit(ids) if visits and kind is PoliKind.LABORATORY else {}
    lines = []
    for visit in visits:
        mine = given.get(visit.id, ())
        line = _line(visit, examined[visit.id], mine, "" if kind in SERVING else room)
        if kind is PoliKind.PHARMACY:
            line = _of_pharmacy(line, mine, room)
        if kind is PoliKind.LABORATORY:
            line = _of_laboratory(line, tested.get(visit.id, ()), room)
        lines.append(line)
    return lines


def kind_of(room: str) -> PoliKind | None:
    """What kind of room has this code."""
    return db.session.scalar(select(Poli.kind).where(Poli.code == room)) if room else None


def _examined(visit_ids: Sequence[int], room: str) -> dict[int, list[Examination]]:
    found: dict[int, list[Examination]] = defaultdict(list)
    rows = (
        select(Examination)
        .where(Examination.visit_id.in_(visit_ids))
        .options(
            selectinload(Examination.diagnoses),
            joinedload(Examination.entry).joinedload(QueueEntry.poli),
            joinedload(Examination.refer_room),
        )
        .order_by(Examination.id)
    )
    for examination in db.session.scalars(rows):
        if not room or examination.entry.poli.code == room:
            found[examination.visit_id].append(examination)
    return found


def _line(visit: Visit, examined: Iterable[Examination], given, room: str) -> Line:
    done = [each for each in examined if each.finished_at is not None]
    held = [row for each in done for row in each.diagnoses if row.ended_at is None]
    medicines = [each.short_text for each in given if not room or each.room_code == room]
    rooms = [
        entry.poli.name
        for entry in visit.entries
        if entry.undone_at is None and entry.state not in NOT_THERE
    ]
    return Line(
        visit,
        tuple(dict.fromkeys(rooms)),
        tuple(dict.fromkeys(f"{row.code} {row.title} ({row.case_type})" for row in held)),
        tuple(filter(None, [*medicines, *(each.therapy for each in done)])),
        tuple(dict.fromkeys(filter(None, map(_disposition, done)))),
        is_unfinished=not done,
    )


def _of_pharmacy(
    line: Line, prescriptions: Sequence[prescription_reports.Report], room: str
) -> Line:
    """What was handed out for what the others prescribed, and how the prescriptions stand."""
    sent = [each for each in prescriptions if each.number and not each.is_cancelled]
    medicines = [
        f"{each.ordered_text}, {each.amount}: {each.given or 'belum diserahkan'}"
        for prescription in sent
        for each in prescription.held
    ]
    is_left = any(each.is_open for each in sent) if sent else not _was_served(line, room)
    states = dict.fromkeys(each.state_text for each in sent)
    return replace(
        line, therapies=tuple(medicines), dispositions=tuple(states), is_unfinished=is_left
    )


def _of_laboratory(line: Line, orders: Sequence[lab_reports.Report], room: str) -> Line:
    """What came of what the others asked for, and how the orders stand."""
    held = [each for each in orders if each.state is not LabOrderState.CANCELLED]
    results = [_tested(test) for each in held for test in each.lines]
    is_left = any(not each.is_closed for each in held) if held else not _was_served(line, room)
    states = dict.fromkeys(each.state_text for each in held)
    return replace(
        line, therapies=tuple(results), dispositions=tuple(states), is_unfinished=is_left
    )


def _tested(line: lab_reports.Line) -> str:
    if line.value is None:
        return f"{line.name}: {'tidak dikerjakan' if line.not_done else 'belum ada hasil'}"
    flag = f" ({line.value.flag_text})" if line.value.is_unusual else ""
    return f"{line.name} {line.value.text}{flag}"


def _was_served(line: Line, room: str) -> bool:
    return any(
        entry.poli.code == room and entry.state is EntryState.DONE for entry in line.visit.entries
    )


def _disposition(examination: Examination) -> str:
    words = DISPOSITION_LABELS.get(examination.disposition or "", "")
    more = examination.refer_name or examination.death_time
    return f"{words}: {more}" if more else words


# --- Typed into P-Care ------------------------------------------------------------------------


def _marks(visit_ids: Sequence[int]) -> dict[int, PcareMark]:
    held = (
        select(PcareMark)
        .where(PcareMark.visit_id.in_(visit_ids), PcareMark.ended_at.is_(None))
        .options(joinedload(PcareMark.typed_by))
    )
    return {mark.visit_id: mark for mark in db.session.scalars(held)}


def mark(actor: Actor, visit: Visit, *, is_typed: bool, at: datetime | None = None) -> None:
    """Note that the visit stands in P-Care, or that it does not. Raises MarkError when it is so."""
    if not (visit.payer or "").startswith("JKN"):
        raise MarkError("Kunjungan ini bukan peserta BPJS.")
    held = _marks([visit.id]).get(visit.id)
    if is_typed and held:
        raise MarkError(f"{visit.label} sudah ditandai {held.typed_by.display_name}.")
    if not is_typed and held is None:
        raise MarkError(f"{visit.label} memang belum ditandai.")
    if held:
        held.ended_at, held.ended_by_id = at or utcnow(), actor.user_id
    else:
        db.session.add(PcareMark(visit_id=visit.id, typed_by_id=actor.user_id))
    db.session.flush()
    audit.record(actor, "mark_pcare" if is_typed else "unmark_pcare", visit)
