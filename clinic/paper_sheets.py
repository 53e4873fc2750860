"""What of the rooms' forms a paper says: what asks to be looked at first, then the answers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from clinic.form_definitions import item_of
from clinic.form_items import Kind
from clinic.form_sheets import Sheet
from clinic.pregnancy import REFER
from clinic.teeth import Finding

REASONS = {"danger_reason"}  # why something was done in spite of a warning stays inside
MORE = "; selengkapnya di rekam medis"


def newest(sheets: Iterable[Sheet]) -> list[Sheet]:
    """One sheet a form: who came back from the laboratory has a second stay that adds to it."""
    found: dict[str, Sheet] = {}
    for sheet in sheets:
        before = found.get(sheet.form)
        answers = {**before.answers, **sheet.answers} if before else sheet.answers
        found[sheet.form] = replace(sheet, answers=answers)
    return list(found.values())


def text(sheets: Sequence[Sheet], *, with_notes: bool) -> str:
    """A line for each form; notes are for colleagues, not for the patient's own paper."""
    return "\n".join(filter(None, [_line(sheet, with_notes) for sheet in sheets]))


def _line(sheet: Sheet, with_notes: bool) -> str:
    said = {code: value for code, value in sheet.answers.items() if _is_told(code, with_notes)}
    found = [finding.message for finding in sheet.findings if finding.level != "info"]
    parts = [message.removesuffix(REFER) for message in found]
    parts += [_tooth(each) for each in sheet.teeth]
    parts += [f"{label}: {answer}" for label, answer in replace(sheet, answers=said).lines]
    words = "; ".join(dict.fromkeys(" ".join(part.split()) for part in parts))
    return f"{sheet.label}: {words}" if words else ""


def _is_told(code: str, with_notes: bool) -> bool:
    is_note = item_of(code).kind in (Kind.LINE, Kind.NOTE)
    return code not in REASONS and (with_notes or not is_note)


def _tooth(found: Finding) -> str:
    return f"{found.tooth} {found.condition_text}" + (f" ({found.action})" if found.action else "")


def within(words: str, length: int) -> str:
    """At most so many letters of it, cut between two statements, and that there is more."""
    if len(words) <= length:
        return words
    cut = words[: max(length - len(MORE), 0)].rpartition("; ")[0]
    return cut + MORE if cut else ""
