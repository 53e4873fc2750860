"""Corrections of a visit after the save: payer, BPJS data, complaint; each with its reason."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import select

from clinic import audit, queue_changes, visit_cluster, visit_person
from clinic.registration import SHOWN_IN_QUEUE, keep_reasons
from clinic.review import Warned, review
from db import add_row, db
from models import Level, Override, Visit, VisitCorrection, VisitStatus

READ_FIRST = (
    "Baca dulu yang di bawah: keluhan yang baru membawa tanda yang perlu diketahui ruangnya. "
    "Bila keluhannya benar, tekan lagi."
)


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
) -> list[str]:
    """Change payer, BPJS data or complaint of a visit; returns the names of what changed.

    `shown` is how the fields stood on the clerk's page: what equals it was left alone and stays as
    it is now, and Overtaken is raised for what both the clerk and somebody else changed.
    `read` are the rules whose sentences were shown for the new complaint: Unread is raised for a
    new danger sign or long cough that is not among them; None does not ask.
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
    if "complaint" in changed:
        _follow(actor, visit, changes["complaint"] or "", reason, read)
    for name in changed:
        note(actor, visit, name, getattr(visit, name) or "", changes[name] or "", reason)
        setattr(visit, name, changes[name])
    if changed:
        audit.record(actor, "correct_visit", visit, reason=reason, details=", ".join(changed))
    return changed


def _differing(visit: Visit, changes: Mapping[str, str | None]) -> list[str]:
    return [name for name, new in changes.items() if getattr(visit, name) != new]


def _plain(text: str | None) -> str:
    """As it is compared: a form sends other line ends, and nothing for what is not known."""
    return "\n".join(" ".join(line.split()) for line in (text or "").splitlines()).strip()


def _follow(
    actor: audit.Actor, visit: Visit, complaint: str, reason: str, read: Collection[str] | None
) -> None:
    """What the room is told of the complaint: signs that are new in it, and those that are gone."""
    found = {one.rule: one for one in _signs(visit, complaint)}
    before = _told(visit)
    new = [one for rule, one in found.items() if before.get(rule) != one.message[:400]]
    if read is not None and any(one.rule not in read for one in new):
        raise Unread(READ_FIRST, new)
    gone = [
        Warned(rule, Level.OFF.value, f"Tidak ada lagi: {message}")
        for rule, message in before.items()
        if rule not in found
    ]
    keep_reasons(actor, visit, [*new, *gone], {"": reason})


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


def lock(visit: Visit) -> None:
    """Its rooms' screens draw themselves anew; nobody else changes it, and it is read again."""
    if visit.entries:
        queue_changes.lock(*visit.entries)
    db.session.execute(select(Visit.id).where(Visit.id == visit.id).with_for_update())
    db.session.refresh(visit)


def note(
    actor: audit.Actor, visit: Visit, field: str, before: str, after: str, reason: str
) -> VisitCorrection:
    """Keep how it stood, how it is now, and why."""
    return add_row(
        VisitCorrection(
            visit_id=visit.id,
            field=field,
            before=before,
            after=after,
            reason=reason,
            corrected_by_id=actor.user_id,
        )
    )
