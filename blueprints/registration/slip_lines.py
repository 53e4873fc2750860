"""A line of the paper sheet: what was typed from a slip, as a draft, and what the check says of it.

The line is the truth: a draft's fields follow from it, and from the record that was chosen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import request
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from blueprints.registration import asked, differences, drafted
from blueprints.registration.forms import RegistrationForm
from clinic import asking, drafts, identity_warnings, patients, review, slips
from clinic.drafts import DraftSubject
from clinic.search import LikelyMatch
from models import DraftKind, Patient, RegistrationDraft

# Of the line, and what each becomes in the registration form; the rest goes over as it is.
LONGEST = {"slip": 12, "at": 8, "name": 100, "born": 20, "number": 40, "complaint": 500}
FIELDS = (
    *("slip", "at", "name", "born", "sex", "number", "why"),
    *("address", "village", "payer", "complaint", "poli", "served"),
)
CHOICES = {"why": "BELUM_BAWA", "payer": "UMUM", "served": "sudah"}  # say nothing alone
ERRORS_OF = {
    "born": ("birth_date", "birth_date_estimated"),
    "number": ("nik", "bpjs_number"),
    "why": ("no_nik_reason",),
}
THIS_IS = "ini"
_DATE = re.compile(r"\d{8}|.*\d[-/.]\d.*")


@dataclass
class SheetLine:
    """One line as the page shows it."""

    index: int
    typed: Mapping[str, str] = field(default_factory=dict)
    draft: RegistrationDraft | None = None
    errors: dict[str, str] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)  # what only the whole form can mend
    read: Any = None
    found: review.Review | None = None
    people: list[LikelyMatch] = field(default_factory=list)
    must: set[str] = field(default_factory=set)  # who of them must be answered about
    answers: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    is_ready: bool = False

    @property
    def patient(self) -> Patient | None:
        """Who was chosen from the likely ones."""
        return self.read.patient

    @property
    def identity(self) -> patients.Identity:
        return self.read.application().identity

    @property
    def waits_for(self) -> str:
        """The name of the first field that must be answered before the line can be saved."""
        if self.errors:
            return f"{next(name for name in FIELDS if name in self.errors)}-{self.index}"
        if self.is_ready or self.found is None:
            return ""
        owner = self.found.owner  # of the NIK: who it is decides more than a reason
        asked = self.must | ({owner.public_id} if owner else set())
        for ref in (one.patient.public_id for one in self.people):
            if ref in asked and not self.answers.get(ref):
                return f"jawab-{self.index}-{ref}"
        rules = self.found.unanswered(self.reasons)
        return f"alasan-{self.index}-{next(iter(rules))}" if rules else ""

    @property
    def form_address(self) -> str:
        return drafted.form_address(self.draft)


@dataclass
class Sent:
    """One line of a POST, ready to be stored; `draft` None: nothing was there before."""

    index: int
    line: dict[str, str]
    draft: RegistrationDraft | None
    is_changed: bool
    fields: dict[str, str]
    subject: DraftSubject
    answers: dict[str, str]
    reasons: dict[str, str]
    paper: dict[str, Any]


def sent(on: date) -> list[Sent]:
    """The lines of this request that say something."""
    mine = drafts.unsaved(current_user.id, from_paper=True)
    return list(filter(None, (_sent(index, on, mine) for index in _indices())))


def as_typed() -> list[SheetLine]:
    """The lines of this request as they came, of which nothing is said."""
    return [SheetLine(index, _typed(index)) for index in _indices()]


def carried() -> list[tuple[str, str]]:
    """What belongs to those lines besides: their drafts, answers and reasons."""
    ours = tuple(f"{name}-" for name in ("draft", "version", "ditanya", "jawab", "alasan"))
    return [pair for pair in request.form.items(multi=True) if pair[0].startswith(ours)]


def _indices() -> list[int]:
    of_lines = [name.removeprefix("slip-") for name in request.form if name.startswith("slip-")]
    return [int(index) for index in of_lines if index.isdecimal() and len(index) < 3]


def _typed(index: int) -> dict[str, str]:
    return {
        name: request.form.get(f"{name}-{index}", "").strip()[: LONGEST.get(name, 200)]
        for name in FIELDS
    }


def _sent(index: int, on: date, mine: list[RegistrationDraft]) -> Sent | None:
    line = _typed(index)
    paper = {name: line[name] for name in ("slip", "at", "served")}
    paper |= {"on": on.isoformat(), "line": line}
    draft = _draft(index, paper, mine)
    if draft is None and not any(line[name] for name in FIELDS if name not in CHOICES):
        return None
    if draft is not None and draft.saved_at and draft.paper == paper:
        return None  # pressed twice
    before = draft.answers if draft else {}
    given, chosen = _choices(index, draft.patient_ref if draft else None)
    is_changed = (
        draft is None
        or (draft.paper, draft.patient_ref) != (paper, chosen)
        or bool(draft.saved_at)
        or drafts.is_expired(draft)  # typed before midnight: the line goes on as one of today
    )
    patient = patients.by_ref(chosen) if chosen else None
    patient = patients.current(patient) if patient else None
    kind = DraftKind.RETURNING if patient else DraftKind.NEW
    subject = DraftSubject(kind, patient.public_id if patient else None)
    fields = draft.fields if draft else {}
    answers = {ref: said for ref, said in (before | given).items() if ref != chosen}
    if is_changed:
        fields = _fields(line, on, patient)
        answers = _noted(fields, on, patient, kind, answers)
    reasons = asked.reasons(f"alasan-{index}")
    return Sent(index, line, draft, is_changed, fields, subject, answers, reasons, paper)


def _draft(
    index: int, paper: Mapping[str, Any], mine: list[RegistrationDraft]
) -> RegistrationDraft | None:
    draft = drafts.by_ref(request.form.get(f"draft-{index}", ""))
    draft = draft if draft is not None and draft.paper else None
    if draft is not None and not drafts.is_expired(draft):
        return draft
    return next((one for one in mine if one.paper == paper), draft)  # the page was sent again


def _choices(index: int, patient_ref: str | None) -> tuple[dict[str, str], str | None]:
    """What was said of each likely patient, and who it is."""
    start = f"jawab-{index}-"
    said = {
        name[len(start) :]: answer
        for name, answer in request.form.items()
        if name.startswith(start) and len(name) == len(start) + asked.REF_LENGTH
    }
    chosen = next((ref for ref, answer in said.items() if answer == THIS_IS), None)
    if chosen is None and patient_ref not in said:
        chosen = patient_ref
    return {ref: answer for ref, answer in said.items() if answer in asking.STATES}, chosen


def _fields(line: Mapping[str, str], on: date, patient: Patient | None) -> dict[str, str]:
    """The registration form's fields; of a known patient the record counts, gaps are filled."""
    same = ("name", "sex", "address", "village", "payer", "complaint", "poli")
    fields = {name: line[name] for name in same}
    born = line["born"]
    fields["birth_date" if _DATE.fullmatch(born) else "birth_date_estimated"] = born
    fields |= _numbers(line["number"])
    if not fields.get("nik"):
        fields["no_nik_reason"] = line["why"]
    fields = {name: text for name, text in fields.items() if text}
    return differences.decided(patient, fields, {}, on) if patient else fields


