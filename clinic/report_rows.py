"""What the rows of the reports' tables are: fixed lists, rooms, codes that occur, rows of a form.

The rows of the forms stand in data/report_rows.csv: which ICD-10 codes each takes. A form's row is
data of its own, so a wrong code on a printed form never forces a wrong diagnosis.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

from sqlalchemy import select

from clinic import reference
from clinic.code_ranges import CodeRanges, parse
from clinic.report_tables import Placed, Placing, Row
from db import db
from formatting import short_date
from models import Icd10Term, Poli

OTHER_LABEL = "{} (tidak ada di daftar)"


def fixed(labels: Mapping[str, str]) -> Placing:
    """Rows that are always there; a value that is not among them gets a row at the end."""

    def place(seen: Counter[str]) -> Placed:
        known = {key: Row(key, label) for key, label in labels.items()}
        strange = sorted(str(value) for value in seen if value not in known)
        known |= {key: Row(key, OTHER_LABEL.format(key)) for key in strange}
        return Placed(list(known.values()), {value: value for value in seen})

    return place


def rooms(seen: Counter[str]) -> Placed:
    """The rooms in the order of the clinic; closed ones only where there was somebody."""
    found = select(Poli.code, Poli.name, Poli.is_active).order_by(Poli.position, Poli.code)
    listed = [
        Row(code, name)
        for code, name, is_active in db.session.execute(found)
        if is_active or code in seen
    ]
    return Placed(listed, {code: code for code in seen})


def pairs_of_rooms(seen: Counter[str]) -> Placed:
    """From which room to which, the most frequent first; the key is both codes."""
    names = dict(db.session.execute(select(Poli.code, Poli.name)).tuples().all())

    def words(pair: str) -> str:
        return next(
            f"{name} ke {names[pair[len(code) + 1 :]]}"
            for code, name in names.items()
            if pair.startswith(f"{code}-") and pair[len(code) + 1 :] in names
        )

    listed = [Row(pair, words(pair)) for pair, _ in _most(seen)]
    return Placed(listed, {pair: pair for pair in seen})


def occurring(seen: Counter[str]) -> Placed:
    """The values that there are, in their own order."""
    return Placed([Row(value, value) for value in sorted(seen)], {value: value for value in seen})


def days(seen: Counter[str]) -> Placed:
    """The days that there are, each as it is written everywhere."""
    listed = [Row(day, short_date(date.fromisoformat(day))) for day in sorted(seen)]
    return Placed(listed, {day: day for day in seen})


def codes(limit: int | None = None) -> Placing:
    """Diagnoses as they were written, by code; with a limit the most frequent only."""

    def place(seen: Counter[str]) -> Placed:
        chosen = [code for code, _ in _most(seen)[:limit]] if limit else sorted(seen)
        titles = _titles(chosen)
        listed = [Row(code, titles.get(code, "kode tidak dikenal"), "", code) for code in chosen]
        among = set(chosen)
        return Placed(listed, {code: code if code in among else None for code in seen})

    return place


def _most(seen: Counter[str]) -> list[tuple[str, int]]:
    return sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))


def _titles(wanted: list[str]) -> dict[str, str]:
    rows = select(Icd10Term.code, Icd10Term.title_id, Icd10Term.title)
    found = db.session.execute(rows.where(Icd10Term.code.in_(wanted)))
    return {code: title_id or title for code, title_id, title in found}


# --- Forms ------------------------------------------------------------------------------------


class FormRow:
    """A row of a form; `is_rest` takes what no other row of the form takes."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self.row = Row(told["row"], told["label"], told["group"] or "", told["shown"] or "")
        self.codes: CodeRanges = parse(told["codes"])
        self.is_rest = told["rest"] == "1"


@cache
def form_rows(form: str) -> tuple[FormRow, ...]:
    """The rows of a form, in its order."""
    return tuple(
        FormRow(told) for told in reference.rows("report_rows.csv") if told["form"] == form
    )


@lru_cache(maxsize=5000)  # codes are typed text
def row_of(form: str, code: str) -> str | None:
    """The form's row that takes this code: that which names it closest, else a rest row."""

    def closeness(each: FormRow) -> tuple[bool, int]:
        lengths = [len(pair[0]) for pair in each.codes.pairs if code in CodeRanges((pair,))]
        return (not each.is_rest, max(lengths))

    taking = [each for each in form_rows(form) if code in each.codes]
    return max(taking, key=closeness).row.key if taking else None


def of_form(form: str) -> Placing:
    """The rows of a form; codes that none takes stay outside."""

    def place(seen: Counter[str]) -> Placed:
        listed = [each.row for each in form_rows(form)]
        return Placed(listed, {code: row_of(form, code) for code in seen})

    return place
