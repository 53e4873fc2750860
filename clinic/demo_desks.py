"""What the demo clinic's staff do today, by the functions the desks use, at a time of the past.

The functions stamp the present; each step is put back to its instant right after it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Select, select

from clinic import (
    demo_actions,
    demo_forms,
    drafts,
    lab_entry,
    lab_orders,
    measurements,
    patients,
    queues,
    records,
    registration,
    routing,
    triage,
)
from clinic.audit import Actor
from clinic.demo_cases import build_of, vital_signs
from clinic.demo_laboratory import values_for
from clinic.demo_patients import Guest
from clinic.demo_prescriptions import prescription_for
from clinic.demo_times import STAMPS, put_back
from clinic.diagnoses import DiagnosisInput
from clinic.drafts import DraftSubject
from clinic.lab_entry import Entered
from clinic.lab_orders import OrderInput
from clinic.records import ExaminationInput
from db import db, utcnow
from models import (
    Disposition,
    Examination,
    Poli,
    PoliKind,
    Priority,
    QueueEntry,
    TriageNote,
    TriagePriority,
    User,
    UserPoli,
    Visit,
    VitalSigns,
)

DEVICE = "demo"
LAST = timedelta(minutes=40)  # who was seen before has been at the pharmacy
DRAFT = {
    "name": "Muhammad Rizki",
    "sex": "L",
    "birth_date": "09-02-2004",
    "no_nik_reason": "LUPA_KARTU",
    "address": "Dusun Karang Anyar",
    "village": "Tirta Alur",
    "complaint": "demam dan batuk sejak kemarin",
    "poli": "UMUM",
    "payer": "UMUM",
}
# What the screening desk sees of a case that it measures so, and proposes.
TRIAGE = {
    "demam": ("Tampak lemas, badan panas", TriagePriority.YELLOW),
    "sesak": ("Sesak, masih bisa bicara", TriagePriority.YELLOW),
    "ringan": ("Jalan sendiri, tampak tenang", TriagePriority.GREEN),
}
RESULT = "Hb 12,9 g/dL; leukosit 7.200; trombosit 246.000"


def staff() -> dict[str, User]:
    """The demo accounts by the room they work in; the counter's under ''."""
    rooms = db.session.execute(
        select(Poli.code, User)
        .join(UserPoli, UserPoli.poli_id == Poli.id)
        .join(User, User.id == UserPoli.user_id)
        .where(UserPoli.is_active)
        .order_by(User.id.desc())
    ).tuples()
    return dict(rooms.all()) | {"": user("loket")}


def user(username: str) -> User:
    """The demo account of this name."""
    return db.session.scalars(select(User).where(User.username == username)).one()


def finished(code: str) -> Select:
    """The room's finished examinations that say a therapy, the newest first."""
    return (
        select(Examination)
        .join(Examination.entry)
        .join(QueueEntry.poli)
        .where(Poli.code == code, Examination.finished_at.is_not(None), Examination.therapy != "")
        .order_by(Examination.finished_at.desc(), Examination.id.desc())
    )


def actor(user: User) -> Actor:
    """The account at work."""
    return Actor(user.id, user.role, DEVICE)


