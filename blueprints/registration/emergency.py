"""Emergency first, identity later: two fields and the patient stands in the UGD's queue."""

from flask import make_response, redirect, render_template, request, url_for
from wtforms import Form, StringField
from wtforms.fields.choices import RadioField

import access
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.forms import choices, text
from clinic.emergency import register_emergency
from clinic.registration import RegistrationError
from db import new_public_id, transaction


class EmergencyForm(Form):
    name = StringField("Nama atau ciri-ciri", [text(100)])
    sex = RadioField("Jenis kelamin", choices=choices({"L": "Laki-laki", "P": "Perempuan"}))
    complaint = StringField("Keadaannya", [text(500)])


@bp.get("/pendaftaran/gawat")
@counter
def emergency():
    return _page(EmergencyForm(), new_public_id())


@bp.post("/pendaftaran/gawat")
@counter
def emergency_post():
    form = EmergencyForm(request.form)
    key = request.form.get("draft", "")
    if not form.validate() or len(key) != 36:
        return make_response(_page(form, key if len(key) == 36 else new_public_id()), 422)
    try:
        with transaction():
            visit = register_emergency(
                access.current_actor(),
                key,
                form.name.cleaned or "",
                form.sex.data,
                form.complaint.cleaned or "",
            )
            ref = visit.public_id
    except RegistrationError as refused:
        form.form_errors.append(str(refused))
        return make_response(_page(form, key), 409)
    return redirect(url_for("registration.ticket", visit=ref), 303)


def _page(form: EmergencyForm, key: str) -> str:
    return render_template("registration/emergency.html", form=form, draft=key)
