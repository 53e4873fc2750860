"""After the save: the ticket, and corrections with a reason."""

from collections.abc import Mapping
from functools import partial

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

import access
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.correction_form import (
    ENTER,
    LONGEST_REASON,
    MIN_REASON,
    PRESS_ONE,
    CorrectionForm,
    is_of,
    is_typed_elsewhere,
    meant_by_enter,
)
from clinic import (
    audit,
    consents,
    corrections,
    days,
    households,
    papers,
    patients,
    queues,
    search,
    todays_visits,
    typed_search,
    visit_cluster,
    withdrawals,
    wrong_patient,
)
from clinic.counter_notes import counter_notes
from clinic.queue_steps import QueueError
from db import db, transaction
from formatting import CLUSTER_LABELS
from models import Patient, QueueEntry, Role, Visit
from patient_forms import OTHER_PATIENT, OtherPatient
from validators import FieldError, clean_name, clean_text

SAVED = ("Pembetulan tersimpan.", "success")
WITHDRAWN = "Kunjungan {label} dibatalkan; tidak lagi di antrean. Tidak ada yang terhapus."
NO_WITHDRAWAL_REASON = "Tulis alasan membatalkan, misalnya: terdaftar dua kali."
SAME = ("Tidak ada yang berubah: isiannya sama dengan yang tersimpan.", "info")
NOT_SAVED_YET = (
    "Pembetulan yang Anda ketik belum disimpan. Cocokkan dengan pasien ini, lalu simpan."
)
MOVES = ("ganti_pasien", "pasien_baru")
correcting = access.allow(Role.REGISTRATION, Role.RECORDS, Role.HEAD)


@bp.get("/pendaftaran/tiket/<visit>")
@counter
def ticket(visit):
    found = access.visit_or_404(visit)
    goes_on = days.goes_on(found.service_day)
    if found.registered_by_id != current_user.id or not goes_on:  # else the save says it
        access.record_view("view_identity", found.patient, "visit", found.public_id)
    entries = db.session.scalars(
        select(QueueEntry)
        .where(QueueEntry.visit_id == found.id)
        .options(joinedload(QueueEntry.poli))
        .order_by(QueueEntry.id)
    )
    return render_template(
        "registration/ticket.html",
        visit=found,
        patient=found.patient,
        entries=[(entry, queues.people_before(entry)) for entry in todays_visits.standing(entries)],
        goes_on=goes_on,
        ended=corrections.ended(found),
        cluster=CLUSTER_LABELS[found.cluster],
        counted_in=visit_cluster.room_of(found),
        household=patients.household_members(found.patient),
        kin=households.kin_with_mother(found.patient, days.clinic_date()),
        consent=consents.current(found.patient),
    )


@bp.get("/pendaftaran/kunjungan/<visit>/ubah")
@correcting
def correct(visit):
    found = access.visit_or_404(visit)
    form = CorrectionForm.of(found)
    chosen = request.args.get("pasien", "")
    picked = access.patient_or_404(chosen) if chosen else None
    return _correction_page(found, form, picked=picked)


@bp.post("/pendaftaran/kunjungan/<visit>/ubah")
@correcting
def correct_post(visit):
    found = access.visit_or_404(visit)
    action = request.form.get("aksi", "ubah")
    action = meant_by_enter() if action == ENTER else action
    form = CorrectionForm.typed(found)
    if action in MOVES:
        return _move(found, form, is_new=action == "pasien_baru")
    if not is_of(found):
        return make_response(_correction_page(found, form, problem=OTHER_PATIENT), 409)
    if action == "cari":
        return _correction_page(found, form, q=request.form.get("q", ""))
    if action == ENTER:
        return make_response(_correction_page(found, form, problem=PRESS_ONE), 422)
    if action == "batalkan":
        return _withdraw(found, form)
    if not form.validate():
        return make_response(_correction_page(found, form), 422)
    changes = {
        "payer": form.payer.data,
        "bpjs_number": form.bpjs_number.cleaned,
        "bpjs_home": form.bpjs_home.data if form.payer.data.startswith("JKN") else "",
        "complaint": form.complaint.cleaned,
    }

    def change(actor: audit.Actor, visit: Visit) -> list[str]:
        if not is_of(visit):  # moved this very moment
            raise OtherPatient
        read = request.form.get("dibaca", "").split()
        said = {"read": read, "shown": CorrectionForm.shown()}
        said["in_record"] = form.juga_pasien.data
        return corrections.correct_visit(actor, visit, changes, form.alasan.cleaned, **said)

    return _carry_out(found, change, form)


def _withdraw(found: Visit, form: CorrectionForm):
    """The registration is taken back, as long as no room has begun with it."""
    if not access.has_role(Role.REGISTRATION, Role.HEAD):
        abort(403)
    try:
        reason = clean_text(request.form.get("alasan_batal", ""), LONGEST_REASON)
        if len(reason) < MIN_REASON:
            raise FieldError("alasan_batal", NO_WITHDRAWAL_REASON)
        with transaction():
            withdrawals.withdraw(
                access.current_actor(), access.visit_or_404(found.public_id), reason
            )
    except (FieldError, QueueError) as problem:
        found = access.visit_or_404(found.public_id)
        said = {"problem": str(problem)}
        if isinstance(problem, FieldError):
            said["field"] = "alasan_batal"
        page = _correction_page(found, form, **said)
        return make_response(page, 422 if "field" in said else 409)
    flash(WITHDRAWN.format(label=found.label), "success")
    return redirect(_after(access.visit_or_404(found.public_id)), 303)


