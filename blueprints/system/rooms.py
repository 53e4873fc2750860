"""Rooms: whom they are for, their letter, their order. The head's: it changes who is sent where."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from sqlalchemy import select
from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, Regexp

import access
from blueprints.system.desk import (
    ANY_SEX,
    BOTH,
    RowForm,
    all_polis,
    bp,
    line,
    months_of,
    open_rooms,
    split_months,
    whole,
)
from clinic import accounts, catalogue, settings
from clinic.form_definitions import FORMS
from clinic.rooms import ELDERLY
from db import db
from formatting import CLUSTER_LABELS
from models import Poli, PoliKind, Role
from page_form import choices

CLUSTER_RULES = {
    "AGE": "Menurut umur dan kehamilan pasien",
    "KB": "Menurut pengaturan klaster KB",
    **CLUSTER_LABELS,
}
HUES = (
    "Biru",
    "Ungu",
    "Merah muda",
    "Jingga",
    "Hijau",
    "Nila",
    "Toska",
    "Kuning tua",
    "Cokelat",
    "Hijau lumut",
    "Abu-abu",
    "Ungu kemerahan",
)
SAME_COLUMNS = (
    "name",
    "prefix",
    "kind",
    "cluster_rule",
    "needs_order",
    "blocks_outside",
    "redirect_code",
    "hue",
    "pcare_code",
    "fhir_location_id",
)


class PoliForm(RowForm):
    FIXED = ("code",)  # rules and words name the room by it
    code = StringField(
        "Kode",
        [
            DataRequired("Isi kode ruang, misalnya GIGI."),
            Regexp(r"^[A-Z0-9]{2,12}$", message="Pakai 2-12 huruf atau angka tanpa spasi."),
        ],
        filters=[lambda text: (text or "").strip().upper()],
    )
    name = line("Nama ruang", 60, "Isi nama ruang.")
    prefix = StringField(
        "Huruf nomor antrean",
        [
            DataRequired("Isi satu huruf untuk nomor antrean."),
            # A digit is for a closed room, see catalogue.
            Regexp(r"^[A-Z0-9]$", message=catalogue.ONE_LETTER),
        ],
        filters=[lambda text: (text or "").strip().upper()],
    )
    kind = SelectField("Jenis ruang", choices=choices(catalogue.KIND_LABELS))
    cluster_rule = SelectField("Klaster ILP", choices=choices(CLUSTER_RULES))
    min_years = StringField("Umur paling muda, tahun", [whole(0, 130)])
    min_months = StringField("Umur paling muda, bulan", [whole(0, 11)])
    max_years = StringField("Umur paling tua, tahun", [whole(0, 130)])
    max_months = StringField("Umur paling tua, bulan", [whole(0, 11)])
    sex = RadioField("Jenis kelamin", choices=choices(ANY_SEX))
    pregnancy = SelectMultipleField(
        "Hanya untuk",
        choices=choices({"ya": "Ibu hamil", "nifas": "Ibu nifas", "tidak": "Tidak hamil"}),
    )
    room_forms = SelectMultipleField(
        "Isian khusus pemeriksaan",
        choices=choices({name: form.label for name, form in FORMS.items()}),
    )
    needs_order = BooleanField("Biasanya menerima pasien dari ruang lain, bukan dari loket")
    blocks_outside = BooleanField("Beri peringatan merah bila pasien di luar sasaran")
    redirect_code = SelectField("Bila di luar sasaran, sarankan")
    position = StringField("Urutan di daftar", [whole(0, 999)])
    hue = SelectField("Warna", choices=choices(dict(enumerate(HUES))))
    pcare_code = line("Kode P-Care", 8)
    fhir_location_id = line("Kode lokasi SATUSEHAT", 64)
    is_active = BooleanField("Ruang dipakai")

    def __init__(self, formdata=None, **more):
        super().__init__(formdata, **more)
        others = {"": "Tidak ada saran"} | open_rooms(getattr(self.row, "redirect_code", None))
        others.pop(getattr(self.row, "code", None), None)
        self.redirect_code.choices = choices(others)

    def values(self) -> dict[str, Any]:
        values = {
            "name": self.name.cleaned,
            "prefix": self.prefix.data,
            "kind": PoliKind(self.kind.data),
            "cluster_rule": self.cluster_rule.data,
            "min_age_months": months_of(self.min_years, self.min_months),
            "max_age_months": months_of(self.max_years, self.max_months),
            "sex": self.sex.data or None,
            "pregnancy": " ".join(self.pregnancy.data) or None,
            "room_forms": " ".join(name for name in FORMS if name in self.room_forms.data),
            "needs_order": self.needs_order.data,
            "blocks_outside": self.blocks_outside.data,
            "redirect_code": self.redirect_code.data or None,
            "position": self.position.cleaned or 0,
            "hue": int(self.hue.data),
            "pcare_code": self.pcare_code.cleaned,
            "fhir_location_id": self.fhir_location_id.cleaned,
            "is_active": self.is_new or self.is_active.data,
        }
        return values | ({"code": self.code.data} if self.is_new else {})


def _known_values(poli: Poli) -> dict[str, Any]:
    values = {column: getattr(poli, column) for column in SAME_COLUMNS}
    values |= split_months("min", poli.min_age_months) | split_months("max", poli.max_age_months)
    return values | {
        "hue": str(poli.hue),
        "position": poli.position,
        "sex": poli.sex or "",
        "redirect_code": poli.redirect_code or "",
        "pregnancy": (poli.pregnancy or "").split(),
        "room_forms": poli.room_forms.split(),
        "is_active": poli.is_active,
    }


def _new_values() -> dict[str, Any]:
    """A free letter and the last place, so that a plain room needs a code and a name only."""
    rooms = all_polis()
    letters = catalogue.free_letters(rooms)
    return {
        "prefix": letters[0] if letters else "",
        "kind": PoliKind.OUTPATIENT,
        "cluster_rule": "AGE",
        "sex": "",
        "position": max((room.position for room in rooms), default=0) + 1,
        "hue": str(len(rooms) % len(HUES)),
    }


def _room_or_404(code: str) -> Poli:
    return db.first_or_404(select(Poli).where(Poli.code == code))


def _age_words(poli: Poli) -> str:
    """Such as "mulai 5 tahun" or "sampai 4 tahun 11 bulan"."""
    parts = []
    youngest = (
        settings.value("elderly_from_years") * 12 if poli.code == ELDERLY else poli.min_age_months
    )
    for word, months in (("mulai", youngest), ("sampai", poli.max_age_months)):
        if months is not None:
            years, rest = divmod(months, 12)
            sizes = [f"{years} tahun"] if years or not rest else []
            parts.append(" ".join([word, *sizes, *([f"{rest} bulan"] if rest else [])]))
    return " ".join(parts)


def _for_whom(poli: Poli) -> str:
    groups = {"ya": "ibu hamil", "nifas": "ibu nifas", "tidak": "tidak hamil"}
    sexes = {"L": "laki-laki", "P": "perempuan"}
    words = [
        _age_words(poli),
        sexes.get(poli.sex or "", ""),
        " atau ".join(groups.get(word, word) for word in (poli.pregnancy or "").split()),
    ]
    text = ", ".join(word for word in words if word) or "semua pasien"
    return text[0].upper() + text[1:]


@bp.get("/sistem/ruang")
@access.allow(Role.HEAD)
def rooms():
    """All rooms in the order of the lists. Head only: it changes who is sent where."""
    alone = accounts.rooms_without_staff()
    rows = [
        {
            "poli": poli,
            "for_whom": _for_whom(poli),
            "cluster": CLUSTER_RULES[poli.cluster_rule],
            "has_staff": poli not in alone,
        }
        for poli in all_polis()
    ]
    return render_template("system/rooms.html", rows=rows)


@bp.route("/sistem/ruang/baru", methods=BOTH)
@bp.route("/sistem/ruang/<code>", methods=BOTH)
@access.allow(Role.HEAD)
def room(code: str = ""):
    """Open a room, change it, or close it when nobody waits there."""
    poli = _room_or_404(code) if code else None
    form = PoliForm.of(poli, _known_values(poli) if poli else _new_values())
    if form.stored(catalogue.change_poli, catalogue.create_poli):
        flash(f"{form.name.cleaned} {form.done}", "success")
        return redirect(url_for("system.rooms"), 303)
    no_letter = "" if poli else catalogue.no_letter_left(all_polis())
    is_elderly = poli is not None and poli.code == ELDERLY
    page = render_template(
        "system/room.html",
        form=form,
        poli=poli,
        no_letter=no_letter,
        elderly_from=settings.value("elderly_from_years") if is_elderly else None,
    )
    return page, form.status
