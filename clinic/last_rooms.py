"""Where a patient was last, and whether that room asked to come back."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import and_, func, select

from clinic.complaint_text import fold
from clinic.proposals import Proposal
from clinic.rooms import Case, Rooms
from db import db
from formatting import short_date
from models import (
    Disposition,
    EntryState,
    Examination,
    Patient,
    Poli,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)

# A complaint of nothing but these says that somebody was told to come, and not for what. "Kontrol
# rutin" has a room of its own.
_AGAIN = frozenset({"ulang", "kembali", "lagi", "lanjutan"})
_CARE = frozenset({"berobat", "periksa", "cek"})
_CONTROL = fold("kontrol")
_BESIDE = frozenset(fold("mau ingin untuk datang jadwal disuruh sesuai saja hari ini").split())
_NEITHER = (EntryState.MOVED, EntryState.CANCELLED)


@dataclass(frozen=True)
class LastRoom:
    code: str
    name: str
    on: date
    is_control: bool  # its examination ended with "kontrol kembali"


def last_room(patient: Patient) -> LastRoom | None:
    """The room of the patient's last visit that was not cancelled.

    Of several the one that wants to see the patient again, else the last that isn't only sent to.
    """
    row = db.session.execute(_LAST_FIRST.where(Visit.patient_id == patient.id)).first()
    return LastRoom(row.code, row.name, row.on, bool(row.is_control)) if row else None


def is_bare_control(case: Case) -> bool:
    """Whether the complaint is "kontrol", "berobat ulang" or the like, and nothing more."""
    words = set(case.read.words)
    is_meant = _CONTROL in words or (words & _CARE and words & _AGAIN)
    return bool(is_meant) and words <= {_CONTROL, *_AGAIN, *_CARE, *_BESIDE}


def room_of_control(
    proposals: list[Proposal], case: Case, rooms: Rooms, patient: Patient
) -> list[Proposal]:
    """The proposals for a bare "kontrol", with the room that ordered it before all others."""
    last = last_room(patient)
    if last is None or not last.is_control or not rooms.is_active(last.code):
        return proposals
    if rooms.outside(last.code, case, case.months):
        return proposals
    known = {one.poli_code: one for one in proposals}
    ordered = known.pop(last.code, None) or Proposal(last.code, last.name, 0, (), "")
    reason = f"Kontrol dari {last.name}, {short_date(last.on)}"
    return [replace(ordered, reason=reason), *known.values()]


_is_control = and_(
    Examination.finished_at.is_not(None),
    func.coalesce(Examination.leads_to == Disposition.CONTROL, False),
)
_LAST_FIRST = (
    select(Poli.code, Poli.name, ServiceDay.on, _is_control.label("is_control"))
    .select_from(Visit)
    .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
    .join(QueueEntry, QueueEntry.visit_id == Visit.id)
    .join(Poli, Poli.id == QueueEntry.poli_id)
    .outerjoin(Examination, Examination.entry_id == QueueEntry.id)
    .where(Visit.status != VisitStatus.CANCELLED, QueueEntry.state.not_in(_NEITHER))
    .order_by(
        ServiceDay.on.desc(),
        Visit.id.desc(),
        _is_control.desc(),
        Poli.needs_order,
        QueueEntry.id.desc(),
    )
    .limit(1)
)
