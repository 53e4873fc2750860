"""Actions of an examination: from the clinic's list, or as text; rows end, never vanish."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from clinic import record_errors
from clinic.audit import Actor
from clinic.record_errors import RecordError
from db import db, utcnow
from models import ActionTerm, Examination, Procedure
from validators import clean_text

MOST, MOST_TIMES = 20, 99
MOST_READ = 2 * MOST  # what is too much is shown again with the refusal
LONGEST_NOTE = 200


class ProcedureInput(NamedTuple):
    """A code of the list or a text, as typed; how often ("" once), and a note."""

    text: str
    quantity: str = ""
    note: str = ""


class Line(NamedTuple):
    """An action as it would be stored; code "" when only text is known."""

    code: str
    title: str
    icd9_code: str
    quantity: int = 1
    note: str = ""

    @property
    def typed(self) -> str:
        """What a form sends to mean this line again."""
        return self.code or self.title

    @property
    def words(self) -> str:
        """The line for a reader."""
        times = f" {self.quantity}x" if self.quantity > 1 else ""
        return f"{self.title}{times}{f': {self.note}' if self.note else ''}"


def active(examination: Examination | None) -> list[Procedure]:
    """The actions that hold now, in the order they were given."""
    if examination is None:
        return []
    rows = select(Procedure).where(
        Procedure.examination_id == examination.id, Procedure.ended_at.is_(None)
    )
    return list(db.session.scalars(rows.order_by(Procedure.position, Procedure.id)))


def line_of(row: Procedure) -> Line:
    return Line(*(getattr(row, name) for name in Line._fields))


def stored_lines(examination: Examination | None) -> list[Line]:
    """The actions that hold now, as lines."""
    return [line_of(row) for row in active(examination)]


def lines(entered: Sequence[ProcedureInput], examination: Examination | None = None) -> list[Line]:
    """What was typed as lines, each once. What stands there keeps its words, whatever the list's
    are today. Raises RecordError for a quantity that is none.
    """
    typed = [(clean_text(each.text, 300), each) for each in entered]
    codes = {text.upper() for text, _ in typed}
    known = {line.typed.upper(): line for line in stored_lines(examination)}
    terms = {
        term.code: Line(term.code, term.name, term.icd9_code)
        for term in db.session.scalars(select(ActionTerm).where(ActionTerm.code.in_(codes)))
    }
    found: dict[str, Line] = {}
    for text, each in typed:
        key = text.upper()
        if key and key not in found:
            line = known.get(key) or terms.get(key) or Line("", text, "")
            note = clean_text(each.note, LONGEST_NOTE)
            found[key] = line._replace(quantity=_quantity(each.quantity), note=note)
    return list(found.values())[:MOST_READ]


def refuse_too_many(found: Sequence[Line]) -> None:
    """Raises RecordError."""
    record_errors.refuse_too_many(found, MOST, "tindakan", "procedure_search")


def _quantity(typed: str) -> int:
    text = typed.strip() or "1"
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_TIMES):
        raise RecordError(f"Jumlah tindakan: isi angka 1 sampai {MOST_TIMES}.", "procedure_search")
    return int(text)


def write(actor: Actor, examination: Examination, wanted: Sequence[Line]) -> bool:
    """End what is no longer wanted, add what is new; tells whether anything changed."""
    present = {line_of(row): row for row in active(examination)}
    places = {line: place for place, line in enumerate(wanted)}
    for line, row in present.items():
        if line not in places:
            row.ended_at, row.ended_by_id = utcnow(), actor.user_id
        else:
            row.position = places[line]
    added = [line for line in wanted if line not in present]
    for line in added:
        db.session.add(
            Procedure(
                examination_id=examination.id,
                position=places[line],
                recorded_by_id=actor.user_id,
                **line._asdict(),
            )
        )
    db.session.flush()
    return bool(added) or any(line not in places for line in present)
