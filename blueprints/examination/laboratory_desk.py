"""What the laboratory's page shows: the orders of a visit, and what was typed for each test."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import abort, render_template
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

import access
from blueprints.examination import page
from clinic import (
    allergies,
    history,
    lab_orders,
    lab_reports,
    lab_results,
    lab_values,
    records,
    right_patient,
)
from clinic.lab_entry import DONE, Entered
from db import db
from models import LabOrder, LabOrderTest, LabResult, LabTest, PoliKind, QueueEntry, Visit


@dataclass(frozen=True)
class Typed:
    """What a request typed, to be shown again when it could not be stored."""

    entered: Mapping[str, Entered] = field(default_factory=dict)
    note: str = ""
    problem: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    unlikely: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """One ordered test in the form."""

    item: LabOrderTest
    current: LabResult | None
    value: str
    range: str
    flag_text: str
    is_critical: bool
    is_unusual: bool
    said: Entered
    problem: str = ""
    is_unlikely: bool = False


def refuse_others() -> None:
    if not access.works_in_laboratory():
        abort(404)


def has_work(visit: Visit, entry: QueueEntry | None) -> bool:
    """Whether this stay is one in the laboratory with something to do: then its own page opens."""
    if entry is None or entry.poli.kind is not PoliKind.LABORATORY:
        return False
    return right_patient.may_write(entry) and bool(lab_orders.open_orders(visit))


def entry_of(visit: Visit, ref: str = "") -> QueueEntry | None:
    """The visit's stay in the laboratory: the one asked for, else the one most likely meant."""
    mine = [row for row in page.entries_of(visit) if row.poli.kind is PoliKind.LABORATORY]
    if ref:
        return next((row for row in mine if row.public_id == ref), None)
    return min(mine, key=page.preference, default=None)


def entered(form: MultiDict) -> dict[str, Entered]:
    """What the form says, by ordered test."""
    refs = [name.partition("-")[2] for name in form if name.startswith("hasil-")]
    return {
        ref: Entered(
            typed=form.get(f"hasil-{ref}", "").strip(),
            seen=form.get(f"lihat-{ref}", ""),
            is_sure=form.get(f"yakin-{ref}") == "1",
            not_done=form.get(f"tidak-{ref}", "").strip(),
            is_sampled=form.get(f"sampel-{ref}") == "1" or form.get("aksi") == "sampel",
        )
        for ref in refs
    }


def show(
    visit: Visit,
    typed: Typed | None = None,
    correction: Mapping[str, Any] | None = None,
    adding: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The page: the form while the patient is here, and what was reported."""
    access.record_view("view_visit", visit.patient, "visit", visit.public_id)
    entry, today = entry_of(visit), history.visit_summary(visit)
    is_served = entry is not None and right_patient.may_write(entry)
    orders = lab_orders.open_orders(visit)
    examination = records.open_examination(entry) if entry else None
    stored = examination.objective if examination else ""
    reports = [report for report in today.lab if report.is_closed]
    typed, lost = typed or Typed(), []
    refs = {line.form_ref for report in reports for line in report.lines}
    if correction and correction["ref"] not in refs:  # somebody changed the result meanwhile
        typed = Typed(problem=correction["problem"])
        lost = [("Nilai", correction["value"]), ("Alasan", correction["reason"])]
    forms = [(order, _rows(order, typed)) for order in orders]
    shown = {row.item.public_id for _, rows in forms for row in rows if is_served}
    html = render_template(
        "examination/laboratory.html",
        visit=visit,
        patient=visit.patient,
        on=today.on,
        entry=entry,
        allergies=allergies.banner(visit.patient),
        writes=is_served and bool(orders),
        orders=forms,
        shown=shown,
        unsaved=unsaved(typed, shown) + [(name, text) for name, text in lost if text],
        reports=reports,
        note=typed.note or ("" if stored == DONE else stored),
        version=examination.version if examination else 0,
        typed=typed,
        correction=correction or {},
        adding=adding or {},
        offered=_offered(orders) if is_served else {},
    )
    return Response(html, status, mimetype="text/html")


def _offered(orders: Iterable[LabOrder]) -> dict[str, list[LabTest]]:
    """By group the tests that the laboratory may still add."""
    asked = {item.test_id for order in orders for item in lab_orders.asked(order)}
    groups: dict[str, list[LabTest]] = {}
    for test in lab_orders.active_tests():
        if test.id not in asked:
            groups.setdefault(test.group, []).append(test)
    return groups


def unsaved(typed: Typed, shown: Collection[str] = ()) -> list[tuple[str, str]]:
    """What was typed and has no field on the page any more: the test, and the text."""
    refs = [ref for ref in typed.entered if ref not in shown]
    rows = select(LabOrderTest).join(LabOrderTest.test).where(LabOrderTest.public_id.in_(refs))
    found = []
    for item in db.session.scalars(rows.order_by(LabTest.position)) if refs else ():
        said = typed.entered[item.public_id]
        found += [(item.test.name, text) for text in (said.typed, said.not_done) if text]
    return found + ([("Catatan laboratorium", typed.note)] if typed.note and not shown else [])


def only_typed(visit: Visit, typed: Typed) -> Response:
    """Access has ended meanwhile: the text is given back, the record is not."""
    html = render_template("examination/typed.html", visit=visit, answers=unsaved(typed))
    return Response(html, 409, mimetype="text/html")


def _rows(order, typed: Typed) -> list[Row]:
    results = lab_results.current_results([order])
    items = sorted(lab_orders.asked(order), key=lambda item: (item.test.position, item.id))
    return [_row(item, results.get((order.id, item.test_id)), typed) for item in items]


def _row(item: LabOrderTest, current: LabResult | None, typed: Typed) -> Row:
    ref = item.public_id
    said = typed.entered.get(ref, Entered(seen=current.public_id if current else ""))
    stored = current.value if current else ""
    # What somebody else filled in meanwhile must not be emptied by the next press.
    was_seen = said.seen == (current.public_id if current else "")
    was_sent = ref in typed.entered and (bool(said.typed) or was_seen)
    reference = lab_values.reference_for(item.test.references, *lab_results.whom(item))
    return Row(
        item=item,
        current=current,
        value=said.typed if was_sent else stored,
        range=lab_values.range_text(reference.low, reference.high) if reference else "",
        flag_text=lab_reports.FLAG_WORDS.get(current.flag, "") if current else "",
        is_critical=bool(current and current.flag in lab_values.CRITICAL),
        is_unusual=bool(current and lab_reports.is_unusual(current.flag)),
        said=said,
        problem=typed.problems.get(ref, ""),
        is_unlikely=ref in typed.unlikely,
    )
