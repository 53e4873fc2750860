"""Papers that are handed out: issued once, read back before, kept as printed, never changed.

What stood on a paper is kept with it, so that a reprint years later says the same though the
record was corrected. A wrong paper is cancelled, or replaced by one with a number of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from clinic import (
    audit,
    counters,
    days,
    paper_content,
    paper_doubts,
    paper_facts,
    paper_number,
    settings,
)
from clinic.audit import Actor
from clinic.paper_facts import Facts
from clinic.paper_texts import KINDS, Said
from clinic.record_errors import RecordError
from db import add_row, db, new_public_id, utcnow
from models import (
    EntryState,
    Examination,
    Paper,
    PaperKind,
    PaperState,
    Patient,
    Practitioner,
    User,
    Visit,
    VisitStatus,
)
from validators import clean_text

LONGEST_REASON = 300
BEING_SERVED = (EntryState.CALLED, EntryState.IN_SERVICE)
_KEY = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True)
class Order:
    """What a form asks to be printed, and what it was read back as."""

    kind: PaperKind
    said: Said
    typed: Mapping[str, str]
    form_key: str  # of the form; the same one twice gives one paper
    seen: str = ""  # the digest of what was read back
    replaces: Paper | None = None
    reason: str = ""  # why the former one is replaced


class AlreadyIssued(RecordError):
    """Such a paper is in force; `paper` is the one."""

    def __init__(self, paper: Paper) -> None:
        super().__init__(
            f"Surat ini sudah terbit dengan nomor {paper.number}, oleh "
            f"{paper.issued_by.display_name}. Cetak ulang, atau ganti bila isinya salah."
        )
        self.paper = paper


class Changed(RecordError):
    """The record or the settings say something else than what was read back."""

    def __init__(self) -> None:
        super().__init__("Isi surat berubah sejak Anda periksa. Baca sekali lagi.")


def new_form_key() -> str:
    """A key for a form that is opened now."""
    return new_public_id()


def signer_of(actor: Actor) -> Practitioner:
    """Who answers for the paper. Raises RecordError: the account is no practitioner's."""
    user = db.session.get(User, actor.user_id)
    who = user.practitioner if user else None
    if who is None or not who.is_active:
        raise RecordError(
            "Surat diterbitkan tenaga kesehatan. Profesi Anda belum diisi di akun ini; minta "
            "kepala mengisinya di Pengguna."
        )
    return who


def why_no_signer(actor: Actor) -> str:
    """Why the account issues no paper, to be told before anything is filled in; or empty."""
    try:
        signer_of(actor)
    except RecordError as problem:
        return str(problem)
    return ""


def drafted(actor: Actor, examination: Examination, kind: PaperKind, said: Said) -> dict[str, Any]:
    """The paper as it would be issued now. Raises RecordError."""
    return _drafted(actor, _facts(examination), kind, said)


def _facts(examination: Examination) -> Facts:
    _refuse_unfit(examination)
    return paper_facts.load(examination, days.clinic_date())


def _drafted(actor: Actor, facts: Facts, kind: PaperKind, said: Said) -> dict[str, Any]:
    signer = signer_of(actor)
    return paper_content.checked_content(kind, facts, said, signer, settings.values())


def issue(actor: Actor, examination: Examination, order: Order) -> Paper:
    """Number it and keep it; the same form sent twice gives the same paper.

    Raises RecordError, Changed when it isn't what was read back, AlreadyIssued.
    """
    if not _KEY.fullmatch(order.form_key):
        raise RecordError("Formulir ini tidak lengkap. Buka lagi dari kunjungannya.")
    before = db.session.scalar(_whole().where(Paper.form_key == order.form_key))
    if before is not None:
        return _same(before, examination, order)
    facts = _facts(examination)
    content = _drafted(actor, facts, order.kind, order.said)
    if paper_content.digest(content) != order.seen:
        raise Changed
    subject = KINDS[order.kind].subject(order.said)
    if order.replaces is not None:
        _end(actor, order.replaces, PaperState.REPLACED, order.reason)
    _refuse_second(examination, order.kind, subject)
    paper = Paper(
        kind=order.kind,
        number=_next_number(order.kind),
        visit=examination.visit,
        examination=examination,
        subject=subject,
        form_key=order.form_key,
        fields=dict(order.typed),
        content=content | paper_doubts.mark(order.kind, facts),
        issued_by_id=actor.user_id,
        replaces=order.replaces,
    )
    former = add_row(paper).replaces
    replaced = f"{paper.number} menggantikan {former.number}" if former else paper.number
    why = former.end_reason if former else ""
    audit.record(actor, "issue_paper", paper, reason=why, details=replaced)
    return paper


