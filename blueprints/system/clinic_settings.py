"""The clinic's settings. The head's; the operator sees and changes the technical ones only."""

from flask import flash, redirect, render_template, request, url_for
from wtforms import Field, SelectField, StringField, TextAreaField, ValidationError

import access
from blueprints.system.desk import REFUSED, bp, saving
from blueprints.system.meanwhile import MARK, SharedForm
from clinic import administration, queue_watch, settings
from models import Role
from page_form import PageForm, choices
from validators import FieldError, clean_text

LONGEST = 500


def _parsed(_form: PageForm, field: Field) -> None:
    typed = "" if field.data is None else str(field.data)
    try:
        text = clean_text(typed, LONGEST, newlines=field.name == "clinic_address")
        field.cleaned = settings.parse(field.name, text)
    except (settings.SettingError, FieldError) as problem:
        raise ValidationError(str(problem)) from problem


def _field_of(key: str) -> Field:
    label = settings.DEFINITIONS[key].label
    if key == "time_zone":
        zones = {zone: f"{short} ({zone})" for zone, short in settings.TIME_ZONES.items()}
        return SelectField(label, [_parsed], choices=choices(zones))
    if key == "kb_cluster":
        return SelectField(label, [_parsed], choices=choices({"2": "Klaster 2", "3": "Klaster 3"}))
    if key == "lab_second_person":
        return SelectField(label, [_parsed], choices=choices({"tidak": "Tidak", "ya": "Ya"}))
    kind = TextAreaField if key in ("board_networks", "clinic_address") else StringField
    return kind(label, [_parsed])


def _form(formdata=None, data=None) -> SharedForm:
    """A form with the settings that this account may change, in the order of their definition."""
    keys = [key for key in settings.DEFINITIONS if key not in settings.HIDDEN]
    if not access.has_role(Role.HEAD):
        keys = [key for key in keys if key in administration.TECHNICAL_SETTINGS]
    form_class = type("SettingsForm", (SharedForm,), {key: _field_of(key) for key in keys})
    return form_class(formdata, data=data)


def _page(form: SharedForm) -> str:
    hints = {field.name: settings.DEFINITIONS[field.name].hint for field in form}
    whole = {field.name for field in form if type(settings.DEFINITIONS[field.name].default) is int}
    return render_template("system/clinic_settings.html", form=form, hints=hints, whole=whole)


@bp.get("/sistem/pengaturan")
@access.allow(Role.HEAD, Role.OPERATOR)
def clinic_settings():
    """All settings but the internal ones; for the operator those of the technical kind."""
    return _page(_form(data=settings.values()))


@bp.post("/sistem/pengaturan")
@access.allow(Role.HEAD, Role.OPERATOR)
def save_settings():
    """Store what changed. What the account may not change is not in its form.

    A field that was not sent at all, as by a script, stays as it is.
    """
    known = settings.values()
    form = _form(request.form, data=known)
    form.meet(_form(data=known), request.form.get(MARK, ""))
    if form.validate():
        values = {field.name: field.cleaned for field in form}
        with saving(form):
            changed = administration.change_settings(access.current_actor(), values)
        if not form.errors:
            text = f"Disimpan: {', '.join(changed)}." if changed else "Tidak ada yang berubah."
            flash(text, "success")
            _warn_of_lost_board(form.board_networks.cleaned)
            return redirect(url_for("system.clinic_settings"), 303)
    return _page(form), REFUSED[form.is_overtaken]


def _warn_of_lost_board(networks: str) -> None:
    if not queue_watch.may_watch(request.remote_addr, networks):
        text = "Komputer ini tidak termasuk jaringan layar ruang tunggu; periksa lagi isiannya."
        flash(text, "warning")
