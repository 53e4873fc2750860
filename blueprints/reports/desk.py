"""The desk of the reports: the daily ones, and a month with what is due, incomplete, locked."""

from flask import abort, flash, redirect, render_template, request, url_for

import access
from blueprints.reports.blueprint import RECAP, bp, today, with_rooms
from clinic import days, report_due, report_lists, report_locks, report_periods
from clinic.report_definitions import REPORTS
from clinic.report_periods import Period
from db import transaction
from models import Role

head_only = access.allow(Role.HEAD)


@bp.get("/laporan")
@with_rooms
def desk():
    """All reports; poli staff find what is of their rooms."""
    if access.has_role(Role.POLI):
        return render_template("reports/desk.html", recap=REPORTS[RECAP], forms=[])
    asked_for = request.args.get("bulan", "")
    month = report_periods.typed(asked_for)
    if month and month.kind == "month":
        return _page(month)
    last = report_periods.of_day(today(), "month").before  # that is due next
    return _page(last, "Tulis bulan dan tahun, misalnya 10-2026." if asked_for else "")


def _page(month: Period, problem: str = "", typed: str = "") -> str:
    setting = access.page_settings()["report_due"]
    forms = [report for report in REPORTS.values() if report.is_form]
    locks = report_locks.of_month(month.code)
    is_locked = bool(locks) and locks[0].reopened_at is None
    first = days.first_on()
    checks = is_locked and request.args.get("periksa") == "1"
    return render_template(
        "reports/desk.html",
        recap=REPORTS[RECAP],
        forms=forms,
        month=month,
        due={each.code: report_due.due_on(each.code, month.first, setting) for each in forms},
        today=today(),
        is_owed=first is not None and first <= month.last,  # nobody asks for what was before Alur
        is_over=month.last < today(),
        locks=locks,
        is_locked=is_locked,
        gaps=report_lists.gaps(REPORTS["lb1"], month),
        changed=report_locks.changed(month) if checks else None,
        problem=problem,
        typed=typed,
        is_head=access.has_role(Role.HEAD),
    )


@bp.post("/laporan/bulan/<month>/kunci")
@head_only
def lock_month(month: str):
    """Keep the month's figures as they are now."""
    period = _month_or_404(month)
    kept = report_locks.figures(period)  # before the transaction: a large month takes seconds
    try:
        with transaction():
            report_locks.lock(access.current_actor(), period, kept)
    except report_locks.LockError as problem:
        return _page(period, str(problem)), 409
    flash(f"{period.label} terkunci. Angkanya tersimpan seperti sekarang.", "success")
    return redirect(url_for("reports.desk", bulan=period.code), 303)


@bp.post("/laporan/bulan/<month>/buka")
@head_only
def reopen_month(month: str):
    """End the lock, with a reason; what was kept stays readable in the record of locks."""
    period, reason = _month_or_404(month), request.form.get("alasan", "")
    try:
        with transaction():
            report_locks.reopen(access.current_actor(), period.code, reason)
    except report_locks.LockError as problem:
        return _page(period, str(problem), reason), 422 if not reason.strip() else 409
    flash(f"Kunci {period.label} dibuka.", "success")
    return redirect(url_for("reports.desk", bulan=period.code), 303)


def _month_or_404(code: str) -> Period:
    period = report_periods.parse(code)
    if period is None or period.kind != "month":
        abort(404)
    return period
