"""The visits behind a number; every look is in the audit trail, by codes only."""

from flask import abort, render_template, request

from blueprints.reports.blueprint import (
    asked,
    bp,
    note_list,
    refuse_list,
    report_or_404,
    with_rooms,
)
from clinic import report_lists
from clinic.report_sections import STATUSES

PAGE = 75


@bp.get("/laporan/<report>/daftar")
@with_rooms
def visits(report: str):
    """As many rows as the number says, a page at a time."""
    found = report_or_404(report)
    wanted = asked(has_room=not found.is_form)
    refuse_list(wanted.period)
    place = [request.args.get(name, "") for name in ("bagian", "baris", "kolom")]
    try:
        behind = report_lists.behind(found, *place, wanted.period, wanted.room_code)
    except report_lists.NoSuchNumber:
        abort(404)
    page = min(max(request.args.get("halaman", 1, type=int), 1), 9_999)
    count = behind.count()
    note_list("list_visits", found.code, " ".join([wanted.period.code, wanted.room_code, *place]))
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
        here=dict(zip(("bagian", "baris", "kolom"), place, strict=True)),
        statuses=STATUSES,
    )
