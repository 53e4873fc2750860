"""*Tutup hari*: how the service day ends, step by step, and what it leaves unfinished."""

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy import select
from werkzeug.wrappers import Response

import access
from clinic import closing, days, unfinished
from db import db, transaction
from models import ClosingStep, Role, ServiceDay, StepName, StepState

bp = Blueprint("closing", __name__)
keepers = access.allow(Role.HEAD, Role.OPERATOR)

RECENT = 14
STEP_LABELS = {
    StepName.VISITS: "Kunjungan",
    StepName.BACKUP: "Cadangan",
    StepName.REPORT: "Rekap harian",
    StepName.OUTBOX: "Antrean kirim",
}
# Words and the kind of their mark.
STATE_LABELS = {
    StepState.WAITING: ("Menunggu", ""),
    StepState.RUNNING: ("Berjalan", "action"),
    StepState.DONE: ("Selesai", "action"),
    StepState.FAILED: ("Gagal", "danger"),
    StepState.OUTDATED: ("Perlu diulang", "warning"),
}
MUST_CONFIRM = (
    "Masih ada pasien di antrean. Beri centang bila mereka memang tidak dilayani lagi hari ini."
)


@bp.get("/tutup-hari")
@keepers
def today():
    """The newest day: its closing, or what stands in its way."""
    day = days.latest_day()
    if day is None:
        return render_template("closing/none.html")
    return _page(day)


@bp.get("/tutup-hari/<day>")
@keepers
def one_day(day: str):
    return _page(_day_or_404(day))


@bp.get("/tutup-hari/<day>/langkah")
@keepers
def steps(day: str):
    """The part of the page that follows the worker; the whole page once it has finished."""
    found = _day_or_404(day)
    if not closing.is_running(found):
        response = make_response("")
        response.headers["HX-Refresh"] = "true"
        return response
    return render_template("closing/_steps.html", **_steps(found))


@bp.post("/tutup-hari/<day>/tutup")
@keepers
def close(day: str):
    found = _day_or_404(day)
    if found.closed_at is None and closing.still_here(found) and not request.form.get("yakin"):
        return _page(found, MUST_CONFIRM, 422)
    return _done(found, closing.ask, found)


@bp.post("/tutup-hari/<day>/buka")
@keepers
def reopen(day: str):
    found = _day_or_404(day)
    return _done(found, closing.take_back, found, said="Hari ini dibuka lagi.")


@bp.post("/tutup-hari/<day>/ulangi/<name>")
@keepers
def repeat(day: str, name: str):
    found = _day_or_404(day)
    step = next((step for step in closing.steps(found) if step.name == name), None)
    if step is None:
        abort(404)
    return _done(found, closing.ask_again, step)


def _done(day: ServiceDay, act, *more: ServiceDay | ClosingStep, said: str = "") -> Response:
    try:
        with transaction():
            act(access.current_actor(), *more)
    except closing.ClosingError as refusal:
        return _page(day, str(refusal), 409)
    if said:
        flash(said, "success")
    return redirect(url_for("closing.one_day", day=day.public_id), 303)


def _day_or_404(ref: str) -> ServiceDay:
    found = db.session.scalar(select(ServiceDay).where(ServiceDay.public_id == ref))
    return found or abort(404)


def _page(day: ServiceDay, problem: str = "", status: int = 200) -> Response:
    newest = days.latest_day()
    page = render_template(
        "closing/day.html",
        problem=problem,
        still_here=closing.still_here(day),
        unfinished=unfinished.of_day(day),
        shows_patients=access.has_role(Role.HEAD),
        is_newest=newest is not None and newest.id == day.id,
        is_today=days.is_current(day.on, None),
        closes_at=closing.closing_time(),
        recent=closing.recent_days(RECENT),
        **_steps(day),
    )
    return make_response(page, status)


def _steps(day: ServiceDay) -> dict:
    return {
        "day": day,
        "steps": closing.steps(day),
        "step_labels": STEP_LABELS,
        "state_labels": STATE_LABELS,
        "is_running": closing.is_running(day),
    }
