"""Imports of patients: the file, its columns, what would become of each row, and the way back."""

from dataclasses import dataclass
from pathlib import Path

from flask import (
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

import access
from blueprints.records.blueprint import bp, staff
from clinic import import_files, imports
from db import transaction
from models import ImportBatch, ImportState, Role, RowFate
from validators import FieldError

FORM_PARTS = 1024 * 1024  # of an upload, beside its file
STATE_LABELS = {
    ImportState.UPLOADED: "Menunggu kolom dipilih",
    ImportState.CHECKING: "Sedang diperiksa",
    ImportState.CHECKED: "Selesai diperiksa, belum diimpor",
    ImportState.IMPORTING: "Sedang diimpor",
    ImportState.DONE: "Selesai diimpor",
    ImportState.UNDOING: "Sedang ditarik kembali",
    ImportState.UNDONE: "Ditarik kembali",
    ImportState.CANCELLED: "Dihentikan",
    ImportState.FAILED: "Gagal",
}
FATES = {
    RowFate.NEW: ("Baru", "Akan menjadi pasien baru."),
    RowFate.ALIKE: ("Mirip", "Akan menjadi pasien baru, dan masuk daftar pasangan mirip."),
    RowFate.KNOWN: ("Sudah ada", "Pasiennya sudah terdaftar; tidak ada yang dibuat atau diubah."),
    RowFate.BROKEN: ("Rusak", "Tidak dapat diimpor. Perbaiki di berkas, lalu unggah lagi."),
    RowFate.CREATED: ("Dibuat", "Sudah menjadi pasien."),
    RowFate.REMOVED: ("Ditarik", "Pasiennya tidak aktif lagi."),
    RowFate.KEPT: ("Tetap ada", "Sudah dipakai, jadi tidak ditarik."),
}


@dataclass(frozen=True)
class FateLine:
    code: str
    label: str
    meaning: str
    count: int


# --- The list, and a new file ------------------------------------------------------------------


@bp.get("/rekam-medis/impor")
@staff
def imports_list():
    return _list_page()


@bp.post("/rekam-medis/impor")
@access.allow(Role.RECORDS, Role.HEAD, takes=import_files.LARGEST + FORM_PARTS)
def import_upload():
    """Store the file; the worker reads it."""
    file = request.files.get("berkas")
    if file is None or not file.filename:
        return _list_page("Pilih berkas CSV atau XLSX dulu."), 422
    try:
        kept = imports.keep_file(data_folder(), file.stream)
    except import_files.FileProblem as problem:
        return _list_page(str(problem)), 422
    with transaction():
        batch = imports.upload(access.current_actor(), file.filename, kept)
        ref = batch.public_id
    return redirect(url_for("records.import_page", batch=ref), 303)


def _list_page(problem: str = "") -> str:
    batches = imports.recent()
    counts = imports.counts_of(batches)
    return render_template(
        "records/imports.html",
        batches=batches,
        fates={batch.id: _fates(counts.get(batch.id, {})) for batch in batches},
        states={batch.id: _state_words(batch) for batch in batches},
        problem=problem,
        megabytes=import_files.LARGEST // import_files.MEGABYTE,
    )


# --- One batch ---------------------------------------------------------------------------------


@bp.get("/rekam-medis/impor/<batch>")
@staff
def import_page(batch: str):
    """Where the import is; files whose columns are not chosen yet lead to them."""
    found = batch_or_404(batch)
    if found.state == ImportState.UPLOADED and found.headings:
        return redirect(url_for("records.import_columns_page", batch=batch), 303)
    return _batch_page(found)


@bp.get("/rekam-medis/impor/<batch>/kemajuan")
@staff
def import_progress(batch: str):
    """The part of the page that follows the worker; the whole page once it has finished."""
    found = batch_or_404(batch)
    if not _is_working(found) or request.args.get("tahap") != found.state:
        response = make_response("")
        response.headers["HX-Refresh"] = "true"
        return response
    return render_template("records/_import_progress.html", **_progress(found))


@bp.post("/rekam-medis/impor/<batch>/impor")
@staff
def import_start(batch: str):
    return _step(batch, imports.start)


@bp.post("/rekam-medis/impor/<batch>/batal")
@staff
def import_cancel(batch: str):
    return _step(batch, imports.cancel)


@bp.post("/rekam-medis/impor/<batch>/urungkan")
@staff
def import_undo(batch: str):
    return _step(batch, imports.undo, request.form.get("alasan", ""))


def _step(ref: str, act, *more: str):
    found = batch_or_404(ref)
    try:
        with transaction():
            act(access.current_actor(), found, *more)
    except (imports.ImportRefused, FieldError) as refusal:
        return _batch_page(found, str(refusal)), 422
    return redirect(url_for("records.import_page", batch=ref), 303)


def _batch_page(batch: ImportBatch, problem: str = "") -> str:
    counts = imports.counts(batch)
    has_rows = imports.staging_path(data_folder(), batch).is_file()
    return render_template(
        "records/import.html",
        fates=[] if batch.state == ImportState.CHECKING else _fates(counts),
        has_broken_file=has_rows and bool(counts.get(RowFate.BROKEN)),
        can_undo=imports.can_undo(batch),
        can_stop=batch.state in imports.CAN_STOP,
        unlike_nik=imports.unlike_nik(batch) if batch.state == ImportState.CHECKED else 0,
        to_create=counts.get(RowFate.NEW, 0) + counts.get(RowFate.ALIKE, 0),
        problem=problem,
        is_working=_is_working(batch),
        **_progress(batch),
    )


def _progress(batch: ImportBatch) -> dict:
    total = batch.rows
    if batch.state == ImportState.UNDOING:
        counts = imports.counts(batch)
        total = sum(counts.get(f, 0) for f in (RowFate.CREATED, RowFate.REMOVED, RowFate.KEPT))
    return {"batch": batch, "state": _state_words(batch), "total": total}


def _is_working(batch: ImportBatch) -> bool:
    return batch.state in imports.WORKING or imports.is_being_read(batch)


def _state_words(batch: ImportBatch) -> str:
    return "Sedang dibaca" if imports.is_being_read(batch) else STATE_LABELS[batch.state]


def _fates(counts: dict[RowFate, int]) -> list[FateLine]:
    return [
        FateLine(fate.value, label, meaning, counts[fate])
        for fate, (label, meaning) in FATES.items()
        if counts.get(fate)
    ]


# --- Shared ---------------------------------------------------------------------------------


def batch_or_404(ref: str) -> ImportBatch:
    """The batch of this address."""
    return imports.by_ref(ref) or abort(404)


def data_folder() -> Path:
    """Where the clinic's files lie."""
    return current_app.config["ALUR"].data
