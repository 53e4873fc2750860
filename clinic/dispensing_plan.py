"""Of which batches the lines of a prescription would be taken if all were handed out now."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from clinic import days, dispensing, stock
from clinic.dispensing_steps import therapy_end
from clinic.stock import Portion
from models import PrescriptionLine, StockBatch


def usable_for(lines: Iterable[PrescriptionLine]) -> dict[int, list[StockBatch]]:
    """By medicine: the batches that these lines may be taken of; one query."""
    ids = {
        need.medicine.id
        for line in lines
        for need in dispensing.needs(line, line.quantity or Decimal(0))
    }
    return stock.usable(ids, days.clinic_date())


def planned(
    lines: Sequence[PrescriptionLine], there: Mapping[int, Sequence[StockBatch]]
) -> dict[int, list[Portion]]:
    """By line, in their order: what a line before has taken is there for the next no more."""
    taken: dict[int, Decimal] = {}
    found: dict[int, list[Portion]] = {}
    for line in lines:
        found[line.id] = []
        for need in dispensing.needs(line, line.quantity or Decimal(0)):
            left = need.quantity
            for batch in stock.lasting_first(there[need.medicine.id], therapy_end(line)):
                part = min(left, batch.balance - taken.get(batch.id, Decimal(0)))
                if part > 0:
                    taken[batch.id] = taken.get(batch.id, Decimal(0)) + part
                    left -= part
                    found[line.id].append(Portion(batch, part))
    return found
