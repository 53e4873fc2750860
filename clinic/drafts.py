"""Registrations that are not saved yet. A draft's id is the key that makes its save happen once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select
from sqlalchemy.orm import joinedload

from clinic import audit, days, patients, shared_numbers
from db import add_row, db, utcnow
from models import DraftKind, Patient, RegistrationDraft, Visit

MOST_REASONS = 40
JUST_LEFT = timedelta(minutes=10)
NOTHING: Mapping[str, str] = MappingProxyType({})


class DraftChanged(Exception):
    """Changed since the page was shown, with a sentence for the clerk."""


@dataclass(frozen=True)
class DraftSubject:
    """What a draft is about: a known patient, or a visit of today."""

    kind: DraftKind = DraftKind.NEW
    patient_ref: str | None = None
    about_visit: Visit | None = None

    @property
    def is_correction(self) -> bool:
        """See `is_correction` of a draft."""
        return self.kind == DraftKind.IDENTITY and self.about_visit is None


_BY_REF = select(RegistrationDraft).where(RegistrationDraft.public_id == bindparam("ref"))


def by_ref(public_id: str) -> RegistrationDraft | None:
    """The draft of this id."""
    return db.session.scalar(_BY_REF, {"ref": public_id})


def is_editable(draft: RegistrationDraft) -> bool:
    """A draft lives for its clinic day; a saved or dropped one is history."""
    return not (draft.saved_at or draft.dropped_at or is_expired(draft))


def is_correction(draft: RegistrationDraft) -> bool:
    """Whether the records staff correct an identity: it is about no visit, and makes none."""
    return draft.kind == DraftKind.IDENTITY and draft.about_visit_ref is None


def is_expired(draft: RegistrationDraft) -> bool:
    """Of an earlier clinic day; what was typed before midnight is not while that day goes on."""
    return draft.saved_at is None and draft.drafted_on not in days.live_dates()


def store(
    actor: audit.Actor,
    fields: dict[str, Any],
    subject: DraftSubject,
    draft: RegistrationDraft | None = None,
    answers: Mapping[str, str] | None = None,
    paper: Mapping[str, Any] | None = None,
    opened_at: datetime | None = None,
) -> RegistrationDraft:
    """Keep what was typed and answered: in the draft that was being edited, or in a new one.

    `paper` is what a slip says besides; without it a draft keeps its own.
    """
    about_ref = subject.about_visit.public_id if subject.about_visit else None
    is_other = draft is not None and (
        is_correction(draft) != subject.is_correction
        or draft.about_visit_ref not in (None, about_ref)  # an old page: its visit exists by now
    )
    before = draft.fields if draft else {}
    if draft is None or is_other or not is_editable(draft):
        draft = _successor(actor, draft)
    draft.reasons = still_answering(draft.reasons or {}, before, fields)
    draft.kind = subject.kind
    draft.patient_ref = subject.patient_ref
    draft.about_visit_ref = about_ref
    draft.fields = fields
    if answers is not None:
        draft.answers = dict(answers)
    if paper is not None:
        draft.paper = dict(paper)
    draft.opened_at = draft.opened_at or opened_at
    renew(draft)
    return add_row(draft)


def still_answering(
    reasons: Mapping[str, str], before: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, str]:
    """Without those for a number of somebody else in whose place another one was typed."""
    changed = {
        rule
        for field, rule in shared_numbers.RULES.items()
        if (before.get(field) or "") != (now.get(field) or "")
    }
    return {rule: text for rule, text in reasons.items() if rule not in changed}


def renew(draft: RegistrationDraft) -> None:
    """What was shown of it before counts no more: its check page has to be read again."""
    draft.version += 1
    draft.updated_at = utcnow()


def _successor(actor: audit.Actor, old: RegistrationDraft | None) -> RegistrationDraft:
    """A new draft, with the reasons of one that was never saved."""
    new = RegistrationDraft(user_id=actor.user_id, drafted_on=days.clinic_date(), version=0)
    if old is not None and not old.saved_at:
        new.reasons, new.paper = dict(old.reasons), dict(old.paper)
    return new


def answer(
    draft: RegistrationDraft, answers: Mapping[str, str], reasons: Mapping[str, str] = NOTHING
) -> None:
    """Keep further answers and reasons; the form's fields, and so the version, stay as they were.

    A reason whose warning isn't shown any more stays too: the form may yet be changed back.
    """
    if not is_editable(draft):
        return
    if answers:
        draft.answers = draft.answers | dict(answers)
    if reasons:
        kept = {rule: text for rule, text in (draft.reasons | dict(reasons)).items() if text}
        draft.reasons = dict(list(kept.items())[:MOST_REASONS])


def refuse_changed(draft: RegistrationDraft, version: int) -> None:
    """Raise DraftChanged when the page of this version is not the newest any more."""
    if draft.version != version or not is_editable(draft):
        raise DraftChanged("Pendaftaran ini diubah di tempat lain. Periksa lagi sebelum memilih.")


def change_room(draft: RegistrationDraft, code: str, version: int) -> None:
    """Another room and nothing else; pressed twice it changes nothing more.

    Raises DraftChanged as `refuse_changed` does.
    """
    if draft.fields.get("poli") == code:
        return
    refuse_changed(draft, version)
    draft.fields = draft.fields | {"poli": code}
    renew(draft)


def unsaved(user_id: int, *, from_paper: bool = False) -> list[RegistrationDraft]:
    """Today's drafts that this clerk left, newest first: the counter's, or the lines of slips."""
    rows = (
        select(RegistrationDraft)
        .where(
            *_todays_of(user_id),
            RegistrationDraft.saved_at.is_(None),
            RegistrationDraft.dropped_at.is_(None),
            or_(  # a correction is no registration
                RegistrationDraft.kind != DraftKind.IDENTITY,
                RegistrationDraft.about_visit_ref.is_not(None),
            ),
        )
        .order_by(RegistrationDraft.id.desc())
    )
    return [draft for draft in db.session.scalars(rows) if bool(draft.paper) == from_paper]


def visits_of(shown: Iterable[RegistrationDraft]) -> dict[str, Visit]:
    """By its id the visit that each is about: a further room's draft itself names nobody."""
    refs = {draft.about_visit_ref for draft in shown} - {None}
    if not refs:
        return {}
    rows = select(Visit).where(Visit.public_id.in_(refs)).options(joinedload(Visit.patient))
    return {visit.public_id: visit for visit in db.session.scalars(rows)}


