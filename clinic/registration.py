"""The counter's saves: a visit with its queue entry, a further room, an emergency, an identity.

Each save reads the draft inside its transaction, and one transaction writes at a time. Whoever
comes second, by a second click or from another process, finds the visit there and gets its ticket.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import insert, select

from clinic import (
    asking,
    audit,
    counters,
    days,
    drafts,
    first_visits,
    identity_history,
    patients,
    queues,
    slips,
)
from clinic.further_room import add_complaint
from clinic.identity_warnings import Warned
from clinic.queue_changes import bump_rooms_with
from clinic.rebase import rebase
from clinic.review import Application, Review, review
from clinic.visit_changes import tell_visit
from clinic.visit_person import correct, tell_pregnancy
from clinic.visit_snapshot import take_snapshot
from db import db, run, utcnow
from models import (
    DraftKind,
    EntryKind,
    OutboxEntry,
    Override,
    Patient,
    Poli,
    RegistrationDraft,
    Source,
    Visit,
)

NOTHING: Mapping[str, str] = MappingProxyType({})
TAKEN, TWICE = "NIK-TAKEN", "W9"
JUST_REGISTERED = (
    "Seorang yang sangat mirip baru saja didaftarkan di loket lain. Jawab dulu: orang yang sama?"
)
JUST_TAKEN = "NIK ini baru saja didaftarkan. Bandingkan dengan pasien itu, atau beri alasan."
JUST_CAME = "Pasien ini baru saja didaftarkan. Lihat kunjungannya sebelum menyimpan yang kedua."

# Straight into the tables: nobody needs the objects, and a flush costs four times as much.
_ADD_OVERRIDES, _ADD_TO_OUTBOX = insert(Override.__table__), insert(OutboxEntry.__table__)
# A mask for the cough, haste for the red flag: the room must know, whatever the level.
SHOWN_IN_QUEUE = ("P1", "R1")


class RegistrationError(Exception):
    """A save that is refused, with a sentence for the clerk."""


class Stopped(RegistrationError):
    """A finding that no reason answers."""


class StaleDraft(RegistrationError):
    """The draft was changed since its check page was shown."""


class Overtaken(StaleDraft):
    """A visit of the patient goes on that the check page did not show."""


class NeedsReasons(RegistrationError):
    """Warnings without a reason (a sentence a rule), likely patients without an answer (refs)."""

    def __init__(self, missing: dict[str, str], unanswered: Sequence[str] = ()) -> None:
        super().__init__("Ada peringatan atau pertanyaan yang belum dijawab.")
        self.missing, self.unanswered = missing, list(unanswered)


def save(
    actor: audit.Actor,
    draft: RegistrationDraft,
    application: Application,
    version: int,
    reasons: Mapping[str, str],
    answers: Mapping[str, str] = NOTHING,
    asked: Collection[str] = (),
    shown: Collection[str] | None = None,
) -> Visit:
    """Save a draft once. `reasons` by rule, '' for all. Raises StaleDraft, Stopped, NeedsReasons.

    `application` is what the draft says in this very transaction. `answers` add to the draft's;
    `asked` are the likely patients whom the check page asked about besides those of the draft,
    `shown` the running visits that it showed (see `Review.has_come_since`).
    """
    if draft.saved_at:
        return visit_of(draft)
    if draft.version != version:
        raise StaleDraft("Pendaftaran ini diubah di tempat lain. Periksa lagi sebelum menyimpan.")
    if draft.about_visit_ref and not drafts.is_of(draft, application.patient):
        raise StaleDraft("Kunjungan ini sudah dipindahkan ke pasien lain. Kembali ke tiketnya.")
    found = review(application, with_likely=False)
    if found.final:
        raise Stopped(found.final.message)
    missing = missing_reasons(found, reasons, draft)
    answers = asking.of_today(draft.answers | dict(answers), application.patient)
    asked = asking.of_today(dict.fromkeys(asked, ""), application.patient)
    waiting = asking.unanswered(answers, asked, found.besides)
    if missing or waiting:
        raise NeedsReasons(missing, waiting)
    if found.has_come_since(draft.updated_at, shown):
        raise Overtaken(JUST_CAME)
    if application.patient is None and asking.came_meanwhile(
        application.identity, draft.updated_at, {*answers, *asked}
    ):
        raise StaleDraft(JUST_REGISTERED)
    keep = {
        DraftKind.ROOM: _add_room,
        DraftKind.IDENTITY: _complete_identity,
    }.get(application.kind, _register)
    try:
        visit = keep(actor, application, found, draft)
    except patients.NikTaken as taken:
        # A colleague registered this NIK since the check page was shown.
        raise NeedsReasons({TAKEN: JUST_TAKEN}) from taken
    keep_reasons(actor, visit, found.warnings, reasons)
    if answers or found.owner:
        _keep_answers(actor, visit.patient, found, reasons, answers)
    draft.answers, draft.reasons = answers, applying(found, reasons)
    draft.saved_at, draft.visit_ref = utcnow(), visit.public_id
    db.session.flush()
    return visit


def applying(found: Review, reasons: Mapping[str, str]) -> dict[str, str]:
    """The reasons without those for warnings that came to an end before the save."""
    rules = {"", *(warned.rule for warned in found.warnings)}
    return {rule: text for rule, text in reasons.items() if text and rule in rules}


def visit_of(draft: RegistrationDraft) -> Visit:
    """The visit of a saved draft."""
    return db.session.scalars(select(Visit).where(Visit.public_id == draft.visit_ref)).one()


def missing_reasons(
    found: Review, reasons: Mapping[str, str], draft: RegistrationDraft
) -> dict[str, str]:
    """Rule and sentence of each warning without a reason.

    One reason for all answers only what the check page could show already, so it never makes
    a second patient, or a second visit in one room, of what a colleague entered meanwhile.
    """
    missing, since = found.unanswered(reasons), draft.updated_at
    for warned in found.warnings:
        if warned.rule in reasons:
            continue
        if warned.rule == TAKEN and identity_history.nik_held_since(warned.patient) > since:
            missing[TAKEN] = JUST_TAKEN
        elif warned.rule == TWICE and found.in_room_since(since):
            missing[TWICE] = JUST_CAME
    return missing


def _register(
    actor: audit.Actor, application: Application, found: Review, draft: RegistrationDraft
) -> Visit:
    slip = slips.read(draft.paper) if draft.paper else None
    patient = _keep_patient(actor, application, found)
    visit = open_visit(
        actor,
        patient,
        found.poli,
        Visit(
            draft_id=draft.id,
            visit_type=application.visit_type,
            complaint=application.complaint,
            bpjs_home=application.bpjs_home,
            pregnant=application.pregnant,
            priority=found.priority,
            cluster=found.chosen_cluster,
            cluster_rule=found.cluster.why[:60],
            computed_cluster=found.cluster.code,
            **slip.visit_fields() if slip else {},
        ),
    )
    mark_for_exchange(visit)
    if slip:
        slips.enter(actor, slip, visit)
        queues.take_paper_place(actor, visit.entries[0], slip.was_served)
    return visit


def _keep_patient(actor: audit.Actor, application: Application, found: Review) -> Patient:
    is_disputed = any(warned.rule == TAKEN for warned in found.warnings)
    if application.patient is None:
        return patients.create(actor, application.identity, nik_disputed=is_disputed)
    patient = patients.current(application.patient)
    identity = rebase(patient, application.identity, application.based_on)
    reason = "Diperbarui saat pendaftaran"
    correct(actor, patient, identity, reason, nik_disputed=is_disputed)
    return patient


def open_visit(actor: audit.Actor, patient: Patient, poli: Poli, visit: Visit) -> Visit:
    """Give a prepared visit its day, number, snapshot and place in the room's queue.

    One from paper, which has its time and the slip's label already, stands on the day it was.
    """
    day = days.day_of(visit.occurred_at)
    visit.service_day_id = day.id
    visit.patient, visit.original_patient_id = patient, patient.id
    visit.registered_by_id = actor.user_id
    visit.is_new_patient = first_visits.comes_first(patient)
    take_snapshot(visit, patient, day)
    visit.series = slips.SERIES if visit.label else poli.prefix
    visit.number = counters.next_value(f"number:{day.id}:{visit.series}")
    visit.label = visit.label or f"{visit.series}{visit.number:03d}"
    queues.enqueue(actor, visit, poli, kind=EntryKind.REGISTERED, at=visit.occurred_at)
    if visit.source == Source.PAPER and not visit.is_new_patient:  # of a day before the others
        first_visits.settle(patient.id)
    queues.bump_namesakes(visit)
    audit.record(actor, "register_visit", visit, details=f"{poli.code} {visit.label}")
    return visit


def keep_reasons(
    actor: audit.Actor, visit: Visit, warnings: Sequence[Warned], reasons: Mapping[str, str]
) -> None:
    """Note each warning that was shown with the reason that answers it."""
    kept = [
        {
            "visit_id": visit.id,
            "rule": warned.rule,
            "level": warned.level,
            "message": warned.message[:400],
            "reason": (reasons.get(warned.rule) or reasons.get("", "")).strip()[:300],
            "recorded_by_id": actor.user_id,
        }
        for warned in warnings
        if warned.level in ("error", "warning") or warned.rule in SHOWN_IN_QUEUE
    ]
    if kept:
        run(_ADD_OVERRIDES, kept)


def _keep_answers(
    actor: audit.Actor,
    patient: Patient,
    found: Review,
    reasons: Mapping[str, str],
    answers: Mapping[str, str],
) -> None:
    """Who was said to be somebody else, or perhaps the same; a disputed NIK is asked again."""
    reason = (reasons.get(TAKEN) or reasons.get("", "")).strip()
    text = f"Satu NIK, dua pasien. Alasan di loket: {reason}"
    asking.remember(actor, patient, answers, disputed_with=found.owner, reason=text)


def mark_for_exchange(visit: Visit) -> None:
    """What must leave the building is a row first; the worker sends it later."""
    entry = {
        "target": "satusehat",
        "business_key": f"satusehat:visit:{visit.public_id}",
        "subject_type": "visit",
        "subject_ref": visit.public_id,
    }
    run(_ADD_TO_OUTBOX, entry)


def _add_room(
    actor: audit.Actor, application: Application, found: Review, _draft: RegistrationDraft
) -> Visit:
    visit = application.about_visit
    days.open_day(known=visit.service_day)  # it may have been closed today: it goes on
    add_complaint(visit, application.complaint)
    if application.pregnant:  # asked for this room: it counts for the whole visit
        tell_pregnancy(actor, visit, application.pregnant)
    try:
        queues.enqueue(actor, visit, found.poli, kind=EntryKind.REGISTERED)
    except queues.QueueError as problem:  # a colleague was faster
        raise Stopped(str(problem)) from problem
    bump_rooms_with(visit)  # what is told here changes its rows in the other rooms too
    audit.record(actor, "add_room", visit, details=found.poli.code)
    return visit


def _complete_identity(
    actor: audit.Actor, application: Application, found: Review, _draft: RegistrationDraft
) -> Visit:
    """Fill in who it is, on the visit that is already running."""
    visit = application.about_visit
    before = patients.identity_of(visit.patient)
    patient = _keep_patient(actor, application, found)
    tell_visit(actor, visit, before, patient, application.bpjs_home)
    queues.bump_rooms_of(visit.patient)
    return visit
