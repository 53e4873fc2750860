"""Imports of patients from a list: the file that came, what is in its columns, how far it is.

The file is read and its rows are judged by the worker (`clinic.import_work`), never in a request.
"""

import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from clinic import audit, import_columns, import_files
from clinic.import_rows import (
    DAY_FIRST,
    MONTH_FIRST,
    NO_NIK_REASONS,
    NOT_AS_NIK,
    Defaults,
)
from clinic.import_staging import Staging
from db import add_row, db, utcnow
from formatting import mask_numbers
from models import ImportBatch, ImportRow, ImportState, RowFate
from validators import clean_text

FOLDER = "imports"  # in the clinic's data folder
PIECE = 1024 * 1024
WORKING = {ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING}
CAN_STOP = {
    *(ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED),
    ImportState.IMPORTING,
}
MIN_REASON = 4


class ImportRefused(ValueError):
    """Not in this state, or not so; the sentence is for the clerk."""


@dataclass(frozen=True)
class KeptFile:
    """A file that lies in the folder: its name there and its SHA-256."""

    name: str
    digest: str


# --- The file ---


def keep_file(data: Path, stream: IO[bytes]) -> KeptFile:
    """Store an uploaded file under a random name. Raises FileProblem; then nothing is left."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / secrets.token_hex(16)
    digest, size = hashlib.sha256(), 0
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        while (piece := stream.read(PIECE)) and size <= import_files.LARGEST:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    try:
        import_files.check(path)
    except import_files.FileProblem:
        path.unlink()
        raise
    return KeptFile(path.name, digest.hexdigest())


def file_path(data: Path, batch: ImportBatch) -> Path:
    """Where the batch's file lies."""
    return data / FOLDER / batch.mapping["stored"]


def staging_path(data: Path, batch: ImportBatch) -> Path:
    """Where its rows lie, once the worker has read them."""
    return data / FOLDER / f"{batch.mapping['stored']}.rows"


# --- Steps of the clerk ---


def upload(actor: audit.Actor, file_name: str, kept: KeptFile) -> ImportBatch:
    """A new batch for the worker to read."""
    batch = ImportBatch(
        file_name=clean_text(Path(file_name.replace("\\", "/")).name[-120:], 120) or "daftar",
        digest=kept.digest,
        mapping={"stored": kept.name},
        uploaded_by_id=actor.user_id,
    )
    audit.record(actor, "upload_import", add_row(batch))
    return batch


def check(
    actor: audit.Actor,
    batch: ImportBatch,
    columns: Sequence[str],
    defaults: Defaults,
    *,
    is_sure: bool,
) -> None:
    """Let the worker say what would become of each row. Raises ImportRefused and ColumnError.

    `columns` holds a field or '' for each column; `is_sure` answers that the file was here before.
    """
    if batch.state not in (ImportState.UPLOADED, ImportState.CHECKED) or not batch.headings:
        raise ImportRefused("Kolom impor ini tidak dapat diubah lagi.")
    if len(columns) != len(batch.headings):
        raise ImportRefused("Daftar kolom tidak lengkap. Muat ulang halaman ini.")
    if defaults.no_nik_reason not in NO_NIK_REASONS:
        raise ImportRefused("Pilih alasan tanpa NIK dari daftar.")
    if not is_sure and same_file(batch):
        raise ImportRefused("Berkas ini pernah diunggah. Beri centang bila tetap akan diperiksa.")
    if defaults.date_order not in (DAY_FIRST, MONTH_FIRST):
        raise ImportRefused("Pilih urutan tanggal lahir dari daftar.")
    mapping = import_columns.check(columns, batch.headings, bool(defaults.village))
    chosen = {"columns": mapping, "defaults": vars(defaults), "others": _others(batch)}
    batch.mapping = {**batch.mapping, **chosen}
    _go(actor, batch, ImportState.CHECKING)
    audit.record(actor, "check_import", batch)


def start(actor: audit.Actor, batch: ImportBatch) -> None:
    """Let the worker import what was checked. Raises ImportRefused."""
    if batch.state != ImportState.CHECKED:
        raise ImportRefused("Impor ini belum diperiksa, atau sudah dijalankan.")
    if batch.mapping.get("others", "") != _others(batch):
        raise ImportRefused(
            "Sesudah pemeriksaan ini, impor lain dijalankan atau ditarik kembali, jadi nasib "
            "barisnya mungkin lain. Periksa lagi: pilih Ubah kolom, lalu Periksa semua baris."
        )
    _go(actor, batch, ImportState.IMPORTING)
    audit.record(actor, "start_import", batch)


def _others(batch: ImportBatch) -> str:
    """What the other imports have done to the register so far."""
    touched = (ImportState.IMPORTING, ImportState.DONE, ImportState.UNDOING, ImportState.UNDONE)
    rows = select(ImportBatch.id, ImportBatch.state).where(
        ImportBatch.id != batch.id, ImportBatch.state.in_(touched)
    )
    found = db.session.execute(rows.order_by(ImportBatch.id))
    return " ".join(f"{row.id}:{row.state}" for row in found)


