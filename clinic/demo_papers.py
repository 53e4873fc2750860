"""A few papers in the demo clinic: of each kind one, one that was replaced, one taken back."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from clinic import days, paper_content, paper_facts, papers
from clinic.audit import Actor
from clinic.demo_desks import actor, finished, user
from clinic.papers import Order
from db import db
from models import (
    Disposition,
    Examination,
    LabOrder,
    LabOrderState,
    Paper,
    PaperKind,
)


def write() -> None:
    """Each by the functions the desks use, from the newest examinations."""
    doctor, laboratory = actor(user("umum")), actor(user("lab"))
    newest = list(db.session.scalars(finished("UMUM").limit(4)))
    for examination in newest[:2]:
        _issue(doctor, examination, PaperKind.SUMMARY)
    for place, examination in enumerate(newest):
        _write_sick_note(doctor, examination, place)
    certificate = {"purpose": "Melamar kerja", "result": "sehat", "colour": "tidak"}
    for examination in newest[-1:]:
        _issue(doctor, examination, PaperKind.HEALTH, **certificate)
    outside = finished("UMUM").where(Examination.leads_to == Disposition.EXTERNAL)
    for examination in db.session.scalars(outside.limit(1)):
        _issue(doctor, examination, PaperKind.REFERRAL, to_poli="Penyakit Dalam")
    validated = (LabOrderState.RESULTED, LabOrderState.VALIDATED)
    reported = finished("UMUM").join(LabOrder, LabOrder.entry_id == Examination.entry_id)
    reported = reported.where(LabOrder.state.in_(validated), ~LabOrder.needs_validation)
    for examination in db.session.scalars(reported.limit(1)):
        order = select(LabOrder.public_id).where(LabOrder.entry_id == examination.entry_id)
        _issue(laboratory, examination, PaperKind.LAB, order=db.session.scalar(order))


def _write_sick_note(doctor: Actor, examination: Examination, place: int) -> None:
    """The first stands, the second is replaced by one of three days, the third taken back."""
    first = days.clinic_date()
    said = {"from_on": first, "until_on": first + timedelta(days=1), "purpose": "Izin kerja"}
    paper = _issue(doctor, examination, PaperKind.SICK, **said)
    if place == 1:
        said |= {"until_on": first + timedelta(days=2)}
        why = {"replaces": paper, "reason": "Jumlah hari salah ketik"}
        _issue(doctor, examination, PaperKind.SICK, why, **said)
    elif place == 2:
        papers.cancel(doctor, paper, "Salah pasien, kertasnya sudah ditarik")


def _issue(
    who: Actor,
    examination: Examination,
    kind: PaperKind,
    why: dict[str, Any] | None = None,
    **said: Any,
) -> Paper:
    facts = paper_facts.load(examination, days.clinic_date())
    said = _filled(kind, facts) | said
    seen = paper_content.digest(papers.drafted(who, examination, kind, said))
    typed = {name: str(value) for name, value in said.items() if isinstance(value, str)}
    order = Order(kind, said, typed, papers.new_form_key(), seen, **(why or {}))
    return papers.issue(who, examination, order)


def _filled(kind: PaperKind, facts: paper_facts.Facts) -> dict[str, Any]:
    """What the form begins with; the dates are the caller's."""
    defaults = paper_facts.defaults(kind, facts)
    if kind is PaperKind.HEALTH:
        return {"purpose": "", **{name: facts.vitals[name] for name in defaults}}
    return {name: text for name, text in defaults.items() if name != "control_on"}
