"""Corrections of a visit after the save: payer, BPJS data, complaint; each with its reason."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import select

from clinic import (
    audit,
    identity_warnings,
    patients,
    queue_changes,
    queue_steps,
    shared_numbers,
    visit_cluster,
    visit_person,
)
from clinic.registration import SHOWN_IN_QUEUE, keep_reasons
from clinic.review import Warned, review
from clinic.visit_changes import note
from db import db
from models import Level, Override, Visit, VisitStatus

READ_FIRST = "Baca dulu yang di bawah. Bila isiannya benar, tekan lagi."
OF_PAYMENT = frozenset({"payer", "bpjs_number"})


class CorrectionError(Exception):
    """A correction that is refused, with a sentence for the clerk."""


class Unread(CorrectionError):
    """What the rules say of the visit as it would be; to be read first."""

    def __init__(self, sentence: str, warnings: list[Warned]) -> None:
        super().__init__(sentence)
        self.warnings = warnings


class Overtaken(CorrectionError):
    """Somebody changed the same fields since the page was shown; `now` is how they stand."""

    def __init__(self, now: dict[str, str | None]) -> None:
        super().__init__("Petugas lain baru saja mengubah isian yang sama.")
        self.now = now


def correct_visit(
    actor: audit.Actor,
    visit: Visit,
    changes: Mapping[str, str | None],
    reason: str,
    read: Collection[str] | None = None,
    shown: Mapping[str, str | None] | None = None,
    *,
    in_record: bool = False,
) -> list[str]:
    """Change payer, BPJS data or complaint of a visit; returns the names of what changed.

    `shown` is how the fields stood on the clerk's page: what equals it was left alone and stays as
    it is now, and Overtaken is raised for what both the clerk and somebody else changed.
    `read` are the marks of the sentences that were shown: Unread is raised for a danger sign or
    long cough that is new in the complaint and for somebody else's BPJS number; None does not ask.
    `in_record`: a payer or number that changes is the patient's own from now on too.
    """
    refuse_ended(visit)
    shown = shown or {}
    changes = {
        name: new
        for name, new in changes.items()
        if name not in shown or _plain(new) != _plain(shown[name])
    }
    if _differing(visit, changes):
        lock(visit)
    changed = _differing(visit, changes)  # as it is read under the lock
    now = {name: getattr(visit, name) for name in changed if name in shown}
    if overtaken := {name: is_ for name, is_ in now.items() if _plain(is_) != _plain(shown[name])}:
        raise Overtaken(overtaken)
    new, gone = _signs_changed(visit, changes) if "complaint" in changed else ([], [])
    if "bpjs_number" in changed and changes["bpjs_number"]:
        new += _of_card(visit, changes["bpjs_number"])
    if read is not None and any(one.mark not in read for one in new):
        raise Unread(READ_FIRST, new)
    keep_reasons(actor, visit, [*new, *gone], {"": reason})
    for name in changed:
        note(actor, visit, name, getattr(visit, name) or "", changes[name] or "", reason)
        setattr(visit, name, changes[name])
    if changed:
        audit.record(actor, "correct_visit", visit, reason=reason, details=", ".join(changed))
    if in_record and (of_payment := OF_PAYMENT.intersection(changed)):
        _keep_in_record(actor, visit, of_payment, reason)
    return changed


def payer_notes(visit: Visit) -> list[str]:
    """Sentences about payer and card of the visit that do not go together; none is a fault."""
    identity = replace(
        patients.identity_of(visit.patient), payer=visit.payer, bpjs_number=visit.bpjs_number
    )
    return [one.message for one in identity_warnings.payer_notes(identity)]


def _keep_in_record(actor: audit.Actor, visit: Visit, names: Collection[str], reason: str) -> None:
    db.session.refresh(visit.patient)
    own = {name: getattr(visit, name) for name in names}
    identity = replace(patients.identity_of(visit.patient), **own)
    visit_person.correct(actor, visit.patient, identity, reason)


def _of_card(visit: Visit, number: str) -> list[Warned]:
    """Who else has this card, unless it is this patient's own already."""
    told = replace(patients.identity_of(visit.patient), bpjs_number=number, passport_no=None)
    found = shared_numbers.findings(told, visit.patient)
    return [Warned(one.rule, one.level, one.message) for one in found if one.level == "warning"]


def _differing(visit: Visit, changes: Mapping[str, str | None]) -> list[str]:
    return [name for name, new in changes.items() if getattr(visit, name) != new]


def _plain(text: str | None) -> str:
    """As it is compared: a form sends other line ends, and nothing for what is not known."""
    return "\n".join(" ".join(line.split()) for line in (text or "").splitlines()).strip()


def _signs_changed(
    visit: Visit, changes: Mapping[str, str | None]
) -> tuple[list[Warned], list[Warned]]:
    """What the room is told of the complaint: signs that are new in it, and those that are gone."""
    found = {one.rule: one for one in _signs(visit, changes["complaint"] or "")}
    before = _told(visit)
    new = [one for rule, one in found.items() if before.get(rule) != one.message[:400]]
    gone = [
        Warned(rule, Level.OFF.value, f"Tidak ada lagi: {message}")
        for rule, message in before.items()
        if rule not in found
    ]
    return new, gone


def _signs(visit: Visit, complaint: str) -> list[Warned]:
    room = visit_cluster.room_of(visit)
    if room is None:
        return []
    told = replace(visit_person.as_registered(visit, visit.patient, room), complaint=complaint)
    found = review(told, with_likely=False).warnings
    return [one for one in found if one.rule in SHOWN_IN_QUEUE]


def _told(visit: Visit) -> dict[str, str]:
    """The signs that the room is told of now: by rule, the sentence."""
    rows = select(Override.rule, Override.level, Override.message)
    mine = Override.visit_id == visit.id, Override.rule.in_(SHOWN_IN_QUEUE)
    found = {row.rule: row for row in db.session.execute(rows.where(*mine).order_by(Override.id))}
    return {rule: row.message for rule, row in found.items() if row.level != Level.OFF}


def refuse_ended(visit: Visit) -> None:
    """Raise CorrectionError for a visit that was cancelled or came to no end."""
    if visit.status not in (VisitStatus.OPEN, VisitStatus.FINISHED):
        raise CorrectionError("Kunjungan ini sudah dibatalkan atau berakhir; tidak dapat diubah.")


def ended(visit: Visit) -> str:
    """How a visit came to its end that cannot be corrected any more, and why; else ''."""
    if visit.status in (VisitStatus.OPEN, VisitStatus.FINISHED) or not visit.entries:
        return ""
    last = max(visit.entries, key=lambda entry: entry.id)
    event = queue_steps.last_event(last)
    why = f": {event.reason}" if event and event.reason else ""
    return f"{queue_steps.present(last)}{why}."


def lock(visit: Visit) -> None:
    """Its rooms' screens draw themselves anew; nobody else changes it, and it is read again."""
    if visit.entries:
        queue_changes.lock(*visit.entries)
    db.session.execute(select(Visit.id).where(Visit.id == visit.id).with_for_update())
    db.session.refresh(visit)