def _todays_of(user_id: int) -> tuple[ColumnElement[bool], ...]:
    # "+ 0" leaves only the day's index to choose: a clerk's drafts of years are many.
    today = RegistrationDraft.drafted_on.in_(days.live_dates())
    return today, RegistrationDraft.user_id + 0 == user_id


def just_left(user_id: int, subject: DraftSubject) -> RegistrationDraft | None:
    """What this clerk typed for the same page some minutes ago and did not save: Back, perhaps."""
    about_ref = subject.about_visit.public_id if subject.about_visit else None
    rows = select(RegistrationDraft).where(
        *_todays_of(user_id),
        RegistrationDraft.updated_at > utcnow() - JUST_LEFT,
        RegistrationDraft.kind == subject.kind,
        RegistrationDraft.patient_ref == subject.patient_ref,
        RegistrationDraft.about_visit_ref == about_ref,
    )
    found = db.session.scalars(rows.order_by(RegistrationDraft.id.desc()).limit(1)).first()
    return found if found and is_editable(found) and not found.paper else None


def sent_again(
    user_id: int, subject: DraftSubject, fields: Mapping[str, Any], opened_at: datetime | None
) -> RegistrationDraft | None:
    """The draft that the same form became a moment ago: its button was pressed twice."""
    before = just_left(user_id, subject) if opened_at else None
    is_same = before is not None and (before.opened_at, before.fields) == (opened_at, fields)
    return before if is_same else None


def about(visit: Visit) -> RegistrationDraft | None:
    """What was typed today of who the visit's patient is, and not saved yet; the latest."""
    return next((draft for draft in _identities(visit) if is_about(draft, visit)), None)


def is_about(draft: RegistrationDraft, visit: Visit) -> bool:
    """Whether it says who the visit's patient is, typed over this record or one merged into it.

    A visit may have gone to another patient since: what was typed of one is never another's.
    """
    if draft.kind != DraftKind.IDENTITY or draft.about_visit_ref != visit.public_id:
        return False
    return is_of(draft, visit.patient)


def is_of(draft: RegistrationDraft, patient: Patient) -> bool:
    """Whether it was begun over this patient's record, or over one that was merged into it."""
    record = patients.by_ref(draft.patient_ref) if draft.patient_ref else None
    return record is not None and patients.current(record).id == patient.id


def of_another(visit: Visit) -> RegistrationDraft | None:
    """What was typed today over the record of somebody else, whose the visit was; the latest."""
    return next((one for one in _typed_of(visit) if not is_about(one, visit)), None)


def _typed_of(visit: Visit) -> list[RegistrationDraft]:
    typed = select(RegistrationDraft).where(
        RegistrationDraft.drafted_on.in_(days.live_dates()),
        RegistrationDraft.kind == DraftKind.IDENTITY,
        RegistrationDraft.about_visit_ref == visit.public_id,
        RegistrationDraft.saved_at.is_(None),
    )
    return list(db.session.scalars(typed.order_by(RegistrationDraft.id.desc())))


def _identities(visit: Visit) -> list[RegistrationDraft]:
    return [draft for draft in _typed_of(visit) if draft.dropped_at is None]


def drop_identities(actor: audit.Actor, visit: Visit) -> None:
    """The visit becomes somebody else's: what was typed of who it is waits for no save any more."""
    for draft in _identities(visit):
        drop(actor, draft)


def drop(actor: audit.Actor, draft: RegistrationDraft) -> None:
    """Take a draft off the list; what was typed stays in its row."""
    if is_editable(draft):
        draft.dropped_at = utcnow()
        audit.record(actor, "drop_draft", draft)


def was_dropped_by(draft: RegistrationDraft, user_id: int) -> bool:
    """Whether this clerk can still take it back: their own, of today."""
    is_open = draft.dropped_at is not None and draft.saved_at is None and not is_expired(draft)
    return is_open and draft.user_id == user_id


def take_back(actor: audit.Actor, draft: RegistrationDraft) -> None:
    """Put a draft back on its clerk's list; pressed twice it changes nothing more."""
    if was_dropped_by(draft, actor.user_id):
        draft.dropped_at = None
        audit.record(actor, "take_back_draft", draft)
