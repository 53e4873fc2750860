"""Baru or lama, by rule: the default that whoever examines may change.

It is a matter of the case, not of the patient. As the clinics' morbidity forms count it, the same
disease (the first three signs of its code) within a month is the same case; a disease that lasts
is new once, when it is found, and old ever after, however long nobody came. Which those are stands
in data/long_cases.csv: for how many days after it was recorded last, empty for life. The report's
rule gives the month and leaves the list to the clinic, so the list is a working one, for its
doctors to check.
"""

from datetime import date, timedelta
from functools import cache

from clinic.code_ranges import CodeRanges, parse
from clinic.data_files import texts

SAME_CASE = timedelta(days=30)
FOR_LIFE = timedelta(days=200 * 365)
CATEGORY = 3  # signs of a code that name the disease


@cache
def _long_cases() -> tuple[tuple[CodeRanges, timedelta], ...]:
    return tuple(
        (parse(row["codes"]), timedelta(days=int(row["days"])) if row["days"] else FOR_LIFE)
        for row in texts("long_cases.csv")
    )


@cache
def lasts(category: str) -> timedelta:
    """How long after it was recorded last a disease is still the same case."""
    return next((days for codes, days in _long_cases() if category in codes), SAME_CASE)


def is_same_case(code: str, before: date, on: date) -> bool:
    """Whether a disease recorded on that service day is the same case on this one.

    By days, as the reports count: at what hour somebody came makes no case new.
    """
    return on - before < lasts(code[:CATEGORY])
