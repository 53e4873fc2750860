"""Each report: on the screen, on paper, as a file. A locked month is shown as it was locked."""

from flask import abort, render_template
from flask_login import current_user

import access
from blueprints.reports.blueprint import (
    FORMATS,
    Asked,
    aside,
    asked,
    bp,
    file_of,
    may_list,
    report_or_404,
    rooms_offered,
    with_rooms,
)
from clinic import (
    report_days,
    report_files,
    report_lists,
    report_locks,
    report_periods,
    report_tables,
)
from clinic.report_definitions import Report


@bp.get("/laporan/<report>")
@with_rooms
def report(report: str):
    """One report of a day, a month or a year, with its checks, gaps and definition."""
    found = report_or_404(report)
    wanted = _asked(found)
    period, room = wanted.period, wanted.room_code
    shown, gaps = aside(
        period,
        lambda: (
            report_locks.shown(found, period, room),
            report_lists.gaps(found, period, room),
        ),
    )
    is_days_recap = not found.is_form and period.kind == "day" and not room
    return render_template(
        "reports/report.html",
        report=found,
        asked=wanted,
        shown=shown,
        gaps=gaps,
        kept=report_days.compared(period, shown.tables, gaps) if is_days_recap else None,
        kinds=_kinds(wanted),
        rooms=[] if found.is_form else rooms_offered(),
        maker=current_user.display_name,
        lists=may_list(period),
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


@bp.get("/laporan/<report>/unduh.<form>")
@with_rooms
def download(report: str, form: str):
    """The report as CSV or XLSX: numbers only, nobody's name."""
    found = report_or_404(report)
    if form not in FORMATS:
        abort(404)
    wanted = _asked(found)
    period, room = wanted.period, wanted.room_code
    shown = aside(period, lambda: report_locks.shown(found, period, room))
    head = _head(found.title, wanted, shown)
    rows = report_files.lines(head, shown.tables, found.definition)
    return file_of(rows, form, f"{found.code}-{wanted.period.code}")


def _head(title: str, wanted: Asked, shown: report_locks.Shown) -> list[str]:
    room = f", {wanted.room.name}" if wanted.room else ""
    locked_at = shown.lock.locked_at if shown.lock else None
    about = f"{wanted.period.label}{room}"
    return report_files.head(access.page_settings(), title, about, locked_at)
