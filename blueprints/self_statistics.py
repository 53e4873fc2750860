"""Statistics of Alur about itself: no patient stands on them."""

from datetime import date

from flask import Blueprint, render_template, request

import access
from clinic import days, self_statistics
from models import Role
from validators import FieldError, parse_date

bp = Blueprint("self_statistics", __name__)


@bp.get("/statistik")
@access.allow(Role.HEAD, Role.RECORDS, Role.OPERATOR)
def page():
    kind = request.args.get("per", "minggu")
    kind = kind if kind in self_statistics.KINDS else "minggu"
    until = _day(request.args.get("sampai", ""))
    rows = self_statistics.overview(self_statistics.periods(kind, until))
    newest = rows[0].period
    return render_template(
        "self_statistics/page.html",
        kinds=self_statistics.KINDS,
        kind=kind,
        until=until,
        rows=rows,
        period=newest,
        waits=self_statistics.waits(newest),
        overridden=self_statistics.overridden(newest),
    )


def _day(typed: str) -> date:
    """The day asked for; today where it is none, or has not come yet."""
    today = days.clinic_date()
    try:
        return min(parse_date(typed), today)
    except FieldError:
        return today
