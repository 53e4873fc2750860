"""What the examination's form sends by itself while somebody types, and throwing it away."""

from flask import flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import access
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.desk import entry_sent
from blueprints.examination.forms import version_sent
from blueprints.examination.typed import keys_sent
from clinic import unsaved
from db import transaction
from models import Role
from patient_forms import OTHER_PATIENT, refuse_other
from sessions import csrf_token

LARGEST, MOST_FIELDS = 256 * 1024, 1000
LARGEST_STEP = 2**31


@bp.post("/kunjungan/<visit>/ketikan")
@access.allow(Role.POLI, Role.HEAD, takes=LARGEST)
def keep_typed(visit: str):
    """Not a save: no version, no message, no audit entry; the author alone gets it back."""
    found = access.visit_or_404(visit)
    entry = entry_sent(found)
    if entry is None:
        return _plain(OTHER_PATIENT, 409)
    typed = unsaved.Typed(
        keys_sent(request.form),
        min(request.args.get("ke", 0, int), LARGEST_STEP - 1),
        version_sent(request.form),
        [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"],
    )
    if not typed.keys or len(typed.fields) > MOST_FIELDS:
        return _plain("Isian ini tidak dapat disimpan otomatis.", 422)
    with transaction():
        unsaved.keep(access.current_actor(), entry, typed)
    return Response(status=204)


@bp.get("/kunjungan/<visit>/ketikan")
@clinical
def typing_token(visit: str):
    """The token of the session that its author has begun since, for a form that is still open."""
    if request.args.get("penulis") != current_user.username:
        return _plain("Akun lain yang masuk di komputer ini.", 409)
    access.visit_or_404(visit)
    return _plain(csrf_token(), 200)


@bp.post("/kunjungan/<visit>/ketikan/buang")
@clinical
def drop_typed(visit: str):
    found = access.visit_or_404(visit)
    refuse_other(found.patient.public_id)
    entry = entry_sent(found)
    with transaction():
        if entry and unsaved.drop(access.current_actor(), entry, keys_sent(request.form)):
            flash("Ketikan dibuang.", "success")
    chosen = {"antrean": entry.public_id} if entry else {}
    return redirect(url_for("examination.visit", visit=visit, **chosen), 303)


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
