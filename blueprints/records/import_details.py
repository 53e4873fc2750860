"""What is in an import: its columns, which the clerk matches, and its rows by their fate."""

from dataclasses import replace

from flask import Response, abort, redirect, render_template, request, stream_with_context, url_for

import access
from blueprints.records.blueprint import bp, staff
from blueprints.records.imports import FATES, batch_or_404, data_folder
from clinic import import_columns, import_staging, imports
from clinic.import_columns import ColumnError
from clinic.import_rows import DAY_FIRST, MONTH_FIRST, NO_NIK_REASONS, Defaults
from db import transaction
from formatting import PAYER_LABELS
from models import ImportBatch, ImportState, RowFate
from validators import NO_NIK_REASONS as REASON_LABELS
from validators import FieldError, clean_text

PAGE_SIZE = 50
DATE_ORDERS = {
    DAY_FIRST: "hari-bulan-tahun: 05/06/1988 dibaca 5 Juni",
    MONTH_FIRST: "bulan-hari-tahun (Excel berbahasa Inggris): 05/06/1988 dibaca 6 Mei",
}

# --- Columns -----------------------------------------------------------------------------------


@bp.get("/rekam-medis/impor/<batch>/kolom")
@staff
def import_columns_page(batch: str):
    found = batch_or_404(batch)
    if not _may_choose(found):
        return redirect(url_for("records.import_page", batch=batch), 303)
    known = found.mapping.get("columns") or import_columns.guess_all(found.headings)
    by_place = {place: field for field, place in known.items()}
    chosen = [by_place.get(place, "") for place in range(len(found.headings))]
    return _columns_page(found, chosen, imports.defaults_of(found))


@bp.post("/rekam-medis/impor/<batch>/kolom")
@staff
def import_check(batch: str):
    """Take the columns as they are chosen, and let every row be checked."""
    found = batch_or_404(batch)
    form = request.form
    chosen = [form.get(f"kolom-{place}", "") for place in range(len(found.headings))]
    payer = form.get("pembiayaan", "")
    defaults = Defaults(
        village=form.get("kelurahan", ""),
        payer=payer if payer in PAYER_LABELS else "UMUM",
        no_nik_reason=form.get("alasan_nik", ""),
        date_order=form.get("urutan_tanggal", DAY_FIRST),
    )
    try:
        defaults = replace(defaults, village=clean_text(defaults.village, 60))
        with transaction():
            imports.check(
                access.current_actor(), found, chosen, defaults, is_sure=bool(form.get("yakin"))
            )
    except (imports.ImportRefused, ColumnError, FieldError) as refusal:
        if not _may_choose(found):  # somebody else has let it go on
            return redirect(url_for("records.import_page", batch=batch), 303)
        return _columns_page(found, chosen, defaults, str(refusal)), 422
    return redirect(url_for("records.import_page", batch=batch), 303)


def _may_choose(batch: ImportBatch) -> bool:
    return bool(batch.headings) and batch.state in (ImportState.UPLOADED, ImportState.CHECKED)


def _columns_page(
    batch: ImportBatch, chosen: list[str], defaults: Defaults, problem: str = ""
) -> str:
    labels = [import_columns.label(batch.headings, place) for place in range(len(chosen))]
    return render_template(
        "records/import_columns.html",
        batch=batch,
        columns=list(zip(labels, batch.mapping["samples"], chosen, strict=True)),
        fields=import_columns.FIELDS,
        defaults=defaults,
        payers=PAYER_LABELS,
        date_orders=DATE_ORDERS,
        reasons={code: REASON_LABELS[code] for code in NO_NIK_REASONS},
        same=imports.same_file(batch),
        problem=problem,
    )


# --- Rows --------------------------------------------------------------------------------------


@bp.get("/rekam-medis/impor/<batch>/baris")
@staff
def import_rows(batch: str):
    """The rows of one fate, some a page."""
    found = batch_or_404(batch)
    wanted = request.args.get("nasib", "")
    fate = next((fate for fate in RowFate if fate.value == wanted), None)
    typed = request.args.get("sesudah", "0")
    if fate is None or not (typed.isascii() and typed.isdecimal() and len(typed) < 9):
        abort(404)
    rows = imports.rows(found, fate, int(typed), PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    return render_template(
        "records/import_rows.html",
        batch=found,
        fate=fate.value,
        label=FATES[fate][0],
        meaning=FATES[fate][1],
        rows=shown,
        names=imports.names(data_folder(), found, [row.number for row in shown]),
        is_first=typed == "0",
        after=shown[-1].number if len(rows) > PAGE_SIZE else 0,
    )


@bp.get("/rekam-medis/impor/<batch>/rusak.csv")
@staff
def import_broken(batch: str):
    """The broken rows as they came, with the reason, to be mended and sent again."""
    found = batch_or_404(batch)
    path = imports.staging_path(data_folder(), found)
    if not path.is_file():
        abort(404)
    pieces = stream_with_context(import_staging.broken_file(path, found.headings))
    # Passed through as it comes: packing it would hold it in memory.
    response = Response(pieces, mimetype="text/csv", direct_passthrough=True)
    response.headers["Content-Disposition"] = 'attachment; filename="baris-rusak.csv"'
    return response