@dataclass
class Desks:
    """Counter and rooms of one day."""

    on: date
    random: Random
    began: datetime = field(default_factory=utcnow)  # whatever is later was stamped by a step
    guests: dict[int, Guest] = field(default_factory=dict)  # by visit id

    def __post_init__(self) -> None:
        self.actors = {room: actor(user) for room, user in staff().items()}
        self.rooms = {poli.code: poli for poli in db.session.scalars(select(Poli))}
        self.rules = routing.load()

    def is_open(self, room: str) -> bool:
        return room in self.rooms and self.rooms[room].is_active and room in self.actors

    # --- The counter ---

    def register(self, guest: Guest, room: str, at: datetime) -> QueueEntry:
        """A visit with its number, waiting in the room."""
        poli, patient = self.rooms[room], guest.patient
        complaint = self.random.choice(guest.case.complaints)
        asked = routing.Case(
            complaint, patient.sex, patient.birth_date, guest.months, guest.pregnant, room, self.on
        )
        cluster = self.rules.cluster(asked)
        given = self.rules.rooms.priority(room, guest.months, guest.pregnant)
        if not given and self.random.random() < 0.06:
            given = Priority.DISABLED
        visit = Visit(
            complaint=complaint,
            visit_type="SEHAT" if guest.case.vital in ("sehat", "hamil") else "SAKIT",
            bpjs_home=patients.last_bpjs_home(patient),
            pregnant=guest.pregnant,
            priority=given,
            cluster=cluster.code,
            cluster_rule=cluster.why[:60],
            computed_cluster=cluster.code,
        )
        registration.open_visit(self.actors[""], patient, poli, visit)
        registration.mark_for_exchange(visit)
        self.guests[visit.id] = guest
        put_back(self.began, visit.id, at)
        return db.session.scalars(select(QueueEntry).where(QueueEntry.visit_id == visit.id)).one()

    def leave_draft(self, at: datetime) -> None:
        """A registration that the counter has not saved yet, once a day."""
        me = self.actors[""]
        if drafts.unsaved(me.user_id):
            return
        draft = drafts.store(me, dict(DRAFT), DraftSubject())
        draft.created_at = draft.updated_at = at
        db.session.flush()

    # --- The rooms ---

    def step(
        self,
        entry: QueueEntry,
        action: str,
        at: datetime,
        reason: str = "",
        target: str = "",
    ) -> None:
        """One press of a button of the queue."""
        reason = reason or ("Cocok dengan kartu BPJS" if action == "mulai" else "")
        queues.act(self._actor_for(entry), entry, action, reason, self.rooms.get(target))
        put_back(self.began, entry.visit_id, at)

    def measure(self, entry: QueueEntry, at: datetime) -> None:
        """Vital signs at the screening desk, while the patient waits."""
        signs = self._signs(entry)
        measurements.measure(self._actor_for(entry), entry.visit, entry, signs)
        seen = TRIAGE.get(self._case(entry).vital)
        if seen:
            triage.write(self._actor_for(entry), entry.visit, *seen)
        put_back(self.began, entry.visit_id, at, (VitalSigns, TriageNote))

    def begin_record(self, entry: QueueEntry, at: datetime) -> None:
        """A draft of the examination, as it stands while the patient sits there."""
        form = ExaminationInput(
            subjective=self._case(entry).subjective,
            vitals=self._signs(entry),
            forms=self._forms(entry),
        )
        records.save(self._actor_for(entry), entry, form, 0)
        if entry.poli.kind is PoliKind.LABORATORY:
            lab_entry.enter(self._actor_for(entry), entry, self._entered(entry, is_sample=True))
        put_back(self.began, entry.visit_id, at, STAMPS)

    def finish(self, entry: QueueEntry, at: datetime, send_to: str = "") -> QueueEntry | None:
        """Finish the examination; the entry in the room that the patient is sent to, if any."""
        if entry.poli.kind is PoliKind.LABORATORY:
            text = self._case(entry).lab or RESULT
            lab_entry.finish(self._actor_for(entry), entry, self._entered(entry), text, 0)
        else:
            form = self._form(entry, send_to, is_prescribed=at > self.began - LAST)
            records.finish(self._actor_for(entry), entry, form, 0)
        if entry.poli.code == "IMUN":
            demo_forms.vaccinate(
                self._actor_for(entry), entry.visit, self._case(entry), "Bdn. Nurhayati"
            )
        put_back(self.began, entry.visit_id, at, STAMPS)
        return db.session.scalar(select(QueueEntry).where(QueueEntry.previous_entry_id == entry.id))

    def _form(
        self, entry: QueueEntry, send_to: str, *, is_prescribed: bool = False
    ) -> ExaminationInput:
        seen, months = self._case(entry), self.guests[entry.visit_id].months
        codes = self.random.choice(seen.codes)
        therapy = seen.therapy_for(months)
        ends = is_prescribed and (not send_to or self._is_pharmacy(send_to))
        return ExaminationInput(
            subjective=seen.subjective,
            objective=seen.objective,
            plan=f"Dikirim ke {self.rooms[send_to].name}." if send_to else seen.plan,
            therapy=therapy,
            disposition=Disposition.INTERNAL if send_to else Disposition.HOME,
            refer_to=send_to,
            diagnoses=[DiagnosisInput(code) for code in codes],
            procedures=demo_actions.done_for(codes, entry.id),
            vitals=self._signs(entry),
            lab=self._order(entry, send_to),
            forms=self._forms(entry),
            prescription=prescription_for(entry.visit, therapy) if ends else None,
        )

    def _forms(self, entry: QueueEntry) -> dict | None:
        guest = self.guests[entry.visit_id]
        return demo_forms.of_today(entry.visit, entry.poli.code, guest.case, guest.months)

    def _is_pharmacy(self, code: str) -> bool:
        return self.rooms[code].kind is PoliKind.PHARMACY

    def _order(self, entry: QueueEntry, send_to: str) -> OrderInput | None:
        if not send_to or self.rooms[send_to].kind is not PoliKind.LABORATORY:
            return None
        return OrderInput([code for code, _ in values_for(self._case(entry).lab)])

    def _entered(self, entry: QueueEntry, *, is_sample: bool = False) -> dict[str, Entered]:
        """What the laboratory types, or that it has the samples only."""
        values = dict(values_for(self._case(entry).lab))
        items = [
            item
            for order in lab_orders.open_orders(entry.visit)
            for item in lab_orders.asked(order)
        ]
        return {
            item.public_id: Entered("" if is_sample else values[item.test.code], is_sampled=True)
            for item in items
        }

    def _actor_for(self, entry: QueueEntry) -> Actor:
        return self.actors[entry.poli.code]

    def _case(self, entry: QueueEntry) -> Any:
        return self.guests[entry.visit_id].case

    def _signs(self, entry: QueueEntry) -> dict[str, Any]:
        guest = self.guests[entry.visit_id]
        build = build_of(guest.patient.id - 1)  # registered in the order of the people
        return vital_signs(self.random, guest.case, guest.months, build)
