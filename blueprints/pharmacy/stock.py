"""The stock: what is there, what came in, what was counted, the card of one medicine."""

import secrets
from decimal import Decimal, InvalidOperation

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

import access
from blueprints.pharmacy.blueprint import bp, page_number, staff
from blueprints.pharmacy.stock_forms import CountForm, DeliveryForm, ExpiryForm
from clinic import days, medicines, stock, stock_lists
from clinic.stock import Delivery, StockError
from db import transaction
from formatting import number_text
from models import Medicine, StockBatch
from page_form import PageForm


def _medicine_or_404(code: str) -> Medicine:
    return medicines.by_code(code) or abort(404)


def _batch_or_404(ref: str) -> StockBatch:
    return stock_lists.batch_by_ref(ref) or abort(404)


def _pages(count: int, size: int) -> int:
    return -(-count // size)


def _new_key() -> dict[str, str]:
    return {"key": secrets.token_hex(8)}


@bp.get("/farmasi/stok")
@staff
def stock_list():
    view = request.args.get("lihat", stock_lists.ATTENTION)
    query, page = request.args.get("q", "").strip()[:80], page_number()
    lines, count = stock_lists.overview(days.clinic_date(), view, query, page)
    return render_template(
        "pharmacy/stock.html",
        lines=lines,
        count=count,
        view=view,
        query=query,
        page=page,
        pages=_pages(count, stock_lists.PAGE),
    )


@bp.get("/farmasi/stok/<code>")
@staff
def stock_card(code: str):
    """*Kartu stok*, newest first."""
    found, page = _medicine_or_404(code), page_number()
    moves, count = stock_lists.card(found, page)
    today = days.clinic_date()
    return render_template(
        "pharmacy/stock_card.html",
        medicine=found,
        line=stock_lists.line_of(found, today),
        batches=[(batch, stock.is_expired(batch, today)) for batch in stock_lists.batches(found)],
        moves=moves,
        page=page,
        pages=_pages(count, stock_lists.CARD_PAGE),
    )


@bp.get("/farmasi/stok/<code>/terima")
@staff
def delivery(code: str):
    return _delivery_page(_medicine_or_404(code), DeliveryForm(data=_new_key()))


@bp.post("/farmasi/stok/<code>/terima")
@staff
def receive_delivery(code: str):
    found = _medicine_or_404(code)
    form = DeliveryForm(request.form).of(found)
    if not form.validate():
        return _delivery_page(found, form, 422)
    came = Delivery(
        form.number.cleaned,
        form.expires_on.cleaned,
        form.quantity.cleaned,
        form.source.cleaned or "",
    )
    try:
        with transaction():
            stock.receive(access.current_actor(), found, came, form.key.data or "")
    except StockError as problem:
        return _delivery_page(found, _told(form, problem), 422)
    amount = f"{number_text(came.quantity)} {found.unit}"
    flash(f"{found.label}: {amount} batch {came.number} masuk stok.", "success")
    return redirect(url_for("pharmacy.stock_card", code=found.code), 303)


@bp.get("/farmasi/batch/<batch>")
@staff
def stock_batch(batch: str):
    return _batch_page(_batch_or_404(batch))


@bp.post("/farmasi/batch/<batch>/koreksi")
@staff
def correct_stock(batch: str):
    found = _batch_or_404(batch)
    form = CountForm(request.form).of(found.medicine)
    if not form.validate():
        return _batch_page(found, counting=form, status=422)
    try:
        with transaction():
            counted, said = form.counted.cleaned, (form.reason.cleaned, form.key.data or "")
            stock.correct(access.current_actor(), found, counted, _seen(form), *said)
    except StockError as problem:
        return _batch_page(found, counting=_told(form, problem), status=_status(problem))
    flash(f"Stok {found.medicine.label} batch {found.number} dikoreksi.", "success")
    return redirect(url_for("pharmacy.stock_card", code=found.medicine.code), 303)


@bp.post("/farmasi/batch/<batch>/kedaluwarsa")
@staff
def write_off_expired(batch: str):
    found, form = _batch_or_404(batch), ExpiryForm(request.form)
    if not form.validate():
        return _batch_page(found, expiring=form, status=422)
    try:
        with transaction():
            said = (form.expiry_reason.cleaned, form.key.data or "")
            stock.write_off(access.current_actor(), found, _seen(form), *said)
    except StockError as problem:
        problem.field = "expiry_reason" if problem.field == "reason" else problem.field
        return _batch_page(found, expiring=_told(form, problem), status=_status(problem))
    flash(f"Batch {found.number} yang kedaluwarsa dikeluarkan dari stok.", "success")
    return redirect(url_for("pharmacy.stock_card", code=found.medicine.code), 303)


def _seen(form: PageForm) -> Decimal:
    """The balance that the page had shown."""
    try:
        return Decimal(form.seen.data or "-1")
    except InvalidOperation:
        return Decimal(-1)


def _status(problem: StockError) -> int:
    return 422 if problem.field else 409


def _told(form: PageForm, problem: StockError) -> PageForm:
    """The form with the sentence beside its field, or above all."""
    if problem.field:
        form[problem.field].errors = [str(problem)]
    else:
        form.form_errors = [str(problem)]
    return form


def _delivery_page(medicine: Medicine, form: DeliveryForm, status: int = 200) -> Response:
    html = render_template("pharmacy/delivery.html", medicine=medicine, form=form)
    return Response(html, status, mimetype="text/html")


def _batch_page(
    batch: StockBatch,
    counting: CountForm | None = None,
    expiring: ExpiryForm | None = None,
    status: int = 200,
) -> Response:
    html = render_template(
        "pharmacy/batch.html",
        batch=batch,
        medicine=batch.medicine,
        is_expired=stock.is_expired(batch, days.clinic_date()),
        counting=counting or CountForm(data=_new_key()),
        expiring=expiring or ExpiryForm(data=_new_key()),
    )
    return Response(html, status, mimetype="text/html")
