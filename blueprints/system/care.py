"""What head and operator can do about the machine: room held back, self-check, support file."""

from flask import Response, current_app, flash, redirect, url_for

import access
from blueprints.system.desk import bp, data_folder
from clinic import audit, disk_space, notices, support, worker
from clinic.disk_space import size_text
from db import transaction, utcnow
from models import Role


def _back():
    return redirect(url_for("system.status"), 303)


@bp.post("/sistem/ruang-simpanan")
@access.allow(Role.HEAD, Role.OPERATOR)
def give_up_ballast():
    """Room for saves while the disk is cleared. The file first: till then no row can be written."""
    freed = disk_space.give_up(data_folder())
    notices.forget()
    with transaction():
        audit.record(access.current_actor(), "give_up_ballast", details=size_text(freed))
    if freed:
        flash(
            f"{size_text(freed)} dibuka. Kosongkan disk sekarang, ruang ini cepat habis.", "success"
        )
    else:
        flash("Ruang simpanan sudah dibuka sebelumnya.", "warning")
    return _back()


@bp.post("/sistem/periksa")
@access.allow(Role.HEAD, Role.OPERATOR)
def start_self_check():
    """The worker begins the daily check anew at its next round."""
    with transaction():
        worker.ask_for_self_check(utcnow())
        audit.record(access.current_actor(), "start_self_check")
    flash("Pemeriksaan dimulai; hasilnya tampil di sini dalam beberapa menit.", "success")
    return _back()


@bp.post("/sistem/berkas-bantuan")
@access.allow(Role.HEAD, Role.OPERATOR)
def support_file():
    """What a helper from outside needs to know, without any patient."""
    current_app.extensions["speed"].flush()
    content = support.bundle(current_app.config["ALUR"].data)
    with transaction():
        audit.record(access.current_actor(), "support_file")
    name = f"alur-bantuan-{utcnow():%Y%m%d-%H%M}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype="application/zip", headers=headers)
