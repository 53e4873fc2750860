"""How dehydrated a child is: a grade from the checked signs, in Python and in a query."""

from collections.abc import Sequence, Set

from sqlalchemy import ColumnElement, case, literal, or_

SEVERE, SOME = "berat", "sedang"
LABELS = {SOME: "Diare dehidrasi ringan atau sedang", SEVERE: "Diare dehidrasi berat"}
# The graver first: of its four signs two are needed. One of the severe row with another of the
# milder row is the milder grade, and two boxes of one sign (a skin pinch, say) are one sign.
GRADES: dict[str, Sequence[Set[str]]] = {
    SEVERE: ({"letargis"}, {"mata"}, {"malas"}, {"cubit_lama"}),
    SOME: ({"letargis", "rewel"}, {"mata"}, {"malas", "haus"}, {"cubit_lama", "cubit_lambat"}),
}
SIGNS_NEEDED = 2


def grade(checked: Set[str]) -> str:
    """The grade that these boxes give, '' for none."""

    def count(signs: Sequence[Set[str]]) -> int:
        return sum(bool(checked & boxes) for boxes in signs)

    return next((name for name, signs in GRADES.items() if count(signs) >= SIGNS_NEEDED), "")


def grade_of(checked: ColumnElement[str]) -> ColumnElement[str]:
    """The same of a column that holds the signs' codes, parted by spaces."""
    padded = literal(" ") + checked + " "

    def count(signs: Sequence[Set[str]]) -> ColumnElement[int]:
        return sum(case((or_(*map(has, sorted(boxes))), 1), else_=0) for boxes in signs)

    def has(box: str) -> ColumnElement[bool]:
        return padded.contains(f" {box} ", autoescape=True)

    grades = ((count(signs) >= SIGNS_NEEDED, name) for name, signs in GRADES.items())
    return case(*grades, else_="")
