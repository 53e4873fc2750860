"""What happened since a paper was printed that it does not know of: said where it is read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from clinic import paper_content, paper_facts
from clinic.paper_facts import Facts
from db import db
from models import (
    Allergy,
    Amendment,
    AmendmentState,
    Examination,
    LabOrder,
    LabResult,
    Paper,
    PaperKind,
    PaperState,
    PatientVersion,
    VisitCorrection,
    VisitStatus,
)

# Kinds that quote the record; a sick note quotes nothing that a draft still changes.
REFERRALS = (PaperKind.REFERRAL, PaperKind.INTERNAL)
TELLING = (PaperKind.SUMMARY, *REFERRALS)
QUOTING = (PaperKind.HEALTH, *TELLING)
RECORD = "record"  # the key, beside what is printed, of what the record said
# Chosen in the form at last, when the letter names it already.
WHAT_NEXT = {"to_whom", "to_room", "control_on"}
PRINTED = {"name", "birth_date", "birth_precision", "sex"}  # of the identity
# Whoever took the letter along is on the way so long; what becomes known later is another visit's.
UNDER_WAY = timedelta(days=1)


@dataclass(frozen=True)
class Doubt:
    """Why a paper may not hold any more, to be read before "sesudah surat ini terbit"."""

    cause: str
    remedy: str = "Bandingkan isinya; bila ikut berubah, ganti surat ini."


def mark(kind: PaperKind, facts: Facts) -> dict[str, str]:
    """What is kept with a paper's content to tell later whether the record changed."""
    return {RECORD: _record_now(kind, facts)} if kind in QUOTING else {}


def _record_now(kind: PaperKind, facts: Facts) -> str:
    # What the pharmacy hands out later changes nothing of what was prescribed.
    prescribed = tuple(
        replace(each, lines=tuple(replace(line, given="") for line in each.lines))
        for each in facts.summary.prescriptions
    )
    facts = replace(facts, summary=replace(facts.summary, prescriptions=prescribed))
    told = paper_facts.defaults(kind, facts).items()
    return paper_content.digest({name: text for name, text in told if name not in WHAT_NEXT})


def doubt(paper: Paper) -> Doubt | None:
    """What happened since a paper in force was printed that it does not know of."""
    if paper.state is not PaperState.ISSUED:
        return None
    if paper.visit.status is VisitStatus.CANCELLED:
        remedy = "Batalkan juga surat ini, dan mintalah kembali kertasnya."
        return Doubt("Kunjungannya dibatalkan", remedy)
    return next((found for happened, found in _DOUBTS if happened(paper)), None)


def _is_any(rows: Select[Any]) -> bool:
    return db.session.scalar(rows.limit(1)) is not None


def _is_moved(paper: Paper) -> bool:
    return _is_any(
        select(VisitCorrection.id).where(
            VisitCorrection.visit_id == paper.visit_id,
            VisitCorrection.field == "patient",
            VisitCorrection.corrected_at > paper.issued_at,
        )
    )


def _is_identity_corrected(paper: Paper) -> bool:
    versions = select(PatientVersion.before).where(
        PatientVersion.patient_id == paper.visit.patient_id,
        PatientVersion.changed_at > paper.issued_at,
    )
    return any(PRINTED & set(before) for before in db.session.scalars(versions))


def _is_result_corrected(paper: Paper) -> bool:
    """A lab paper prints one order, the others each that was finished."""
    if paper.kind is PaperKind.LAB:
        printed = LabOrder.public_id == paper.subject
    elif paper.kind in TELLING:
        printed = (LabOrder.visit_id == paper.visit_id) & (LabOrder.resulted_at <= paper.issued_at)
    else:
        return False
    rows = select(LabResult.id).join(LabResult.order)
    return _is_any(rows.where(printed, LabResult.ended_at > paper.issued_at))


def _is_amended(paper: Paper) -> bool:
    if paper.kind is PaperKind.LAB:
        return False
    # In any room: a summary or a referral tells of the whole visit.
    applied_at = func.coalesce(Amendment.decided_at, Amendment.requested_at)
    return _is_any(
        select(Amendment.id)
        .join(Amendment.examination)
        .where(
            Examination.visit_id == paper.visit_id,
            Amendment.state == AmendmentState.APPLIED,
            applied_at > paper.issued_at,
        )
    )


def _is_rewritten(paper: Paper) -> bool:
    """Issued while the examination went on, which then said something else."""
    kept, note = paper.content.get(RECORD), paper.examination
    if not kept or note.finished_at is None or note.finished_at <= paper.issued_at:
        return False
    facts = paper_facts.load(note, paper.visit.service_day.on)
    return _record_now(paper.kind, facts) != kept


def _is_allergy_learned(paper: Paper) -> bool:
    if paper.kind not in TELLING:
        return False
    until = paper.issued_at + UNDER_WAY
    changed = or_(
        Allergy.recorded_at.between(paper.issued_at, until),
        Allergy.ended_at.between(paper.issued_at, until),
    )
    rows = select(Allergy.id).where(Allergy.patient_id == paper.visit.patient_id, changed)
    return _is_any(rows if paper.kind in REFERRALS else rows.where(~Allergy.is_alert))


_REPLACE = "Ganti surat ini dengan yang benar."
_DOUBTS: tuple[tuple[Callable[[Paper], bool], Doubt], ...] = (
    (_is_moved, Doubt("Kunjungannya dipindahkan ke pasien lain", _REPLACE)),
    (_is_identity_corrected, Doubt("Nama, tanggal lahir, atau jenis kelamin diubah")),
    (_is_result_corrected, Doubt("Hasil laboratoriumnya sudah dikoreksi", _REPLACE)),
    (_is_amended, Doubt("Pemeriksaan kunjungan ini dibetulkan")),
    (_is_rewritten, Doubt("Pemeriksaannya masih diubah")),
    (_is_allergy_learned, Doubt("Alergi pasien ini diubah")),
)
