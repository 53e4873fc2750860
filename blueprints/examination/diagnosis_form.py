"""The diagnoses in the examination's form: the list, its warnings, what to tick, the search."""

from typing import Any

from blueprints.examination.forms import ExaminationForm, stored_lines
from blueprints.examination.typed import Typed
from clinic import diagnoses, favourites, icd10
from clinic.diagnoses import Line
from models import Examination, Icd10Term, QueueEntry

SHORTEST_SEARCH = 2


def context(
    form: ExaminationForm, entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    """What examination/_diagnoses.html shows."""
    lines = typed.lines if typed else stored_lines(examination)
    return {
        "options": typed.options if typed else [],
        "ticked": [],
        "query": form.diagnosis_search.data or "",
    } | about(lines, entry)


def about(lines: list[Line], entry: QueueEntry) -> dict[str, Any]:
    """The list with its warnings, and the codes that are offered beside it."""
    return {
        "lines": lines,
        "unusual": diagnoses.findings(lines, entry.visit),
        "offers": favourites.offers(entry.visit, entry.poli, {line.code for line in lines}),
    }


def theirs(examination: Examination, typed: Typed) -> dict[str, str]:
    """The stored diagnoses where they differ from what was typed."""
    codes = [f"{line.code} {line.title}".strip() for line in stored_lines(examination)]
    if codes == typed.texts:
        return {}
    return {"diagnosis": "; ".join(codes) or "belum ada diagnosis"}


def search_options(text: str, entry: QueueEntry | None) -> list[Icd10Term]:
    """ICD-10 terms for what was typed in the search box, the room's usual ones first."""
    if len(text.strip()) < SHORTEST_SEARCH:
        return []
    first = favourites.usual_codes(entry.poli) if entry else []
    return icd10.search(text.strip(), first=first)
