"""The audit trail, to read. The head sees whose record; the operator sees who, when and what."""

import re
from dataclasses import dataclass

from flask import render_template, request, url_for
from sqlalchemy import select

import access
from blueprints.system.desk import LARGEST_ID, bp
from clinic import report_lists, settings, system_status
from clinic.data_files import labels
from db import db
from formatting import ROLE_LABELS, clock_time, day_in_zone, short_date
from models import AuditEntry, Role, User

PAGE_SIZE = 50
# The trail's own words in the clinic's: actions, what only an id stands for, what was noted.
ACTION_LABELS, OBJECT_LABELS, NOTED = (
    labels("audit_words.csv", kind) for kind in ("action", "object", "detail")
)
DETAIL_WORDS = ROLE_LABELS | NOTED
# What these noted is the program's own words alone.
WORDED = {
    *("create_user", "update_patient", "correct_visit", "raise_pair", "decide_pair"),
    *("amend_examination", "request_amendment", "withdraw_amendment"),
    *("approve_amendment", "refuse_amendment", "save_examination", "finish_examination"),
    *("add_addendum", "measure", "write_triage", "ask_backup", "closing_step", "repeat_closing"),
    *("set_clock", "clock_restored"),
}
LISTED = {"list_visits", "export_visits"}  # by codes: a list of a report
_WORD = re.compile(r"\b[a-z_]+\b")
# Among what the head typed only the values of these columns are.
_CODED = re.compile(r"\b(jenis|tingkat|cara pakai|peran): (\w+) > (\w+)")
_ONLY_AN_ID = re.compile(r"[0-9]+|[0-9a-f-]{36}")  # which says nothing to who reads it


@dataclass(frozen=True)
class Line:
    """One entry as this account may read it."""

    seq: int
    day: str
    clock: str
    who: str
    device: str
    action: str
    about: str
    reason: str
    details: str
    patient_ref: str


@bp.get("/sistem/audit")
@access.allow(Role.HEAD, Role.OPERATOR)
def audit_trail():
    """Newest first, 50 a page.

    The operator gets neither patients nor what was noted about them: an entry on a record comes
    without its reason and details.
    """
    people = {user.id: user for user in db.session.scalars(select(User).order_by(User.username))}
    entries = list(db.session.scalars(_entries(people)))
    shown = entries[:PAGE_SIZE]
    return render_template(
        "system/audit_trail.html",
        lines=[_line(entry, people) for entry in shown],
        people=list(people.values()),
        actions=sorted(ACTION_LABELS.items(), key=lambda pair: pair[1].lower()),
        chosen_user=request.args.get("pengguna", ""),
        chosen_action=request.args.get("aksi", ""),
        older=_older_address(shown[-1].seq) if len(entries) > PAGE_SIZE else "",
        is_newest_page=_before() is None,
        chain=system_status.audit_trail() if _before() is None else None,
        shows_patients=access.has_role(Role.HEAD),
    )


def _before() -> int | None:
    typed = request.args.get("sebelum", "")
    if typed.isascii() and typed.isdecimal() and len(typed) < 11:
        return min(int(typed), LARGEST_ID)
    return None


def _entries(people: dict[int, User]):
    """The chosen page's entries and one more, which tells that there are older ones."""
    found = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(PAGE_SIZE + 1)
    before, action = _before(), request.args.get("aksi", "")
    ids = [one.id for one in people.values() if one.public_id == request.args.get("pengguna")]
    if before is not None:
        found = found.where(AuditEntry.seq < before)
    if ids:
        found = found.where(AuditEntry.user_id == ids[0])
    if action in ACTION_LABELS:
        found = found.where(AuditEntry.action == action)
    return found


def _older_address(seq: int) -> str:
    kept = {name: request.args[name] for name in ("pengguna", "aksi") if request.args.get(name)}
    return url_for("system.audit_trail", sebelum=seq, **kept)


def _line(entry: AuditEntry, people: dict[int, User]) -> Line:
    zone = access.page_settings()["time_zone"]
    who = people[entry.user_id].display_name if entry.user_id in people else ""
    is_hidden = bool(entry.patient_ref) and not access.has_role(Role.HEAD)
    return Line(
        seq=entry.seq,
        day=short_date(day_in_zone(entry.at, zone)),
        clock=clock_time(entry.at, zone),
        who=who or ("Sistem" if entry.device == "system" else "Belum masuk"),
        device="" if entry.device == "system" else entry.device,
        action=ACTION_LABELS.get(entry.action, entry.action.replace("_", " ")),
        about=_about(entry, people),
        reason="" if is_hidden else entry.reason,
        details="" if is_hidden else _details(entry),
        patient_ref="" if is_hidden else entry.patient_ref,
    )


def _about(entry: AuditEntry, people: dict[int, User]) -> str:
    """What was acted on, where an id can be said in words."""
    word = OBJECT_LABELS.get(entry.object_type, "")
    if entry.object_type == "user":
        found = [one for one in people.values() if one.public_id == entry.object_ref]
        return f"{word} {found[0].username}" if found else word
    if entry.object_type == "setting" and entry.object_ref in settings.DEFINITIONS:
        return settings.DEFINITIONS[entry.object_ref].label
    if entry.action in LISTED:
        return report_lists.told(entry.object_ref, entry.details)[0]
    is_told = word and not _ONLY_AN_ID.fullmatch(entry.object_ref)
    return f"{word} {entry.object_ref}" if is_told else ""


def _details(entry: AuditEntry) -> str:
    """What the program noted in its own words, in the clinic's; what was typed stays as it is."""
    if entry.action in LISTED:
        return report_lists.told(entry.object_ref, entry.details)[1]
    if entry.action in WORDED or entry.action.startswith("view_"):
        return _WORD.sub(lambda found: _said(found[0]), entry.details)
    return _CODED.sub(
        lambda found: f"{found[1]}: {_said(found[2])} > {_said(found[3])}", entry.details
    )


def _said(word: str) -> str:
    return DETAIL_WORDS.get(word, word)
