"""Paper slips: print a block, see what became of its numbers, mark one void."""

from flask import abort, flash, redirect, render_template, request, url_for

import access
from blueprints.registration.blueprint import bp, counter
from clinic import slips
from db import new_public_id, transaction
from models import SlipBlock

COUNTS = (30, 60, 90, 120)
REF_LENGTH = 36


@bp.get("/pendaftaran/kertas")
@counter
def slip_blocks():
    return _page()


@bp.post("/pendaftaran/kertas/cetak")
@counter
def print_slips():
    key, count = request.form.get("kunci", ""), request.form.get("jumlah", type=int) or 0
    if len(key) != REF_LENGTH:
        return redirect(url_for("registration.slip_blocks"), 303)
    try:
        with transaction():
            ref = slips.print_block(access.current_actor(), key, count).public_id
    except slips.SlipError as refused:
        return _page(problem=refused), 422
    return redirect(url_for("registration.slip_block", block=ref), 303)


@bp.get("/pendaftaran/kertas/blok/<block>")
@counter
def slip_block(block: str):
    found = _block_or_404(block)
    numbers = range(found.first_number, found.last_number + 1)
    return render_template(
        "registration/slip_block.html",
        block=found,
        labels=[slips.label(number) for number in numbers],
        is_printable=slips.is_printable(found),
        ended=slips.ended(found),
        label=slips.label,
    )


@bp.post("/pendaftaran/kertas/batal")
@counter
def void_slip():
    number, reason = request.form.get("slip", ""), request.form.get("alasan", "")
    try:
        with transaction():
            slip = slips.make_void(access.current_actor(), number, reason)
            label = slips.label(slip.number)
    except slips.SlipError as refused:
        return _page(problem=refused, typed={"slip": number, "reason": reason}), 422
    flash(f"Slip {label} ditandai batal.", "success")
    return redirect(url_for("registration.slip_blocks"), 303)


def _page(problem: slips.SlipError | None = None, typed: dict | None = None) -> str:
    return render_template(
        "registration/slip_blocks.html",
        blocks=slips.blocks(),
        label=slips.label,
        counts=COUNTS,
        key=new_public_id(),
        problem=problem,
        typed=typed or {"slip": "", "reason": ""},
    )


def _block_or_404(ref: str) -> SlipBlock:
    return slips.block_by_ref(ref) or abort(404)
