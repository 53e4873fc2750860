"""What must be answered before a prescription is sent, and how it was answered.

`check` looks at what is written now, so the pharmacy asks it again after a substitution. A warning
that was answered is not asked again while it stays true; one that is no longer true has ended.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic.audit import Actor
from clinic.prescription_checks import MedicineWarning, against_allergies, findings
from db import db, utcnow
from models import Allergy, Prescription, PrescriptionWarning, Visit
from validators import clean_text

LONGEST_REASON = 300


def check(prescription: Prescription) -> list[MedicineWarning]:
    """All that is true of the prescription's present lines, with the answers given so far."""
    lines = [line for line in prescription.lines if line.ended_at is None]
    return of_lines(prescription.visit, lines, prescription)


def unanswered(prescription: Prescription) -> list[MedicineWarning]:
    """What still asks for a reason."""
    return [each for each in check(prescription) if each.is_open]


def new_allergies(prescription: Prescription) -> dict[int, list[MedicineWarning]]:
    """By line: allergies that nobody has answered for it; they were recorded after it was sent."""
    lines = [line for line in prescription.lines if line.ended_at is None]
    found = list(against_allergies(prescription.visit, lines))
    by_line: dict[int, list[MedicineWarning]] = defaultdict(list)
    for each in _answered(found, prescription):
        if each.is_open:
            by_line[each.line.id].append(each)
    return by_line


def of_lines(
    visit: Visit,
    lines: Sequence[Any],
    prescription: Prescription | None = None,
    unsaved: Sequence[Allergy] = (),
) -> list[MedicineWarning]:
    """The same for lines that are not stored; `prescription` is the one that they belong to."""
    if not lines:
        return []
    return _answered(findings(visit, lines, prescription, unsaved), prescription)


def answer(
    actor: Actor, prescription: Prescription, reasons: Mapping[str, str]
) -> list[MedicineWarning]:
    """Store the reasons, by the warnings' keys, and end what is no longer true; all warnings.

    An empty reason answers nothing. Raises FieldError for one that is too long.
    """
    found = check(prescription)
    true = {(each.rule, each.subject) for each in found}
    for about, row in _answers(prescription).items():
        if about not in true:
            row.ended_at = utcnow()
    db.session.flush()
    for each in found:
        reason = clean_text(reasons.get(each.key, ""), LONGEST_REASON)
        if each.is_open and reason:
            _store(actor, prescription, each, reason)
    db.session.flush()
    return check(prescription) if reasons else found


def are_answered(prescription: Prescription | None, reasons: Mapping[str, str]) -> bool:
    """Whether each of these reasons stands at its warning already."""
    said = {key: clean_text(text, LONGEST_REASON) for key, text in reasons.items() if text.strip()}
    if not said or prescription is None:
        return True
    asked = [each for each in check(prescription) if each.key in said]
    return all(each.answer and each.answer.reason == said[each.key] for each in asked)


def _store(actor: Actor, prescription: Prescription, about: MedicineWarning, reason: str) -> None:
    row = PrescriptionWarning(
        prescription_id=prescription.id,
        line_id=getattr(about.line, "id", None),
        rule=about.rule,
        subject=about.subject,
        message=about.message[:300],
        reason=reason,
        answered_by_id=actor.user_id,
    )
    db.session.add(row)


def _answered(
    found: Sequence[MedicineWarning], prescription: Prescription | None
) -> list[MedicineWarning]:
    answers = _answers(prescription) if found else {}
    return [replace(each, answer=answers.get((each.rule, each.subject))) for each in found]


def _answers(prescription: Prescription | None) -> dict[tuple[str, str], PrescriptionWarning]:
    if prescription is None or prescription.id is None:
        return {}
    rows = (
        select(PrescriptionWarning)
        .options(joinedload(PrescriptionWarning.answered_by))
        .where(
            PrescriptionWarning.prescription_id == prescription.id,
            PrescriptionWarning.ended_at.is_(None),
        )
    )
    return {(row.rule, row.subject): row for row in db.session.scalars(rows)}
