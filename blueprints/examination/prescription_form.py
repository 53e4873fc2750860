"""The prescription in the examination's form: lines, what the search found, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from flask import request

from blueprints.examination import prescription_typed
from blueprints.examination.forms import ExaminationForm
from blueprints.examination.typed import Typed
from clinic import (
    medicines,
    prescription_lines,
    prescription_warnings,
    prescriptions,
    written_medicines,
)
from clinic import prescription_text as words
from clinic.prescription_checks import MedicineWarning
from clinic.prescription_compounds import FORMS, LineError, amount_of
from clinic.prescription_lines import COMPOUND, OUTSIDE, LineInput, WantedLine
from clinic.prescriptions import PrescriptionInput
from clinic.record_errors import RecordError
from formatting import number_text
from models import Allergy, Examination, Medicine, PoliKind, Prescription, QueueEntry, Visit

SHORTEST_SEARCH = 2
# Their work is another's prescription.
WITHOUT = (PoliKind.LABORATORY, PoliKind.PHARMACY)
NOTHING = {"rx_shown": False, "rx_lines": [], "rx_warnings": []}
Problems = Mapping[str, Mapping[str, str]]  # by a line's key and its box: the sentence
NO_PROBLEMS: Problems = MappingProxyType({})


@dataclass(frozen=True)
class LineView:
    """A line as the form shows it: what was typed, how it is understood, what is wrong."""

    said: LineInput
    label: str
    understood: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)  # by the box that is to be looked at

    @property
    def problem(self) -> str:
        return " ".join(self.problems.values())

    @property
    def is_compound(self) -> bool:
        return self.said.what == COMPOUND

    @property
    def is_outside(self) -> bool:
        return self.said.what == OUTSIDE


def context(
    form: ExaminationForm, entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    """What templates/examination/_prescription.html needs."""
    if entry.poli.kind in WITHOUT:
        return NOTHING
    stored = prescriptions.of(examination)
    sent = prescription_typed.said(request.form) if typed else None
    said = sent or of_stored(stored)
    problems = getattr(form, "wrong_lines", NO_PROBLEMS)
    found = search(form.medicine_search.data or "")
    about = shown(entry.visit, said, stored, problems, _told(form)) | found
    return about | {"rx_removed": prescription_typed.removed(request.form) if typed else ()}


def explain(
    form: ExaminationForm, problem: RecordError, examination: Examination | None
) -> list[RecordError]:
    """Put what is wrong with the lines beside their boxes; the other problems."""
    said = prescription_typed.said(request.form) or of_stored(prescriptions.of(examination))
    form.wrong_lines, rest = wrong_lines(problem, said)
    if form.wrong_lines:
        form.prescription.links = links(form.wrong_lines)
        form.prescription.errors = [sentence for _, sentence in form.prescription.links]
    return rest


def wrong_lines(
    problem: RecordError, said: PrescriptionInput
) -> tuple[dict[str, dict[str, str]], list[RecordError]]:
    """What is wrong with the lines of a form, by their keys and boxes; and what is wrong beside."""
    found: dict[str, dict[str, str]] = {}
    rest: list[RecordError] = []
    for each in (problem, *problem.others):
        if not isinstance(each, LineError) or (each.place is None and not each.key):
            rest.append(each)
            continue
        key = each.key if each.place is None else said.lines[each.place].key
        found.setdefault(key, {})[each.box] = str(each)
    return found, rest


def links(problems: Problems) -> list[tuple[str, str]]:
    """Each box that is to be looked at, with its sentence, for the summary of errors."""
    return [
        (f"rx_{box}-{key}", sentence)
        for key, boxes in problems.items()
        for box, sentence in boxes.items()
    ]


def _told(form: ExaminationForm) -> list[Allergy]:
    """The allergy that is typed in this very form: "Selesai" counts it."""
    substance, reaction = form.allergy_substance.data, form.allergy_reaction.data
    if not (substance or "").strip():
        return []
    return [Allergy(substance=substance.strip()[:100], reaction=(reaction or "").strip())]


def of_stored(prescription: Prescription | None) -> PrescriptionInput:
    """The form as it would say what is stored."""
    lines = prescriptions.active_lines(prescription)
    note = prescription.note if prescription else ""
    return PrescriptionInput([prescription_lines.line_input(line) for line in lines], note)


def shown(
    visit: Visit,
    said: PrescriptionInput,
    stored: Prescription | None,
    problems: Problems = NO_PROBLEMS,
    unsaved: Sequence[Allergy] = (),
) -> dict[str, Any]:
    """Lines and warnings of what was said."""
    known = medicines.by_codes(line.what for line in said.lines)
    wanted = prescription_lines.usable(said.lines)
    views = [
        view(line, known.get(line.what), wanted.get(line.key), problems.get(line.key, {}))
        for line in said.lines
    ]
    warnings = prescription_warnings.of_lines(visit, list(wanted.values()), stored, unsaved)
    return {
        "rx_shown": True,
        "rx_lines": views,
        "rx_note": said.note,
        "rx_warnings": [(each, said.reasons.get(each.key, "")) for each in warnings],
        "rx_reasons": _without_warning(said, warnings),
        "rx_notes": words.NOTES,
        "rx_forms": list(FORMS),
        "rx_options": [],
        "rx_is_near": False,
        "rx_query": "",
        "rx_is_written": False,
    }


def _without_warning(
    said: PrescriptionInput, warnings: Sequence[MedicineWarning]
) -> dict[str, str]:
    """Reasons that wait, by the warnings' keys, until their line can be read again."""
    keys = {each.key for each in warnings}
    return {key: reason for key, reason in said.reasons.items() if key not in keys}


