"""The desk of the reports, and each report: on the screen, on paper, as a file."""

from flask import Response, abort, render_template
from flask_login import current_user

import access
from blueprints.reports.blueprint import (
    FORMATS,
    RECAP,
    Asked,
    asked,
    bp,
    report_or_404,
    rooms_offered,
    with_rooms,
)
from clinic import days, report_files, report_lists, report_periods, report_tables
from clinic.report_definitions import REPORTS, Report
from db import utcnow
from formatting import clock_time, day_in_zone, short_date
from models import Role


@bp.get("/laporan")
@with_rooms
def desk():
    """All reports; poli staff find the recap of their rooms."""
    is_poli = access.has_role(Role.POLI)
    this_month = report_periods.of_day(days.clinic_date(), "month")
    return render_template(
        "reports/desk.html",
        daily=[REPORTS[RECAP]],
        forms=[] if is_poli else [report for report in REPORTS.values() if report.is_form],
        month=this_month.before,
        this_month=this_month,
        today=report_periods.of_day(days.clinic_date(), "day"),
    )


@bp.get("/laporan/<report>")
@with_rooms
def report(report: str):
    """One report of a day, a month or a year, with its checks, gaps and definition."""
    found = report_or_404(report)
    wanted = _asked(found)
    return render_template(
        "reports/report.html",
        report=found,
        asked=wanted,
        tables=report_tables.fill(found.sections, wanted.period, wanted.room_code),
        gaps=report_lists.gaps(found, wanted.period, wanted.room_code),
        kinds=_kinds(wanted),
        rooms=[] if found.is_form else rooms_offered(),
        maker=current_user.display_name,
        lists=_may_list(wanted),
        measures=report_tables.MEASURES,
    )


def _asked(found: Report) -> Asked:
    return asked("month" if found.is_form else "day", has_room=not found.is_form)


def _kinds(wanted: Asked) -> list[tuple[str, str, bool]]:
    """The day, month and year around the period's first day: label, code, is it this one."""
    around = [report_periods.of_day(wanted.period.first, kind) for kind in ("day", "month", "year")]
    labels = ("Hari", "Bulan", "Tahun")
    return [
        (label, each.code, each.kind == wanted.period.kind)
        for label, each in zip(labels, around, strict=True)
    ]


def _may_list(wanted: Asked) -> bool:
    """Poli staff see the visits behind the numbers of the service day only."""
    if not access.has_role(Role.POLI):
        return True
    day = days.current_day()
    return day is not None and wanted.period.code == day.on.isoformat()


@bp.get("/laporan/<report>/unduh.<form>")
@with_rooms
def download(report: str, form: str):
    """The report as CSV or XLSX: numbers only, nobody's name."""
    found = report_or_404(report)
    if form not in FORMATS:
        abort(404)
    wanted = _asked(found)
    tables = report_tables.fill(found.sections, wanted.period, wanted.room_code)
    rows = report_files.lines(_head(found.title, wanted), tables, found.definition)
    return file_of(rows, form, f"{found.code}-{wanted.period.code}")


def _head(title: str, wanted: Asked) -> list[str]:
    known, now = access.page_settings(), utcnow()
    zone = known["time_zone"]
    room = f", {wanted.room.name}" if wanted.room else ""
    made = f"{short_date(day_in_zone(now, zone))} {clock_time(now, zone)}"
    return [known["clinic_name"], title, f"{wanted.period.label}{room}", f"Dibuat {made}"]


def file_of(rows: list[list], form: str, name: str) -> Response:
    """These rows as a file to keep."""
    make = {"csv": report_files.as_csv, "xlsx": report_files.as_xlsx}[form]
    response = Response(make(rows), mimetype=FORMATS[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
