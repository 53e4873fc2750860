"""Visits of a day to copy by hand: the register book of a room, and what goes into P-Care."""

from flask import abort, flash, redirect, render_template, request, url_for

import access
from blueprints.reports.blueprint import (
    FORMATS,
    Asked,
    asked,
    bp,
    file_of,
    note_list,
    refuse_list,
    rooms_offered,
    staff,
    with_rooms,
)
from clinic import report_periods, report_registers
from clinic.report_registers import Line
from formatting import PAYER_LABELS, age_text
from models import PoliKind, Visit
from patient_forms import refuse_other, writing

THERAPY = "Terapi"
ONE_DAY = "Buku ini per hari. Tulis satu hari, misalnya 21-11-2026."
# What stands in the column of therapies.
DONE_THERE = {PoliKind.PHARMACY: "Obat", PoliKind.LABORATORY: "Hasil"}
HEADINGS = ("No.", "Antrean", "No. RM", "Nama", "L/P", "Umur", "Alamat", "Penjamin", "B/L")
HEADINGS += ("Keluhan", "Diagnosis", THERAPY, "Tindak lanjut")
OF_PCARE = ("No.", "Antrean", "No. RM", "Nama", "L/P", "Umur", "Nomor kartu", "Ruang")
OF_PCARE += ("Diagnosis", "Terapi", "Status pulang", "P-Care")


def _asked_day() -> Asked:
    wanted = asked("day")
    refuse_list(wanted.period)
    return wanted


@bp.get("/laporan/register")
@with_rooms
def register():
    """Who was in the room that day; without a room it asks which."""
    wanted = _asked_day()
    lines = _register(wanted)
    return render_template(
        "reports/register.html",
        asked=wanted,
        rooms=rooms_offered(),
        lines=lines,
        done_there=_done_there(wanted),
        problem=_problem(wanted),
    )


def _done_there(wanted: Asked) -> str:
    return DONE_THERE.get(report_registers.kind_of(wanted.room_code), THERAPY)


def _register(wanted: Asked) -> list[Line]:
    if wanted.room is None or wanted.period.kind != "day":
        return []
    # Noted first: what was read before a commit is read anew, row by row.
    note_list("list_visits", "register", f"{wanted.period.code} {wanted.room.code}")
    return report_registers.register(wanted.period, wanted.room.code)


def _problem(wanted: Asked) -> str:
    return wanted.problem or (ONE_DAY if wanted.period.kind != "day" else "")


@bp.get("/laporan/register/unduh.<form>")
@staff
def register_file(form: str):
    """The register book as a file; it holds names, so the download is noted."""
    wanted = _asked_day()
    if form not in FORMATS or wanted.room is None or wanted.period.kind != "day":
        abort(404)
    note_list("export_visits", "register", f"{wanted.period.code} {wanted.room.code}")
    lines = report_registers.register(wanted.period, wanted.room.code)
    headings = [_done_there(wanted) if each == THERAPY else each for each in HEADINGS]
    rows = [headings, *(_cells(place, line) for place, line in enumerate(lines, 1))]
    return file_of(rows, form, f"register-{wanted.room.code}-{wanted.period.code}")


def _cells(place: int, line: Line) -> list[str | int]:
    visit = line.visit
    address = ", ".join(filter(None, [visit.patient.address, visit.village]))
    return [
        *(*_person(place, visit), address),
        PAYER_LABELS.get(visit.payer, visit.payer),
        "B" if visit.is_new_patient else "L",
        visit.complaint,
        *("; ".join(part) for part in (line.diagnoses, line.therapies, line.dispositions)),
    ]


def _person(place: int, visit: Visit) -> list[str | int]:
    person = visit.patient
    is_estimated = person.birth_precision != "day"
    age = age_text(person.birth_date, visit.service_day.on, is_estimated, visit.age_days)
    return [place, visit.label, person.mrn, person.name, person.sex, age]


@bp.get("/laporan/pcare")
@with_rooms
def pcare():
    """BPJS members of the day, with what P-Care asks for, and who has typed them already."""
    wanted = _asked_day()
    is_day = wanted.period.kind == "day"
    note_list("list_visits", "pcare", f"{wanted.period.code} {wanted.room_code}".strip())
    lines = report_registers.for_pcare(wanted.period, wanted.room_code) if is_day else []
    return render_template(
        "reports/pcare.html",
        asked=wanted,
        rooms=rooms_offered(),
        lines=lines,
        left=sum(line.mark is None for line in lines),
        problem=_problem(wanted),
    )


@bp.get("/laporan/pcare/unduh.<form>")
@with_rooms
def pcare_file(form: str):
    """The same as a file, noted as an export."""
    wanted = _asked_day()
    if form not in FORMATS or wanted.period.kind != "day":
        abort(404)
    codes = [wanted.period.code, *filter(None, [wanted.room_code])]
    note_list("export_visits", "pcare", " ".join(codes))
    lines = report_registers.for_pcare(wanted.period, wanted.room_code)
    rows = [OF_PCARE, *(_pcare_cells(place, line) for place, line in enumerate(lines, 1))]
    return file_of(rows, form, "-".join(["pcare", *codes]))


def _pcare_cells(place: int, line: Line) -> list[str | int]:
    parts = (line.rooms, line.diagnoses, line.therapies, line.dispositions)
    return [
        *_person(place, line.visit),
        line.visit.bpjs_number or "",
        *("; ".join(part) for part in parts),
        "sudah diketik" if line.mark else "",
    ]


@bp.post("/laporan/pcare/<visit>")
@with_rooms
def mark_pcare(visit: str):
    """Typed into P-Care, or taken back."""
    found = access.visit_or_404(visit)
    refuse_other(found.patient.public_id)
    period = report_periods.of_day(found.service_day.on, "day")
    refuse_list(period)
    back = url_for("reports.pcare", periode=period.code, ruang=request.form.get("ruang") or None)
    is_typed = request.form.get("aksi") != "urungkan"
    try:
        with writing(found):
            report_registers.mark(access.current_actor(), found, is_typed=is_typed)
    except report_registers.MarkError as problem:
        flash(str(problem), "warning")
    return redirect(f"{back}#v-{visit}", 303)
