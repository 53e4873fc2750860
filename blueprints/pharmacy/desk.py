"""The pharmacy's desk: what waits today, and one visit's prescriptions."""

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

import access
from blueprints.pharmacy.blueprint import bp, page_number, staff
from blueprints.pharmacy.typed import Typed
from clinic import (
    allergies,
    days,
    dispensing,
    dispensing_lists,
    dispensing_queue,
    dispensing_reports,
    dispensing_steps,
    measurements,
    prescriptions,
    right_patient,
)
from clinic.dispensing_review import ASPECTS
from clinic.queues import QueueError
from clinic.record_errors import RecordError
from db import utcnow
from models import Prescription, PrescriptionState, QueueEntry, Visit
from patient_forms import refuse_other, writing


def readable_visit(ref: str) -> Visit:
    """The visit, if the account may read this patient's record now; else leads to its page.

    A visit that left its prescription here is the pharmacy's too, though it never stood here.
    """
    visit = dispensing_lists.late_visit(ref) or access.visit_or_404(ref)
    access.refuse_unread(visit.patient)
    return visit


def prescription_or_404(ref: str) -> Prescription:
    """A prescription that was sent, of a patient whose record may be read."""
    found = prescriptions.by_ref(ref)
    if found is None or found.state is PrescriptionState.DRAFT:
        abort(404)
    readable_visit(found.visit.public_id)
    return found


def is_for(visit: Visit) -> bool:
    """Whether the form was made for this visit's patient."""
    return request.form.get("patient") == visit.patient.public_id


def address(visit: Visit) -> str:
    return url_for("pharmacy.visit", visit=visit.public_id)


@bp.get("/farmasi")
@staff
def worklist():
    """Today's open prescriptions, and earlier ones that nobody fetched; names and numbers only."""
    now, day = utcnow(), days.current_day()
    found = dispensing_queue.waiting(day, now)
    outside = [line for line in found if line.entry is None]
    queued = [line for line in found if line.entry is not None]
    page = page_number()
    is_old, today = request.args.get("masa") == "lama", days.clinic_date(now)
    earlier, count = dispensing_queue.earlier(day, today, page, is_old=is_old)
    shown = [line.prescription for line in found] + earlier
    return render_template(
        "pharmacy/worklist.html",
        outside=outside,
        queued=queued,
        earlier=earlier,
        count=count,
        is_old=is_old,
        old_count=dispensing_queue.old_count(day, today),
        allergic=allergies.among(made.visit.patient_id for made in shown),
        page=page,
        pages=-(-count // dispensing_queue.PAGE),
        unfetched=dispensing.UNFETCHED,
    )


@bp.post("/farmasi/resep/<prescription>/antre")
@staff
def put_in_line(prescription: str):
    """By hand, for a patient whom no room has sent on; the record is not shown."""
    found = prescriptions.by_ref(prescription) or abort(404)
    refuse_other(found.visit.patient.public_id)
    try:
        with writing(found.visit):
            dispensing_queue.put_in_line(access.current_actor(), found)
    except (RecordError, QueueError) as problem:
        flash(str(problem), "error")
    else:
        visit = found.visit
        flash(f"{visit.label} {visit.patient.name} masuk antrean farmasi.", "success")
    return redirect(url_for("pharmacy.worklist"), 303)


@bp.get("/kunjungan/<visit>/farmasi")
@staff
def visit(visit: str):
    found = readable_visit(visit)
    return show(found)


def chosen_entry(visit: Visit, ref: str = "") -> QueueEntry | None:
    """The visit's stay in the pharmacy: the one asked for, else the one most likely meant."""
    mine = dispensing_queue.entries_of(visit)
    if ref:
        return next((entry for entry in mine if entry.public_id == ref), None)
    return mine[0] if mine else None


def show(visit: Visit, typed: Typed | None = None, status: int = 200) -> Response:
    """The page: the prescriptions, what can be done with each, and what was done."""
    access.record_view("view_visit", visit.patient, "visit", visit.public_id)
    is_late, typed = dispensing_steps.is_late(visit), typed or Typed()
    entry = None if is_late else chosen_entry(visit)
    views = dispensing_lists.desk(dispensing_lists.of_visit(visit))
    html = render_template(
        "pharmacy/visit.html",
        visit=visit,
        patient=visit.patient,
        on=visit.service_day.on,
        entry=entry,
        allergies=allergies.banner(visit.patient),
        weight=measurements.weight_text(visit),
        views=views,
        cancelled=dispensing_lists.cancelled(visit),
        is_late=is_late,
        is_served=is_late or (entry is not None and right_patient.may_write(entry)),
        typed=typed,
        aspects=ASPECTS,
        reasons=dispensing.REASONS,
        handed_text=dispensing_reports.handed_text,
        is_open=any(view.is_open for view in views),
        key_reviews=dispensing_lists.only_one(views, PrescriptionState.SENT),
        key_hands_over=dispensing_lists.only_one(views, PrescriptionState.REVIEWED),
    )
    return Response(html, status, mimetype="text/html")
