"""Back entry: many slips on one sheet, checked together, saved line by line."""

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

import access
from blueprints.registration import drafted, slip_lines
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.forms import RegistrationForm
from blueprints.registration.slip_lines import Sent, SheetLine
from clinic import days, drafts, registration, slips
from db import transaction
from formatting import PAYER_LABELS, short_date
from models import RegistrationDraft
from validators import NO_NIK_REASONS, FieldError, parse_date

LINES, MOST, SPARE = 10, 20, 3
DROP = "buang:"
UNREADABLE = "Tanggal pelayanan tidak terbaca. Tulis hari, bulan, lalu tahun 4 angka, misalnya {}."


@bp.get("/pendaftaran/kertas/isi")
@counter
def slip_sheet():
    on = _day(request.args.get("tanggal", ""))
    mine = drafts.unsaved(current_user.id, from_paper=True)[::-1]
    here = [draft for draft in mine if slips.clinic_day(draft.paper) == on]
    lines = [slip_lines.shown(index, draft) for index, draft in enumerate(here[:MOST], 1)]
    spare = max(LINES - len(lines), SPARE)
    waiting = [line.waits_for for line in lines]
    lines += [SheetLine(len(lines) + more, slip_lines.CHOICES) for more in range(1, spare + 1)]
    return _page(
        lines,
        next(filter(None, waiting), "" if here else "slip-1"),
        on=on,
        others=sorted({slips.clinic_day(draft.paper) for draft in mine} - {on}),
        entered=slips.entered_on(on),
        day_problem="",
    )


def _page(lines: list[SheetLine], focus: str, **more: Any) -> str:
    rooms = RegistrationForm().rooms
    return render_template(
        "registration/slip_sheet.html",
        lines=lines,
        focus=focus,
        # One letter finds a room: "Poli" would have to be typed for each slip.
        rooms=[(code, name.removeprefix("Poli ")) for code, name in rooms.items()],
        why=NO_NIK_REASONS.items(),
        payers=PAYER_LABELS.items(),
        **more,
    )


@bp.post("/pendaftaran/kertas/isi")
@counter
def slip_sheet_post():
    try:
        # A sender without the field means today; an emptied one was emptied by somebody.
        on = _service_day(request.form.get("tanggal", days.clinic_date().isoformat()))
    except FieldError as problem:
        return _as_sent(problem), 422
    action = request.form.get("aksi", "periksa")
    sent = slip_lines.sent(on)
    with transaction():
        kept = [_keep(one, action) for one in sent]
    if action == "simpan":
        ready = [(one, draft) for one, draft in zip(sent, kept, strict=True) if not one.is_changed]
        saved = sum(_save(one, draft.public_id) for one, draft in ready)
        _tell(saved, len(sent) - saved)
    return redirect(url_for("registration.slip_sheet", tanggal=on.isoformat()), 303)


def _as_sent(problem: FieldError) -> str:
    """The sheet as it was sent: nobody knows by which day its lines are judged and kept."""
    return _page(
        slip_lines.as_typed(),
        "tanggal",
        others=[],
        day_typed=request.form.get("tanggal", ""),
        day_problem=str(problem),
        carried=slip_lines.carried(),
    )


def _keep(one: Sent, action: str) -> RegistrationDraft:
    """Store the line as typed, right or wrong: nothing typed is lost."""
    actor, draft = access.current_actor(), one.draft
    before = draft.fields if draft else one.fields
    if one.is_changed:
        draft = drafts.store(actor, one.fields, one.subject, draft, one.answers, one.paper)
    reasons = drafts.still_answering(one.reasons, before, one.fields)
    drafts.answer(draft, one.answers, reasons)
    if action == f"{DROP}{one.index}":
        drafts.drop(actor, draft)
    return draft


def _save(one: Sent, ref: str) -> bool:
    """Save the line by the counter's rules; what is missing the page says by itself."""
    version = request.form.get(f"version-{one.index}", type=int) or 0
    were_asked = request.form.getlist(f"ditanya-{one.index}")
    try:
        with transaction():
            read = drafted.read(access.draft_or_404(ref))
            if not read.is_valid or not drafts.is_editable(read.draft):
                return False
            said = (read.draft.reasons, read.draft.answers, were_asked)
            actor, application = access.current_actor(), read.application()
            registration.save(actor, read.draft, application, version, *said)
    except (registration.RegistrationError, slips.SlipError):
        return False
    return True


def _tell(saved: int, left: int) -> None:
    if saved:
        flash(f"{saved} slip tersimpan.", "success")
    if left:
        flash(f"{left} baris belum disimpan. Lihat yang diminta, lalu simpan lagi.", "warning")


def _day(typed: str) -> date:
    """The day whose sheet is shown: today unless another one is asked for."""
    try:
        return _service_day(typed) if typed else days.clinic_date()
    except FieldError as problem:
        flash(f"{problem} Lembar ini memakai hari ini.", "warning")
        return days.clinic_date()


def _service_day(typed: str) -> date:
    """The day the slips are of; FieldError unless it can be read and has come."""
    today = days.clinic_date()
    try:
        day = parse_date(typed)
    except FieldError:
        raise FieldError("DATE", UNREADABLE.format(short_date(today))) from None
    if day > today:
        raise FieldError("DATE", "Tanggal pelayanan ini belum tiba.")
    return day
