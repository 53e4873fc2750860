"""The desk: find first. One box, today's registrations, drafts that were left."""

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user

import access
from blueprints.registration.blueprint import bp, counter
from clinic import (
    days,
    drafts,
    incomplete,
    routing,
    search,
    todays_visits,
    typed_search,
)
from clinic.month_names import parse_birth_date
from db import transaction
from models import ServiceDay
from validators import FieldError

LATEST, PAGE = 15, 50  # rows on the desk, and on a page of all
NOTHING = {"q": "", "birth_date": ""}
JUST_SEARCHED = "hasil"  # in the address of a search's answer, and in the form that stands there
DATE_OF_ANOTHER = "Tanggal lahir dari pencarian sebelumnya tidak dipakai untuk nama lain."


@bp.get("/pendaftaran")
@counter
def desk():
    last = session.get("last_search") or NOTHING
    left = drafts.unsaved(current_user.id)
    dropped = drafts.by_ref(request.args.get("dibuang", ""))
    if dropped and not drafts.was_dropped_by(dropped, current_user.id):
        dropped = None
    # Whoever comes here otherwise has the next person in front of them: an empty box.
    is_answer = JUST_SEARCHED in request.args
    day = days.todays()
    latest = todays_visits.newest(day, LATEST) if day else []
    return render_template(
        "registration/desk.html",
        drafts=left,
        dropped=dropped,
        about=drafts.visits_of([*left, dropped] if dropped else left),
        rooms=routing.load().polis,
        slips=drafts.unsaved(current_user.id, from_paper=True),
        visits=latest,
        visit_count=todays_visits.count(day) if len(latest) == LATEST else len(latest),
        box=last if is_answer else NOTHING,
        afresh=not is_answer,
        **_results(last, day),
    )


@bp.post("/pendaftaran")
@counter
def search_patients():
    typed, is_of_another = _typed()
    if is_of_another:
        flash(f"{DATE_OF_ANOTHER} Isi lagi bila perlu.", "warning")
    if not any(typed.values()):
        flash("Ketik nama, NIK, atau nomor lain dahulu.", "warning")
        return redirect(url_for("registration.desk"), 303)
    session["last_search"] = typed
    if request.form.get("aksi") == "baru":
        return redirect(url_for("registration.new"), 303)
    return redirect(url_for("registration.desk", **{JUST_SEARCHED: 1}), 303)


@bp.post("/pendaftaran/cari")
@counter
def results():
    """Fragment: what the box finds while it is being typed into. Leaves the session alone."""
    typed, is_of_another = _typed()
    note = DATE_OF_ANOTHER if is_of_another else ""
    return render_template(
        "registration/_results.html", note=note, **_results(typed, days.todays())
    )


def _typed() -> tuple[dict[str, str], bool]:
    """What the boxes say; and whether a date was left out that stood there for somebody else."""
    typed = {
        "q": request.form.get("q", "")[:120].strip(),
        "birth_date": request.form.get("birth_date", "")[:20].strip(),
    }
    last = session.get("last_search") or NOTHING
    stood_there = JUST_SEARCHED in request.form and typed["birth_date"] == last["birth_date"]
    if not (typed["birth_date"] and stood_there) or typed_search.may_mean(last["q"], typed["q"]):
        return typed, False
    return typed | {"birth_date": ""}, True


def _results(typed: dict[str, str], day: ServiceDay | None) -> dict:
    birth_date, problem, found, reading = None, "", [], ""
    if typed["birth_date"].strip():
        try:
            birth_date = parse_birth_date(typed["birth_date"], days.clinic_date())
        except FieldError as error:
            problem = str(error)
    q = typed["q"].strip()
    if (q or birth_date) and not problem:
        numbered = todays_visits.bearers(day, q)
        found = search.of_ids(numbered) if numbered else search.find(q, birth_date)
        if not numbered:
            reading = typed_search.reading_note(q, birth_date, days.clinic_date(), found)
    return {
        "q": typed["q"],
        "typed_birth_date": typed["birth_date"],
        "problem": problem,
        "length_note": typed_search.length_note(q),
        "reading": reading,
        "found": found,
        "to_complete": incomplete.visits_of_unknown(one.patient for one in found),
        "todays": todays_visits.of_people(day, [one.patient.id for one in found]),
        "today": days.clinic_date(),
    }


@bp.get("/pendaftaran/hari-ini")
@counter
def registered_today():
    """All of today's registrations, newest first, some on a page."""
    day, ref = days.todays(), request.args.get("sebelum", "")
    before = access.visit_or_404(ref) if ref else None
    rows = todays_visits.newest(day, PAGE + 1, before) if day else []
    return render_template(
        "registration/today.html",
        visits=rows[:PAGE],
        earlier_than=rows[PAGE - 1].public_id if len(rows) > PAGE else "",
        is_first=before is None,
    )


@bp.post("/pendaftaran/draf/<draft>/buang")
@counter
def drop_draft(draft):
    found = access.draft_or_404(draft)
    with transaction():
        drafts.drop(access.current_actor(), found)
    return redirect(url_for("registration.desk", dibuang=found.public_id), 303)


@bp.post("/pendaftaran/draf/<draft>/kembalikan")
@counter
def take_back_draft(draft):
    found = access.draft_or_404(draft)
    with transaction():
        drafts.take_back(access.current_actor(), found)
    return redirect(url_for("registration.desk"), 303)
