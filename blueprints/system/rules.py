"""The rules for a wrong choice of room: how strict, in which words. The head's decision."""

import re
from typing import Any

from flask import flash, redirect, render_template, url_for
from sqlalchemy import select
from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import ValidationError

import access
from blueprints.system.desk import (
    ANY_SEX,
    BOTH,
    LARGEST_ID,
    RowForm,
    all_polis,
    bp,
    months_of,
    open_rooms,
    split_months,
    whole,
)
from clinic import catalogue, routing
from clinic.review import DANGER
from db import db
from models import Level, Role, RoutingRule
from page_form import choices, filled
from validators import checked_by, clean_text

LEVEL_HINTS = {
    Level.ERROR: "merah, petugas menulis alasan untuk melanjutkan",
    Level.WARNING: "kuning, petugas menulis alasan untuk melanjutkan",
    Level.INFO: "hanya diberitahukan",
    Level.OFF: "tidak pernah muncul",
}
# The red banner goes by the words alone: a danger sign is never lost.
STAYS = "Peringatan merah UGD tetap tampil"
OFF_FOR_DANGER = "hanya peringatan merah UGD, tanpa alasan dan tanpa tanda di antrean ruang"
PREGNANCY = {
    "ya": "Hamil",
    "nifas": "Nifas",
    "tidak": "Tidak hamil",
    "unknown": "Belum ditanyakan",
}
LEVELS = {
    level: f"{label}: {LEVEL_HINTS[level]}" for level, label in catalogue.LEVEL_LABELS.items()
}
LISTS = ("poli_in", "poli_not_in", "pregnant_in")


class RuleForm(RowForm):
    level = RadioField("Tingkat", choices=choices(LEVELS))
    message = TextAreaField(
        "Pesan di layar",
        [checked_by(clean_text, max_length=300), filled("Isi pesan untuk petugas.")],
    )
    threshold = StringField("Ambang", [whole(1, 999), filled("Isi angka bulat 1 sampai 999.")])
    poli_in = SelectMultipleField("Hanya untuk ruang")
    poli_not_in = SelectMultipleField("Kecuali ruang")
    sex = RadioField("Jenis kelamin", choices=choices(ANY_SEX))
    pregnant_in = SelectMultipleField("Kehamilan", choices=choices(PREGNANCY))
    from_years = StringField("Umur mulai, tahun", [whole(0, 130)])
    from_months = StringField("Umur mulai, bulan", [whole(0, 11)])
    below_years = StringField("Umur di bawah, tahun", [whole(0, 130)])
    below_months = StringField("Umur di bawah, bulan", [whole(0, 11)])
    unless_words = TextAreaField(
        "Tidak berlaku bila keluhan memuat", [checked_by(clean_text, max_length=300)]
    )
    target_code = SelectField("Ruang yang disarankan")

    def __init__(self, formdata=None, **more):
        super().__init__(formdata, **more)
        if self.row.rule == DANGER:
            off = f"{catalogue.LEVEL_LABELS[Level.OFF]}: {OFF_FOR_DANGER}"
            self.level.choices = choices(LEVELS | {Level.OFF: off})
        if self.row.threshold is None:
            del self.threshold
        rooms = {poli.code: poli.name for poli in all_polis()}
        self.poli_in.choices = self.poli_not_in.choices = choices(rooms)
        targets = {"": "Tidak ada"} | open_rooms(self.row.target_code)
        self.target_code.choices = choices(targets)

    def validate_message(self, field) -> None:
        message = field.cleaned or ""
        unknown = set(re.findall(r"\{(.*?)\}", message)) - set(routing.PLACEHOLDERS)
        if unknown:
            raise ValidationError(f"Isian {{{sorted(unknown)[0]}}} tidak dikenal.")
        if re.search(r"[{}]", re.sub(r"\{.*?\}", "", message)):
            raise ValidationError("Ada kurung kurawal tanpa pasangan. Tulis misalnya {poli}.")

    def values(self) -> dict[str, Any]:
        values = {
            "level": Level(self.level.data),
            "message": self.message.cleaned,
            "sex": self.sex.data or None,
            "age_from_months": months_of(self.from_years, self.from_months),
            "age_below_months": months_of(self.below_years, self.below_months),
            "unless_words": self.unless_words.cleaned,
            "target_code": self.target_code.data or None,
        }
        if self.row.threshold is not None:
            values["threshold"] = self.threshold.cleaned
        return values | {name: self._codes(name) for name in LISTS}

    def _codes(self, name: str) -> str | None:
        """The ticked codes; as they stood when the same are ticked in another order."""
        before, ticked = getattr(self.row, name), self[name].data
        is_same = set((before or "").split()) == set(ticked)
        return before if is_same else " ".join(ticked) or None


def _known_values(rule: RoutingRule) -> dict[str, Any]:
    values = {name: getattr(rule, name) for name in ("message", "threshold", "unless_words")}
    values |= {name: (getattr(rule, name) or "").split() for name in LISTS}
    values |= split_months("from", rule.age_from_months)
    values |= split_months("below", rule.age_below_months)
    return values | {
        "level": rule.level.value,
        "sex": rule.sex or "",
        "target_code": rule.target_code or "",
    }


@bp.get("/sistem/aturan")
@access.allow(Role.HEAD)
def rules():
    """All rules in the order in which they are asked. Head only: they steer patients."""
    found = select(RoutingRule).order_by(RoutingRule.position, RoutingRule.id)
    return render_template(
        "system/rules.html",
        rules=list(db.session.scalars(found)),
        level_labels=catalogue.LEVEL_LABELS,
        names={poli.code: poli.name for poli in all_polis()},
    )


@bp.route(f"/sistem/aturan/<int(max={LARGEST_ID}):rule_id>", methods=BOTH)
@access.allow(Role.HEAD)
def rule(rule_id: int):
    """Change a rule; it holds from the next registration on."""
    found = db.get_or_404(RoutingRule, rule_id)
    form = RuleForm.of(found, _known_values(found))
    if form.stored(catalogue.change_rule):
        named = f"Aturan {found.rule} nomor {found.position}"
        more = f" {STAYS}." if found.rule == DANGER and found.level is Level.OFF else ""
        flash(f"{named} disimpan dan langsung berlaku.{more}", "success")
        return redirect(url_for("system.rules"), 303)
    page = render_template(
        "system/rule.html",
        form=form,
        rule=found,
        placeholders=routing.PLACEHOLDERS,
        stays=STAYS if found.rule == DANGER else "",
    )
    return page, form.status
