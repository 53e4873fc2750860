"""The patient's immunisations: noted in a visit, ended with a reason."""

from collections.abc import Sequence
from datetime import date

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import access
from blueprints.examination import page
from blueprints.examination.blueprint import bp, clinical
from clinic import (
    allergies,
    days,
    immunization_rules,
    immunizations,
    todays_visits,
    vaccines,
)
from clinic.immunizations import Entered
from clinic.record_errors import RecordError
from formatting import short_date
from models import QueueEntry, Visit
from patient_forms import OTHER_PATIENT, is_for, writing
from validators import FieldError, Finding, parse_date

ROWS = 4
SITES = ("Paha kiri", "Paha kanan", "Lengan kiri atas", "Lengan kanan atas", "Mulut (tetes)")
COLUMNS = ("vaccine", "given_on", "batch", "site")
LONGEST = {"batch": ("Nomor batch", 40), "site": ("Tempat suntik", 40)}


@bp.get("/kunjungan/<visit>/imunisasi")
@clinical
def immunization(visit: str):
    found = access.readable_visit(visit)
    return _show(found)


@bp.post("/kunjungan/<visit>/imunisasi")
@clinical
def add_immunizations(visit: str):
    found, entry = _writable(visit)
    if not is_for(found.patient.public_id):
        return _show(found, OTHER_PATIENT, 409)
    if refusal := immunization_rules.refusal(current_user.id, entry):
        return _show(found, refusal, 409)
    given_by, reason = request.form.get("given_by", ""), request.form.get("override_reason", "")
    elsewhere = request.form.get("given_elsewhere", "")
    try:
        entered = _entered(found)
        with writing(found):
            actor = access.current_actor()
            rows = immunizations.add(actor, found, entered, given_by, reason, elsewhere)
    except immunizations.Unanswered as problem:
        return _show(found, str(problem), 422, problem.findings)
    except (RecordError, FieldError) as problem:
        return _show(found, str(problem), 422)
    told = "tercatat" if rows else "memang sudah tercatat; tidak ada yang ditambah"
    flash(f"Imunisasi {found.patient.name} {told}.", "success")
    return redirect(url_for("examination.immunization", visit=visit), 303)


@bp.post("/kunjungan/<visit>/imunisasi/<dose>/akhiri")
@clinical
def end_immunization(visit: str, dose: str):
    found, entry = _writable(visit)
    if not is_for(found.patient.public_id):
        return _show(found, OTHER_PATIENT, 409)
    if immunization_rules.not_begun(entry):
        return _show(found, immunization_rules.NOT_BEGUN, 409)
    row = immunizations.by_ref(dose)
    if row is None or row.visit.patient_id != found.patient_id:
        abort(404)
    if not immunization_rules.may_end(access.current_actor(), [row]):
        return _show(found, immunization_rules.HEAD_ENDS, 409)
    try:
        with writing(found):
            immunizations.end(access.current_actor(), row, request.form.get("reason", ""))
    except (RecordError, FieldError) as problem:
        return _show(found, str(problem), 422)
    flash("Imunisasi diakhiri; catatannya tetap ada.", "success")
    return redirect(url_for("examination.immunization", visit=visit), 303)


def _writable(ref: str) -> tuple[Visit, QueueEntry]:
    """The visit and its stay in a room of the account."""
    visit = access.readable_visit(ref)
    entry = page.chosen_entry(visit)
    return (visit, entry) if entry else abort(404)


def _rows_sent() -> list[dict[str, str]]:
    lists = [request.form.getlist(name) for name in COLUMNS]
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*lists, strict=False)][:20]


def _is_filled(row: dict[str, str], on: date) -> bool:
    """Whether anybody touched it; the visit's day stands there beforehand."""
    has_other_day = row["given_on"].strip() not in ("", short_date(on))
    return has_other_day or any(row[name].strip() for name in ("vaccine", "batch", "site"))