def view(
    line: LineInput,
    medicine: Medicine | None,
    wanted: WantedLine | None,
    problems: Mapping[str, str] = MappingProxyType({}),
) -> LineView:
    label = medicine.label if medicine else "Racikan" if line.what == COMPOUND else "Resep luar"
    parts = (
        ", ".join(f"{part.title} {amount_of(part)}" for part in wanted.components) if wanted else ""
    )
    understood = ": ".join(filter(None, (parts, _understood(wanted))))
    return LineView(line, label, understood, problems)


def _understood(line: WantedLine | None) -> str:
    if line is None or not line.instruction:
        return ""
    amount = f"{number_text(line.quantity)} {line.unit}" if line.quantity else ""
    return "; ".join(filter(None, (line.instruction, amount)))


def search(text: str) -> dict[str, Any]:
    """Medicines for what was typed in the search box."""
    query = text.strip()[:80]
    written = written_medicines.read(query)
    is_long = len(written.name) >= SHORTEST_SEARCH
    found, is_near = medicines.offered(written.name) if is_long else ([], False)
    return {
        "rx_options": found,
        "rx_query": query,
        "rx_is_near": is_near and bool(found),
        "rx_is_written": bool(found and (written.sig or written.quantity)),
    }


def warnings_of(visit: Visit, line: LineInput) -> list[MedicineWarning]:
    """What is true of this medicine alone, to be seen as soon as it is chosen."""
    return prescription_warnings.of_lines(visit, list(prescription_lines.usable([line]).values()))


def theirs(examination: Examination, typed: Typed) -> dict[str, str]:
    """What another has stored, where it differs from what was typed."""
    sent = prescription_typed.said(request.form)
    if sent is None or prescriptions.says_the_same(examination, sent):
        return {}
    return {"prescription": "\n".join(texts(of_stored(prescriptions.of(examination)))) or "-"}


def texts(said: PrescriptionInput | None) -> list[str]:
    """Each line in words, as it was typed where it can't be understood."""
    if said is None:
        return []
    known = medicines.by_codes(line.what for line in said.lines)
    wanted = prescription_lines.usable(said.lines)
    return [_text(line, known.get(line.what), wanted.get(line.key)) for line in said.lines]


def typed_texts(said: PrescriptionInput) -> list[str]:
    """Each line in words, and behind them all that was typed of it."""
    return [
        f"{text} ({typed})" if typed and typed not in text else text
        for text, typed in zip(texts(said), map(_as_typed, said.lines), strict=True)
    ]


def _as_typed(line: LineInput) -> str:
    days = line.days and f"{line.days} hari"
    quantity = line.quantity and f"jumlah {line.quantity}"
    return ", ".join(filter(None, (line.sig, days, quantity, line.note)))


def _text(line: LineInput, medicine: Medicine | None, wanted: WantedLine | None) -> str:
    title = medicine.label if medicine else line.title
    parts = f" ({line.parts.strip()})" if line.parts.strip() else ""
    return f"{title}{parts}: {_understood(wanted) or _as_typed(line)}"
