"""The visits behind a number; every look is in the audit trail, by codes only."""

from flask import abort, flash, redirect, render_template, request, url_for

from blueprints.reports.blueprint import (
    FORMATS,
    Asked,
    aside,
    asked,
    bp,
    file_of,
    note_list,
    refuse_list,
    report_or_404,
    with_rooms,
)
from clinic import report_lists, report_locks
from clinic.report_definitions import Report
from clinic.report_lists import Behind, Line
from clinic.report_sections import STATUSES
from formatting import PAYER_LABELS, age_text, short_date

PAGE, MOST = 75, 20_000  # rows of a page; of a file
PLACE = ("bagian", "baris", "kolom")
HEADINGS = ("No.", "Tanggal", "Antrean", "No. RM", "Nama", "L/P", "Umur", "Penjamin")


def _asked(report: str) -> tuple[Report, Asked, dict[str, str], Behind]:
    """The report, its period and room, the number's place in it, and what stands behind it."""
    found = report_or_404(report)
    wanted = asked(has_room=not found.is_form)
    refuse_list(wanted.period)
    place = {name: request.args.get(name, "") for name in PLACE}
    try:
        behind = report_lists.behind(found, *place.values(), wanted.period, wanted.room_code)
    except report_lists.NoSuchNumber:
        abort(404)
    return found, wanted, place, behind


def _note(action: str, found: Report, wanted: Asked, place: dict[str, str]) -> None:
    codes = [wanted.period.code, wanted.room_code, *place.values()]
    note_list(action, found.code, " ".join(codes))


@bp.get("/laporan/<report>/daftar")
@with_rooms
def visits(report: str):
    """As many rows as the number says, a page at a time."""
    found, wanted, place, behind = _asked(report)
    page = min(max(request.args.get("halaman", 1, type=int), 1), 9_999)
    count = behind.count()
    _note("list_visits", found, wanted, place)
    return render_template(
        "reports/list.html",
        report=found,
        asked=wanted,
        behind=behind,
        count=count,
        lines=behind.lines(PAGE, (page - 1) * PAGE),
        first=(page - 1) * PAGE + 1,
        page=page,
        pages=-(-count // PAGE),
        here=place,
        statuses=STATUSES,
        lock=report_locks.of_report(found, wanted.period),
    )


@bp.get("/laporan/<report>/daftar.<form>")
@with_rooms
def visits_file(report: str, form: str):
    """All of them as a file, which holds names: noted as an export."""
    found, wanted, place, behind = _asked(report)
    if form not in FORMATS:
        abort(404)
    lines = aside(wanted.period, lambda: behind.lines(MOST + 1))
    if len(lines) > MOST:
        flash("Terlalu banyak untuk satu berkas. Pilih bulan atau angka yang lebih kecil.", "error")
        return redirect(url_for("reports.visits", report=report, **wanted.args, **place), 303)
    _note("export_visits", found, wanted, place)
    head = [*HEADINGS, *behind.fact.details, "Keadaan"]
    rows = [head, *(_cells(number, line) for number, line in enumerate(lines, 1))]
    return file_of(rows, form, f"{found.code}-daftar-{wanted.period.code}")


def _cells(number: int, line: Line) -> list[str | int]:
    return [
        *(number, short_date(line.on), line.label, line.mrn, line.name, line.sex),
        age_text(line.birth_date, line.on, line.birth_precision != "day", line.age_days),
        PAYER_LABELS.get(line.payer, line.payer),
        *("" if detail is None else str(detail) for detail in line.details),
        STATUSES.get(line.status, line.status),
    ]
