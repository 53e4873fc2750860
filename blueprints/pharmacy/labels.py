"""What the pharmacy prints: a label for each medicine, and the copy of what is not given here."""

from flask import render_template, request
from flask_login import current_user

import access
from blueprints.pharmacy import desk
from blueprints.pharmacy.blueprint import bp, staff
from clinic import days, dispensing_labels
from models import PrescriptionState

SIZES = {"gulungan": "Gulungan 60 x 40 mm", "lembar": "Lembar A4"}


@bp.get("/farmasi/resep/<prescription>/etiket")
@staff
def labels(prescription: str):
    found = desk.prescription_or_404(prescription)
    patient = found.visit.patient
    access.record_view("print_labels", patient, "prescription", found.public_id)
    size = request.args.get("ukuran", "gulungan")
    return render_template(
        "pharmacy/labels.html",
        prescription=found,
        visit=found.visit,
        patient=patient,
        labels=dispensing_labels.labels(found),
        pharmacist=dispensing_labels.pharmacist(found, current_user.id),
        today=days.clinic_date(found.closed_at),
        is_unreviewed=found.state is PrescriptionState.SENT,
        size=size if size in SIZES else "gulungan",
        sizes=SIZES,
    )


@bp.get("/farmasi/resep/<prescription>/salinan")
@staff
def copy(prescription: str):
    """*Salinan resep*, for another pharmacy."""
    found = desk.prescription_or_404(prescription)
    patient = found.visit.patient
    access.record_view("print_copy", patient, "prescription", found.public_id)
    return render_template(
        "pharmacy/copy.html",
        prescription=found,
        visit=found.visit,
        patient=patient,
        lines=dispensing_labels.copy_lines(found),
        today=days.clinic_date(),
    )
