"""What a form sends by itself while somebody types, and throwing it away."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import access
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.desk import entry_sent
from blueprints.examination.forms import version_sent
from blueprints.examination.page import chosen_entry, first_entry
from blueprints.examination.typed import keys_sent
from clinic import records, unsaved
from clinic.unsaved import AMENDMENT, SCREENING, Place
from db import utcnow
from formatting import clock_time
from models import QueueEntry, Role, Visit
from patient_forms import OTHER_PATIENT, is_for, refuse_other, writing
from sessions import csrf_token

LARGEST, MOST_FIELDS = 256 * 1024, 1000
DRAWING = timedelta(seconds=5)  # what was typed is read first, and may arrive meanwhile


@bp.post("/kunjungan/<visit>/ketikan")
@access.allow(Role.POLI, Role.HEAD, takes=LARGEST)
def keep_typed(visit: str):
    """Not a save: no version, no message, no audit entry; the author alone gets it back.

    The answer is the clinic's clock: a computer's own may be wrong.
    """
    place = _place_sent(access.visit_or_404(visit))
    if place is None:
        return _plain(OTHER_PATIENT, 409)
    typed = unsaved.Typed(
        keys_sent(request.form),
        max(0, min(request.args.get("ke", 0, int), unsaved.LAST_STEP)),
        version_sent(request.form),
        [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"],
    )
    if not typed.keys or len(typed.fields) > MOST_FIELDS:
        return _plain("Isian ini tidak dapat disimpan otomatis.", 422)
    with writing(place.entry.visit):
        unsaved.keep(access.current_actor(), place, typed)
    return _plain(clock_time(utcnow(), access.page_settings()["time_zone"]), 201)


@bp.get("/kunjungan/<visit>/ketikan")
@clinical
def typing_token(visit: str):
    """The token of the session that its author has begun since, for a form that is still open."""
    if request.args.get("penulis") != current_user.username:
        return _plain("Akun lain yang masuk di komputer ini.", 409)
    access.visit_or_404(visit)
    return _plain(csrf_token(), 200)


@bp.get("/kunjungan/<visit>/ketikan/susulan")
@clinical
def late_typed(visit: str):
    """A fragment: whether words arrived behind a page that was loaded again at once.

    Their request is under way while the new page is drawn, which so knows nothing of them.
    """
    found = access.visit_or_404(visit)
    page = request.args.get("isian", unsaved.EXAMINATION)
    if page not in unsaved.PAGES:
        abort(404)
    is_screening = page == SCREENING
    ref = request.args.get("antrean", "")
    place = Place(first_entry(found) if is_screening else _entry_or_404(found, ref), page)
    keys, at = keys_sent(request.args), _moment(request.args.get("sejak", ""))
    if not keys or not unsaved.has_later(current_user.id, place, at, keys):
        return Response(status=204)
    return render_template("examination/_late.html", address=_address(found, place))


def _entry_or_404(visit: Visit, ref: str) -> QueueEntry:
    return (chosen_entry(visit, ref) if ref else None) or abort(404)


def _moment(text: str) -> datetime:
    """What the page says of when it was drawn; anything else is now."""
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(float(text), UTC) - DRAWING
    return utcnow()


@bp.post("/kunjungan/<visit>/ketikan/buang")
@clinical
def drop_typed(visit: str):
    found = access.visit_or_404(visit)
    refuse_other(found.patient.public_id)
    place = _place_sent(found)
    with writing(found):
        if place and unsaved.drop(access.current_actor(), place, keys_sent(request.form)):
            flash("Ketikan dibuang.", "success")
    return redirect(_address(found, place), 303)


def _place_sent(visit: Visit) -> Place | None:
    """Where it was typed; None when the form was made for another visit or patient."""
    page = request.args.get("isian", unsaved.EXAMINATION)
    if page not in unsaved.PAGES:
        abort(404)
    if page == SCREENING:
        entry = first_entry(visit) if is_for(visit.patient.public_id) else None
    else:
        entry = entry_sent(visit)
    return Place(entry, page) if entry else None


def _address(visit: Visit, place: Place | None) -> str:
    """The page that it was typed on."""
    if place and place.page == SCREENING:
        return url_for("examination.vital_signs", visit=visit.public_id)
    examination = records.open_examination(place.entry) if place else None
    if examination and place.page == AMENDMENT:
        return url_for("examination.amend_page", examination=examination.public_id)
    chosen = {"antrean": place.entry.public_id} if place else {}
    return url_for("examination.visit", visit=visit.public_id, **chosen)


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
