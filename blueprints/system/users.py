"""Accounts. The head's alone: whoever makes accounts decides who reads records."""

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload
from wtforms import BooleanField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Regexp, ValidationError

import access
import sessions
from blueprints.system.desk import BOTH, RowForm, bp, line, open_rooms, saving
from clinic import accounts, administration, settings
from db import db, transaction
from formatting import ROLE_LABELS, mask_nik
from models import Role, User
from page_form import choices
from validators import checked_by, clean_name, parse_nik

ROLE_HINTS = {
    Role.REGISTRATION: "mendaftarkan pasien",
    Role.POLI: "melayani di ruangnya sendiri",
    Role.RECORDS: "membuka rekam medis",
    Role.HEAD: "semua halaman",
    Role.OPERATOR: "server saja, tanpa data pasien",
}


class UserForm(RowForm):
    username = StringField(
        "Nama pengguna",
        [
            DataRequired("Isi nama pengguna."),
            Regexp(accounts.USERNAME, message=accounts.USERNAME_HINT),
        ],
        filters=[lambda text: (text or "").strip().lower()],
    )
    display_name = line("Nama lengkap", accounts.LONGEST_NAME, "Isi nama lengkap.")
    role = SelectField(
        "Peran",
        choices=choices({role: f"{ROLE_LABELS[role]}: {ROLE_HINTS[role]}" for role in Role}),
    )
    rooms = SelectMultipleField("Ruang yang dilayani")
    is_active = BooleanField("Akun dipakai")
    profession = line("Profesi", 40)
    practitioner_name = StringField("Nama dengan gelar", [checked_by(clean_name)])
    licence_no = line("Nomor SIP atau STR", 40)
    nik = StringField("NIK", [checked_by(parse_nik, way_on="Periksa kartu, atau kosongkan.")])
    ihs_number = line("Nomor IHS", 20)
    password = PasswordField("Kata sandi")
    password_again = PasswordField("Ulangi kata sandi")

    def __init__(self, formdata=None, **more):
        super().__init__(formdata, **more)
        bound = [room.code for room in self.row.rooms] if self.row else []
        self.rooms.choices = choices(open_rooms(*bound))

    def validate_password(self, field) -> None:
        if not field.data:
            if self.is_new:
                raise ValidationError("Isi kata sandi pertama untuk akun ini.")
            return
        try:
            names = self.display_name.data or "", settings.value("clinic_name")
            accounts.check_passphrase(field.data, self.username.data, *names)
        except accounts.PassphraseError as weak:
            raise ValidationError(str(weak)) from weak

    def validate_password_again(self, field) -> None:
        """Typed unseen, so a slip would lock out whoever gets this account."""
        if (self.password.data or "").strip() != (field.data or "").strip():
            raise ValidationError(accounts.NOT_THE_SAME)

    def validate_profession(self, field) -> None:
        """Without one nothing else of a practitioner is kept: not silently."""
        more = (self.practitioner_name, self.licence_no, self.nik, self.ihs_number)
        if not field.cleaned and any((each.data or "").strip() for each in more):
            raise ValidationError(
                "Isi profesi juga, misalnya Dokter atau Bidan; atau kosongkan isian di bawahnya."
            )

    def fields(self) -> administration.AccountFields:
        return administration.AccountFields(
            username=self.username.data,
            display_name=self.display_name.cleaned,
            role=Role(self.role.data),
            rooms=tuple(self.rooms.data),
            is_active=self.is_new or self.is_active.data,
            practitioner=self.practitioner() if self.profession.cleaned else None,
        )

    def practitioner(self) -> dict:
        values = {
            "name": self.practitioner_name.cleaned or self.display_name.cleaned,
            "profession": self.profession.cleaned,
            "licence_no": self.licence_no.cleaned,
            "ihs_number": self.ihs_number.cleaned,
            "is_active": True,
        }
        # The stored NIK is shown masked only, so an empty field keeps it.
        return values | ({"nik": self.nik.cleaned} if self.nik.cleaned else {})


def _known_values(user: User) -> dict:
    values = {name: getattr(user, name) for name in ("username", "display_name", "is_active")}
    values |= {"role": user.role.value, "rooms": [room.code for room in user.rooms]}
    treats = user.practitioner if user.practitioner and user.practitioner.is_active else None
    if treats:
        values |= {name: getattr(treats, name) for name in ("profession", "licence_no")}
        values |= {"practitioner_name": treats.name, "ihs_number": treats.ihs_number}
    return values


def _user_or_404(ref: str) -> User:
    return db.first_or_404(select(User).where(User.public_id == ref))


def _kept_session_id(user: User) -> int | None:
    """The own screen stays open when one changes one's own account."""
    row = sessions.current_row()
    return row.id if row and user.id == current_user.id else None


@bp.get("/sistem/pengguna")
@access.allow(Role.HEAD)
def users():
    """All accounts, those in use first. Head only: the operator sees no names of rights."""
    found = select(User).options(selectinload(User.rooms), selectinload(User.practitioner))
    by_name = func.lower(User.display_name), User.id  # "dr." stands before "Zainal"
    rows = db.session.scalars(found.order_by(User.is_active.desc(), *by_name))
    return render_template("system/users.html", users=list(rows))


@bp.route("/sistem/pengguna/baru", methods=BOTH)
@bp.route("/sistem/pengguna/<ref>", methods=BOTH)
@access.allow(Role.HEAD)
def user(ref: str = ""):
    """Open an account, or change it; a new passphrase ends its other sessions."""
    found = _user_or_404(ref) if ref else None
    form = UserForm.of(found, _known_values(found) if found else {"role": Role.REGISTRATION.value})
    if form.is_sent and form.validate():
        _store(form, found)
        if not form.errors:
            more = " Kata sandi diganti." if found and form.password.data else ""
            done = "disimpan" if found else "dibuat"
            flash(f"Akun {form.username.data} {done}.{more}", "success")
            return redirect(url_for("system.users"), 303)
    treats = found.practitioner if found else None
    page = render_template(
        "system/user.html",
        form=form,
        user=found,
        stored_nik=mask_nik(treats.nik) if treats and treats.nik else "",
        open_count=administration.count_sessions(found.id) if found else 0,
    )
    return page, form.status


def _store(form: UserForm, user: User | None) -> None:
    typed = form.password.data
    password_hash = accounts.hash_passphrase(typed) if typed else ""  # slow: outside
    kept = _kept_session_id(user) if user else None
    with saving(form):
        actor, fields = access.current_actor(), form.fields()
        if user is None:
            administration.create_account(actor, fields, password_hash)
        else:
            administration.change_account(
                actor, user, fields, password_hash=password_hash, kept_session_id=kept
            )


@bp.post("/sistem/pengguna/<ref>/akhiri")
@access.allow(Role.HEAD, Role.OPERATOR)
def end_user_sessions(ref: str):
    """End all sessions of an account, a lost phone's too; the operator may, it shows no data."""
    found = _user_or_404(ref)
    with transaction():
        count = administration.end_sessions(
            access.current_actor(), found, kept_session_id=_kept_session_id(found)
        )
    flash(f"{count} sesi {found.display_name} diakhiri.", "success")
    return redirect(url_for("system.open_sessions"), 303)
