"""Who may open what. Closed unless opened: a view without a policy is refused.

Not logged in: a page leads to /masuk, a fragment answers 401. Wrong role: 403. Right role but a
stranger's object: 404, as if it did not exist.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from urllib.parse import quote

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import LoginManager, current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

import sessions
import viewing
import wrong_clock
from clinic import audit, clock, drafts, households, settings, unfinished
from clinic.signed_in import Account, Room
from db import db, utcnow
from kept_forms import sealed, typed_fields
from models import (
    Household,
    Patient,
    Poli,
    PoliKind,
    QueueEntry,
    RecordAccess,
    RegistrationDraft,
    Role,
    Visit,
)

View = TypeVar("View", bound=Callable)
PUBLIC, POLLED = "public", "polled"
RECORD_ACCESS_TIME = timedelta(minutes=30)
CLOCK_PAGES = {"system.clock", "system.set_clock"}  # open while the clock is wrong

login_manager = LoginManager()
login_manager.session_protection = None  # it trusts headers that the client sends


# --- Policies ---------------------------------------------------------------------------------


def public(view: View) -> View:
    """Open to everybody: login, health, board (which looks at the network), static files."""
    view.access = PUBLIC
    return view


def polled(view: View) -> View:
    """The view itself checks the session, together with the version, in one query."""
    view.access = POLLED
    return view


def allow(*roles: Role, takes: int = 0) -> Callable[[View], View]:
    """Open to accounts of these roles; they may send so many bytes, else as many as anybody."""

    def mark(view: View) -> View:
        view.access, view.takes = frozenset(roles), takes
        return view

    return mark


EVERYONE = tuple(Role)


def guard() -> Response | None:
    """Before each request: let it through, or refuse it the right way."""
    if request.endpoint is None:
        return None  # no such page; Flask says so
    view = current_app.view_functions[request.endpoint]
    policy = getattr(view, "access", None)
    is_right = request.endpoint == "static" or clock.is_right()
    if policy == PUBLIC:
        return None
    if policy == POLLED:  # no 5xx: to its script that would be a broken line
        return None if is_right else Response(status=409)
    account = sessions.active_user()
    if account is None:
        return refuse_stranger()
    if policy is None or account.role not in policy:
        abort(403)
    request.max_content_length = view.takes or request.max_content_length
    g.actor = audit.Actor(account.id, account.role, request.remote_addr or "")
    g.csrf_token = sessions.csrf_token()
    return None if is_right or request.endpoint in CLOCK_PAGES else wrong_clock.refuse()


def refuse_stranger() -> Response:
    """To the login page and back; what a form had sent is kept on the way."""
    path = request.full_path.rstrip("?")
    if request.headers.get("HX-Request"):
        here = request.headers.get("HX-Current-URL", "")
        page = "/" + here.split("://", 1)[-1].partition("/")[2] if here else path
        return Response(status=401, headers={"HX-Redirect": login_address(page)})
    if request.method == "POST":
        fields = typed_fields()
        resend = sealed(sessions.form_author(), fields)
        about = login_context(request.path, resend, is_dropped=bool(fields) and not resend)
        return make_response(render_template("auth/login.html", **about), 401)
    return redirect(login_address(path), 303)


def login_address(path: str) -> str:
    return url_for("auth.login") + "?lanjut=" + quote(path, safe="/")


def login_context(goes_on: str, resend: str, **more: object) -> dict:
    row = sessions.current_row()
    return {
        "goes_on": goes_on,
        "resend": resend,
        "locked_user": row.user if row else None,
        "username": row.user.username if row else "",
        "message": "",
        "steps": (),
        "is_dropped": False,
        **more,
    }


# --- Who acts ---------------------------------------------------------------------------------


@login_manager.request_loader
def _load_user(_request) -> Account | None:
    return sessions.active_user()


def current_actor() -> audit.Actor:
    """The account of this request, as the audit trail names it."""
    return g.get("actor") or audit.Actor(None, "stranger", request.remote_addr or "")


def has_role(*roles: Role) -> bool:
    return current_user.is_authenticated and current_user.role in roles


def may_use_room(poli: Poli) -> bool:
    """The head sees all rooms; poli staff their own."""
    return poli.id in {room.id for room in current_user.rooms}


def works_in_laboratory() -> bool:
    """Whether one of the account's rooms is a laboratory; the head works in every room."""
    rooms = select(Poli.id).where(Poli.kind == PoliKind.LABORATORY)
    return bool({room.id for room in current_user.rooms} & set(db.session.scalars(rooms)))