def cancel(actor: Actor, paper: Paper, reason: str) -> None:
    """Take a paper back; it stays, marked. Raises RecordError without a reason, or twice."""
    _end(actor, paper, PaperState.CANCELLED, reason)
    audit.record(actor, "cancel_paper", paper, reason=paper.end_reason, details=paper.number)


def by_ref(ref: str) -> Paper | None:
    """The paper of this public id."""
    return db.session.scalar(_whole().where(Paper.public_id == ref))


def of_visit(visit: Visit) -> list[Paper]:
    """The visit's papers, the newest first."""
    return list(db.session.scalars(_listed().where(Paper.visit_id == visit.id)))


def of_patient(patient: Patient, limit: int, before: Paper | None = None) -> list[Paper]:
    """The patient's papers, the newest first, those older than `before`."""
    rows = _listed().join(Paper.visit).where(Visit.patient_id == patient.id).limit(limit)
    if before is not None:
        rows = rows.where(Paper.id < before.id)
    return list(db.session.scalars(rows))


def in_force(visit: Visit) -> list[Paper]:
    """The visit's papers that hold: neither cancelled nor replaced."""
    return [paper for paper in of_visit(visit) if paper.state is PaperState.ISSUED]


def _whole() -> Select:
    people = joinedload(Paper.issued_by), joinedload(Paper.ended_by)
    near = joinedload(Paper.replaces), joinedload(Paper.replaced_by)
    return select(Paper).options(*people, *near, joinedload(Paper.visit).joinedload(Visit.patient))


def _listed() -> Select:
    return select(Paper).options(joinedload(Paper.issued_by)).order_by(Paper.id.desc())


def _same(paper: Paper, examination: Examination, order: Order) -> Paper:
    if (paper.examination_id, paper.kind) != (examination.id, order.kind):
        raise RecordError("Formulir ini sudah dipakai untuk surat lain. Buka lagi.")
    return paper


def _refuse_unfit(examination: Examination) -> None:
    if examination.visit.status is VisitStatus.CANCELLED:
        raise RecordError("Kunjungan ini dibatalkan, jadi tidak ada suratnya.")
    if examination.finished_at is None and examination.entry.state not in BEING_SERVED:
        raise RecordError("Pemeriksaan ini tidak pernah selesai, jadi tidak ada suratnya.")


def _refuse_second(examination: Examination, kind: PaperKind, subject: str) -> None:
    same = _whole().where(
        Paper.examination_id == examination.id,
        Paper.kind == kind,
        Paper.subject == subject,
        Paper.state == PaperState.ISSUED,
    )
    if paper := db.session.scalar(same):
        raise AlreadyIssued(paper)


def _end(actor: Actor, paper: Paper, state: PaperState, reason: str) -> None:
    reason = clean_text(reason, LONGEST_REASON)
    db.session.refresh(paper)
    if paper.state is not PaperState.ISSUED:
        done = "dibatalkan" if paper.state is PaperState.CANCELLED else "diganti"
        raise RecordError(f"Surat ini sudah {done} oleh {paper.ended_by.display_name}.")
    if not reason:
        raise RecordError("Tulis alasannya.", "why")
    paper.state, paper.end_reason = state, reason
    paper.ended_at, paper.ended_by_id = utcnow(), actor.user_id
    db.session.flush()


def _next_number(kind: PaperKind) -> str:
    today, known = days.clinic_date(), settings.values()
    while True:
        serial = counters.next_value(f"paper:{kind}:{today.year}")
        number = paper_number.written(
            known["paper_number"], serial, kind, known["clinic_code"], today
        )
        # An earlier template may have given it out.
        if db.session.scalar(select(Paper.id).where(Paper.number == number)) is None:
            return number
