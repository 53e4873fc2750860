"""Why something can't be recorded, each with a sentence for the staff."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import Examination


class RecordError(Exception):
    """What can't be recorded, in a sentence; `field` is the one to look at.

    `others` are refused with it: whoever puts one right should not meet the next one after it.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.others: tuple[RecordError, ...] = ()


def refuse_too_many(found: Sequence[Any], most: int, what: str, field: str) -> None:
    """Raises RecordError for more than `most`: what is too much is never left out unsaid."""
    if len(found) > most:
        sentence = f"Paling banyak {most} {what}: kurangi {len(found) - most} di antaranya."
        raise RecordError(sentence, field)


class NotOpen(RecordError):
    """The patient isn't being served in this room (any more)."""


class Conflict(RecordError):
    """Somebody saved or finished since the form was opened.

    `current` is what stands now; None when both saved at this very moment (read it again).
    """

    def __init__(self, current: Examination | None = None) -> None:
        super().__init__("Pemeriksaan ini sudah diubah sejak halaman Anda dibuka.")
        self.current = current


class MeasuredMeanwhile(Conflict):
    """Two pages of one account changed the same values; the one that was sent later says so."""

    def __init__(self) -> None:
        RecordError.__init__(self, "Angka ini sudah Anda simpan dari halaman lain.")
        self.current = None


def missing(said: Mapping[str, Any], *needs: tuple[str, str]) -> list[RecordError]:
    """Of what must be said, each field with its sentence, what was not."""
    return [RecordError(sentence, name) for name, sentence in needs if not said.get(name)]


def refuse(problems: Sequence[RecordError]) -> None:
    """Raise all of them at once, one sentence a field: the first, which carries the others."""
    fields = {problem.field for problem in problems}
    told: dict[str, RecordError] = {}
    for problem in problems:
        # What is said of the disposition is judged by the room, which is still to be chosen.
        if problem.field != "disposition" or "refer_to" not in fields:
            told.setdefault(problem.field, problem)
    if told:
        first, *others = told.values()
        first.others = tuple(others)
        raise first
