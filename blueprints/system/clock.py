"""The server's clock: what it says, and the true time as somebody reads it from a watch.

Whoever stands at the counter may mend it: care must not wait for an IT person.
"""

from datetime import datetime

from flask import flash, redirect, render_template, request

import access
import timekeeping
from blueprints.system.desk import bp
from clinic import clock as clinic_clock
from clinic.clock import Verdict
from db import transaction, utcnow
from formatting import clock_time, day_in_zone, long_date
from kept_forms import carried_fields, known_path
from models import Role
from wrong_clock import ClockForm, page

MENDED = "Alur memakai {day}, pukul {time}."
FROM_THE_FUTURE = (
    " Hari layanan {day} dibuka saat jam salah: antrean dan nomornya dipakai sampai hari ini usai."
)
RESEND = "Jam sudah benar, tetapi isian tadi belum disimpan."


@bp.get("/sistem/jam")
@access.allow(Role.HEAD, Role.OPERATOR, Role.REGISTRATION)
def clock():
    """What the clock says now; the same page stands everywhere while it is wrong."""
    return page(ClockForm(), "", [])


@bp.post("/sistem/jam")
@access.allow(Role.HEAD, Role.OPERATOR, Role.REGISTRATION)
def set_clock():
    """The computer's clock is right, or the time that Alur went on with, or what was typed."""
    form, judged, at = ClockForm(request.form), clinic_clock.judge(), None
    goes_on, resend = request.form.get("lanjut", ""), carried_fields()
    # Shown while it was wrong, sent when a colleague had mended it: nothing left to do.
    if judged.verdict is not Verdict.RIGHT or "salah" not in request.form:
        does = request.form.get("aksi")
        if does == "lanjut":
            at = judged.known.expected
        elif does != "benar":
            at = form.instant(judged)
        if at is None and (does != "benar" or judged.verdict is Verdict.IMPOSSIBLE):
            return page(form, goes_on, resend)
        _set(at)
    if resend and known_path(goes_on, "POST"):
        return render_template("auth/resend.html", path=goes_on, fields=resend, problem=RESEND)
    return redirect(known_path(goes_on, "GET") or "/", 303)


def _set(at: datetime | None) -> None:
    try:
        with transaction():
            day = clinic_clock.set_time(access.current_actor(), at)
            day_on = day.on if day else None
    except BaseException:
        timekeeping.forget()
        raise
    zone, now = access.page_settings()["time_zone"], utcnow()
    text = MENDED.format(day=long_date(day_in_zone(now, zone)), time=clock_time(now, zone))
    if day_on and day_on > day_in_zone(now, zone):
        text += FROM_THE_FUTURE.format(day=long_date(day_on))
    flash(text, "success")
