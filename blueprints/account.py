"""One's own account: a passphrase that nobody else knows, and the screens where it is open."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from wtforms import PasswordField
from wtforms.validators import DataRequired, ValidationError

import access
import sessions
from clinic import accounts, administration, audit, log_in_tries, settings
from db import db, transaction
from models import User
from page_form import PageForm

bp = Blueprint("account", __name__)
BUSY = "Banyak yang sedang masuk. Isi ketiganya lagi, lalu kirim sekali lagi."
WRONG = "Kata sandi sekarang salah. Periksa huruf besar dan ejaannya."


class PassphraseForm(PageForm):
    password_now = PasswordField("Kata sandi sekarang", [DataRequired("Isi kata sandi sekarang.")])
    password = PasswordField("Kata sandi baru", [DataRequired("Isi kata sandi baru.")])
    password_again = PasswordField("Ulangi kata sandi baru")

    def validate_password(self, field) -> None:
        if field.data.strip() == (self.password_now.data or "").strip():
            raise ValidationError("Kata sandi baru sama dengan yang sekarang. Pilih yang lain.")
        names = current_user.display_name, settings.value("clinic_name")
        try:
            accounts.check_passphrase(field.data, current_user.username, *names)
        except accounts.PassphraseError as weak:
            raise ValidationError(str(weak)) from weak

    def validate_password_again(self, field) -> None:
        if (self.password.data or "").strip() != (field.data or "").strip():
            raise ValidationError(accounts.NOT_THE_SAME)


@bp.route("/akun", methods=("GET", "POST"))
@access.allow(*access.EVERYONE)
def page():
    """Change one's own passphrase; it ends one's other sessions."""
    is_sent = request.method == "POST"
    form = PassphraseForm(request.form if is_sent else None)
    if is_sent and form.validate() and _is_replaced(form):
        flash("Kata sandi diganti. Sesi lain akun ini diakhiri.", "success")
        return redirect(url_for("account.page"), 303)
    shown = render_template("account/page.html", form=form, other_count=_count_others())
    return shown, 422 if is_sent else 200


def _is_replaced(form: PassphraseForm) -> bool:
    """Whether the account has the new passphrase now; a wrong old one counts as at the log-in."""
    user = db.session.get_one(User, current_user.id)
    device, compared_with = sessions.device_of(user), user.password_hash
    wait = log_in_tries.seconds_to_wait(user, device)
    if wait:
        form.password_now.errors = [accounts.WAIT.format(wait)]
        return False
    try:
        is_right = accounts.matches(user, form.password_now.data)
    except accounts.TooManyAtOnce:
        form.form_errors.append(BUSY)
        return False
    new_hash = accounts.hash_passphrase(form.password.data) if is_right else ""
    with transaction():
        user = db.session.get_one(User, user.id, with_for_update=True, populate_existing=True)
        # As at the log-in: meanwhile others tried, or the head gave it another passphrase.
        is_right = is_right and user.password_hash == compared_with
        wait = log_in_tries.seconds_to_wait(user, device)
        if is_right and not wait:
            kept = sessions.current_row().id
            administration.change_own_passphrase(access.current_actor(), user, new_hash, kept)
        elif not wait:
            log_in_tries.note_failure(user, device)
            audit.record(access.current_actor(), "log_in_failed", user)
    if wait or not is_right:
        form.password_now.errors = [accounts.WAIT.format(wait) if wait else WRONG]
        return False
    return True


def _count_others() -> int:
    return administration.count_sessions(current_user.id, sessions.current_row().id)


@bp.post("/akun/akhiri")
@access.allow(*access.EVERYONE)
def end_others():
    """End one's sessions on other screens: a lost phone's, a computer that was left open."""
    with transaction():
        user = db.session.get_one(User, current_user.id)
        count = administration.end_sessions(
            access.current_actor(), user, kept_session_id=sessions.current_row().id
        )
    flash(f"{count} sesi lain diakhiri.", "success")
    return redirect(url_for("account.page"), 303)
