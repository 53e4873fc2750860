"""What is known of the patient at a visit besides a form's answers, to judge them by."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Case(NamedTuple):
    on: date
    age_months: int | None = None
    vitals: Mapping[str, Decimal | int] = {}
    hb: Decimal | None = None  # of the visit's laboratory
    pregnant: str = ""  # as the visit says: ya, tidak, nifas or empty

    @property
    def years(self) -> int | None:
        return None if self.age_months is None else self.age_months // 12
