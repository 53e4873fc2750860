"""Sets of ICD-10 codes as text: "O00-O99 Z34 S37.4-S37.6"; a shorter code means all below it.

"H66=" means H66 alone, as where nobody said which of those below it.
"""

from typing import NamedTuple


class CodeRanges(NamedTuple):
    """Pairs of a first and a last code, without dots, both included."""

    pairs: tuple[tuple[str, str], ...]

    def __contains__(self, code: object) -> bool:
        bare = str(code).replace(".", "").upper()
        return any(
            first == f"{bare}="
            or len(bare) >= len(first)
            and first <= bare[: len(first)]
            and bare[: len(last)] <= last
            for first, last in self.pairs
        )


def parse(text: str) -> CodeRanges:
    """Ranges and single codes between spaces."""
    found = []
    for each in text.replace(".", "").upper().split():
        first, _, last = each.partition("-")
        found.append((first, last or first))
    return CodeRanges(tuple(found))