# --- Loaders ----------------------------------------------------------------------------------


def room_or_404(code: str) -> Room:
    """The room of this code, if the account works in it."""
    return next((room for room in current_user.rooms if room.code == code), None) or abort(404)


def entry_or_404(ref: str) -> QueueEntry:
    """The queue entry, if it stands in a room of the account."""
    entry = db.session.scalar(
        select(QueueEntry)
        .where(QueueEntry.public_id == ref)
        .options(
            joinedload(QueueEntry.poli),
            joinedload(QueueEntry.visit).joinedload(Visit.patient),
        )
    )
    if entry is None or not may_use_room(entry.poli):
        abort(404)
    return entry


def visit_or_404(ref: str) -> Visit:
    """The visit; poli staff only if it has (or had) an entry in their rooms."""
    visit = db.session.scalar(
        select(Visit).where(Visit.public_id == ref).options(joinedload(Visit.patient))
    )
    if visit is None:
        abort(404)
    if has_role(Role.POLI) and not has_record_access(visit.patient):
        mine = {room.id for room in current_user.rooms}
        if not any(entry.poli_id in mine for entry in visit.entries):
            abort(404)
    return visit


def readable_visit(ref: str) -> Visit:
    """The visit, if the account may read this patient's record now; else leads to its page."""
    visit = visit_or_404(ref)
    refuse_unread(visit.patient)
    return visit


def patient_or_404(ref: str) -> Patient:
    """The patient; whether the record may be read is `has_record_access`."""
    return db.session.scalar(select(Patient).where(Patient.public_id == ref)) or abort(404)


def household_or_404(ref: str) -> Household:
    """The household; its page shows identities only."""
    return households.by_ref(ref) or abort(404)


def draft_or_404(ref: str) -> RegistrationDraft:
    """The draft, for every clerk: a colleague may finish what one began."""
    return drafts.by_ref(ref) or abort(404)


# --- Reading a record -------------------------------------------------------------------------


def has_record_access(patient: Patient) -> bool:
    """Head and records: always. Poli: a patient in one's rooms today, or opened with a reason."""
    if has_role(Role.HEAD, Role.RECORDS):
        return True
    if not has_role(Role.POLI):
        return False
    if unfinished.is_or_was_in(patient, [room.id for room in current_user.rooms]):
        return True
    granted = select(RecordAccess.id).where(
        RecordAccess.user_id == current_user.id,
        RecordAccess.patient_ref == patient.public_id,
        RecordAccess.expires_at.between(utcnow(), utcnow() + RECORD_ACCESS_TIME),
    )
    return db.session.scalar(granted.limit(1)) is not None


def refuse_unread(patient: Patient) -> None:
    """Lead to the page that asks for a reason, where the record may not be read."""
    if not has_record_access(patient):
        abort(redirect(url_for("patients.record", patient=patient.public_id), 303))


def grant_record_access(patient: Patient, reason: str) -> None:
    """Open a record outside one's rooms, for 30 minutes; in the view's transaction."""
    actor = current_actor()
    db.session.add(
        RecordAccess(
            user_id=actor.user_id,
            patient_ref=patient.public_id,
            reason=reason,
            expires_at=utcnow() + RECORD_ACCESS_TIME,
        )
    )
    audit.record(actor, "open_with_reason", patient_ref=patient.public_id, reason=reason)


def record_view(action: str, patient: Patient, object_type: str = "", object_ref: str = "") -> None:
    """Log that a record was looked at; called by whatever draws it, for refused forms too."""
    about = {"object_type": object_type, "object_ref": object_ref}
    viewing.note(current_actor(), [{"action": action, "patient_ref": patient.public_id, **about}])


def record_family_view(household: Household, members: list[Patient]) -> None:
    """Log that the identities of a family were looked at, on each one's record."""
    about = {"object_type": "household", "object_ref": household.public_id}
    views = [{"patient_ref": member.public_id, **about} for member in members]
    viewing.note(current_actor(), [{"action": "view_identity", **view} for view in views])


def page_settings() -> dict:
    """The clinic's settings, read once a request."""
    if "settings" not in g:
        g.settings = settings.values()
    return g.settings


def init_app(app: Flask) -> None:
    login_manager.init_app(app)
    # There is no "remember me", and looking for one would load the session on every poll.
    app.after_request_funcs[None].remove(login_manager._update_remember_cookie)
    app.before_request(guard)
