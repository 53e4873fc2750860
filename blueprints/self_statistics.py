"""Statistics of Alur about itself: no patient stands on them."""

from datetime import date

from flask import Blueprint, Response, render_template, request

import access
import navigation
from clinic import days, internet, report_files, self_statistics, settings
from models import Role
from validators import FieldError, parse_date

bp = Blueprint("self_statistics", __name__)


@bp.get("/statistik")
@access.allow(Role.HEAD, Role.RECORDS, Role.OPERATOR)
def page():
    kind, until, periods = _asked()
    rows = self_statistics.overview(periods)
    newest = periods[0]
    is_records_tab = navigation.is_records_tab()
    return render_template(
        "self_statistics/page.html",
        desk="records" if is_records_tab else "system",
        tabs=navigation.records_tabs() if is_records_tab else navigation.system_tabs(),
        kinds=self_statistics.KINDS,
        kind=kind,
        until=until,
        rows=rows,
        period=newest,
        waits=self_statistics.waits(newest),
        overridden=self_statistics.overridden(newest),
        internet=internet.measured(periods[-1].first, newest.last),
        target=settings.value("internet_target"),
    )


@bp.get("/statistik/internet.csv")
@access.allow(Role.HEAD, Role.RECORDS, Role.OPERATOR)
def internet_file():
    """Each measured hour of the periods on the page."""
    _, _, periods = _asked()
    found = internet.measured(periods[-1].first, periods[0].last)
    rows = [["Tanggal", "Jam", "Detik diukur", "Detik tanpa internet"]]
    rows += [
        [day.isoformat(), f"{hour:02}.00", known, found.out[day, hour]]
        for (day, hour), known in sorted(found.known.items())
    ]
    response = Response(report_files.as_csv(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="internet.csv"'
    return response


def _asked() -> tuple[str, date, list[self_statistics.Period]]:
    """What the address asks for: kind of period, the last day, the periods."""
    kind = request.args.get("per", "minggu")
    kind = kind if kind in self_statistics.KINDS else "minggu"
    until = _day(request.args.get("sampai", ""))
    return kind, until, self_statistics.periods(kind, until)


def _day(typed: str) -> date:
    """The day asked for, or the nearest there can be; today where it is none."""
    today = days.clinic_date()
    try:
        return max(self_statistics.EARLIEST, min(parse_date(typed), today))
    except FieldError:
        return today
