"""One visit's prescriptions as the pharmacist works on them: lines, stock, warnings, review."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic import (
    days,
    diagnoses,
    dispensing,
    dispensing_plan,
    dispensing_review,
    prescription_warnings,
    prescriptions,
    stock,
)
from clinic.dispensing import Given
from clinic.dispensing_reports import NONE_GIVEN, STATE_WORDS, Handed, by_line, is_given
from clinic.dispensing_steps import is_late, therapy_end
from clinic.prescription_checks import MedicineWarning
from clinic.prescription_compounds import amount_of
from clinic.stock import Portion
from db import db, grouped
from models import (
    Diagnosis,
    PoliKind,
    Prescription,
    PrescriptionLine,
    PrescriptionReview,
    PrescriptionState,
    PrescriptionWarning,
    QueueEntry,
    StockBatch,
    User,
    Visit,
)

HIDDEN = (PrescriptionState.DRAFT, PrescriptionState.CANCELLED)


@dataclass(frozen=True)
class Taken:
    """What would be taken of a batch, and whether it expires before all of it is used."""

    portion: Portion
    is_short: bool


@dataclass(frozen=True)
class LineView:
    """One line with the stock beside it, and what was handed out of it."""

    line: PrescriptionLine
    is_outside: bool
    needs: tuple[tuple[dispensing.Need, Decimal], ...]  # with what may be handed out of each
    handed: Handed | None
    replaced: PrescriptionLine | None
    allergies: tuple[MedicineWarning, ...]  # of which the doctor did not know
    plan: tuple[Taken, ...] = ()

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """What one packet holds, and whether that is on the list."""
        components = self.line.components
        return [(f"{part.title} {amount_of(part)}", bool(part.medicine)) for part in components]

    @property
    def is_enough(self) -> bool:
        return all(there >= need.quantity for need, there in self.needs)


@dataclass(frozen=True)
class TakenBack:
    """A line that its doctor took back after it was sent: it may be packed already."""

    line: PrescriptionLine
    by: str


@dataclass(frozen=True)
class DeskView:
    """One prescription as the pharmacist works on it."""

    prescription: Prescription
    lines: tuple[LineView, ...]
    diagnoses: tuple[Diagnosis, ...]
    warnings: tuple[PrescriptionWarning, ...]
    review: PrescriptionReview | None
    taken_back: tuple[TakenBack, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.prescription.state in prescriptions.OPEN

    @property
    def state_text(self) -> str:
        state = self.prescription.state
        is_none = not any(is_given(line.handed) for line in self.lines)
        is_unfetched = state is PrescriptionState.PARTIAL and is_none
        return NONE_GIVEN if is_unfetched else STATE_WORDS[state]

    @property
    def has_labels(self) -> bool:
        return any(not line.is_outside for line in self.lines)

    @property
    def has_rest(self) -> bool:
        """Whether something is for another pharmacy: written for it, or not given here."""
        closed = [line.handed.closed for line in self.lines if line.handed and line.handed.closed]
        return any(line.is_outside for line in self.lines) or any(
            each.given < each.asked for each in closed
        )


def of_visit(visit: Visit) -> list[Prescription]:
    """The visit's prescriptions that were sent, oldest first; cancelled ones are not for here."""
    rows = prescriptions.whole().where(
        Prescription.visit_id == visit.id, Prescription.state.not_in(HIDDEN)
    )
    return list(db.session.scalars(rows.order_by(Prescription.id)))


def has_open(visit: Visit, besides: str) -> bool:
    """Whether something is still to be done with a prescription of the visit, besides this one."""
    rows = select(Prescription.id).where(
        Prescription.visit_id == visit.id,
        Prescription.state.in_(prescriptions.OPEN),
        Prescription.public_id != besides,
    )
    return db.session.scalar(rows.limit(1)) is not None


def said_of(prescription: Prescription, said: Mapping[str, Given]) -> dict[str, Given]:
    """By line, without what the same form says of the visit's other prescriptions."""
    of_others = (
        select(PrescriptionLine.public_id)
        .join(PrescriptionLine.prescription)
        .where(Prescription.visit_id == prescription.visit_id, Prescription.id != prescription.id)
    )
    others = set(db.session.scalars(of_others))
    return {ref: each for ref, each in said.items() if ref not in others}


def cancelled(visit: Visit) -> list[Prescription]:
    """What was sent for this visit and then taken back as a whole, oldest first."""
    rows = prescriptions.whole().where(
        Prescription.visit_id == visit.id,
        Prescription.state == PrescriptionState.CANCELLED,
        Prescription.number.is_not(None),
    )
    return list(db.session.scalars(rows.options(joinedload(Prescription.closed_by))))


