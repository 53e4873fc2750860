"""One pair side by side: two people, or one, whose records become one."""

from flask import abort, flash, redirect, render_template, request, url_for

import access
from blueprints.records import comparison
from blueprints.records.blueprint import bp, staff
from blueprints.records.comparison import NEWER, OLDER
from clinic import days, history, merging, nik_disputes, pairs, search
from clinic.merging import MergeError
from clinic.pairs import OpenPair
from db import transaction
from models import PairState, SuspectedPair

VISITS = 5
ENTER = "enter"  # in a field: neither of two answers that are so far apart
PRESS_ONE = "Belum ada yang dicatat. Tekan salah satu tombol: satu orang, atau dua orang berbeda."
JUST_MERGED = (
    "Kedua rekam medis ini baru saja digabung oleh rekan Anda, jadi jawaban Anda tidak dicatat. "
    "Bila memang dua orang, urungkan penggabungannya di halaman Penggabungan."
)


@bp.get("/rekam-medis/pasangan/<pair>")
@staff
def pair(pair: str):
    """Both records, their visits, and why they look alike."""
    return _page(_pair_or_404(pair))


@bp.post("/rekam-medis/pasangan/<pair>/beda")
@staff
def decide_different(pair: str):
    """Two people: remembered for ever. One NIK on both records is given to one of them."""
    found = _pair_or_404(pair)
    if found.one.id == found.other.id:
        return _page(found, JUST_MERGED), 409
    reason = request.form.get("alasan", "").strip()
    owner = {OLDER: (found.one, found.other), NEWER: (found.other, found.one)}.get(
        request.form.get("pemilik", "")
    )
    try:
        with transaction():
            if owner and nik_disputes.is_disputed(*owner):
                nik_disputes.settle(access.current_actor(), *owner, reason)
            pairs.decide_different(access.current_actor(), found.pair, reason)
    except nik_disputes.HeldElsewhere as problem:
        return _page(_pair_or_404(pair), str(problem)), 409
    flash("Dicatat: dua orang yang berbeda. Pasangan ini tidak ditanyakan lagi.", "success")
    return redirect(url_for("records.desk"), 303)


@bp.post("/rekam-medis/pasangan/<pair>/gabung")
@staff
def merge(pair: str):
    """One person: the main record takes the other in."""
    found = _pair_or_404(pair)
    if request.form.get("aksi") == ENTER:
        return _page(found, PRESS_ONE), 422
    main = _main(found)
    survivor, loser = (found.one, found.other) if main == OLDER else (found.other, found.one)
    seen = (request.form.get("versi_satu"), request.form.get("versi_dua"))
    if seen != (str(found.one.version), str(found.other.version)):
        return _page(found, merging.CHANGED), 409
    rows = comparison.rows(found.one, found.other, main, request.form)
    try:
        with transaction():
            done = merging.merge(
                access.current_actor(),
                survivor,
                loser,
                comparison.picked(rows, main),
                request.form.get("alasan", ""),
                found.pair,
            )
            ref = done.public_id
    except MergeError as problem:
        return _page(_pair_or_404(pair), str(problem)), 422
    flash("Kedua rekam medis sudah menjadi satu.", "success")
    return redirect(url_for("records.merged", merge=ref), 303)


def _pair_or_404(ref: str) -> OpenPair:
    found = pairs.by_ref(ref)
    return pairs.of_today(found) if found else abort(404)


def _main(found: OpenPair) -> str:
    """The side that goes on: as chosen, else the record that is used more."""
    asked = request.form.get("utama") or request.args.get("utama")
    if asked in (OLDER, NEWER):
        return asked
    return NEWER if history.visit_count(found.other) > history.visit_count(found.one) else OLDER


def _page(found: OpenPair, problem: str = "") -> str:
    for record in (found.one, found.other):
        access.record_view("view_identity", record, "pair", found.pair.public_id)
    is_one = found.one.id == found.other.id
    main = _main(found)
    last = search.last_visits([found.one.id, found.other.id])
    return render_template(
        "records/pair.html",
        pair=found.pair,
        state=_state(found.pair, is_one),
        sides=[
            (
                code,
                one,
                history.visit_count(one),
                last.get(one.id),
                history.visit_lines(one, VISITS, None),
            )
            for code, one in ((OLDER, found.one), (NEWER, found.other))
        ],
        rows=[] if is_one else comparison.rows(found.one, found.other, main, request.form),
        main=main,
        refusal="" if is_one else merging.refusal(found.one, found.other),
        is_one=is_one,
        is_nik_disputed=nik_disputes.is_disputed(found.one, found.other),
        problem=problem,
        reason=request.form.get("alasan", ""),
        today=days.clinic_date(),
    )


def _state(pair: SuspectedPair, is_one: bool) -> str:
    if is_one:
        return "Sudah digabung menjadi satu rekam medis."
    return {
        PairState.OPEN: "",
        PairState.DIFFERENT: "Sudah diputuskan: dua orang yang berbeda.",
        PairState.MERGED: "Sudah digabung menjadi satu rekam medis.",
    }[pair.state]