def _entered(visit: Visit) -> list[Entered]:
    """The rows with a vaccine. Raises FieldError with the sentence for the first wrong one."""
    found = []
    for number, row in enumerate(_rows_sent(), 1):
        if not row["vaccine"]:
            if _is_filled(row, immunizations.days_of(visit)[-1]):
                raise FieldError("ROW", f"Baris {number}: pilih vaksinnya.")
            continue
        code, _, dose = row["vaccine"].partition("-")
        if code not in vaccines.VACCINES or not dose.isdecimal() or len(dose) > 1:
            raise FieldError("ROW", f"Baris {number}: pilih vaksin di daftar.")
        for name, (label, limit) in LONGEST.items():
            if len(row[name]) > limit:
                raise FieldError("ROW", f"Baris {number}: {label} paling banyak {limit} huruf.")
        day = _day(visit, row["given_on"], number)
        found.append(Entered(code, int(dose), day, row["batch"], row["site"]))
    return found


def _day(visit: Visit, typed: str, number: int) -> date:
    on, born = immunizations.days_of(visit)[-1], visit.patient.birth_date
    try:
        day = parse_date(typed) if typed.strip() else on
    except FieldError as problem:
        raise FieldError("ROW", f"Baris {number}: {problem}") from problem
    if day > on or (born and day < born):
        is_today = on == days.clinic_date()
        last = "hari ini" if is_today else f"tanggal kunjungan ini, {short_date(on)}"
        raise FieldError("ROW", f"Baris {number}: tanggal diberikan harus antara lahir dan {last}.")
    return day


def _visit_of_today(visit: Visit) -> Visit | None:
    """The patient's visit of today in a room of the account, where this one takes nothing."""
    of_people = todays_visits.of_people(days.todays(), [visit.patient_id])
    found = [each for each in of_people.get(visit.patient_id, ()) if each.id != visit.id]
    return next((each for each in reversed(found) if page.chosen_entry(each)), None)


def _show(
    visit: Visit, problem: str = "", status: int = 200, findings: Sequence[Finding] = ()
) -> Response:
    access.record_view("view_immunizations", visit.patient, "visit", visit.public_id)
    rows, entry = immunizations.of_person(visit), page.chosen_entry(visit)
    here, held = immunizations.days_of(visit), immunizations.given(rows)
    on = here[-1]
    blank = {"vaccine": "", "given_on": short_date(on), "batch": "", "site": ""}
    sent = [row for row in _rows_sent() if _is_filled(row, on)]
    refusal = immunization_rules.refusal(current_user.id, entry) if entry else ""
    html = render_template(
        "examination/immunization.html",
        visit=visit,
        patient=visit.patient,
        entry=entry,
        writes=entry is not None and (not refusal or bool(sent)),
        refusal=refusal if refusal != problem else "",
        of_today=_visit_of_today(visit) if refusal == immunization_rules.TOO_LATE else None,
        may_end=immunization_rules.may_end(access.current_actor(), rows),
        not_begun=entry is not None and immunization_rules.not_begun(entry),
        on=visit.service_day.on,
        given_here=here,
        allergies=allergies.banner(visit.patient),
        held=[immunizations.noted(row) for row in rows if row.ended_at is None],
        ended=[immunizations.noted(row) for row in rows if row.ended_at],
        due=vaccines.due(held, visit.patient.birth_date, on),
        unrecorded=vaccines.unrecorded(held),
        options=_options(),
        sites=SITES,
        rows=[*sent, *[blank] * max(ROWS - len(sent), 1)],
        given_by=request.form.get("given_by", current_user.display_name),
        given_elsewhere=request.form.get("given_elsewhere", ""),
        reason=request.form.get("override_reason", ""),
        problem=problem,
        findings=findings,
    )
    return Response(html, status, mimetype="text/html")


def _options() -> dict[str, str]:
    return {
        f"{vaccine.code}-{dose.number}": vaccines.name(vaccine.code, dose.number)
        for vaccine in vaccines.VACCINES.values()
        for dose in vaccine.doses
    }
