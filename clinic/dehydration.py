"""How dehydrated a child is: a grade from the checked signs, in Python and in a query."""

from collections.abc import Set

from sqlalchemy import ColumnElement, case, literal

SEVERE, SOME = "berat", "sedang"
LABELS = {SOME: "Diare dehidrasi ringan atau sedang", SEVERE: "Diare dehidrasi berat"}
# The graver first: of these signs two are needed.
GRADES: dict[str, Set[str]] = {
    SEVERE: {"letargis", "mata", "malas", "cubit_lama"},
    SOME: {"rewel", "mata", "haus", "cubit_lambat"},
}
SIGNS_NEEDED = 2


def grade(signs: Set[str]) -> str:
    """The grade that these signs give, '' for none."""
    return next((name for name, own in GRADES.items() if len(signs & own) >= SIGNS_NEEDED), "")


def grade_of(checked: ColumnElement[str]) -> ColumnElement[str]:
    """The same of a column that holds the signs' codes, parted by spaces."""
    padded = literal(" ") + checked + " "

    def count(own: Set[str]) -> ColumnElement[int]:
        return sum(
            case((padded.contains(f" {sign} ", autoescape=True), 1), else_=0) for sign in own
        )

    return case(*((count(own) >= SIGNS_NEEDED, name) for name, own in GRADES.items()), else_="")
