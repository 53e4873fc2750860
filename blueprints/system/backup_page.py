"""Backups: how they are, make one now, where the copies go. Head and operator."""

from pathlib import Path

from flask import flash, make_response, redirect, render_template, request, url_for
from wtforms import StringField, TextAreaField, ValidationError
from wtforms.validators import StopValidation

import access
from blueprints.system.desk import bp, data_folder, saving
from clinic import (
    administration,
    backup_making,
    backup_places,
    backup_status,
    backups,
    disk_space,
    notices,
    restoring,
    set_aside,
    settings,
)
from clinic.backup_manifest import BackupProblem
from db import db, transaction, utcnow
from models import BackupKind, BackupState, CopyState, Role
from page_form import PageForm

LONGEST = 2_000
KIND_LABELS = {
    BackupKind.PERIODIC: "Berkala",
    BackupKind.CLOSE: "Tutup hari",
    BackupKind.BEFORE_UPGRADE: "Sebelum pembaruan",
    BackupKind.MANUAL: "Diminta",
}
STATE_LABELS = {
    BackupState.WAITING: ("Menunggu", ""),
    BackupState.RUNNING: ("Sedang dibuat", "action"),
    BackupState.DONE: ("Baik", "action"),
    BackupState.DOUBTFUL: ("Meragukan", "danger"),
    BackupState.FAILED: ("Gagal", "danger"),
}
COPY_LABELS = {
    CopyState.GOOD: ("ada", "action"),
    CopyState.BAD: ("tidak ada", "danger"),
    CopyState.ROTATED: ("giliran habis", ""),
}


def _parsed(_form: PageForm, field) -> None:
    try:
        field.cleaned = settings.parse(field.name, (field.data or "")[:LONGEST])
    except settings.SettingError as problem:
        raise StopValidation(str(problem)) from problem


def _elsewhere(_form: PageForm, field) -> None:
    try:
        for place in field.cleaned.splitlines():
            backup_places.refuse_inside(Path(place), data_folder())
    except BackupProblem as problem:
        raise ValidationError(str(problem)) from problem


class PlacesForm(PageForm):
    backup_places = TextAreaField(
        "Tempat salinan, satu alamat folder tiap baris", [_parsed, _elsewhere]
    )


class OfficeForm(PageForm):
    health_office_key = StringField("Kunci publik dinas kesehatan", [_parsed])


def _page(
    places: PlacesForm | None = None, office: OfficeForm | None = None, problem: str = ""
) -> str:
    rows = backups.recent()
    newest = backups.newest(at_all=True)
    return render_template(
        "system/backups.html",
        checks=backup_status.checks(utcnow(), data_folder() / "keys"),
        rows=rows,
        is_pending=backups.is_pending(),
        progress=backup_making.progress(data_folder()),
        places=backups.places(),
        copies={row.place: row for row in newest.copies} if newest else {},
        places_form=places or PlacesForm(data=settings.values()),
        office_form=office or OfficeForm(data=settings.values()),
        is_head=access.has_role(Role.HEAD),
        kinds=KIND_LABELS,
        state_words=STATE_LABELS,
        copy_words=COPY_LABELS,
        sets=set_aside.sets(data_folder(), utcnow()),
        size_text=disk_space.size_text,
        problem=problem,
        chosen=request.form.get("samping", ""),
        reason=request.form.get("alasan", ""),
    )


@bp.get("/sistem/cadangan")
@access.allow(Role.HEAD, Role.OPERATOR)
def backup_page():
    return _page()


@bp.get("/sistem/cadangan/kemajuan")
@access.allow(Role.HEAD, Role.OPERATOR)
def backup_progress():
    """The part of the page that follows the worker; the whole page once it has finished."""
    if not backups.is_pending():
        notices.forget()
        response = make_response("")
        response.headers["HX-Refresh"] = "true"
        return response
    progress = backup_making.progress(data_folder())
    return render_template("system/_backup_progress.html", progress=progress)


@bp.post("/sistem/cadangan/buat")
@access.allow(Role.HEAD, Role.OPERATOR)
def make_backup():
    """Ask the worker for one; who presses twice gets the same."""
    with transaction():
        backups.ask(access.current_actor(), BackupKind.MANUAL)
    flash("Cadangan segera dibuat.", "success")
    return redirect(url_for("system.backup_page"), 303)


@bp.post("/sistem/cadangan/tempat")
@access.allow(Role.HEAD, Role.OPERATOR)
def save_places():
    form = PlacesForm(request.form)
    if _is_saved(form):
        flash("Tempat salinan disimpan. Tekan Coba untuk menyiapkan tempat yang baru.", "success")
        return redirect(url_for("system.backup_page"), 303)
    return _page(places=form), 422


@bp.post("/sistem/cadangan/dinas")
@access.allow(Role.HEAD)
def save_office_key():
    """Who may read the backups besides the clinic: the head's to say."""
    form = OfficeForm(request.form)
    if _is_saved(form):
        flash("Kunci dinas disimpan; berlaku mulai cadangan berikutnya.", "success")
        return redirect(url_for("system.backup_page"), 303)
    return _page(office=form), 422


def _is_saved(form: PageForm) -> bool:
    if not form.validate():
        return False
    values = {field.name: field.cleaned for field in form}
    with saving(form):
        administration.change_settings(access.current_actor(), values)
    return not form.errors


@bp.post("/sistem/cadangan/coba")
@access.allow(Role.HEAD, Role.OPERATOR)
def try_place():
    """Prepare and try one of the stored places; a slow one is given up after some seconds."""
    place = request.form.get("tempat", "")
    if place not in backups.places():
        flash("Simpan tempat itu dulu, lalu coba.", "warning")
        return redirect(url_for("system.backup_page"), 303)
    is_good, sentence = backup_places.try_elsewhere(
        place, settings.value("clinic_ref"), data_folder()
    )
    with transaction():
        backups.note_tried(access.current_actor(), place, is_good)
    flash(f"{place}: {sentence}", "success" if is_good else "error")
    return redirect(url_for("system.backup_page"), 303)


@bp.post("/sistem/cadangan/disisihkan/buang")
@access.allow(Role.HEAD, Role.OPERATOR)
def remove_set_aside():
    """Wipe an old set that a restore put aside; the second who presses is told."""
    mark, reason = request.form.get("samping", ""), request.form.get("alasan", "")
    actor = access.current_actor()
    try:
        with transaction():
            set_aside.give_up(actor, data_folder(), mark, reason, utcnow())
    except set_aside.AsideProblem as problem:
        return _page(problem=str(problem)), 422
    restoring.discard(db.engine.url, mark, restoring.side(data_folder(), mark))
    flash("Data lama yang disisihkan dibuang.", "success")
    return redirect(url_for("system.backup_page"), 303)