def _move(found: Visit, form: CorrectionForm, *, is_new: bool):
    """To the patient who was picked, or to somebody who has no record yet."""
    picked = patients.by_ref(request.form.get("patient", ""))
    try:
        change = _change(None if is_new else picked, is_new=is_new)
    except FieldError as wrong:
        said = {"problem": str(wrong), "field": wrong.rule, "picked": picked}
        return make_response(_correction_page(found, form, **said), 422)
    return _carry_out(found, change, form, picked=picked, is_move=True, is_new=is_new)


def _change(picked: Patient | None, *, is_new: bool):
    """The move that was asked for. Raises FieldError at the field where something is missing."""
    typed = {name: request.form.get(name, "").strip() for name in ("alasan_pasien", "name", "sex")}
    if is_new and typed["sex"] not in ("L", "P"):
        raise FieldError("sex", "Pilih jenis kelamin pasien yang benar.")
    if not is_new and picked is None:
        raise FieldError("q", "Pilih dulu pasien yang benar.")
    name = _cleaned("name", clean_name, typed["name"]) if is_new else ""
    why = "alasan_baru" if is_new else "alasan_pasien"
    reason = request.form.get(why, typed["alasan_pasien"]).strip()
    reason = _cleaned(why, clean_text, reason, LONGEST_REASON)
    if len(reason) < MIN_REASON:
        raise FieldError(why, "Tulis alasan mengganti pasien, beberapa kata saja.")
    said = {"reason": reason, "was": request.form.get("dari", "")}
    if is_new:
        return partial(wrong_patient.reassign_to_new, name=name, sex=typed["sex"], **said)
    read = request.form.get("dibaca", "").split()
    return partial(wrong_patient.reassign, patient=picked, read=read, **said)


def _cleaned(field: str, clean, *typed) -> str:
    try:
        return clean(*typed)
    except FieldError as wrong:
        raise FieldError(field, str(wrong)) from wrong


def _carry_out(
    found: Visit,
    change,
    form: CorrectionForm,
    *,
    picked: Patient | None = None,
    is_move: bool = False,
    is_new: bool = False,
):
    ref = found.public_id
    try:
        with transaction():
            changed = change(access.current_actor(), access.visit_or_404(ref))
    except corrections.Overtaken as overtaken:
        found = access.visit_or_404(ref)
        form.meet(found, overtaken)
        return make_response(_correction_page(found, form, shown={}), 409)
    except corrections.CorrectionError as refused:
        found, warnings = access.visit_or_404(ref), getattr(refused, "warnings", ())
        said = {"problem": str(refused), "warnings": warnings, "of_move": is_move}
        page = _correction_page(found, form, picked=picked, **said)
        return make_response(page, 422 if warnings else 409)
    flash(*(SAME if changed == [] else SAVED))  # a move tells no list
    found = access.visit_or_404(ref)
    if corrections.OF_PAYMENT & set(changed or ()):
        for sentence in corrections.payer_notes(found):
            flash(sentence, "info")
    if not is_move and is_typed_elsewhere():
        return _correction_page(found, CorrectionForm.of(found), shown={})
    if is_move and form.is_begun():
        flash(NOT_SAVED_YET, "warning")
        return _correction_page(found, form.beside(found), shown={}, typed={}, is_new=is_new)
    return redirect(_after(found, is_new=is_new), 303)


def _after(visit: Visit, *, is_new: bool = False) -> str:
    """The ticket, or the record for who has no ticket; of a new person the identity to fill in."""
    if access.has_role(Role.RECORDS):
        end = "registration.correct_identity" if is_new else "patients.record"
        return url_for(end, patient=visit.patient.public_id)
    end = "registration.identity" if is_new else "registration.ticket"
    return url_for(end, visit=visit.public_id)


def _correction_page(
    visit: Visit,
    form: CorrectionForm,
    *,
    q: str | None = None,
    picked: Patient | None = None,
    problem: str = "",
    field: str = "",
    warnings=(),
    of_move: bool = False,
    shown: dict[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    is_new: bool = False,
) -> str:
    """The page with all that was typed on it; `q` is a search begun now, else the last stands."""
    access.record_view("view_identity", visit.patient, "visit", visit.public_id)
    is_examined = wrong_patient.is_examined(visit)
    is_keeper = access.has_role(*wrong_patient.KEEPERS)
    is_at_counter = access.has_role(Role.REGISTRATION, Role.HEAD)
    ended = corrections.ended(visit)
    now = {name: getattr(visit, name) or "" for name in CorrectionForm.CHANGED}
    typed = request.form if typed is None else typed
    if q is None and picked is None and "dari" in typed:
        picked = patients.by_ref(typed.get("patient", ""))
    q = typed.get("dicari", "") if q is None else q
    candidates = search.find(q)
    if picked and all(each.patient.id != picked.id for each in candidates):
        candidates = [search.Found(picked, None), *candidates]
    return render_template(
        "registration/correct.html",
        notes=counter_notes(visit, of_identity=True),
        visit=visit,
        patient=visit.patient,
        form=form,
        shown=now | (CorrectionForm.shown() if shown is None else shown),
        candidates=candidates,
        picked=picked,
        q=q,
        length_note=typed_search.length_note(q),
        reading=typed_search.reading_note(q, None, days.clinic_date(), candidates),
        problem=problem,
        field=field,
        warnings=warnings,
        of_move=of_move,
        back=_after(visit, is_new=is_new),
        is_examined=is_examined,
        may_move=is_keeper or not (is_examined or ended),
        may_withdraw=is_at_counter and withdrawals.may_withdraw(visit),
        papers=papers.of_visit(visit) if is_keeper else [],
        ended=ended,
        again=url_for("registration.room", visit=visit.public_id) if is_at_counter else "",
        typed=typed,
        today=days.clinic_date(),
    )
