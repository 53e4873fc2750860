"""What a complaint denies: "tidak ada kejang", "kejang (-)", "tidak mual dan muntah". Pure.

A danger sign must never be lost, so what can be read in two ways denies nothing: the banner stays.
"Riwayat kejang" alone is such a thing: it is written of last year's fit and of last night's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

PLUS, MINUS = "ada", "disangkal"  # what "(+)" and "(-)" behind a sign are read as

_NO = frozenset({"tidak", "tanpa", "bukan"})
_BRIDGES = frozenset({"ada", "riwayat", "pernah", "keluhan", "mengalami", "sampai"})
_OR = frozenset({"atau", "ataupun", "maupun"})
_AND = frozenset({"dan", "serta"})
_TURNS = frozenset({"tapi", "tetapi", "namun", "hanya", "cuma", "lagi"}) | _OR | _AND


class Denial(Enum):
    """How a word is denied, if at all."""

    NONE = "none"
    SURE = "sure"
    NEVER = "never"  # "belum pernah kejang" is no danger, "belum pernah imunisasi" no refusal
    JOINED = "joined"  # "tidak demam dan kejang": the "tidak" may end at the "dan"


@dataclass(frozen=True)
class Words:
    """A folded complaint: its words, and the places of those that a comma or the like precedes."""

    words: tuple[str, ...]
    breaks: frozenset[int] = frozenset()

    def denial(self, start: int, end: int, earlier: Mapping[int, Denial]) -> Denial:
        """Whether words[start:end] is denied; `earlier` are denials by where their phrase ends."""
        after = self._said_after(end)
        if after is not None:
            return after
        before = self._said_before(start, end)
        return self._carried_on(start, earlier) if before is Denial.NONE else before

    def _said_after(self, end: int) -> Denial | None:
        """Of "kejang (-)", "kejang tidak ada"; Denial.NONE of "kejang (+)", whatever precedes."""
        if self._is_end(end):
            return None
        first = self.words[end]
        if first in {MINUS, "negatif"}:
            return Denial.SURE
        if first == PLUS:
            return Denial.NONE
        if first == "tidak" and self._is_end(end + 1):
            return Denial.SURE  # "demam iya, kejang tidak"
        if first not in {"tidak", "belum"} or self._is_end(end + 1) or not self._is_end(end + 2):
            return None  # "kejang tidak ada henti" too
        second = self.words[end + 1]
        if second not in {"ada", "pernah"}:
            return None
        return Denial.SURE if (first, second) == ("tidak", "ada") else Denial.NEVER

    def _said_before(self, start: int, end: int) -> Denial:
        """Of "tidak kejang", "tidak ada riwayat kejang", "belum pernah kejang"."""
        at = start
        while at and at not in self.breaks and self.words[at - 1] in _BRIDGES:
            at -= 1
        if not at or at in self.breaks:
            return Denial.NONE
        denies, between = self.words[at - 1], self.words[at:start]
        if denies in _NO and between in ((), ("ada",)):
            return Denial.SURE
        # "Belum pernah kejang seperti ini", "tidak ada keluhan pingsan mendadak": it is there.
        if denies not in {"tidak", "belum"} or not self._is_end(end):
            return Denial.NONE
        return Denial.NEVER if denies == "belum" or "pernah" in between else Denial.SURE

    def _carried_on(self, start: int, earlier: Mapping[int, Denial]) -> Denial:
        """Of "muntah" in "tidak mual dan muntah": a comma or "tapi" carries nothing on."""
        is_beside = not self.breaks & {start - 1, start}
        if start < 2 or not is_beside or self.words[start - 1] not in _OR | _AND:
            return Denial.NONE
        before = earlier.get(start - 1, Denial.NONE)
        is_joined = before is not Denial.NONE and self.words[start - 1] in _AND
        return Denial.JOINED if is_joined else before

    def _is_end(self, place: int) -> bool:
        """Whether a clause ends before this place."""
        is_last = place >= len(self.words) or place in self.breaks
        return is_last or self.words[place] in _TURNS
