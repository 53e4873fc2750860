"""The laboratory's page of a visit: samples and results, kept on the way, closed by "Selesai"."""

from flask import abort, flash, redirect, request, url_for

import access
from blueprints.examination import laboratory_desk, page
from blueprints.examination.blueprint import bp, clinical
from clinic import lab_entry, lab_values
from clinic.lab_orders import OrderInput
from clinic.lab_results import Refused, current_results
from clinic.queues import QueueError
from clinic.record_errors import RecordError
from db import utcnow
from formatting import clock_time
from models import LabOrder, QueueEntry, Visit
from patient_forms import OTHER_PATIENT, writing
from validators import FieldError, clean_text

LONGEST_NOTE = 2_000


@bp.get("/kunjungan/<visit>/laboratorium")
@clinical
def laboratory(visit: str):
    laboratory_desk.refuse_others()
    found = access.readable_visit(visit)
    return laboratory_desk.show(found)


@bp.post("/kunjungan/<visit>/laboratorium")
@clinical
def enter_results(visit: str):
    laboratory_desk.refuse_others()
    found = access.visit_or_404(visit)
    entered, note = laboratory_desk.entered(request.form), request.form.get("note", "").strip()
    if not access.has_record_access(found.patient):
        return laboratory_desk.only_typed(found, laboratory_desk.Typed(entered, note))
    entry = laboratory_desk.entry_of(found, request.form.get("entry", "-"))
    if entry is None or request.form.get("patient") != found.patient.public_id:
        return _again(found, 409, entered, note, problem=OTHER_PATIENT)
    if not access.may_use_room(entry.poli):
        abort(404)
    closes = request.form.get("aksi") == "selesai"
    try:
        with writing(found):
            orders = _store(entry, entered, note, closes)
    except Refused as refused:
        kept = {"problems": refused.problems, "unlikely": refused.unlikely}
        return _again(found, 422, entered, note, problem=str(refused), **kept)
    except (RecordError, QueueError) as problem:
        return _again(found, 409, entered, note, problem=str(problem))
    except FieldError as problem:
        return _again(found, 422, entered, note, problem=str(problem))
    return _go_on(found, entry, orders, closes)


@bp.post("/kunjungan/<visit>/laboratorium/tambah")
@clinical
def add_lab_tests(visit: str):
    """Tests that nobody ticked: asked for by word, or of somebody whom the counter sent here."""
    laboratory_desk.refuse_others()
    found = access.visit_or_404(visit)
    adding = {"codes": request.form.getlist("lab"), "note": request.form.get("lab_note", "")}
    entry = laboratory_desk.entry_of(found, request.form.get("entry", "-"))
    if entry is None or request.form.get("patient") != found.patient.public_id:
        return _adding_again(found, 409, adding, OTHER_PATIENT)
    if not access.may_use_room(entry.poli) or not access.has_record_access(found.patient):
        abort(404)
    try:
        with writing(found):
            wanted = OrderInput(adding["codes"], adding["note"])
            lab_entry.add_tests(access.current_actor(), entry, wanted)
    except (RecordError, QueueError, FieldError) as problem:
        return _adding_again(found, 422, adding, str(problem))
    flash("Pemeriksaan ditambahkan. Isi hasilnya di bawah.", "success")
    return redirect(url_for("examination.laboratory", visit=visit), 303)


def _adding_again(visit: Visit, status: int, adding: dict, problem: str):
    return laboratory_desk.show(visit, adding=adding | {"problem": problem}, status=status)


def _store(entry: QueueEntry, entered: dict, note: str, closes: bool) -> list[LabOrder]:
    typed = request.form.get("version", "")
    version = int(typed) if typed.isdecimal() and len(typed) < 10 else 0
    text = clean_text(note, LONGEST_NOTE, newlines=True)
    write = lab_entry.finish if closes else lab_entry.save
    return write(access.current_actor(), entry, entered, text, version)


def _again(visit: Visit, status: int, entered: dict, note: str, **problem):
    typed = laboratory_desk.Typed(entered, note, **problem)
    return laboratory_desk.show(visit, typed, status=status)


def _go_on(visit: Visit, entry: QueueEntry, orders: list[LabOrder], closes: bool):
    is_told = _tell_critical(orders)
    if not closes:
        clock = clock_time(utcnow(), access.page_settings()["time_zone"])
        others = "Hasil lain dilihat pengirim" if is_told else "Pengirim melihatnya"
        flash(f"Tersimpan pukul {clock}. {others} setelah Selesai.", "success")
        return redirect(url_for("examination.laboratory", visit=visit.public_id), 303)
    rooms = ", ".join(dict.fromkeys(order.entry.poli.name for order in orders))
    flash(f"Hasil {visit.label} {visit.patient.name} selesai untuk {rooms}.", "success")
    return redirect(page.queue_address(entry.poli), 303)


def _tell_critical(orders: list[LabOrder]) -> bool:
    """Says which senders see a critical value at once; whether there is one."""
    rooms = {order.id: order.entry.poli.name for order in orders}
    found = {
        rooms[row.order_id]
        for row in current_results(orders).values()
        if row.flag in lab_values.CRITICAL and row.read_at is None
    }
    for room in sorted(found):
        flash(f"Ada nilai kritis. Sudah tampil di antrean {room}; kabari juga langsung.", "warning")
    return bool(found)