def _numbers(typed: str) -> dict[str, str]:
    """NIK and BPJS number, told apart by their length; 13 digits are the card's."""
    parts = re.split(r"[\s,;/]+", typed)
    if not all(len(part) in (13, 16) for part in parts):
        parts = ["".join(parts)]
    return {"bpjs_number" if len(part) == 13 else "nik": part for part in parts if part}


def _noted(
    fields: Mapping[str, str],
    on: date,
    patient: Patient | None,
    kind: DraftKind,
    answers: dict[str, str],
) -> dict[str, str]:
    """The answers, and whom the save waits for."""
    form = RegistrationForm(MultiDict(fields), kind=kind, on=on)
    if not form.validate():
        return answers
    identity = form.identity(patient)
    owner = identity_warnings.nik_owner(identity.nik, patient)
    besides = {owner.public_id} if owner else set()
    return asking.gather(answers, {}, asking.to_answer(asking.look(identity, patient), besides))


def shown(index: int, draft: RegistrationDraft) -> SheetLine:
    """The line of a draft with everything that is to be said of it now."""
    read = drafted.read(draft)
    line = SheetLine(index, draft.paper["line"], draft, read=read)
    _look_for_errors(line)
    if not read.is_valid:
        return line
    found = line.found = review.review(read.application())
    questions = asking.questions(found.likely, read.answers, found.besides)
    line.must = {one.patient.public_id for one in questions}
    owner = [LikelyMatch(found.owner, asking.NOT_SAID, None)] if found.owner else []
    rest = [one for one in found.likely.alike if one.patient.public_id not in line.must]
    line.people = owner + questions + [one for one in rest if one.patient is not found.owner]
    line.answers, line.reasons = found.likely.standing | read.answers, draft.reasons
    waiting = asking.unanswered(line.answers, line.must, found.besides)
    line.is_ready = not (line.errors or waiting or found.unanswered(draft.reasons))
    return line


def _look_for_errors(line: SheetLine) -> None:
    form, known = line.read.form, set()
    for name in FIELDS:
        for of_form in ERRORS_OF.get(name, (name,)):
            if of_form in form and form[of_form].errors:
                line.errors.setdefault(name, form[of_form].errors[0])
                known.add(of_form)
    line.elsewhere = [f.errors[0] for f in form if f.errors and f.name not in known]
    try:
        slips.read(line.draft.paper)
    except slips.SlipError as problem:
        line.errors[problem.field] = str(problem)
