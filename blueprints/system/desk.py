"""What the pages of /sistem share: the blueprint, its tabs, form parts, saving a form."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from flask import Blueprint, current_app, g, request
from flask_login import current_user
from sqlalchemy import select
from wtforms import Field, StringField, TextAreaField, ValidationError

import access
import navigation
from blueprints.system.meanwhile import MARK, SharedForm
from clinic.administration import AdministrationError
from db import Base, db, transaction
from models import Poli
from page_form import PageForm, filled
from validators import checked_by, clean_text

bp = Blueprint("system", "blueprints.system")

REFUSED = {False: 422, True: 409}  # by whether somebody else has changed the same
LARGEST_ID = 2**31 - 1  # what an integer column of PostgreSQL takes
BOTH = ("GET", "POST")


@bp.context_processor
def page_tabs() -> dict:
    """The pages of /sistem that this account may open."""
    if g.get("has_failed") or not current_user.is_authenticated:
        return {"tabs": []}
    return {"tabs": navigation.system_tabs()}


class RowForm(SharedForm):
    """The form of one row of a list that the head keeps, or of a new one."""

    FIXED: tuple[str, ...] = ()  # what a row is known by elsewhere: asked of a new one only

    def __init__(self, formdata=None, *, row: Base | None = None, data=None):
        super().__init__(formdata, data=data)
        self.row, self.is_new = row, row is None
        for name in () if row is None else self.FIXED:
            del self[name]

    @classmethod
    def of(cls, row: Base | None, shown: Mapping[str, Any]) -> Self:
        """As it was sent; where nothing was, with these values."""
        stored = cls(row=row, data=shown)
        if not stored.is_sent:
            return stored
        form = cls(request.form, row=row)
        if row is not None:
            form.meet(stored, request.form.get(MARK, ""))
        return form

    def stored(self, change: Callable[..., Any], create: Callable[..., Any] | None = None) -> bool:
        """Whether the form was sent, was valid and is now a row."""
        if not self.is_sent:
            return False
        return saved(self, create) if self.is_new else saved(self, change, self.row)

    @property
    def done(self) -> str:
        return "ditambahkan." if self.is_new else "disimpan."

    @property
    def is_sent(self) -> bool:
        return request.method == "POST"

    @property
    def status(self) -> int:
        return REFUSED[self.is_overtaken] if self.is_sent else 200


def line(label: str, longest: int, needed: str = "") -> StringField:
    """A line of text; `needed` is what is said when it is empty and must not be."""
    required = [filled(needed)] if needed else []
    return StringField(label, [checked_by(clean_text, max_length=longest), *required])


def lines(label: str, longest: int, *first: Callable[[PageForm, Field], None]) -> TextAreaField:
    """Several lines, after these validators."""
    return TextAreaField(label, [*first, checked_by(clean_text, max_length=longest, newlines=True)])


def whole(low: int, high: int) -> Callable[[PageForm, Field], None]:
    """Validator: an empty field or a whole number in these bounds; it goes to field.cleaned."""

    def check(_form: PageForm, field: Field) -> None:
        typed = str(field.data or "").strip() if field.data != 0 else "0"
        field.cleaned = None
        if not typed:
            return
        if not (typed.isascii() and typed.isdecimal() and low <= int(typed[:9]) <= high):
            raise ValidationError(f"Isi angka bulat {low} sampai {high}.")
        field.cleaned = int(typed)

    return check


def months_of(years: Field, months: Field) -> int | None:
    """An age in months from its two fields; both empty: no limit."""
    if years.cleaned is None and months.cleaned is None:
        return None
    return (years.cleaned or 0) * 12 + (months.cleaned or 0)


def split_months(prefix: str, months: int | None) -> dict[str, int | None]:
    """The two fields' values for an age in months."""
    years, rest = (None, None) if months is None else divmod(months, 12)
    return {f"{prefix}_years": years, f"{prefix}_months": rest}


def all_polis() -> list[Poli]:
    return list(db.session.scalars(select(Poli).order_by(Poli.position, Poli.id)))


def open_rooms(*kept: str | None) -> dict[str, str]:
    """Names of the rooms in use by code, and of these, should they be closed."""
    return {poli.code: poli.name for poli in all_polis() if poli.is_active or poli.code in kept}


def data_folder() -> Path:
    """Where the clinic's files lie."""
    return current_app.config["ALUR"].data


ANY_SEX = {"": "Semua", "L": "Laki-laki", "P": "Perempuan"}


def page_number() -> int:
    """`?halaman=` from 1; nonsense is page 1."""
    typed = request.args.get("halaman", "")
    return max(1, int(typed)) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 1


@contextmanager
def saving(form: PageForm) -> Iterator[None]:
    """One transaction; a refusal stands beside its field, or in the summary without one."""
    try:
        with transaction():
            yield
        if isinstance(form, SharedForm):
            form.tell_followed()
    except AdministrationError as refusal:
        field: Any = form._fields.get(refusal.field)
        if field is None:
            form.form_errors.append(str(refusal))
        else:
            field.errors = [*field.errors, str(refusal)]


def saved(form: PageForm, write: Callable[..., Any], *about: Any) -> bool:
    """Whether the form was valid and is now stored by `write(actor, *about, form.values())`."""
    if not form.validate():
        return False
    with saving(form):
        write(access.current_actor(), *about, form.values())
    return not form.errors
