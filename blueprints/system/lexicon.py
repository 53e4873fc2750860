"""The words of complaints and the rooms they speak for. The head's: they steer patients."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import or_, select
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

import access
from blueprints.system.desk import (
    ANY_SEX,
    BOTH,
    LARGEST_ID,
    RowForm,
    all_polis,
    bp,
    line,
    months_of,
    open_rooms,
    page_number,
    split_months,
    whole,
)
from clinic import catalogue, complaint_text, days, routing
from db import db
from models import ComplaintTerm, Role
from page_form import PageForm, choices, filled
from validators import FieldError, checked_by, clean_text

PAGE_SIZE = 50
WEIGHTS = {1: "1: lemah", 2: "2: sedang", 3: "3: pasti ruang ini"}


class TermForm(RowForm):
    phrase = line("Kata atau kalimat pendek", 80, "Isi kata keluhan.")
    poli_code = SelectField("Ruang")
    weight = RadioField("Bobot", choices=choices(WEIGHTS))
    is_red_flag = BooleanField("Tanda bahaya: tampilkan peringatan UGD")
    from_years = StringField("Umur mulai, tahun", [whole(0, 130)])
    from_months = StringField("Umur mulai, bulan", [whole(0, 11)])
    below_years = StringField("Umur di bawah, tahun", [whole(0, 130)])
    below_months = StringField("Umur di bawah, bulan", [whole(0, 11)])
    needs_pregnant = BooleanField("Hanya bila pasien hamil")
    is_active = BooleanField("Kata dipakai")

    def __init__(self, formdata=None, **more):
        super().__init__(formdata, **more)
        first = {"": "Pilih ruang"} if self.is_new else {}
        self.poli_code.choices = choices(first | open_rooms(getattr(self.row, "poli_code", None)))

    def validate_poli_code(self, field) -> None:
        if not field.data:
            raise ValidationError("Pilih ruang yang dituju kata ini.")

    def values(self) -> dict[str, Any]:
        return {
            "phrase": self.phrase.cleaned,
            "poli_code": self.poli_code.data,
            "weight": int(self.weight.data),
            "is_red_flag": self.is_red_flag.data,
            "age_from_months": months_of(self.from_years, self.from_months),
            "age_below_months": months_of(self.below_years, self.below_months),
            "needs_pregnant": self.needs_pregnant.data,
            "is_active": self.is_new or self.is_active.data,
        }


class TrialForm(PageForm):
    complaint = TextAreaField(
        "Keluhan", [checked_by(clean_text, max_length=500), filled("Ketik keluhan.")]
    )
    sex = RadioField("Jenis kelamin", choices=choices(ANY_SEX | {"": "Tidak disebut"}))
    years = StringField("Umur, tahun", [whole(0, 130)])
    months = StringField("Umur, bulan", [whole(0, 11)])
    pregnant = BooleanField("Hamil")

    def case(self) -> routing.Case:
        return routing.Case(
            complaint=self.complaint.cleaned,
            sex=self.sex.data,
            birth_date=None,
            age_months=months_of(self.years, self.months),
            pregnant="ya" if self.pregnant.data else "",
            poli_code="",
            on=days.clinic_date(),
        )


def _known_values(term: ComplaintTerm) -> dict[str, Any]:
    same = ("phrase", "poli_code", "is_red_flag", "needs_pregnant", "is_active")
    values = {name: getattr(term, name) for name in same} | {"weight": str(term.weight)}
    values |= split_months("from", term.age_from_months)
    return values | split_months("below", term.age_below_months)


def _typed_words() -> str:
    try:
        return clean_text(request.args.get("q", ""), 80)
    except FieldError:
        return ""


def _matching(room: str, words: str):
    """The words of this room (all when empty) that hold what was typed."""
    found = select(ComplaintTerm)
    if room:
        found = found.where(ComplaintTerm.poli_code == room)
    folded = complaint_text.fold(words)
    if folded:
        holds = [
            ComplaintTerm.folded.contains(folded, autoescape=True),
            ComplaintTerm.phrase.icontains(words, autoescape=True),
        ]
        found = found.where(or_(*holds))
    return found.order_by(ComplaintTerm.is_active.desc(), ComplaintTerm.folded, ComplaintTerm.id)


@bp.get("/sistem/kamus")
@access.allow(Role.HEAD)
def terms():
    """The lexicon, 50 words a page; what is typed here are words, not a patient's complaint."""
    polis = all_polis()
    names = {poli.code: poli.name for poli in polis}
    room = request.args.get("ruang", "") if request.args.get("ruang") in names else ""
    words, page = _typed_words(), page_number()
    found = _matching(room, words).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)
    rows = list(db.session.scalars(found))
    kept = {name: text for name, text in (("ruang", room), ("q", words)) if text}
    return render_template(
        "system/terms.html",
        rows=rows[:PAGE_SIZE],
        polis=polis,
        names=names,
        room=room,
        words=words,
        before=url_for("system.terms", halaman=page - 1, **kept) if page > 1 else "",
        after=url_for("system.terms", halaman=page + 1, **kept) if len(rows) > PAGE_SIZE else "",
        trial=TrialForm(data={"sex": ""}),
    )


@bp.route("/sistem/kamus/baru", methods=BOTH)
@bp.route(f"/sistem/kamus/<int(max={LARGEST_ID}):term_id>", methods=BOTH)
@access.allow(Role.HEAD)
def term(term_id: int = 0):
    """Add a word, change it, or end it."""
    found = db.get_or_404(ComplaintTerm, term_id) if term_id else None
    form = TermForm.of(found, _known_values(found) if found else {"weight": "2", "poli_code": ""})
    if form.stored(catalogue.change_term, catalogue.create_term):
        flash(f"Kata “{form.phrase.cleaned}” {form.done}", "success")
        return redirect(url_for("system.terms", ruang=form.poli_code.data), 303)
    return render_template("system/term.html", form=form, term=found), form.status


@bp.get("/sistem/kamus/coba")
@access.allow(Role.HEAD)
def try_complaint():
    """A complaint to try the lexicon with."""
    return _trial_page(TrialForm(data={"sex": ""}))


@bp.post("/sistem/kamus/coba")
@access.allow(Role.HEAD)
def tried_complaint():
    """What the desk would propose for it. Writes nothing; POST keeps it out of the address."""
    form = TrialForm(request.form)
    if not form.validate():
        return _trial_page(form), 422
    return _trial_page(form, form.case())


def _trial_page(form: TrialForm, case: routing.Case | None = None) -> str:
    found = routing.load() if case else None
    return render_template(
        "system/try_complaint.html",
        form=form,
        is_tried=case is not None,
        proposals=found.propose(case) if found else [],
        red_flags=found.red_flags(case) if found else (),
    )
