"""Emergency first, identity later: what is known goes to the emergency room at once."""

from dataclasses import dataclass, replace

from sqlalchemy import select

from clinic import audit, days, drafts, further_room, nameless, patients, queues
from clinic.drafts import DraftSubject
from clinic.queue_order import FIRST
from clinic.registration import RegistrationError, mark_for_exchange, open_visit, visit_of
from db import add_row, db, utcnow
from models import (
    DatePrecision,
    DraftKind,
    NoNikReason,
    Patient,
    Poli,
    PoliKind,
    Priority,
    RegistrationDraft,
    Visit,
    VisitStatus,
)


@dataclass(frozen=True)
class Begun:
    """An ordinary registration that was begun, and goes on once the patient is in safe hands."""

    draft: RegistrationDraft
    typed: patients.Identity  # its valid fields
    patient: Patient | None = None

    @property
    def visit(self) -> Visit | None:
        """The patient's visit of today that goes on: its number is the one in the UGD too."""
        day = days.todays()
        if self.patient is None or day is None:
            return None
        mine = Visit.patient_id == self.patient.id, Visit.status == VisitStatus.OPEN
        rows = select(Visit).where(Visit.service_day_id == day.id, *mine)
        return db.session.scalar(rows.order_by(Visit.id.desc()).limit(1))


def emergency_room() -> Poli | None:
    """Where emergencies go; None while no such room is open."""
    rooms = select(Poli).where(Poli.kind == PoliKind.EMERGENCY, Poli.is_active)
    return db.session.scalar(rooms.order_by(Poli.position).limit(1))


def register_emergency(
    actor: audit.Actor,
    draft_key: str,
    name: str,
    sex: str,
    complaint: str,
    begun: Begun | None = None,
) -> Visit:
    """To the emergency room with what is known. `draft_key` makes a second press harmless.

    What was `begun` becomes the identity that is still to be completed on this visit.
    """
    done = _done_before(draft_key, begun)
    if done is not None:
        return done
    poli = emergency_room()
    if poli is None:
        raise RegistrationError("Belum ada ruang gawat darurat yang aktif. Hubungi kepala.")
    draft = RegistrationDraft(
        public_id=draft_key,
        kind=DraftKind.EMERGENCY,
        user_id=actor.user_id,
        drafted_on=days.clinic_date(),
        fields={"name": name, "sex": sex, "complaint": complaint},
    )
    add_row(draft)
    visit = begun.visit if begun else None
    if visit is not None:
        _hurry(actor, visit, poli, complaint)
    else:
        visit = _new_visit(actor, draft, poli, begun)
    draft.saved_at, draft.visit_ref = utcnow(), visit.public_id
    db.session.flush()
    if begun:
        _leave_for_later(actor, begun, visit, {"name": name, "sex": sex})
    return visit


def _new_visit(
    actor: audit.Actor, draft: RegistrationDraft, poli: Poli, begun: Begun | None
) -> Visit:
    said = draft.fields
    known = begun.patient if begun else None
    patient = known or patients.create(actor, _person(said["name"], said["sex"], begun))
    visit = open_visit(
        actor,
        patient,
        poli,
        Visit(
            draft_id=draft.id,
            complaint=said["complaint"] or "Gawat darurat",
            priority=Priority.EMERGENCY,
            cluster="LINTAS",
            cluster_rule="Gawat darurat: lintas klaster",
            computed_cluster="LINTAS",
        ),
    )
    mark_for_exchange(visit)
    return visit


def _hurry(actor: audit.Actor, visit: Visit, poli: Poli, complaint: str) -> None:
    """Somebody who is here already: one visit, one number; first here, as before in other rooms."""
    further_room.add_complaint(visit, complaint)
    visit.priority = Priority.EMERGENCY
    for room in sorted({entry.poli_id for entry in visit.entries} | {poli.id}):
        queues.bump(visit.service_day_id, room)
    for entry in visit.entries:
        if entry.poli_id == poli.id and entry.state in days.STILL_HERE:
            entry.rank, entry.is_priority = FIRST, False
            audit.record(actor, "raise_emergency", visit, details=poli.code)
            return
    queues.enqueue(actor, visit, poli)
    audit.record(actor, "add_room", visit, details=poli.code)


def saved_by(draft_key: str) -> Visit | None:
    """The visit that an earlier press of the same page made."""
    draft = drafts.by_ref(draft_key)
    is_saved = draft is not None and draft.kind == DraftKind.EMERGENCY and draft.visit_ref
    return visit_of(draft) if is_saved else None


def _done_before(draft_key: str, begun: Begun | None) -> Visit | None:
    """The visit of an earlier press, or of another page about the same registration."""
    draft = drafts.by_ref(draft_key)
    if draft is not None:
        if draft.kind != DraftKind.EMERGENCY:
            raise RegistrationError("Halaman ini sudah lama terbuka. Buka lagi, lalu isi ulang.")
        return visit_of(draft)
    if begun is None:
        return None
    if begun.draft.about_visit_ref:
        about = select(Visit).where(Visit.public_id == begun.draft.about_visit_ref)
        return db.session.scalars(about).one()
    if begun.draft.saved_at:
        label = visit_of(begun.draft).label
        raise RegistrationError(
            f"Pasien ini sudah terdaftar dengan nomor {label}. Buka tiketnya, lalu tambah ruang."
        )
    return None


def _person(name: str, sex: str, begun: Begun | None) -> patients.Identity:
    person = unknown_person(name, sex)
    if begun is None:
        return person
    born, precision = begun.typed.birth_date, begun.typed.birth_precision
    return replace(person, birth_date=born, birth_precision=precision)


def _leave_for_later(actor: audit.Actor, begun: Begun, visit: Visit, said: dict[str, str]) -> None:
    """Nothing of it is typed again: it waits among what was not saved yet."""
    patient = visit.patient
    fields = {"patient_version": str(patient.version)} | begun.draft.fields
    if begun.patient is None:
        fields |= said
    subject = DraftSubject(DraftKind.IDENTITY, patient.public_id, visit)
    draft = drafts.store(actor, fields, subject, begun.draft)
    if begun.patient and begun.typed == patients.identity_of(patient):
        drafts.drop(actor, draft)  # there is nothing to complete


def unknown_person(name: str, sex: str) -> patients.Identity:
    """Somebody of whom little or nothing is known; completed later on the same visit."""
    return patients.Identity(
        name=name or nameless.next_name(sex, days.clinic_date()),
        sex=sex,
        birth_date=None,
        birth_precision=DatePrecision.YEAR,
        no_nik_reason=NoNikReason.UNKNOWN,
        address="Belum diketahui",
        is_unknown=True,
    )
