"""Labels on a 58 mm roll: the patient's for the map, and one a group of tests for the samples."""

from flask import abort, render_template, url_for

import access
from blueprints.papers.blueprint import bp
from clinic import barcode, lab_orders
from models import LabOrderTest, Role, Visit

SAMPLES = "Label sampel"


@bp.get("/kunjungan/<visit>/label")
@access.allow(Role.REGISTRATION, Role.POLI, Role.RECORDS, Role.HEAD)
def patient_label(visit: str):
    """Identity only: the counter sticks it on the map."""
    found = access.visit_or_404(visit)
    return _page(found, [], "Label pasien")


@bp.get("/kunjungan/<visit>/label-lab")
@access.allow(Role.POLI, Role.HEAD)
def sample_labels(visit: str):
    """One label for each group of tests that the laboratory still has to do."""
    if not access.works_in_laboratory():
        abort(404)
    found = access.readable_visit(visit)
    groups: dict[str, list[LabOrderTest]] = {}
    for order in lab_orders.open_orders(found):
        for item in lab_orders.asked(order):
            groups.setdefault(item.test.group, []).append(item)
    return _page(found, list(groups.items()), SAMPLES)


def _page(visit: Visit, groups: list[tuple[str, list[LabOrderTest]]], title: str) -> str:
    access.record_view("print_label", visit.patient, "visit", visit.public_id)
    return render_template(
        "papers/labels.html",
        visit=visit,
        patient=visit.patient,
        title=title,
        is_sample=title == SAMPLES,
        groups=groups,
        code=barcode.code39(visit.patient.mrn),
        back=_back(visit, title),
    )


def _back(visit: Visit, title: str) -> tuple[str, str]:
    """Where the label belongs, for who prints it."""
    if title == SAMPLES:
        place, words = "examination.laboratory", "Kembali ke laboratorium"
    elif access.has_role(Role.REGISTRATION):
        place, words = "registration.ticket", "Kembali ke tiket"
    else:
        place, words = "examination.visit", "Kembali ke kunjungan"
    return url_for(place, visit=visit.public_id), words
