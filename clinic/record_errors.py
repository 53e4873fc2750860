"""Why something can't be recorded, each with a sentence for the staff."""

from models import Examination


class RecordError(Exception):
    """What can't be recorded, in a sentence; `field` is the one to look at."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotOpen(RecordError):
    """The patient isn't being served in this room (any more)."""


class Conflict(RecordError):
    """Somebody saved or finished since the form was opened.

    `current` is what stands now; None when both saved at this very moment (read it again).
    """

    def __init__(self, current: Examination | None = None) -> None:
        super().__init__("Pemeriksaan ini sudah diubah orang lain sejak halaman Anda dibuka.")
        self.current = current


class MeasuredMeanwhile(Conflict):
    """Two pages of one account changed the same values; the one that was sent later says so."""

    def __init__(self) -> None:
        RecordError.__init__(self, "Angka ini sudah Anda simpan dari halaman lain.")
        self.current = None