def cancel(actor: audit.Actor, batch: ImportBatch) -> None:
    """Stop; what was imported stays, and can be taken back. Raises ImportRefused."""
    if batch.state not in CAN_STOP:
        raise ImportRefused("Impor ini sudah selesai; tidak ada yang dihentikan.")
    if batch.state == ImportState.IMPORTING:
        batch.problem = f"Dihentikan setelah {batch.rows_done} baris."
        batch.imported_at = utcnow()
    batch.state = ImportState.CANCELLED
    db.session.flush()
    audit.record(actor, "cancel_import", batch)


def undo(actor: audit.Actor, batch: ImportBatch, reason: str) -> None:
    """Let the worker take back whom nobody has used since. Raises ImportRefused."""
    reason = clean_text(reason, 300)
    if len(reason) < MIN_REASON:
        raise ImportRefused("Tulis alasannya, beberapa kata saja.")
    if not can_undo(batch):
        raise ImportRefused("Tidak ada pasien dari impor ini yang dapat ditarik.")
    _go(actor, batch, ImportState.UNDOING)
    audit.record(actor, "undo_import", batch, reason=reason)


def can_undo(batch: ImportBatch) -> bool:
    """Whether it has come to rest with patients that it created."""
    is_at_rest = batch.state in (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED)
    return is_at_rest and counts(batch).get(RowFate.CREATED, 0) > 0


def _go(actor: audit.Actor, batch: ImportBatch, state: ImportState) -> None:
    # The worker acts for whoever asked last.
    batch.mapping = {**batch.mapping, "by": [actor.user_id, str(actor.role)]}
    batch.state, batch.rows_done = state, 0
    db.session.flush()


def worker_actor(batch: ImportBatch) -> audit.Actor:
    """Who asked for the step that the worker does now."""
    user_id, role = batch.mapping["by"]
    return audit.Actor(user_id, role, "impor")


# --- Looking ---


def by_ref(public_id: str) -> ImportBatch | None:
    """The batch of this public id."""
    return db.session.scalar(select(ImportBatch).where(ImportBatch.public_id == public_id))


def recent(limit: int = 50) -> list[ImportBatch]:
    """The last batches, newest first."""
    newest = select(ImportBatch).options(joinedload(ImportBatch.uploaded_by))
    return list(db.session.scalars(newest.order_by(ImportBatch.id.desc()).limit(limit)))


def same_file(batch: ImportBatch) -> ImportBatch | None:
    """An earlier batch of the very same file."""
    dropped = (ImportState.FAILED, ImportState.CANCELLED)
    return db.session.scalar(
        select(ImportBatch)
        .where(ImportBatch.digest == batch.digest, ImportBatch.id < batch.id)
        .where(ImportBatch.state.not_in(dropped))
        .order_by(ImportBatch.id.desc())
        .limit(1)
    )


def is_being_read(batch: ImportBatch) -> bool:
    """Whether the worker has yet to find out what the file holds."""
    return batch.state == ImportState.UPLOADED and not batch.headings


def counts(batch: ImportBatch) -> dict[RowFate, int]:
    """How many rows have which fate."""
    return counts_of([batch]).get(batch.id, {})


def counts_of(batches: Sequence[ImportBatch]) -> dict[int, dict[RowFate, int]]:
    """The counts of several batches by id, in one query."""
    found: dict[int, dict[RowFate, int]] = {}
    ids = [batch.id for batch in batches]
    rows = select(ImportRow.batch_id, ImportRow.fate, func.count()).where(
        ImportRow.batch_id.in_(ids)
    )
    for batch_id, fate, count in db.session.execute(
        rows.group_by(ImportRow.batch_id, ImportRow.fate)
    ):
        found.setdefault(batch_id, {})[fate] = count
    return found


def rows(batch: ImportBatch, fate: RowFate, after: int, limit: int) -> list[ImportRow]:
    """Rows of this fate, those after this number."""
    found = (
        select(ImportRow)
        .where(ImportRow.batch_id == batch.id, ImportRow.fate == fate, ImportRow.number > after)
        .options(joinedload(ImportRow.patient))
    )
    return list(db.session.scalars(found.order_by(ImportRow.number).limit(limit)))


def unlike_nik(batch: ImportBatch) -> int:
    """How many rows that become patients say something else than their NIK."""
    found = (
        select(func.count())
        .select_from(ImportRow)
        .where(
            ImportRow.batch_id == batch.id,
            ImportRow.fate.in_((RowFate.NEW, RowFate.ALIKE)),
            ImportRow.reason.contains(NOT_AS_NIK),
        )
    )
    return db.session.scalar(found) or 0


def defaults_of(batch: ImportBatch) -> Defaults:
    """What was chosen for all rows."""
    chosen: dict[str, Any] = batch.mapping.get("defaults", {})
    return Defaults(**chosen)


def names(data: Path, batch: ImportBatch, numbers: Sequence[int]) -> dict[int, str]:
    """Name and birth date as they stand in these rows of the file, while it is there."""
    columns = batch.mapping.get("columns", {})
    places = [
        columns[field] for field in ("name", "birth", "birth_place", "age") if field in columns
    ]
    try:
        with Staging(staging_path(data, batch)) as staging:
            lines = staging.numbered(numbers)
    except FileNotFoundError:
        return {}
    return {
        number: mask_numbers(
            ", ".join(line.cells[place] for place in places if line.cells[place : place + 1])
        )
        for number, line in lines.items()
    }
