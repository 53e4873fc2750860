"""A visit that was registered on the wrong person goes to the right one, with its reason.

What was recorded in a visit hangs on the visit and goes with it. Allergies, alerts and consents are
the person's and tied to no visit: they stay where they were recorded.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select

from clinic import (
    amendment_writing,
    audit,
    drafts,
    first_visits,
    lab_rejudging,
    patients,
    queues,
    routing,
    visit_cluster,
    visit_person,
)
from clinic.corrections import CorrectionError, Unread, lock, refuse_ended
from clinic.emergency import unknown_person
from clinic.identity_warnings import Warned
from clinic.registration import keep_reasons
from clinic.review import review
from clinic.visit_changes import note
from clinic.visit_snapshot import take_snapshot
from db import db
from models import (
    Examination,
    Override,
    Patient,
    PatientMerge,
    Role,
    ServiceDay,
    User,
    Visit,
    VisitCorrection,
    VisitStatus,
)

# Who moves a visit that was examined: the record is theirs to keep right.
KEEPERS = (Role.RECORDS, Role.HEAD)
MOVED_SHOWN = 5


READ_FIRST = (
    "Baca dulu peringatan untuk pasien ini. Bila tetap benar, tekan lagi; ruang yang salah "
    "dipindahkan petugas ruang dari antrean sesudahnya."
)


def reassign(
    actor: audit.Actor,
    visit: Visit,
    patient: Patient,
    reason: str,
    *,
    was: str = "",
    read: Collection[str] | None = None,
) -> None:
    """The visit was registered on the wrong person. Raises CorrectionError where it stays.

    `was` is the patient whom the page showed. `read` are the marks of the sentences that were
    shown for the right patient: Unread is raised for any other; None does not ask.
    """
    lock(visit)
    before, patient = db.session.get_one(Patient, visit.patient_id), patients.current(patient)
    _refuse_to_move(actor, visit, before, patient, was)
    warnings, was_of = _news(visit, patient), lab_rejudging.person(visit)
    if read is not None and any(one.mark not in read for one in warnings):
        raise Unread(READ_FIRST, warnings)
    kept = note(actor, visit, "patient", before.public_id, patient.public_id, reason)
    visit.patient_id = visit.original_patient_id = patient.id
    visit.bpjs_home = ""  # that of the wrong person
    take_snapshot(visit, patient, visit.service_day)
    visit_person.follow(visit, patient)
    drafts.drop_identities(actor, visit)
    keep_reasons(actor, visit, warnings, {"": reason})
    first_visits.settle(before.id, patient.id)
    db.session.expire(visit, ["patient"])
    lab_rejudging.of_visit(actor, visit, was_of, f"Kunjungan dipindahkan: {reason}")
    queues.bump_rooms_of(before, patient)  # more rooms than the visit's mark the same name
    amendment_writing.leave_again(visit, f"satusehat:reassign:{kept.id}")
    for ref in (before.public_id, patient.public_id):
        audit.record(actor, "reassign_visit", visit, patient_ref=ref, reason=reason)


def reassign_to_new(
    actor: audit.Actor, visit: Visit, name: str, sex: str, reason: str, *, was: str = ""
) -> None:
    """To somebody who has no record yet: one is begun, to be completed on this visit."""
    patient = patients.create(actor, unknown_person(name, sex))
    reassign(actor, visit, patient, reason, was=was)


def is_examined(visit: Visit) -> bool:
    """Whether anything was written at an examination, be it a draft."""
    examined = select(Examination.id).where(Examination.visit_id == visit.id).limit(1)
    return db.session.scalar(examined) is not None


@dataclass(frozen=True)
class Moved:
    """A visit that went from one record to another, as the record's page tells it."""

    label: str
    on: date
    is_here: bool  # it came; else it went
    other: Patient
    by: str
    correction: VisitCorrection  # when, and why


def moved(patient: Patient) -> list[Moved]:
    """The visits that came to this record or left it by a correction, the newest first.

    What happened to records that were merged into it since is told here too.
    """
    mine = _records_of(patient)
    rows = (
        select(VisitCorrection, Visit.label, ServiceDay.on, User.display_name)
        .join(Visit, Visit.id == VisitCorrection.visit_id)
        .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
        .join(User, User.id == VisitCorrection.corrected_by_id)
        .where(
            VisitCorrection.field == "patient",
            or_(VisitCorrection.before.in_(mine), VisitCorrection.after.in_(mine)),
        )
        .order_by(VisitCorrection.id.desc())
        .limit(MOVED_SHOWN)
    )
    found = db.session.execute(rows).all()
    refs = {_other(row, mine) for row, *_ in found}
    people = select(Patient).where(Patient.public_id.in_(refs))
    known = {one.public_id: one for one in db.session.scalars(people)} if refs else {}
    return [
        Moved(label, on, row.after in mine, known[_other(row, mine)], name, row)
        for row, label, on, name in found
    ]


def _other(row: VisitCorrection, mine: Collection[str]) -> str:
    return row.before if row.after in mine else row.after


def _records_of(patient: Patient) -> set[str]:
    """Public ids of the record and of all that were merged into it."""
    refs, ids = {patient.public_id}, [patient.id]
    while ids:
        merged = select(Patient.id, Patient.public_id).join(PatientMerge.loser)
        of_these = PatientMerge.survivor_id.in_(ids), PatientMerge.undone_at.is_(None)
        found = db.session.execute(merged.where(*of_these)).all()
        ids = [each.id for each in found]
        refs |= {each.public_id for each in found}
    return refs


# Whether it may move


def _refuse_to_move(
    actor: audit.Actor, visit: Visit, before: Patient, patient: Patient, was: str
) -> None:
    if was and was != before.public_id:
        raise CorrectionError(
            f"Kunjungan ini baru saja dipindahkan ke {before.name} (No. RM {before.mrn}). "
            "Periksa lagi."
        )
    if patient.id == before.id:
        raise CorrectionError("Kunjungan ini memang sudah atas nama pasien tersebut.")
    is_keeper = actor.role in KEEPERS
    if visit.status is VisitStatus.CANCELLED or not is_keeper:
        refuse_ended(visit)
    if not is_keeper and is_examined(visit):
        raise CorrectionError(
            "Pasien ini sudah diperiksa. Hanya rekam medis atau kepala yang dapat memindahkan "
            f"kunjungannya: beri tahu mereka nomor {visit.label} dan No. RM {before.mrn}."
        )


# What the rules say


def _news(visit: Visit, patient: Patient) -> list[Warned]:
    """What has to be read: of rooms and rules, and not what this visit was asked already."""
    room = visit_cluster.room_of(visit)
    if room is None:
        return []
    found = review(visit_person.as_registered(visit, patient, room), with_likely=False)
    rules = {row.rule for row in routing.load().rules} | {"DEATH-1"}
    asked = select(Override.rule, Override.message).where(Override.visit_id == visit.id)
    known = set(db.session.execute(asked).tuples())
    return [
        one
        for one in found.warnings
        if one.level != "info" and one.rule in rules and (one.rule, one.message[:400]) not in known
    ]
