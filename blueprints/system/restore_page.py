"""Restore from a page: choose, open aside, preview, switch, undo; and the drill with the card."""

import secrets
from datetime import datetime
from pathlib import Path

from flask import (
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from sqlalchemy import func, select

import access
from blueprints.system.desk import bp, data_folder
from clinic import audit, backup_keys, backup_making, backup_manifest, backups, drills, restoring
from clinic.backup_manifest import BackupProblem, Manifest
from clinic.restoring import Status
from db import db, transaction
from models import CopyState, DrillKind, Patient, Role, Visit
from validators import FieldError, clean_text

LARGEST = 512 * 1024**2  # of an upload; larger ones are read where they lie
NEWEST = "terbaru"  # the snapshot that needs no key


def _known() -> dict[str, tuple[Path, Manifest]]:
    """The files on this server's disk, the newest first; a place elsewhere might hang."""
    paths = {NEWEST: backup_making.newest_path(data_folder())}
    found = sorted((data_folder() / "backups").glob("cadangan-*.alur"), reverse=True)
    paths |= {path.name: path for path in found}
    known = {}
    for name, path in paths.items():
        try:
            known[name] = (path, backup_manifest.read(path))
        except BackupProblem:
            continue  # the drill says so
    return known


def _elsewhere() -> dict[str, tuple[Path, str]]:
    """Copies at other places, as they were last read back: name in the form -> file, words."""
    found = {}
    for backup in backups.recent(100):
        for row in backup.copies:
            if row.place != backups.DISK and row.state == CopyState.GOOD:
                name = f"{row.place}:{backup.name}"
                found[name] = (backups.folder_at(row.place) / backup.name, row.place)
    return found


def _page(template: str, problem: str = "", chosen: str = "", key: str = "") -> str:
    return render_template(
        template,
        known=_known(),
        elsewhere=_elsewhere(),
        newest=NEWEST,
        sides=restoring.all_sides(data_folder()),
        problem=problem,
        chosen=chosen,
        key=key,
        last_drill=drills.last(DrillKind.PAPER),
    )


@bp.get("/sistem/cadangan/pulihkan")
@access.allow(Role.HEAD, Role.OPERATOR)
def restore_page():
    return _page("system/restore.html")


@bp.post("/sistem/cadangan/pulihkan")
@access.allow(Role.HEAD, Role.OPERATOR, takes=LARGEST)
def open_backup():
    return _start("system/restore.html", is_drill=False)


@bp.get("/sistem/cadangan/latihan")
@access.allow(Role.HEAD)
def paper_drill():
    return _page("system/paper_drill.html")


@bp.post("/sistem/cadangan/latihan")
@access.allow(Role.HEAD, takes=LARGEST)
def start_paper_drill():
    return _start("system/paper_drill.html", is_drill=True)


def _start(template: str, *, is_drill: bool):
    """Hand file and key to a process of its own; neither is stored by this one."""
    chosen, key = request.form.get("berkas", ""), request.form.get("kunci_pemulihan", "")
    try:
        secret = backup_keys.parse_secret(key) if key.strip() or is_drill else ""
        if restoring.has_open_job(data_folder()):
            raise BackupProblem("Cadangan lain sedang dibuka. Tunggu sampai selesai.")
        source, name, is_upload = _source(chosen)
    except (BackupProblem, backup_keys.KeyProblem) as problem:
        return _page(template, str(problem), chosen, key), 422
    actor = access.current_actor()
    with transaction():
        audit.record(actor, "open_backup", details=name)
    mark = restoring.start_job(
        data_folder(),
        db.engine.url,
        {
            "source": str(source),
            "name": name,
            "secret": secret,
            "is_upload": is_upload,
            "is_drill": is_drill,
            "is_undo": False,
            "user_id": actor.user_id,
            "role": actor.role,
            "device": actor.device,
        },
    )
    return redirect(url_for("system.side_copy", mark=mark), 303)


def _source(chosen: str) -> tuple[Path, str, bool]:
    """The chosen file; an uploaded one is kept until it was read."""
    upload = request.files.get("unggahan")
    if upload is not None and upload.filename:
        path = data_folder() / "tmp" / f"{backup_making.UPLOADED}{secrets.token_hex(8)}.alur"
        upload.save(path)
        return path, Path(upload.filename).name[:80], True
    if chosen in (known := _known()):
        return known[chosen][0], known[chosen][0].name, False
    if chosen in (elsewhere := _elsewhere()):
        return elsewhere[chosen][0], elsewhere[chosen][0].name, False
    raise BackupProblem("Pilih satu cadangan, atau unggah berkasnya.")


# --- One that was opened --------------------------------------------------------------------------


def _side_or_404(mark: str) -> Status:
    status = restoring.status_of(data_folder(), mark)
    if status is None or (status.is_drill and not access.has_role(Role.HEAD)):
        abort(404)
    return status


def _side_page(status: Status, problem: str = "", reason: str = "") -> str:
    manifest = status.manifest
    newest = manifest and manifest.newest_visit_at
    return render_template(
        "system/side_copy.html",
        side=status,
        newest_visit=datetime.fromisoformat(newest) if newest else None,
        patients=db.session.scalar(select(func.count(Patient.id))),
        visits=db.session.scalar(select(func.count(Visit.id))),
        problem=problem,
        reason=reason,
    )


@bp.get("/sistem/cadangan/samping/<mark>")
@access.allow(Role.HEAD, Role.OPERATOR)
def side_copy(mark: str):
    return _side_page(_side_or_404(mark))


@bp.get("/sistem/cadangan/samping/<mark>/kemajuan")
@access.allow(Role.HEAD, Role.OPERATOR)
def side_copy_progress(mark: str):
    """Follows the job; the whole page once it has finished."""
    if _side_or_404(mark).state != "opening":
        response = make_response("")
        response.headers["HX-Refresh"] = "true"
        return response
    return render_template("system/_side_progress.html", side=_side_or_404(mark))


@bp.post("/sistem/cadangan/samping/<mark>/ganti")
@access.allow(Role.HEAD, Role.OPERATOR)
def switch_side(mark: str):
    """Use this set from now on: one that was opened, or the one that was put aside."""
    status = _side_or_404(mark)
    try:
        reason = clean_text(request.form.get("alasan", ""), 300)
    except FieldError as problem:
        return _side_page(status, str(problem), request.form.get("alasan", "")), 422
    if status.state not in ("ready", "set_aside") or restoring.is_switch_asked(data_folder()):
        return _side_page(status, "Salinan ini tidak dapat dipakai sekarang.", reason), 409
    if len(reason) < 5:
        return _side_page(status, "Tulis alasannya, misalnya: disk rusak.", reason), 422
    actor = access.current_actor()
    with transaction():
        audit.record(actor, "switch_database", reason=reason, details=status.name)
    by = current_user.username
    if status.state == "ready":
        restoring.ask_switch(data_folder(), mark, by=by, reason=reason)
    else:
        order = {"mark": mark, "name": status.name, "is_undo": True, "by": by, "reason": reason}
        order |= {"is_drill": False, "is_upload": False}
        restoring.start_job(data_folder(), db.engine.url, order)
    return render_template("system/switching.html"), 202


@bp.post("/sistem/cadangan/samping/<mark>/buang")
@access.allow(Role.HEAD, Role.OPERATOR)
def discard_side(mark: str):
    """A copy that is not needed; what a switch put aside is not thrown away here."""
    status = _side_or_404(mark)
    if status.state == "ready":
        restoring.discard(db.engine.url, mark, restoring.side(data_folder(), mark))
        restoring.forget(data_folder(), mark)
        with transaction():
            audit.record(access.current_actor(), "discard_side_copy", details=status.name)
        flash("Salinan samping dibuang; data yang dipakai tidak berubah.", "success")
    return redirect(url_for("system.restore_page"), 303)


@bp.post("/sistem/cadangan/latihan/kode")
@access.allow(Role.HEAD)
def drill_code():
    """A drill on another machine is told by the code that it gave there."""
    found = drills.told_by_code(data_folder(), request.form.get("kode", "")[:40])
    if found is None:
        page = _page("system/paper_drill.html", "Kode ini tidak cocok dengan cadangan di sini.")
        return page, 422
    with transaction():
        drills.keep(access.current_actor(), found)
    flash("Latihan dengan kartu tercatat berhasil.", "success")
    return redirect(url_for("system.backup_page"), 303)