def late_visit(ref: str) -> Visit | None:
    """The visit of an earlier day that left an open prescription here."""
    rows = (
        select(Visit)
        .join(Prescription, Prescription.visit_id == Visit.id)
        .where(Visit.public_id == ref, Prescription.state.in_(prescriptions.OPEN))
    )
    found = db.session.scalar(rows.limit(1))
    return found if found and is_late(found) else None


def opens_desk(entry: QueueEntry | None, *, is_asked: bool) -> bool:
    """Whether this stay is one in the pharmacy with a prescription: then its own page opens.

    One that is over only when it was asked for: the head reads a visit from its record too.
    """
    if entry is None or entry.poli.kind is not PoliKind.PHARMACY:
        return False
    if not is_asked and entry.state not in days.STILL_HERE:
        return False
    rows = select(Prescription.id).where(
        Prescription.visit_id == entry.visit_id, Prescription.state.not_in(HIDDEN)
    )
    return db.session.scalar(rows.limit(1)) is not None


def desk(found: Sequence[Prescription]) -> list[DeskView]:
    """All that the desk shows of them, in as many queries for one line as for twenty."""
    lines = {each.id: prescriptions.active_lines(each) for each in found}
    every = [line for group in lines.values() for line in group]
    batches = dispensing_plan.usable_for(every)
    still = [line for each in found if each.state in prescriptions.OPEN for line in lines[each.id]]
    plan = dispensing_plan.planned(still, batches)
    handed, warnings = by_line(line.id for line in every), _warnings(found)
    reviews = dispensing_review.last_reviews([each.id for each in found])
    warned, taken_back = _warned(found), _taken_back(found)
    return [
        DeskView(
            each,
            tuple(
                _view(each, line, batches, plan.get(line.id, ()), handed.get(line.id), warned)
                for line in lines[each.id]
            ),
            tuple(diagnoses.active(each.examination)),
            tuple(warnings[each.id]),
            reviews.get(each.id),
            tuple(taken_back[each.id]),
        )
        for each in found
    ]


def only_one(views: Sequence[DeskView], state: PrescriptionState) -> Prescription | None:
    """The prescription of the page that alone can be meant by a key: no other stands like it."""
    found = [view.prescription for view in views if view.prescription.state is state]
    return found[0] if len(found) == 1 else None


def _view(
    prescription: Prescription,
    line: PrescriptionLine,
    batches: Mapping[int, Sequence[StockBatch]],
    plan: Sequence[Portion],
    handed: Handed | None,
    warned: Mapping[int, Sequence[MedicineWarning]],
) -> LineView:
    wanted = dispensing.needs(line, line.quantity or Decimal(0))
    return LineView(
        line,
        dispensing.is_outside(line),
        tuple((need, _balance(batches[need.medicine.id])) for need in wanted),
        handed,
        next((row for row in prescription.lines if row.id == line.replaces_id), None),
        tuple(warned.get(line.id, ())),
        tuple(Taken(each, _is_short(each.batch, line)) for each in plan),
    )


def _balance(batches: Sequence[StockBatch]) -> Decimal:
    return sum((batch.balance for batch in batches), Decimal(0))


def _is_short(batch: StockBatch, line: PrescriptionLine) -> bool:
    until = therapy_end(line)
    return until is not None and stock.is_expired(batch, until)


def _taken_back(found: Sequence[Prescription]) -> dict[int, list[TakenBack]]:
    """By prescription; without what the pharmacy itself replaced."""
    ended = {
        each.id: [row for row in each.lines if row.ended_at and row.ended_at > each.sent_at]
        for each in found
    }
    replaced = {row.replaces_id for each in found for row in each.lines}
    rows = [row for group in ended.values() for row in group if row.id not in replaced]
    ids = {row.ended_by_id for row in rows}
    people = select(User.id, User.display_name).where(User.id.in_(ids))
    names = dict(db.session.execute(people).tuples().all()) if ids else {}
    return {
        key: [TakenBack(row, names[row.ended_by_id]) for row in group if row in rows]
        for key, group in ended.items()
    }


def _warned(found: Sequence[Prescription]) -> dict[int, list[MedicineWarning]]:
    """By line, of what is still to be handed out."""
    warned: dict[int, list[MedicineWarning]] = {}
    for each in found:
        if each.state in prescriptions.OPEN:
            warned |= prescription_warnings.new_allergies(each)
    return warned


def _warnings(found: Sequence[Prescription]) -> dict[int, list[PrescriptionWarning]]:
    rows = (
        select(PrescriptionWarning)
        .options(joinedload(PrescriptionWarning.answered_by))
        .where(
            PrescriptionWarning.prescription_id.in_([each.id for each in found]),
            PrescriptionWarning.ended_at.is_(None),
        )
        .order_by(PrescriptionWarning.id)
    )
    return grouped(rows, "prescription_id")
