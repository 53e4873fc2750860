"""How good the register is: figures for the head, with what each of them means."""

from datetime import date

from flask import render_template, request

from blueprints.records.blueprint import bp, staff
from clinic import data_quality, days
from validators import NO_NIK_REASONS

PERIODS = {"tahun": "Tahun ini", "bulan": "Bulan ini", "semua": "Sejak awal"}


@bp.get("/rekam-medis/mutu")
@staff
def quality():
    """Shares without NIK, pairs and how long they waited, merges, imports."""
    period = request.args.get("masa", "tahun")
    period = period if period in PERIODS else "tahun"
    return render_template(
        "records/quality.html",
        figures=data_quality.figures(_begin(period)),
        reasons=NO_NIK_REASONS,
        periods=PERIODS,
        period=period,
    )


def _begin(period: str) -> date | None:
    today = days.clinic_date()
    first_day = {"tahun": today.replace(month=1, day=1), "bulan": today.replace(day=1)}
    return first_day.get(period)
