"""What becomes of the rows of a list: new, known, alike or broken, and why in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinic import import_matching
from clinic.import_files import Line
from clinic.import_matching import Resemblance
from clinic.import_rows import Parsed, RowReader
from clinic.import_staging import Staging
from clinic.matching import Match, Person
from clinic.search import person_of
from models import RowFate

REASONS_SHOWN = 5


@dataclass
class Verdict:
    """A row's fate. `patient_id` or `twin`, an earlier row, say whom it is or resembles."""

    parsed: Parsed
    fate: RowFate
    reason: str = ""
    patient_id: int | None = None
    twin: int | None = None
    match: Match | None = None
    is_disputed: bool = False  # somebody else has its NIK

    @property
    def creates(self) -> bool:
        return self.fate in (RowFate.NEW, RowFate.ALIKE)


def judge(
    lines: Sequence[tuple[int, Line]], reader: RowReader, staging: Staging, since: int
) -> list[Verdict]:
    """Compare rows with the register, and with the rows of their file from `since` on."""
    parsed = {number: reader.read(number, line.cells, line.problem) for number, line in lines}
    people = {
        number: person_of(one.identity)
        for number, one in parsed.items()
        if one.identity is not None
    }
    staging.mark(
        (mark, number) for number, one in people.items() for mark in import_matching.marks(one)
    )
    register = import_matching.in_register(people)
    file = _in_file(people, reader, staging, since)
    return [_verdict(one, register.get(number), file.get(number)) for number, one in parsed.items()]


def _in_file(
    people: Mapping[int, Person], reader: RowReader, staging: Staging, since: int
) -> dict[int, Resemblance]:
    known = dict(people)
    found = {}
    for number, person in people.items():
        near = staging.marked(import_matching.near_marks(person), number, since)
        unread = [one for one in near if one not in known]
        for other, line in staging.numbered(unread).items() if unread else ():
            parsed = reader.read(other, line.cells, line.problem)
            if parsed.identity is not None:
                known[other] = person_of(parsed.identity)
        best = import_matching.closest(person, [(one, known[one]) for one in near if one in known])
        if best:
            found[number] = best
    return found


def _verdict(parsed: Parsed, register: Resemblance | None, file: Resemblance | None) -> Verdict:
    if parsed.identity is None:
        return Verdict(parsed, RowFate.BROKEN, parsed.problem)
    if register and register.is_same:
        return Verdict(parsed, RowFate.KNOWN, _words(register), register.key)
    if file and file.is_same:
        reason = f"Sama dengan baris {file.key} di berkas ini"
        return Verdict(parsed, RowFate.KNOWN, reason, twin=file.key)
    notes = list(parsed.notes)
    if not (register or file):
        return Verdict(parsed, RowFate.NEW, _sentence(notes))
    is_disputed = bool((register and register.has_same_nik) or (file and file.has_same_nik))
    if register:
        reason = _sentence([f"Mirip pasien ini: {_words(register)}", *notes])
        return Verdict(
            parsed,
            RowFate.ALIKE,
            reason,
            register.key,
            match=register.match,
            is_disputed=is_disputed,
        )
    reason = _sentence([f"Mirip baris {file.key} di berkas ini: {_words(file)}", *notes])
    return Verdict(
        parsed, RowFate.ALIKE, reason, twin=file.key, match=file.match, is_disputed=is_disputed
    )


def _words(found: Resemblance) -> str:
    return ", ".join(found.match.reasons[:REASONS_SHOWN])


def _sentence(parts: Sequence[str]) -> str:
    return "; ".join(parts)[:300]
