"""Who is logged in where. Head and operator: no clinical data, and a lost phone is urgent."""

from flask import flash, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

import access
import sessions
from blueprints.system.desk import LARGEST_ID, bp, saving
from clinic import administration
from db import db, utcnow
from models import LoginSession, Role
from page_form import PageForm

SHOWN = 200


@bp.get("/sistem/sesi")
@access.allow(Role.HEAD, Role.OPERATOR)
def open_sessions():
    """Sessions that are open now, the last used first."""
    now = utcnow()
    found = (
        select(LoginSession)
        .where(LoginSession.ended_at.is_(None), LoginSession.expires_at > now)
        .options(joinedload(LoginSession.user))
        .order_by(LoginSession.seen_at.desc())
        .limit(SHOWN)
    )
    rows = [
        {"session": row, "is_locked": sessions.is_idle(row, now)}
        for row in db.session.scalars(found)
    ]
    own = sessions.current_row()
    return render_template("system/open_sessions.html", rows=rows, own_id=own.id)


@bp.post(f"/sistem/sesi/<int(max={LARGEST_ID}):session_id>/akhiri")
@access.allow(Role.HEAD, Role.OPERATOR)
def end_session(session_id: int):
    """End one session at once; its screen asks for the passphrase at the next press."""
    row = db.get_or_404(LoginSession, session_id)
    form = PageForm()
    with saving(form):
        administration.end_session(access.current_actor(), row)
    for problem in form.form_errors:
        flash(problem, "warning")
    if not form.form_errors:
        flash(f"Sesi {row.user.display_name} diakhiri.", "success")
    return redirect(url_for("system.open_sessions"), 303)
