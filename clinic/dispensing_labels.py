"""*Etiket* and *salinan resep*: what is stuck on each medicine, and what goes elsewhere.

Labels are stuck on before anything is handed out, so until then their expiry is that of the
batches that would be taken now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from clinic import days, dispensing, dispensing_plan, dispensing_reports, prescriptions
from clinic.dispensing_reports import Handed
from clinic.prescription_compounds import amount_of, is_ointment
from db import db
from models import (
    MILLILITRE,
    Medicine,
    Prescription,
    PrescriptionLine,
    Route,
    StockBatch,
    User,
)

# A working rule after USP 795: a compound of bought medicines keeps half a year, but at most a
# quarter of the time that is left to its first part to expire; with water two weeks.
LONGEST_COMPOUND, WATERY = timedelta(days=180), timedelta(days=14)
SHAKEN = ("suspensi", "emulsi", "sirup kering", "losion")
PHARMACIST, TITLE = "apoteker", "apt."  # a line of its own would not fit a small label


@dataclass(frozen=True)
class Label:
    """What one label says beside clinic and patient."""

    title: str
    amount: Decimal
    unit: str
    instruction: str
    is_external: bool  # *obat luar*: the blue label
    is_shaken: bool
    expires_on: date | None  # of a compound: use before
    is_compound: bool


@dataclass(frozen=True)
class CopyLine:
    """A line of the copy: all that was prescribed, and how much of it was given here."""

    line: PrescriptionLine
    given: Decimal

    @property
    def mark(self) -> str:
        """As pharmacists write it: *det* given, *ne det* not, with the number of a part."""
        if self.given <= 0:
            return "ne det"
        return "det"

    @property
    def parts(self) -> list[str]:
        return [f"{part.title} {amount_of(part)}" for part in self.line.components]

    @property
    def rest(self) -> Decimal:
        return self.line.quantity - self.given


def labels(prescription: Prescription) -> list[Label]:
    """One for each medicine that was, or is to be, handed out here."""
    lines = [
        line for line in prescriptions.active_lines(prescription) if not dispensing.is_outside(line)
    ]
    handed = dispensing_reports.by_line(line.id for line in lines)
    planned = _planned([line for line in lines if line.id not in handed])
    # Printed again later, a compound is as old as it is.
    made_on = days.clinic_date(prescription.closed_at if handed else None)
    found = []
    for line in lines:
        done = handed.get(line.id)
        amount = _given(line, done)
        if amount > 0:
            batches = [row.batch for row in done.held] if done else planned[line.id]
            found.append(_label(line, amount, batches, made_on))
    return found


def pharmacist(prescription: Prescription, user_id: int) -> str:
    """The *apoteker* who looked it over, else the one who prints; '' when neither is one."""
    for account_id in (prescription.reviewed_by_id, user_id):
        account = db.session.get(User, account_id) if account_id else None
        who = account.practitioner if account else None
        if who and who.profession.strip().lower().startswith(PHARMACIST):
            has_title = who.name.lower().startswith(TITLE)
            return who.name if has_title else f"{TITLE} {who.name}"
    return ""


def copy_lines(prescription: Prescription) -> list[CopyLine]:
    """What another pharmacy still has to give: written for it, or not given in full."""
    lines = prescriptions.active_lines(prescription)
    handed = dispensing_reports.by_line(line.id for line in lines)
    found = []
    for line in lines:
        done = handed.get(line.id)
        given = Decimal(0) if dispensing.is_outside(line) else _given(line, done)
        if given < line.quantity:
            found.append(CopyLine(line, given))
    return found


def _given(line: PrescriptionLine, done: Handed | None) -> Decimal:
    return done.closed.given if done and done.closed else line.quantity


def _label(
    line: PrescriptionLine, amount: Decimal, batches: Sequence[StockBatch], made_on: date
) -> Label:
    parts = parts_of(line)
    dates = [batch.expires_on for batch in batches if batch.expires_on]
    expires = min(dates, default=None)
    if line.is_compound:
        expires = beyond_use(made_on, expires, [part.dose_unit for part in parts])
    return Label(
        title=line.title,
        amount=amount,
        unit=line.unit,
        instruction=_told(line),
        is_external=is_ointment(line) or any(part.route is not Route.ORAL for part in parts),
        is_shaken=any(word in part.form.lower() for part in parts for word in SHAKEN)
        and not line.is_compound,
        expires_on=expires,
        is_compound=line.is_compound,
    )


def _told(line: PrescriptionLine) -> str:
    """The directions; those that are no numbers are said to be the prescriber's own words."""
    is_read = line.times_a_day is not None or line.dose is not None
    return line.instruction if is_read else f"Aturan: {line.instruction}"


def parts_of(line: PrescriptionLine) -> list[Medicine]:
    """The medicines in it: one, or those of a compound."""
    if line.medicine is not None:
        return [line.medicine]
    return [part.medicine for part in line.components if part.medicine is not None]


def beyond_use(made_on: date, expires: date | None, dose_units: Iterable[str]) -> date:
    """Until when a compound made on this day may be used."""
    limits = [made_on + LONGEST_COMPOUND]
    if MILLILITRE in dose_units:
        limits.append(made_on + WATERY)
    if expires is not None:
        limits.append(made_on + (expires - made_on) // 4)
    return min(limits)


def _planned(lines: Sequence[PrescriptionLine]) -> dict[int, list[StockBatch]]:
    """By line: the batches that would be taken if all were handed out now, in its order."""
    plan = dispensing_plan.planned(lines, dispensing_plan.usable_for(lines))
    return {line_id: [each.batch for each in portions] for line_id, portions in plan.items()}
