"""The list of actions (*tindakan*) that rooms choose from; the head's."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import Regexp

import access
from blueprints.system.desk import BOTH, LARGEST_ID, RowForm, bp, line, open_rooms
from clinic import action_list
from db import db
from models import ActionTerm, Role
from page_form import choices


class ActionForm(RowForm):
    FIXED = ("code",)  # what records are read by
    code = StringField("Kode", [Regexp(r"^[A-Za-z0-9-]{1,16}$", message="Huruf, angka, setrip.")])
    name = line("Nama", 100, "Isi nama tindakan.")
    synonyms = line("Kata lain", 200)
    icd9_code = StringField(
        "Kode ICD-9-CM", [Regexp(r"^(\d{2}(\.\d{1,2})?)?$", message="Seperti 23.09.")]
    )
    rooms = SelectMultipleField("Ditawarkan di ruang")
    is_active = BooleanField("Dipakai")

    def __init__(self, formdata=None, **more):
        super().__init__(formdata, **more)
        self.rooms.choices = choices(open_rooms(*getattr(self.row, "room_list", ())))

    def values(self) -> dict[str, Any]:
        texts = {name: self[name].cleaned or "" for name in ("name", "synonyms")}
        more = {"icd9_code": self.icd9_code.data or "", "rooms": " ".join(self.rooms.data or [])}
        more["is_active"] = self.is_new or self.is_active.data
        if self.is_new:
            more["code"] = self.code.data
        return texts | more


def _values(term: ActionTerm) -> dict[str, Any]:
    names = ("name", "synonyms", "icd9_code", "is_active")
    return {name: getattr(term, name) for name in names} | {"rooms": term.room_list}


@bp.get("/sistem/tindakan")
@access.allow(Role.HEAD)
def action_terms():
    """All actions by name."""
    return render_template("system/action_terms.html", terms=action_list.all_terms())


@bp.route("/sistem/tindakan/baru", methods=BOTH)
@bp.route(f"/sistem/tindakan/<int(max={LARGEST_ID}):term_id>", methods=BOTH)
@access.allow(Role.HEAD)
def action_term(term_id: int = 0):
    """Add an action, change it, or end it; what was recorded stays as it is."""
    found = db.get_or_404(ActionTerm, term_id) if term_id else None
    form = ActionForm.of(found, _values(found) if found else {})
    if form.stored(action_list.change_term, action_list.create_term):
        flash(f"{form.name.cleaned} {form.done}", "success")
        return redirect(url_for("system.action_terms"), 303)
    return render_template("system/action_term.html", form=form, term=found), form.status
