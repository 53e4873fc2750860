"""The demo clinic's laboratory: the orders and results behind what its past visits were told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from clinic import lab_values
from clinic.demo_bulk import insert_only, insert_rows
from clinic.demo_stays import LAB, Stay
from db import db
from models import (
    EntryKind,
    LabOrder,
    LabOrderState,
    LabOrderTest,
    LabResult,
    LabTest,
    User,
)

BLOOD = (("HB", "12,9"), ("LEUKOSIT", "7.200"), ("TROMBOSIT", "246.000"))
# Code and value for what a case's text says of the laboratory.
RESULTS = {
    "Hb 13,1; leukosit 5.200; trombosit 198.000": (
        *(("HB", "13,1"), ("LEUKOSIT", "5.200"), ("TROMBOSIT", "198.000")),
    ),
    "Hb 14,6; hematokrit 44; leukosit 3.100; trombosit 96.000": (
        *(("HB", "14,6"), ("HEMATOKRIT", "44")),
        *(("LEUKOSIT", "3.100"), ("TROMBOSIT", "96.000")),
    ),
    "Widal O 1/320, H 1/160; leukosit 4.400": (
        *(("LEUKOSIT", "4.400"), ("WIDAL", "O 1/320, H 1/160")),
    ),
    "Asam urat 9,2 mg/dL": (("ASAMURAT", "9,2"),),
    "Leukosit urine 20-25/LPB, nitrit positif": (
        ("U-SEDIMEN", "leukosit 20-25/LPB, nitrit positif"),
    ),
    "Hb 9,4 g/dL": (("HB", "9,4"),),
    "GDP 168 mg/dL; HbA1c 8,1%": (("GDP", "168"), ("HBA1C", "8,1")),
    "GDS 214 mg/dL": (("GDS", "214"),),
    "BTA sewaktu negatif": (("BTA", "negatif"),),
    "TCM: MTB tidak terdeteksi": (("TCM", "MTB tidak terdeteksi"),),
    "Hb 11,2 g/dL; protein urine negatif; HBsAg dan HIV nonreaktif": (
        *(("HB", "11,2"), ("U-PROTEIN", "negatif")),
        *(("HIV", "nonreaktif"), ("HBSAG", "nonreaktif")),
    ),
}


def values_for(lab: str) -> tuple[tuple[str, str], ...]:
    """The tests and values of a case; a blood count where it says nothing of the laboratory."""
    return RESULTS.get(lab, BLOOD)


@dataclass
class Laboratory:
    """Orders and results of all past visits that went through the laboratory."""

    stays: Sequence[Stay]
    users: Mapping[str, User]  # by room

    def write(
        self, visit_ids: Sequence[int], entry_ids: Mapping[tuple[int, EntryKind], int]
    ) -> None:
        """Insert an order for each stay in LAB, from the stay before it."""
        sent = list(self._pairs())
        orders = insert_rows(
            LabOrder,
            [self._order(first, there, visit_ids[first.place], entry_ids) for first, there in sent],
        )
        pairs = list(zip(sent, orders, strict=True))
        insert_only(
            LabOrderTest, [row for (_, there), id_ in pairs for row in self._asked(there, id_)]
        )
        insert_only(
            LabResult, [row for (_, there), id_ in pairs for row in self._results(there, id_)]
        )

    @cached_property
    def tests(self) -> dict[str, LabTest]:
        rows = select(LabTest).options(selectinload(LabTest.references))
        return {test.code: test for test in db.session.scalars(rows)}

    def _pairs(self) -> Iterator[tuple[Stay, Stay]]:
        first = {stay.place: stay for stay in self.stays if stay.kind is EntryKind.REGISTERED}
        for stay in self.stays:
            if stay.room.code == LAB and stay.kind is EntryKind.ORDERED and stay.is_seen:
                yield first[stay.place], stay

    def _order(self, first: Stay, there: Stay, visit_id: int, entry_ids: Mapping) -> dict:
        return {
            "visit_id": visit_id,
            "entry_id": entry_ids[first.place, first.kind],
            "state": LabOrderState.RESULTED,
            "ordered_at": first.ended_at,
            "ordered_by_id": self.users[first.room.code].id,
            "resulted_at": there.ended_at,
        }

    def _asked(self, there: Stay, order_id: int) -> Iterator[dict]:
        for code, _ in values_for(there.plan.case.lab):
            yield {
                "order_id": order_id,
                "test_id": self.tests[code].id,
                "sampled_at": there.started_at,
                "sampled_by_id": self.users[LAB].id,
            }

    def _results(self, there: Stay, order_id: int) -> Iterator[dict]:
        is_pregnant, me = there.plan.pregnant == "ya", self.users[LAB].id
        sex = lab_values.PREGNANT if is_pregnant else there.person.identity.sex
        for code, value in values_for(there.plan.case.lab):
            test = self.tests[code]
            judged = lab_values.judge(test, value, sex, there.months)
            limits = ("low", "high", "critical_low", "critical_high")
            yield {
                "order_id": order_id,
                "test_id": test.id,
                "value": judged.value,
                "number": judged.number,
                "flag": judged.flag,
                "unit": test.unit,
                **{name: getattr(judged.reference, name, None) for name in limits},
                "sampled_at": there.started_at,
                "sampled_by_id": me,
                "resulted_at": there.ended_at,
                "resulted_by_id": me,
            }
