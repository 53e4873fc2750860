"""What was done for the demo clinic's patients, by what they were found to have."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select

from clinic.demo_stays import Stay
from clinic.procedures import ProcedureInput
from db import db
from models import ActionTerm, User

# By the first diagnosis: codes of the clinic's list.
DONE = {
    "K04.0": ("TREPANASI",),
    "K02.1": ("TAMBAL",),
    "K05.1": ("SCALING",),
    "K03.6": ("SCALING",),
    "K05.3": ("CABUT-TETAP",),
    "K08.3": ("CABUT-TETAP",),
    "K00.6": ("CABUT-SULUNG",),
    "T14.1": ("HECTING", "TT"),
    "T14.0": ("CUCI-LUKA",),
    "W54": ("CUCI-LUKA", "VAR"),
    "J46": ("NEBUL",),
    "I20.9": ("OKSIGEN", "EKG"),
    "L97": ("GANTI-VERBAN",),
    "Z30.4": ("KB-SUNTIK",),
    "Z23.2": ("BCG", "POLIO"),
    "Z27.1": ("DPT-HB-HIB", "POLIO"),
    "Z24.4": ("MR",),
    "Z26.9": ("DPT-HB-HIB",),
    "Z34.9": ("ANC",),
    "Z71.3": ("KONSELING-GIZI",),
}
TWICE = {"NEBUL": 2}
NOTES = {"TAMBAL": ("gigi 36", "gigi 46", "gigi 16"), "HECTING": ("4 simpul",)}
NOTES |= {"CABUT-TETAP": ("gigi 46", "gigi 38"), "CABUT-SULUNG": ("gigi 71", "gigi 81")}


def _note(code: str, number: int) -> str:
    notes = NOTES.get(code, ("",))
    return notes[number % len(notes)]


def done_for(codes: Sequence[str], number: int) -> list[ProcedureInput]:
    """What a doctor of the demo clinic writes down; `number` varies the notes."""
    return [
        ProcedureInput(code, str(TWICE.get(code, 1)), _note(code, number))
        for code in DONE.get(codes[0], ())
    ]


def rows(
    seen: Sequence[Stay],
    codes: Sequence[tuple[str, ...]],
    examinations: Sequence[int],
    users: Mapping[str, User],
) -> Iterator[dict]:
    """Rows of Procedure for past stays, where the diagnosis was made."""
    terms = {term.code: term for term in db.session.scalars(select(ActionTerm))}
    for stay, given, examination_id in zip(seen, codes, examinations, strict=True):
        done = done_for(given, stay.place) if stay.is_last else []
        for position, each in enumerate(done):
            yield {
                "examination_id": examination_id,
                "code": each.text,
                "title": terms[each.text].name,
                "icd9_code": terms[each.text].icd9_code,
                "quantity": int(each.quantity),
                "note": each.note,
                "position": position,
                "recorded_at": stay.ended_at,
                "recorded_by_id": users[stay.room.code].id,
            }
