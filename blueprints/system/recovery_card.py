"""The recovery card: printed once, proved, and gone from the server. The head's alone."""

from flask import flash, redirect, render_template, request, url_for

import access
from blueprints.system.desk import bp, data_folder
from clinic import audit, backup_keys, backup_status, backups, notices, settings
from db import transaction
from models import BackupKind, Role
from validators import FieldError, clean_text


def _page(problem: str = "", reason: str = "") -> str:
    return render_template(
        "system/recovery_card.html",
        card=backup_keys.pending(data_folder() / "keys"),
        public=backup_keys.public_key(data_folder() / "keys"),
        problem=problem,
        reason=reason,
    )


@bp.get("/sistem/cadangan/kartu")
@access.allow(Role.HEAD)
def recovery_card():
    if backup_keys.pending(data_folder() / "keys"):
        actor = access.current_actor()
        with transaction():  # as with a record: who has seen it is known
            audit.record(actor, "view_recovery_card")
    return _page()


@bp.post("/sistem/cadangan/kartu/dicetak")
@access.allow(Role.HEAD)
def confirm_card():
    """The private key leaves the server; a demo clinic's stays, as it protects nobody."""
    keys = data_folder() / "keys"
    if settings.value("is_demo"):
        return _page("Kartu latihan tidak dihapus, supaya dapat dicoba kapan saja."), 422
    try:
        with transaction():
            audit.record(access.current_actor(), "confirm_recovery_card")
            backups.ask(access.current_actor(), BackupKind.MANUAL)  # the first with this key
            backup_keys.confirm(keys, request.form.get("bukti", ""))
    except backup_keys.KeyProblem as problem:
        return _page(str(problem)), 422
    notices.settle(data_folder(), backup_status.CARD)
    flash("Kartu tercatat sudah dicetak. Kuncinya tidak ada lagi di server ini.", "success")
    return redirect(url_for("system.backup_page"), 303)


@bp.post("/sistem/cadangan/kartu/baru")
@access.allow(Role.HEAD)
def new_card():
    """Another key, used once its card is printed; older backups still need the older card."""
    keys = data_folder() / "keys"
    try:
        reason = clean_text(request.form.get("alasan", ""), 300)
    except FieldError as problem:
        return _page(str(problem), request.form.get("alasan", "")), 422
    if len(reason) < 5:
        return _page("Tulis alasannya, misalnya: kartu hilang.", reason), 422
    if backup_keys.pending(keys) and not settings.value("is_demo"):
        return _page("Kartu yang ini belum dicetak. Cetak atau pakai yang ini dulu.", reason), 422
    backup_keys.make(keys)
    with transaction():
        audit.record(access.current_actor(), "make_recovery_key", reason=reason)
    flash("Kunci baru dibuat. Cetak kartunya sekarang.", "success")
    return redirect(url_for("system.recovery_card"), 303)
